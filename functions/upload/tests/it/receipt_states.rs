//! What the log, and so each event, says of the receipt of a payment: all of it is in Xero, a part of it, or nothing (EX-23, AMB-26).

use harness::dynamodb::Row;
use jiff::SignedDuration;
use jiff::civil::date;
use xero_simulator::{Effect, Fault};

use crate::samples::bpay;
use crate::world::{World, evening, march};

/// The rows of the log about the fate of the payment, the oldest first: what was decided, and how many parts are in Xero.
async fn shown(world: &World) -> Vec<[String; 3]> {
    let rows = world.rows("activity").await.into_iter();
    let mut rows: Vec<Row> = rows.filter(|row| row.contains_key("parts_in_xero")).collect();
    rows.sort_by_key(|row| row["at"].clone());
    let names = ["action", "parts_in_xero", "parts"];
    rows.iter().map(|row| names.map(|name| row[name].clone())).collect()
}

#[tokio::test]
async fn ex_23_a_receipt_is_partly_synced_until_each_part_is_proven_to_be_in_xero() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "INV-A", 100_00, date(2026, 1, 1));
    world.invoice(contact, "INV-B", 150_00, date(2026, 2, 1));
    world.pay(bpay("P-1", "K", 400_00, march(2))).await;
    // Xero has the prepayment of the rest, and its answer is lost.
    world.simulator.inject(Fault::on("PUT", "/BankTransactions", Effect::LostAnswer).times(5));

    world.night(evening()).await;

    let last = shown(&world).await.pop().unwrap();
    assert_eq!(last, ["upload_unknown", "#2", "#3"].map(str::to_owned));

    world.clock.advance(SignedDuration::from_hours(1));
    world.work_off_tasks().await;
    world.next_night().await;

    let last = shown(&world).await.pop().unwrap();
    assert_eq!(last, ["upload_uploaded", "#3", "#3"].map(str::to_owned));
    world.check().await;
}
