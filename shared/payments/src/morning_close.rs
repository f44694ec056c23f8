//! How the closes of the business days stand in the morning (SP-13, SP-15): a line of the digest, and a code by which those
//! of many organisations are counted.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::close::CloseCause;
use crate::reason::codes;

codes! {
    /// How the closes of an organisation stand.
    CloseState {
        /// The last day that had to be closed is closed.
        Closed = "closed",
        /// It is closed, and something of it does not reconcile.
        Differs = "differs",
        /// A day that has ended is not closed.
        Late = "late",
    }
}

/// As many causes are named.
const CAUSES_NAMED: usize = 3;

/// The facts about the closes of an organisation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MorningClose {
    /// The last day that was closed, and which revision of its close it is.
    pub last: Option<(Date, u64)>,
    /// What does not reconcile of it, by cause.
    pub causes: Vec<(CloseCause, u64)>,
    /// A day that should be closed and is not, and when it ended.
    pub overdue: Option<(Date, Timestamp)>,
}

impl MorningClose {
    /// `None` of an organisation that has nothing to close yet.
    pub fn state(&self) -> Option<CloseState> {
        match (self.overdue, self.last) {
            (Some(_), _) => Some(CloseState::Late),
            (None, None) => None,
            (None, Some(_)) if self.causes.is_empty() => Some(CloseState::Closed),
            (None, Some(_)) => Some(CloseState::Differs),
        }
    }

    /// Whether a person need not look at it.
    pub fn is_well(&self) -> bool {
        !matches!(self.state(), Some(CloseState::Late | CloseState::Differs))
    }

    /// The line about it, if there is anything to say.
    pub fn line(&self, time: impl Fn(Timestamp) -> String) -> Option<String> {
        let last = self.last.map(|(day, revision)| {
            let again = if revision > 1 { format!(", revision {revision}") } else { String::new() };
            format!("{day}{again} closed, {}", self.differences())
        });
        let late = self.overdue.map(|(day, ended)| {
            format!("{day} is late: it ended {} and is not closed", time(ended))
        });
        match (late, last) {
            (None, None) => None,
            (Some(late), None) => Some(format!("Close: {late}")),
            (None, Some(last)) => Some(format!("Close: {last}")),
            (Some(late), Some(last)) => Some(format!("Close: {late}; {last}")),
        }
    }

    fn differences(&self) -> String {
        if self.causes.is_empty() {
            return "without differences".to_owned();
        }
        let mut causes = self.causes.clone();
        causes.sort_by_key(|(cause, count)| (std::cmp::Reverse(*count), cause.code()));
        let named: Vec<_> =
            causes.iter().take(CAUSES_NAMED).map(|(cause, n)| format!("{cause} {n}")).collect();
        let more = causes.len().saturating_sub(CAUSES_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("with differences ({}{more})", named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i8) -> Date {
        jiff::civil::date(2026, 11, n)
    }

    fn line(close: &MorningClose) -> String {
        close.line(|at| at.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_close_is_closed_late_or_with_differences() {
        // SP-13, SP-15
        let none = MorningClose::default();
        assert_eq!((none.state(), none.is_well(), line(&none).as_str()), (None, true, ""));
        let closed = MorningClose { last: Some((day(24), 1)), ..none };
        assert_eq!((closed.state(), closed.is_well()), (Some(CloseState::Closed), true));
        assert_eq!(line(&closed), "Close: 2026-11-24 closed, without differences");
        let causes = [
            (CloseCause::Held, 1),
            (CloseCause::Refund, 7),
            (CloseCause::Duplicate, 2),
            (CloseCause::Mismatch, 1),
        ];
        let differs = MorningClose { last: Some((day(24), 2)), causes: causes.to_vec(), ..closed };
        assert_eq!((differs.state(), differs.is_well()), (Some(CloseState::Differs), false));
        assert_eq!(
            line(&differs),
            "Close: 2026-11-24, revision 2 closed, with differences (REFUND 7, DUPLICATE 2, HELD 1 and 1 more)"
        );
        let ended = "2026-11-25T07:00:00Z".parse().unwrap();
        let late = MorningClose { overdue: Some((day(25), ended)), ..differs };
        assert_eq!((late.state(), late.is_well()), (Some(CloseState::Late), false));
        assert!(line(&late).starts_with(
            "Close: 2026-11-25 is late: it ended 2026-11-25T07:00:00Z and is not closed; 2026-11-24, rev"
        ));
    }
}
