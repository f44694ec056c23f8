//! The credit invoices of the payment provider: a credit note of the provider's contact if it was issued after the start
//! date, a line of the bill that it is applied to if it was issued before (EX-15a, EX-15b, EX-16).

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::bill::{AppliedPart, Bill, CreditLine, CreditTerms};
use super::books::Books;
use super::duplicate::days_apart;
use super::eligibility::UploadDecision;
use super::ledger::Upload;
use super::part::{Target, UploadState};
use super::provider_invoice::{NO_MERCHANT_CONTACT, after_start, can_be_booked};
use super::route::{Hold, Skip};
use super::settings::UploadSettings;
use super::stamp::Stamp;
use super::suspicion::{Counterpart, Suspicion};
use crate::ids::{PaymentId, XeroContactId, XeroCreditId, XeroInvoiceId};
use crate::money::Money;
use crate::settings::Settings;

/// A credit note of a supplier as Xero shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroCreditNote {
    /// `CreditNoteID`.
    pub id: XeroCreditId,
    /// `CreditNoteNumber`, in which the stamp of ours stands.
    pub number: String,
    /// Whose it is.
    pub contact: XeroContactId,
    /// The day of issue.
    pub date: Date,
    /// `Total`.
    pub total: Money,
    /// `RemainingCredit`.
    pub remaining: Money,
    /// Whether it counts: it is approved, and not voided.
    pub counts: bool,
    /// What it is applied to.
    pub allocations: Vec<XeroAllocation>,
}

/// A part of a credit note that is applied to a bill.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroAllocation {
    /// `AllocationID`.
    pub id: Uuid,
    /// The bill.
    pub bill: XeroInvoiceId,
    /// How much.
    pub amount: Money,
}

/// What a credit invoice is judged by.
#[derive(Clone, Copy, Debug)]
pub struct CreditFacts<'f> {
    /// The provider's invoices in the ledger, as far as credit invoices name them.
    pub bills: &'f BTreeMap<PaymentId, Upload>,
    /// The credit notes of the provider's contact in Xero.
    pub notes: &'f [XeroCreditNote],
}

/// Judges a credit invoice.
pub fn judge_credit(
    upload: &Upload,
    terms: &CreditTerms,
    facts: CreditFacts<'_>,
    books: &Books,
    (settings, uploading): (&Settings, &UploadSettings),
) -> UploadDecision {
    match after_start(upload, settings, uploading.start) {
        Err(UploadDecision::Skip(Skip::BeforeStartDate, why)) => {
            return before_start(upload, terms, facts.bills, why);
        }
        Err(judgement) => return judgement,
        Ok(()) => {}
    }
    let Some(contact) = uploading.merchant_contact else {
        return UploadDecision::Hold(Hold::MerchantContactMissing, NO_MERCHANT_CONTACT.to_owned());
    };
    if let Err(judgement) = can_be_booked(upload, books, uploading) {
        return judgement;
    }
    if let Some(judgement) = entered_by_hand(upload, facts.notes, uploading.same_money_days) {
        return judgement;
    }
    match upload.to_place() {
        Ok(left) if left.is_positive() => {
            UploadDecision::Send(vec![(Target::CreditNote { contact }, left)])
        }
        Ok(_) => UploadDecision::Send(Vec::new()),
        Err(_) => {
            let why = "its parts are in another currency".to_owned();
            UploadDecision::Hold(Hold::CurrencyMismatch, why)
        }
    }
}

/// The lines that credit invoices issued before the start date become on a bill (EX-15b). A bill of which anything was
/// ever sent keeps those that it was sent with.
pub fn credit_lines<'u>(
    bill: &Upload,
    credits: impl IntoIterator<Item = &'u Upload>,
    (settings, uploading): (&Settings, &UploadSettings),
) -> Vec<CreditLine> {
    let is_bill = bill.receipt.id.is_provider_invoice();
    if !is_bill || bill.parts.iter().any(|part| part.tries > 0) {
        return bill.credited.clone();
    }
    let before = |credit: &&Upload| {
        let standing = after_start(credit, settings, uploading.start);
        matches!(standing, Err(UploadDecision::Skip(Skip::BeforeStartDate, _)))
    };
    let open = |credit: &&Upload| {
        let idle = matches!(credit.state, UploadState::Waiting | UploadState::Held);
        idle && credit.hold() != Some(Hold::HeldByPerson)
    };
    let credits = credits.into_iter().filter(open).filter(before);
    credits.flat_map(|credit| lines_on(credit, &bill.receipt.id)).collect()
}

