//! A log against its seals, row by row: which rows differ, are missing, were added or exchanged.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::Date;

use super::checksum::Checksum;
use super::page::SealedRow;
use crate::reason::codes;

/// LogComparison that are kept with their rows; further ones are counted.
pub const DIFFERENCES_MAX: usize = 10_000;

codes! {
    /// The problem of a row of the log.
    RowFault {
        /// It says something else than when it was sealed.
        Altered = "altered",
        /// It was sealed, and is not in the log.
        Removed = "removed",
        /// It is in the log, and was not sealed.
        Added = "added",
        /// It says what another row said when both were sealed.
        Exchanged = "exchanged",
    }
}

/// A row of the log that is not as it was sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowDifference {
    /// The day of the log.
    pub day: Date,
    /// The row's sort key.
    pub at: String,
    /// The problem.
    pub fault: RowFault,
    /// Day and sort key of the row whose contents it has, if it was exchanged.
    pub with: Option<(Date, String)>,
    /// The row as sealed.
    pub sealed: Option<Checksum>,
    /// The row as it stands.
    pub found: Option<Checksum>,
}

/// The differences of one day, as both sides are gone through in the order of their keys.
#[derive(Clone, Debug)]
pub struct LogComparison {
    day: Date,
    /// Rows that the seal of the next day has taken up, and that the log has not shown yet.
    late: BTreeMap<String, Checksum>,
    kept: Vec<RowDifference>,
    total: u64,
}

/// Which of the two sides goes on by a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Advance {
    /// The rows that were sealed.
    pub sealed: bool,
    /// The rows of the log.
    pub found: bool,
}

impl LogComparison {
    /// Of a day, of which these rows were sealed with the next one.
    pub fn new(day: Date, late: BTreeMap<String, Checksum>) -> Self {
        Self { day, late, kept: Vec::new(), total: 0 }
    }

    /// Compares the next row of each side; none means that the side has ended.
    pub fn compare(&mut self, sealed: Option<&SealedRow>, found: Option<&SealedRow>) -> Advance {
        let order = match (sealed, found) {
            (None, None) => return Advance { sealed: false, found: false },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(sealed), Some(found)) => sealed.at.cmp(&found.at),
        };
        match (order, sealed, found) {
            (Ordering::Equal, Some(sealed), Some(found)) => {
                self.judge(&sealed.at, Some(sealed.content), Some(found.content));
            }
            (Ordering::Less, Some(sealed), _) => self.judge(&sealed.at, Some(sealed.content), None),
            (_, _, Some(found)) => {
                let late = self.late.remove(&found.at);
                self.judge(&found.at, late, Some(found.content));
            }
            _ => {}
        }
        Advance { sealed: order.is_le(), found: order.is_ge() }
    }

    /// The differences in the order of their keys, and how many there are; both sides have ended.
    pub fn finish(mut self) -> (Vec<RowDifference>, u64) {
        for (at, content) in std::mem::take(&mut self.late) {
            self.judge(&at, Some(content), None);
        }
        self.kept.sort_by(|one, other| one.at.cmp(&other.at));
        (self.kept, self.total)
    }

    fn judge(&mut self, at: &str, sealed: Option<Checksum>, found: Option<Checksum>) {
        let fault = match (sealed, found) {
            (Some(sealed), Some(found)) if sealed == found => return,
            (Some(_), Some(_)) => RowFault::Altered,
            (Some(_), None) => RowFault::Removed,
            (None, _) => RowFault::Added,
        };
        self.total = self.total.saturating_add(1);
        if self.kept.len() < DIFFERENCES_MAX {
            let (day, at) = (self.day, at.to_owned());
            self.kept.push(RowDifference { day, at, fault, with: None, sealed, found });
        }
    }
}

