//! Rows to attributes and back. Plain names and plain types, because operators read them: money is
//! a Number written from the decimal's own text, dates and ids are text.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::{Currency, Logged, Money};
use rust_decimal::Decimal;

use crate::error::ReadError;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An instant as text of fixed width, so that text order is time order. Microseconds are kept.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Builds a row.
#[derive(Debug, Default)]
pub(crate) struct Writer(Item);

impl Writer {
    pub(crate) fn text(mut self, name: &str, value: impl Display) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.to_string()));
        self
    }

    pub(crate) fn text_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(crate) fn instant(self, name: &str, at: Timestamp) -> Self {
        self.text(name, instant(at))
    }

    pub(crate) fn instant_if(self, name: &str, at: Option<Timestamp>) -> Self {
        self.text_if(name, at.map(instant))
    }

    pub(crate) fn number(mut self, name: &str, value: impl Display) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    pub(crate) fn number_if(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.number(name, value),
            None => self,
        }
    }

    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::Bool(value));
        self
    }

    pub(crate) fn bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::B(value.to_vec().into()));
        self
    }

    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// The attributes of another row with these names, as they are.
    pub(crate) fn copy(mut self, item: &Item, names: &[&str]) -> Self {
        for name in names {
            if let Some(value) = item.get(*name) {
                self.0.insert((*name).to_owned(), value.clone());
            }
        }
        self
    }

    /// What a row of the activity log says was done: always one of a closed list.
    pub(crate) fn logged(self, what: impl Into<Logged>) -> Self {
        self.text("action", what.into())
    }

    pub(crate) fn finish(self) -> Item {
        self.0
    }
}

/// Reads a row; every failure names the table and the attribute.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    table: &'static str,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(table: &'static str, item: &'a Item) -> Self {
        Self { table, item }
    }

    pub(crate) fn wrong(&self, attribute: &str, problem: impl Display) -> ReadError {
        ReadError::Unreadable {
            table: self.table,
            attribute: attribute.to_owned(),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.item.contains_key(name)
    }

    pub(crate) fn text_if(&self, name: &str) -> Result<Option<&'a str>, ReadError> {
        match self.item.get(name) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "is not a string")),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, ReadError> {
        self.text_if(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub(crate) fn parsed_if<T>(&self, name: &str) -> Result<Option<T>, ReadError>
    where
        T: FromStr,
    {
        // The parser's own words may quote the row, and errors go into the log (N9).
        self.text_if(name)?
            .map(|text| text.parse().map_err(|_| self.wrong(name, "cannot be read")))
            .transpose()
    }

    pub(crate) fn parsed<T>(&self, name: &str) -> Result<T, ReadError>
    where
        T: FromStr,
    {
        self.parsed_if(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub(crate) fn number_if<T: FromStr>(&self, name: &str) -> Result<Option<T>, ReadError> {
        match self.item.get(name) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(AttributeValue::N(text)) => {
                text.parse().map(Some).map_err(|_| self.wrong(name, "is not such a number"))
            }
            Some(_) => Err(self.wrong(name, "is not a number")),
        }
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T, ReadError> {
        self.number_if(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ReadError> {
        match self.item.get(name) {
            None => Ok(false),
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(name, "is not true or false")),
        }
    }

    /// A value as it is, for what may be written in several ways.
    pub(crate) fn value(&self, name: &str) -> Option<&'a AttributeValue> {
        self.item.get(name)
    }

    /// A map, if it is there.
    pub(crate) fn map(&self, name: &str) -> Result<Option<Self>, ReadError> {
        match self.item.get(name) {
            None | Some(AttributeValue::Null(_)) => Ok(None),
            Some(AttributeValue::M(item)) => Ok(Some(Self { table: self.table, item })),
            Some(_) => Err(self.wrong(name, "is not a map")),
        }
    }

    /// The maps of a list.
    pub(crate) fn maps(&self, name: &str) -> Result<Vec<Self>, ReadError> {
        let Some(AttributeValue::L(list)) = self.item.get(name) else {
            return Err(self.wrong(name, "is not a list"));
        };
        list.iter()
            .map(|entry| match entry {
                AttributeValue::M(item) => Ok(Self { table: self.table, item }),
                _ => Err(self.wrong(name, "holds something that is not a map")),
            })
            .collect()
    }

    /// The numbers of a list.
    pub(crate) fn list_of_numbers(&self, name: &str) -> Result<Vec<i64>, ReadError> {
        let Some(AttributeValue::L(list)) = self.item.get(name) else {
            return Err(self.wrong(name, "is not a list"));
        };
        let number = |entry: &AttributeValue| match entry {
            AttributeValue::N(number) => number.parse().ok(),
            _ => None,
        };
        list.iter()
            .map(|entry| {
                number(entry).ok_or_else(|| self.wrong(name, "holds something that is no number"))
            })
            .collect()
    }

    /// The texts of a list, each read.
    pub(crate) fn list_of<T: FromStr>(&self, name: &str) -> Result<Vec<T>, ReadError> {
        let Some(AttributeValue::L(list)) = self.item.get(name) else {
            return Err(self.wrong(name, "is not a list"));
        };
        let read = |entry: &AttributeValue| match entry {
            AttributeValue::S(text) => text.parse().ok(),
            _ => None,
        };
        list.iter()
            .map(|entry| read(entry).ok_or_else(|| self.wrong(name, "holds what cannot be read")))
            .collect()
    }

    /// The numbers of a map, by their names; none if there is no such map.
    pub(crate) fn numbers(&self, name: &str) -> Result<BTreeMap<String, u32>, ReadError> {
        let item = match self.item.get(name) {
            None => return Ok(BTreeMap::new()),
            Some(AttributeValue::M(item)) => item,
            Some(_) => return Err(self.wrong(name, "is not a map")),
        };
        let row = Self { table: self.table, item };
        item.keys().map(|key| Ok((key.clone(), row.number(key)?))).collect()
    }

    /// The values of a map, by their names; none if there is no such map.
    pub(crate) fn entries(
        &self,
        name: &str,
    ) -> Result<BTreeMap<&'a str, &'a AttributeValue>, ReadError> {
        match self.item.get(name) {
            None | Some(AttributeValue::Null(_)) => Ok(BTreeMap::new()),
            Some(AttributeValue::M(item)) => {
                Ok(item.iter().map(|(name, value)| (name.as_str(), value)).collect())
            }
            Some(_) => Err(self.wrong(name, "is not a map")),
        }
    }

    pub(crate) fn code<T>(
        &self,
        name: &str,
        from_code: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ReadError> {
        from_code(self.text(name)?).ok_or_else(|| self.wrong(name, "is no code we know"))
    }

    /// An amount, whose currency stands in its own attribute.
    pub(crate) fn money(&self, name: &str, currency: Currency) -> Result<Money, ReadError> {
        let amount: Decimal = self.number(name)?;
        Money::new(amount, currency).map_err(|error| self.wrong(name, error))
    }

    pub(crate) fn money_if(
        &self,
        name: &str,
        currency: Currency,
    ) -> Result<Option<Money>, ReadError> {
        if self.has(name) { self.money(name, currency).map(Some) } else { Ok(None) }
    }
}
