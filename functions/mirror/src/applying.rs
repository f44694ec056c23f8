//! One snapshot of one invoice: stored rows in, decision, rows out.

use jiff::Timestamp;
use payments::{
    Change, Ignored, InvoiceNumber, Settings, Snapshot, StoredInvoice, Verdict, eligible,
    is_settled, mirror,
};
use table::{Because, ReadError, Tables, WriteError};

/// How often a lost race on one invoice is tried again at once. Each time somebody else has won,
/// so that there is progress; more than this means that the queue should calm things down.
const RACES_MAX: u32 = 8;

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Applied {
    /// The invoice is none of ours.
    Ignored(Ignored),
    /// What is stored is newer, of this version.
    Stale(Timestamp),
    /// Nothing had to be written.
    Unchanged,
    /// So many decisions were written.
    Changed(usize),
    /// Too many payments would be removed or altered at once: it waits for a person.
    Braked,
}

/// Why a snapshot could not be applied. The queue delivers its message again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("reading the stored invoice failed")]
    Read(#[from] ReadError),
    #[error("writing the invoice failed")]
    Write(#[source] WriteError),
    #[error("whether so many changes may be made cannot be said at the moment")]
    Brake,
    #[error("lost the race for an invoice {RACES_MAX} times in a row")]
    Races,
}

/// What a snapshot means, decided and not written yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What is to be written, in this order, each with what it was decided on.
    changes: Vec<(StoredInvoice, Box<Change>)>,
    /// What becomes of the snapshot if nothing is written.
    end: Applied,
}

impl Draft {
    fn nothing(end: Applied) -> Self {
        Self { changes: Vec::new(), end }
    }

    /// How many payments it removes or alters, by invoice.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (InvoiceNumber, u32)> {
        let losses = |(stored, change): &(StoredInvoice, Box<Change>)| {
            Some((stored.number.clone(), change.losses())).filter(|(_, count)| *count > 0)
        };
        self.changes.iter().filter_map(losses)
    }
}

/// Decides about a snapshot, and about its payments on any invoice that bore its number before.
pub(crate) async fn draft(
    tables: &Tables,
    settings: &Settings,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Draft, ApplyError> {
    let number = eligible(snapshot, settings);
    // These say nothing about a number that the invoice may have had before.
    if let Err(reason @ (Ignored::OtherTenant | Ignored::Disabled | Ignored::NotSalesInvoice)) =
        number
    {
        return Ok(Draft::nothing(Applied::Ignored(reason)));
    }
    // First off the old invoice, then onto the new one: if the run ends in between, the next one
    // still finds the new one to do, and no payment is ever on both. Also when the new one is
    // settled: the index lags, and an earlier run may have missed the old one.
    let mut changes = Vec::new();
    for former in tables.numbers_of(snapshot.organisation, snapshot.invoice).await? {
        if number.as_ref() == Ok(&former) {
            continue;
        }
        let stored = tables.invoice(snapshot.organisation, &former).await?;
        match mirror(&stored, snapshot, settings, now) {
            Verdict::Changed(change) => changes.push((stored, change)),
            // What is stored under another number is newer, so the number of this read is old.
            Verdict::Stale => {
                return Ok(Draft::nothing(Applied::Stale(version_of(&stored, snapshot))));
            }
            Verdict::Ignored(_) | Verdict::Unchanged => {}
        }
    }
    let number = match number {
        Ok(number) => number,
        Err(reason) => return Ok(Draft { changes, end: Applied::Ignored(reason) }),
    };
    let known = tables.invoice_header(snapshot.organisation, &number).await?;
    if is_settled(&known, snapshot, settings, now) {
        return Ok(Draft { changes, end: Applied::Unchanged });
    }
    let stored = read(tables, snapshot, &number).await?;
    let end = match mirror(&stored, snapshot, settings, now) {
        Verdict::Ignored(reason) => Applied::Ignored(reason),
        Verdict::Stale => Applied::Stale(version_of(&stored, snapshot)),
        Verdict::Unchanged => Applied::Unchanged,
        Verdict::Changed(change) => {
            changes.push((stored, change));
            Applied::Unchanged
        }
    };
    Ok(Draft { changes, end })
}

/// Writes what was decided; decides again where somebody else was quicker.
pub(crate) async fn write(
    tables: &Tables,
    settings: &Settings,
    snapshot: &Snapshot,
    draft: Draft,
    because: Because,
) -> Result<Applied, ApplyError> {
    let mut decisions = 0;
    for (stored, change) in draft.changes {
        match tables.write_invoice(&stored, &change, because).await {
            Ok(()) => decisions += change.decisions.len(),
            Err(WriteError::Conflict) => {
                match judge(tables, settings, snapshot, &stored.number, because).await? {
                    Applied::Changed(more) => decisions += more,
                    stale @ Applied::Stale(_) => return Ok(stale),
                    Applied::Ignored(_) | Applied::Unchanged | Applied::Braked => {}
                }
            }
            Err(error) => return Err(ApplyError::Write(error)),
        }
    }
    Ok(match draft.end {
        Applied::Unchanged if decisions > 0 => Applied::Changed(decisions),
        end => end,
    })
}

/// Reads, decides and writes, again if somebody else was quicker, as it was the first time.
async fn judge(
    tables: &Tables,
    settings: &Settings,
    snapshot: &Snapshot,
    number: &InvoiceNumber,
    because: Because,
) -> Result<Applied, ApplyError> {
    for _ in 1..RACES_MAX {
        let stored = read(tables, snapshot, number).await?;
        let change = match mirror(&stored, snapshot, settings, because.now) {
            Verdict::Ignored(reason) => return Ok(Applied::Ignored(reason)),
            Verdict::Stale => return Ok(Applied::Stale(version_of(&stored, snapshot))),
            Verdict::Unchanged => return Ok(Applied::Unchanged),
            Verdict::Changed(change) => change,
        };
        match tables.write_invoice(&stored, &change, because).await {
            Ok(()) => return Ok(Applied::Changed(change.decisions.len())),
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(ApplyError::Write(error)),
        }
    }
    Err(ApplyError::Races)
}

/// An invoice with its payments, and whether an action about its customer is open (EX-28, AMB-15).
async fn read(
    tables: &Tables,
    snapshot: &Snapshot,
    number: &InvoiceNumber,
) -> Result<StoredInvoice, ReadError> {
    let mut stored = tables.invoice(snapshot.organisation, number).await?;
    if let Some(customer) = &stored.customer {
        let customer = tables.customer(snapshot.organisation, customer).await?;
        stored.blocked = customer.is_some_and(|customer| customer.blocked.is_some());
    }
    Ok(stored)
}

fn version_of(stored: &StoredInvoice, snapshot: &Snapshot) -> Timestamp {
    let stored = stored.xero.as_ref().map(|xero| xero.version.updated_at);
    stored.map_or(snapshot.updated_at, |stored| stored.max(snapshot.updated_at))
}
