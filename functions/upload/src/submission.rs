//! Bundles to Xero. A row says `sent` before the call is made, and its outcome is stored afterwards;
//! a run that ends in between leaves rows that say so.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::PaymentId;
use payments::upload::{Hold, MoneyInXero, Placed, Route, Upload, UploadDecision, WriteOutcome};
use queue::Uploads;
use sha2::{Digest as _, Sha256};
use table::WriteError;
use xero::{Answers, Bundle, RefusalKind, StampedKind, TurnedAway};

use crate::bundle::{bundle, is_sendable, kind_of, most_of};
use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::outgoing_rows::{Picked, Rows};
use crate::run::{Move, Run, Stop, stored};

/// Xero remembers an idempotency key for about six minutes; within five, the same bytes may be sent again
/// with the same key (facts.md 4.10).
const RESEND_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// The answers to a bundle that was sent, and when it was last sent again, if it was.
struct Put {
    answers: Answers,
    again_at: Option<Timestamp>,
}

impl<Q: Uploads> Run<'_, Q> {
    /// Sends everything that is planned in these rows. Parts that Xero refuses because the ground has
    /// moved are planned once more.
    pub(crate) async fn send_all(&self, rows: Vec<Upload>) -> Result<Option<Stop>, RunError> {
        let mut rows = Rows::new(rows);
        self.begins_to_send();
        loop {
            self.set_aside_unsendable(&mut rows).await?;
            for kind in StampedKind::ALL.iter().copied() {
                while let Some(picked) = self.pick(kind, &rows) {
                    if self.is_over() {
                        return Ok(Some(Stop::OutOfTime));
                    }
                    if let Some(stop) = Box::pin(self.send_bundle(kind, picked, &mut rows)).await? {
                        return Ok(Some(stop));
                    }
                }
            }
            if !rows.iter().any(deserves_another_plan) {
                break;
            }
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            if !Box::pin(self.replan(&mut rows)).await? {
                break;
            }
        }
        self.conclude(rows).await?;
        Ok(None)
    }

    fn pick(&self, kind: StampedKind, rows: &Rows) -> Option<Vec<Picked>> {
        let sendable = rows.iter().filter(|row| is_sendable(row, self.uploading));
        let planned = sendable.flat_map(|row| {
            row.planned().map(|part| Picked { payment: row.receipt.id.clone(), part: part.clone() })
        });
        let most = most_of(kind, self.uploading);
        let picked: Vec<_> =
            planned.filter(|picked| kind_of(&picked.part) == kind).take(most).collect();
        (!picked.is_empty()).then_some(picked)
    }

    /// Sends parts in one call, and stores what came of it. Parts that are still planned afterwards have not been
    /// sent, or nothing of their call is in Xero.
    pub(crate) async fn send_once(
        &self,
        kind: StampedKind,
        picked: &[Picked],
        rows: &mut Rows,
    ) -> Result<Option<Stop>, RunError> {
        let parts = picked
            .iter()
            .filter_map(|picked| rows.rows.get(&picked.payment).map(|row| (row, &picked.part)));
        // Each of them can be sent; together they may be too long.
        let Ok(bundle) = bundle(kind, &parts.collect::<Vec<_>>(), &self.booking()) else {
            return Ok(None);
        };
        let now = self.now();
        let key = key(&bundle, now);
        let mut moves: BTreeMap<PaymentId, Move> = BTreeMap::new();
        for picked in picked {
            let Some(row) = rows.rows.get(&picked.payment) else { continue };
            let moved =
                moves.entry(picked.payment.clone()).or_insert_with(|| Move::of(row.clone()));
            if let Err(error) = moved.after.send(&[picked.part.number], &key, now) {
                self.mistake(row, &error).await?;
                rows.remove(&picked.payment);
                return Ok(None);
            }
        }
        let written: Vec<_> = moves.values().map(|m| (Some(&m.before), &m.after)).collect();
        match self.store(&written, None).await {
            Ok(()) => {}
            Err(WriteError::Conflict) => {
                self.drop_changed(moves.into_values().collect(), rows).await?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        for moved in moves.into_values() {
            self.is_sent(&moved.after.receipt.id);
            rows.put(stored(moved.after));
        }
        let put = self.put_until_clear(&bundle, &key).await;
        Box::pin(self.settle(picked, &put, rows)).await?;
        Ok(self.stop_after(&put.answers))
    }

    /// Leaves out what another hand has put into Xero since it was planned (A8.3): that waits for a person, or
    /// does not go, and its slot is free.
    pub(crate) async fn still_absent(
        &self,
        picked: Vec<Picked>,
        rows: &mut Rows,
    ) -> Result<Vec<Picked>, RunError> {
        let ids = picked.iter().map(|picked| picked.payment.clone()).collect();
        let standings = Box::pin(self.standings_now(&ids)).await?;
        let now = self.now();
        let (mut suspected, mut found) = (Vec::new(), Vec::new());
        for id in ids {
            let standing = standings.get(&id);
            if matches!(standing, None | Some(MoneyInXero::Absent)) {
                continue;
            }
            let Some(row) = rows.rows.remove(&id) else { continue };
            let mut moved = Move::of(row);
            match standing {
                Some(MoneyInXero::Possible(suspicion)) => {
                    moved.freed = moved.after.suspect(suspicion.clone(), Some(self.night), now);
                    suspected.push(moved);
                }
                Some(MoneyInXero::Certain(certain)) => {
                    moved.freed = moved.after.found(certain, Some(self.night), now);
                    found.push((moved, certain.clone()));
                }
                Some(MoneyInXero::Absent) | None => {}
            }
        }
        self.tell_held(&suspected).await?;
        self.write(suspected).await?;
        Box::pin(self.write_found(found)).await?;
        Ok(picked.into_iter().filter(|picked| rows.rows.contains_key(&picked.payment)).collect())
    }

    /// Drops the rows that another writer has changed: they are left to that writer.
    async fn drop_changed(&self, moves: Vec<Move>, rows: &mut Rows) -> Result<(), RunError> {
        let ids: Vec<_> = moves.iter().map(|moved| moved.before.receipt.id.clone()).collect();
        let same = self.unchanged(moves).await?;
        for id in ids {
            if !same.iter().any(|moved| moved.before.receipt.id == id) {
                rows.rows.remove(&id);
            }
        }
        Ok(())
    }

    /// Sends the bundle; without any answer, the same bytes with the same key a few more times.
    async fn put_until_clear(&self, bundle: &Bundle, key: &str) -> Put {
        let first = self.now();
        let mut put = Put { answers: self.put(bundle, key).await, again_at: None };
        for pause in self.pauses {
            if !put.answers.is_silence() || self.is_over() {
                break;
            }
            tokio::time::sleep(*pause).await;
            let now = self.now();
            if now.duration_since(first) >= RESEND_WITHIN {
                break;
            }
            put = Put { answers: self.put(bundle, key).await, again_at: Some(now) };
        }
        put
    }

    /// The one place where something leaves for Xero. In shadow nothing does (CM-30).
    async fn put(&self, bundle: &Bundle, key: &str) -> Answers {
        if self.settings.shadow.is_some() {
            return Answers::not_sent(bundle);
        }
        self.xero.put(self.organisation(), bundle, key).await
    }

    /// Stores what is known of each part now.
    async fn settle(&self, picked: &[Picked], put: &Put, rows: &mut Rows) -> Result<(), RunError> {
        let now = self.now();
        let again = put.again_at.is_some();
        let mut moves: BTreeMap<PaymentId, Move> = BTreeMap::new();
        let mut proven: Vec<(PaymentId, u32, Placed)> = Vec::new();
        for Picked { payment, part } in picked {
            let Some(row) = rows.rows.get(payment) else { continue };
            match put.answers.of(&part.stamp) {
                WriteOutcome::Placed(placed) if self.is_mirrored(part) => {
                    proven.push((payment.clone(), part.number, placed));
                }
                answer => {
                    let moved =
                        moves.entry(payment.clone()).or_insert_with(|| Move::of(row.clone()));
                    let sent_again = match put.again_at {
                        Some(at) => moved.after.sent_again(part.number, at),
                        None => Ok(()),
                    };
                    let answered = sent_again
                        .and_then(|()| moved.after.answer(part.number, answer, again, now));
                    if let Err(error) = answered {
                        self.mistake(row, &error).await?;
                    }
                }
            }
        }
        let touched: Vec<_> = moves.keys().cloned().collect();
        let written = self.write(moves.into_values().collect()).await?;
        for id in touched {
            // A row that could not be written was changed by another writer, which deals with it.
            match written.iter().find(|row| row.receipt.id == id) {
                Some(row) => rows.put(row.clone()),
                None => drop(rows.rows.remove(&id)),
            }
        }
        for (payment, number, placed) in proven {
            let Some(row) = rows.rows.remove(&payment) else { continue };
            match self.prove(row.clone(), number, placed, again).await {
                Ok(proven) => proven.into_iter().for_each(|row| rows.put(row)),
                Err(RunError::Ledger(error)) => self.mistake(&row, &error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn stop_after(&self, answers: &Answers) -> Option<Stop> {
        match answers.turned_away()? {
            TurnedAway::Limited { until } => Some(Stop::Limited(*until)),
            TurnedAway::NotSent => Some(Stop::Limited(None)),
            TurnedAway::NotAuthorised => {
                self.refused.set(true);
                Some(Stop::NotAuthorised)
            }
        }
    }

    /// Plans rows again of which Xero has refused parts because an invoice is not open any more, or
    /// less is due on it: once for a slot, on fresh figures. A row that has no slot of this night waits
    /// for one. Returns whether any was changed.
    async fn replan(&self, rows: &mut Rows) -> Result<bool, RunError> {
        let refused = rows.iter().filter(|row| deserves_another_plan(row)).cloned();
        let has_slot = |row: &Upload| row.night == Some(self.night) && row.reserved_at.is_some();
        let (here, later): (Vec<_>, Vec<_>) = refused.partition(has_slot);
        let judged = if here.is_empty() {
            Vec::new()
        } else {
            // Contacts are read afresh: one may have been merged since the plan (EX-37).
            let judged = Box::pin(self.judge(&here, &EvaluationContext::default())).await?;
            self.keep_contacts(&judged.contacts).await?;
            judged.judgements
        };
        let now = self.now();
        let mut moves = Vec::new();
        for row in later {
            let mut moved = Move::of(row);
            match moved.after.plan_later(now) {
                Ok(freed) => moved.freed = freed,
                Err(error) => {
                    self.mistake(&moved.before, &error).await?;
                    rows.remove(&moved.before.receipt.id);
                    continue;
                }
            }
            moves.push(moved);
        }
        for (row, judgement) in here.into_iter().zip(judged) {
            let mut moved = Move::of(row);
            match judgement {
                UploadDecision::Send(parts) => {
                    if let Err(error) = moved.after.replan(parts, now) {
                        moved.after.settle_refusal(Some(&error.to_string()));
                    }
                }
                UploadDecision::Hold(
                    hold @ (Hold::BlockedByAction | Hold::MerchantContactMissing),
                    why,
                ) => {
                    moved.freed = moved.after.hold_refused(hold, &why, self.night, now);
                }
                UploadDecision::Hold(_, why) | UploadDecision::Skip(_, why) => {
                    moved.after.settle_refusal(Some(&why));
                }
                UploadDecision::Found(certain) => {
                    moved.freed = moved.after.found(&certain, Some(self.night), now);
                }
                UploadDecision::Suspect(suspicion) => {
                    moved.freed = moved.after.suspect(suspicion, Some(self.night), now);
                }
            }
            moves.push(moved);
        }
        self.tell_held(&moves).await?;
        let written = self.write(moves).await?;
        let any = !written.is_empty();
        for row in written {
            rows.put(row);
        }
        Ok(any)
    }

    /// Refused parts stay refused. A row that was refused as a whole gives its slot back.
    async fn conclude(&self, rows: Rows) -> Result<(), RunError> {
        let mut moves = Vec::new();
        for row in rows.rows.into_values() {
            let mut moved = Move::of(row);
            moved.after.settle_refusal(None);
            moved.freed = moved.after.free_slot();
            moves.push(moved);
        }
        self.write(moves).await?;
        Ok(())
    }
}

fn deserves_another_plan(row: &Upload) -> bool {
    // A bill depends on no invoice that could have been paid meanwhile, but on its contact.
    let has_moved = |kind: RefusalKind| match row.bill {
        // Of what is left of a credit, another allocation is planned.
        Some(_) if row.route() == Ok(Route::CreditAllocation) => false,
        Some(_) => kind == RefusalKind::ArchivedContact,
        None => kind.is_moved_ground(),
    };
    let mut refused = row.parts.iter().filter_map(|part| part.refusal.as_deref());
    row.needs_new_plan() && refused.all(|text| has_moved(RefusalKind::of(text)))
}

/// A key that no other call ever has: the same bytes at another time are another call.
fn key(bundle: &Bundle, now: Timestamp) -> String {
    let text = format!("{}|{}", bundle.digest(), now.as_nanosecond());
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
