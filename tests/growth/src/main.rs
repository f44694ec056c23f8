//! Prints a day of 5,000 organisations.

use growth::{Fleet, Loop, simulate};
use jiff::SignedDuration;
use rust_decimal::Decimal;

fn main() {
    let is_serial = std::env::args().any(|word| word == "serial");
    let way = if is_serial { Loop::Serial } else { Loop::Messages };
    let fleet = Fleet { all: 5_000, large: 50, broken: 5 };
    let begin = "2026-03-02T00:00:00Z".parse().expect("a moment");
    let report = simulate(fleet, way, begin, SignedDuration::from_hours(24));
    let prices = include_str!("../../../infra/ci/prices.json");
    let prices: serde_json::Value = serde_json::from_str(prices).expect("prices are JSON");
    let price = |what: &str, count: Decimal| {
        let line = &prices["prices"][what];
        let usd: Decimal = line["usd"].as_str().and_then(|usd| usd.parse().ok()).expect("a price");
        usd * count / Decimal::from(line["per"].as_u64().expect("a number"))
    };
    let meter = &report.meter;
    println!("5,000 organisations, 50 large, 5 broken; a day; {way:?}");
    for (kind, longest) in &report.longest {
        println!("longest wait of a {kind}: {longest:#}");
    }
    println!("work not done before the next schedule: {}", report.missed);
    println!("organisations never swept: {}; nights begun: {}", report.never, report.nights);
    println!("named as failing: {:?}", report.failing);
    println!(
        "calls of one organisation: {} in a minute, {} in a day; of the app: {} in a minute; stopped at a limit: {}",
        meter.minute_max,
        meter.day_max(),
        meter.app_minute_max,
        report.limited
    );
    let gb_seconds = Decimal::from(meter.milliseconds) / Decimal::from(2_000);
    let cost = price("invocation", meter.invocations.into())
        + price("GB-second arm64", gb_seconds)
        + price("queue request", meter.requests.into());
    println!(
        "{} invocations, {gb_seconds:.0} GB-seconds, {} requests to SQS (longest message {} bytes): US$ {cost:.2} a day",
        meter.invocations, meter.requests, meter.longest_message
    );
}
