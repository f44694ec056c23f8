//! How each organisation's connection with Xero is. Two functions write this row, each its own attributes:
//! the mirror, whether webhooks come; the sweep, what it has found out.

use aws_sdk_dynamodb::types::{AttributeValue, Select, TransactWriteItem, Update};
use jiff::Timestamp;
use payments::OrganisationId;
use payments::connection::{ConnectionStatus, Facts, HealthIssue, StatusChange, turn};
use payments::failures::FailedRun;

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::failed_runs::failed_runs;
use crate::messages::key_of;
use crate::parked::{DISCARDED, PARKED_MAX};
use crate::races::Races;
use crate::schema::{ACTIVITY, CONNECTIONS, PARKED};
use crate::tables::Tables;

/// The message that a connection is lost: its kind, and its subject. It goes when Xero lets us in again.
pub const CONNECTION_LOST: (&str, &str) = ("CONNECTION_LOST", "xero");
/// By which function reports of the business's own system are parked.
const INTAKE: &str = "intake";
/// How often a look is stored again that another one has overtaken.
const RACES_MAX: u32 = 4;

/// How a connection is, as it was last found out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectionRow {
    /// The troubles, the worst first; `None` if the connection was not checked yet.
    pub troubles: Option<Vec<HealthIssue>>,
    /// When that was found out.
    pub checked_at: Option<Timestamp>,
    /// The organisation's short code, for links into Xero.
    pub short_code: Option<String>,
    /// When the last webhook was accepted before which changes were missed.
    pub last_webhook_at: Option<Timestamp>,
    /// Since when changes come without webhooks, if they do.
    pub silent_since: Option<Timestamp>,
    /// The last run of each work that failed.
    pub failed_runs: Vec<FailedRun>,
    /// Until when it is known which prepayments were deleted in Xero.
    pub prepayments_seen_until: Option<Timestamp>,
    /// Since when Xero does not let us at its bank transactions, if it does not.
    pub prepayments_refused_at: Option<Timestamp>,
    /// Until when it is known which money was deleted in Xero that a person has called the same as a payment.
    pub same_money_seen_until: Option<Timestamp>,
    /// The start date, in short, by which payments to go up were kept back.
    pub judged_start: Option<String>,
}

impl Tables {
    /// How an organisation's connection is; `None` if nothing is known of it.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn connection(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<ConnectionRow>, ReadError> {
        let row = self.one(CONNECTIONS, &[("organisation", organisation.to_string())]).await?;
        row.as_ref().map(read).transpose()
    }

    /// A webhook was accepted then: they come again, even if some were missed before.
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

    /// How many things of an organisation are parked and wait for a person: of Xero's side, and of the
    /// business's own system. What a person has discarded does not wait. Counted up to [`PARKED_MAX`].
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn count_parked(
        &self,
        organisation: OrganisationId,
    ) -> Result<(u32, u32), ReadError> {
        let of_xero = self.parked_where(organisation, "#by <> :intake").await?;
        Ok((of_xero, self.parked_where(organisation, "#by = :intake").await?))
    }

    async fn parked_where(
        &self,
        organisation: OrganisationId,
        whose: &str,
    ) -> Result<u32, ReadError> {
        let mut count = 0_usize;
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(PARKED))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .filter_expression(format!("reason <> :discarded AND {whose}"))
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":intake", AttributeValue::S(INTAKE.to_owned()))
            .expression_attribute_values(":discarded", AttributeValue::S(DISCARDED.to_owned()))
            .select(Select::Count)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(PARKED, error))?;
            count = count.saturating_add(usize::try_from(page.count).unwrap_or(0));
            if count >= PARKED_MAX {
                break;
            }
        }
        Ok(u32::try_from(count.min(PARKED_MAX)).unwrap_or(u32::MAX))
    }

    /// Stores the connection's health. A status change adds a row to the activity log in the same transaction, unless the
    /// cause is a dead grant (`grant_is_dead`), which reports its own loss and recovery.
    ///
    /// # Errors
    /// `Conflict` if others store theirs at the same time, again and again; `Unavailable`.
    pub async fn store_connection(
        &self,
        organisation: OrganisationId,
        judged: &(ConnectionStatus, Vec<HealthIssue>),
        facts: &Facts,
        short_code: Option<&str>,
        grant_is_dead: bool,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let key = [("organisation", organisation.to_string())];
        let mut races = Races::up_to(RACES_MAX);
        loop {
            let row = self.one(CONNECTIONS, &key).await;
            let row = row.map_err(|error| WriteError::Unavailable {
                table: CONNECTIONS,
                source: Box::new(error),
            })?;
            let row = row.unwrap_or_default();
            let troubles = shown(&judged.1, grant_is_dead);
            let turn = turn(before(&row).as_deref(), &troubles, facts.mode);
            let update = self.connection_looked_at(organisation, judged, facts, short_code);
            let update = update
                .expression_attribute_values(":dead", AttributeValue::Bool(grant_is_dead))
                .expression_attribute_values(":now", AttributeValue::S(instant(now)));
            // Only a look writes this attribute, so that of two at once one has to look again.
            let update = match row.get("checked_at") {
                None => update.condition_expression("attribute_not_exists(checked_at)"),
                Some(read) => update
                    .condition_expression("checked_at = :read")
                    .expression_attribute_values(":read", read.clone()),
            };
            let update = update.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
            let mut rows = vec![TransactWriteItem::builder().update(update).build()];
            if let Some(turn) = &turn {
                rows.push(self.put(ACTIVITY, log_row(organisation, turn, now))?);
            }
            if was_refused(&row) && !judged.1.contains(&HealthIssue::Refused) {
                rows.push(
                    self.message_end(organisation, key_of(CONNECTION_LOST.0, CONNECTION_LOST.1))?,
                );
            }
            if races.won(self.commit(CONNECTIONS, rows).await)?.is_some() {
                return Ok(());
            }
        }
    }

    fn connection_looked_at(
        &self,
        organisation: OrganisationId,
        judged: &(ConnectionStatus, Vec<HealthIssue>),
        facts: &Facts,
        short_code: Option<&str>,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let (status, troubles) = judged;
        let troubles = troubles.iter().map(|trouble| {
            let trouble = Writer::default()
                .text("what", trouble)
                .text("class", facts.failures.class(*trouble))
                .text("words", facts.failures.words(*trouble))
                .text("cure", trouble.remedy_in(facts.mode));
            AttributeValue::M(trouble.finish())
        });
        let text = AttributeValue::S;
        let last = facts.last_success_at.map_or(AttributeValue::Null(true), |at| text(instant(at)));
        let code = short_code.map_or(AttributeValue::Null(true), |code| text(code.to_owned()));
        Update::builder()
            .table_name(self.name(CONNECTIONS))
            .key("organisation", text(organisation.to_string()))
            .update_expression(
                "SET #status = :status, troubles = :troubles, checked_at = :now, \
                 last_success_at = :last, short_code = :code, grant_is_dead = :dead",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.to_string()))
            .expression_attribute_values(":troubles", AttributeValue::L(troubles.collect()))
            .expression_attribute_values(":last", last)
            .expression_attribute_values(":code", code)
    }

    pub(crate) fn connection_update(
        &self,
        organisation: OrganisationId,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let key = AttributeValue::S(organisation.to_string());
        self.client().update_item().table_name(self.name(CONNECTIONS)).key("organisation", key)
    }
}

