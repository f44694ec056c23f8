//! What failed so often that its queue has given it up: to be looked at, sent again, or discarded.
//!
//! Only `operations` may read these queues, and each look counts among the times that a message was received. So
//! an open dashboard looks at none: an operator orders it.

use askama::Template;
use commands::Reply;
use commands::reply::{DeadLetterSummary, DeadLettersReport, Republication};
use jiff::{SignedDuration, Timestamp};
use queue::QueueName;
use serde_json::json;

use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Messages of each queue that are shown.
const SHOWN_MAX: usize = 50;
/// The time that is offered to be announced again before a look: as long as a stream remembers.
const STREAM_REMEMBERS: SignedDuration = SignedDuration::from_hours(24);
/// A row may be written that much later than the moment of its decision, and a stream shows it then: longer than
/// any function runs, with a schedule that is tried again.
const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_hours(1);

struct Message {
    id: String,
    what: String,
    whose: String,
    sent: String,
    kept: String,
    receives: u32,
    again: Option<Button>,
    discard: Option<Button>,
}

struct Queue {
    name: &'static str,
    what: &'static str,
    depth: Option<u32>,
    problem: Option<String>,
    messages: Vec<Message>,
    left_out: bool,
    look: Option<Button>,
    redrive: Option<Button>,
    again: Option<Again>,
    note: Option<&'static str>,
}

/// Decisions that can be announced again.
struct Again {
    what: String,
    button: Button,
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct DeadLetters {
    frame: Frame,
    may_not: Option<String>,
    look: Option<Button>,
    queues: Vec<Queue>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let looked = stage.replies.iter().filter_map(|reply| match reply {
        Reply::LookAtDeadLetters(look) => Some(&look.redrive),
        _ => None,
    });
    let looked: Vec<_> = looked.collect();
    let of = |name: QueueName| looked.iter().copied().find(|look| look.queue == name.code());
    filled(&DeadLetters {
        frame: stage.frame(),
        may_not: stage.may_not(),
        look: stage.order_about(Order::LookAtDeadLetters, "at all queues", json!({})),
        queues: QueueName::ALL.iter().copied().map(|name| queue(stage, name, of(name))).collect(),
    })
}

fn queue(stage: &Stage<'_>, name: QueueName, looked: Option<&DeadLettersReport>) -> Queue {
    let which = json!({ "queue": name.code() });
    let letters = looked.map(|looked| looked.letters.as_slice()).unwrap_or_default();
    let depth = looked.map(|looked| looked.left);
    let shown = letters.iter().take(SHOWN_MAX);
    let redrive = stage.order_about(Order::Redrive, name.code(), which.clone());
    Queue {
        name: name.code(),
        what: what(name),
        depth,
        problem: looked.and_then(|looked| looked.problem.clone()),
        messages: shown.map(|letter| message(stage, name, letter)).collect(),
        left_out: letters.len() > SHOWN_MAX
            || depth > Some(u32::try_from(letters.len()).unwrap_or(u32::MAX)),
        look: stage.order_about(Order::LookAtDeadLetters, name.code(), which),
        // Who has not looked does not know what would be done again.
        redrive: redrive.filter(|_| name.takes_messages() && !letters.is_empty()),
        again: (name == QueueName::Events).then(|| again(stage)).flatten(),
        note: match name {
            QueueName::Schedules => Some(
                "These cannot be sent again: the next schedule catches up. Look, mend the reason, discard.",
            ),
            QueueName::Events => Some(
                "These cannot be sent again: such a message only names a place in a stream that forgets after a \
                 day. The decisions themselves are in the table activity: have those of its hours announced \
                 again, for each organisation, and then discard it.",
            ),
            QueueName::Changes | QueueName::Intake | QueueName::Uploads => None,
        },
    }
}

/// The hours of the stage's last order, if that did not come to its end; else the last 24.
fn again(stage: &Stage<'_>) -> Option<Again> {
    let about = &stage.show.about;
    let unfinished = stage.replies.iter().find_map(unfinished);
    let (what, which) = match (unfinished, about.get("from"), about.get("to")) {
        (Some(unfinished), Some(from), Some(to)) => {
            let mut hours = json!({"from": from, "to": to});
            if let Some(next) = &unfinished.next {
                hours["next"] = json!(next);
            }
            ("goes on where it stopped.".to_owned(), hours)
        }
        _ => {
            let from = earlier(stage.now, STREAM_REMEMBERS);
            let what = format!("what {} decided in the last 24 hours.", stage.row.title());
            (what, json!({"from": from.to_string(), "to": stage.now.to_string()}))
        }
    };
    let button = stage.order(Order::AnnounceAgain, which)?;
    Some(Again { what, button })
}

/// The part of an order to announce again that did not come to its end.
fn unfinished(reply: &Reply) -> Option<&Republication> {
    match reply {
        Reply::AnnounceAgain(reply) => Some(&reply.announce_again).filter(|again| !again.complete),
        _ => None,
    }
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(at)
}

const fn what(name: QueueName) -> &'static str {
    match name {
        QueueName::Changes => "what changed in Xero, on its way to the mirror",
        QueueName::Intake => "what the business's own system has reported",
        QueueName::Uploads => "what wakes the upload",
        QueueName::Schedules => "invocations by schedules that failed",
        QueueName::Events => "decisions that could not be announced",
    }
}

fn message(stage: &Stage<'_>, name: QueueName, letter: &DeadLetterSummary) -> Message {
    let about = [Some(letter.kind.clone()), letter.subject.clone()].into_iter().flatten();
    let about: Vec<_> = about.chain(letter.invoices.iter().map(ToString::to_string)).collect();
    let which = json!({"queue": name.code(), "message": letter.message});
    let hours = letter.rows_from.zip(letter.rows_to).map(|(from, to)| {
        json!({"from": earlier(from, WRITTEN_WITHIN).to_string(), "to": to.to_string()})
    });
    Message {
        id: letter.message.clone(),
        what: about.join(", "),
        whose: letter.organisation.map_or_else(|| "unknown".to_owned(), |id| id.to_string()),
        sent: stage.moment_or(letter.sent_at, "unknown"),
        kept: stage.moment_or(letter.kept_until, "unknown"),
        receives: letter.receives,
        again: hours
            .and_then(|hours| stage.order_about(Order::AnnounceAgain, &letter.message, hours)),
        discard: stage.order_about(Order::Discard, &letter.message, which),
    }
}
