//! Prepayments of ours that are deleted in Xero (AMB-08, AMB-32), and whether Xero lets us look (ST-19).

use harness::dynamodb::Row;
use jiff::SignedDuration;
use payments::PaymentStatus;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{Effect, Fault, PrepaymentReferences};

use crate::samples::{Paid, bpay};
use crate::world::{World, evening, march};

/// One whose customer has paid 50.00 in advance, which is in Xero; and the bank transaction there.
async fn prepaid(references: PrepaymentReferences) -> (World, Uuid, Uuid) {
    let world = World::with(references).await;
    let contact = world.customer("K").await;
    world.pay(bpay("P-1", "K", 50_00, march(1))).await;
    world.night(evening()).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    let books = world.simulator.organisation(world.tenant).unwrap();
    let transaction = *books.bank_transactions.keys().next().unwrap();
    (world, contact, transaction)
}

/// The hourly look, an hour later; how often it asked Xero for bank transactions.
async fn look(world: &World) -> usize {
    world.clock.advance(SignedDuration::from_hours(1));
    world.xero.take_calls();
    world.invoke(json!({"catch_up": true})).await.unwrap();
    let calls = world.xero.take_calls();
    calls.iter().filter(|call| call.contains("BankTransactions")).count()
}

async fn flagged(world: &World) -> Vec<Row> {
    world.rows("discrepancies").await
}

#[tokio::test]
async fn a_prepayment_of_ours_that_was_deleted_is_flagged_on_its_contact_within_the_hour() {
    for references in [PrepaymentReferences::Kept, PrepaymentReferences::Dropped] {
        let (world, contact, transaction) = prepaid(references).await;
        assert_eq!((look(&world).await, flagged(&world).await.len()), (1, 0), "it stands there");

        world.simulator.delete_bank_transaction(transaction).unwrap();
        for _ in 0..2 {
            assert_eq!(look(&world).await, 1, "one call an hour");
            let [found] = &flagged(&world).await[..] else { panic!() };
            assert_eq!(found["invoice"], format!("{}/contact:{contact}", world.tenant));
            assert_eq!(found["discrepancy"], "UPLOADED_DELETED_IN_XERO#P-1");
            assert_eq!(found["state"], "open");
            assert!(found["detail"].starts_with("50.00"), "{found:?}");
        }
        let log = world.rows("activity").await;
        let raised = log.iter().filter(|row| row["action"] == "discrepancy_raised");
        assert_eq!(raised.count(), 1, "it is announced once");
    }
}

#[tokio::test]
async fn what_was_given_back_before_is_no_discrepancy() {
    // AMB-32: both sides agree.
    let (world, _, transaction) = prepaid(PrepaymentReferences::Kept).await;
    let refunded = PaymentStatus::Refunded;
    let given_back = Paid { revision: 2, status: refunded, ..bpay("P-1", "K", 50_00, march(1)) };
    world.pay(given_back).await;
    world.simulator.delete_bank_transaction(transaction).unwrap();
    look(&world).await;
    assert_eq!(flagged(&world).await.len(), 0);
}

#[tokio::test]
async fn where_no_prepayments_are_made_nothing_is_asked_for() {
    let (world, ..) = prepaid(PrepaymentReferences::Kept).await;
    world.change(|uploading| uploading.prepayment_account = None).await;
    assert_eq!(look(&world).await, 0);
}

#[tokio::test]
async fn that_xero_does_not_let_us_at_bank_transactions_is_noted_until_it_does() {
    // ST-19: without that right no prepayment can be made.
    let (world, _, transaction) = prepaid(PrepaymentReferences::Kept).await;
    world.simulator.delete_bank_transaction(transaction).unwrap();
    let refused = Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/BankTransactions", refused));
    look(&world).await;
    let row = &world.rows("connections").await[0];
    let since = row["prepayments_refused_at"].clone();
    look(&world).await;
    assert_eq!(world.rows("connections").await[0]["prepayments_refused_at"], since);
    assert_eq!(flagged(&world).await.len(), 0);

    world.simulator.clear_faults();
    look(&world).await;
    let row = &world.rows("connections").await[0];
    assert!(!row.contains_key("prepayments_refused_at"), "{row:?}");
    assert_eq!(flagged(&world).await.len(), 1, "what happened in between is found");
}
