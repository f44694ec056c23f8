//! The caps: two hundred a night however many run at once, and 4,000 attempts in 30 days.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use payments::upload::{ATTEMPTS_MAX, Caps, Reservation};
use serde_json::{Value, json};

use crate::samples::{bpay, pay_now};
use crate::world::{World, evening, march};

fn outcomes(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn ten_invocations_at_once_are_one_run_of_exactly_two_hundred() {
    // EX-31, N6, FAULT-27
    let world = World::new().await;
    world.bpay_payments(210).await;

    let answers = join_all((0..10).map(|_| world.night(evening()))).await;

    let outcomes = outcomes(&answers);
    let of = |wanted: &str| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!(of("finished"), 1, "{outcomes:?}");
    assert_eq!(of("another_run_is_at_it") + of("already_run"), 9, "{outcomes:?}");
    assert_eq!(world.in_xero().len(), 200);
    world.check().await;
}

#[tokio::test]
async fn two_nights_that_touch_at_noon_are_not_four_hundred() {
    // The rolling 20 hours: one run shortly before noon, another shortly after.
    let world = World::new().await;
    world.settings(|uploading| uploading.nightly_max = 200).await;
    world.bpay_payments(205).await;
    let before_noon: Timestamp = "2026-03-03T00:30:00Z".parse().unwrap();
    let after_noon: Timestamp = "2026-03-03T01:30:00Z".parse().unwrap();
    world.clock.set(before_noon);
    let first = world.night(before_noon).await;
    assert_eq!(
        (&first["night"], &first["report"]["uploaded"]),
        (&json!("2026-03-02"), &json!(200))
    );

    world.clock.set(after_noon);
    let second = world.night(after_noon).await;

    assert_eq!(
        (&second["night"], &second["report"]["uploaded"]),
        (&json!("2026-03-03"), &json!(0))
    );
    assert_eq!(second["report"]["carried"], 5);
    assert_eq!(world.in_xero().len(), 200);
}

/// As if so many attempts had been made two days ago.
async fn attempted(world: &World, attempts: u32) {
    let unused = Caps::unused(world.organisation());
    let at = world.now() - SignedDuration::from_hours(48);
    let made = Reservation { at, night: None, slots: 0, attempts };
    let caps = Caps { reservations: vec![made], ..unused.clone() };
    let because = table::ChangeContext { cause: "test", event_at: None, now: world.now() };
    world.tables.write_caps(&unused, &caps, "a test", "a month of work", because).await.unwrap();
}

#[tokio::test]
async fn attempt_4001_switches_the_nightly_upload_off_until_a_person_switches_it_on() {
    // EX-32, AMB-12, AMB-13
    let world = World::new().await;
    attempted(&world, ATTEMPTS_MAX - 1).await;
    world.bpay_payments(3).await;
    let contact = world.customer("online").await;
    world.invoice(contact, "CM-1", 50_00, march(1));

    let night = world.night(evening()).await;

    assert_eq!(night["report"]["uploaded"], 1, "exactly 4,000 are allowed");
    assert_eq!(night["report"]["carried"], 2);
    assert!(night["why"].as_str().unwrap().contains("switched off"), "{night}");
    let messages = world.rows("messages").await;
    assert!(messages.iter().any(|row| row["message"].starts_with("UPLOAD_DISABLED")));

    // What names its invoice is still posted.
    world.pay(pay_now("P-now", "1", 50_00)).await;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    let night = world.night(next).await;
    assert_eq!(world.state("P-now").await, "uploaded");
    assert_eq!(night["report"]["carried"], 2, "{night}");

    // Switching it on does not reset the count: the next attempt switches it off again.
    let on = json!({"organisation": world.organisation(), "enable_uploads": true,
        "by": "Wilma", "why": "the provider agrees"});
    world.invoke(on.clone()).await.unwrap();
    let next = next + SignedDuration::from_hours(24);
    world.clock.set(next);
    let night = world.night(next).await;
    assert!(night["why"].as_str().unwrap().contains("switched off"), "{night}");

    // Thirty days after the attempts it goes on.
    let next = evening() + SignedDuration::from_hours(24 * 30);
    world.clock.set(next);
    world.invoke(on).await.unwrap();
    let night = world.night(next).await;
    assert_eq!((&night["report"]["carried"], &night["outcome"]), (&json!(0), &json!("finished")));
    world.check().await;
    let said = world.rows("activity").await;
    assert!(said.iter().any(|row| row.get("by").is_some_and(|by| by == "Wilma")));
}

#[tokio::test]
async fn operators_get_a_message_when_the_limit_comes_near() {
    // AMB-09
    let world = World::new().await;
    attempted(&world, 2_999).await;
    world.bpay_payments(1).await;

    world.night(evening()).await;

    let messages = world.rows("messages").await;
    assert!(messages[0]["message"].starts_with("UPLOAD_LIMIT_NEAR"), "{messages:#?}");
    assert!(
        messages[0]["why"].contains("75 %") && messages[0]["why"].contains("129"),
        "{messages:#?}"
    );
}

#[tokio::test]
async fn another_organisation_is_not_concerned() {
    // EX-32: only the one whose limit it is.
    let (one, other) = (World::new().await, World::new().await);
    attempted(&one, ATTEMPTS_MAX).await;
    for world in [&one, &other] {
        world.customer("K").await;
        world.pay(bpay("P-1", "K", 10_00, march(1))).await;
        world.night(evening()).await;
    }
    assert_eq!((one.state("P-1").await, other.state("P-1").await), ("waiting", "uploaded"));
}

#[tokio::test]
async fn two_runs_of_two_nights_at_the_same_moment_share_the_twenty_hours() {
    // Two leases, one cap: what is checked and what is written are one step (N6).
    let world = World::new().await;
    world.bpay_payments(205).await;
    let before_noon: Timestamp = "2026-03-03T00:50:00Z".parse().unwrap();
    let after_noon: Timestamp = "2026-03-03T01:05:00Z".parse().unwrap();
    world.clock.set(after_noon);

    let both = join_all([before_noon, after_noon].map(|at| world.night(at))).await;

    let nights: Vec<_> = both.iter().map(|answer| answer["night"].as_str().unwrap()).collect();
    assert_eq!(nights, ["2026-03-02", "2026-03-03"]);
    assert_eq!(world.in_xero().len(), 200);
    world.check().await;
}
