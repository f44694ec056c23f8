//! What a proven upload means for the invoice that it was made on.

use jiff::Timestamp;

use super::ledger::Upload;
use super::part::{Part, PartState, Placed, Target};
use crate::decision::{Action, Decision};
use crate::mirroring::Change;
use crate::payment::{Kind, NOTE_UPLOADED, Origin, Payment, PaymentStatus, State};
use crate::stored::StoredInvoice;

/// Writes a part that is proven to be in Xero onto its invoice: as the business's own payment, linked
/// to the Xero payment, so that the mirror finds it there and neither copies nor deletes it (AMB-05,
/// AMB-08). `None` if the invoice has it already, or if the part is none of an invoice.
pub fn link(
    stored: &StoredInvoice,
    upload: &Upload,
    part: &Part,
    now: Timestamp,
) -> Option<Change> {
    let (Some(Placed::Payment(xero)), Target::Invoice { .. }) = (part.placed, &part.target) else {
        return None;
    };
    let receipt = &upload.receipt;
    let known = stored.payment(&receipt.id);
    if known.is_some_and(|known| known.stamp.as_ref() == Some(&part.stamp) && known.link.is_some())
    {
        return None;
    }
    let on_invoices = upload.parts.iter().filter(|part| {
        part.state != PartState::Refused && matches!(part.target, Target::Invoice { .. })
    });
    let mut payment = Payment {
        id: receipt.id.clone(),
        amount: part.amount,
        date: receipt.date,
        reference: receipt.reference.clone(),
        origin: Origin::Local,
        kind: Kind::Uploaded,
        status: match receipt.status {
            PaymentStatus::Pending => PaymentStatus::Confirmed,
            status => status,
        },
        method: receipt.method.clone(),
        transaction_id: receipt.transaction_id.clone(),
        journaled: receipt.journaled,
        multi_invoice: receipt.is_multi_invoice() || on_invoices.count() > 1,
        link: Some(xero),
        stamp: Some(part.stamp.clone()),
        first_match_at: Some(known.and_then(|known| known.first_match_at).unwrap_or(now)),
        note: Some(match known.and_then(|known| known.note.as_deref()) {
            Some(note) if note != NOTE_UPLOADED => format!("{note}; {NOTE_UPLOADED}"),
            _ => NOTE_UPLOADED.to_owned(),
        }),
        created_at: receipt.entered_at,
        balance_after: known.and_then(|known| known.balance_after),
        state: State::Uploaded,
        protection: None,
        revision: known.map_or(receipt.revision, |known| known.revision),
    };
    payment.settle_state();

    let mut change = Change::of(stored);
    let held = stored.held.iter().find(|held| held.payment.id == xero);
    if let Some(held) = held {
        change.release(held, "it is our own upload, and it is linked now");
        change.after.held.retain(|other| other.payment.id != xero);
    }
    change.decisions.push(Decision {
        action: Action::Uploaded,
        rule: "AMB-05",
        payment: Some(payment.id.clone()),
        xero: Some(xero),
        discrepancy: None,
        why: format!("{} of {} is in Xero as our own upload", payment.amount, payment.date),
    });
    change.after.payments.retain(|other| other.id != payment.id);
    change.after.payments.push(payment);
    Some(change.locally_changed(now))
}
