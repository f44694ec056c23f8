//! What a client did to us, measured where it cannot be argued with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::limits::{MINUTE, Window};

/// The calls to one organisation since the meters were reset.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Meter {
    /// Every call that arrived, the rejected ones too.
    pub calls: u64,
    /// The same, by method and endpoint, for instance `GET /Invoices`.
    pub by_route: BTreeMap<String, u64>,
    /// Calls answered by a 429, from a limit or from a fault.
    pub rejected: u64,
    /// Most calls that arrived in any 60 s.
    pub calls_in_a_minute_max: u64,
    /// Most calls that were open at once.
    pub in_flight_max: u64,
    /// Identifiers named in `IDs` filters.
    pub ids_asked: u64,
    /// Bytes of the bodies we answered with, whether or not they arrived.
    pub bytes_sent: u64,
}

#[derive(Debug, Default)]
struct Gauge {
    meter: Meter,
    minute: Window,
    in_flight: u64,
}

/// The meters of all organisations.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    gauges: BTreeMap<Uuid, Gauge>,
}

impl Meters {
    pub(crate) fn arrived(
        &mut self,
        organisation: Uuid,
        route: String,
        ids: usize,
        now: Timestamp,
    ) {
        let gauge = self.gauges.entry(organisation).or_default();
        gauge.minute.add(now);
        let recent = u64::try_from(gauge.minute.count(now, MINUTE)).unwrap_or(u64::MAX);
        gauge.in_flight += 1;
        let meter = &mut gauge.meter;
        meter.calls += 1;
        *meter.by_route.entry(route).or_default() += 1;
        meter.ids_asked += u64::try_from(ids).unwrap_or(u64::MAX);
        meter.calls_in_a_minute_max = meter.calls_in_a_minute_max.max(recent);
        meter.in_flight_max = meter.in_flight_max.max(gauge.in_flight);
    }

    pub(crate) fn answered(&mut self, organisation: Uuid, rejected: bool, bytes: usize) {
        let meter = &mut self.gauges.entry(organisation).or_default().meter;
        meter.rejected += u64::from(rejected);
        meter.bytes_sent += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// The call is over, answered or not.
    pub(crate) fn left(&mut self, organisation: Uuid) {
        let gauge = self.gauges.entry(organisation).or_default();
        gauge.in_flight = gauge.in_flight.saturating_sub(1);
    }

    pub(crate) fn of(&self, organisation: Uuid) -> Meter {
        let gauge = self.gauges.get(&organisation);
        gauge.map(|gauge| gauge.meter.clone()).unwrap_or_default()
    }

    pub(crate) fn all(&self) -> BTreeMap<Uuid, Meter> {
        let gauges = self.gauges.iter();
        gauges.map(|(id, gauge)| (*id, gauge.meter.clone())).collect()
    }

    /// Starts to measure afresh; calls that are open stay open.
    pub(crate) fn reset(&mut self) {
        for gauge in self.gauges.values_mut() {
            gauge.meter = Meter::default();
            gauge.minute = Window::default();
        }
    }
}
