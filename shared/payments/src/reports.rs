//! What the business's own system reports: invoices, payments, journaling.
//!
//! Reports carry a revision that counts the sender's versions of one thing, so that they may come
//! twice and in any order: an older revision changes nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::change::Change;
use crate::components::ReceiptDocument;
use crate::decision::{Action, Decision};
use crate::ids::{CustomerId, InvoiceNumber, OrganisationId, PaymentId};
use crate::invoice::LocalInvoice;
use crate::invoice_discrepancies;
use crate::money::{Currency, Money};
use crate::payment::{Kind, Origin, Payment, PaymentStatus, State, Tombstone};
use crate::reason::codes;
use crate::settings::Settings;
use crate::stored::StoredInvoice;
use crate::upload::{Channel, is_entered_by_hand, is_spread_by_night, never_gets_an_invoice};

/// How much of a payment belongs to an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Allocation {
    /// The invoice.
    pub invoice: InvoiceNumber,
    /// The part.
    pub amount: Money,
}

/// A payment as a whole, as the business's own system reports it (SP-02, SP-06).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The sender's id.
    pub id: PaymentId,
    /// Counts the sender's versions of it, from 1.
    pub revision: u64,
    /// The whole amount.
    pub amount: Money,
    /// The calendar day.
    pub date: Date,
    /// What the payer wrote.
    pub reference: Option<String>,
    /// How it was paid.
    pub method: String,
    /// Through which door it came, if that matters.
    pub channel: Option<Channel>,
    /// Who paid, if that is known.
    pub customer: Option<CustomerId>,
    /// The bank's or gateway's id of the transaction.
    pub transaction_id: String,
    /// What became of the money.
    pub status: PaymentStatus,
    /// Whether a payment that is still pending was approved by the bank or gateway.
    pub approved: bool,
    /// Whether the money of a confirmed payment has reached the business's bank account.
    pub settled: bool,
    /// Whether it has been journaled.
    pub journaled: bool,
    /// Which invoices it pays; none if that is not known (yet).
    pub allocations: Vec<Allocation>,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// The receipt that the customer was given, if one was reported (SP-10).
    pub document: Option<ReceiptDocument>,
}

impl Receipt {
    /// Whether it is spread over several invoices (CM-28).
    pub fn is_multi_invoice(&self) -> bool {
        self.allocations.len() > 1
    }

    /// What of it is on no invoice, if anything is. Parts that cannot be added up are on none.
    pub fn unallocated(&self) -> Option<Money> {
        let parts = self.allocations.iter().map(|allocation| allocation.amount);
        let named = Money::sum(self.amount.currency(), parts);
        let rest = named.and_then(|named| self.amount.minus(named)).unwrap_or(self.amount);
        rest.is_positive().then_some(rest)
    }

    fn part_on(&self, invoice: &InvoiceNumber) -> Option<&Allocation> {
        self.allocations.iter().find(|allocation| allocation.invoice == *invoice)
    }
}

/// The work that a reported payment asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reported {
    /// It is new, or a newer version: these invoices are concerned, old allocations included.
    Accepted(BTreeSet<InvoiceNumber>),
    /// This version or a newer one is already here.
    AlreadyKnown,
}

/// Why a report is not taken in. It is parked with this reason.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Two different reports carry the same revision.
    #[error("revision {revision} was already used for other content")]
    RevisionReused {
        /// The revision.
        revision: u64,
    },
    /// SP-03 knows no such change of status.
    #[error("a payment that is {from} cannot become {to}")]
    IllegalStatus {
        /// The status that is stored.
        from: PaymentStatus,
        /// The status that was reported.
        to: PaymentStatus,
        /// Whether revisions in between are missing, so that the report may only be early.
        early: bool,
    },
    /// A part in another currency than its invoice.
    #[error("the payment is in {payment}, invoice {invoice} in {expected}")]
    CurrencyDiffers {
        /// The payment's currency.
        payment: Currency,
        /// The invoice.
        invoice: InvoiceNumber,
        /// The invoice's currency.
        expected: Currency,
    },
    /// A notice that was never drafted here.
    #[error("there is no notice {notice}")]
    UnknownNotice {
        /// Its id.
        notice: String,
    },
    /// Journaling of a copy that is not there.
    #[error("invoice {invoice} has no copy {payment}")]
    UnknownCopy {
        /// The invoice.
        invoice: InvoiceNumber,
        /// The copy.
        payment: PaymentId,
    },
}

