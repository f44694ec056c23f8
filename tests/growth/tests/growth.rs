//! CC-22, SP-09: 5,000 organisations, of which 50 are large and 5 are broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use growth::{Fleet, FullSweep, Loop, Plan, Product, Report, simulate};
use jiff::SignedDuration;

const FLEET: Fleet = Fleet { all: 5_000, large: 50, broken: 5 };

/// It has the mornings of Auckland and of Sydney, and the evening of London.
fn plan(hours: i64) -> Plan {
    Plan {
        fleet: FLEET,
        way: Loop::Messages,
        full_sweep: FullSweep::Unsettled,
        product: Product::deployed(),
        events_a_day: 0,
        begin: "2026-03-02T15:00:00Z".parse().unwrap(),
        lasts: SignedDuration::from_hours(hours),
    }
}

fn broken(report: &Report) -> Vec<String> {
    report.broken(FLEET)
}

#[test]
fn five_thousand_organisations_are_swept_in_time_and_have_their_nights_and_mornings() {
    let report = simulate(plan(8));
    assert_eq!(broken(&report), Vec::<String>::new());
    assert_eq!(report.limited, 0);
    assert!(report.done["close"] >= 1_250, "{:?}", report.done);
    assert!(report.done["customer sync"] >= 75_000, "{:?}", report.done);
    assert!(
        report.done["night"] >= 1_250 && report.done["full sweep"] >= 1_240,
        "{:?}",
        report.done
    );
}

#[test]
fn the_serial_loop_breaks_the_same_promises() {
    // Else the simulation would prove nothing.
    let report = simulate(Plan { way: Loop::Serial, ..plan(8) });
    let broken = broken(&report);
    assert!(broken.iter().any(|what| what.ends_with("were never swept")), "{broken:?}");
    assert!(report.never > 4_000, "the wall stands at {} organisations", 5_000 - report.never);
}

#[test]
fn a_full_sweep_of_everything_reads_many_times_as_many_rows() {
    let report = simulate(plan(8));
    let before = simulate(Plan { full_sweep: FullSweep::Everything, ..plan(8) });
    assert_eq!(report.done["full sweep"], before.done["full sweep"]);
    let (rows, rows_before) = (report.rows_swept, before.rows_swept);
    assert!(rows * 5 < rows_before, "{rows} and {rows_before}");
}

#[test]
fn closes_of_one_organisation_after_the_other_would_be_late() {
    // `AT_ONCE` of reconcile.
    let mut plan = plan(8);
    plan.product.closes_at_once = 1;
    let broken = broken(&simulate(plan));
    assert!(broken.iter().any(|what| what.starts_with("a close has waited")), "{broken:?}");
}

#[test]
fn days_of_the_log_are_sealed_by_one_invocation() {
    // SP-29: the day may be sealed at three in the morning by UTC, a few minutes before the schedule comes.
    let day = Plan { begin: "2026-03-03T02:55:00Z".parse().unwrap(), ..plan(1) };
    let report = simulate(day.clone());
    assert_eq!((broken(&report), report.done["seal"]), (Vec::new(), 5_000));
    let mut slow = day;
    slow.product.seals_at_once = 1;
    slow.product.report_timeout = SignedDuration::from_secs(300);
    assert!(simulate(slow).done["seal"] < 5_000, "there is a wall, and it is seen");
}

/// Twenty minutes of a day with ten million events, in its busiest hours.
fn flood() -> Plan {
    Plan {
        events_a_day: 10_000_000,
        begin: "2026-03-02T12:00:00Z".parse().unwrap(),
        lasts: SignedDuration::from_mins(20),
        ..plan(0)
    }
}

#[test]
fn ten_million_events_a_day_are_in_the_tables_within_five_minutes() {
    // SP-09, X-09
    let report = simulate(flood());
    assert_eq!(broken(&report), Vec::<String>::new());
    // Twelve seconds of events.
    assert!(report.done["event"] > 180_000, "{:?}", report.done);
    assert!(report.waiting < 2_000, "{}", report.waiting);
}

#[test]
fn two_copies_of_the_mirror_would_not_keep_up() {
    // A setting of the template: `MaximumConcurrency` of the trigger on the queue `changes`.
    let mut plan = flood();
    plan.product.mirror.copies = 2;
    let broken = broken(&simulate(plan));
    assert!(broken.iter().any(|what| what.starts_with("an event has waited")), "{broken:?}");
}
