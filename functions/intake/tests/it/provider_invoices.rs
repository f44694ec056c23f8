//! Invoices of the payment provider on their way into the ledger of uploads (EX-12).

use payments::upload::{Line, Night, Placed, Route, Target, UploadState, WriteOutcome};
use serde_json::Value;

use crate::messages::{ORGANISATION, invoice, provider_invoice, with};
use crate::world::{World, now, xero_id};

const ROW: &str = "provider-invoice-F-1";

fn dearer(revision: u64) -> Value {
    let message = with(provider_invoice("F-1", revision, "90.00"), "/number", "PI F-1b");
    with(message, "/due_on", "2026-04-01")
}

#[tokio::test]
async fn a_provider_invoice_waits_to_be_posted_at_once_and_is_no_payment() {
    // EX-12
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;

    world.take(&provider_invoice("F-1", 1, "80.00")).await;

    assert_eq!(world.line(Line::Direct).await, [ROW]);
    assert_eq!(world.wakes(), 1);
    let upload = world.upload(ROW).await.unwrap();
    assert_eq!((upload.route(), upload.state), (Ok(Route::ProviderInvoice), UploadState::Waiting));
    assert_eq!(upload.receipt.amount.to_string(), "80.00 AUD");
    let bill = upload.bill.unwrap();
    assert_eq!((bill.number.as_str(), bill.due_on, bill.fees.len()), ("PI F-1", None, 1));
    for table in ["receipts", "payments", "held_payments", "discrepancies", "messages"] {
        assert!(world.rows(table).await.is_empty(), "{table}");
    }
    let invoices = format!("{:?}", world.rows("invoices").await);
    assert!(!invoices.contains("provider-invoice"), "{invoices}");
    // A7.4, EX-24: every change of state is logged.
    let activity = world.rows("activity").await;
    let admitted = activity.iter().filter(|row| row["action"] == "upload_waiting");
    assert_eq!(admitted.count(), 1);
}

#[tokio::test]
async fn it_may_come_twice_and_in_any_order() {
    let world = World::new().await;
    world.take(&dearer(2)).await;
    let first = world.upload(ROW).await.unwrap();

    world.take(&provider_invoice("F-1", 1, "80.00")).await;
    world.take(&dearer(2)).await;

    let upload = world.upload(ROW).await.unwrap();
    assert_eq!(upload, first);
    assert_eq!(upload.receipt.amount.to_string(), "90.00 AUD");
    assert!(world.rows("parked").await.is_empty());
    // It has to be posted, after an interruption of any of the messages.
    assert_eq!(world.wakes(), 3);
    // The same revision with other content is a mistake of the sender's.
    world.take(&provider_invoice("F-1", 2, "80.00")).await;
    assert_eq!(world.rows("parked").await[0]["reason"], "revision_reused");
    assert_eq!(world.upload(ROW).await.unwrap(), first);
}

#[tokio::test]
async fn a_bill_in_xero_stays_as_it_was_sent_and_a_change_raises_a_message() {
    let world = World::new().await;
    world.take(&provider_invoice("F-1", 1, "80.00")).await;
    let before = world.upload(ROW).await.unwrap();
    let mut after = before.clone();
    let contact = "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7".parse().unwrap();
    let parts = vec![(Target::Bill { contact }, before.receipt.amount)];
    after.reserve(Night::of(now(), &jiff::tz::TimeZone::UTC), parts, now()).unwrap();
    after.send(&[1], "key", now()).unwrap();
    after.answer(1, WriteOutcome::Placed(Placed::Bill(xero_id("1"))), false, now()).unwrap();
    let because = table::ChangeContext { cause: "upload", event_at: None, now: now() };
    world.tables.write_uploads(&[(Some(&before), &after)], None, because).await.unwrap();

    world.take(&dearer(2)).await;
    world.take(&dearer(2)).await;

    let upload = world.upload(ROW).await.unwrap();
    assert_eq!((upload.state, upload.bill.as_ref()), (UploadState::Uploaded, before.bill.as_ref()));
    let messages = world.rows("messages").await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["message"], format!("CHANGED_AFTER_UPLOAD#{ROW}"));
    assert_eq!(world.wakes(), 1, "nothing is to be posted any more");
}

#[tokio::test]
async fn a_message_that_does_not_add_up_is_parked_with_all_that_is_wrong() {
    let world = World::new().await;
    let message = with(provider_invoice("F-1", 1, "80.00"), "/total/amount", "80.01");

    world.take(&message).await;

    let parked = &world.rows("parked").await[0];
    assert_eq!(
        (parked["reason"].as_str(), parked["organisation"].as_str()),
        ("invalid_message", ORGANISATION)
    );
    assert!(parked["detail"].contains("/fees: add up to 80.00 AUD"), "{parked:?}");
    assert!(world.upload(ROW).await.is_none());
    assert_eq!(world.wakes(), 0);
}

#[tokio::test]
async fn a_wake_that_is_lost_is_asked_for_again() {
    let world = World::new().await;
    world.uploads.recorded.fail_next();

    let again = world.deliver(&[provider_invoice("F-1", 1, "80.00")]).await;

    assert_eq!(again.len(), 1);
    assert!(world.deliver(&[provider_invoice("F-1", 1, "80.00")]).await.is_empty());
    assert_eq!(world.line(Line::Direct).await, [ROW]);
}
