//! How each organisation's connection with Xero is. Two functions write this row, each its own attributes:
//! the mirror, whether webhooks come; the sweep, what it has found out.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use jiff::Timestamp;
use payments::OrganisationId;
use payments::connection::{ConnectionStatus, Facts, Trouble};

use crate::attributes::{Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::parked::DISCARDED;
use crate::schema::{CONNECTIONS, PARKED};
use crate::tables::Tables;

impl Tables {
    /// A webhook was accepted then: whatever was missed before, they come again.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn heard(
        &self,
        organisation: OrganisationId,
        accepted_at: Timestamp,
    ) -> Result<(), WriteError> {
        let result = self
            .connection_update(organisation)
            .update_expression("SET last_webhook_at = :at REMOVE silent_since, missed")
            // One that was accepted before and waited in the queue proves nothing.
            .condition_expression("attribute_not_exists(silent_since) OR silent_since < :at")
            .expression_attribute_values(":at", AttributeValue::S(instant(accepted_at)))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(WriteError::unavailable(CONNECTIONS, error)),
        }
    }

    /// A sweep had to find changes that no webhook had announced; the oldest of them is of this moment.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn missed(
        &self,
        organisation: OrganisationId,
        oldest: Timestamp,
        count: usize,
    ) -> Result<(), WriteError> {
        self.connection_update(organisation)
            .update_expression(
                "SET silent_since = if_not_exists(silent_since, :oldest), \
                 missed = if_not_exists(missed, :none) + :count",
            )
            .expression_attribute_values(":oldest", AttributeValue::S(instant(oldest)))
            .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
            .send()
            .await
            .map_err(|error| WriteError::unavailable(CONNECTIONS, error))?;
        Ok(())
    }

    /// Since when changes come without webhooks, if they do.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn silent_since(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<Timestamp>, ReadError> {
        let row = self.one(CONNECTIONS, &[("organisation", organisation.to_string())]).await?;
        let row = row.as_ref().map(|item| Reader::new(CONNECTIONS, item));
        row.map_or(Ok(None), |row| row.parsed_if("silent_since"))
    }

    /// Whether anything of an organisation is parked and waits for a person. What a person has discarded
    /// does not.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_parked(&self, organisation: OrganisationId) -> Result<bool, ReadError> {
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(PARKED))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .filter_expression("reason <> :discarded")
            .expression_attribute_values(":discarded", AttributeValue::S(DISCARDED.to_owned()))
            .select(Select::Count)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(PARKED, error))?;
            if page.count > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stores how a connection is.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_connection(
        &self,
        organisation: OrganisationId,
        judged: &(ConnectionStatus, Vec<Trouble>),
        facts: &Facts,
        short_code: Option<&str>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let (status, troubles) = judged;
        let troubles = troubles.iter().map(|trouble| {
            let trouble = Writer::default()
                .text("what", trouble)
                .text("class", trouble.class())
                .text("cure", trouble.cure());
            AttributeValue::M(trouble.finish())
        });
        let text = AttributeValue::S;
        let last = facts.last_success_at.map_or(AttributeValue::Null(true), |at| text(instant(at)));
        let code = short_code.map_or(AttributeValue::Null(true), |code| text(code.to_owned()));
        self.connection_update(organisation)
            .update_expression(
                "SET #status = :status, troubles = :troubles, checked_at = :now, \
                 last_success_at = :last, short_code = :code",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.to_string()))
            .expression_attribute_values(":troubles", AttributeValue::L(troubles.collect()))
            .expression_attribute_values(":now", text(instant(now)))
            .expression_attribute_values(":last", last)
            .expression_attribute_values(":code", code)
            .send()
            .await
            .map_err(|error| WriteError::unavailable(CONNECTIONS, error))?;
        Ok(())
    }

    fn connection_update(
        &self,
        organisation: OrganisationId,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let key = AttributeValue::S(organisation.to_string());
        self.client().update_item().table_name(self.name(CONNECTIONS)).key("organisation", key)
    }
}
