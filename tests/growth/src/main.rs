//! Prints a day of 5,000 organisations.

use std::process::ExitCode;

use growth::{Fleet, FullSweep, Loop, Plan, Product, costs, simulate};
use jiff::SignedDuration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    let way = if has("serial") { Loop::Serial } else { Loop::Messages };
    let full_sweep = if has("everything") { FullSweep::Everything } else { FullSweep::Unsettled };
    let events_a_day = if has("events") { 10_000_000 } else { 0 };
    let fleet = Fleet { all: 5_000, large: 50, broken: 5 };
    let hours = words.iter().find_map(|word| word.parse().ok()).unwrap_or(24_u32);
    // Ten in the morning by UTC: evening in Sydney, and most events of the day.
    let begin = "2026-03-02T10:00:00Z".parse().expect("a moment");
    let lasts = SignedDuration::from_hours(hours.into());
    let product = Product::deployed();
    let report = simulate(Plan { fleet, way, full_sweep, product, events_a_day, begin, lasts });
    println!(
        "5,000 organisations, 50 large, 5 broken; {events_a_day} events a day; {hours} hours; {way:?}; full sweeps of {full_sweep:?}"
    );
    for (kind, longest) in &report.longest {
        println!("{:>10} times {kind}, longest wait {longest:#}", report.done[kind]);
    }
    println!("named as failing: {:?}", report.failing);
    let meter = &report.meter;
    println!(
        "calls: {}; of one organisation {} in a minute, {} in a day; of the app {} in a minute; runs stopped at a limit: {}",
        meter.calls(),
        meter.minute_max,
        meter.day_max(),
        meter.app_minute_max,
        report.limited
    );
    println!(
        "full sweeps read {} rows of invoices, {} read units",
        report.rows_swept, report.units_swept
    );
    println!(
        "events late: {}; still waiting: {}; deliveries turned away: {}",
        report.late, report.waiting, report.turned_away
    );
    println!(
        "invocations: {:?}; longest message: {} bytes",
        meter.invocations, meter.longest_message
    );
    let (lines, sum) = costs(&report, u64::from(hours) * 60);
    for (what, usd) in lines {
        println!("US$ {usd:>7.2}: {what}");
    }
    println!("US$ {sum:>7.2} in {hours} hours at list price");
    let broken = report.broken(fleet);
    for promise in &broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
