//! The functions that hear of each row of the log: the stream hands them batches of what came within a second.

use jiff::SignedDuration;

use crate::world::World;

/// What an invocation takes, and each row of it: an event on the bus, or an order that is judged.
const BATCH: SignedDuration = SignedDuration::from_millis(20);
const ROW: SignedDuration = SignedDuration::from_millis(10);

impl World {
    /// The rows of the last second are heard.
    pub(crate) fn hear(&mut self) {
        let rows = std::mem::take(&mut self.flood.unheard);
        for listener in self.plan.product.listeners {
            let mut left = rows;
            while left > 0 {
                let batch = left.min(listener.batch);
                left -= batch;
                let of_rows = ROW.saturating_mul(i32::try_from(batch).unwrap_or(i32::MAX));
                self.report.meter.invocation(listener.name, listener.memory, BATCH + of_rows);
            }
        }
    }
}
