//! The credit that Xero's contacts have left: read whole, twice a day, by the run that has the contacts for itself (ST-25).

use jiff::SignedDuration;
use payments::ContactCredit;
use payments::sweep::SweepKind;
use queue::Changes;
use table::StoredContact;

use crate::error::RunError;
use crate::run::{Run, Stop, Work};
use crate::unreadable::{SCHEMA, named};

/// How often it is read. It takes three calls.
const READ_EVERY: SignedDuration = SignedDuration::from_hours(12);

impl<C: Changes> Run<'_, C> {
    /// Reads what is left of customers' credit notes, prepayments and overpayments, and stores what that changes.
    pub(crate) async fn contact_credits(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let whose = self.organisation();
        let mut state = self.tables.sweep(whose, SweepKind::Credits).await?;
        let begun_at = self.now();
        if state.last_success_at.is_some_and(|at| begun_at.duration_since(at) < READ_EVERY) {
            return Ok(None);
        }
        if self.is_over() {
            return Ok(Some(Stop::OutOfTime));
        }
        // Calls of other work do not count for this run.
        let _ = self.credits.take_spent(whose);
        let read = self.credits.contact_credits(whose).await;
        let spent = self.credits.take_spent(whose);
        work.run.spent(spent.calls, spent.bytes);
        let mut found = match self.counted(read, &mut work.run)? {
            Ok(found) => found,
            Err(stop) => return Ok(Some(stop)),
        };
        work.run.count("unreadable", found.unreadable.len());
        for row in found.unreadable {
            let (subject, why) = named(&row);
            self.tables.raise_message(whose, SCHEMA, &subject, &why, self.now()).await?;
        }
        work.run.count("credits", found.credits.values().map(Vec::len).sum());
        let contacts = self.tables.all_contacts(whose).await?;
        let changed = contacts.into_iter().filter_map(|stored| {
            let left = found.credits.remove(&stored.record.contact.id).unwrap_or_default();
            let credit = ContactCredit::of(left);
            (credit != stored.credit).then_some(StoredContact { credit, ..stored })
        });
        let changed: Vec<_> = changed.collect();
        self.tables.store_contacts(whose, &changed).await?;
        // The credit of a contact that is newer than the last read of contacts is stored the next time.
        state.last_success_at = Some(begun_at);
        self.tables.store_sweep(&state, &[]).await?;
        Ok(None)
    }
}
