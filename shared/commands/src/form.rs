//! A command out of its fields by name, as texts: a page and a command line have them so.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::command::{Command, Kind};
use crate::field::FieldError;
use crate::text;

impl Command {
    /// The command of this kind with the fields that are given. Fields that it does not have are left out: a page
    /// hands over everything that its button carries.
    ///
    /// # Errors
    /// The first field that is missing or makes no sense.
    pub fn of(kind: Kind, given: &BTreeMap<String, String>) -> Result<Self, FieldError> {
        let mut fields = Map::new();
        for field in kind.spec().fields {
            match given.get(field.name) {
                Some(text) => _ = fields.insert(field.name.to_owned(), field.value(text)?),
                None if field.is_required => return Err(FieldError::Missing(field.label)),
                None => {}
            }
        }
        let tagged = Map::from_iter([(kind.code().to_owned(), Value::Object(fields))]);
        // Ids, texts and dates: no command has an amount, whose digits a `Value` could lose.
        Self::deserialize(Value::Object(tagged))
            .map_err(|error| FieldError::Wrong(text::redact(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::Attribution;
    use crate::field::{Field, FieldKind};
    use crate::request::Request;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn text(field: &Field) -> String {
        match (field.kind, field.name) {
            (FieldKind::Number, _) => "7",
            (FieldKind::Flag, _) => "true",
            (FieldKind::List, _) => "10234/OVERPAID#",
            (_, "organisation" | "grant" | "contact" | "account") => ORGANISATION,
            (_, "from" | "to" | "at" | "since") => "2026-11-23T00:00:00Z",
            (_, "cutover_on" | "day" | "first_day" | "from_day" | "last_day" | "to_day") => {
                "2026-11-23"
            }
            (_, "queue") => "changes",
            (_, "invoice") if field.help.contains("Xero's id") => ORGANISATION,
            _ => "x1",
        }
        .to_owned()
    }

    fn request(kind: Kind, of: impl Fn(&Field) -> bool) -> Request {
        let fields = kind.spec().fields.iter().filter(|field| of(field));
        let given: BTreeMap<_, _> = fields.map(|f| (f.name.to_owned(), text(f))).collect();
        let command = Command::of(kind, &given).unwrap_or_else(|error| panic!("{kind}: {error}"));
        Request::new(command, Attribution::new("Ada", "w").ok()).unwrap()
    }

    #[test]
    fn the_table_names_exactly_the_fields_that_each_command_reads() {
        for kind in Kind::ALL.iter().copied() {
            let whole = request(kind, |_| true);
            let json = serde_json::to_value(&whole).unwrap();
            let names = json["command"][kind.code()].as_object().unwrap();
            let expected: Vec<_> = kind.spec().fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), expected.len(), "{kind}");
            assert!(expected.iter().all(|name| names.contains_key(*name)), "{kind}: {names:?}");
            // A required field is asked for, and only those are.
            request(kind, |field| field.is_required);
            assert_eq!(Request::read(&json).unwrap().command().kind(), kind);
        }
    }

    fn given(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_missing_field_is_asked_for_in_plain_words() {
        for (kind, word) in [
            (Kind::Hold, "payment"),
            (Kind::Solve, "customer"),
            (Kind::Redrive, "queue"),
            (Kind::SignUp, "time zone"),
            (Kind::AnnounceAgain, "hours"),
        ] {
            let which = given(&[("organisation", ORGANISATION)]);
            let error = Command::of(kind, &which).unwrap_err().to_string();
            assert_eq!(error, format!("please say which {word}; nothing was done"));
        }
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_not_quoted() {
        for (kind, fields, words) in [
            (Kind::SyncNow, &[("organisation", "canary")][..], "`organisation`"),
            (
                Kind::SignUp,
                &[("organisation", ORGANISATION), ("time_zone", "x"), ("calls_per_day", "canary")],
                "`calls_per_day`",
            ),
        ] {
            let error = Command::of(kind, &given(fields)).unwrap_err().to_string();
            assert!(error.contains(words) && !error.to_lowercase().contains("canary"), "{error}");
        }
    }

    #[test]
    fn fields_of_other_commands_are_left_out() {
        let carried = given(&[("organisation", ORGANISATION), ("payment", "P-1"), ("queue", "x")]);
        let command = Command::of(Kind::Hold, &carried).unwrap();
        let json = serde_json::json!({"hold": {"organisation": ORGANISATION, "payment": "P-1"}});
        assert_eq!(serde_json::to_value(&command).unwrap(), json);
    }
}
