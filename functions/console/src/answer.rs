//! The answer of a function to an order, in words for the person who gave it.

use host::invoker::InvokeError;
use serde_json::Value;

use crate::order::{Order, Said};

/// What came of an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was begun, and goes on.
    Started,
    /// It was not carried out.
    Failed,
    /// The role may not.
    Refused,
}

impl Outcome {
    /// The code in the activity log and in logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Started => "started",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// The outcome of an order, and the words for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// What came of it.
    pub outcome: Outcome,
    /// In words.
    pub words: String,
    /// Whether the function that carried it out has written into the activity log who wanted it, and why.
    pub is_recorded: bool,
    /// What the function has answered to a look, for the page to show.
    pub answer: Option<Value>,
}

impl Told {
    pub(crate) fn failed(words: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, words: words.into(), is_recorded: false, answer: None }
    }
}

/// Reads an answer.
pub fn read(order: Order, said: &Said, answer: Result<Value, InvokeError>) -> Told {
    let answer = match answer {
        Ok(answer) => answer,
        Err(InvokeError::StillRunning) => {
            let words = match order {
                order if order.is_read_only() => {
                    "That takes longer than a page waits. Nothing is changed by it: ask again in a minute."
                }
                Order::AnnounceAgain => {
                    "It has begun, and takes longer than a page waits. The log of announce says how it ends; \
                     to order it once more does no harm."
                }
                _ => {
                    "It has begun, and takes longer than a page waits. The sync log says how it ends."
                }
            };
            return Told {
                outcome: Outcome::Started,
                words: words.to_owned(),
                is_recorded: false,
                answer: None,
            };
        }
        Err(InvokeError::Failed(words)) => return Told::failed(words),
        Err(error) => return Told::failed(host::telemetry::chain(&error)),
    };
    match order {
        Order::SyncNow | Order::SignUp => swept(order, &answer),
        Order::ApproveMassChange => {
            let count = number(&answer, "approved");
            done(
                format!(
                    "{count} invoices that waited are read again. For a day everything goes through."
                ),
                true,
            )
        }
        Order::PreviewReplay | Order::Replay => replayed(order, &answer),
        Order::EnableUploads => {
            done(text(&answer, "done", "uploading is on"), is_recorded(&answer).unwrap_or(true))
        }
        Order::Hold
        | Order::Release
        | Order::DoNotSend
        | Order::SamePayment
        | Order::TwoPayments => {
            let state = text(&answer, "state", "unknown");
            let why = text(&answer, "why", "");
            // An upload of an earlier release does not say it. Its row of the log has these words, unless the payment
            // was so already.
            let is_recorded = is_recorded(&answer).unwrap_or_else(|| why.contains(&said.why));
            done(format!("The payment is {state}. {why}"), is_recorded)
        }
        Order::OpenAction | Order::Solve => about_customer(&answer),
        Order::Accept => {
            let what = text(&answer, "accepted", "it");
            done(format!("{what} is accepted; it comes back only if its figures change."), true)
        }
        // The mirror's own row of the log says who wanted it.
        Order::Restore => {
            let payment = text(&answer, "restored", "the payment");
            done(format!("{payment} is back; the next read of the invoice compares it."), true)
        }
        Order::PreviewPlan | Order::LookAtDeadLetters => Told { answer: Some(answer), ..looked() },
        Order::Redrive => redriven(&answer),
        Order::Discard => {
            let left = answer.get("discard").map_or(0, |discard| number(discard, "left"));
            done(format!("The message is among what is parked; {left} are left."), true)
        }
        Order::AnnounceAgain => announced_again(answer),
        Order::Rename => done("The names are saved.".to_owned(), true),
        // No page has a button for these.
        Order::PreviewAnnounceAgain | Order::Authorise | Order::Connect | Order::Disconnect => {
            Told { answer: Some(answer), ..looked() }
        }
    }
}

/// The outcome of a look; the page shows its answer.
pub(crate) fn looked() -> Told {
    done("This is a look; nothing was changed.".to_owned(), true)
}

/// Whether the function says that the log has a row with who gave the order and why. It has none if it was so already.
fn is_recorded(answer: &Value) -> Option<bool> {
    answer.get("recorded").and_then(Value::as_bool)
}

fn done(words: String, is_recorded: bool) -> Told {
    Told { outcome: Outcome::Done, words, is_recorded, answer: None }
}

