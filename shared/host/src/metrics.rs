//! One record of numbers per invocation: a JSON line on stdout, in CloudWatch's embedded metric format. No calls, no
//! dependency; whole numbers only.
//!
//! All numbers are fields of the line, which Logs Insights reads. CloudWatch keeps few of them as metrics, because it
//! takes money for each: those in `KEPT`, which alarms watch. Most of these are made of several numbers.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::counters::Counters;
use crate::env::{EnvError, Environment};
pub use crate::metric::Metric;

/// The namespace of all our metrics.
pub const NAMESPACE: &str = "Paymirror";
/// The one dimension of all our metrics: the stack. It keeps two deployments in one account apart, and one alarm sees
/// what all functions of a stack write.
pub const DIMENSION: &str = "Stack";
/// The field with the function's name. It is no dimension: each value of one would be a metric more.
const FUNCTION: &str = "Function";
/// The variable with the stack's name.
const STACK: &str = "STACK_NAME";
/// The stack's name where there is no stack.
const NO_STACK: &str = "local";
/// `on` writes metrics outside Lambda, too; `off` writes none even there.
pub const SWITCH: &str = "PAYMIRROR_METRICS";

/// How a kept metric is made of the numbers of one line.
enum Made {
    /// Their sum. It is kept if one of the first kind is there, so that it is seen when nothing looks or works; of
    /// those of the second kind only if there are any, so that a quiet batch does not hide that.
    Sum { always: &'static [&'static str], if_any: &'static [&'static str] },
    /// The largest share of what each of them may be, in percent and rounded up.
    Share(&'static [(&'static str, u64)]),
}

/// What CloudWatch keeps as metrics: each has a name and its parts. Ten are free in every account.
/// `infra/ci/facts/metrics.json` repeats this list for the checks of alarms, and `infra/metrics.md` explains it.
const KEPT: &[(&str, Made)] = &[
    (
        "NeedsAPerson",
        Made::Sum {
            always: &[
                "ConnectionsRefused",
                "UploadsOff",
                "MassChangesWaiting",
                "OrganisationsNotCertified",
                "WebhooksEnding",
            ],
            if_any: &["NotCertified", "InvoicesBraked", "PaymentsUnknownTooLong"],
        },
    ),
    (
        "NeedsALook",
        Made::Sum {
            always: &["ConnectionsNotActive", "GrantsEnding", "OrganisationsWithParked"],
            if_any: &[
                "Parked",
                "EventsMalformed",
                "BodiesUnreadable",
                "RowsPassedOver",
                "ConsoleRefusals",
                "ClosesFailed",
                "ClosesOverdue",
                "SealsFailed",
                "SealDifferences",
                "SealRowsLate",
            ],
        },
    ),
    (
        "Behind",
        Made::Share(&[
            ("SweepLag", 7_200_000),
            ("OldestCertificate", 93_600_000),
            ("WebhookSilence", 3_600_000),
        ]),
    ),
    ("NightsOverdue", Made::Sum { always: &["NightsOverdue"], if_any: &[] }),
    (
        "RunsFailed",
        Made::Sum {
            always: &["SweepRunsFailed", "UploadRunsFailed", "ConsoleFailures"],
            if_any: &[],
        },
    ),
    ("LateSyncs", Made::Sum { always: &[], if_any: &["LateSyncs"] }),
    ("RefusedNotSigned", Made::Sum { always: &[], if_any: &["RefusedNotSigned"] }),
    ("DigestsTold", Made::Sum { always: &[], if_any: &["DigestsTold"] }),
];

impl Made {
    /// The value that these numbers give; nothing if there is nothing to keep.
    fn of(&self, metrics: &[Metric]) -> Option<(&'static str, u64)> {
        let found = |name: &str| metrics.iter().find(|metric| metric.name() == name);
        match self {
            Self::Sum { always, if_any } => {
                let mut parts =
                    always.iter().chain(*if_any).filter_map(|name| found(name)).peekable();
                let unit = parts.peek()?.unit();
                let value = parts.fold(0_u64, |sum, part| sum.saturating_add(part.value()));
                let is_looked = always.iter().any(|name| found(name).is_some());
                (is_looked || value > 0).then_some((unit, value))
            }
            Self::Share(parts) => {
                let share = |(name, most): &(&str, u64)| {
                    found(name).map(|part| part.value().saturating_mul(100).div_ceil(*most))
                };
                parts.iter().filter_map(share).max().map(|share| ("Percent", share))
            }
        }
    }
}

