//! Money in Xero that a person has called the same as a payment, and that was deleted there since: the payment is
//! judged afresh in this very night (A8.3). Three calls a night, however many such payments there are and wherever
//! that money stood, and none where there are no such payments.

use std::collections::BTreeSet;

use host::telemetry;
use payments::upload::{Line, PaymentPair, Upload, UploadState, XeroMoneyKind, deletions_from};
use payments::{Discrepancy, XeroContactId};
use queue::Uploads;
use table::WriteError;
use uuid::Uuid;
use xero::{DeletedMoney, Unreadable};

use crate::error::RunError;
use crate::known_money::KINDS;
use crate::run::{Move, Run, stored};
use crate::start_date::remembered;

/// The rows that a deletion in Xero can change.
#[derive(Default)]
struct Watched {
    /// Payments that a person has called the same as money there.
    said: Vec<Upload>,
    /// Discrepancies about payments that went up and money that another hand has entered since.
    flagged: Vec<(XeroContactId, Discrepancy, Uuid)>,
}

impl Watched {
    fn ids(&self) -> BTreeSet<Uuid> {
        let said = self.said.iter().flat_map(Upload::same_in_xero_ids);
        said.chain(self.flagged.iter().map(|(_, _, id)| *id)).collect()
    }
}

impl<Q: Uploads> Run<'_, Q> {
    /// Follows the deletions in Xero since the last look. Returns the payments that wait again. Trouble with
    /// these reads holds no other payment up: the next night looks again from the same moment.
    pub(crate) async fn follow_deleted(&self) -> Result<Vec<Upload>, RunError> {
        use xero::ReadError::{Limited, NotAuthorised};
        match Box::pin(self.deleted_since()).await {
            Err(RunError::Xero(error)) if !matches!(error, Limited { .. } | NotAuthorised(_)) => {
                tracing::warn!(
                    xero.organisation_id = %self.organisation(),
                    error = telemetry::chain(&error),
                    "deletions of money that is the same as payments could not be read"
                );
                Ok(Vec::new())
            }
            followed => followed,
        }
    }

    async fn deleted_since(&self) -> Result<Vec<Upload>, RunError> {
        let began = self.now();
        let row = remembered(self.tables, self.organisation()).await?;
        let seen_until = row.and_then(|row| row.same_money_seen_until);
        let mut watched = self.watched().await?;
        if seen_until.is_none() {
            watched.said.extend(self.take_over().await?);
        }
        let flagged = watched.flagged.iter().map(|(_, found, _)| found);
        let zone = &self.settings.zone;
        let Some(since) = deletions_from(watched.said.iter(), flagged, seen_until, zone) else {
            if seen_until.is_none() {
                self.tables.saw_same_money(self.organisation(), began).await?;
            }
            return Ok(Vec::new());
        };
        let asked = watched.ids();
        let (mut deleted, mut all_read) = (BTreeSet::new(), true);
        for kind in KINDS {
            let read = self.xero.deleted_money(self.organisation(), kind, since, &asked).await?;
            let DeletedMoney { ids, unreadable } = read;
            deleted.extend(ids);
            all_read &= unreadable.is_empty();
            self.name_unreadable(kind, &unreadable).await?;
        }
        self.known_money.borrow_mut().deleted.clone_from(&deleted);
        let (back, all_written) = self.judge_afresh(watched.said, &deleted).await?;
        for (contact, found, with) in &watched.flagged {
            if deleted.contains(with) {
                self.close_on_contact(*contact, found).await?;
            }
        }
        // Rows that cannot be read, and rows that another writer has changed meanwhile, are looked at again in the next night.
        if all_read && all_written {
            self.tables.saw_same_money(self.organisation(), began).await?;
        }
        Ok(back)
    }

    async fn watched(&self) -> Result<Watched, RunError> {
        let mut said = self.said_same().await?;
        said.retain(Upload::is_said_same);
        let open = self.tables.open_about_contacts(self.organisation()).await?;
        let flagged = open.into_iter().filter_map(|(contact, found)| {
            let with = PaymentPair::of(&found.key)?.in_xero()?;
            Some((contact, found, with))
        });
        Ok(Watched { said, flagged: flagged.collect() })
    }

    /// The payments that a person has called the same as others, as of a moment ago.
    pub(crate) async fn said_same(&self) -> Result<Vec<Upload>, RunError> {
        let mut rows = self.whole_line(Line::Same).await?;
        rows.extend(self.whole_line(Line::PartlyUploaded).await?);
        Ok(rows)
    }

    /// Moves rows into the line of their own that were written before there was one. Done once.
    async fn take_over(&self) -> Result<Vec<Upload>, RunError> {
        let mut rows = self.tables.said_same_among_skipped(self.organisation()).await?;
        rows.retain(|row| row.line() == Some(Line::Same));
        let mut moved = Vec::new();
        for row in rows {
            match self.store(&[(Some(&row), &row)], None).await {
                Ok(()) => moved.push(stored(row)),
                // The other writer has written its line.
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(moved)
    }

    /// The rows that wait again, and whether all were written that were to be.
    async fn judge_afresh(
        &self,
        said: Vec<Upload>,
        deleted: &BTreeSet<Uuid>,
    ) -> Result<(Vec<Upload>, bool), RunError> {
        let now = self.now();
        let moves = said.into_iter().map(|row| {
            let mut moved = Move::of(row);
            moved.after.counterpart_deleted(deleted, now);
            moved
        });
        let moves: Vec<_> = moves.filter(Move::is_news).collect();
        let wanted = moves.len();
        let mut back = self.write(moves).await?;
        let all = back.len() == wanted;
        back.retain(|row| row.state == UploadState::Waiting);
        Ok((back, all))
    }

    async fn name_unreadable(
        &self,
        kind: XeroMoneyKind,
        unreadable: &[Unreadable],
    ) -> Result<(), RunError> {
        for row in unreadable {
            let id = row.id.map(|id| id.to_string()).unwrap_or_default();
            let why = format!(
                "a person has said that a {} in Xero is the same as a payment; it cannot be read whether it was \
                 deleted: {}",
                kind.noun(),
                row.field
            );
            self.message("SCHEMA", &id, &why).await?;
        }
        Ok(())
    }
}
