//! An organisation is disconnected from Xero, and connected again: two attributes of its row. Everything else of the row
//! stays, so that what was set and what was read go on where they were (XC-05, XC-07).

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use payments::{Occurrence, OrganisationId};

use crate::activity::day;
use crate::attributes::{Writer, instant};
use crate::error::WriteError;
use crate::schema::ORGANISATIONS;
use crate::tables::Tables;

/// How a change of an organisation's row stands in its log.
#[derive(Clone, Copy)]
pub(crate) struct LogSource {
    pub(crate) what: Occurrence,
    pub(crate) rule: &'static str,
    pub(crate) cause: &'static str,
}

/// By which function the connection is changed.
const CONNECT: &str = "connect";

impl Tables {
    /// Both directions stop. Returns whether they did: they may have been stopped before.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn disconnect(
        &self,
        organisation: OrganisationId,
        said: (&str, &str),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let update = self
            .row_of(organisation)
            .update_expression("SET disconnected_at = :now REMOVE disconnected_in_xero")
            .condition_expression(
                "attribute_exists(organisation) AND attribute_not_exists(disconnected_at)",
            )
            .expression_attribute_values(":now", AttributeValue::S(instant(now)));
        let source = LogSource { what: Occurrence::Disconnected, rule: "XC-05", cause: CONNECT };
        self.change_organisation(organisation, update, source, said, now).await
    }

    /// Xero has confirmed that the connection is ended.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn disconnected_in_xero(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let update = self
            .row_of(organisation)
            .update_expression("SET disconnected_in_xero = :now")
            .condition_expression("attribute_exists(disconnected_at)")
            .expression_attribute_values(":now", AttributeValue::S(instant(now)));
        match self.commit(ORGANISATIONS, vec![built(update)?]).await {
            // It was connected again meanwhile.
            Ok(()) | Err(WriteError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// It is at work again as it was before. Returns whether it was disconnected.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn reconnect(
        &self,
        organisation: OrganisationId,
        said: (&str, &str),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let update = self
            .row_of(organisation)
            .update_expression("REMOVE disconnected_at, disconnected_in_xero")
            .condition_expression("attribute_exists(disconnected_at)");
        let what = Occurrence::ConnectionRestored;
        let source = LogSource { what, rule: "XC-07", cause: CONNECT };
        self.change_organisation(organisation, update, source, said, now).await
    }

    /// A change of an organisation's row.
    pub(crate) fn row_of(
        &self,
        organisation: OrganisationId,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", AttributeValue::S(organisation.to_string()))
    }

    /// Changes an organisation's row on its condition, and logs who has done it and why, in a row that takes no other one's
    /// place (XC-27). Returns whether the condition held.
    pub(crate) async fn change_organisation(
        &self,
        organisation: OrganisationId,
        update: aws_sdk_dynamodb::types::builders::UpdateBuilder,
        LogSource { what, rule, cause }: LogSource,
        (by, why): (&str, &str),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let log = Writer::default()
            .text("day", day(organisation, now))
            .text("at", format!("{}#{what}", instant(now)))
            .text("organisation", organisation)
            .text("cause", cause)
            .logged(what)
            .text("rule", rule)
            .text("by", by)
            .text("why", why)
            .finish();
        let rows = vec![built(update)?, self.add_to_log(log)?];
        match self.commit(ORGANISATIONS, rows).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn built(
    update: aws_sdk_dynamodb::types::builders::UpdateBuilder,
) -> Result<TransactWriteItem, WriteError> {
    let update = update.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
    Ok(TransactWriteItem::builder().update(update).build())
}
