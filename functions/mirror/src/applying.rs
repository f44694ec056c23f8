//! One snapshot of one invoice: stored rows in, decision, rows out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::{
    Change, Ignored, InvoiceNumber, PaymentId, Settings, Snapshot, StoredInvoice, Verdict, depart,
    eligible, going_along, is_settled, mirror, unknown_uploads,
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
    /// Whether payments of ours go from one number to another: then all of it is decided again together.
    moves: bool,
}

impl Draft {
    fn nothing(end: Applied) -> Self {
        Self { changes: Vec::new(), end, moves: false }
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
    let mut others = Vec::new();
    for former in tables.numbers_of(snapshot.organisation, snapshot.invoice).await? {
        if number.as_ref() != Ok(&former) {
            others.push(tables.invoice(snapshot.organisation, &former).await?);
        }
    }
    let Ok(number) = &number else {
        let (changes, end) = match off_others(&others, &BTreeSet::new(), snapshot, settings, now) {
            Ok(changes) => (changes, number.err().map_or(Applied::Unchanged, Applied::Ignored)),
            Err(stale) => (Vec::new(), stale),
        };
        return Ok(Draft { changes, end, moves: false });
    };
    let known = tables.invoice_header(snapshot.organisation, number).await?;
    // Also when it is settled: the index lags, and an earlier run may have missed a former number.
    if others.is_empty() && is_settled(&known, snapshot, settings, now) {
        return Ok(Draft::nothing(Applied::Unchanged));
    }
    let here = tables.invoice(snapshot.organisation, number).await?;
    others.extend(strays(tables, &here, &others, snapshot).await?);
    Ok(onto(here, &others, snapshot, settings, now))
}

/// The other numbers under which payments of ours stand that the snapshot shows under this one.
async fn strays(
    tables: &Tables,
    here: &StoredInvoice,
    known: &[StoredInvoice],
    snapshot: &Snapshot,
) -> Result<Vec<StoredInvoice>, ReadError> {
    let mut strays: Vec<StoredInvoice> = Vec::new();
    for payment in unknown_uploads(here, snapshot) {
        for other in tables.numbers_of_payment(snapshot.organisation, payment).await? {
            let seen = known.iter().chain(&strays).any(|stored| stored.number == other);
            if other != here.number && !seen {
                strays.push(tables.invoice(snapshot.organisation, &other).await?);
            }
        }
    }
    Ok(strays)
}

/// Our own payments come onto the new number first and leave the old ones afterwards: if the run ends in
/// between, the next one finds them on the old ones, and they are nowhere missing (AMB-33). Copies leave the
/// old number first, and are made again under the new one: they are never on both.
fn onto(
    here: StoredInvoice,
    others: &[StoredInvoice],
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
) -> Draft {
    let along = going_along(&here, others, snapshot, now);
    let moves = along.is_some();
    let (arrival, leaving) = along.map_or((None, BTreeSet::new()), |a| (a.arrival, a.leaving));
    let mut changes = Vec::new();
    let mut stored = here.clone();
    if let Some(arrival) = arrival {
        stored =
            StoredInvoice { revision: here.revision.saturating_add(1), ..arrival.after.clone() };
        changes.push((here, arrival));
    }
    match off_others(others, &leaving, snapshot, settings, now) {
        Ok(off) => changes.extend(off),
        Err(stale) => return Draft::nothing(stale),
    }
    let end = match mirror(&stored, snapshot, settings, now) {
        Verdict::Ignored(reason) => Applied::Ignored(reason),
        Verdict::Stale => Applied::Stale(version_of(&stored, snapshot)),
        Verdict::Unchanged => Applied::Unchanged,
        Verdict::Changed(change) => {
            changes.push((stored, change));
            Applied::Unchanged
        }
    };
    Draft { changes, end, moves }
}

/// What leaves the other numbers.
///
/// # Errors
/// What is stored under one of them is newer, so that the number of this read is old.
fn off_others(
    others: &[StoredInvoice],
    leaving: &BTreeSet<(InvoiceNumber, PaymentId)>,
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<(StoredInvoice, Box<Change>)>, Applied> {
    let mut changes = Vec::new();
    for stored in others {
        let departed = depart(stored, snapshot, leaving, now);
        let base = departed.as_ref().map_or(stored, |departed| &departed.after);
        let change = match (mirror(base, snapshot, settings, now), departed) {
            (Verdict::Stale, _) => return Err(Applied::Stale(version_of(stored, snapshot))),
            (Verdict::Changed(next), Some(departed)) => Some(Box::new(departed.and_then(*next))),
            (Verdict::Changed(next), None) => Some(next),
            (Verdict::Ignored(_) | Verdict::Unchanged, departed) => departed.map(Box::new),
        };
        changes.extend(change.map(|change| (stored.clone(), change)));
    }
    Ok(changes)
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
            Err(WriteError::Conflict) if draft.moves => return Err(ApplyError::Races),
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
        let stored = tables.invoice(snapshot.organisation, number).await?;
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

fn version_of(stored: &StoredInvoice, snapshot: &Snapshot) -> Timestamp {
    let stored = stored.xero.as_ref().map(|xero| xero.version.updated_at);
    stored.map_or(snapshot.updated_at, |stored| stored.max(snapshot.updated_at))
}
