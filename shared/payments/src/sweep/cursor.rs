//! From where to where Xero's lists are read: the arithmetic of the cursor.
//!
//! The cursor is the moment at which the last whole read began. Every change before it is on the
//! queue; the next read begins [`OVERLAP`] earlier, because a change may become visible later than its
//! own stamp says.

use jiff::{SignedDuration, Timestamp};

use crate::reason::codes;

/// How much earlier than the cursor a read begins. Far more than a change takes to become visible in
/// Xero's lists, and little enough that what is read twice hardly counts: one call for 40 invoices.
pub const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// How far our clock may differ from Xero's, where Xero does not give the time.
pub const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How far the first sweep of an organisation looks back: as long as Xero keeps events that it could not
/// deliver. What changed before, and is still open, is found by the full sweep.
pub const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

codes! {
    /// The lists that are read, in this order.
    SweptList {
        /// `GET /Invoices`.
        Invoices = "invoices",
        /// `GET /Payments`: a deleted payment is only seen here if its invoice kept its stamp.
        Payments = "payments",
    }
}

/// A place in a list that is ordered by change, at which a walk through it can be gone on with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListPosition {
    /// What changed from then on is still to be read.
    pub since: Timestamp,
    /// Of that, so many rows, from the last of them to the first: where stamps are no way on.
    pub rest: Option<u32>,
}

impl ListPosition {
    /// Where what changed since then begins.
    pub const fn from(since: Timestamp) -> Self {
        Self { since, rest: None }
    }
}

/// How far a read has come. Everything before `reached` is on the queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// When its first call was made; the cursor, once it is whole. `None` before that call.
    pub begun_at: Option<Timestamp>,
    /// From where each list is read.
    pub since: Timestamp,
    /// The list that is being read.
    pub list: SweptList,
    /// Up to where it has been read. Lists are walked by stamps and never by page numbers, so that it
    /// can be gone on with at any time: a row that changes in between moves to the end, and is met there.
    pub reached: Timestamp,
}

impl Progress {
    /// A read that has not begun.
    pub const fn from(since: Timestamp) -> Self {
        Self { begun_at: None, since, list: SweptList::Invoices, reached: since }
    }

    /// After a page has been dealt with, of which the next one begins at `next`. `None` if both lists
    /// have been read to their ends.
    pub fn after_page(self, next: Option<Timestamp>) -> Option<Self> {
        match (next, self.list) {
            // Never backwards: that would be a circle.
            (Some(next), _) => Some(Self { reached: next.max(self.reached), ..self }),
            (None, SweptList::Invoices) => {
                Some(Self { list: SweptList::Payments, reached: self.since, ..self })
            }
            (None, SweptList::Payments) => None,
        }
    }
}

/// When a call was begun, by Xero's clock as far as that is known: the stamps are Xero's.
///
/// `xero` is what Xero's clock showed when it answered. The earlier of two clocks counts: reading too much
/// costs a little, reading too little loses changes.
pub fn begun_at(
    started_at: Timestamp,
    answered_at: Timestamp,
    xero: Option<Timestamp>,
) -> Timestamp {
    let took = answered_at.duration_since(started_at).max(SignedDuration::ZERO);
    match xero {
        Some(xero) => xero.saturating_sub(took).unwrap_or(xero).min(started_at),
        None => started_at.saturating_sub(SKEW).unwrap_or(started_at),
    }
}

/// From where the next read begins.
pub(crate) fn since(cursor: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let (from, earlier) = match cursor {
        Some(cursor) => (cursor, OVERLAP),
        None => (now, FIRST_LOOK_BACK),
    };
    from.saturating_sub(earlier).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_read_begins_ten_minutes_before_the_cursor_and_the_first_one_a_month_ago() {
        let now = at("2026-10-05T03:30:00Z");
        assert_eq!(since(Some(at("2026-10-05T03:00:00Z")), now), at("2026-10-05T02:50:00Z"));
        assert_eq!(since(None, now), at("2026-09-04T03:30:00Z"));
    }

    #[test]
    fn the_earlier_clock_counts() {
        let (started, answered) = (at("2026-10-05T03:00:00Z"), at("2026-10-05T03:00:02Z"));
        let begun = |xero: &str| begun_at(started, answered, Some(at(xero)));
        assert_eq!(begun("2026-10-05T03:00:02Z"), started);
        assert_eq!(begun("2026-10-05T02:58:02Z"), at("2026-10-05T02:58:00Z"), "ours is fast");
        assert_eq!(begun("2026-10-05T03:20:00Z"), started, "ours is slow");
        assert_eq!(begun_at(started, answered, None), at("2026-10-05T02:55:00Z"));
    }

    proptest! {
        /// For all pages, and wherever a read is interrupted: a change that is in its list when the
        /// list is read to its end is read, and so is every later one by the next read.
        #[test]
        fn law_every_stamp_is_read_by_this_read_or_by_the_next(
            mut stamps in proptest::collection::vec(0_i64..200, 0..60),
            page in 1_usize..8,
            cursor in 0_i64..200,
        ) {
            stamps.sort_unstable();
            let second = |s: i64| Timestamp::from_second(1_790_000_000 + s * 60).unwrap();
            let cursor = second(cursor);
            let mut read = Vec::new();
            let mut progress = Some(Progress::from(since(Some(cursor), cursor)));
            while let Some(at) = progress {
                let list: Vec<_> =
                    stamps.iter().map(|s| second(*s)).filter(|s| *s >= at.reached).collect();
                // A page ends with a whole stamp, as the reader of the lists makes sure.
                let last = list.get(page - 1).copied();
                let of_page = list.iter().filter(|s| last.is_none_or(|last| **s <= last));
                read.extend(of_page.map(|s| (at.list, *s)));
                let more = last.and_then(|last| list.iter().find(|s| **s > last).copied());
                progress = at.after_page(more);
            }
            for stamp in stamps.iter().map(|s| second(*s)) {
                let expected = stamp >= cursor - OVERLAP;
                for list in SweptList::ALL {
                    prop_assert_eq!(read.contains(&(*list, stamp)), expected);
                }
            }
        }

        #[test]
        fn law_a_read_never_counts_as_begun_later_than_by_any_clock(
            ours in 0_i64..10_000, took in 0_i64..60, xero in proptest::option::of(0_i64..10_000),
        ) {
            let second = |s: i64| Timestamp::from_second(1_790_000_000 + s).unwrap();
            let begun = begun_at(second(ours), second(ours + took), xero.map(second));
            prop_assert!(begun <= second(ours));
            prop_assert!(xero.is_none_or(|xero| begun <= second(xero)));
        }
    }
}
