//! The record of each batch: the sync log (CC-09), and how long reports took (SP-09).

use crate::messages::{ORGANISATION, invoice, payment, with};
use crate::world::{World, record};

const DEADLINE: &str = "2026-03-10T01:01:00Z";

#[tokio::test]
async fn a_batch_leaves_a_run_with_what_was_taken_in_and_what_was_parked() {
    // CC-09: the counters of a run. SP-09
    let world = World::new().await;
    let foreign = with(
        invoice("10240", 1, "110.00"),
        "/organisation",
        "00000000-92d4-4f57-b3c8-71e2d5a9f046",
    );
    let bad = with(invoice("10250", 1, "110.00"), "/issued_on", "2026-02-30");
    let messages = [
        invoice("10234", 1, "110.00"),
        payment("P-1", 1, "100.00", &[("10234", "100.00")]),
        bad,
        foreign,
    ];
    let records: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(n, message)| record(&n.to_string(), &message.to_string(), 1))
        .chain([record("4", "<xml/>", 1)])
        .collect();

    assert!(world.batch(records, DEADLINE).await.is_empty());

    // Neither an organisation that is not set up here, nor a message without one, has a log.
    let [run] = &world.rows("sync_runs").await[..] else { panic!() };
    assert_eq!(run["organisation"], ORGANISATION);
    assert_eq!((run["kind"].as_str(), run["trigger"].as_str()), ("intake", "queue"));
    assert_eq!(run["state"], "finished", "a message that is parked is dealt with");
    assert_eq!(
        run["counts"],
        format!(
            "{:?}",
            std::collections::BTreeMap::from([
                ("invoices", "1"),
                ("parked", "1"),
                ("payments", "1"),
                ("records", "3")
            ])
        )
    );
    assert_eq!((run["latency_count"].as_str(), run["late"].as_str()), ("2", "0"));
    assert_eq!(run["latency_max_ms"], run["latency_p50_ms"]);
    assert!(!run.contains_key("failed_in"));
}

#[tokio::test]
async fn what_could_not_be_recorded_is_a_failure_in_the_log_and_comes_again() {
    // CC-09, CC-26, FAULT-29
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    let calls = {
        world.faults.fail(usize::MAX, false);
        world.take(&invoice("10234", 2, "120.00")).await;
        world.faults.writes()
    };
    let write = calls.iter().position(|write| *write).unwrap();
    world.faults.fail(write, false);
    assert!(!world.receive(&invoice("10234", 3, "130.00"), 1).await);
    let runs = world.rows("sync_runs").await;
    let failed: Vec<_> = runs.iter().filter(|run| run.contains_key("failed_in")).collect();
    let [run] = failed[..] else { panic!("{runs:?}") };
    assert_eq!((run["state"].as_str(), run["errors"].as_str()), ("failed", r#"{"Tables": "1"}"#));
    assert!(run["counts"].contains(r#""records_again": "1""#), "{}", run["counts"]);
    assert!(!run["problem"].contains("130"), "N9: {}", run["problem"]);
}

#[tokio::test]
async fn the_clock_of_a_report_starts_with_its_event_where_the_message_says_when_that_was() {
    // SP-09, A7.1: it is 01:00:00, and the message was sent a second ago.
    for (event_at, took, late) in [
        (None, "1000", "0"),
        (Some("2026-03-10T11:58:20+11:00"), "100000", "0"),
        (Some("2026-03-10T00:54:59.999Z"), "300001", "1"),
        (Some("2026-03-10T00:59:59.500Z"), "1000", "0"),
    ] {
        let world = World::new().await;
        let mut message = payment("P-1", 1, "100.00", &[("10234", "100.00")]);
        if let Some(event_at) = event_at {
            message["event_at"] = event_at.into();
        }
        world.take(&message).await;
        let [run] = &world.rows("sync_runs").await[..] else { panic!() };
        assert_eq!((run["latency_max_ms"].as_str(), run["late"].as_str()), (took, late));
        let log = world.rows("activity").await;
        let recorded = log.iter().find(|row| row["action"] == "recorded").unwrap();
        assert_eq!(recorded["visible_after_ms"], took);
    }
}
