//! What came of a simulation, and which promises it breaks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use payments::OrganisationId;
use payments::budget::{APP_MINUTE_MAX, DAY_MAX, MINUTE_MAX};

use crate::fleet::Fleet;
use crate::meter::Meter;

/// SP-09: a change in Xero is here within five minutes.
const EVENT_MAX: SignedDuration = SignedDuration::from_mins(5);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SEAL_MAX: SignedDuration = SignedDuration::from_hours(7);

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// The longest time from when work was due to its end (of a night: to its beginning; of an event: from its arrival to
    /// the tables), by kind, of organisations that are not broken.
    pub longest: BTreeMap<&'static str, SignedDuration>,
    /// How often each kind of work was done.
    pub done: BTreeMap<&'static str, u64>,
    /// How often work was not done before the next schedule, broken organisations apart.
    pub missed: u64,
    /// Organisations that were never swept.
    pub never: usize,
    /// Those whose last run failed.
    pub failing: BTreeSet<OrganisationId>,
    /// Runs that stopped at a limit of Xero's.
    pub limited: u64,
    /// Events that took longer than five minutes.
    pub late: u64,
    /// Events that still wait at the end.
    pub waiting: u64,
    /// Requests that the webhook was too busy for; Xero sends them again.
    pub turned_away: u64,
    /// Rows of invoices that full sweeps have read, and the read units of DynamoDB that they took.
    pub rows_swept: u64,
    /// See `rows_swept`.
    pub units_swept: u64,
    /// Xero's side and AWS's.
    pub meter: Meter,
}

impl Report {
    /// Notes how long work took.
    pub(crate) fn note(&mut self, kind: &'static str, took: SignedDuration, count: u64) {
        let longest = self.longest.entry(kind).or_default();
        *longest = (*longest).max(took);
        *self.done.entry(kind).or_default() += count;
    }

    /// Every promise that is broken, in words. None of them is about how it is done.
    #[must_use]
    pub fn broken(&self, fleet: Fleet) -> Vec<String> {
        let mut broken = Vec::new();
        let mut expect = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        expect(self.never == 0, format!("{} organisations were never swept", self.never));
        expect(
            self.missed == 0,
            format!("{} times work was not done before the next schedule", self.missed),
        );
        expect(
            self.failing.len() == fleet.broken as usize,
            format!(
                "{} organisations are named as failing, not {}",
                self.failing.len(),
                fleet.broken
            ),
        );
        for (kind, most) in [
            ("night", HOUR),
            ("full sweep", HOUR),
            ("certificate", HOUR),
            ("digest", HOUR),
            ("close", HOUR),
            ("customer sync", HOUR),
            // The second schedule after its day is over, at the latest.
            ("seal", SEAL_MAX),
            ("event", EVENT_MAX),
        ] {
            let longest = self.longest.get(kind).copied().unwrap_or_default();
            let a = if kind == "event" { "an" } else { "a" };
            expect(longest <= most, format!("{a} {kind} has waited for {longest:#}, not {most:#}"));
        }
        let meter = &self.meter;
        let most = |what: &str, is: usize, most: usize| {
            (is > most).then(|| format!("{is} calls {what}, not {most}"))
        };
        broken.extend(most("of one organisation in a minute", meter.minute_max, MINUTE_MAX));
        broken.extend(most(
            "of the app in a minute",
            meter.app_minute_max,
            APP_MINUTE_MAX as usize,
        ));
        broken.extend(most(
            "of one organisation in a day",
            meter.day_max() as usize,
            DAY_MAX as usize,
        ));
        broken
    }
}
