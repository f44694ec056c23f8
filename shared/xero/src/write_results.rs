//! What the answer to a write says of each element that was sent.
//!
//! Nothing is taken for granted: an element is in Xero only if its own id proves it, and it is
//! refused only if the answer says so and shows no id. The specification's own example has an
//! element with an id and an error. An answer that contradicts itself is unclear, which costs a read and
//! never money.

use std::collections::BTreeMap;

use payments::upload::{Placed, Stamp, WriteOutcome};
use payments::{XeroCreditId, XeroInvoiceId, XeroPaymentId};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bills::ACCPAY;
use crate::bundle::{ACCPAYCREDIT, Bundle, RECEIVE_PREPAYMENT, Sent, StampedKind};
use crate::decimals;
use crate::refusal::RefusalKind;
use crate::wire::{Member, id, object, text};

/// Longest text of a refusal that is kept, in characters: enough for several sentences of Xero's.
pub const REFUSAL_CHARS_MAX: usize = 400;

const NO_REASON: &str = "Xero gives no reason";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAnswer<'a> {
    #[serde(borrow, default)]
    payments: Member<'a>,
    #[serde(borrow, default)]
    bank_transactions: Member<'a>,
    #[serde(borrow, default)]
    invoices: Member<'a>,
    #[serde(borrow, default)]
    credit_notes: Member<'a>,
    #[serde(borrow, default)]
    allocations: Member<'a>,
}

/// An element of any of the lists.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireElement<'a> {
    #[serde(borrow, rename = "PaymentID")]
    pub(crate) payment_id: Member<'a>,
    #[serde(borrow, rename = "BankTransactionID")]
    pub(crate) bank_transaction_id: Member<'a>,
    #[serde(borrow, rename = "PrepaymentID")]
    pub(crate) prepayment_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceID")]
    pub(crate) invoice_id: Member<'a>,
    #[serde(borrow, rename = "CreditNoteID")]
    pub(crate) credit_note_id: Member<'a>,
    #[serde(borrow, rename = "AllocationID")]
    pub(crate) allocation_id: Member<'a>,
    #[serde(borrow)]
    pub(crate) credit_note_number: Member<'a>,
    #[serde(borrow)]
    pub(crate) invoice_number: Member<'a>,
    #[serde(borrow)]
    pub(crate) reference: Member<'a>,
    #[serde(borrow)]
    pub(crate) line_items: Member<'a>,
    #[serde(borrow)]
    pub(crate) r#type: Member<'a>,
    #[serde(borrow)]
    pub(crate) status: Member<'a>,
    #[serde(borrow)]
    pub(crate) amount: Member<'a>,
    #[serde(borrow)]
    pub(crate) total: Member<'a>,
    #[serde(borrow)]
    pub(crate) invoice: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    status_attribute_string: Member<'a>,
    #[serde(borrow)]
    has_validation_errors: Member<'a>,
    /// The same of an invoice.
    #[serde(borrow)]
    has_errors: Member<'a>,
    #[serde(borrow)]
    validation_errors: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireInvoiceOf<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    pub(crate) invoice_id: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireLineOf<'a> {
    #[serde(borrow)]
    description: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireMessage<'a> {
    #[serde(borrow)]
    message: Member<'a>,
}

/// The answer to a call that was refused as a whole.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireWholeRefusal<'a> {
    #[serde(borrow)]
    message: Member<'a>,
    #[serde(borrow)]
    elements: Member<'a>,
}

/// What an element says of itself.
enum ElementVerdict {
    /// It is there, and what it is was compared with what was sent.
    Stored(Placed),
    Refused(String),
    /// Neither, both, or not readable.
    Nothing,
}

