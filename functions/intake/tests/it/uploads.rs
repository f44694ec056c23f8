//! Payments on their way into the ledger of uploads.

use intake::contract::{Report, read};
use payments::upload::{
    Hold, Line, Night, PaymentCommand, Placed, Target, Upload, UploadState, WriteOutcome, link,
    obey,
};
use payments::{Kind, NOTE_TAKEN_BACK, PaymentStatus, Receipt, XeroPayment};
use serde_json::Value;
use table::ChangeContext;

use crate::messages::{ORGANISATION, bpay, invoice, pay_now, payment, with};
use crate::world::{World, assert_same, aud, now, xero_id, xero_payment};

use UploadState::{Held, Skipped, Uploaded, Waiting};

fn receipt(message: &Value) -> Receipt {
    let Ok(Report::Payment(receipt)) = read(&message.to_string()) else { panic!("{message}") };
    receipt
}

/// What the night does with a payment that goes up whole, to one invoice.
fn upload_to(upload: &mut Upload, number: &str) {
    let night = Night::of(now(), &jiff::tz::TimeZone::UTC);
    let target = Target::Invoice { id: xero_id(number), number: format!("CM-{number}") };
    let amount = upload.receipt.amount;
    upload.reserve(night, vec![(target, amount)], now()).unwrap();
    upload.send(&[1], "key", now()).unwrap();
    let placed = WriteOutcome::Placed(Placed::Payment(xero_payment(1, "60.00").id));
    upload.answer(1, placed, false, now()).unwrap();
}

#[tokio::test]
async fn a_bpay_payment_waits_for_the_night() {
    // EX-03
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    assert_eq!(world.line(Line::Waiting).await, ["P-1"]);
    let row = &world.rows("uploads").await[0];
    assert_eq!(row["line"], format!("{ORGANISATION}/waiting"));
    assert_eq!(world.wakes(), 0);
    // The row holds what was reported, which is what will be sent.
    let upload = world.upload("P-1").await.unwrap();
    assert_eq!(upload.receipt, receipt(&bpay("P-1", 1, "60.00")));
    assert_eq!(upload.receipt.customer.unwrap().as_str(), "C-1");
    // A7.4, EX-24: every change of state is logged.
    let activity = world.rows("activity").await;
    let admitted: Vec<_> =
        activity.iter().filter(|row| row["action"] == "upload_waiting").collect();
    assert_eq!(admitted.len(), 1);
    assert_eq!((admitted[0]["cause"].as_str(), admitted[0]["rule"].as_str()), ("intake", "A7.4"));
}

#[tokio::test]
async fn a_payment_that_names_its_invoice_waits_to_be_posted_at_once() {
    // EX-01, EX-10
    let parts: &[(&str, &str)] = &[("10234", "60.00")];
    let debit = with(payment("P-2", 1, "60.00", parts), "/method", "direct_debit");
    let phone = with(payment("P-3", 1, "60.00", parts), "/channel", "virtual_terminal");
    for message in [pay_now("P-1", 1, "60.00", "10234"), debit, phone] {
        let world = World::new().await;
        world.take(&message).await;
        let row = &world.rows("uploads").await[0];
        assert_eq!(row["line"], format!("{ORGANISATION}/direct"), "{message}");
        assert_eq!(world.wakes(), 1);
    }
}

#[tokio::test]
async fn what_does_not_go_to_xero_is_kept_with_its_reason() {
    let none = |method: &str| with(payment("P-1", 1, "60.00", &[]), "/method", method);
    for (message, reason) in [
        // EX-11
        (with(bpay("P-1", 1, "60.00"), "/method", "batch_debit"), "no_customer"),
        // EX-09, AMB-17
        (none("direct_debit"), "not_applied_to_invoice"),
        (with(none("other"), "/channel", "virtual_terminal"), "not_applied_to_invoice"),
        (none("card"), "not_applied_to_invoice"),
        // Xero has it from the bank.
        (payment("P-1", 1, "60.00", &[("10234", "60.00")]), "method_not_uploaded"),
        // EX-02
        (with(bpay("P-1", 1, "60.00"), "/status", "failed"), "not_approved"),
        (with(bpay("P-1", 1, "60.00"), "/status", "refunded"), "refunded"),
    ] {
        let world = World::new().await;
        world.take(&message).await;
        assert_eq!(world.stands("P-1").await, (Skipped, reason.to_owned()), "{message}");
        assert_eq!(world.wakes(), 0);
    }
}

