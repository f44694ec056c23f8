//! The close of each business day: one invocation of reconcile goes through all organisations, some of them at once.

use jiff::{SignedDuration, Timestamp};
use payments::close::Calendar;

use crate::fleet::Member;
use crate::world::{Event, World, later};

/// How long after its end a day is closed, as the product has it.
const GRACE: SignedDuration = SignedDuration::from_mins(15);
/// What of the invocation is left when the last close is begun, as the product has it.
const BEGUN: SignedDuration = SignedDuration::from_secs(180);
/// What it takes to see whether a day of an organisation is due.
const LOOK: SignedDuration = SignedDuration::from_millis(15);
/// A close of some dozens of payments, and one of some ten thousand.
const SMALL: SignedDuration = SignedDuration::from_millis(500);
const LARGE: SignedDuration = SignedDuration::from_secs(60);

/// Every day whose close was due before this moment is closed.
pub(crate) fn closed_before(members: &mut [Member], begin: Timestamp) {
    for one in members {
        let settled = begin.saturating_sub(GRACE).unwrap_or(begin);
        one.closed = Some(Calendar::of(&one.settings).last_closed(settled));
    }
}

impl World {
    /// Closes the days that are due, in the order of the table, until there is no time for another one.
    pub(crate) fn close(&mut self, now: Timestamp) {
        let product = &self.plan.product;
        let (every, memory, timeout) =
            (product.close_every, product.reconcile_memory, product.reconcile_timeout);
        self.at(later(now, every), Event::Close);
        let last_begin = later(now, timeout - BEGUN);
        let settled = now.saturating_sub(GRACE).unwrap_or(now);
        let mut lanes = vec![now; self.plan.product.closes_at_once];
        for one in &mut self.members {
            let Some(lane) = lanes.iter_mut().min() else { return };
            *lane = later(*lane, LOOK);
            let calendar = Calendar::of(&one.settings);
            let Some(day) = one.closed.map(|day| calendar.next(day)) else { continue };
            let due = calendar.closes_at(day);
            // What is left is done by the next schedule.
            if due > settled || *lane > last_begin {
                continue;
            }
            *lane = later(*lane, if one.is_large { LARGE } else { SMALL });
            one.closed = Some(day);
            self.report.note("close", lane.duration_since(due), 1);
        }
        let end = lanes.into_iter().max().unwrap_or(now);
        self.report.meter.invocation("reconcile", memory, end.duration_since(now));
    }
}
