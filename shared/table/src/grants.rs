//! Grants: one row for each, and one for each organisation, which says on which it hangs. No token is in
//! here.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use payments::grant::{Dead, Failing, Grant, GrantEnd, GrantError, GrantMessage, Grants};
use payments::{GrantId, Occurrence, OrganisationId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, GRANTS, MESSAGES};
use crate::tables::{TRANSACTION_ROWS_MAX, Tables};

/// Rows that an organisation takes at most when it is written with its grant: its own, two messages that
/// are over, an activity.
const ROWS_PER_ORGANISATION: usize = 4;

impl Grants for Tables {
    async fn grant_of(&self, organisation: OrganisationId) -> Result<Option<Grant>, GrantError> {
        let Some(id) = self.hangs_on(organisation).await? else { return Ok(None) };
        // The user may have left it out when authorising again.
        let grant = self.grant(id).await?;
        Ok(Some(grant).filter(|grant| grant.organisations.contains(&organisation)))
    }

    async fn grant(&self, id: GrantId) -> Result<Grant, GrantError> {
        let row = self.one(GRANTS, &[("grant", id.to_string())]).await.map_err(unavailable)?;
        row.map_or_else(
            || Ok(Grant::new(id)),
            |item| read_grant(id, Reader::new(GRANTS, &item)).map_err(unavailable),
        )
    }

    async fn store_grant(
        &self,
        before: &Grant,
        after: Grant,
        now: Timestamp,
    ) -> Result<Grant, GrantError> {
        let after = Grant { revision: before.revision.saturating_add(1), ..after };
        let affected = self.affected(before, &after).await?;
        let left = self.left(before, &after).await?;
        let rows = self.grant_rows(before, &after, (&affected, &left), now).map_err(unavailable)?;
        match self.commit(GRANTS, rows).await {
            Ok(()) => Ok(after),
            Err(WriteError::Conflict) => Err(GrantError::Changed),
            Err(error) => Err(unavailable(error)),
        }
    }
}

impl Tables {
    /// The grant that an organisation was last put on.
    async fn hangs_on(&self, organisation: OrganisationId) -> Result<Option<GrantId>, GrantError> {
        let row = self.one(GRANTS, &[("grant", place(organisation))]).await.map_err(unavailable)?;
        let id = row.map(|item| Reader::new(GRANTS, &item).parsed("hangs_on"));
        id.transpose().map_err(unavailable)
    }

    /// The organisations that hear of this step. A grant's list keeps those that have moved to another one
    /// since, and what becomes of it is none of theirs.
    async fn affected(
        &self,
        before: &Grant,
        after: &Grant,
    ) -> Result<BTreeSet<OrganisationId>, GrantError> {
        // An organisation that is put on it in this very step hangs on it; and mostly there is nothing to announce.
        if before.organisations != after.organisations || !is_news(before, after) {
            return Ok(after.organisations.clone());
        }
        let mut affected = BTreeSet::new();
        for organisation in &after.organisations {
            if self.hangs_on(*organisation).await?.is_none_or(|id| id == after.id) {
                affected.insert(*organisation);
            }
        }
        Ok(affected)
    }

    /// The grants that organisations leave for this one, each with what has become of it.
    async fn left(
        &self,
        before: &Grant,
        after: &Grant,
    ) -> Result<Vec<(OrganisationId, Grant)>, GrantError> {
        let mut left = Vec::new();
        for organisation in after.organisations.difference(&before.organisations) {
            let old = self.hangs_on(*organisation).await?.filter(|id| *id != after.id);
            if let Some(old) = old {
                let old = self.grant(old).await?;
                if old.organisations.contains(organisation) {
                    left.push((*organisation, old));
                }
            }
        }
        Ok(left)
    }