/// A customer who is blocked, or no longer is. The function that changes it writes it down.
fn about_customer(answer: &Value) -> Told {
    let is = |name| answer.get(name).and_then(Value::as_bool);
    let (Some(blocked), Some(changed)) = (is("blocked"), is("changed")) else {
        return Told::failed("it did not say what it did");
    };
    let customer = text(answer, "customer", "the customer");
    let words = match (blocked, changed) {
        (true, true) if is("was_blocked") == Some(true) => format!(
            "An action about {customer} was open already. It says now what is to be solved; what it said \
             before stands in the activity log."
        ),
        (true, true) if is("reported") == Some(false) => format!(
            "Everything about {customer} waits. The business has not reported a customer of that id yet: if \
             it is mistyped, no customer waits."
        ),
        (true, true) => format!("Everything about {customer} waits until it is solved."),
        (true, false) => format!("That action about {customer} was open already; nothing changed."),
        (false, true) => format!(
            "Everything that waited for {customer} goes on: the next run judges it again. The list of actions may lag \
             by a moment."
        ),
        (false, false) => format!("No action about {customer} was open; nothing changed."),
    };
    done(words, changed)
}

/// A run is a row of `sync_runs`; that a person asked for it, and got perhaps another one, is ours to write.
fn swept(order: Order, answer: &Value) -> Told {
    let is_recorded = order == Order::SignUp;
    let Some(sweep) = answer.get("sweeps").and_then(|sweeps| sweeps.get(0)) else {
        return Told::failed("it did not say what it did");
    };
    let queued = sweep.pointer("/run/counts/queued").and_then(Value::as_u64).unwrap_or(0);
    let why = text(sweep, "why", "");
    let told = |outcome, words: String| Told { outcome, words, is_recorded, answer: None };
    match sweep.get("outcome").and_then(Value::as_str).unwrap_or_default() {
        "finished" => {
            let words = format!("The sync is finished; {queued} invoices are read again. {why}");
            told(Outcome::Done, words.trim_end().to_owned())
        }
        "stopped" => told(
            Outcome::Started,
            format!("The sync has stopped in good order, and goes on with the next one. {why}"),
        ),
        "another_run_is_at_it" => told(Outcome::Started, "Another sync is at it already.".to_owned()),
        "asked_a_moment_ago" => told(
            Outcome::Done,
            "A sync was ordered less than a minute ago: that one counts, since each uses up calls to Xero."
                .to_owned(),
        ),
        _ => Told { is_recorded, ..Told::failed(format!("The sync failed. {why}")) },
    }
}

fn replayed(order: Order, answer: &Value) -> Told {
    let replay = answer.get("replay").cloned().unwrap_or_default();
    let (count, left) = (number(&replay, "replayed"), number(&replay, "left"));
    let reasons = replay.get("reasons").and_then(Value::as_object);
    let reasons: Vec<String> =
        reasons.into_iter().flatten().map(|(reason, count)| format!("{reason} {count}")).collect();
    let reasons = match reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join(", ")),
    };
    if order == Order::PreviewReplay {
        let words =
            format!("{count} would be replayed, {left} would stay{reasons}. Nothing was changed.");
        return done(words, true);
    }
    // Each row that is taken out leaves a row of the log.
    done(format!("{count} are on the queue again, {left} stay{reasons}."), count > 0)
}

/// Each message that is sent again leaves a row of the log.
fn redriven(answer: &Value) -> Told {
    let redrive = answer.get("redrive").cloned().unwrap_or_default();
    let (count, left) = (number(&redrive, "redriven"), number(&redrive, "left"));
    let words = format!("{count} are on their queue again, {left} are left.");
    let told = done(words, count > 0);
    match redrive.get("problem").and_then(Value::as_str) {
        None => told,
        Some(problem) => {
            Told { outcome: Outcome::Failed, words: format!("{} {problem}", told.words), ..told }
        }
    }
}

/// The function writes the order down before it announces anything. The page offers to go on where it stopped.
fn announced_again(answer: Value) -> Told {
    let again = answer.get("announce_again").cloned().unwrap_or_default();
    let (count, failed) = (number(&again, "announced"), number(&again, "failed"));
    let quiet = again.get("not_announced").and_then(Value::as_object);
    let quiet: u64 = quiet.into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum();
    let mut words = format!("{count} events are on the bus again; {quiet} rows announce nothing");
    let unreadable = number(&again, "unreadable");
    if unreadable > 0 {
        words.push_str(&format!("; {unreadable} cannot be read"));
    }
    words.push('.');
    let complete = again.get("complete") == Some(&Value::Bool(true));
    let problem = again.get("problem").and_then(Value::as_str);
    if let Some(problem) = problem {
        words.push_str(&format!(" {failed} failed: {problem}."));
    } else if !complete {
        words.push_str(" There are more: go on below.");
    }
    let outcome = if problem.is_some() { Outcome::Failed } else { Outcome::Done };
    Told { outcome, words, is_recorded: true, answer: Some(answer) }
}

