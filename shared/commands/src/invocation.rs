//! The function that executes a command, and the event by which it is asked. This file alone knows the form of
//! these events; the READMEs of `sweep`, `upload` and `announce` describe it for those who invoke by hand.

use serde_json::{Map, Value, json};

use crate::command::{Command, Kind};
use crate::request::Request;

/// A function that executes commands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// Syncs, replays, approves, signs up.
    Sweep,
    /// Holds and releases payments, enables the nights.
    Upload,
    /// Publishes decisions again.
    Announce,
}

impl Function {
    /// Its name, behind the name of the stack.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Upload => "upload",
            Self::Announce => "announce",
        }
    }
}

/// The function to invoke, and the event; `None` if the pages' own function executes the command.
pub fn invocation(request: &Request) -> Option<(Function, Value)> {
    let kind = request.command().kind();
    let fields = fields(request.command());
    Some(match kind {
        Kind::SyncNow
        | Kind::ApproveMassChange
        | Kind::Accept
        | Kind::Restore
        | Kind::Redrive
        | Kind::Discard
        | Kind::SignUp
        | Kind::Authorise
        | Kind::Disconnect
        | Kind::Connect => (Function::Sweep, tagged(kind.code(), signed(fields, request))),
        Kind::PreviewReplay | Kind::Replay => {
            (Function::Sweep, tagged("replay", signed(replay(kind, fields), request)))
        }
        Kind::LookAtDeadLetters => {
            let look = with(fields, "preview", json!(true));
            (Function::Sweep, tagged("redrive", signed(look, request)))
        }
        Kind::PreviewPlan => {
            let mut fields = fields;
            let at = fields.remove("at").map(|at| ("scheduled_time".to_owned(), at));
            fields.extend(at);
            (Function::Upload, with(fields, "preview", json!(true)).into())
        }
        Kind::EnableUploads => {
            let enable = with(fields, "enable_uploads", json!(true));
            (Function::Upload, signed(enable, request).into())
        }
        Kind::Hold | Kind::Release | Kind::DoNotSend | Kind::SamePayment | Kind::TwoPayments => {
            let order = with(fields, "order", json!(kind.code()));
            (Function::Upload, signed(order, request).into())
        }
        Kind::OpenAction | Kind::Solve => {
            let block = with(fields, "block", json!(kind == Kind::OpenAction));
            (Function::Upload, signed(block, request).into())
        }
        Kind::AnnounceAgain => (Function::Announce, tagged(kind.code(), signed(fields, request))),
        Kind::PreviewAnnounceAgain => {
            let look = with(fields, "preview", json!(true));
            (Function::Announce, tagged("announce_again", signed(look, request)))
        }
        Kind::Rename => return None,
    })
}

fn fields(command: &Command) -> Map<String, Value> {
    match serde_json::to_value(command) {
        Ok(Value::Object(tagged)) => match tagged.into_iter().next() {
            Some((_, Value::Object(fields))) => fields,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

/// `organisation` stands next to the choice of rows, and everything else in it.
fn replay(kind: Kind, mut which: Map<String, Value>) -> Map<String, Value> {
    let mut replay = Map::new();
    replay.extend(which.remove("organisation").map(|id| ("organisation".to_owned(), id)));
    replay.insert("which".to_owned(), which.into());
    with(replay, "preview", json!(kind == Kind::PreviewReplay))
}

fn with(mut fields: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    fields.insert(name.to_owned(), value);
    fields
}

/// The functions ask who and why of a look, too.
fn signed(fields: Map<String, Value>, request: &Request) -> Map<String, Value> {
    const LOOK: &str = "a look";
    let attribution = request.attribution();
    let by = attribution.map_or(LOOK, |attribution| attribution.by());
    let why = attribution.map_or(LOOK, |attribution| attribution.reason());
    with(with(fields, "by", json!(by)), "why", json!(why))
}

fn tagged(name: &str, fields: Map<String, Value>) -> Value {
    with(Map::new(), name, fields.into()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::attribution::Attribution;
    use crate::field::{Field, FieldKind};

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn text(field: &Field) -> String {
        match (field.kind, field.name) {
            (FieldKind::Number, _) => "7",
            (FieldKind::Flag, _) => "true",
            (_, "organisation" | "grant" | "contact") => ORGANISATION,
            (_, "from" | "to" | "at") => "2026-11-23T00:00:00Z",
            (_, "cutover_on") => "2026-11-23",
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

    fn event(kind: Kind) -> (Function, Value) {
        invocation(&request(kind, |field| field.is_required)).unwrap()
    }

    #[test]
    fn the_table_names_exactly_the_fields_that_each_command_reads() {
        for kind in Kind::ALL.iter().copied() {
            let whole = request(kind, |_| true);
            let names = fields(whole.command());
            let expected: Vec<_> = kind.spec().fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), expected.len(), "{kind}");
            assert!(expected.iter().all(|name| names.contains_key(*name)), "{kind}: {names:?}");
            // A required field is asked for, and only those are.
            request(kind, |field| field.is_required);
            let json = serde_json::to_value(&whole).unwrap();
            assert_eq!(Request::read(&json).unwrap().command().kind(), kind);
        }
    }

    #[test]
    fn a_payment_a_customer_and_the_nights_are_for_upload() {
        // EX-27, EX-28
        let signed = |more: Value| {
            let mut event = json!({"organisation": ORGANISATION, "by": "Ada", "why": "w"});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        };
        for (kind, more) in [
            (Kind::Hold, json!({"payment": "x1", "order": "hold"})),
            (Kind::TwoPayments, json!({"payment": "x1", "order": "two_payments"})),
            (Kind::OpenAction, json!({"customer": "x1", "block": true})),
            (Kind::Solve, json!({"customer": "x1", "block": false})),
            (Kind::EnableUploads, json!({"enable_uploads": true})),
        ] {
            assert_eq!(event(kind), (Function::Upload, signed(more)), "{kind}");
        }
        assert_eq!(event(Kind::PreviewPlan), (Function::Upload, json!({"preview": true})));
    }

    #[test]
    fn a_look_needs_no_name_and_the_function_gets_one() {
        let fields = BTreeMap::from([("queue".to_owned(), "changes".to_owned())]);
        let look = Command::of(Kind::LookAtDeadLetters, &fields).unwrap();
        let (function, event) = invocation(&Request::new(look, None).unwrap()).unwrap();
        let expected =
            json!({"queue": "changes", "preview": true, "by": "a look", "why": "a look"});
        assert_eq!((function, event), (Function::Sweep, json!({ "redrive": expected })));
        let redrive = Command::of(Kind::Redrive, &fields).unwrap();
        assert!(Request::new(redrive, None).is_err());
    }

    #[test]
    fn a_replay_keeps_its_choice_of_rows_apart() {
        let replay = invocation(&request(Kind::Replay, |f| f.name == "organisation")).unwrap();
        let expected = json!({"organisation": ORGANISATION, "which": {}, "preview": false,
            "by": "Ada", "why": "w"});
        assert_eq!(replay, (Function::Sweep, json!({ "replay": expected })));
    }
}
