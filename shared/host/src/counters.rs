//! The numbers of one invocation, each declared once: its field, and the names that it has in the log line, in the row
//! of the run and among the metrics. The sum of two invocations, the log line and the metrics follow from that.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::sweep::{Latency, SyncRun};
use tracing::field::{DebugValue, debug};

use crate::metric::Metric;

#[doc(hidden)]
pub use tracing;

/// The numbers of one invocation, as [`counters!`](crate::counters!) declares them.
pub trait Counters: Default {
    /// Adds what was counted elsewhere.
    fn absorb(&mut self, other: Self);

    /// Writes the one line about the invocation.
    fn log(&self);

    /// The numbers for CloudWatch.
    fn metrics(&self) -> Vec<Metric>;

    /// The numbers for the row of a run.
    fn counts(&self) -> Vec<(&'static str, usize)>;

    /// Name and unit of every metric that there may be: what `infra/metrics.md` lists.
    fn catalogue() -> Vec<(&'static str, &'static str)>;
}

/// Something that is counted.
pub trait Counted {
    /// Adds what was counted elsewhere.
    fn absorb(&mut self, other: Self);
}

/// A number of which a metric can be made.
pub trait Measured {
    /// What it counts, in CloudWatch's words.
    const UNIT: &'static str;

    /// The metric; none if nothing was measured.
    fn metric(self, name: &'static str) -> Option<Metric>;
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Counted for $number {
            fn absorb(&mut self, other: Self) {
                *self = self.saturating_add(other);
            }
        }

        impl Measured for $number {
            const UNIT: &'static str = "Count";

            fn metric(self, name: &'static str) -> Option<Metric> {
                Some(Metric::count(name, self))
            }
        }
    )*};
}

whole_numbers!(u32, u64, usize);

impl Counted for bool {
    fn absorb(&mut self, other: Self) {
        *self |= other;
    }
}

impl<T: Measured> Measured for Option<T> {
    const UNIT: &'static str = T::UNIT;

    fn metric(self, name: &'static str) -> Option<Metric> {
        self?.metric(name)
    }
}

/// The longest of several times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Longest(Option<u64>);

impl Longest {
    /// Takes one more into account; one below zero, by another's clock, is none.
    pub fn add(&mut self, time: SignedDuration) {
        self.absorb(Self(Some(u64::try_from(time.as_millis()).unwrap_or(0))));
    }

    /// The longest one; none if there was none.
    pub const fn if_any(&self) -> Option<u64> {
        self.0
    }

    /// The longest one, and zero if there was none.
    pub fn or_zero(&self) -> u64 {
        self.0.unwrap_or(0)
    }

    /// The same for a metric.
    pub fn milliseconds(&self) -> Milliseconds {
        Milliseconds(self.or_zero())
    }

    /// For a metric that is missing if there was none.
    pub fn milliseconds_if_any(&self) -> Option<Milliseconds> {
        self.0.map(Milliseconds)
    }
}

impl Counted for Longest {
    fn absorb(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }
}

/// A time as a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Milliseconds(u64);

impl Measured for Milliseconds {
    const UNIT: &'static str = "Milliseconds";

    fn metric(self, name: &'static str) -> Option<Metric> {
        Some(Metric::milliseconds(name, self.0))
    }
}

/// How long each change took from its event until it was visible (SP-09).
#[derive(Debug, Default)]
pub struct Delays(Vec<SignedDuration>);

impl Delays {
    /// Counts a change that is visible now, if the time of its event is known.
    pub fn add(&mut self, event_at: Option<Timestamp>, now: Timestamp) {
        self.0.extend(event_at.map(|event_at| now.duration_since(event_at)));
    }

    /// The delays in short; none if there was no change.
    pub fn latency(&self) -> Option<Latency> {
        Latency::of(self.0.iter().copied())
    }

    /// The slowest change, in milliseconds.
    pub fn slowest(&self) -> Option<u64> {
        self.latency().map(|latency| latency.max_ms)
    }

    /// How many changes were late.
    pub fn late(&self) -> Option<u32> {
        self.latency().map(|latency| latency.late)
    }

    /// The slowest change as a metric; zero if there was no change.
    pub fn slowest_or_zero(&self) -> Milliseconds {
        Milliseconds(self.slowest().unwrap_or(0))
    }

    /// How many changes were late; zero if there was no change.
    pub fn late_or_zero(&self) -> u32 {
        self.late().unwrap_or(0)
    }
}

impl Counted for Delays {
    fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// What went wrong: how often, by class (A7.3), and the words of the last failure. Never names or amounts.
#[derive(Debug, Default)]
pub struct FailureCounts {
    by_class: BTreeMap<&'static str, usize>,
    problem: Option<String>,
}

impl FailureCounts {
    /// Counts a failure, and keeps its words.
    pub fn add(&mut self, class: &'static str, problem: String) {
        self.absorb(Self { by_class: BTreeMap::from([(class, 1)]), problem: Some(problem) });
    }

