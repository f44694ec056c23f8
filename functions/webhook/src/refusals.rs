//! What of refused requests is written. The address is open to the internet, and lines of a log cost more than the
//! requests themselves: of a flood only so many are written, and then their sum, once a minute.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::handler::Response;

/// Refusals of a minute that each have a line. One more than the alarm on requests without a signature bears in an hour.
pub(crate) const WRITTEN_A_MINUTE: u32 = 11;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How many requests were refused, by the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Refused {
    pub(crate) not_signed: u32,
    pub(crate) not_post: u32,
    pub(crate) too_large: u32,
}

impl Refused {
    /// All of them.
    pub(crate) const fn all(self) -> u32 {
        self.not_signed.saturating_add(self.not_post).saturating_add(self.too_large)
    }

    const fn count(&mut self, answer: Response) {
        let counted = match answer {
            Response::NotSigned => &mut self.not_signed,
            Response::NotPost => &mut self.not_post,
            Response::TooLarge => &mut self.too_large,
            Response::Accepted | Response::Unavailable => return,
        };
        *counted = counted.saturating_add(1);
    }
}

/// The refusals of one copy of the function.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Counter>);

#[derive(Debug, Default)]
struct Counter {
    /// When the minute is over in which lines are counted.
    until: Option<Timestamp>,
    /// Lines of that minute.
    written: u32,
    /// Refusals that no line has.
    unwritten: Refused,
}

impl Refusals {
    /// The refusals that the line of this answer has to have; nothing if it is to have no line.
    pub(crate) fn of(&self, answer: Response, now: Timestamp) -> Option<Refused> {
        // No step in here can fail halfway.
        let mut counter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counter.until.is_none_or(|until| now >= until) {
            counter.until = now.checked_add(MINUTE).ok();
            counter.written = 0;
        }
        counter.unwritten.count(answer);
        if !matches!(answer, Response::Accepted | Response::Unavailable) {
            if counter.written >= WRITTEN_A_MINUTE {
                return None;
            }
            counter.written += 1;
        }
        Some(std::mem::take(&mut counter.unwritten))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_791_171_685 + second).unwrap()
    }

    #[test]
    fn a_flood_has_few_lines_and_every_request_is_counted() {
        // FAULT-34
        let refusals = Refusals::default();
        let moments = (0..3).flat_map(|minute| std::iter::repeat_n(at(minute * 60), 600));
        let lines: Vec<_> =
            moments.filter_map(|now| refusals.of(Response::NotSigned, now)).collect();
        assert_eq!(lines.len(), 33, "eleven a minute");
        let counted: u32 = lines.iter().map(|line| line.all()).sum();
        assert_eq!(
            counted,
            1_800 - 589,
            "the rest of the last minute is written with what comes next"
        );
        let next = refusals.of(Response::Accepted, at(125)).unwrap();
        assert_eq!(next, Refused { not_signed: 589, ..Refused::default() });
    }

    #[test]
    fn a_few_refusals_are_each_written_at_once() {
        // FAULT-34: as many as the alarm needs.
        let refusals = Refusals::default();
        for answer in [Response::NotSigned, Response::NotPost, Response::TooLarge] {
            assert_eq!(refusals.of(answer, at(0)).map(Refused::all), Some(1));
        }
        assert_eq!(refusals.of(Response::Unavailable, at(0)), Some(Refused::default()));
    }

    #[test]
    fn a_delivery_in_the_middle_of_a_flood_has_its_line() {
        // FAULT-34
        let refusals = Refusals::default();
        for _ in 0..100 {
            refusals.of(Response::NotSigned, at(1));
        }
        assert_eq!(refusals.of(Response::Accepted, at(2)).map(Refused::all), Some(89));
        assert_eq!(refusals.of(Response::NotSigned, at(3)), None);
    }
}