/// Where the records of one function go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metrics {
    stack: String,
    function: String,
    on: bool,
}

impl Metrics {
    /// Writes on Lambda, under the stack's name and the one that the function has there. Elsewhere it is silent,
    /// unless [`SWITCH`] asks for `function`.
    ///
    /// # Errors
    ///
    /// When [`SWITCH`] is neither `on` nor `off`, or a variable is not UTF-8.
    pub fn from_env(env: &Environment, function: &str) -> Result<Self, EnvError> {
        let name = env.optional("AWS_LAMBDA_FUNCTION_NAME")?;
        let on = match env.optional(SWITCH)?.as_deref() {
            None => name.is_some(),
            Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(EnvError::new(SWITCH, "must be on or off")),
        };
        let stack = env.optional(STACK)?.unwrap_or_else(|| NO_STACK.to_owned());
        Ok(Self { stack, function: name.unwrap_or_else(|| function.to_owned()), on })
    }

    /// Writes nothing.
    pub const fn off() -> Self {
        Self { stack: String::new(), function: String::new(), on: false }
    }

    /// Writes the log line about an invocation, and the record of its numbers.
    pub fn report(&self, now: Timestamp, counters: &impl Counters) {
        counters.log();
        self.emit(now, &counters.metrics());
    }

    /// Writes one record.
    fn emit(&self, now: Timestamp, metrics: &[Metric]) {
        if self.on {
            // A number that cannot be written must not undo the work it counts.
            let _ = writeln!(std::io::stdout().lock(), "{}", self.line(now, metrics));
        }
    }

