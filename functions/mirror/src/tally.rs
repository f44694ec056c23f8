//! What one invocation did: its one log line and its metrics.

use std::collections::BTreeMap;

use host::metrics::Metric;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{Latency, SyncRun};
use queue::Cause;
use xero::ErrorClass;

use crate::applied::Applied;

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    pub(crate) calls: u32,
    pub(crate) changed: usize,
    pub(crate) decisions: usize,
    pub(crate) unchanged: usize,
    pub(crate) stale: usize,
    pub(crate) ignored: usize,
    pub(crate) braked: usize,
    pub(crate) parked: usize,
    pub(crate) postponed: usize,
    pub(crate) handed_back: usize,
    pub(crate) again: usize,
    /// Of those changed: something was wrong here, and only a sweep has noticed.
    pub(crate) repaired_by_sweep: usize,
    pub(crate) bytes: u64,
    /// How long each change took from its event until it was visible.
    took: Vec<SignedDuration>,
    failures: BTreeMap<&'static str, usize>,
    /// What the last of the failures said. Never names or amounts.
    problem: Option<String>,
}

impl Tally {
    /// Counts an applied snapshot, and how long its event took to become visible.
    pub(crate) fn count(
        &mut self,
        applied: &Applied,
        cause: Cause,
        event_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        match applied {
            Applied::Changed(decisions) => {
                self.changed += 1;
                self.decisions += decisions;
                // Without a decision, nothing but Xero's stamp is new.
                self.repaired_by_sweep += usize::from(cause == Cause::Sweep && *decisions > 0);
                self.took.extend(event_at.map(|event_at| now.duration_since(event_at)));
            }
            Applied::Unchanged => self.unchanged += 1,
            Applied::Stale(_) | Applied::ReadAhead(_) => self.stale += 1,
            Applied::Ignored(_) => self.ignored += 1,
            Applied::Braked => self.braked += 1,
        }
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.records += other.records;
        self.calls += other.calls;
        self.changed += other.changed;
        self.decisions += other.decisions;
        self.unchanged += other.unchanged;
        self.stale += other.stale;
        self.ignored += other.ignored;
        self.braked += other.braked;
        self.parked += other.parked;
        self.postponed += other.postponed;
        self.handed_back += other.handed_back;
        self.again += other.again;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.took.extend(other.took);
        self.problem = other.problem.or(self.problem.take());
        for (class, count) in other.failures {
            *self.failures.entry(class).or_default() += count;
        }
    }

    /// Counts an invoice that could not be read or written, by its class (A7.3), and keeps the words.
    pub(crate) fn failed(&mut self, class: &'static str, problem: String) {
        *self.failures.entry(class).or_default() += 1;
        self.problem = Some(problem);
    }

    /// Whether Xero refused our credentials.
    pub(crate) fn was_refused(&self) -> bool {
        self.failures.contains_key(ErrorClass::Authentication.code())
    }

    /// Adds what was counted to the row of a run.
    pub(crate) fn add_to(&self, run: &mut SyncRun) {
        run.spent(self.calls, self.bytes);
        run.latency = Latency::of(self.took.iter().copied());
        for (outcome, count) in [
            ("changed", self.changed),
            ("decisions", self.decisions),
            ("unchanged", self.unchanged),
            ("stale", self.stale),
            ("ignored", self.ignored),
            ("braked", self.braked),
            ("parked", self.parked),
            ("postponed", self.postponed),
            ("handed_back", self.handed_back),
            ("repaired_by_sweep", self.repaired_by_sweep),
        ] {
            run.count(outcome, count);
        }
        for (class, count) in &self.failures {
            run.failed(class, *count);
        }
        run.problem.clone_from(&self.problem);
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        let latency = Latency::of(self.took.iter().copied());
        tracing::info!(
            records = self.records,
            xero.calls = self.calls,
            invoices.changed = self.changed,
            invoices.unchanged = self.unchanged,
            invoices.stale = self.stale,
            invoices.ignored = self.ignored,
            invoices.braked = self.braked,
            invoices.failed = ?self.failures,
            invoices.parked = self.parked,
            invoices.postponed = self.postponed,
            invoices.handed_back = self.handed_back,
            records.again = self.again,
            decisions = self.decisions,
            repaired_by_sweep = self.repaired_by_sweep,
            xero.bytes = self.bytes,
            slowest_ms = latency.map(|latency| latency.max_ms),
            late = latency.map(|latency| latency.late),
            "batch done"
        );
    }

    /// The same as metrics.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let latency = Latency::of(self.took.iter().copied());
        vec![
            Metric::count("XeroCalls", self.calls),
            Metric::count("InvoicesChanged", self.changed),
            Metric::count("InvoicesUnchanged", self.unchanged),
            Metric::count("InvoicesStale", self.stale),
            Metric::count("InvoicesIgnored", self.ignored),
            Metric::count("InvoicesBraked", self.braked),
            Metric::count("InvoicesFailed", self.failures.values().sum::<usize>()),
            Metric::count("Parked", self.parked),
            Metric::count("HandedBack", self.handed_back),
            Metric::count("RecordsAgain", self.again),
            Metric::count("RepairedBySweep", self.repaired_by_sweep),
            Metric::milliseconds("SlowestSync", latency.map_or(0, |latency| latency.max_ms)),
            Metric::count("LateSyncs", latency.map_or(0, |latency| latency.late)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repaired_by_sweep_is_what_only_a_sweep_has_noticed_and_what_took_a_decision() {
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let mut tally = Tally::default();
        for (applied, cause) in [
            (Applied::Changed(2), Cause::Sweep),
            (Applied::Changed(1), Cause::Webhook),
            (Applied::Changed(1), Cause::Manual),
            // Only Xero's stamp was new.
            (Applied::Changed(0), Cause::Sweep),
            (Applied::Unchanged, Cause::Sweep),
        ] {
            tally.count(&applied, cause, None, now);
        }
        assert_eq!((tally.changed, tally.repaired_by_sweep), (4, 1));
        let metrics = tally.metrics();
        assert!(metrics.contains(&Metric::count("RepairedBySweep", 1_u32)));
    }
}
