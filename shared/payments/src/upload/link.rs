//! What a proven upload means for the invoice that it was made on.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::ledger::Upload;
use super::part::{Part, Placed, Target};
use super::route::Route;
use crate::change::Change;
use crate::decision::{Action, Decision};
use crate::ids::{InvoiceNumber, PaymentId, XeroInvoiceId, XeroPaymentId};
use crate::invoice_discrepancies;
use crate::mass_change::REPLACED_BY_REPORT;
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
    // A report that came while it was on its way says what became of the money.
    let newest = upload.reported_since.as_ref().map_or(receipt, |reported| &reported.0);
    let known = stored.payment(&receipt.id);
    if known.is_some_and(|known| known.stamp.as_ref() == Some(&part.stamp) && known.link.is_some())
    {
        return None;
    }
    let on_invoices = upload
        .parts
        .iter()
        .filter(|part| part.state.stands() && matches!(part.target, Target::Invoice { .. }));
    let mut payment = Payment {
        id: receipt.id.clone(),
        amount: part.amount,
        date: receipt.date,
        reference: receipt.reference.clone(),
        origin: Origin::Local,
        kind: Kind::Uploaded,
        status: match newest.status {
            PaymentStatus::Pending => PaymentStatus::Confirmed,
            status => status,
        },
        method: receipt.method.clone(),
        transaction_id: receipt.transaction_id.clone(),
        journaled: newest.journaled,
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
        revision: known.map_or(newest.revision, |known| known.revision),
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

/// Links a reported payment with the payment in Xero that was found to be the same (A8.3). If that has a copy
/// here, the payment takes its place. `None` if the payment is not there, or may not be linked.
pub fn link_found(
    stored: &StoredInvoice,
    payment: &PaymentId,
    xero: XeroPaymentId,
    now: Timestamp,
) -> Option<Change> {
    let known = stored.payment(payment)?;
    let may_be_linked = known.kind == Kind::Manual
        && !known.multi_invoice
        && known.link.is_none()
        && known.status.can_match();
    let other = stored.payments.iter().find(|other| other.link == Some(xero));
    if !may_be_linked || other.is_some_and(|other| other.origin == Origin::Local) {
        return None;
    }
    let mut change = Change::of(stored);
    let mut linked = known.clone();
    if let Some(copy) = other {
        let why = format!("replaced by the report {payment}");
        change.remove_by(REPLACED_BY_REPORT, copy, None, now, &why);
        linked.journaled |= copy.journaled;
    }
    linked.adopt(xero, now);
    change.decisions.push(Decision {
        action: Action::Adopted,
        rule: "A8.3",
        payment: Some(payment.clone()),
        xero: Some(xero),
        discrepancy: None,
        why: format!("{} of {} was entered in Xero by hand", linked.amount, linked.date),
    });
    change.after.payments.retain(|other| other.id != *payment);
    change.after.payments.push(linked);
    let mut change = change.locally_changed(now);
    invoice_discrepancies::update_possible_duplicates(&mut change, now);
    Some(change)
}

impl Upload {
    /// The one invoice of the business's own system that it is about, as far as that is known without asking
    /// anybody: the only one that it was reported for, unless a night has planned it for what the customer owes.
    pub fn only_invoice(&self) -> Option<&InvoiceNumber> {
        let [only] = self.receipt.allocations.as_slice() else { return None };
        let goes_elsewhere = self.route().is_ok_and(Route::is_nightly) && !self.parts.is_empty();
        (!goes_elsewhere).then_some(&only.invoice)
    }

    /// The invoices in Xero on which something of it stands, or may stand.
    pub fn invoices_in_xero(&self) -> BTreeSet<XeroInvoiceId> {
        let begun = |part: &&Part| part.tries > 0 && part.state.stands();
        let invoice = |part: &Part| match part.target {
            Target::Invoice { id, .. } => Some(id),
            Target::Prepayment { .. }
            | Target::Bill { .. }
            | Target::CreditNote { .. }
            | Target::Allocation { .. } => None,
        };
        self.parts.iter().filter(begun).filter_map(invoice).collect()
    }

    /// The one invoice in Xero that its parts go to, apart from a prepayment.
    pub fn only_target(&self) -> Option<XeroInvoiceId> {
        let mut targets = self.parts.iter().filter_map(|part| match part.target {
            Target::Invoice { id, .. } => Some(id),
            Target::Prepayment { .. }
            | Target::Bill { .. }
            | Target::CreditNote { .. }
            | Target::Allocation { .. } => None,
        });
        let first = targets.next()?;
        targets.all(|other| other == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::admission::admit;
    use super::*;
    use crate::ids::XeroContactId;
    use crate::money::Money;
    use crate::reports::{Allocation, Receipt};

    fn aud(cents: i64) -> Money {
        Money::new(rust_decimal::Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
    }

    fn reported(method: &str, invoices: &[&str]) -> Upload {
        let allocation =
            |invoice: &&str| Allocation { invoice: invoice.parse().unwrap(), amount: aud(100) };
        let receipt = Receipt {
            organisation: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
            id: "P-1".parse().unwrap(),
            revision: 1,
            amount: aud(200),
            date: jiff::civil::date(2026, 3, 2),
            reference: None,
            method: method.to_owned(),
            channel: None,
            customer: Some("K-1".parse().unwrap()),
            transaction_id: "T-1".to_owned(),
            status: PaymentStatus::Confirmed,
            approved: true,
            settled: false,
            journaled: false,
            allocations: invoices.iter().map(allocation).collect(),
            entered_at: Timestamp::UNIX_EPOCH,
            document: None,
        };
        *admit(None, &receipt, Timestamp::UNIX_EPOCH).upload.unwrap()
    }

    fn planned(upload: &Upload, invoices: &[u128]) -> Upload {
        let invoice = |n: &u128| {
            let id = XeroInvoiceId::new(Uuid::from_u128(*n));
            (Target::Invoice { id, number: format!("CM-{n}") }, aud(50))
        };
        let contact = XeroContactId::new(Uuid::from_u128(9));
        let mut parts: Vec<_> = invoices.iter().map(invoice).collect();
        let on_invoices =
            Money::sum(upload.receipt.amount.currency(), parts.iter().map(|part| part.1));
        let rest = upload.receipt.amount.minus(on_invoices.unwrap()).unwrap();
        parts.push((Target::Prepayment { contact }, rest));
        let mut upload = upload.clone();
        upload.reserve("2026-03-02".parse().unwrap(), parts, Timestamp::UNIX_EPOCH).unwrap();
        upload
    }

    #[test]
    fn it_is_known_about_which_invoice_a_payment_is_if_it_is_one() {
        // EX-24
        let number = |upload: &Upload| upload.only_invoice().map(ToString::to_string);
        let direct = reported("virtual_terminal", &["7"]);
        assert_eq!(number(&direct).as_deref(), Some("7"));
        assert_eq!(number(&planned(&direct, &[7])).as_deref(), Some("7"));
        assert_eq!(number(&reported("virtual_terminal", &["7", "8"])), None);
        // A night takes what the customer owes, wherever the business has put it.
        let nightly = reported("bpay", &["7"]);
        assert_eq!(number(&nightly).as_deref(), Some("7"));
        assert_eq!(number(&planned(&nightly, &[8])), None);
        let target = |invoices: &[u128]| planned(&nightly, invoices).only_target();
        assert_eq!(target(&[8]), Some(XeroInvoiceId::new(Uuid::from_u128(8))));
        assert_eq!((target(&[7, 8]), target(&[])), (None, None));
    }
}
