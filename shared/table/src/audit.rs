//! What a person has ordered: one row of the activity log for each thing that was done.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::{Occurrence, OrganisationId};

use crate::activity::day;
use crate::attributes::{Item, Writer, instant};
use crate::error::WriteError;
use crate::schema::ACTIVITY;
use crate::tables::{Tables, owner};

/// Most orders of one kind and one subject in one millisecond.
const SAME_MOMENT_MAX: u32 = 16;

/// Something that was done on the word of a person.
#[derive(Clone, Copy, Debug)]
pub struct AuditEntry<'a> {
    /// The action.
    pub action: Occurrence,
    /// Its object: a key, the id of a message or of a grant.
    pub subject: &'a str,
    /// Why that needed a person: a code, or where it was.
    pub reason: &'a str,
    /// Who has ordered it.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Tables {
    /// Records an action. Without a known organisation, it stands under `unknown/DAY`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn log_order(
        &self,
        organisation: Option<OrganisationId>,
        order: &AuditEntry<'_>,
    ) -> Result<(), WriteError> {
        // Two orders may come in one millisecond: the second one gets a key of its own.
        for place in 1..=SAME_MOMENT_MAX {
            let mut row = audit_row(organisation, order);
            if place > 1 {
                let at =
                    format!("{}#{}#{}#{place}", instant(order.at), order.action, order.subject);
                row.insert("at".to_owned(), AttributeValue::S(at));
            }
            match self.commit(ACTIVITY, vec![self.add_to_log(row)?]).await {
                Err(WriteError::Conflict) => {}
                written => return written,
            }
        }
        Err(WriteError::Conflict)
    }
}

pub(crate) fn audit_row(organisation: Option<OrganisationId>, order: &AuditEntry<'_>) -> Item {
    let of_nobody = || format!("unknown/{}", order.at.strftime("%Y-%m-%d"));
    Writer::default()
        .text("day", organisation.map_or_else(of_nobody, |known| day(known, order.at)))
        .text("at", format!("{}#{}#{}", instant(order.at), order.action, order.subject))
        .text("organisation", owner(organisation))
        .logged(order.action)
        .text("subject", order.subject)
        .text("reason", order.reason)
        .text("by", order.by)
        .text("why", order.why)
        .finish()
}
