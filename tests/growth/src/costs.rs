//! What it costs at AWS's list price.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::report::Report;

const PRICES: &str = include_str!("../../../infra/ci/prices.json");
/// A trigger of SQS asks so often in a minute, and there are four (`infra/ci/cost.py`).
const POLLS_A_MINUTE: u64 = 15 * 4;

/// The lines of what a simulated time of so many minutes costs, in US$, and their sum.
#[must_use]
pub fn costs(report: &Report, minutes: u64) -> (Vec<(String, Decimal)>, Decimal) {
    let prices: Value = serde_json::from_str(PRICES).expect("prices are JSON");
    let price = |what: &str, count: Decimal| {
        let line = &prices["prices"][what];
        let usd: Decimal = line["usd"].as_str().and_then(|usd| usd.parse().ok()).expect("a price");
        usd * count / Decimal::from(line["per"].as_u64().expect("a number"))
    };
    let load = |what: &str| -> Decimal {
        prices["load"][what].to_string().trim_matches('"').parse().expect("a load")
    };
    let meter = &report.meter;
    let count = |kind: &str| Decimal::from(report.done.get(kind).copied().unwrap_or(0));
    let events = count("event");
    let runs: Decimal =
        report.done.keys().filter(|kind| **kind != "event").map(|kind| count(kind)).sum();
    let invocations = Decimal::from(meter.invocations.values().sum::<u64>());
    let gigabyte_seconds = Decimal::from(meter.megabyte_milliseconds) / Decimal::from(1_024_000);
    let requests = Decimal::from(meter.request_hundredths) / Decimal::from(100);
    let requests = requests + Decimal::from(POLLS_A_MINUTE * minutes);
    let written = events * load("write units an event") + runs * load("write units a schedule");
    let read = events * load("read units an event") + runs * load("read units a schedule");
    let read = read + Decimal::from(report.units_swept);
    let logged = invocations * load("log KB an invocation") / Decimal::from(1_024 * 1_024);
    let lines = vec![
        (
            format!("{invocations} invocations, {gigabyte_seconds:.0} GB-seconds on x86_64"),
            price("invocation", invocations) + price("GB-second x86_64", gigabyte_seconds),
        ),
        (format!("{requests:.0} requests to SQS"), price("queue request", requests)),
        (
            format!("{written:.0} units written and {read:.0} read in DynamoDB"),
            price("write unit", written) + price("read unit", read),
        ),
        (format!("{logged:.2} GB of logs"), price("log GB", logged)),
        (format!("{events} events to the business"), price("event", events)),
    ];
    let sum = lines.iter().map(|(_, usd)| *usd).sum();
    (lines, sum)
}