/// What of a credit invoice stands on this bill. What cannot be reckoned is no line: the credit says why it waits.
fn lines_on(credit: &Upload, bill: &PaymentId) -> Vec<CreditLine> {
    let Some((document, terms)) =
        credit.bill.as_ref().and_then(|bill| Some((bill, bill.credit_terms()?)))
    else {
        return Vec::new();
    };
    let mut before = Money::zero(credit.receipt.amount.currency());
    let mut lines = Vec::new();
    for AppliedPart { invoice, amount } in &terms.applied {
        if invoice == bill {
            lines.extend(CreditLine::of(&credit.receipt.id, &document.fees, before, *amount).ok());
        }
        let Ok(passed) = before.plus(*amount) else { break };
        before = passed;
    }
    lines
}

/// What becomes of a credit invoice that was issued before the start date: the bills that it is applied to carry it.
fn before_start(
    upload: &Upload,
    terms: &CreditTerms,
    bills: &BTreeMap<PaymentId, Upload>,
    too_old: String,
) -> UploadDecision {
    let (mut lines, mut waits, mut missed) = (Vec::new(), Vec::new(), Vec::new());
    for AppliedPart { invoice, amount } in &terms.applied {
        let Some(bill) = bills.get(invoice) else {
            waits.push(format!("{invoice}, which is not reported yet"));
            continue;
        };
        let carries = bill.credited.iter().any(|line| line.credit == upload.receipt.id);
        let in_hand = bill.may_be_in_xero() || bill.state == UploadState::Reserved;
        match (carries, bill.state) {
            (true, UploadState::Uploaded) => lines.push(format!("{amount} on {invoice}")),
            (false, UploadState::Skipped) => {}
            (false, _) if in_hand => missed.push(format!("{amount} on {invoice}")),
            _ => waits.push(invoice.to_string()),
        }
    }
    if !missed.is_empty() {
        let why = format!(
            "issued before the start date, so that it would be a line of a bill; that went to Xero before this was \
             reported: {}. Add the line in Xero by hand, and order do_not_send",
            missed.join(", ")
        );
        return UploadDecision::Hold(Hold::BillInXero, why);
    }
    if !waits.is_empty() {
        let why = format!(
            "issued before the start date; it becomes a line of the bill, and goes with it: {}",
            waits.join(", ")
        );
        return UploadDecision::Hold(Hold::WaitsForBill, why);
    }
    if lines.is_empty() {
        return UploadDecision::Skip(Skip::BeforeStartDate, too_old);
    }
    let why = format!("issued before the start date; lines of bills: {}", lines.join(", "));
    UploadDecision::Skip(Skip::LineOnBill, why)
}

/// Whether a person has entered the credit note in Xero (AMB-27): certainly, if it bears the provider's number;
/// possibly, if its date is near.
fn entered_by_hand(upload: &Upload, notes: &[XeroCreditNote], days: u32) -> Option<UploadDecision> {
    let bill: &Bill = upload.bill.as_ref()?;
    let left = upload.to_place().ok()?;
    let equal: Vec<_> = notes
        .iter()
        .filter(|note| note.counts && note.total == left && Stamp::find_in(&note.number).is_none())
        .filter(|note| !upload.apart_from.contains(&Counterpart::Xero(note.id.uuid())))
        .collect();
    if let Some(note) = equal.iter().find(|note| note.number.trim() == bill.number.trim()) {
        let why = format!(
            "credit note {} of {} over {} was entered in Xero by hand",
            note.number, note.date, note.total
        );
        return Some(UploadDecision::Skip(Skip::AlreadyInXero, why));
    }
    let near = |note: &&&XeroCreditNote| days_apart(note.date, upload.receipt.date) <= days;
    let possible: Vec<_> = equal.iter().filter(near).collect();
    let first = possible.first()?;
    let why = format!(
        "a credit note over {} of {} stands in Xero under another number ({}): one credit, or two?",
        first.total, first.date, first.number
    );
    Some(UploadDecision::Suspect(Suspicion {
        certain: Vec::new(),
        with: possible.iter().map(|note| Counterpart::Xero(note.id.uuid())).collect(),
        contact: Some(first.contact),
        why,
    }))
}
