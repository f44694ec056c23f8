//! One snapshot of one invoice: stored rows in, decision, rows out.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use payments::upload::{Stamp, Upload, concerned, follow};
use payments::{
    Change, Decision, Held, HeldPayment, Ignored, InvoiceNumber, OrganisationId, PaymentId,
    Settings, Snapshot, StoredInvoice, Verdict, XeroPaymentId, depart, eligible, going_along,
    is_settled, mirror_with_uploads, unknown_uploads,
};
use queue::Changes;
use table::{ChangeContext, RACES_MAX, Races, ReadError, Tables, WriteError};

use crate::applied::Applied;
use crate::handler::Handler;

/// How long after it was seen first a payment of ours is known as ours: by then its proof has long been stored, or its
/// upload is in a line of what is on its way.
const KNOWN_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Why a snapshot could not be applied. The queue delivers its message again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("reading the stored invoice failed")]
    Read(#[from] ReadError),
    #[error("writing the invoice failed")]
    Write(#[source] WriteError),
    #[error("the brake for mass changes cannot be read at the moment")]
    Brake,
}

/// A change of an invoice, what it was decided on, and what it means for the uploads of its payments.
#[derive(Debug)]
struct Decided {
    stored: StoredInvoice,
    change: Box<Change>,
    uploads: Vec<(Upload, Upload)>,
}

impl Decided {
    fn new(stored: StoredInvoice, change: Box<Change>, uploads: &[Upload], now: Timestamp) -> Self {
        let uploads = follow(&stored, &change, uploads, now);
        Self { stored, change, uploads }
    }

    async fn write(&self, tables: &Tables, because: ChangeContext) -> Result<(), WriteError> {
        tables.write_invoice_with_uploads(&self.stored, &self.change, &self.uploads, because).await
    }
}

/// How the invoices' payments of the business's own stand on their way to Xero (A8.3).
async fn uploads_on(
    tables: &Tables,
    organisation: OrganisationId,
    invoices: impl IntoIterator<Item = &StoredInvoice>,
) -> Result<Vec<Upload>, ReadError> {
    let ids: BTreeSet<_> = invoices.into_iter().flat_map(concerned).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    tables.every_upload(organisation, &Vec::from_iter(ids)).await
}

/// What a snapshot means, decided and not written yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The changes to write, in this order, each with the state that it was decided on.
    changes: Vec<Decided>,
    /// What becomes of the snapshot if nothing is written.
    end: Applied,
    /// Whether payments of ours go from one number to another: then all of it is decided again together.
    moves: bool,
}

impl Draft {
    fn nothing(end: Applied) -> Self {
        Self { changes: Vec::new(), end, moves: false }
    }

    /// What becomes of the snapshot if nothing is written.
    pub(crate) const fn end(&self) -> Applied {
        self.end
    }

    /// Everything that is decided.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.changes.iter().flat_map(|decided| &decided.change.decisions)
    }

    /// How many payments it removes or alters, by invoice.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (InvoiceNumber, u32)> {
        let losses = |decided: &Decided| {
            let count = decided.change.losses();
            Some((decided.stored.number.clone(), count)).filter(|(_, count)| *count > 0)
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
        let uploads = uploads_on(tables, snapshot.organisation, &others).await?;
        let basis = (settings, uploads.as_slice());
        let (changes, end) = match off_others(&others, &BTreeSet::new(), snapshot, basis, now) {
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
    let mut here = read(tables, snapshot, number).await?;
    here.strangers = strangers(tables, &here, now).await?;
    others.extend(strays(tables, &here, &others, snapshot).await?);
    let uploads = uploads_on(tables, snapshot.organisation, others.iter().chain([&here])).await?;
    Ok(onto(here, &others, snapshot, (settings, &uploads), now))
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
    (settings, uploads): (&Settings, &[Upload]),
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
        changes.push(Decided::new(here, arrival, uploads, now));
    }
    match off_others(others, &leaving, snapshot, (settings, uploads), now) {
        Ok(off) => changes.extend(off),
        Err(stale) => return Draft::nothing(stale),
    }
    let end = match mirror_with_uploads(&stored, snapshot, settings, uploads, now) {
        Verdict::Ignored(reason) => Applied::Ignored(reason),
        Verdict::Stale => stale(&stored, snapshot, now),
        Verdict::Unchanged => Applied::Unchanged,
        Verdict::Changed(change) => {
            changes.push(Decided::new(stored, change, uploads, now));
            Applied::Unchanged
        }
    };
    Draft { changes, end, moves }
}

