//! The credit that contacts have left: read twice a day, and stored with the contact (ST-25).

use harness::march;
use jiff::SignedDuration;
use payments::XeroContactId;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit, NewPayment};

use crate::customers::{Books, reported, world};

/// A credit note, a prepayment and an overpayment of one contact, of which parts are applied and paid back.
pub fn plant_credit(world: &Books) -> Uuid {
    let contact = world.contact("In credit", Some("K-credit"), None);
    for (kind, cents) in [
        (CreditKind::CreditNote, 30_00),
        (CreditKind::Prepayment, 20_00),
        (CreditKind::Overpayment, 10_00),
    ] {
        let amount = Decimal::new(cents, 2);
        let credit = NewCredit { kind, amount, date: march(2), reference: String::new() };
        world.simulator.add_credit(contact, credit).unwrap();
    }
    contact
}

#[tokio::test]
async fn st_25_what_a_contact_has_left_of_credit_is_read_twice_a_day() {
    let world = world().await;
    let contact = plant_credit(&world);
    let id = XeroContactId::new(contact);
    world.reports(&reported(&world, "K-credit", "In credit")).await;
    let credit = async || {
        let found = world.tables.contact_credits(world.organisation(), 10).await.unwrap();
        assert!(found.rows.iter().all(|row| row.record.contact.id == id));
        found.rows.into_iter().next().map(|row| row.credit)
    };
    world.sync_customers().await;
    let found = credit().await.unwrap();
    assert_eq!((found.words().as_str(), found.documents.len()), ("60.00 AUD", 3));
    // Another contact changes, and the credit stays in its row.
    world.simulator.rename_contact(contact, "In credit Pty").unwrap();
    world.sync_customers().await;
    assert_eq!(credit().await.as_ref(), Some(&found));
    // Of the prepayment, 5.00 is applied and 6.00 is paid back; the overpayment is paid back whole.
    let of = |kind| found.documents.iter().find(|one| one.kind == kind).unwrap();
    let id_of = |kind| of(kind).id.uuid();
    let invoice = world.invoice_of(contact, "INV-77");
    let (prepaid, overpaid) =
        (id_of(payments::CreditKind::Prepayment), id_of(payments::CreditKind::Overpayment));
    world.simulator.allocate(prepaid, invoice, Decimal::new(5_00, 2), march(3)).unwrap();
    let refund = |cents| NewPayment {
        date: march(3),
        amount: Decimal::new(cents, 2),
        reference: String::new(),
    };
    world.simulator.refund(prepaid, refund(6_00)).unwrap();
    world.simulator.refund(overpaid, refund(10_00)).unwrap();
    world.sync_customers().await;
    assert_eq!(credit().await.as_ref(), Some(&found), "read twice a day");
    world.clock.advance(SignedDuration::from_hours(12));
    world.sync_customers().await;
    assert_eq!(credit().await.unwrap().words(), "39.00 AUD");
    let run = world.last_run().await;
    assert!(run["counts"].contains("credits"), "{run:?}");
}
