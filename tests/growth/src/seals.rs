//! The seal of each day of the log: one invocation of report goes through all organisations, some of them at once.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::seal::{SEAL_MARGIN, last_over};

use crate::fleet::Member;
use crate::world::{Event, World, later};

/// What of the invocation is left when the last day is begun, as the product has it.
const BEGUN: SignedDuration = SignedDuration::from_secs(120);
/// What it takes to see which day of an organisation was sealed last.
const LOOK: SignedDuration = SignedDuration::from_millis(15);
/// A day of some hundred rows, with the one before; and one of some hundred thousand.
const SMALL: SignedDuration = SignedDuration::from_millis(80);
const LARGE: SignedDuration = SignedDuration::from_secs(20);

/// Every day that could be sealed before this moment is sealed.
pub(crate) fn sealed_before(members: &mut [Member], begin: Timestamp) {
    for one in members {
        one.sealed = Some(last_over(begin));
    }
}

impl World {
    /// Seals the days that are over, in the order of the table, until there is no time for another one.
    pub(crate) fn seal(&mut self, now: Timestamp) {
        let product = &self.plan.product;
        let (every, memory, timeout) =
            (product.seal_every, product.report_memory, product.report_timeout);
        self.at(later(now, every), Event::Seal);
        let last_begin = later(now, timeout - BEGUN);
        let mut lanes = vec![now; self.plan.product.seals_at_once];
        for one in &mut self.members {
            let Some(lane) = lanes.iter_mut().min() else { return };
            *lane = later(*lane, LOOK);
            let next = one.sealed.and_then(|day| day.tomorrow().ok());
            // The rest is done by the next schedule.
            let Some(day) = next.filter(|day| *day <= last_over(now) && *lane <= last_begin) else {
                continue;
            };
            *lane = later(*lane, if one.is_large { LARGE } else { SMALL });
            one.sealed = Some(day);
            let over = day.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
            let due = over.map_or(now, |over| later(over.timestamp(), SEAL_MARGIN));
            self.report.note("seal", lane.duration_since(due), 1);
        }
        let end = lanes.into_iter().max().unwrap_or(now);
        self.report.meter.invocation("report", memory, end.duration_since(now));
    }
}
