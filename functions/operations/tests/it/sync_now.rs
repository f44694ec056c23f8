//! A person asks (ST-18, CC-12 to CC-15).

use jiff::SignedDuration;
use queue::{Cause, Message};
use serde_json::json;
use xero_simulator::{Effect, Fault};

use worlds::sweep::{HALF_AN_HOUR, World, uuid};

#[tokio::test]
async fn a_person_who_asks_gets_counts_and_last_sync_moves() {
    // CC-12, CC-14
    let world = World::new().await;
    let invoice = world.both("1").await;
    let answer = world.sync_now(json!({})).await;
    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(answer["run"]["counts"]["queued"], 1);
    let (asked_at, messages) = (world.now(), world.line.recorded.take());
    let [Message::Invoices(changes)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((changes.cause, uuid(changes.invoices[0].id)), (Cause::Manual, invoice));
    let run = world.last_run().await;
    assert_eq!((run["by"].as_str(), run["trigger"].as_str()), ("Ada", "manual"));
    assert_eq!(run["why"], "one is missing");
    assert_eq!(world.state().await.last_success_at, None, "it is not imported yet");
    world.clock.advance(SignedDuration::from_secs(5));
    world.mirror(messages[0].clone()).await;
    assert_eq!(world.state().await.last_success_at, Some(asked_at));
}

#[tokio::test]
async fn a_second_wish_within_a_minute_gets_the_last_run_and_asks_nothing_of_xero() {
    // CC-15
    let world = World::new().await;
    world.both("1").await;
    let first = world.sync_now(json!({})).await;
    world.calls();
    world.take_queue();
    world.clock.advance(SignedDuration::from_secs(59));

    for more in [json!({}), json!({"invoice": "CM-1"})] {
        let second = world.sync_now(more).await;
        assert_eq!(second["outcome"], "asked_a_moment_ago");
        assert_eq!(second["run"], first["run"]);
    }

    assert_eq!((world.calls(), world.take_queued().len()), (0, 0));
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.sync_now(json!({})).await["outcome"], "finished");
}