/// What the elements of an answer say, for every stamp of the bundle. `None` if it is no answer to
/// such a call at all.
pub(crate) fn read(bundle: &Bundle, body: &[u8]) -> Option<BTreeMap<Stamp, WriteOutcome>> {
    let elements = elements(bundle.kind(), body)?;
    let count = elements.len();
    let mut by_stamp: BTreeMap<&Stamp, Vec<ElementVerdict>> = BTreeMap::new();
    let mut strays = Vec::new();
    let mut is_foreign = false;
    for raw in elements {
        let element: Option<WireElement<'_>> = object(raw);
        let stamp = element.as_ref().and_then(|element| match bundle.kind() {
            // It bears none, and goes alone.
            StampedKind::Allocations => bundle.stamps().next().cloned(),
            kind => stamp_of(kind, element),
        });
        let sent = stamp.as_ref().map(|stamp| bundle.sent().iter().find(|s| s.stamp == *stamp));
        let said =
            element.map_or(ElementVerdict::Nothing, |e| said(bundle.kind(), &e, sent.flatten()));
        match sent {
            Some(Some(sent)) => by_stamp.entry(&sent.stamp).or_default().push(said),
            Some(None) => is_foreign = true,
            None => strays.push(said),
        }
    }
    let missing: Vec<&Stamp> =
        bundle.stamps().filter(|stamp| !by_stamp.contains_key(stamp)).collect();
    let mut answers: BTreeMap<Stamp, WriteOutcome> = by_stamp
        .into_iter()
        .map(|(stamp, mut said)| {
            // Two elements for one stamp contradict each other, even if they say the same.
            let only = if said.len() == 1 { said.pop() } else { None };
            (stamp.clone(), only.unwrap_or(ElementVerdict::Nothing).into_answer())
        })
        .collect();
    // Refused elements may lack their reference (Xero-Java#199). If there are exactly as many as are
    // missing, and nothing but refusals among them, all of the missing ones were refused; only which
    // sentence belongs to which is taken from the order.
    let fits = !is_foreign && count == bundle.sent().len() && strays.len() == missing.len();
    let all_refused = strays.iter().all(|said| matches!(said, ElementVerdict::Refused(_)));
    let mut strays = strays.into_iter();
    for stamp in missing {
        let said = if fits && all_refused { strays.next() } else { None };
        answers.insert(stamp.clone(), said.unwrap_or(ElementVerdict::Nothing).into_answer());
    }
    unless_proven_once(&mut answers);
    Some(answers)
}

/// One id is no proof of two payments.
fn unless_proven_once(answers: &mut BTreeMap<Stamp, WriteOutcome>) {
    let proofs: Vec<Uuid> = answers.values().filter_map(proof).collect();
    for answer in answers.values_mut() {
        let shared = |id| proofs.iter().filter(|other| **other == id).count() > 1;
        if proof(answer).is_some_and(shared) {
            *answer = WriteOutcome::Unclear;
        }
    }
}

fn proof(answer: &WriteOutcome) -> Option<Uuid> {
    match answer {
        WriteOutcome::Placed(Placed::Payment(id)) => id.to_string().parse().ok(),
        WriteOutcome::Placed(Placed::Prepayment { transaction, .. }) => Some(*transaction),
        WriteOutcome::Placed(Placed::Bill(id)) => id.to_string().parse().ok(),
        WriteOutcome::Placed(Placed::CreditNote(id)) => Some(id.uuid()),
        WriteOutcome::Placed(Placed::Allocation(id)) => Some(*id),
        _ => None,
    }
}

impl ElementVerdict {
    fn into_answer(self) -> WriteOutcome {
        match self {
            Self::Stored(placed) => WriteOutcome::Placed(placed),
            Self::Refused(why) => WriteOutcome::Refused(why),
            Self::Nothing => WriteOutcome::Unclear,
        }
    }
}

/// The kind of a refusal of the whole call, such as status 400.
pub(crate) fn whole_refusal(body: &[u8]) -> Option<RefusalKind> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let wire: WireWholeRefusal<'_> = object(whole)?;
    let elements: Vec<&RawValue> = wire
        .elements
        .and_then(|elements| serde_json::from_str(elements.get()).ok())
        .unwrap_or_default();
    let mut sentences: Vec<String> = elements
        .into_iter()
        .filter_map(object::<WireElement<'_>>)
        .flat_map(|element| sentences(element.validation_errors).unwrap_or_default())
        .collect();
    if sentences.is_empty() {
        sentences.push(text(wire.message)?);
    }
    Some(RefusalKind::of(&sentences.join("; ")))
}

