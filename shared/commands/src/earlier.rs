//! Commands in the form of the version before, each in a shape of its own, as `sweep`, `upload` and `announce` took them.
//! Tools outside the repository still send them to these functions, which hand them to `operations`.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::attribution::Attribution;
use crate::command::{Command, Kind};
use crate::request::{Request, RequestError};
use crate::text;

/// Whether an event is a command in the earlier form. Messages of queues and streams never are.
pub fn is_command(event: &Value) -> bool {
    let Some(event) = event.as_object().filter(|event| !event.contains_key("Records")) else {
        return false;
    };
    !tags(event).is_empty() || !kinds(event).is_empty()
}

/// Reads a command in either form.
///
/// # Errors
/// The first thing that is wrong with it, without its values.
pub fn request(event: &Value) -> Result<Request, RequestError> {
    if event.get("command").is_none() && is_command(event) {
        read(event)
    } else {
        Request::read(event)
    }
}

fn read(event: &Value) -> Result<Request, RequestError> {
    let several = || wrong("it asks for several things at once");
    let mut event = event.as_object().cloned().unwrap_or_default();
    let tags = tags(&event);
    match (tags.as_slice(), event.len()) {
        ([tag], 1) => {
            let fields = match event.remove(*tag) {
                Some(Value::Object(fields)) => fields,
                _ => return Err(wrong(&format!("`{tag}` has no fields"))),
            };
            tagged(tag, fields)
        }
        ([], _) => match kinds(&event).as_slice() {
            [kind] => flat(*kind, event),
            [] => Err(wrong("it names no command that is known here")),
            _ => Err(several()),
        },
        _ => Err(several()),
    }
}

/// The names of commands that stand around their fields.
const TAGS: [Kind; 11] = [
    Kind::SyncNow,
    Kind::ApproveMassChange,
    Kind::Restore,
    Kind::Accept,
    Kind::Replay,
    Kind::SignUp,
    Kind::Redrive,
    Kind::Discard,
    Kind::Authorise,
    Kind::Connect,
    Kind::AnnounceAgain,
];

fn tags(event: &Map<String, Value>) -> Vec<&'static str> {
    TAGS.iter().map(|kind| kind.code()).filter(|code| event.contains_key(*code)).collect()
}

/// The commands that stand among their fields; one whose code is not known is `None`.
fn kinds(event: &Map<String, Value>) -> Vec<Option<Kind>> {
    let is_set = |name: &str| event.get(name).is_some_and(|flag| *flag == json!(true));
    let order = event.get("order").filter(|order| !order.is_null()).map(|order| {
        order.as_str().and_then(Kind::from_code).filter(|kind| {
            use Kind::{DoNotSend, Hold, Release, SamePayment, TwoPayments};
            matches!(kind, Hold | Release | DoNotSend | SamePayment | TwoPayments)
        })
    });
    let block = event.get("block").filter(|block| !block.is_null()).map(|block| {
        block.as_bool().map(|block| if block { Kind::OpenAction } else { Kind::Solve })
    });
    let catch_up = is_set("catch_up").then_some(None);
    let preview = is_set("preview").then_some(Some(Kind::PreviewPlan));
    let enable = is_set("enable_uploads").then_some(Some(Kind::EnableUploads));
    let found: Vec<_> = [preview, order, block, enable].into_iter().flatten().collect();
    // A schedule that is no command stays where it is.
    if found.is_empty() { found } else { found.into_iter().chain(catch_up).collect() }
}

fn tagged(tag: &str, mut fields: Map<String, Value>) -> Result<Request, RequestError> {
    let attribution = attribution(&mut fields)?;
    let preview = match fields.remove("preview") {
        None => false,
        Some(Value::Bool(preview)) => preview,
        Some(_) => return Err(wrong("`preview` is neither true nor false")),
    };
    let kind = match (tag, preview) {
        ("replay", true) => Kind::PreviewReplay.code(),
        ("redrive", true) => Kind::LookAtDeadLetters.code(),
        ("announce_again", true) => Kind::PreviewAnnounceAgain.code(),
        (_, true) => return Err(wrong("`preview` is not a field that it knows")),
        (tag, false) => tag,
    };
    if tag == "replay"
        && let Some(which) = fields.remove("which")
    {
        let Value::Object(which) = which else { return Err(wrong("`which` has no fields")) };
        fields.extend(which);
    }
    of(kind, fields, attribution)
}

fn flat(kind: Option<Kind>, mut fields: Map<String, Value>) -> Result<Request, RequestError> {
    let Some(kind) = kind else {
        return Err(wrong(
            "`order` must be hold, release, do_not_send, same_payment or two_payments, and `block` true or false",
        ));
    };
    let attribution = attribution(&mut fields)?;
    for flag in ["preview", "order", "block", "enable_uploads", "catch_up"] {
        fields.remove(flag);
    }
    if kind == Kind::PreviewPlan
        && let Some(at) = fields.remove("scheduled_time")
    {
        fields.insert("at".to_owned(), at);
    }
    of(kind.code(), fields, attribution)
}

fn of(
    code: &str,
    fields: Map<String, Value>,
    attribution: Option<Attribution>,
) -> Result<Request, RequestError> {
    let command = json!({ code: fields });
    // From a text, so that the error says where.
    let command =
        Command::deserialize(&mut serde_json::Deserializer::from_str(&command.to_string()))
            .map_err(|error| RequestError::Unreadable(text::redact(&error)))?;
    Request::new(command, attribution).map_err(|error| match error {
        RequestError::Unattributed => wrong("`by` and `why` are missing"),
        error => error,
    })
}