#[tokio::test]
async fn a_wish_while_a_run_is_at_it_gets_that_run() {
    // CC-15
    let world = World::new().await;
    world.both("1").await;
    let scheduled = world.invoke(json!({"scheduled_time": world.now()}));
    let (scheduled, asked) = tokio::join!(scheduled, async {
        while world.rows("sync_runs").await.is_empty() {
            tokio::task::yield_now().await;
        }
        world.sync_now(json!({})).await
    });
    assert_eq!(scheduled.unwrap()["sweeps"][0]["outcome"], "finished");
    assert_eq!(asked["outcome"], "another_run_is_at_it");
    assert_eq!(asked["run"]["state"], "running");
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn one_invoice_costs_one_call_and_moves_neither_cursor_nor_last_sync() {
    let world = World::new().await;
    let invoice = world.both("10234").await;
    world.both("10235").await;
    for (asked, found) in [("CM-10234", true), ("10234", true), ("CM-10999", false)] {
        world.calls();
        let answer = world.sync_now(json!({"invoice": asked})).await;
        assert_eq!(answer["outcome"], "finished", "{answer}");
        let expected: &[uuid::Uuid] = if found { &[invoice] } else { &[] };
        assert_eq!(world.take_queued(), expected, "{asked}");
        assert_eq!(answer["why"].is_null(), found, "{answer}");
        assert_eq!(world.calls(), 1);
        world.clock.advance(SignedDuration::from_secs(60));
    }
    let state = world.state().await;
    assert_eq!((state.cursor, state.last_success_at), (None, None));
    assert!(state.last_attempt_at.is_some());
}

#[tokio::test]
async fn a_window_is_looked_at_again_however_long_ago_it_was() {
    let world = World::new().await;
    let mut invoices = Vec::new();
    for n in 1..=5 {
        invoices.push(world.both(&n.to_string()).await);
        world.clock.advance(HALF_AN_HOUR);
    }
    world.sweep().await;
    world.take_queue();
    let cursor = world.state().await.cursor;
    let from = world.simulator.invoice(invoices[1]).unwrap().updated;
    let to = world.simulator.invoice(invoices[3]).unwrap().updated;

    let answer = world.sync_now(json!({"from": from, "to": to})).await;

    assert_eq!(answer["run"]["kind"], "window");
    let mut queued = world.take_queued();
    queued.sort();
    let mut expected = invoices[1..=3].to_vec();
    expected.sort();
    assert_eq!(queued, expected);
    assert_eq!(world.state().await.cursor, cursor);
}

#[tokio::test]
async fn a_failed_sync_says_what_failed() {
    let world = World::new().await;
    let effect =
        xero_simulator::Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(xero_simulator::Fault::on("GET", "/Payments", effect));
    let answer = world.sync_now(json!({})).await;
    assert_eq!(answer["outcome"], "failed");
    assert_eq!(answer["run"]["errors"], json!({"Authentication": 1}));
    let why = answer["why"].as_str().unwrap();
    assert!(why.contains("accounting.payments.read is missing"), "{why}");
    assert_eq!(world.state().await.last_success_at, None);
}

#[tokio::test]
async fn a_window_that_had_to_stop_says_how_far_it_was_read() {
    let world = World::new().await;
    world.both("1").await;
    let limit = xero_simulator::Effect::RateLimit {
        problem: xero_simulator::LimitProblem::Minute,
        retry_after: Some(20),
    };
    world.simulator.inject(xero_simulator::Fault::on("GET", "/Payments", limit).times(1));
    let (from, to) = ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z");
    let answer = world.sync_now(json!({"from": from, "to": to})).await;
    assert_eq!(answer["outcome"], "stopped");
    assert!(answer["why"].as_str().unwrap().ends_with("ask again"), "{answer}");
    let subject = &world.last_run().await["subject"];
    assert_eq!(*subject, format!("{from} to {to}; payments up to {from}"));
}

#[tokio::test]
async fn a_number_with_an_invisible_blank_is_quoted() {
    // Numbers are compared exactly; the answer about the one without the blank names the other.
    let world = World::new().await;
    world.local("111").await;
    world.invoice("CM-111 ");
    world.sweep().await;
    world.work_off().await;
    let found = world.rows("discrepancies").await;
    assert!(found[0]["detail"].contains("\"CM-111 \", with a blank"), "{found:?}");
    world.clock.advance(HALF_AN_HOUR);

    let answer = world.sync_now(json!({"invoice": "111"})).await;

    let why = answer["why"].as_str().unwrap();
    assert!(why.contains("asked for exactly \"CM-111\""), "{why}");
    assert!(why.contains("Xero has \"CM-111 \""), "{why}");
}

#[tokio::test]
async fn last_sync_stays_where_it_was_while_the_mirror_fails_every_message() {
    // CC-05
    let world = World::new().await;
    world.sweep().await;
    let synced = world.state().await.last_success_at;
    assert_eq!(synced, Some(world.now()), "nothing was found, and nothing is awaited");
    world.both("1").await;
    world.clock.advance(HALF_AN_HOUR);
    let down = Effect::Status { status: 503, headers: vec![], body: String::new() };
    world.sweep().await;
    let queued_at = world.now();
    world.simulator.inject(Fault::on("GET", "/Invoices", down));
    for _ in 0..3 {
        for message in world.line.recorded.take() {
            let Message::Invoices(changes) = &message else { panic!("{message:?}") };
            world.clock.set(world.now().max(changes.not_before.unwrap_or(world.now())));
            world.mirror(message).await;
        }
        assert_eq!(world.state().await.last_success_at, synced);
    }
    // A sweep that finds nothing new does not make up for it.
    world.simulator.clear_faults();
    world.clock.advance(SignedDuration::from_mins(45));
    assert_eq!(world.sweep().await["outcome"], "finished");
    let swept_again_at = world.now();
    assert_eq!(world.state().await.last_success_at, synced);

    world.work_off().await;

    let state = world.state().await;
    assert!(queued_at < swept_again_at);
    assert_eq!(state.last_success_at, Some(swept_again_at), "all of it is imported");
    assert_eq!(world.rows("sweeps").await.len(), 2, "nothing is awaited any more");
}
