//! A person accepts what does not agree about a contact: its row belongs to no invoice (AMB-31).

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use payments::{Action, Discrepancy, OrganisationId, XeroContactId};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Writer, instant};
use crate::contact_discrepancies::contact_key;
use crate::error::WriteError;
use crate::schema::{ACTIVITY, DISCREPANCIES};
use crate::tables::Tables;

impl Tables {
    /// Writes that a person has accepted a discrepancy about a contact; the log says so in the same step.
    ///
    /// # Errors
    /// `Conflict` if its facts have changed since it was read, or it is over. `Unavailable`.
    pub async fn write_acceptance_about_contact(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
        found: &Discrepancy,
    ) -> Result<(), WriteError> {
        let Some(accepted) = &found.accepted else { return Ok(()) };
        let place = contact_key(organisation, contact);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = Update::builder()
            .table_name(self.name(DISCREPANCIES))
            .key("invoice", text(&place))
            .key("discrepancy", text(&found.key.to_string()))
            .update_expression(
                "SET #state = :state, accepted_at = :at, accepted_by = :by, accepted_why = :why, \
                 accepted_facts = :facts REMOVE open_in",
            )
            .condition_expression("detail = :facts AND attribute_exists(open_in)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", text("accepted"))
            .expression_attribute_values(":at", text(&instant(accepted.at)))
            .expression_attribute_values(":by", text(&accepted.by))
            .expression_attribute_values(":why", text(&accepted.why))
            .expression_attribute_values(":facts", text(&accepted.facts))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let log = Writer::default()
            .text("day", day(organisation, accepted.at))
            .text("at", format!("{}#contact:{contact}#{}", instant(accepted.at), found.key))
            .text("organisation", organisation)
            .text("xero_contact_id", contact)
            .text("cause", "console")
            .logged(Action::DiscrepancyAccepted)
            .text("rule", "AMB-31")
            .text("why", format!("{}: {}; accepted: {}", found.key, found.detail, accepted.why));
        let log = with_discrepancy(log, Action::DiscrepancyAccepted, found).finish();
        let update = TransactWriteItem::builder().update(update).build();
        self.commit(DISCREPANCIES, vec![update, self.put(ACTIVITY, log)?]).await
    }
}