/// What a refusal of the whole call, of status 400, says of each element: nothing of the call is stored. An element with
/// an error of its own is refused with that, and the only element of a call with any sentence there is; the
/// others were turned away along with it. `None` if it is no such refusal, or shows the id of something stored. It
/// proves nothing where the same key was sent before: then it may be an echo (FAULT-25).
pub(crate) fn refused_whole(bundle: &Bundle, body: &[u8]) -> Option<BTreeMap<Stamp, WriteOutcome>> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let wire: WireWholeRefusal<'_> = object(whole)?;
    let elements: Vec<&RawValue> = match wire.elements {
        None => Vec::new(),
        Some(raw) => serde_json::from_str(raw.get()).ok()?,
    };
    let mut answers: BTreeMap<Stamp, WriteOutcome> =
        bundle.stamps().map(|stamp| (stamp.clone(), WriteOutcome::TurnedAway)).collect();
    let mut sentence = text(wire.message).filter(|message| !message.trim().is_empty());
    for raw in elements {
        let element: WireElement<'_> = object(raw)?;
        if own_id(bundle.kind(), &element) != Ok(None) {
            return None;
        }
        let Some(why) = refusal_of(&element).ok()? else { continue };
        let stamp = stamp_of(bundle.kind(), &element);
        if let Some(answer) = stamp.and_then(|stamp| answers.get_mut(&stamp)) {
            *answer = WriteOutcome::Refused(why.clone());
        }
        sentence = Some(why);
    }
    // One about the key speaks of another request, which is not this one.
    let sentence = sentence.filter(|said| !said.to_lowercase().contains("idempotency"))?;
    if let [only] = bundle.sent()
        && answers.values().all(|answer| *answer == WriteOutcome::TurnedAway)
    {
        answers.insert(only.stamp.clone(), WriteOutcome::Refused(kept(&sentence)));
    }
    Some(answers)
}

fn elements(kind: StampedKind, body: &[u8]) -> Option<Vec<&RawValue>> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let wire: WireAnswer<'_> = object(whole)?;
    let list = match kind {
        StampedKind::Payments => wire.payments,
        StampedKind::Prepayments => wire.bank_transactions,
        StampedKind::Bills => wire.invoices,
        StampedKind::CreditNotes => wire.credit_notes,
        StampedKind::Allocations => wire.allocations,
    };
    serde_json::from_str(list?.get()).ok()
}

/// The stamp of an element: in its reference, in the line of a prepayment, in the number of a bill.
pub(crate) fn stamp_of(kind: StampedKind, element: &WireElement<'_>) -> Option<Stamp> {
    let find_in = |member| text(member).and_then(|text| Stamp::find_in(&text));
    match kind {
        StampedKind::Payments => find_in(element.reference),
        StampedKind::Prepayments => find_in(element.reference).or_else(|| {
            lines(element)?.into_iter().find_map(|line| {
                let line: WireLineOf<'_> = object(line)?;
                find_in(line.description)
            })
        }),
        StampedKind::Bills => find_in(element.invoice_number),
        StampedKind::CreditNotes => find_in(element.credit_note_number),
        StampedKind::Allocations => None,
    }
}

/// The lines of a bank transaction, if it shows any list of them.
pub(crate) fn lines<'a>(element: &WireElement<'a>) -> Option<Vec<&'a RawValue>> {
    serde_json::from_str(element.line_items?.get()).ok()
}

fn own_id(kind: StampedKind, element: &WireElement<'_>) -> Result<Option<Uuid>, ()> {
    match kind {
        StampedKind::Payments => id(element.payment_id),
        StampedKind::Prepayments => id(element.bank_transaction_id),
        StampedKind::Bills => id(element.invoice_id),
        StampedKind::CreditNotes => id(element.credit_note_id),
        StampedKind::Allocations => id(element.allocation_id),
    }
}

fn said(kind: StampedKind, element: &WireElement<'_>, sent: Option<&Sent>) -> ElementVerdict {
    match (own_id(kind, element), refusal_of(element)) {
        (Ok(Some(id)), Ok(None))
            if sent.is_some_and(|sent| is_what_was_sent(kind, element, sent)) =>
        {
            ElementVerdict::Stored(placed(kind, id, element))
        }
        (Ok(None), Ok(Some(why))) => ElementVerdict::Refused(why),
        _ => ElementVerdict::Nothing,
    }
}

