//! The full sweep looks for what was never read in Xero, judges again what other settings may change, and has no
//! size beyond which it fails.

use jiff::SignedDuration;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::world::{HALF_AN_HOUR, World, march};

const A_DAY: SignedDuration = SignedDuration::from_hours(24);

async fn open_kinds(world: &World) -> Vec<String> {
    let rows = world.rows("discrepancies").await.into_iter();
    rows.filter(|row| row.contains_key("open_in")).map(|row| row["kind"].clone()).collect()
}

#[tokio::test]
async fn an_invoice_that_was_paid_long_ago_and_is_reported_now_gets_its_payments() {
    // AMB-39: the sweep of changes looks back 31 days, and Xero lists no paid invoice among the open ones.
    let world = World::new().await;
    let invoice = world.invoice("CM-903");
    world.pay(invoice, 1_000_00);
    world.clock.advance(A_DAY * 60);
    world.sweep().await;
    world.work_off().await;
    world.local("903").await;
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    assert_eq!(world.work_off().await, 0, "nothing has changed in Xero");
    world.calls();

    let answer = world.full_sweep().await;

    assert_eq!(answer["run"]["counts"]["found_by_number"], 1, "{answer}");
    assert_eq!(world.calls(), 2, "the open ones, and one call for up to 50 numbers");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    let again = world.next_full_sweep().await;
    assert_eq!(again["run"]["counts"].get("looked_up"), None, "{again}");
}

#[tokio::test]
async fn what_xero_does_not_have_after_three_days_is_flagged_until_it_has_it() {
    // AMB-39, A8.3: from the report's arrival here
    let world = World::new().await;
    world.local("904").await;
    for _ in 0..2 {
        let answer = world.next_full_sweep().await;
        assert_eq!(answer["run"]["counts"]["looked_up"], 1, "{answer}");
        assert_eq!(open_kinds(&world).await, Vec::<String>::new());
    }

    let answer = world.next_full_sweep().await;

    assert_eq!(answer["run"]["counts"]["not_in_xero"], 1, "{answer}");
    assert_eq!(open_kinds(&world).await, ["NOT_IN_XERO"]);
    let row = &world.rows("discrepancies").await[0];
    assert!(row["detail"].contains("CM-904"), "{row:?}");
    let again = world.next_full_sweep().await;
    assert_eq!(again["run"]["counts"].get("not_in_xero"), None, "it is said once");
    // The certificate does not keep it back.
    let certify = json!({"scheduled_time": world.now(), "certify": true});
    world.invoke(certify).await.unwrap();
    let certificate = &world.rows("certificates").await[0];
    assert!(certificate["reasons"].contains("local_invoices_not_in_xero"), "{certificate:?}");

    let invoice = world.invoice("CM-904");
    world.pay(invoice, 5_00);
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    world.work_off().await;

    assert_eq!(open_kinds(&world).await, Vec::<String>::new(), "it closes by itself");
    assert_eq!(world.mirrored().await, world.in_xero());
}

#[tokio::test]
async fn an_invoice_of_the_future_is_not_flagged_before_its_issue_date() {
    // AMB-39; it is issued on the 20th, where the business is
    let world = World::new().await;
    world.local_of("905", march(20)).await;
    world.clock.set("2026-03-19T12:59:00Z".parse().unwrap());
    world.full_sweep().await;
    assert_eq!(open_kinds(&world).await, Vec::<String>::new());
    world.clock.set("2026-03-19T13:01:00Z".parse().unwrap());
    world.full_sweep().await;
    assert_eq!(open_kinds(&world).await, ["NOT_IN_XERO"]);
}

#[tokio::test]
async fn fifty_numbers_are_looked_up_in_a_call() {
    // AMB-39
    let world = World::new().await;
    for n in 100..220 {
        world.local(&n.to_string()).await;
    }
    world.calls();
    let answer = world.full_sweep().await;
    assert_eq!(answer["run"]["counts"]["looked_up"], 120, "{answer}");
    assert_eq!(world.calls(), 1 + 3);
}