    /// Whether there was a failure of this class.
    pub fn has(&self, class: &str) -> bool {
        self.by_class.contains_key(class)
    }

    /// How many failures there were.
    pub fn total(&self) -> usize {
        self.by_class.values().sum()
    }

    /// The number of failures of each class, for a log line.
    pub fn by_class(&self) -> DebugValue<&BTreeMap<&'static str, usize>> {
        debug(&self.by_class)
    }

    /// Adds the failures to the row of a run.
    pub fn add_to(&self, run: &mut SyncRun) {
        for (class, count) in &self.by_class {
            run.failed(class, *count);
        }
        run.problem.clone_from(&self.problem);
    }
}

impl Counted for FailureCounts {
    fn absorb(&mut self, other: Self) {
        for (class, count) in other.by_class {
            self.by_class.entry(class).or_default().absorb(count);
        }
        self.problem = other.problem.or(self.problem.take());
    }
}

/// The unit of the metric that is made of a field.
#[doc(hidden)]
pub const fn unit_of<F, T: Measured>(_: fn(&F) -> T) -> &'static str {
    T::UNIT
}

/// Declares the numbers of one invocation as a struct that implements [`Counters`].
///
/// ```text
/// host::counters! {
///     /// The counts of one invocation.
///     pub(crate) struct Tally, logged as "batch done" {
///         /// Payments that were recorded.
///         payments: usize, log payments.recorded, run "payments", metric "PaymentsRecorded";
///     }
/// }
/// ```
///
/// Behind a field and its type stand the names that it has in the log line, in the row of the run and among the metrics,
/// in this order, each if it is there at all. `= Type::function` behind a name says what of the field is reported.
/// `when flag` between them says that the number is reported only if the field `flag` is true.
#[macro_export]
macro_rules! counters {
    // With a log line.
    (
        $(#[$about:meta])*
        $sight:vis struct $name:ident, logged as $message:literal { $($numbers:tt)* }
    ) => {
        $crate::counters! { @all
            { $(#[$about])* $sight struct $name }
            { fn log(&self) { $crate::counters! { @line self $message { $($numbers)* } } } }
            $($numbers)*
        }
    };
    // With metrics alone: the function has lines of its own.
    ($(#[$about:meta])* $sight:vis struct $name:ident { $($numbers:tt)* }) => {
        $crate::counters! { @all
            { $(#[$about])* $sight struct $name }
            { fn log(&self) {} }
            $($numbers)*
        }
    };
    (@line $counters:ident $message:literal {
        $(
            $(#[$meta:meta])*
            $seen:vis $field:ident: $type:ty
            $(, log $($log:ident).+ $(when $log_flag:ident)? $(= $logged:path)?)*
            $(, run $run:literal)?
            $(, metric $metric:literal $(when $flag:ident)? $(= $measured:path)?)*
            ;
        )*
    }) => {
        $crate::counters::tracing::info!(
            $( $(
                $($log).+ = $crate::counted!(
                    $counters.$field $(, when $counters.$log_flag)? $(, = $logged)?
                ),
            )* )*
            $message
        );
    };
    (@all
        { $(#[$about:meta])* $sight:vis struct $name:ident }
        { $log:item }
        $(
            $(#[$meta:meta])*
            $seen:vis $field:ident: $type:ty
            $(, log $($logged:ident).+ $(when $log_flag:ident)? $(= $shown:path)?)*
            $(, run $run:literal)?
            $(, metric $metric:literal $(when $flag:ident)? $(= $measured:path)?)*
            ;
        )*
    ) => {
        $(#[$about])*
        #[derive(Debug, Default)]
        $sight struct $name {
            $( $(#[$meta])* $seen $field: $type, )*
        }

        impl $crate::counters::Counters for $name {
            fn absorb(&mut self, other: Self) {
                $( $crate::counters::Counted::absorb(&mut self.$field, other.$field); )*
            }

            $log

            fn metrics(&self) -> ::std::vec::Vec<$crate::metrics::Metric> {
                let metrics = [$( $(
                    $crate::counters::Measured::metric(
                        $crate::counted!(self.$field $(, when self.$flag)? $(, = $measured)?),
                        $metric,
                    ),
                )* )*];
                metrics.into_iter().flatten().collect()
            }

            fn counts(&self) -> ::std::vec::Vec<(&'static str, usize)> {
                ::std::vec![$( $( ($run, self.$field), )? )*]
            }

            fn catalogue() -> ::std::vec::Vec<(&'static str, &'static str)> {
                ::std::vec![$( $( ($metric, $crate::counted_unit!($type $(, = $measured)?)), )* )*]
            }
        }
    };
}

/// What a name of [`counters!`] reports.
#[doc(hidden)]
#[macro_export]
macro_rules! counted {
    ($value:expr) => {
        $value
    };
    ($value:expr, = $of:path) => {
        $of(&$value)
    };
    ($value:expr, when $flag:expr) => {
        $flag.then_some($value)
    };
    ($value:expr, when $flag:expr, = $of:path) => {
        $flag.then(|| $of(&$value))
    };
}

/// The unit of a metric of [`counters!`].
#[doc(hidden)]
#[macro_export]
macro_rules! counted_unit {
    ($type:ty) => {
        <$type as $crate::counters::Measured>::UNIT
    };
    ($type:ty, = $of:path) => {
        $crate::counters::unit_of::<$type, _>($of)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::counters! {
        /// One number of each kind.
        struct Sample, logged as "sample done" {
            seen: usize, log rows.seen, run "rows", metric "RowsSeen";
            /// Whether the look was complete.
            looked: bool;
            off: u32, log uploads.off when looked, metric "UploadsOff" when looked;
            lag: Longest, log lag_ms = Longest::if_any, metric "Lag" = Longest::milliseconds_if_any;
            delays: Delays, log slowest_ms = Delays::slowest, log late = Delays::late,
                metric "Slowest" = Delays::slowest_or_zero, metric "Late" = Delays::late_or_zero;
            failures: FailureCounts, log rows.failed = FailureCounts::by_class, metric "RowsFailed" = FailureCounts::total;
        }
    }

    fn sample(seen: usize, lag: i64, class: &'static str) -> Sample {
        let mut sample = Sample { seen, off: 2, ..Sample::default() };
        sample.lag.add(SignedDuration::from_millis(lag));
        sample.delays.add(
            Some(Timestamp::UNIX_EPOCH),
            Timestamp::UNIX_EPOCH + SignedDuration::from_mins(lag),
        );
        sample.failures.add(class, format!("of {seen}"));
        sample
    }

    #[test]
    fn every_number_of_two_invocations_is_in_their_sum() {
        let mut sum = sample(3, 7, "Tables");
        sum.absorb(sample(4, 6, "Queue"));
        assert_eq!((sum.seen, sum.off, sum.lag), (7, 4, Longest(Some(7))));
        assert_eq!((sum.delays.slowest(), sum.delays.late()), (Some(420_000), Some(2)));
        assert_eq!(sum.failures.total(), 2);
        assert!(sum.failures.has("Tables") && sum.failures.has("Queue"));
        assert_eq!(sum.failures.problem.as_deref(), Some("of 4"));
        assert_eq!(sum.counts(), [("rows", 7)]);
        sum.absorb(Sample::default());
        assert_eq!(sum.failures.problem.as_deref(), Some("of 4"), "no news takes no words away");
    }

    #[test]
    fn a_number_that_was_not_measured_is_no_metric() {
        let mut sample = sample(3, 7, "Tables");
        let of = |sample: &Sample, name| sample.metrics().contains(&Metric::count(name, 2_u32));
        assert!(!of(&sample, "UploadsOff"));
        sample.looked = true;
        assert!(of(&sample, "UploadsOff"));
        let lag = Metric::milliseconds("Lag", 7_u32);
        assert!(sample.metrics().contains(&lag));
        assert!(!Sample::default().metrics().iter().any(|metric| metric.name() == "Lag"));
        // A time that lies in the future, by another's clock, is none.
        sample.lag = Longest::default();
        sample.lag.add(SignedDuration::from_secs(-1));
        assert_eq!(sample.lag.if_any(), Some(0));
    }

    #[test]
    fn the_catalogue_lists_also_what_is_measured_sometimes() {
        assert_eq!(
            Sample::catalogue(),
            [
                ("RowsSeen", "Count"),
                ("UploadsOff", "Count"),
                ("Lag", "Milliseconds"),
                ("Slowest", "Milliseconds"),
                ("Late", "Count"),
                ("RowsFailed", "Count"),
            ]
        );
    }

    #[test]
    fn the_line_has_every_number_under_its_name() {
        use std::sync::{Arc, Mutex};

        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = lambda_runtime::tracing::subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || sample(3, 7, "Tables").log());
        let line: serde_json::Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
        assert_eq!(line["message"], "sample done");
        assert_eq!(line["rows.seen"], 3);
        assert_eq!(line["uploads.off"], serde_json::Value::Null, "the look was not complete");
        assert_eq!(line["lag_ms"], 7);
        assert_eq!(line["slowest_ms"], 420_000);
        assert_eq!(line["late"], 1);
        assert_eq!(line["rows.failed"], r#"{"Tables": 1}"#);
        assert!(line["target"].as_str().unwrap().starts_with("host::counters"), "{line}");
    }
}
