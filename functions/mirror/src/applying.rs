//! One snapshot of one invoice: stored rows in, decision, rows out.

use jiff::Timestamp;
use payments::{
    Ignored, InvoiceNumber, Settings, Snapshot, StoredInvoice, Verdict, eligible, is_settled,
    mirror,
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
}

/// Why a snapshot could not be applied. The queue delivers its message again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("reading the stored invoice failed")]
    Read(#[from] ReadError),
    #[error("writing the invoice failed")]
    Write(#[source] WriteError),
    #[error("lost the race for an invoice {RACES_MAX} times in a row")]
    Races,
}

/// Applies a snapshot, and takes its payments off any invoice that bore its number before.
pub(crate) async fn apply(
    tables: &Tables,
    settings: &Settings,
    snapshot: &Snapshot,
    because: Because,
) -> Result<Applied, ApplyError> {
    let number = eligible(snapshot, settings);
    // These say nothing about a number that the invoice may have had before.
    if let Err(reason @ (Ignored::OtherTenant | Ignored::Disabled | Ignored::NotSalesInvoice)) =
        number
    {
        return Ok(Applied::Ignored(reason));
    }
    // First off the old invoice, then onto the new one: if this run ends in between, the next one
    // still finds the new one to do, and no payment is ever on both. Also when the new one is
    // settled: the index lags, and an earlier run may have missed the old one.
    let mut decisions = 0;
    for former in tables.numbers_of(snapshot.organisation, snapshot.invoice).await? {
        if number.as_ref() == Ok(&former) {
            continue;
        }
        match judge(tables, settings, snapshot, &former, because).await? {
            Applied::Changed(more) => decisions += more,
            // What is stored under another number is newer, so the number of this read is old.
            Applied::Stale(version) => return Ok(Applied::Stale(version)),
            Applied::Ignored(_) | Applied::Unchanged => {}
        }
    }
    let number = match number {
        Ok(number) => number,
        Err(reason) => return Ok(Applied::Ignored(reason)),
    };
    let known = tables.invoice_header(snapshot.organisation, &number).await?;
    let applied = if is_settled(&known, snapshot, settings, because.now) {
        Applied::Unchanged
    } else {
        judge(tables, settings, snapshot, &number, because).await?
    };
    Ok(match applied {
        Applied::Changed(more) => Applied::Changed(decisions + more),
        Applied::Unchanged if decisions > 0 => Applied::Changed(decisions),
        other => other,
    })
}

/// Reads, decides and writes, again if somebody else was quicker.
async fn judge(
    tables: &Tables,
    settings: &Settings,
    snapshot: &Snapshot,
    number: &InvoiceNumber,
    because: Because,
) -> Result<Applied, ApplyError> {
    for _ in 0..RACES_MAX {
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