    /// The record as a line of text.
    fn line(&self, now: Timestamp, metrics: &[Metric]) -> String {
        let kept: Vec<_> = KEPT
            .iter()
            .filter_map(|(name, made)| made.of(metrics).map(|(unit, value)| (*name, unit, value)))
            .collect();
        let mut record = Map::new();
        if !kept.is_empty() {
            let definitions: Vec<Value> =
                kept.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
            let about = json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [
                    {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions}
                ],
            });
            record.insert("_aws".to_owned(), about);
        }
        record.insert(DIMENSION.to_owned(), json!(self.stack));
        record.insert(FUNCTION.to_owned(), json!(self.function));
        for metric in metrics {
            record.insert(metric.name().to_owned(), json!(metric.value()));
        }
        for (name, _, value) in kept {
            record.insert(name.to_owned(), json!(value));
        }
        Value::Object(record).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(metrics: &[Metric]) -> Value {
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let of = Metrics {
            stack: "paymirror".to_owned(),
            function: "paymirror-mirror".to_owned(),
            on: true,
        };
        let line = of.line(now, metrics);
        assert!(!line.contains('\n') && !line.contains('.'), "one line, no floats: {line}");
        serde_json::from_str(&line).unwrap()
    }

    /// What CloudWatch makes of a line: its metrics with their values.
    fn kept(metrics: &[Metric]) -> Vec<(String, u64)> {
        let line = line(metrics);
        let listed = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
        let names = listed.into_iter().flatten().map(|each| each["Name"].as_str().unwrap());
        names.map(|name| (name.to_owned(), line[name].as_u64().unwrap())).collect()
    }

    fn one(name: &str, value: u64) -> Vec<(String, u64)> {
        vec![(name.to_owned(), value)]
    }

    #[test]
    fn a_record_has_the_shape_that_cloudwatch_reads() {
        let record =
            line(&[Metric::count("LateSyncs", 1_u32), Metric::milliseconds("SlowestSync", 12_u64)]);
        let definition = &record["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(record["_aws"]["Timestamp"], 1_791_171_685_000_i64);
        assert_eq!(definition["Namespace"], "Paymirror");
        assert_eq!(definition["Dimensions"], json!([["Stack"]]));
        assert_eq!(definition["Metrics"], json!([{"Name": "LateSyncs", "Unit": "Count"}]));
        // Every dimension and metric that is declared has its value at the top, and every other number as well.
        assert_eq!(record["Stack"], "paymirror");
        assert_eq!(record["Function"], "paymirror-mirror");
        assert_eq!(record["LateSyncs"], 1);
        assert_eq!(record["SlowestSync"], 12);
    }

    #[test]
    fn the_checks_of_alarms_know_every_metric_that_is_kept() {
        let kept = KEPT.iter().map(|(name, made)| match made {
            Made::Sum { always, if_any } => {
                json!({"metric": name, "always": always, "if_any": if_any, "shares": {}})
            }
            Made::Share(parts) => {
                let shares = parts.iter().map(|(part, most)| ((*part).to_owned(), json!(most)));
                let shares: Map<String, Value> = shares.collect();
                json!({"metric": name, "always": [], "if_any": [], "shares": shares})
            }
        });
        let facts = json!({
            "namespace": NAMESPACE,
            "dimension": DIMENSION,
            "kept": kept.collect::<Vec<_>>(),
        });
        let checked = include_str!("../../../infra/ci/facts/metrics.json");
        let checked: Value = serde_json::from_str(checked).unwrap();
        assert_eq!(checked, facts, "infra/ci/facts/metrics.json has to be:\n{facts:#}");
    }

    #[test]
    fn cloudwatch_keeps_no_more_than_are_free() {
        assert!(KEPT.len() <= 10);
        let not_kept = line(&[Metric::count("XeroCalls", 7_u32)]);
        assert_eq!(not_kept.get("_aws"), None, "{not_kept}");
        assert_eq!(not_kept["XeroCalls"], 7);
    }

    #[test]
    fn what_a_look_finds_is_kept_also_if_it_is_nothing_and_an_event_only_if_there_was_one() {
        // Else a batch of the mirror would end an alarm on a trouble that only the hourly look can end.
        assert_eq!(kept(&[Metric::count("InvoicesBraked", 0_u32)]), []);
        assert_eq!(kept(&[Metric::count("InvoicesBraked", 3_u32)]), one("NeedsAPerson", 3));
        let looked = |off: u32, refused: u32| {
            kept(&[
                Metric::count("UploadsOff", off),
                Metric::count("ConnectionsRefused", refused),
                Metric::count("NotCertified", 0_u32),
            ])
        };
        assert_eq!(looked(0, 0), one("NeedsAPerson", 0));
        assert_eq!(looked(1, 2), one("NeedsAPerson", 3));
    }

    #[test]
    fn what_is_a_moment_too_late_is_more_than_all_it_may_be() {
        let lag = |ms: u64| kept(&[Metric::milliseconds("SweepLag", ms)]);
        assert_eq!(lag(7_200_000), one("Behind", 100));
        assert_eq!(lag(7_200_001), one("Behind", 101));
        // The worse of the two.
        let both = [
            Metric::milliseconds("SweepLag", 3_600_000_u64),
            Metric::milliseconds("OldestCertificate", 93_600_001_u64),
        ];
        assert_eq!(kept(&both), one("Behind", 101));
    }

    #[test]
    fn records_are_written_on_lambda_or_when_asked_for() {
        let metrics = |variables: &[(&str, &str)]| {
            Metrics::from_env(&Environment::given(variables.iter().copied()), "webhook")
        };
        let of = |stack: &str, function: &str, on| Metrics {
            stack: stack.to_owned(),
            function: function.to_owned(),
            on,
        };
        let variables = [("AWS_LAMBDA_FUNCTION_NAME", "prod-webhook"), (STACK, "prod")];
        assert_eq!(metrics(&variables).unwrap(), of("prod", "prod-webhook", true));
        let elsewhere = of("local", "webhook", false);
        assert_eq!(metrics(&[]).unwrap(), elsewhere);
        assert!(metrics(&[(SWITCH, "on")]).unwrap().on);
        let off = [("AWS_LAMBDA_FUNCTION_NAME", "prod-webhook"), (SWITCH, "off")];
        assert!(!metrics(&off).unwrap().on);
        assert_eq!(metrics(&[(SWITCH, "perhaps")]).unwrap_err().name, SWITCH);
    }
}