impl Refusal {
    /// Whether the same report may be acceptable later, once an earlier one has arrived.
    pub fn may_pass_later(&self) -> bool {
        matches!(self, Self::IllegalStatus { early: true, .. } | Self::UnknownCopy { .. })
    }
}

codes! {
    /// Something an operator should know of, about one payment.
    WarningKind {
        /// Reported otherwise after it was, or may have been, put into Xero.
        ChangedAfterUpload = "CHANGED_AFTER_UPLOAD",
        /// It failed and names no invoice, so that no invoice shows it (SP-12).
        FailedPayment = "FAILED_PAYMENT",
        /// Journaled after the day on which journaling should have stopped (CM-04).
        JournaledAfterCutover = "JOURNALED_AFTER_CUTOVER",
        /// Entered by hand after the day on which that should have stopped (CM-03, AMB-40).
        ManualAfterCutover = "MANUAL_AFTER_CUTOVER",
        /// Still reported, though it went with its original in Xero (CM-35); not put back.
        RemovedInXero = "REMOVED_IN_XERO",
        /// It names no invoice: raised by earlier versions, where it is the discrepancy `UNLINKED` now (SP-11).
        Unlinked = "UNLINKED",
    }
}

/// A warning about one payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// Its kind.
    pub kind: WarningKind,
    /// The payment.
    pub payment: PaymentId,
    /// What happened.
    pub why: String,
}

/// Judges a reported payment against what was reported before.
///
/// # Errors
/// Why it is not taken in.
pub fn report(known: Option<&Receipt>, incoming: &Receipt) -> Result<Reported, Refusal> {
    let mut invoices: BTreeSet<_> =
        incoming.allocations.iter().map(|allocation| allocation.invoice.clone()).collect();
    let Some(known) = known else { return Ok(Reported::Accepted(invoices)) };
    if incoming.revision < known.revision || incoming == known {
        return Ok(Reported::AlreadyKnown);
    }
    if incoming.revision == known.revision {
        return Err(Refusal::RevisionReused { revision: incoming.revision });
    }
    if !known.status.may_become(incoming.status) {
        return Err(Refusal::IllegalStatus {
            from: known.status,
            to: incoming.status,
            early: incoming.revision - known.revision > 1,
        });
    }
    invoices.extend(known.allocations.iter().map(|allocation| allocation.invoice.clone()));
    Ok(Reported::Accepted(invoices))
}

/// The warnings that a payment raises, reported at that time.
pub fn warnings(
    known: Option<&Receipt>,
    incoming: &Receipt,
    settings: &Settings,
    reported_at: Timestamp,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |kind, why: &str| {
        warnings.push(Warning { kind, payment: incoming.id.clone(), why: why.to_owned() });
    };
    let by_hand = known.is_none() && is_entered_by_hand(incoming);
    if by_hand && after_cutover(settings, incoming.entered_at) {
        warn(WarningKind::ManualAfterCutover, "entered by hand after the cutover date");
    }
    // A payment that is reported for the first time, and journaled already, does not say when that
    // happened; a payment from before the cutover date may have been journaled before it.
    let journaled_at = match known {
        None => incoming.journaled.then_some(incoming.entered_at),
        Some(known) => (incoming.journaled && !known.journaled).then_some(reported_at),
    };
    if journaled_at.is_some_and(|at| after_cutover(settings, at)) {
        warn(WarningKind::JournaledAfterCutover, JOURNALED_AFTER_CUTOVER);
    }
    let failed = incoming.status == PaymentStatus::Failed;
    let is_news = known.is_none_or(|known| known.status != incoming.status);
    if failed && is_news && incoming.allocations.is_empty() {
        warn(WarningKind::FailedPayment, "the payment failed, and it names no invoice");
    }
    warnings
}

/// Why a payment floats free, if it does (SP-11): it, or a part of it, names no invoice, and no night will find it one.
pub(crate) fn unlinked(receipt: &Receipt, settings: &Settings) -> Option<String> {
    if is_spread_by_night(receipt, settings) || never_gets_an_invoice(receipt) {
        return None;
    }
    let rest = receipt.unallocated()?;
    Some(match receipt.allocations.is_empty() {
        true => format!("{rest} of {} names no invoice and no order", receipt.date),
        false => format!("{rest} of {} names no invoice and no order", receipt.amount),
    })
}