    fn grant_rows(
        &self,
        before: &Grant,
        after: &Grant,
        (affected, left): (&BTreeSet<OrganisationId>, &[(OrganisationId, Grant)]),
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, WriteError> {
        if after.organisations.len() * ROWS_PER_ORGANISATION >= TRANSACTION_ROWS_MAX {
            return Err(WriteError::Malformed("so many organisations fit on no grant".into()));
        }
        let mut rows = vec![self.putting_grant(grant_row(after), before.revision)?];
        if before.organisations != after.organisations {
            for organisation in &after.organisations {
                let row = Writer::default()
                    .text("grant", place(*organisation))
                    .text("organisation", organisation)
                    .text("hangs_on", after.id);
                rows.push(self.put(GRANTS, row.finish())?);
            }
        }
        let message = before.message(after);
        let came_back = before.dead.is_some() && after.dead.is_none();
        let was_used = before.warned.is_some() && after.warned.is_none();
        // Messages about the old grant are over for organisations that have left it.
        for (organisation, old) in left {
            for kind in [GrantMessage::Lost, GrantMessage::Expires] {
                rows.push(self.message_end(*organisation, message_key(kind, old.id))?);
            }
        }
        for organisation in affected {
            let left_a_dead_one =
                left.iter().any(|(who, old)| who == organisation && old.dead.is_some());
            if let Some((kind, why)) = &message {
                let row = Writer::default()
                    .text("organisation", organisation)
                    .text("message", message_key(*kind, after.id))
                    .text("kind", kind)
                    .text("subject", after.id)
                    .text("why", why)
                    .instant("raised_at", now);
                rows.push(self.put(MESSAGES, row.finish())?);
            }
            for (kind, is_over) in
                [(GrantMessage::Lost, came_back), (GrantMessage::Expires, was_used)]
            {
                if is_over {
                    rows.push(self.message_end(*organisation, message_key(kind, after.id))?);
                }
            }
            let action = match &message {
                Some((GrantMessage::Lost, why)) => Some((Occurrence::ConnectionLost, why.as_str())),
                _ if came_back || left_a_dead_one => {
                    Some((Occurrence::ConnectionRestored, "a user has authorised again"))
                }
                _ => None,
            };
            if let Some((action, why)) = action {
                rows.push(self.put(ACTIVITY, log_row(*organisation, after, action, why, now))?);
            }
        }
        if rows.len() > TRANSACTION_ROWS_MAX {
            return Err(WriteError::Malformed("so many organisations cannot move at once".into()));
        }
        Ok(rows)
    }

    fn putting_grant(&self, row: Item, read: u64) -> Result<TransactWriteItem, WriteError> {
        let put = aws_sdk_dynamodb::types::Put::builder()
            .table_name(self.name(GRANTS))
            .set_item(Some(row));
        crate::tables::transact(match read {
            0 => put
                .condition_expression("attribute_not_exists(#grant)")
                .expression_attribute_names("#grant", "grant"),
            read => put
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        })
    }
}

/// Whether this step may have to be announced for organisations.
fn is_news(before: &Grant, after: &Grant) -> bool {
    before.dead.is_some() != after.dead.is_some() || before.warned != after.warned
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> GrantError {
    GrantError::Unavailable(Box::new(error))
}

/// The key of the row that says on which grant an organisation hangs.
fn place(organisation: OrganisationId) -> String {
    format!("organisation/{organisation}")
}

fn message_key(kind: GrantMessage, id: GrantId) -> String {
    format!("{kind}#{id}")
}

fn log_row(
    organisation: OrganisationId,
    grant: &Grant,
    action: Occurrence,
    why: &str,
    now: Timestamp,
) -> Item {
    Writer::default()
        .text("day", day(organisation, now))
        .text("at", format!("{}#grant#{}", instant(now), grant.revision))
        .text("organisation", organisation)
        .text("cause", "grant")
        .logged(action)
        .text("rule", "X-14")
        .text("why", why)
        .finish()
}

fn grant_row(grant: &Grant) -> Item {
    let state = match (grant.dead, grant.generation) {
        (Some(_), _) => "dead",
        (None, 0) => "new",
        (None, _) => "active",
    };
    let scopes = grant.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let organisations = grant.organisations.iter();
    let organisations = organisations.map(|id| AttributeValue::S(id.to_string())).collect();
    Writer::default()
        .text("grant", grant.id)
        .number("revision", grant.revision)
        .number("generation", grant.generation)
        .instant("access_until", grant.access_until)
        .instant("refreshed_at", grant.refreshed_at)
        .instant_if("leased_until", grant.lease)
        .instant_if("failing_since", grant.failing.map(|failing| failing.since))
        .number_if("failed_times", grant.failing.map(|failing| failing.times))
        .instant_if("paused_until", grant.failing.map(|failing| failing.until))
        .instant_if("dead_at", grant.dead.map(|dead| dead.at))
        .text_if("dead_why", grant.dead.map(|dead| dead.why))
        .number_if("warned_days", grant.warned)
        .value("organisations", AttributeValue::L(organisations))
        .text_if("scopes", (!scopes.is_empty()).then_some(scopes))
        // For people, who cannot add sixty days in the console; never read by us.
        .text("state", state)
        .instant("dies_unused_at", grant.ends_at())
        .finish()
}

pub(crate) fn read_grant(id: GrantId, row: Reader<'_>) -> Result<Grant, ReadError> {
    let failing = match row.parsed_if("failing_since")? {
        None => None,
        Some(since) => Some(Failing {
            since,
            times: row.number("failed_times")?,
            until: row.parsed("paused_until")?,
        }),
    };
    let dead = match row.parsed_if("dead_at")? {
        None => None,
        Some(at) => Some(Dead { at, why: row.code("dead_why", GrantEnd::from_code)? }),
    };
    Ok(Grant {
        id,
        revision: row.number("revision")?,
        generation: row.number("generation")?,
        access_until: row.parsed("access_until")?,
        refreshed_at: row.parsed("refreshed_at")?,
        lease: row.parsed_if("leased_until")?,
        failing,
        dead,
        warned: row.number_if("warned_days")?,
        organisations: row.list_of("organisations")?.into_iter().collect(),
        scopes: row
            .text_if("scopes")?
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .filter(|scope| !scope.is_empty())
            .collect(),
    })
}
