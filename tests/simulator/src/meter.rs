//! What a client did to us, measured where it cannot be argued with.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    clock::after,
    limits::{MINUTE, Window},
};

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
    /// All records that calls put into the books, in that order, also those deleted since. Records
    /// made by a control are not among them.
    pub created: Vec<Created>,
}

/// The kinds of records that a call can put into the books, as far as they are measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedKind {
    /// A payment against an invoice.
    Payment,
    /// A bank transaction, and with it a prepayment.
    BankTransaction,
    /// A bill. Sales are not measured: their numbers are unique.
    Bill,
    /// A credit note of a customer or a supplier.
    CreditNote,
    /// A part of a credit that was applied.
    Allocation,
}

/// A payment, bank transaction, bill, credit note or allocation that a call put into the books.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Created {
    /// Which of them.
    pub kind: CreatedKind,
    /// `PaymentID`, `BankTransactionID`, `InvoiceID`, `CreditNoteID` or `AllocationID`.
    pub id: Uuid,
    /// What the clock showed then; for a late write, when it was carried out.
    pub at: Timestamp,
    /// `Reference`, as it is in the books; of a bill, which has none, the `InvoiceNumber`; of a credit note and its
    /// allocations the `CreditNoteNumber`.
    pub reference: String,
}

impl Meter {
    /// Calls of a method and endpoint, for instance `PUT /Payments` or `GET /Invoices/{id}`.
    #[must_use]
    pub fn calls_of(&self, route: &str) -> u64 {
        self.by_route.get(route).copied().unwrap_or_default()
    }

    /// How many of a kind calls put into the books.
    #[must_use]
    pub fn created_of(&self, kind: CreatedKind) -> usize {
        self.created.iter().filter(|created| created.kind == kind).count()
    }

    /// The most of these records that were created within any such length of time.
    /// Two that are exactly so far apart do not count as within it.
    #[must_use]
    pub fn created_within_max(&self, length: SignedDuration) -> usize {
        let mut instants: Vec<Timestamp> = self.created.iter().map(|one| one.at).collect();
        instants.sort_unstable();
        let mut start = 0;
        let mut most = 0;
        for (index, at) in instants.iter().enumerate() {
            while after(instants[start], length) <= *at && start < index {
                start += 1;
            }
            most = most.max(index + 1 - start);
        }
        most
    }
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

    pub(crate) fn created(&mut self, organisation: Uuid, created: Created) {
        self.gauges.entry(organisation).or_default().meter.created.push(created);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_densest_stretch_of_time_is_found() {
        let created = |hour: i64| Created {
            kind: CreatedKind::Payment,
            id: Uuid::nil(),
            at: Timestamp::from_second(hour * 3_600).unwrap(),
            reference: String::new(),
        };
        let hours = [0, 5, 19, 20, 24, 50];
        let meter = Meter { created: hours.map(created).to_vec(), ..Meter::default() };

        assert_eq!(meter.created_within_max(SignedDuration::from_hours(20)), 4, "5, 19, 20, 24");
        assert_eq!(meter.created_within_max(SignedDuration::from_hours(5)), 2, "19, 20 but not 24");
        assert_eq!(Meter::default().created_within_max(SignedDuration::from_hours(20)), 0);
    }
}