/// The troubles at the last look, as far as they are announced from here. A row that cannot be read has none.
fn before(row: &Item) -> Option<Vec<HealthIssue>> {
    let grant_was_dead = Reader::new(CONNECTIONS, row).flag("grant_is_dead").ok()?;
    read(row).ok()?.troubles.map(|troubles| shown(&troubles, grant_was_dead))
}

/// Whether Xero did not let us in at the last look, announced from here or by the grant.
fn was_refused(row: &Item) -> bool {
    let troubles = read(row).ok().and_then(|row| row.troubles);
    troubles.is_some_and(|troubles| troubles.contains(&HealthIssue::Refused))
}

/// The troubles without the one that a grant has announced.
fn shown(troubles: &[HealthIssue], grant_is_dead: bool) -> Vec<HealthIssue> {
    let is_shown = |trouble: &HealthIssue| !grant_is_dead || *trouble != HealthIssue::Refused;
    troubles.iter().copied().filter(is_shown).collect()
}

fn log_row(organisation: OrganisationId, turn: &StatusChange, now: Timestamp) -> Item {
    Writer::default()
        .text("day", day(organisation, now))
        .text("at", format!("{}#connection#{}", instant(now), turn.occurrence))
        .text("organisation", organisation)
        .text("cause", "sweep")
        .logged(turn.occurrence)
        .text("rule", turn.rule)
        .text_if("reason", turn.reason)
        .text("why", &turn.why)
        .finish()
}

fn read(item: &Item) -> Result<ConnectionRow, ReadError> {
    let row = Reader::new(CONNECTIONS, item);
    let troubles = match row.has("troubles") {
        false => None,
        true => {
            let troubles = row.maps("troubles")?.into_iter();
            let troubles = troubles.map(|trouble| trouble.code("what", HealthIssue::from_code));
            Some(troubles.collect::<Result<_, _>>()?)
        }
    };
    Ok(ConnectionRow {
        troubles,
        checked_at: row.parsed_if("checked_at")?,
        short_code: row.text_if("short_code")?.map(str::to_owned),
        last_webhook_at: row.parsed_if("last_webhook_at")?,
        silent_since: row.parsed_if("silent_since")?,
        failed_runs: failed_runs(item),
        prepayments_seen_until: row.parsed_if("prepayments_seen_until")?,
        prepayments_refused_at: row.parsed_if("prepayments_refused_at")?,
        same_money_seen_until: row.parsed_if("same_money_seen_until")?,
        judged_start: row.text_if("judged_start")?.map(str::to_owned),
    })
}