/// The payments that leave the other numbers.
///
/// # Errors
/// An invoice stored under one of them is newer, so the number of this read is old.
fn off_others(
    others: &[StoredInvoice],
    leaving: &BTreeSet<(InvoiceNumber, PaymentId)>,
    snapshot: &Snapshot,
    (settings, uploads): (&Settings, &[Upload]),
    now: Timestamp,
) -> Result<Vec<Decided>, Applied> {
    let mut changes = Vec::new();
    for stored in others {
        let departed = depart(stored, snapshot, leaving, now);
        let base = departed.as_ref().map_or(stored, |departed| &departed.after);
        let change = match (mirror_with_uploads(base, snapshot, settings, uploads, now), departed) {
            (Verdict::Stale, _) => return Err(Applied::Stale(version_of(stored, snapshot))),
            (Verdict::Changed(next), Some(departed)) => Some(Box::new(departed.and_then(*next))),
            (Verdict::Changed(next), None) => Some(next),
            (Verdict::Ignored(_) | Verdict::Unchanged, departed) => departed.map(Box::new),
        };
        changes.extend(change.map(|change| Decided::new(stored.clone(), change, uploads, now)));
    }
    Ok(changes)
}

/// Writes the decisions; decides again where another process has written first.
pub(crate) async fn write<C: Changes>(
    handler: &Handler<'_, C>,
    settings: &Settings,
    snapshot: &Snapshot,
    draft: Draft,
    because: ChangeContext,
) -> Result<Applied, ApplyError> {
    let mut decisions = 0;
    for decided in draft.changes {
        match decided.write(handler.tables, because).await {
            Ok(()) => decisions += decided.change.decisions.len(),
            Err(WriteError::Conflict) if !draft.moves => {
                let asked = (&decided.stored.number, decided.change.losses());
                match judge(handler, settings, snapshot, asked, because).await? {
                    Applied::Changed(more) => decisions += more,
                    end @ (Applied::Stale(_) | Applied::ReadAhead(_) | Applied::Braked) => {
                        return Ok(end);
                    }
                    Applied::Ignored(_) | Applied::Unchanged => {}
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

/// Reads, decides and writes; does so again if another process has written first, as it had before this call. The
/// brake was asked about `asked` losses; it is asked again if there are more.
async fn judge<C: Changes>(
    handler: &Handler<'_, C>,
    settings: &Settings,
    snapshot: &Snapshot,
    (number, mut asked): (&InvoiceNumber, u32),
    because: ChangeContext,
) -> Result<Applied, ApplyError> {
    let tables = handler.tables;
    // The race before this call counts.
    let mut races = Races::up_to(RACES_MAX - 1);
    loop {
        let stored = read(tables, snapshot, number).await?;
        let uploads = uploads_on(tables, snapshot.organisation, [&stored]).await?;
        let change = match mirror_with_uploads(&stored, snapshot, settings, &uploads, because.now) {
            Verdict::Ignored(reason) => return Ok(Applied::Ignored(reason)),
            Verdict::Stale => return Ok(stale(&stored, snapshot, because.now)),
            Verdict::Unchanged => return Ok(Applied::Unchanged),
            Verdict::Changed(change) => change,
        };
        let losses = change.losses();
        if losses > asked {
            let more = losses.saturating_sub(asked);
            if let Some(stopped) = handler.stops(settings, number, more).await {
                return stopped;
            }
            asked = losses;
        }
        let decided = Decided::new(stored, change, &uploads, because.now);
        let written = races.won(decided.write(tables, because).await);
        if written.map_err(ApplyError::Write)?.is_some() {
            return Ok(Applied::Changed(decided.change.decisions.len()));
        }
    }
}

/// What becomes of a snapshot that is older than what is stored, as far as that is known.
fn stale(stored: &StoredInvoice, snapshot: &Snapshot, now: Timestamp) -> Applied {
    let known = stored.xero.as_ref().map(|xero| &xero.version);
    match known.filter(|known| known.updated_at == snapshot.updated_at && known.fetched_at > now) {
        Some(known) => Applied::ReadAhead(known.fetched_at),
        None => Applied::Stale(version_of(stored, snapshot)),
    }
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

/// The held payments that bear a stamp like ours for so long that it would be known whose it is, and of which no
/// upload on its way knows: a person has written the reference.
async fn strangers(
    tables: &Tables,
    stored: &StoredInvoice,
    now: Timestamp,
) -> Result<BTreeSet<XeroPaymentId>, ReadError> {
    let is_old = |held: &&HeldPayment| {
        held.reason == Held::UploadUnderWay && now.duration_since(held.held_at) >= KNOWN_WITHIN
    };
    let mut strangers = BTreeSet::new();
    for held in stored.held.iter().filter(is_old) {
        let stamp = held.payment.reference.as_deref().and_then(Stamp::find_in);
        let Some(stamp) = stamp else { continue };
        let organisation = stored.organisation;
        let elsewhere = tables.numbers_of_payment(organisation, held.payment.id).await?;
        if elsewhere.is_empty() && !tables.may_be_under_way(organisation, &stamp).await? {
            strangers.insert(held.payment.id);
        }
    }
    Ok(strangers)
}

fn version_of(stored: &StoredInvoice, snapshot: &Snapshot) -> Timestamp {
    let stored = stored.xero.as_ref().map(|xero| xero.version.updated_at);
    stored.map_or(snapshot.updated_at, |stored| stored.max(snapshot.updated_at))
}
