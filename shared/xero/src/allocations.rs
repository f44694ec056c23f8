//! Allocations to an invoice: its `CreditNotes[]`, `Prepayments[]` and `Overpayments[]`.

use payments::{AppliedCredit, CreditKind, Currency};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::{Member, object, optional_day, optional_text, required_money, text};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireApplied<'a> {
    #[serde(borrow, rename = "CreditNoteID")]
    credit_note_id: Member<'a>,
    #[serde(borrow, rename = "PrepaymentID")]
    prepayment_id: Member<'a>,
    #[serde(borrow, rename = "OverpaymentID")]
    overpayment_id: Member<'a>,
    #[serde(borrow)]
    credit_note_number: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    applied_amount: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
}

/// Reads one of the three lists. What of it cannot be read is left out: the sum of all stands in
/// `AmountCredited`, and nothing is decided by these.
pub(crate) fn applied(
    kind: CreditKind,
    member: Member<'_>,
    currency: Currency,
) -> Vec<AppliedCredit> {
    let list = member.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
    let list = list.unwrap_or_default();
    list.into_iter().filter_map(|raw| allocation(kind, raw, currency)).collect()
}

fn allocation(kind: CreditKind, raw: &RawValue, currency: Currency) -> Option<AppliedCredit> {
    let wire: WireApplied<'_> = object(raw)?;
    let id = match kind {
        CreditKind::CreditNote => wire.credit_note_id,
        CreditKind::Prepayment => wire.prepayment_id,
        CreditKind::Overpayment => wire.overpayment_id,
    };
    let number = wire.credit_note_number.or(wire.invoice_number);
    Some(AppliedCredit {
        kind,
        credit: text(id)?.parse().ok()?,
        number: optional_text(number, "Number").ok()?.filter(|number| !number.is_empty()),
        amount: required_money(wire.applied_amount, currency, "AppliedAmount").ok()?,
        date: optional_day(wire.date, "Date").ok()?,
    })
}
