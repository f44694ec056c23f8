//! JSON as it was written: members in their order and as often as they occur, whole numbers exact.
//!
//! `serde_json::Value` would keep the last of two members with the same name without a word, and
//! make a float of `110.10`. Neither is acceptable for money.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Json {
    Null,
    Flag(bool),
    /// A number without fraction and exponent.
    Whole(i128),
    /// Any other number. Nothing of ours is one, so its digits are not kept.
    Fraction,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text. It can be nested 127 levels deep at most: that is where `serde_json` stops.
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What it is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Fraction => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsWritten)
    }
}

struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Whole(number.into()))
    }

    // The parser has made a float of it; we look away.
    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_as_often_as_they_occur() {
        let json = Json::parse(r#"{"a":1,"\u0061":2}"#).unwrap();
        let member = |value| ("a".to_owned(), Json::Whole(value));
        assert_eq!(json, Json::Object(vec![member(1), member(2)]));
    }

    #[test]
    fn only_whole_numbers_have_digits() {
        assert_eq!(Json::parse("18446744073709551615").unwrap(), Json::Whole(u64::MAX.into()));
        assert_eq!(Json::parse("-7").unwrap(), Json::Whole(-7));
        for text in ["1.0", "110.10", "1e2", "18446744073709551616", "-0"] {
            assert_eq!(Json::parse(text).unwrap(), Json::Fraction, "{text}");
        }
    }

    #[test]
    fn no_text_is_nested_too_deep_to_be_refused_in_peace() {
        for depth in [100_000, 128] {
            assert!(Json::parse(&"[".repeat(depth)).is_err());
            assert!(Json::parse(&(r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth))).is_err());
        }
    }
}
