//! Discrepancies between the payments of an invoice and a read of it in Xero.

use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind, FoundDiscrepancies};
use crate::invoice::{Snapshot, XeroPayment};
use crate::payment::{Kind, Payment};
use crate::reason::Held;
use crate::stored::StoredInvoice;

/// What the payments of the snapshot say.
pub(crate) fn in_the_snapshot(
    invoice: &StoredInvoice,
    snapshot: &Snapshot,
    found: &mut FoundDiscrepancies,
) {
    let counted = snapshot.counted_payments();
    let complete = snapshot.ties_out();
    for payment in &invoice.payments {
        let Some(link) = payment.link else { continue };
        let original = counted.iter().find(|incoming| incoming.id == link);
        if original.is_none() && !complete {
            keep(invoice, payment.id.as_str(), found);
        } else if let Some((kind, why)) = not_like_its_original(payment, original.copied()) {
            found.insert(DiscrepancyKey::about(kind, &payment.id), why);
        }
    }
    for held in invoice.held.iter().filter(|held| held.reason == Held::MultiInvoice) {
        let why = format!(
            "{} of {} equals a part of a local payment over several invoices, which is left alone",
            held.payment.amount, held.payment.date
        );
        let key = DiscrepancyKey::about(DiscrepancyKind::MultiInvoiceHeld, held.payment.id);
        found.insert(key, why);
    }
    if !complete {
        found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::TieOut), no_tie_out(snapshot));
    }
}

/// An incomplete read neither raises nor closes what it does not show.
fn keep(invoice: &StoredInvoice, subject: &str, found: &mut FoundDiscrepancies) {
    let kinds = [
        DiscrepancyKind::JournaledChanged,
        DiscrepancyKind::JournaledDeleted,
        DiscrepancyKind::TieOut,
        DiscrepancyKind::UploadedDeletedInXero,
    ];
    for known in invoice.standing_discrepancies() {
        if known.key.subject == subject && kinds.contains(&known.key.kind) {
            found.insert(known.key.clone(), known.detail.clone());
        }
    }
}

/// Why a linked payment that is left alone does not agree with Xero, if it does not.
fn not_like_its_original(
    payment: &Payment,
    original: Option<&XeroPayment>,
) -> Option<(DiscrepancyKind, String)> {
    match original {
        Some(original) if payment.equals(original) => None,
        // The business says that the money was not taken, or was given back, and Xero has it no longer.
        None if payment.is_taken_back() => None,
        Some(original) if payment.journaled => Some((
            DiscrepancyKind::JournaledChanged,
            format!(
                "journaled as {} of {}, now {} of {} in Xero; reverse the journal to let the copy \
                 follow",
                payment.amount, payment.date, original.amount, original.date
            ),
        )),
        Some(original) => Some((
            DiscrepancyKind::TieOut,
            format!(
                "{} of {} here, {} of {} in Xero; it is left as it is",
                payment.amount, payment.date, original.amount, original.date
            ),
        )),
        None => Some(gone(payment, "no longer in Xero")),
    }
}

pub(crate) fn gone(payment: &Payment, what: &str) -> (DiscrepancyKind, String) {
    let amount = payment.amount;
    if payment.journaled {
        let why = format!(
            "{what}, so that the local side is overstated by {amount}; reverse the journal to let \
             the copy go"
        );
        (DiscrepancyKind::JournaledDeleted, why)
    } else if payment.kind == Kind::Uploaded {
        let why = format!("{amount} of {} was uploaded; {what}; the money was taken", payment.date);
        (DiscrepancyKind::UploadedDeletedInXero, why)
    } else {
        let why = format!("{amount} of {}: {what}; it is left as it is", payment.date);
        (DiscrepancyKind::TieOut, why)
    }
}

pub(crate) fn no_tie_out(snapshot: &Snapshot) -> String {
    format!(
        "{} payments do not add up to AmountPaid {}; nothing is deleted on the word of this read",
        snapshot.counted_payments().len(),
        snapshot.figures.paid
    )
}
