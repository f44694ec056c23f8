//! Waking the `upload` function for payments that are posted at once.

use payments::Settings;
use payments::upload::{Hold, Line, Night};

use crate::messages::{ORGANISATION, bpay, invoice, pay_now, with};
use crate::world::{World, assert_same, now};

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

#[tokio::test]
async fn one_message_wakes_it_for_all_payments_of_a_batch() {
    // EX-01, EX-10: posted at once, and bundled.
    let world = World::new().await;
    let batch = [
        pay_now("P-1", 1, "60.00", "10234"),
        bpay("P-2", 1, "60.00"),
        pay_now("P-3", 1, "60.00", "10234"),
        invoice("10234", 1, "110.00"),
        pay_now("P-4", 1, "60.00", "10240"),
    ];
    assert!(world.deliver(&batch).await.is_empty());
    assert_eq!(world.line(Line::Direct).await, ["P-1", "P-3", "P-4"]);
    assert_eq!(world.wakes(), 1);
}

#[tokio::test]
async fn each_organisation_gets_its_own_message() {
    let world = World::new().await;
    let other = Settings { organisation: OTHER.parse().unwrap(), ..world.settings.clone() };
    world.tables.store_settings(&other).await.unwrap();
    let ours = |id| pay_now(id, 1, "60.00", "10234");
    let theirs = |id| with(ours(id), "/organisation", OTHER);
    let batch = [ours("P-1"), theirs("P-1"), ours("P-2"), theirs("P-2")];
    assert!(world.deliver(&batch).await.is_empty());
    assert_eq!(world.woken_for(), [OTHER, ORGANISATION]);
}

#[tokio::test]
async fn nothing_wakes_it_that_it_need_not_look_at() {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    let declined = with(pay_now("P-2", 1, "60.00", "10234"), "/status", "pending");
    world.take(&declined).await;
    world.take(&with(pay_now("P-3", 1, "60.00", "10234"), "/organisation", OTHER)).await;
    world.take(&with(pay_now("P-4", 1, "60.00", "10234"), "/channel", "kiosk")).await;
    assert_eq!(world.wakes(), 0);
    // Approved: now it is.
    world.take(&with(with(declined, "/revision", 2), "/approved", true)).await;
    assert_eq!(world.wakes(), 1);
}

#[tokio::test]
async fn a_payment_without_a_task_comes_again_until_there_is_one() {
    let world = World::new().await;
    let batch =
        [bpay("P-1", 1, "60.00"), pay_now("P-2", 1, "60.00", "10234"), invoice("10234", 1, "110")];
    world.uploads.recorded.fail_next();
    world.uploads.recorded.lose_next_answer();
    assert_eq!(world.deliver(&batch).await, [1], "the others are done");
    let stored = world.dump().await;
    assert_eq!(world.line(Line::Direct).await, ["P-2"], "the row is there before it is asked for");
    assert_eq!(world.wakes(), 0);
    // Taken, though without a confirmation: twice does no harm.
    assert!(!world.receive(&batch[1], 2).await);
    assert!(world.receive(&batch[1], 3).await);
    assert_eq!(world.wakes(), 2);
    assert_same(&world.dump().await, &stored, "nothing else is written");
}

#[tokio::test]
async fn the_failure_for_one_organisation_does_not_hold_up_another() {
    let world = World::new().await;
    let other = Settings { organisation: OTHER.parse().unwrap(), ..world.settings.clone() };
    world.tables.store_settings(&other).await.unwrap();
    let ours = pay_now("P-1", 1, "60.00", "10234");
    world.uploads.recorded.fail_next();
    let again = world.deliver(&[ours.clone(), with(ours, "/organisation", OTHER)]).await;
    assert_eq!(again, [1], "the first one, by its id");
    assert_eq!(world.wakes(), 1);
}

#[tokio::test]
async fn it_is_not_woken_before_the_payment_is_stored() {
    let message = pay_now("P-1", 1, "60.00", "10234");
    let world = World::new().await;
    world.faults.fail(usize::MAX, false);
    world.take(&message).await;
    let last = world.faults.writes().len() - 1;
    for carried_out in [false, true] {
        let world = World::new().await;
        world.faults.fail(last, carried_out);
        assert!(!world.receive(&message, 1).await);
        assert_eq!(world.wakes(), 0);
        world.faults.fail(usize::MAX, false);
        assert!(world.receive(&message, 2).await);
        assert_eq!(world.wakes(), 1);
    }
}

#[tokio::test]
async fn a_report_that_comes_again_wakes_it_only_while_its_payment_waits() {
    let world = World::new().await;
    let message = pay_now("P-1", 1, "60.00", "10234");
    world.take(&message).await;
    // The invocation may have ended before it asked.
    world.take(&message).await;
    world.take(&with(message.clone(), "/revision", 2)).await;
    world.take(&message).await;
    assert_eq!(world.wakes(), 4);
    world
        .moved("P-1", |upload| upload.put_on_hold(Hold::InvoiceNotOpen, "draft", None, now()))
        .await;
    world.take(&message).await;
    assert_eq!(world.wakes(), 0, "a night judges it again");
    let night = Night::of(now(), &world.settings.zone);
    world
        .moved("P-1", |upload| {
            upload.release_hold(now()).unwrap();
            let target = payments::upload::Target::Invoice {
                id: crate::world::xero_id("10234"),
                number: "CM-10234".to_owned(),
            };
            let amount = upload.receipt.amount;
            upload.reserve(night, vec![(target, amount)], now()).unwrap();
        })
        .await;
    world.take(&message).await;
    assert_eq!(world.wakes(), 0, "it has a slot");
}
