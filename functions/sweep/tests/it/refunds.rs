//! Money that went back in Xero, in the three shapes in which Xero shows it (CM-22, CM-50, AMB-38).

use std::collections::BTreeMap;

use harness::dynamodb::{Row, having};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit, NewPayment};

use crate::world::{HALF_AN_HOUR, World, march};

const KINDS: [CreditKind; 3] =
    [CreditKind::CreditNote, CreditKind::Prepayment, CreditKind::Overpayment];

/// A refund of so much, of a credit of its own; the contact and the payment.
fn refund(world: &World, contact: Uuid, kind: CreditKind, cents: i64) -> Uuid {
    let amount = Decimal::new(cents, 2);
    let wanted = NewCredit { kind, date: march(1), amount, reference: String::new() };
    let credit = world.simulator.add_credit(contact, wanted).unwrap();
    let money = NewPayment { date: march(2), amount, reference: "paid back".to_owned() };
    world.simulator.refund(credit, money).unwrap()
}

/// A world that has been swept, with an invoice on both sides; the contact of it in Xero.
async fn swept() -> (World, Uuid) {
    let world = World::new().await;
    let invoice = world.both("1").await;
    let contact = world.simulator.invoice(invoice).unwrap().contact;
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(HALF_AN_HOUR);
    (world, contact)
}

/// The discrepancies of refunds, by what they are about.
async fn raised(world: &World) -> BTreeMap<String, Row> {
    let rows = world.rows("discrepancies").await;
    let rows = rows.into_iter().filter(|row| row["kind"] == "REFUND_IN_XERO");
    rows.map(|row| (row["discrepancy"].clone(), row)).collect()
}

#[tokio::test]
async fn each_refund_is_raised_on_its_contact_once_and_closed_when_it_is_deleted_cm_50() {
    let (world, contact) = swept().await;
    let refunds = KINDS.map(|kind| refund(&world, contact, kind, 12_00));

    let answer = world.sweep().await;

    assert_eq!(answer["run"]["counts"]["refunds"], 3, "{answer}");
    assert_eq!(answer["run"]["counts"]["no_invoice"], json!(null), "{answer}");
    world.work_off().await;
    let key = format!("{}/contact:{contact}", world.organisation());
    let rows = raised(&world).await;
    for (id, of) in refunds.iter().zip(["a credit note CN-", "a prepayment INV-", "an overpayment"])
    {
        let row = &rows[&format!("REFUND_IN_XERO#{id}")];
        assert_eq!((row["invoice"].as_str(), row["state"].as_str()), (key.as_str(), "open"));
        assert_eq!(row["open_in"], world.organisation().to_string());
        assert_eq!(row["xero_contact_id"], contact.to_string());
        let detail = &row["detail"];
        assert!(
            detail.starts_with(&format!("12.00 AUD of 2026-03-02 went back, of {of}")),
            "{detail}"
        );
    }
    assert!(world.rows("payments").await.is_empty(), "CM-22: nothing is copied");
    let log = world.rows("activity").await;
    let opened = having(&log, &[("action", "discrepancy_raised"), ("cause", "sweep")]);
    assert_eq!(opened.len(), 3);
    assert_eq!(opened[0]["xero_contact_id"], contact.to_string());

    world.clock.advance(HALF_AN_HOUR);
    world.simulator.delete_payment(refunds[1]).unwrap();
    let answer = world.sweep().await;
    assert_eq!(answer["run"]["counts"]["refunds"], 1, "the others are known: {answer}");
    let open: Vec<_> =
        raised(&world).await.into_values().filter(|row| row["state"] == "open").collect();
    assert_eq!(open.len(), 2);
    let log = world.rows("activity").await;
    assert_eq!(having(&log, &[("action", "discrepancy_resolved")]).len(), 1);
}

#[tokio::test]
async fn a_refund_that_a_person_resolved_stays_resolved() {
    let (world, contact) = swept().await;
    let id = refund(&world, contact, CreditKind::Overpayment, 5_00);
    world.sweep().await;
    let contact = contact.to_string().parse().unwrap();
    let [known] =
        &world.tables.contact_discrepancies(world.organisation(), contact).await.unwrap()[..]
    else {
        panic!("one discrepancy")
    };
    let because = table::ContactBecause { cause: "person", rule: "AMB-31", now: world.now() };
    let closed = world
        .tables
        .close_contact_discrepancy(world.organisation(), contact, known, because)
        .await
        .unwrap();
    assert!(closed);

    // The overlap of the reads shows the row again.
    world.clock.advance(SignedDuration::from_mins(1));
    world.sync_now(json!({})).await;

    let rows = raised(&world).await;
    assert_eq!(rows[&format!("REFUND_IN_XERO#{id}")]["state"], "resolved");
}

#[tokio::test]
async fn the_certificate_counts_a_refund_as_accounted_for_once_a_discrepancy_says_it() {
    let (world, contact) = swept().await;
    refund(&world, contact, CreditKind::CreditNote, 7_00);
    world.clock.advance(SignedDuration::from_mins(15));
    let certify = async || {
        let event = json!({"scheduled_time": world.now(), "certify": true});
        world.invoke(event).await.unwrap()["sweeps"][0].clone()
    };

    let first = certify().await;
    assert_eq!(first["run"]["counts"]["missing"], 1, "nothing has swept since: {first}");
    assert_eq!(raised(&world).await.len(), 1, "what is missing is said at once");

    world.clock.advance(HALF_AN_HOUR);
    let second = certify().await;
    assert_eq!(second["run"]["counts"]["missing"], json!(null), "{second}");
    assert_eq!(second["run"]["counts"]["protected"], 1, "{second}");
}

#[tokio::test]
async fn a_discrepancy_of_a_contact_that_cannot_be_read_stops_neither_the_sweep_nor_its_refunds() {
    // AMB-30
    let (world, contact) = swept().await;
    let key = format!("{}/contact:{contact}", world.organisation());
    world.put("discrepancies", &[("invoice", &key), ("discrepancy", "REFUND_IN_XERO#?")]).await;
    let id = refund(&world, contact, CreditKind::CreditNote, 12_00);

    let answer = world.sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    let rows = world.rows("discrepancies").await;
    assert!(rows.iter().any(|row| row["discrepancy"] == format!("REFUND_IN_XERO#{id}")));
}
