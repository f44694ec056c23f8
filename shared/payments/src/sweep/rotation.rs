//! How all stored invoices are gone through, a part of them in each night, so that each is looked at within
//! [`ROTATION_DAYS`] days: the nightly full sweep looks at what is not settled, and what was settled may have changed
//! all the same.

use jiff::civil::Date;

use crate::ids::InvoiceNumber;

/// In so many days every stored invoice is looked at.
pub const ROTATION_DAYS: u32 = 30;

/// One time through all stored invoices, in the order of their numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The day on which it begins.
    pub begun_on: Date,
    /// The number up to which it has come.
    pub after: Option<InvoiceNumber>,
    /// The rows that it has gone through.
    pub read: u32,
    /// The rows that it is expected to have; `None` of the first one, which counts them and goes through all of them
    /// at once.
    pub size: Option<u32>,
    /// How many of these are expected to be new since the last one.
    pub growth: u32,
    /// The day on which the last one began that has compared everything with Xero, if there was one: what changed there
    /// before that day is known here.
    pub compared_since: Option<Date>,
}

impl Rotation {
    /// The first one of an organisation.
    pub const fn first(today: Date) -> Self {
        Self { begun_on: today, after: None, read: 0, size: None, growth: 0, compared_since: None }
    }

    /// Whether it compares settled invoices with Xero. The first one only counts: no night is to ask for all of them.
    pub const fn compares(&self) -> bool {
        self.size.is_some()
    }

    /// How many rows are still to be gone through today, at most `max`. Each day has an equal part, a day that was missed
    /// is made up for, and the last one has the rest.
    pub fn due(&self, today: Date, max: u32) -> u32 {
        let days = today.since(self.begun_on).map_or(0, |span| span.get_days());
        let Ok(past) = u32::try_from(days) else { return 0 };
        let day = past.saturating_add(1);
        match self.size {
            Some(size) if day < ROTATION_DAYS => {
                let target = u64::from(size) * u64::from(day);
                let target = target.div_ceil(u64::from(ROTATION_DAYS));
                let left = target.saturating_sub(u64::from(self.read));
                u32::try_from(left).unwrap_or(u32::MAX).min(max)
            }
            Some(_) | None => max,
        }
    }

    /// After a page of so many rows; `next` is the number after which the next page begins. At the end of the rows
    /// the next one begins tomorrow.
    #[must_use]
    pub fn gone_through(&self, rows: u32, next: Option<InvoiceNumber>, today: Date) -> Self {
        let read = self.read.saturating_add(rows);
        if next.is_some() {
            return Self { after: next, read, ..self.clone() };
        }
        // As many are added in a month as in the month before.
        let last = self.size.map_or(read, |size| size.saturating_sub(self.growth));
        let growth = read.saturating_sub(last);
        Self {
            begun_on: today.tomorrow().unwrap_or(today),
            after: None,
            read: 0,
            size: Some(read.saturating_add(growth)),
            growth,
            compared_since: if self.compares() { Some(self.begun_on) } else { self.compared_since },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const PAGE: u32 = 7;

    /// Goes through what is due of so many rows; returns the places that were looked at.
    fn night(rotation: &mut Rotation, today: Date, rows: u32) -> Vec<u32> {
        let mut seen = Vec::new();
        loop {
            let max = rotation.due(today, PAGE);
            if max == 0 {
                return seen;
            }
            let from = rotation.after.as_ref().map_or(0, |n| n.to_string().parse().unwrap());
            let until = rows.min(from + max);
            seen.extend(from..until);
            let next = (until < rows).then(|| format!("{until:09}").parse().unwrap());
            *rotation = rotation.gone_through(until - from, next, today);
        }
    }

    #[test]
    fn the_first_one_goes_through_everything_at_once_and_compares_nothing() {
        let today = date(2026, 3, 2);
        let mut rotation = Rotation::first(today);
        assert!(!rotation.compares());
        assert_eq!(night(&mut rotation, today, 100).len(), 100);
        assert_eq!((rotation.size, rotation.compared_since), (Some(100), None));
        assert!(rotation.compares());
        assert_eq!(rotation.due(today, PAGE), 0, "the next one begins tomorrow");
    }

    proptest! {
        #[test]
        fn law_every_row_is_looked_at_within_thirty_days_and_no_night_has_more_than_its_part(
            rows in 0_u32..400, more in 0_u32..3, missed in proptest::collection::btree_set(2_i32..120, 0..9)
        ) {
            let begun = date(2026, 3, 2);
            let mut rotation = Rotation::first(begun);
            let (mut rows, mut last) = (rows, std::collections::BTreeMap::new());
            for day in 0..120 {
                let today = begun + day.days();
                if day > 0 && missed.contains(&day) {
                    continue;
                }
                let since_missed = (1..=9).take_while(|back| missed.contains(&(day - back))).count();
                let seen = night(&mut rotation, today, rows);
                if day > 0 && since_missed == 0 {
                    // The first month does not know yet how many are added; the last night of it has them all.
                    let part = rows.div_ceil(ROTATION_DAYS) + if day <= 31 { 31 * more } else { 4 * more } + 2;
                    prop_assert!(u32::try_from(seen.len()).unwrap() <= part, "{day}: {} of {rows}", seen.len());
                }
                for row in seen {
                    last.insert(row, day);
                }
                for row in 0..rows {
                    let at = last.get(&row).copied().unwrap_or(day - 1);
                    let late = missed.iter().filter(|missed| **missed < day).count();
                    prop_assert!(day - at <= 30 + i32::try_from(late).unwrap(), "{row} on {day}, seen on {at}");
                }
                rows += more;
            }
        }
    }
}
