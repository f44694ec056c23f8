//! The start date is changed: what it kept back is judged again (AMB-35, EX-33).

use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::UploadStart;
use serde_json::json;

use crate::samples::{Paid, bpay, pay_now};
use crate::world::{World, evening, march};

#[tokio::test]
async fn payments_that_an_earlier_start_date_kept_back_go_after_it_was_changed() {
    let world = World::new().await;
    world.settings(|uploading| uploading.start = UploadStart::Day(march(1))).await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-10234", 60_00, march(1));
    world.invoice(contact, "CM-10235", 40_00, march(1));
    let february = date(2026, 2, 10);
    world.pay(bpay("P-night", "K", 60_00, february)).await;
    world.pay(Paid { date: february, ..pay_now("P-now", "10235", 40_00) }).await;
    world.pay(bpay("P-old", "K", 1_00, date(2026, 1, 10))).await;
    world.pay(Paid { method: "bank_transfer", ..bpay("P-bank", "K", 5_00, february) }).await;
    world.night(evening()).await;
    for payment in ["P-night", "P-now", "P-old", "P-bank"] {
        assert_eq!(world.state(payment).await, "skipped", "{payment}");
    }
    let judged = world.rows("connections").await[0]["judged_start"].clone();
    assert_eq!(judged, "upload_start=2026-03-01 time_zone=Australia/Sydney");

    world.change(|uploading| uploading.start = UploadStart::Day(date(2026, 2, 1))).await;
    world.clock.advance(SignedDuration::from_hours(1));
    world.invoke(json!({"catch_up": true})).await.unwrap();

    let judged = world.rows("connections").await[0]["judged_start"].clone();
    assert_eq!(judged, "upload_start=2026-02-01 time_zone=Australia/Sydney");
    world.work_off_tasks().await;
    assert_eq!(world.state("P-now").await, "uploaded", "at once");
    assert_eq!(world.state("P-night").await, "waiting", "for its night");
    for payment in ["P-old", "P-bank"] {
        assert_eq!(world.state(payment).await, "skipped", "{payment}");
    }
    world.clock.set(evening() + SignedDuration::from_hours(24));
    world.night(world.now()).await;
    assert_eq!(world.state("P-night").await, "uploaded");
}
