//! Tables of a report: every figure and every list behind one, in the one shape that each format shows.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::Money;

/// A value in a table, exact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cell {
    /// No value.
    Empty,
    /// A text.
    Text(String),
    /// A count, or milliseconds.
    Count(u64),
    /// An amount; its currency stands in a column of its own.
    Amount(Money),
    /// A day.
    Day(Date),
    /// An instant, in UTC.
    Moment(Timestamp),
}

impl Cell {
    /// A text, if there is one.
    pub fn text(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_string()))
    }

    /// A count, if there is one.
    pub fn count(count: Option<u64>) -> Self {
        count.map_or(Self::Empty, Self::Count)
    }

    /// A day, if there is one.
    pub fn day(day: Option<Date>) -> Self {
        day.map_or(Self::Empty, Self::Day)
    }

    /// An instant, if there is one.
    pub fn moment(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Empty, Self::Moment)
    }

    /// `yes` or `no`.
    pub fn flag(is_so: bool) -> Self {
        Self::Text(if is_so { "yes" } else { "no" }.to_owned())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Money> for Cell {
    fn from(money: Money) -> Self {
        Self::Amount(money)
    }
}

/// As files show it: nothing is rounded, and nothing is left out.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => count.fmt(f),
            Self::Amount(money) => money.amount().fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Moment(moment) => moment.fmt(f),
        }
    }
}

/// A table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sheet {
    /// Its name: that of its file.
    pub name: &'static str,
    /// Its heading for people.
    pub title: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
}