fn number(answer: &Value, name: &str) -> u64 {
    answer.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn text(answer: &Value, name: &str, otherwise: &str) -> String {
    answer.get(name).and_then(Value::as_str).unwrap_or(otherwise).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(order: Order, answer: Value) -> Told {
        let said = Said { by: "Ada".to_owned(), why: "disputed".to_owned() };
        read(order, &said, Ok(answer))
    }

    #[test]
    fn a_sync_is_told_by_its_outcome() {
        // CC-12, CC-15
        let swept = |outcome: &str| {
            told(
                Order::SyncNow,
                json!({"sweeps": [{"outcome": outcome, "run": {"counts": {"queued": 7}}}]}),
            )
        };
        assert!(swept("finished").words.contains("7 invoices"));
        assert_eq!(swept("finished").outcome, Outcome::Done);
        assert_eq!(swept("stopped").outcome, Outcome::Started);
        assert_eq!(swept("another_run_is_at_it").outcome, Outcome::Started);
        assert!(swept("asked_a_moment_ago").words.contains("less than a minute"));
        assert_eq!(swept("failed").outcome, Outcome::Failed);
        assert_eq!(told(Order::SyncNow, json!({})).outcome, Outcome::Failed);
        assert!(!swept("finished").is_recorded);
    }

    #[test]
    fn a_word_about_a_customer_is_told_by_what_it_changed() {
        // EX-27, EX-28
        let told = |blocked: bool, changed: bool, was_blocked: bool, reported: bool| {
            let answer = json!({"customer": "K-1", "blocked": blocked, "changed": changed,
                "was_blocked": was_blocked, "reported": reported});
            let told = told(if blocked { Order::OpenAction } else { Order::Solve }, answer);
            assert_eq!((told.outcome, told.is_recorded), (Outcome::Done, changed), "{told:?}");
            assert!(told.words.contains("K-1"), "{told:?}");
            told.words
        };
        assert!(told(true, true, false, true).contains("waits until it is solved"));
        assert!(told(true, true, false, false).contains("if it is mistyped"));
        assert!(told(true, true, true, true).contains("was open already. It says now"));
        assert!(told(true, false, true, true).contains("nothing changed"));
        assert!(told(false, true, true, true).contains("goes on"));
        assert!(told(false, false, false, true).contains("nothing changed"));
        let silent = read(Order::Solve, &Said::default(), Ok(json!({"done": "x"})));
        assert_eq!((silent.outcome, silent.is_recorded), (Outcome::Failed, false));
    }

    #[test]
    fn who_wrote_it_down_is_known() {
        let held = told(Order::Hold, json!({"state": "held", "why": "Ada: disputed"}));
        assert!(held.is_recorded);
        // What the function says of it counts, and not whose words the payment has.
        for recorded in [true, false] {
            let answer = json!({"state": "held", "why": "Ada: disputed", "recorded": recorded});
            assert_eq!(told(Order::Hold, answer).is_recorded, recorded);
        }
        assert!(!told(Order::Release, json!({"state": "waiting", "why": "BPAY"})).is_recorded);
        let replay =
            |count| json!({"replay": {"replayed": count, "left": 1, "reasons": {"stale_read": 2}}});
        assert!(told(Order::Replay, replay(1)).is_recorded);
        assert!(!told(Order::Replay, replay(0)).is_recorded);
        assert!(told(Order::PreviewReplay, replay(1)).words.contains("Nothing was changed"));
        let redriven =
            |count| told(Order::Redrive, json!({"redrive": {"redriven": count, "left": 3}}));
        assert!(redriven(2).is_recorded && !redriven(0).is_recorded);
        assert!(redriven(2).words.contains("2 are on their queue again, 3 are left"));
        let stopped =
            json!({"redrive": {"redriven": 2, "left": 3, "problem": "SQS does not answer"}});
        let stopped = told(Order::Redrive, stopped);
        assert_eq!((stopped.outcome, stopped.is_recorded), (Outcome::Failed, true));
        assert!(told(Order::PreviewPlan, json!({"previews": []})).answer.is_some());
        let failed =
            read(Order::Hold, &Said::default(), Err(InvokeError::Failed("too late".into())));
        assert_eq!(failed, Told::failed("too late"));
        let slow = read(Order::SyncNow, &Said::default(), Err(InvokeError::StillRunning));
        assert_eq!(slow.outcome, Outcome::Started);
    }
}