#[tokio::test]
async fn a_payment_waits_as_soon_as_its_money_is_approved() {
    // EX-02, EX-35: whether that is enough is a setting, which the night asks.
    let world = World::new().await;
    let pending = |revision| with(bpay("P-1", revision, "60.00"), "/status", "pending");
    world.take(&pending(1)).await;
    assert_eq!(world.stands("P-1").await, (Skipped, "not_approved".to_owned()));
    world.take(&with(pending(2), "/approved", true)).await;
    assert_eq!(world.line(Line::Waiting).await, ["P-1"]);
    world.take(&with(pending(3), "/status", "failed")).await;
    assert_eq!(world.stands("P-1").await, (Skipped, "not_approved".to_owned()));

    let world = World::new().await;
    world.take(&pending(1)).await;
    world.take(&bpay("P-1", 2, "60.00")).await;
    assert_eq!(world.line(Line::Waiting).await, ["P-1"]);
    assert!(!world.upload("P-1").await.unwrap().receipt.settled);
    world.take(&with(bpay("P-1", 3, "60.00"), "/settled", true)).await;
    assert!(world.upload("P-1").await.unwrap().receipt.settled);
}

#[tokio::test]
async fn what_has_not_gone_up_yet_goes_as_it_was_reported_last() {
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    world.take(&bpay("P-1", 3, "75.00")).await;
    world.take(&bpay("P-1", 2, "70.00")).await;
    let upload = world.upload("P-1").await.unwrap();
    assert_eq!((upload.receipt.amount, upload.receipt.revision), (aud("75.00"), 3));
    assert!(world.warnings().await.is_empty());
}

#[tokio::test]
async fn what_is_in_xero_stays_as_it_was_sent_and_a_report_that_differs_warns() {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&pay_now("P-1", 1, "60.00", "10234")).await;
    world.moved("P-1", |upload| upload_to(upload, "10234")).await;
    assert_eq!(world.upload("P-1").await.unwrap().state, Uploaded);
    world.wakes();

    world.take(&pay_now("P-1", 2, "75.00", "10234")).await;
    let upload = world.upload("P-1").await.unwrap();
    assert_eq!((upload.state, upload.receipt.amount), (Uploaded, aud("60.00")));
    assert_eq!(upload.parts.len(), 1);
    assert_eq!(world.rows("receipts").await[0]["amount"].trim_end_matches(".00"), "75");
    assert_eq!(world.warnings().await, ["CHANGED_AFTER_UPLOAD"]);
    assert_eq!(world.wakes(), 0, "nothing is to be posted");

    // The same report warns once, and one that says nothing else says nothing new.
    let before = world.dump().await;
    world.take(&pay_now("P-1", 2, "75.00", "10234")).await;
    assert_same(&world.dump().await, &before, "the same again");
}

#[tokio::test]
async fn what_may_be_in_xero_is_not_sent_as_anything_else() {
    // Sent, and no answer: the money must not go a second time with another amount.
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    world
        .moved("P-1", |upload| {
            upload_to(upload, "10234");
            upload.parts[0].state = payments::upload::PartState::Unknown;
            upload.parts[0].placed = None;
            upload.state = UploadState::Unknown;
        })
        .await;
    world.take(&bpay("P-1", 2, "75.00")).await;
    let upload = world.upload("P-1").await.unwrap();
    assert_eq!((upload.state, upload.receipt.amount), (UploadState::Unknown, aud("60.00")));
    assert!(world.warnings().await.contains(&"CHANGED_AFTER_UPLOAD".to_owned()));
}

#[tokio::test]
async fn what_a_person_ordered_survives_a_new_report() {
    for (order, state, reason) in [
        (PaymentCommand::Hold, Held, Hold::HeldByPerson.code()),
        (PaymentCommand::DoNotSend, Skipped, "do_not_send"),
    ] {
        let world = World::new().await;
        world.take(&bpay("P-1", 1, "60.00")).await;
        let ordered = |upload: &mut Upload| {
            *upload = obey(upload, order, "ada", "asked by phone", now()).unwrap().unwrap();
        };
        world.moved("P-1", ordered).await;
        world.take(&bpay("P-1", 2, "75.00")).await;
        assert_eq!(world.stands("P-1").await, (state, reason.to_owned()));
        assert_eq!(world.upload("P-1").await.unwrap().receipt.amount, aud("75.00"));
    }
    // Any other hold is judged again.
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    let held = |upload: &mut Upload| upload.put_on_hold(Hold::LockedPeriod, "2026", None, now());
    world.moved("P-1", held).await;
    world.take(&bpay("P-1", 2, "75.00")).await;
    assert_eq!(world.stands("P-1").await, (Waiting, "reported_anew".to_owned()));
}

