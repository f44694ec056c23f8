//! The rows that are being sent, their parts that go into one call, and the calls that are left to search for a bad
//! one.

use std::collections::BTreeMap;

use payments::PaymentId;
use payments::upload::{Part, Upload};

/// Most calls of one sending that search for the element for which Xero refuses the others: one bad element of
/// fifty takes twelve, and Xero allows sixty a minute. Parts that are still together then wait for another run.
pub(crate) const CALLS_MAX: u32 = 40;

/// The calls that are left for that search.
#[derive(Debug)]
pub(crate) struct Halvings(u32);

impl Default for Halvings {
    fn default() -> Self {
        Self(CALLS_MAX)
    }
}

impl Halvings {
    pub(crate) fn take(&mut self) -> bool {
        let any = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        any
    }
}

/// The rows that are being sent, by payment, and the order in which they go.
pub(crate) struct Rows {
    order: Vec<PaymentId>,
    pub(crate) rows: BTreeMap<PaymentId, Upload>,
    pub(crate) halvings: Halvings,
}

impl Rows {
    pub(crate) fn new(rows: Vec<Upload>) -> Self {
        let order = rows.iter().map(|row| row.receipt.id.clone()).collect();
        let rows = rows.into_iter().map(|row| (row.receipt.id.clone(), row)).collect();
        Self { order, rows, halvings: Halvings::default() }
    }

    pub(crate) fn put(&mut self, row: Upload) {
        self.rows.insert(row.receipt.id.clone(), row);
    }

    /// Leaves a row to others, or to a later run.
    pub(crate) fn remove(&mut self, payment: &PaymentId) -> Option<Upload> {
        self.rows.remove(payment)
    }

    /// Whether a part is still to be sent.
    pub(crate) fn is_planned(&self, picked: &Picked) -> bool {
        let row = self.rows.get(&picked.payment);
        row.is_some_and(|row| row.planned().any(|part| part.number == picked.part.number))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Upload> {
        self.order.iter().filter_map(|id| self.rows.get(id))
    }
}

/// A part that goes into a bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Picked {
    pub(crate) payment: PaymentId,
    pub(crate) part: Part,
}
