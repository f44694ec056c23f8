//! An invoice as a person reads it.

use std::sync::Arc;

use jiff::Timestamp;
use payments::explanations::{
    Agreement, Facts, InvoiceContext, InvoiceView, Overdue, Subject, XeroLinks,
};
use payments::upload::Customer;
use payments::{
    Change, Figures, InvoiceStatus, Money, StoredInvoice, Verdict, XeroPayment, XeroPaymentKind,
    mirror,
};

use crate::explaining::samples::{admitted, instant, on, pay_now, removed, settings, state_of};
use crate::worlds::{aud, known_invoice, noon, snapshot, xero_id};

fn payment(n: u8, date: &str, cents: i64) -> XeroPayment {
    XeroPayment {
        id: xero_id(n),
        date: date.parse().unwrap(),
        amount: aud(cents),
        reference: None,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// What the invoice over 60.00 is after reads that showed these payments, and the last change.
fn after(reads: &[Vec<XeroPayment>]) -> (StoredInvoice, Change) {
    let mut stored = known_invoice(Vec::new());
    let mut last = None;
    for (day, payments) in (3..).zip(reads) {
        let read = snapshot(payments.clone(), day, day);
        let Verdict::Changed(change) = mirror(&stored, &read, &settings(), noon(day)) else {
            panic!("a read without news");
        };
        stored = change.after.clone();
        // A stored invoice counts its writes.
        stored.revision += 1;
        last = Some(*change);
    }
    (stored, last.unwrap())
}

fn view_at(stored: &StoredInvoice, context: &InvoiceContext, now: Timestamp) -> InvoiceView {
    let links = XeroLinks::new(Some("!mBdtL"), true);
    InvoiceView::of(&Arc::new(stored.clone()), context, &settings(), &links, now).unwrap()
}

fn view(stored: &StoredInvoice) -> InvoiceView {
    view_at(stored, &InvoiceContext::default(), noon(8))
}

fn balances(view: &InvoiceView) -> Vec<(String, Option<Money>)> {
    view.payments.iter().map(|line| (line.date.to_string(), line.balance_after)).collect()
}

#[test]
fn the_balance_is_shown_after_each_payment_in_the_order_of_their_dates() {
    // ST-03, ST-07, ST-08, ST-09
    let (stored, _) =
        after(&[vec![payment(1, "2026-03-04", 20_00), payment(2, "2026-03-02", 10_00)]]);
    let view = view(&stored);
    assert_eq!(
        balances(&view),
        [("2026-03-02".to_owned(), Some(aud(50_00))), ("2026-03-04".to_owned(), Some(aud(30_00)))]
    );
    assert_eq!(view.agreement, Agreement::Agrees);
    assert_eq!((view.total, view.paid, view.due), (Some(aud(60_00)), Some(aud(30_00)), view.due));
    assert_eq!(view.due, Some(aud(30_00)));
    assert_eq!(view.xero_number, "CM-10234");
    assert_eq!(view.last_read_at, Some(noon(3)));
    assert!(view.remarks.is_empty() && view.discrepancies.is_empty());
    // The balance on the page is the one that was stored with the payment.
    for line in &view.payments {
        let id = line.payment.as_ref().unwrap();
        assert_eq!(stored.payment(id).unwrap().balance_after, line.balance_after);
    }
}

#[test]
fn a_held_payment_is_in_xero_and_so_lowers_the_balance() {
    // CM-40, AMB-20, ST-05
    let (stored, _) =
        after(&[vec![payment(1, "2026-03-02", 20_00), payment(2, "2026-06-30", 40_00)]]);
    let view = view(&stored);
    let held = view.payments.last().unwrap();
    assert_eq!(
        (held.payment.as_ref(), held.state.to_string().as_str()),
        (None, "held (FUTURE_DATED)")
    );
    assert_eq!(held.balance_after, Some(aud(0)));
    assert_eq!(view.agreement, Agreement::Agrees);
}

#[test]
fn credit_is_shown_apart_and_is_no_payment() {
    // V15, AMB-19, CM-22
    let mut stored = known_invoice(Vec::new());
    let mut read = snapshot(vec![payment(1, "2026-03-02", 40_00)], 3, 3);
    read.figures =
        Figures { total: aud(60_00), paid: aud(40_00), credited: aud(20_00), due: aud(0) };
    if let Verdict::Changed(change) = mirror(&stored, &read, &settings(), noon(3)) {
        stored = change.after;
    }
    let view = view(&stored);
    assert_eq!((view.credited, view.to_pay), (Some(aud(20_00)), Some(aud(40_00))));
    assert_eq!(balances(&view)[0].1, Some(aud(0)));
    assert_eq!(view.agreement, Agreement::Agrees);
}

#[test]
fn a_difference_from_xero_is_shown_and_never_hidden() {
    // ST-04, CM-27: a journaled payment that was deleted in Xero.
    let (mut stored, _) = after(&[vec![payment(1, "2026-03-02", 20_00)]]);
    stored.payments[0].journaled = true;
    stored.payments[0].state = payments::State::Protected;
    stored.payments[0].protection = Some(payments::Protection::Journaled);
    let read = snapshot(Vec::new(), 5, 5);
    let Verdict::Changed(change) = mirror(&stored, &read, &settings(), noon(5)) else { panic!() };
    let view = view(&change.after);
    let zero = aud(0).minus(aud(20_00)).unwrap();
    assert_eq!(view.agreement, Agreement::Differs { ours: aud(40_00), xero: aud(60_00), by: zero });
    assert_eq!(view.due, Some(aud(60_00)));
    assert_eq!(view.discrepancies.len(), 1);
    assert_eq!(view.payments[0].state.to_string(), "protected (journaled)");
}

#[test]
fn what_is_not_in_xero_is_listed_and_does_not_lower_the_balance() {
    // CM-39, V9
    let (mut stored, _) = after(&[vec![payment(1, "2026-03-02", 20_00)]]);
    let mut manual = stored.payments[0].clone();
    manual.id = "local-1".parse().unwrap();
    (manual.link, manual.kind, manual.origin) =
        (None, payments::Kind::Manual, payments::Origin::Local);
    manual.state = payments::State::Protected;
    manual.protection = Some(payments::Protection::Manual);
    stored.payments.push(manual);
    let view = view(&stored);
    let lines: Vec<_> =
        view.payments.iter().map(|line| (line.counts, line.balance_after)).collect();
    assert_eq!(lines, [(true, Some(aud(40_00))), (false, Some(aud(40_00)))]);
    assert_eq!(view.agreement, Agreement::Agrees);
}

#[test]
fn an_invoice_is_overdue_from_the_day_after_its_due_date_in_its_own_time_zone() {
    // ST-12: due on 9 March; Sydney is eleven hours ahead of UTC.
    let (stored, _) = after(&[vec![payment(1, "2026-03-02", 20_00)]]);
    let at = |text: &str| view_at(&stored, &InvoiceContext::default(), instant(text)).overdue;
    assert_eq!(at("2026-03-09T12:59:59Z"), None);
    let late = |days| Some(Overdue { due: aud(40_00), days });
    assert_eq!(at("2026-03-09T13:00:00Z"), late(1));
    assert_eq!(at("2026-04-09T00:00:00Z"), late(31));
    // Paid in full, or no longer standing: never.
    let (paid, _) = after(&[vec![payment(1, "2026-03-02", 60_00)]]);
    assert_eq!(view_at(&paid, &InvoiceContext::default(), noon(30)).overdue, None);
    let mut voided = stored.clone();
    voided.xero.as_mut().unwrap().status = InvoiceStatus::Voided;
    let view = view_at(&voided, &InvoiceContext::default(), noon(30));
    assert_eq!(view.overdue, None);
    assert!(matches!(view.agreement, Agreement::CannotSay(_)));
}

#[test]
fn what_was_removed_is_listed_with_its_reason() {
    // CM-23, CM-09
    let (stored, change) = after(&[vec![payment(1, "2026-03-02", 20_00)], Vec::new()]);
    let context = InvoiceContext {
        removed: removed(&stored, &change.tombstones),
        ..InvoiceContext::default()
    };
    let view = view_at(&stored, &context, noon(8));
    assert!(view.payments.is_empty());
    let line = &view.removed[0];
    assert_eq!((line.amount, line.xero, line.removed_by), (aud(20_00), Some(xero_id(1)), "mirror"));
    assert_eq!(line.why, "no longer among the invoice's payments in Xero");
}

#[test]
fn what_concerns_the_whole_invoice_is_remarked() {
    // CM-01, CM-05, A1.1
    let rules = |view: &InvoiceView| view.remarks.iter().map(|r| r.rule).collect::<Vec<_>>();
    let (stored, _) = after(&[vec![payment(1, "2026-03-02", 20_00)]]);
    let mut elsewhere = stored.clone();
    elsewhere.local = None;
    assert_eq!(rules(&view(&elsewhere)), ["A1.1"]);
    assert_eq!(rules(&view(&known_invoice(Vec::new()))), ["ST-01"]);
    let mut brake = payments::mass_change::Brake::off(stored.organisation);
    brake.waiting.insert(stored.number.clone(), 120);
    let context = InvoiceContext { brake: Some(brake), ..InvoiceContext::default() };
    assert_eq!(rules(&view_at(&stored, &context, noon(8))), ["CM-37"]);
    let mut changed = stored.clone();
    changed.settled = None;
    assert_eq!(rules(&view(&changed)), ["CM-31"]);
}

#[test]
fn of_a_number_that_nothing_is_stored_of_there_is_no_view() {
    let unknown = StoredInvoice::unknown(settings().organisation, "9".parse().unwrap());
    let links = XeroLinks::default();
    let context = InvoiceContext::default();
    let view = InvoiceView::of(&Arc::new(unknown), &context, &settings(), &links, noon(8));
    assert_eq!(view, None);
}

#[test]
fn a_payment_has_the_same_state_on_its_invoice_as_by_itself() {
    // A7.4: entered by hand, and waiting to go up; its row alone would say that it is left as it is.
    let receipt = pay_now("P-1");
    let stored = known_invoice(Vec::new());
    let change = payments::record_part(&stored, &receipt, noon(3)).unwrap().unwrap();
    let stored = StoredInvoice { revision: 2, ..change.after };
    let upload = admitted(&receipt);
    let blocked = Customer {
        organisation: stored.organisation,
        id: "K-1".parse().unwrap(),
        revision: 1,
        name: None,
        contact: None,
        blocked: Some("two contacts".to_owned()),
        blocked_at: Some(noon(1)),
        merged: None,
        unusable_contact: None,
    };
    let alone = view(&stored).payments[0].state.to_string();
    assert_eq!(alone, "protected (manual)");
    let mut context = InvoiceContext::default();
    context.uploads.insert(receipt.id.clone(), upload.clone());
    for (customer, expected) in
        [(None, "waiting (at_once)"), (Some(blocked), "blocked (BLOCKED_BY_ACTION)")]
    {
        context.customers = customer.clone().into_iter().map(|c| (c.id.clone(), c)).collect();
        let facts = Facts {
            upload: Some(upload.clone()),
            customer,
            ..on(&stored, Subject::Ours(receipt.id.clone()))
        };
        assert_eq!(state_of(&facts), expected);
        let line = &view_at(&stored, &context, noon(8)).payments[0];
        assert_eq!(line.state.to_string(), expected);
    }
}