#[tokio::test]
async fn a_receipt_from_before_uploads_gets_its_row_when_it_comes_again() {
    let world = World::new().await;
    for message in [bpay("P-1", 2, "60.00"), pay_now("P-2", 1, "60.00", "10234")] {
        let known = receipt(&message);
        world.tables.store_receipt(None, &known, &[], None, now()).await.unwrap();
    }
    // An older revision brings the latest one into the ledger.
    world.take(&bpay("P-1", 1, "70.00")).await;
    assert_eq!(world.upload("P-1").await.unwrap().receipt, receipt(&bpay("P-1", 2, "60.00")));
    assert_eq!(world.wakes(), 0);
    world.take(&pay_now("P-2", 1, "60.00", "10234")).await;
    assert_eq!(world.line(Line::Direct).await, ["P-2"]);
    assert_eq!(world.wakes(), 1);

    let before = world.dump().await;
    world.take(&bpay("P-1", 2, "60.00")).await;
    world.take(&pay_now("P-2", 1, "60.00", "10234")).await;
    assert_same(&world.dump().await, &before, "once is enough");
}

#[tokio::test]
async fn an_upload_that_lags_behind_its_receipt_catches_up() {
    // Where the version before ours was in charge again for a while.
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    let (first, second) = (receipt(&bpay("P-1", 1, "60.00")), receipt(&bpay("P-1", 2, "75.00")));
    world.tables.store_receipt(Some(&first), &second, &[], None, now()).await.unwrap();
    world.take(&bpay("P-1", 2, "75.00")).await;
    assert_eq!(world.upload("P-1").await.unwrap().receipt, second);
}

/// A BPAY payment of 60.00 that the night has put onto invoice 10234 by itself, as Xero shows it.
async fn spread_by_the_night(world: &World) -> XeroPayment {
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    world.moved("P-1", |upload| upload_to(upload, "10234")).await;
    let upload = world.upload("P-1").await.unwrap();
    let reference = Some(upload.parts[0].stamp.to_string());
    let shown = XeroPayment { reference, ..xero_payment(1, "60.00") };
    world.mirrored("10234", "110.00", std::slice::from_ref(&shown)).await;
    let stored = world.invoice("10234").await;
    let change = link(&stored, &upload, &upload.parts[0], now()).unwrap();
    let because = ChangeContext { cause: "upload", event_at: None, now: now() };
    world.tables.write_invoice(&stored, &change, because).await.unwrap();
    shown
}

async fn open(world: &World) -> Vec<String> {
    let stored = world.invoice("10234").await;
    stored.open_discrepancies().map(|found| found.key.to_string()).collect()
}

#[tokio::test]
async fn amb_32_a_refund_reaches_every_invoice_on_which_our_upload_stands() {
    // The night has spread it, so that no report names the invoice.
    let world = World::new().await;
    let shown = spread_by_the_night(&world).await;

    world.take(&with(bpay("P-1", 2, "60.00"), "/status", "refunded")).await;

    let stored = world.invoice("10234").await;
    assert_eq!(
        (stored.payments[0].status, stored.payments[0].revision),
        (PaymentStatus::Refunded, 2)
    );
    assert_eq!(stored.payments[0].kind, Kind::Uploaded);
    // Xero has it still: no false word about it, and then it is deleted there. Both sides agree.
    world.mirrored("10234", "110.00", &[shown]).await;
    assert_eq!(open(&world).await, Vec::<String>::new());
    world.mirrored("10234", "110.00", &[]).await;
    assert_eq!(open(&world).await, Vec::<String>::new());
    let stored = world.invoice("10234").await;
    assert_eq!(stored.payments[0].note.as_deref(), Some(NOTE_TAKEN_BACK));
    let before = world.dump().await;
    world.take(&with(bpay("P-1", 2, "60.00"), "/status", "refunded")).await;
    assert_same(&world.dump().await, &before, "the same again");
}

#[tokio::test]
async fn amb_32_an_upload_that_is_deleted_in_xero_before_the_refund_is_reported_closes_with_it() {
    let world = World::new().await;
    spread_by_the_night(&world).await;
    world.mirrored("10234", "110.00", &[]).await;
    assert_eq!(open(&world).await, ["UPLOADED_DELETED_IN_XERO#P-1"], "AMB-08: the money was taken");
    world.take(&with(bpay("P-1", 2, "60.00"), "/status", "refunded")).await;
    assert!(world.looks().contains(&xero_id("10234")), "Xero is asked again");
    world.mirrored("10234", "110.00", &[]).await;
    assert_eq!(open(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_given_back_in_part_after_the_upload_keeps_its_amount_and_is_said() {
    // A partial refund, reported as a smaller amount: the contract has no other way to say it.
    let world = World::new().await;
    spread_by_the_night(&world).await;
    world.take(&bpay("P-1", 2, "12.00")).await;
    let stored = world.invoice("10234").await;
    assert_eq!(stored.payments[0].amount, aud("60.00"), "what stands in Xero");
    assert!(world.warnings().await.contains(&"CHANGED_AFTER_UPLOAD".to_owned()));
}