pub(crate) fn placed(kind: StampedKind, own: Uuid, element: &WireElement<'_>) -> Placed {
    match kind {
        StampedKind::Payments => Placed::Payment(XeroPaymentId::new(own)),
        StampedKind::Prepayments => Placed::Prepayment {
            transaction: own,
            prepayment: id(element.prepayment_id).ok().flatten(),
        },
        StampedKind::Bills => Placed::Bill(XeroInvoiceId::new(own)),
        StampedKind::CreditNotes => Placed::CreditNote(XeroCreditId::new(own)),
        StampedKind::Allocations => Placed::Allocation(own),
    }
}

/// Whether the element stands in Xero as it was sent.
fn is_what_was_sent(kind: StampedKind, element: &WireElement<'_>, sent: &Sent) -> bool {
    let invoice = element.invoice.and_then(object::<WireInvoiceOf<'_>>);
    let (amount, currency, its_type) = match kind {
        StampedKind::Payments => {
            (element.amount, invoice.as_ref().and_then(|of| of.currency_code), None)
        }
        StampedKind::Prepayments => {
            (element.total, element.currency_code, Some(RECEIVE_PREPAYMENT))
        }
        StampedKind::Bills => (element.total, element.currency_code, Some(ACCPAY)),
        StampedKind::CreditNotes => (element.total, element.currency_code, Some(ACCPAYCREDIT)),
        StampedKind::Allocations => (element.amount, None, None),
    };
    let amount = amount.and_then(|raw| decimals::money(raw, sent.amount.currency()));
    let other_currency = text(currency).is_some_and(|code| code != sent.amount.currency().code());
    let other_invoice = sent.invoice.is_some_and(|sent| {
        let shown = invoice.and_then(|of| text(of.invoice_id));
        shown.is_some_and(|shown| shown.parse() != Ok(sent))
    });
    let other_type = its_type
        .is_some_and(|expected| text(element.r#type).is_some_and(|shown| shown != expected));
    // An allocation has no status.
    let stands =
        kind == StampedKind::Allocations || text(element.status).as_deref() == Some(sent.status);
    stands && amount == Some(sent.amount) && !other_currency && !other_invoice && !other_type
}

/// Why the element was refused; `None` if it was not, `Err` if that is not clear.
fn refusal_of(element: &WireElement<'_>) -> Result<Option<String>, ()> {
    let by_status = match element.status_attribute_string {
        None => false,
        Some(raw) => match serde_json::from_str::<String>(raw.get()).map_err(|_| ())?.as_str() {
            "" | "OK" | "WARNING" => false,
            "ERROR" => true,
            _ => return Err(()),
        },
    };
    // Xero writes some booleans as texts (facts.md 4.1).
    let flag = |member: Member<'_>| match member.map(RawValue::get) {
        None | Some("false" | "\"false\"") => Ok(false),
        Some("true" | "\"true\"") => Ok(true),
        Some(_) => Err(()),
    };
    let by_flag = flag(element.has_validation_errors)? || flag(element.has_errors)?;
    let sentences = sentences(element.validation_errors)?;
    if !by_status && !by_flag && sentences.is_empty() {
        return Ok(None);
    }
    let mut why = sentences.join("; ");
    if why.trim().is_empty() {
        NO_REASON.clone_into(&mut why);
    }
    Ok(Some(kept(&why)))
}

/// A sentence of Xero's as it is kept.
fn kept(sentence: &str) -> String {
    let plain = sentence.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(REFUSAL_CHARS_MAX).collect()
}

/// The sentences of a list of errors; one that cannot be read counts, without words.
fn sentences(member: Member<'_>) -> Result<Vec<String>, ()> {
    let Some(raw) = member else { return Ok(Vec::new()) };
    let errors: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| ())?;
    let sentence = |raw| text(object::<WireMessage<'_>>(raw)?.message);
    Ok(errors.into_iter().map(|raw| sentence(raw).unwrap_or_default()).collect())
}
