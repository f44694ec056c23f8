//! Figures: shares, and times with their percentiles. Nothing is sampled, and nothing is rounded up.

use std::fmt;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Share {
    /// How many are as they should be.
    pub numerator: u64,
    /// How many there are.
    pub denominator: u64,
}

impl Share {
    /// Counts one more.
    pub fn count(&mut self, is_good: bool) {
        self.numerator += u64::from(is_good);
        self.denominator += 1;
    }

    /// Hundredths of a percent, rounded down: what is not whole never shows as whole. `None` without data.
    pub fn basis_points(self) -> Option<u64> {
        let scaled = u128::from(self.numerator) * 10_000;
        let points = scaled.checked_div(u128::from(self.denominator))?;
        u64::try_from(points).ok()
    }

    /// Whether at least so many percent are as they should be; `None` without data.
    pub fn reaches(self, percent: u64) -> Option<bool> {
        let needed = u128::from(self.denominator) * u128::from(percent);
        (self.denominator > 0).then(|| u128::from(self.numerator) * 100 >= needed)
    }
}

/// `99.99 %`, or `n/a` without data.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.basis_points() {
            Some(points) => write!(f, "{}.{:02} %", points / 100, points % 100),
            None => f.write_str("n/a"),
        }
    }
}

/// Times in milliseconds, with the share of those within a limit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Times {
    sorted: Vec<u64>,
}

impl Times {
    /// Of all of these.
    pub fn of(times: impl IntoIterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = times.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// The least time that so many percent do not exceed; `None` without data.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let rank = self.sorted.len().checked_mul(percent)?.div_ceil(100);
        self.sorted.get(rank.max(1) - 1).copied()
    }

    /// The longest; `None` without data.
    pub fn max(&self) -> Option<u64> {
        self.sorted.last().copied()
    }

    /// How many are no longer than a limit, of how many.
    pub fn within(&self, limit: u64) -> Share {
        let good = self.sorted.partition_point(|time| *time <= limit);
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        Share { numerator: count(good), denominator: count(self.sorted.len()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_data_there_is_no_figure() {
        // A7.1: never 100 %.
        assert_eq!(Share::default().to_string(), "n/a");
        assert_eq!(Share::default().reaches(100), None);
        let none = Times::default();
        assert_eq!((none.percentile(50), none.max()), (None, None));
    }

    #[test]
    fn what_is_not_whole_never_shows_as_whole() {
        let share = Share { numerator: 299_999, denominator: 300_000 };
        assert_eq!((share.to_string().as_str(), share.reaches(100)), ("99.99 %", Some(false)));
        let whole = Share { numerator: 3, denominator: 3 };
        assert_eq!((whole.to_string().as_str(), whole.reaches(100)), ("100.00 %", Some(true)));
    }

    proptest! {
        /// SP-09: a percentile is one of the times, and exactly as many as it says are no longer.
        #[test]
        fn a_percentile_is_by_rank(times in prop::collection::vec(0u64..1_000, 1..200), percent in 1usize..=100) {
            let found = Times::of(times.clone()).percentile(percent).unwrap();
            let no_longer = times.iter().filter(|time| **time <= found).count();
            let shorter = times.iter().filter(|time| **time < found).count();
            prop_assert!(no_longer * 100 >= times.len() * percent);
            prop_assert!(shorter * 100 < times.len() * percent);
        }
    }
}