/// Calls rows exchanged that say what another altered row said when both were sealed.
pub fn name_exchanges(differences: &mut [RowDifference]) {
    let altered = |difference: &&mut RowDifference| difference.fault == RowFault::Altered;
    let mut sealed: BTreeMap<Checksum, (Date, String)> = BTreeMap::new();
    for difference in differences.iter_mut().filter(altered) {
        if let Some(content) = difference.sealed {
            sealed.entry(content).or_insert_with(|| (difference.day, difference.at.clone()));
        }
    }
    for difference in differences.iter_mut().filter(altered) {
        let other = difference.found.and_then(|content| sealed.get(&content));
        if let Some(other) = other {
            difference.fault = RowFault::Exchanged;
            difference.with = Some(other.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn row(text: &str) -> SealedRow {
        let (at, content) = text.split_once('=').unwrap();
        SealedRow { at: at.to_owned(), content: Checksum::of(Sha256::new_with_prefix(content)) }
    }

    /// The differences between what was sealed, with what was sealed late, and what is found.
    fn differences(sealed: &str, late: &str, found: &str) -> Vec<String> {
        let rows = |text: &str| text.split_whitespace().map(row).collect::<Vec<_>>();
        let late = rows(late).into_iter().map(|row| (row.at, row.content)).collect();
        let mut differences = LogComparison::new("2026-11-23".parse().unwrap(), late);
        let (sealed, found) = (rows(sealed), rows(found));
        let (mut sealed, mut found) = (sealed.iter().peekable(), found.iter().peekable());
        while sealed.peek().is_some() || found.peek().is_some() {
            let advance = differences.compare(sealed.peek().copied(), found.peek().copied());
            assert!(advance.sealed || advance.found, "it goes on");
            sealed.next_if(|_| advance.sealed);
            found.next_if(|_| advance.found);
        }
        let (mut kept, total) = differences.finish();
        assert_eq!(u64::try_from(kept.len()).unwrap(), total);
        name_exchanges(&mut kept);
        let word = |difference: &RowDifference| {
            let with = difference.with.as_ref().map(|(_, at)| format!(" {at}"));
            format!("{} {}{}", difference.at, difference.fault, with.unwrap_or_default())
        };
        kept.iter().map(word).collect()
    }

    /// SP-29: each way of altering a log has its name, at each place.
    #[test]
    fn a_row_that_was_altered_removed_added_or_exchanged_is_named() {
        let same: [&str; 0] = [];
        assert_eq!(differences("1=a 2=b 3=c", "", "1=a 2=b 3=c"), same);
        assert_eq!(differences("1=a 2=b 3=c", "", "1=a 2=x 3=c"), ["2 altered"]);
        assert_eq!(differences("1=a 2=b 3=c", "", "2=b 3=c"), ["1 removed"]);
        assert_eq!(differences("1=a 2=b 3=c", "", "1=a 2=b"), ["3 removed"]);
        assert_eq!(differences("1=a 2=b", "", "0=z 1=a 2=b"), ["0 added"]);
        assert_eq!(differences("1=a 3=c", "", "1=a 2=b 3=c 4=d"), ["2 added", "4 added"]);
        assert_eq!(differences("", "", "1=a"), ["1 added"]);
        assert_eq!(
            differences("1=a 2=b 3=c", "", "1=c 2=b 3=a"),
            ["1 exchanged 3", "3 exchanged 1"]
        );
        assert_eq!(differences("1=a 2=b", "", "1=x 2=a"), ["1 altered", "2 exchanged 1"]);
    }

    #[test]
    fn a_late_row_belongs_to_its_day_and_is_guarded_like_the_others() {
        let same: [&str; 0] = [];
        assert_eq!(differences("1=a 3=c", "2=b", "1=a 2=b 3=c"), same);
        assert_eq!(differences("1=a 3=c", "2=b", "1=a 2=x 3=c"), ["2 altered"]);
        assert_eq!(differences("1=a 3=c", "2=b", "1=a 3=c"), ["2 removed"]);
        assert_eq!(differences("1=a 3=c", "2=b", "1=a 3=c 4=d"), ["2 removed", "4 added"]);
    }
}