/// Who and why, which stand among the fields.
fn attribution(fields: &mut Map<String, Value>) -> Result<Option<Attribution>, RequestError> {
    let (by, why) = match (fields.remove("by"), fields.remove("why")) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(wrong("`by` is missing")),
        (Some(_), None) => return Err(wrong("`why` is missing")),
        (Some(by), Some(why)) => (by, why),
    };
    let words = |name, text: &Value| {
        text::validate(name, text.as_str().unwrap_or_default()).map_err(RequestError::Unreadable)
    };
    let (by, why) = (words("by", &by)?, words("why", &why)?);
    Attribution::new(&by, &why)
        .map(Some)
        .map_err(|error| RequestError::Unreadable(error.to_string()))
}

fn wrong(what: &str) -> RequestError {
    RequestError::Unreadable(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn with(mut fields: Value, more: &Value) -> Value {
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    }

    fn signed(more: &Value) -> Value {
        with(json!({"organisation": ORGANISATION, "by": "Ada", "why": "w"}), more)
    }

    #[test]
    fn every_earlier_form_is_the_command_that_it_was() {
        let of = |more: Value| signed(&more);
        let hours = json!({"from": "2026-11-23T00:00:00Z", "to": "2026-11-23T02:00:00Z"});
        for (event, kind, fields) in [
            (
                json!({"sync_now": of(json!({"invoice": "CM-1"}))}),
                Kind::SyncNow,
                json!({"invoice": "CM-1"}),
            ),
            (json!({"approve_mass_change": of(json!({}))}), Kind::ApproveMassChange, json!({})),
            (
                json!({"replay": of(json!({"which": {"reason": "stale_read"}}))}),
                Kind::Replay,
                json!({"reason": "stale_read"}),
            ),
            (json!({"replay": of(json!({"preview": true}))}), Kind::PreviewReplay, json!({})),
            (json!({"announce_again": of(hours.clone())}), Kind::AnnounceAgain, hours.clone()),
            (
                json!({"announce_again": of(with(hours.clone(), &json!({"preview": true})))}),
                Kind::PreviewAnnounceAgain,
                hours,
            ),
            (of(json!({"order": "hold", "payment": "x1"})), Kind::Hold, json!({"payment": "x1"})),
            (
                of(json!({"order": "two_payments", "payment": "x1"})),
                Kind::TwoPayments,
                json!({"payment": "x1"}),
            ),
            (
                of(json!({"block": true, "customer": "x1"})),
                Kind::OpenAction,
                json!({"customer": "x1"}),
            ),
            (of(json!({"block": false, "customer": "x1"})), Kind::Solve, json!({"customer": "x1"})),
            (of(json!({"enable_uploads": true})), Kind::EnableUploads, json!({})),
        ] {
            assert!(is_command(&event), "{event}");
            let request = read(&event).unwrap_or_else(|error| panic!("{event}: {error}"));
            let fields = with(json!({"organisation": ORGANISATION}), &fields);
            assert_eq!(
                serde_json::to_value(request.command()).unwrap(),
                json!({ kind.code(): fields })
            );
            let attribution = request.attribution().unwrap();
            assert_eq!((attribution.by(), attribution.reason()), ("Ada", "w"));
        }
    }

    #[test]
    fn a_look_needs_no_name() {
        for (event, kind) in [
            (json!({"preview": true}), Kind::PreviewPlan),
            (json!({"preview": true, "scheduled_time": "2026-11-25T11:00:00Z"}), Kind::PreviewPlan),
            (json!({"redrive": {"queue": "changes", "preview": true}}), Kind::LookAtDeadLetters),
            (
                json!({"redrive": {"queue": "changes", "preview": true, "by": "A", "why": "w"}}),
                Kind::LookAtDeadLetters,
            ),
        ] {
            assert_eq!(read(&event).unwrap().command().kind(), kind, "{event}");
        }
    }

    #[test]
    fn schedules_and_messages_are_no_commands() {
        for event in [
            json!({"scheduled_time": "2026-11-25T11:00:00Z", "fan_out": true}),
            json!({"scheduled_time": "2026-11-25T11:00:00Z", "full": true}),
            json!({"catch_up": true}),
            json!({"preview": false, "scheduled_time": "2026-11-25T11:00:00Z"}),
            json!({"Records": [], "sync_now": {}}),
            json!(["sync_now"]),
            json!({}),
        ] {
            assert!(!is_command(&event), "{event}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_its_value_not_quoted() {
        let sync = signed(&json!({}));
        for (event, words) in [
            (json!({"sync_now": sync, "scheduled_time": "canary"}), "several things"),
            (json!({"sync_now": sync, "restore": {}}), "several things"),
            (json!({"preview": true, "catch_up": true}), "several things"),
            (json!({"preview": true, "enable_uploads": true}), "several things"),
            (json!({"sync_now": "canary"}), "`sync_now` has no fields"),
            (
                json!({"sync_now": {"organisation": ORGANISATION, "by": "canary"}}),
                "`why` is missing",
            ),
            (json!({"sync_now": {"organisation": ORGANISATION}}), "`by` and `why` are missing"),
            (
                json!({"sync_now": {"organisation": "canary", "by": "A", "why": "w"}}),
                "`organisation`",
            ),
            (json!({"sync_now": signed(&json!({"canary": 1}))}), "`canary` is not a field"),
            (json!({"restore": signed(&json!({"preview": true}))}), "`preview` is not a field"),
            (json!({"order": "canary", "payment": "P"}), "do_not_send"),
            (signed(&json!({"order": "hold"})), "`payment` is missing"),
            (signed(&json!({"enable_uploads": true, "by": " "})), "`by` must have 1 to 200"),
            (json!({"replay": signed(&json!({"which": {"reason": 7}}))}), "cannot be read"),
        ] {
            let error = read(&event).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
            let named = error.contains("`canary` is not a field");
            assert!(named || !error.contains("canary"), "{error}");
        }
    }
}