/// What the change of the cut-over day means for a payment as it was reported last (AMB-35): the warnings that it
/// raises now, and the kinds that it would have raised by the earlier day and does not any more.
pub fn cutover_moved(
    receipt: &Receipt,
    settings: &Settings,
    earlier: Option<Date>,
) -> (Vec<Warning>, Vec<WarningKind>) {
    let kinds = [WarningKind::ManualAfterCutover, WarningKind::JournaledAfterCutover];
    let raised = |settings: &Settings| -> Vec<Warning> {
        // When it was journaled is not known any more; not before it was entered.
        let mut all = warnings(None, receipt, settings, receipt.entered_at);
        all.retain(|warning| kinds.contains(&warning.kind));
        all
    };
    let before = raised(&Settings { cutover_on: earlier, ..settings.clone() });
    let now = raised(settings);
    let over = before.iter().filter(|warning| !now.contains(warning)).map(|warning| warning.kind);
    let over = over.collect();
    (now.into_iter().filter(|warning| !before.contains(warning)).collect(), over)
}

const JOURNALED_AFTER_CUTOVER: &str = "journaled after the cutover date";

fn after_cutover(settings: &Settings, instant: Timestamp) -> bool {
    settings.cutover_on.is_some_and(|cutover| settings.day_of(instant) > cutover)
}

/// The warning that a copy raises when it is reported as journaled at that time (CM-04).
pub fn journaling_warning(
    copy: &PaymentId,
    settings: &Settings,
    reported_at: Timestamp,
) -> Option<Warning> {
    after_cutover(settings, reported_at).then(|| Warning {
        kind: WarningKind::JournaledAfterCutover,
        payment: copy.clone(),
        why: JOURNALED_AFTER_CUTOVER.to_owned(),
    })
}

/// The warning that a payment raises which is reported again after the mirror has removed it from
/// these invoices along with its original (CM-35).
pub fn removed_warning(receipt: &Receipt, invoices: &[InvoiceNumber]) -> Option<Warning> {
    let (first, all) = (invoices.first()?, invoices.len());
    Some(Warning {
        kind: WarningKind::RemovedInXero,
        payment: receipt.id.clone(),
        why: format!("deleted in Xero, so not put back on invoice {first} (invoices: {all})"),
    })
}

