//! The 48 hours of a discrepancy, and the steps at which people hear of them (SP-18, SP-19).

use jiff::{SignedDuration, Timestamp};

use crate::case::ClockStep;
use crate::discrepancy::Discrepancy;

impl ClockStep {
    /// The step that a discrepancy has come to at that moment; none in its first 24 hours. At 48 hours sharp it is
    /// still in time (A7.1).
    pub fn at(now: Timestamp, found: &Discrepancy) -> Option<Self> {
        let open_for = now.duration_since(found.since());
        if found.is_late(now) {
            Some(Self::Breach)
        } else if open_for >= SignedDuration::from_hours(40) {
            Some(Self::Late)
        } else if open_for >= SignedDuration::from_hours(24) {
            Some(Self::Day)
        } else {
            None
        }
    }

    /// The step that is to be announced now; none if it was announced, or the discrepancy is not open.
    pub fn due(now: Timestamp, found: &Discrepancy) -> Option<Self> {
        let step = Self::at(now, found).filter(|_| found.is_open())?;
        (found.case.step < Some(step)).then_some(step)
    }
}

impl Discrepancy {
    /// When it ended: by the facts, or by a person's word; none while it is open.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.resolved_at.or_else(|| self.acceptance().map(|accepted| accepted.at))
    }

    /// Whether it took longer than 48 hours, or has by that moment (SP-18). Exactly 48 hours are in time (A7.1).
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.ended_at().unwrap_or(now) > self.due_at()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn found() -> Discrepancy {
        let key = DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid);
        Discrepancy::found(key, "80.00 AUD too much".to_owned(), at("2026-11-23T01:00:00Z"))
    }

    #[test]
    fn a_discrepancy_is_in_time_at_48_hours_and_a_breach_a_second_later() {
        // SP-18, SP-19, A7.1, AMB-23: by the wall clock, without a pause.
        let mut found = found();
        for (now, step) in [
            ("2026-11-23T01:00:00Z", None),
            ("2026-11-24T00:59:59Z", None),
            ("2026-11-24T01:00:00Z", Some(ClockStep::Day)),
            ("2026-11-24T16:59:59Z", Some(ClockStep::Day)),
            ("2026-11-24T17:00:00Z", Some(ClockStep::Late)),
            ("2026-11-25T01:00:00Z", Some(ClockStep::Late)),
            ("2026-11-25T01:00:01Z", Some(ClockStep::Breach)),
        ] {
            assert_eq!(ClockStep::at(at(now), &found), step, "{now}");
        }
        found.resolved_at = Some(at("2026-11-25T01:00:00Z"));
        assert!(!found.is_late(at("2026-12-25T01:00:00Z")));
        found.resolved_at = Some(at("2026-11-25T01:00:01Z"));
        assert!(found.is_late(at("2026-12-25T01:00:00Z")));
    }

    #[test]
    fn each_step_is_announced_once_and_again_after_a_return() {
        // SP-19, A7.1
        let mut found = found();
        let late = at("2026-11-24T17:00:00Z");
        assert_eq!(ClockStep::due(late, &found), Some(ClockStep::Late));
        found.case.step = Some(ClockStep::Late);
        assert_eq!(ClockStep::due(late, &found), None);
        assert_eq!(ClockStep::due(at("2026-11-26T00:00:00Z"), &found), Some(ClockStep::Breach));
        found.resolved_at = Some(late);
        assert_eq!(ClockStep::due(at("2026-11-26T00:00:00Z"), &found), None);
        let back = found.found_again("81.00 AUD too much", at("2026-12-01T00:00:00Z")).unwrap();
        assert_eq!(back.case.step, None);
        assert_eq!(ClockStep::due(at("2026-12-02T00:00:00Z"), &back), Some(ClockStep::Day));
    }
}
