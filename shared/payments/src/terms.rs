//! Invoice terms, and the due date they lead to (CM-17).

use jiff::ToSpan;
use jiff::civil::Date;

/// Longest number of days in any kind of terms.
pub const TERM_DAYS_MAX: u16 = 3660;

/// When an invoice is due, relative to its day of issue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Terms {
    /// So many days after the day of issue.
    DaysAfterIssue(u16),
    /// So many days after the last day of the month of issue.
    DaysAfterMonthEnd(u16),
    /// That day of the month after the month of issue, or its last day if it is shorter.
    DayOfFollowingMonth(u8),
}

/// Terms that lead to no date.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TermsError {
    /// A number of days or a day of the month that makes no sense.
    #[error("terms take 0 to {TERM_DAYS_MAX} days, or a day of the month from 1 to 31")]
    OutOfRange,
}

impl Terms {
    /// The due date of an invoice issued on that day.
    ///
    /// # Errors
    /// `OutOfRange` if the terms are not sensible or the date leaves the calendar.
    pub fn due_on(self, issued_on: Date) -> Result<Date, TermsError> {
        let plus = |from: Date, days: u16| {
            if days > TERM_DAYS_MAX {
                return Err(TermsError::OutOfRange);
            }
            from.checked_add(i32::from(days).days()).map_err(|_| TermsError::OutOfRange)
        };
        match self {
            Self::DaysAfterIssue(days) => plus(issued_on, days),
            Self::DaysAfterMonthEnd(days) => plus(issued_on.last_of_month(), days),
            Self::DayOfFollowingMonth(day @ 1..=31) => {
                let first = issued_on
                    .first_of_month()
                    .checked_add(1.month())
                    .map_err(|_| TermsError::OutOfRange)?;
                let last = first.last_of_month();
                let day = i8::try_from(day).map_err(|_| TermsError::OutOfRange)?;
                Ok(if day >= last.day() {
                    last
                } else {
                    plus(first, u16::from(day.unsigned_abs()) - 1)?
                })
            }
            Self::DayOfFollowingMonth(_) => Err(TermsError::OutOfRange),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_due_date_is_worked_out_from_the_terms() {
        // CM-17
        let issued = date(2026, 1, 31);
        assert_eq!(Terms::DaysAfterIssue(30).due_on(issued), Ok(date(2026, 3, 2)));
        assert_eq!(Terms::DaysAfterIssue(0).due_on(issued), Ok(issued));
        assert_eq!(Terms::DaysAfterMonthEnd(7).due_on(date(2028, 2, 3)), Ok(date(2028, 3, 7)));
        assert_eq!(Terms::DayOfFollowingMonth(20).due_on(issued), Ok(date(2026, 2, 20)));
        assert_eq!(Terms::DayOfFollowingMonth(31).due_on(issued), Ok(date(2026, 2, 28)));
        assert_eq!(Terms::DayOfFollowingMonth(1).due_on(date(2026, 12, 5)), Ok(date(2027, 1, 1)));
    }

    #[test]
    fn senseless_terms_are_refused() {
        let issued = date(2026, 1, 31);
        assert_eq!(Terms::DaysAfterIssue(3661).due_on(issued), Err(TermsError::OutOfRange));
        assert_eq!(Terms::DayOfFollowingMonth(0).due_on(issued), Err(TermsError::OutOfRange));
        assert_eq!(Terms::DayOfFollowingMonth(32).due_on(issued), Err(TermsError::OutOfRange));
    }
}