#[tokio::test]
async fn a_setting_that_is_switched_off_lets_a_held_payment_in_without_a_word_of_xero() {
    // CM-41, AMB-35
    let world = World::new().await;
    let invoice = world.both("1").await;
    world.pay_on(invoice, 46_00, march(20));
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.rows("held_payments").await[0]["reason"], "FUTURE_DATED");
    world.settings(|settings| settings.forward_days = None).await;
    world.clock.advance(HALF_AN_HOUR);

    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();

    assert_eq!(answer["sweeps"][1]["run"]["counts"]["settings_changed"], 1, "{answer}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    assert_eq!(world.rows("held_payments").await.len(), 0);
    world.clock.advance(HALF_AN_HOUR);
    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    assert_eq!(answer["sweeps"].as_array().unwrap().len(), 1, "it is done: {answer}");
}

#[tokio::test]
async fn a_new_prefix_finds_the_invoices_that_bear_it() {
    // AMB-35
    let world = World::new().await;
    world.local("1").await;
    let invoice = world.invoice("ACME-1");
    world.pay(invoice, 1_000_00);
    world.sweep().await;
    world.work_off().await;
    world
        .settings(|settings| {
            settings.prefix = payments::NumberPrefix::new("ACME-").unwrap();
        })
        .await;
    world.clock.advance(HALF_AN_HOUR);
    world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    world.work_off().await;
    assert_eq!(world.rows("payments").await.len(), 1);
}

fn limited_once() -> Fault {
    let limit = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) };
    Fault::on("GET", "/Invoices", limit).times(1)
}

/// More open invoices than a page holds, one of which is ours and has changed.
async fn large(at_once: bool) -> (World, uuid::Uuid) {
    let world = World::new().await;
    let known = world.both("1").await;
    let closed = world.both("2").await;
    world.sweep().await;
    world.work_off().await;
    for n in 0..2_300 {
        world.invoice(&format!("INV-{n}"));
        if !at_once {
            world.clock.advance(SignedDuration::from_millis(100));
        }
    }
    world.pay(known, 10_00);
    world.pay(closed, 1_000_00);
    world.clock.advance(HALF_AN_HOUR);
    (world, known)
}

async fn made_up(world: &World) -> Value {
    world.clock.advance(HALF_AN_HOUR);
    let event = json!({"scheduled_time": world.now()});
    let answer = world.invoke(event).await.unwrap();
    answer["sweeps"][1].clone()
}

#[tokio::test]
async fn a_full_sweep_goes_on_where_it_was_stopped() {
    // N10
    for at_once in [false, true] {
        let (world, _) = large(at_once).await;
        world.calls();
        // All in one second are counted first, and then read from the last page to the first.
        let calls = if at_once { 1 + 3 } else { 3 };
        let answer = world.full_sweep().await;
        assert_eq!(answer["run"]["counts"]["open_in_xero"], 2_301, "{answer}");
        assert_eq!(answer["run"]["counts"]["paid_differs"], 1, "{answer}");
        assert_eq!(answer["run"]["counts"]["no_longer_open"], 1, "{answer}");
        assert_eq!(world.calls(), calls, "{at_once}");
    }
    let (world, _) = large(false).await;
    let proxy = world.simulator.clone();
    let pages = std::sync::atomic::AtomicUsize::new(0);
    world.xero.with_each(move || {
        if pages.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
            proxy.inject(limited_once());
        }
    });
    let first = world.full_sweep().await;
    assert_eq!(first["outcome"], "stopped", "{first}");
    let rest = made_up(&world).await;
    assert_eq!(rest["outcome"], "finished", "{rest}");
    let seen = |answer: &Value| answer["run"]["counts"]["open_in_xero"].as_u64().unwrap();
    assert_eq!(seen(&first) + seen(&rest), 2_301, "{first} {rest}");
    assert_eq!(rest["run"]["counts"]["no_longer_open"], 1, "{rest}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
}
