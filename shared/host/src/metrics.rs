//! One record of numbers per invocation, in CloudWatch's embedded metric format: a JSON line on
//! stdout, from which CloudWatch makes metrics. No calls, no dependency; whole numbers only.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::env::{EnvError, Environment};

/// The namespace of all our metrics.
pub const NAMESPACE: &str = "Paymirror";
/// The one dimension of all our metrics: the function's name.
pub const DIMENSION: &str = "Function";
/// `on` writes metrics outside Lambda, too; `off` writes none even there.
pub const SWITCH: &str = "PAYMIRROR_METRICS";

/// One number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

impl Metric {
    /// So many of something.
    pub fn count(name: &'static str, value: impl TryInto<u64>) -> Self {
        Self { name, unit: "Count", value: value.try_into().unwrap_or(u64::MAX) }
    }

    /// So long.
    pub fn milliseconds(name: &'static str, value: impl TryInto<u64>) -> Self {
        Self { name, unit: "Milliseconds", value: value.try_into().unwrap_or(u64::MAX) }
    }
}

/// Where the records of one function go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metrics {
    function: String,
    on: bool,
}

impl Metrics {
    /// Writes on Lambda, under the name that the function has there, so that two deployments in
    /// one account stay apart. Elsewhere it is silent, unless [`SWITCH`] asks for `function`.
    ///
    /// # Errors
    ///
    /// When [`SWITCH`] is neither `on` nor `off`.
    pub fn from_env(env: &Environment, function: &str) -> Result<Self, EnvError> {
        let name = env.optional("AWS_LAMBDA_FUNCTION_NAME")?;
        let on = match env.optional(SWITCH)?.as_deref() {
            None => name.is_some(),
            Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(EnvError::new(SWITCH, "must be on or off")),
        };
        Ok(Self { function: name.unwrap_or_else(|| function.to_owned()), on })
    }

    /// Writes nothing.
    pub const fn off() -> Self {
        Self { function: String::new(), on: false }
    }

    /// Writes one record.
    pub fn emit(&self, now: Timestamp, metrics: &[Metric]) {
        if self.on {
            // A number that cannot be written must not undo the work it counts.
            let _ = writeln!(std::io::stdout().lock(), "{}", line(&self.function, now, metrics));
        }
    }
}

/// The record as a line of text.
fn line(function: &str, now: Timestamp, metrics: &[Metric]) -> String {
    let definitions: Vec<Value> =
        metrics.iter().map(|metric| json!({"Name": metric.name, "Unit": metric.unit})).collect();
    let mut record = Map::new();
    let about = json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions}
        ],
    });
    record.insert("_aws".to_owned(), about);
    record.insert(DIMENSION.to_owned(), json!(function));
    for metric in metrics {
        record.insert(metric.name.to_owned(), json!(metric.value));
    }
    Value::Object(record).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_shape_that_cloudwatch_reads() {
        let now: Timestamp = "2026-10-05T03:41:25.250Z".parse().unwrap();
        let metrics =
            [Metric::count("Deliveries", 1_u32), Metric::milliseconds("Duration", 12_u64)];
        let line = line("webhook", now, &metrics);
        assert!(!line.contains('\n') && !line.contains('.'), "one line, no floats: {line}");
        let record: Value = serde_json::from_str(&line).unwrap();
        let definition = &record["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(record["_aws"]["Timestamp"], 1_791_171_685_250_i64);
        assert_eq!(definition["Namespace"], "Paymirror");
        assert_eq!(definition["Dimensions"], json!([["Function"]]));
        assert_eq!(
            definition["Metrics"],
            json!([{"Name": "Deliveries", "Unit": "Count"},
                   {"Name": "Duration", "Unit": "Milliseconds"}])
        );
        // Every dimension and metric that is declared has its value at the top.
        assert_eq!(record["Function"], "webhook");
        assert_eq!(record["Deliveries"], 1);
        assert_eq!(record["Duration"], 12);
    }

    #[test]
    fn a_record_is_the_one_that_the_tests_of_alarms_are_fed_with() {
        // `infra/ci/test_alarms.py` makes its lines like this one.
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let metrics =
            [Metric::count("LateSyncs", 1_u32), Metric::milliseconds("SlowestSync", 312_000_u64)];
        let record: Value = serde_json::from_str(&line("paymirror-mirror", now, &metrics)).unwrap();
        let fed = include_str!("../../../infra/ci/fixtures/emf-line.json");
        assert_eq!(record, serde_json::from_str::<Value>(fed).unwrap());
    }

    #[test]
    fn records_are_written_on_lambda_or_when_asked_for() {
        let metrics = |variables: &[(&str, &str)]| {
            Metrics::from_env(&Environment::given(variables.iter().copied()), "webhook")
        };
        let on_lambda = metrics(&[("AWS_LAMBDA_FUNCTION_NAME", "prod-webhook")]).unwrap();
        assert_eq!(on_lambda, Metrics { function: "prod-webhook".to_owned(), on: true });
        let elsewhere = Metrics { function: "webhook".to_owned(), on: false };
        assert_eq!(metrics(&[]).unwrap(), elsewhere);
        assert!(metrics(&[(SWITCH, "on")]).unwrap().on);
        let off = [("AWS_LAMBDA_FUNCTION_NAME", "prod-webhook"), (SWITCH, "off")];
        assert!(!metrics(&off).unwrap().on);
        assert_eq!(metrics(&[(SWITCH, "perhaps")]).unwrap_err().name, SWITCH);
    }

    #[test]
    fn a_number_that_does_not_fit_is_the_largest_one() {
        assert_eq!(Metric::count("N", -1_i64).value, u64::MAX);
        assert_eq!(Metric::count("N", 7_usize).value, 7);
    }
}
