//! What one invocation did: its one log line and its metrics.

use std::collections::BTreeMap;

use host::metrics::Metric;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{Latency, SyncRun};

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    pub(crate) invoices: usize,
    pub(crate) payments: usize,
    pub(crate) journalings: usize,
    pub(crate) customers: usize,
    pub(crate) provider_invoices: usize,
    pub(crate) orders: usize,
    pub(crate) notices: usize,
    pub(crate) unchanged: usize,
    pub(crate) warnings: usize,
    pub(crate) parked: usize,
    pub(crate) looks: usize,
    /// How often the `upload` function was asked to post payments at once.
    pub(crate) wakes: usize,
    /// Reports that came before the one they build on.
    pub(crate) early: usize,
    pub(crate) again: usize,
    /// How long each report took from its sending until it was visible.
    took: Vec<SignedDuration>,
    /// What could not be recorded, because a table or a queue did not answer.
    failures: BTreeMap<&'static str, usize>,
    problem: Option<String>,
}

impl Tally {
    /// Counts how long a report took to become visible.
    pub(crate) fn took(&mut self, event_at: Option<Timestamp>, now: Timestamp) {
        self.took.extend(event_at.map(|event_at| now.duration_since(event_at)));
    }

    /// Counts a report that could not be recorded, and keeps the words.
    pub(crate) fn failed(&mut self, class: &'static str, problem: String) {
        *self.failures.entry(class).or_default() += 1;
        self.problem = Some(problem);
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.records += other.records;
        self.invoices += other.invoices;
        self.payments += other.payments;
        self.journalings += other.journalings;
        self.customers += other.customers;
        self.provider_invoices += other.provider_invoices;
        self.orders += other.orders;
        self.notices += other.notices;
        self.unchanged += other.unchanged;
        self.warnings += other.warnings;
        self.parked += other.parked;
        self.looks += other.looks;
        self.wakes += other.wakes;
        self.early += other.early;
        self.again += other.again;
        self.took.extend(other.took);
        for (class, count) in other.failures {
            *self.failures.entry(class).or_default() += count;
        }
        self.problem = other.problem.or(self.problem.take());
    }

    /// Adds what was counted to the row of a run.
    pub(crate) fn add_to(&self, run: &mut SyncRun) {
        run.latency = Latency::of(self.took.iter().copied());
        for (outcome, count) in [
            ("records", self.records),
            ("invoices", self.invoices),
            ("payments", self.payments),
            ("journalings", self.journalings),
            ("customers", self.customers),
            ("provider_invoices", self.provider_invoices),
            ("orders", self.orders),
            ("notices", self.notices),
            ("unchanged", self.unchanged),
            ("warnings", self.warnings),
            ("parked", self.parked),
            ("looks_asked", self.looks),
            ("uploads_woken", self.wakes),
            ("early", self.early),
            ("records_again", self.again),
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
            invoices.recorded = self.invoices,
            payments.recorded = self.payments,
            journaling.recorded = self.journalings,
            customers.recorded = self.customers,
            provider_invoices.recorded = self.provider_invoices,
            orders.recorded = self.orders,
            notices.recorded = self.notices,
            unchanged = self.unchanged,
            warnings = self.warnings,
            parked = self.parked,
            invoices.to_look_at = self.looks,
            uploads.woken = self.wakes,
            early = self.early,
            records.again = self.again,
            records.failed = ?self.failures,
            slowest_ms = latency.map(|latency| latency.max_ms),
            late = latency.map(|latency| latency.late),
            "batch done"
        );
    }

    /// The same as metrics.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let latency = Latency::of(self.took.iter().copied());
        vec![
            Metric::count("InvoicesRecorded", self.invoices),
            Metric::count("PaymentsRecorded", self.payments),
            Metric::count("JournalingRecorded", self.journalings),
            Metric::count("CustomersRecorded", self.customers),
            Metric::count("ProviderInvoicesRecorded", self.provider_invoices),
            Metric::count("OrdersRecorded", self.orders),
            Metric::count("Unchanged", self.unchanged),
            Metric::count("Warnings", self.warnings),
            Metric::count("Parked", self.parked),
            Metric::count("LooksAsked", self.looks),
            Metric::count("UploadsWoken", self.wakes),
            Metric::count("RecordsAgain", self.again),
            Metric::milliseconds("SlowestSync", latency.map_or(0, |latency| latency.max_ms)),
            Metric::count("LateSyncs", latency.map_or(0, |latency| latency.late)),
        ]
    }
}
