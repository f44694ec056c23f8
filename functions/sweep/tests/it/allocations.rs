//! Credit that is applied to an invoice in Xero: shown with what it comes from, and never copied.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit};

use crate::world::{HALF_AN_HOUR, World, aud, march};

/// Applies a part of a credit of so much, recorded by hand; the credit and the allocation.
fn apply(world: &World, invoice: Uuid, kind: CreditKind, cents: i64, part: i64) -> (Uuid, Uuid) {
    let contact = world.simulator.invoice(invoice).unwrap().contact;
    let amount = Decimal::new(cents, 2);
    let wanted = NewCredit { kind, date: march(1), amount, reference: String::new() };
    let credit = world.simulator.add_credit(contact, wanted).unwrap();
    let part = Decimal::new(part, 2);
    (credit, world.simulator.allocate(credit, invoice, part, march(2)).unwrap())
}

async fn mirrored(world: &World) -> payments::StoredInvoice {
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    world.work_off().await;
    world.tables.invoice(world.organisation(), &"1".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn cash_that_is_applied_as_an_allocation_is_shown_and_neither_copied_nor_owed_amb_34_cm_21() {
    // CM-21, CM-22, AMB-34, X-07: the same cash as a Payment would be copied.
    let world = World::new().await;
    let invoice = world.both("1").await;
    world.pay(invoice, 100_00);
    let (prepaid, _) = apply(&world, invoice, CreditKind::Prepayment, 500_00, 500_00);
    let (overpaid, taken_back) = apply(&world, invoice, CreditKind::Overpayment, 350_00, 300_00);
    apply(&world, invoice, CreditKind::CreditNote, 100_00, 100_00);

    let stored = mirrored(&world).await;

    let xero = stored.xero.as_ref().unwrap();
    assert_eq!(xero.status.code(), "PAID");
    assert_eq!((xero.figures.credited, xero.figures.paid), (aud(900_00), aud(100_00)));
    let shown: Vec<_> = xero.allocations.iter().map(|one| (one.kind.code(), one.amount)).collect();
    let expected = [("credit_note", 100_00), ("prepayment", 500_00), ("overpayment", 300_00)];
    assert_eq!(shown, expected.map(|(kind, cents)| (kind, aud(cents))));
    let credits: Vec<_> = xero.allocations.iter().map(|one| one.credit.to_string()).collect();
    assert_eq!(credits[1..], [prepaid.to_string(), overpaid.to_string()]);
    assert_eq!(stored.payments.len(), 1, "the payment alone is copied");
    assert_eq!(stored.discrepancies, [], "nothing is owed, and nothing is too much");

    // The day after the due date, with the rest of it paid by nothing but allocations.
    world.simulator.deallocate(overpaid, taken_back).unwrap();
    let stored = mirrored(&world).await;
    let xero = stored.xero.as_ref().unwrap();
    assert_eq!((xero.allocations.len(), xero.figures.due), (2, aud(300_00)));
    assert_eq!(stored.payments.len(), 1, "what is taken back takes no payment with it");
    assert_eq!(world.rows("tombstones").await.len(), 0);
    world.simulator.allocate(overpaid, invoice, Decimal::new(300_00, 2), march(2)).unwrap();
    let overdue: Timestamp = "2026-12-20T00:00:00Z".parse().unwrap();
    world.clock.set(overdue);
    let stored = mirrored(&world).await;
    assert_eq!(stored.discrepancies, [], "no underpayment");
}

#[tokio::test]
async fn cash_that_is_entered_again_on_the_invoice_is_a_new_payment_of_it_cm_21() {
    let world = World::new().await;
    let invoice = world.both("1").await;
    let contact = world.simulator.invoice(invoice).unwrap().contact;
    let amount = Decimal::new(50_00, 2);
    let kind = CreditKind::Prepayment;
    let cash = NewCredit { kind, date: march(1), amount, reference: String::new() };
    let cash = world.simulator.add_credit(contact, cash).unwrap();
    assert_eq!(mirrored(&world).await.payments, [], "received, and applied to nothing");

    world.simulator.void_credit(cash).unwrap();
    world.pay(invoice, 50_00);

    let stored = mirrored(&world).await;
    let [payment] = &stored.payments[..] else { panic!("{stored:?}") };
    assert_eq!((payment.amount, payment.origin.code()), (aud(50_00), "xero"));
}