/// Writes a reported payment's part onto one of its invoices, or takes it off. `None` if the
/// invoice already has this version.
///
/// # Errors
/// Why it cannot be.
pub fn record_part(
    stored: &StoredInvoice,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<Option<Change>, Refusal> {
    let known = stored.payment(&receipt.id);
    if known.is_some_and(|known| known.revision >= receipt.revision) {
        return Ok(None);
    }
    let mut change = Change::of(stored);
    match (receipt.part_on(&stored.number), known) {
        (None, None) => return Ok(None),
        // It is in Xero on this invoice, even if the sender says otherwise now (`CHANGED_AFTER_UPLOAD`);
        // what became of the money is true of every part of it (AMB-32).
        (None, Some(known)) if known.kind == Kind::Uploaded => {
            let mut payment = known.clone();
            if receipt.status != PaymentStatus::Pending {
                payment.status = receipt.status;
            }
            payment.journaled = receipt.journaled;
            payment.revision = receipt.revision;
            payment.settle_state();
            let why = format!("{} of {}, {}", payment.amount, payment.date, payment.status);
            change.decide(Action::Recorded, &payment, &why);
            change.after.payments.retain(|other| other.id != payment.id);
            change.after.payments.push(payment);
        }
        (None, Some(known)) => {
            change.after.payments.retain(|payment| payment.id != receipt.id);
            change.tombstones.push(Tombstone {
                payment: known.clone(),
                removed_at: now,
                removed_by: "intake",
                why: "no longer allocated to this invoice".to_owned(),
                snapshot: None,
            });
            change.decide(Action::Deleted, known, "no longer allocated to this invoice");
        }
        (Some(part), known) => {
            if let Some(local) = &stored.local
                && local.total.currency() != part.amount.currency()
            {
                return Err(Refusal::CurrencyDiffers {
                    payment: part.amount.currency(),
                    invoice: stored.number.clone(),
                    expected: local.total.currency(),
                });
            }
            let payment = part_of(receipt, part, known);
            let why = format!("{} of {}, {}", payment.amount, payment.date, payment.status);
            change.decide(Action::Recorded, &payment, &why);
            change.after.payments.retain(|other| other.id != payment.id);
            change.after.payments.push(payment);
        }
    }
    Ok(Some(change.locally_changed(now)))
}

fn part_of(receipt: &Receipt, part: &Allocation, known: Option<&Payment>) -> Payment {
    // Our upload is what stands in Xero, even if the sender says otherwise now.
    let uploaded = known.filter(|known| known.kind == Kind::Uploaded);
    // Money that never came is not what stands in Xero: that is free to be another payment's (A8.3).
    let kept = known.filter(|_| receipt.status != PaymentStatus::Failed || uploaded.is_some());
    let mut payment = Payment {
        id: receipt.id.clone(),
        amount: uploaded.map_or(part.amount, |known| known.amount),
        date: uploaded.map_or(receipt.date, |known| known.date),
        reference: receipt.reference.clone(),
        origin: Origin::Local,
        kind: kept.map_or(Kind::Manual, |known| known.kind),
        status: match known {
            // Xero has confirmed it before the sender did, and that is not taken back (SP-03).
            Some(known) if receipt.status == PaymentStatus::Pending => known.status,
            _ => receipt.status,
        },
        method: receipt.method.clone(),
        transaction_id: receipt.transaction_id.clone(),
        journaled: receipt.journaled,
        multi_invoice: receipt.is_multi_invoice(),
        link: kept.and_then(|known| known.link),
        stamp: known.and_then(|known| known.stamp.clone()),
        first_match_at: known.and_then(|known| known.first_match_at),
        note: known.and_then(|known| known.note.clone()),
        created_at: receipt.entered_at,
        balance_after: known.and_then(|known| known.balance_after),
        state: State::Protected,
        protection: None,
        revision: receipt.revision,
    };
    payment.settle_state();
    payment
}

/// Takes in what the business's own system says of an invoice. `None` if this version or a newer
/// one is already here.
///
/// # Errors
/// Why it cannot be.
pub fn record_invoice(
    stored: &StoredInvoice,
    incoming: &LocalInvoice,
    now: Timestamp,
) -> Result<Option<Change>, Refusal> {
    if let Some(known) = &stored.local {
        if known.revision > incoming.revision || known == incoming {
            return Ok(None);
        }
        if known.revision == incoming.revision {
            return Err(Refusal::RevisionReused { revision: incoming.revision });
        }
    }
    let mut change = Change::of(stored);
    change.decisions.push(Decision {
        action: Action::Recorded,
        rule: "ST-06",
        payment: None,
        xero: None,
        discrepancy: None,
        why: format!("invoice over {}, due on {}", incoming.total, incoming.due_on),
    });
    if change.after.local.is_none() {
        change.after.reported_at = Some(now);
    }
    change.after.local = Some(incoming.clone());
    Ok(Some(change.locally_changed(now)))
}

/// Sets or takes back the journaled flag of a copy (CM-27). `None` if the copy has heard of this
/// revision or a later one.
///
/// # Errors
/// `UnknownCopy`, `RevisionReused`.
pub fn record_journaling(
    stored: &StoredInvoice,
    copy: &PaymentId,
    revision: u64,
    journaled: bool,
    now: Timestamp,
) -> Result<Option<Change>, Refusal> {
    let Some(known) = stored.payment(copy) else {
        return Err(Refusal::UnknownCopy { invoice: stored.number.clone(), payment: copy.clone() });
    };
    if known.revision == revision && known.journaled != journaled {
        return Err(Refusal::RevisionReused { revision });
    }
    if known.revision >= revision {
        return Ok(None);
    }
    let mut payment = known.clone();
    payment.revision = revision;
    payment.journaled = journaled;
    payment.settle_state();
    let mut change = Change::of(stored);
    let why = if journaled { "journaled" } else { "journal reversed" };
    change.decide(Action::Journaled, &payment, why);
    change.after.payments.retain(|other| other.id != payment.id);
    change.after.payments.push(payment);
    Ok(Some(change.locally_changed(now)))
}

impl Change {
    fn decide(&mut self, action: Action, payment: &Payment, why: &str) {
        self.decisions.push(Decision {
            action,
            rule: "SP-04",
            payment: Some(payment.id.clone()),
            xero: payment.link,
            discrepancy: None,
            why: why.to_owned(),
        });
    }

    /// The local side is new, so that the latest snapshot has to be judged again.
    pub(crate) fn locally_changed(mut self, now: Timestamp) -> Self {
        self.after.settled = None;
        invoice_discrepancies::update_without_snapshot(&mut self, now);
        self
    }
}
