//! The reply to an order, in words for the person who gave it.

use commands::Reply;
use commands::reply::{
    CloseOutcome, CloseReply, ConfigurationReply, CustomerReply, DeadLettersReport,
    DiscrepanciesReply, PaymentReply, ReplayReport, Republication, SweepOutcome, SyncReply,
};
use invoker::InvokeError;
use payments::{SettingSpec, codes};

use crate::order::Order;

codes! {
    /// What came of an order.
    Outcome {
        /// It was carried out.
        Done = "done",
        /// It was begun, and goes on.
        Started = "started",
        /// It was not carried out.
        Failed = "failed",
        /// The role may not.
        Refused = "refused",
    }
}

/// The outcome of an order, and the words for it.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    /// What came of it.
    pub outcome: Outcome,
    /// In words.
    pub words: String,
    /// Whether the function that executed it has written into the activity log who wanted it, and why.
    pub is_recorded: bool,
    /// Its replies to a look, for the page to show: one for each queue that was looked at.
    pub replies: Vec<Reply>,
}

impl CommandOutcome {
    pub(crate) fn failed(words: impl Into<String>) -> Self {
        Self::of(Outcome::Failed, words)
    }

    /// An outcome that the function has not recorded.
    pub(crate) fn of(outcome: Outcome, words: impl Into<String>) -> Self {
        Self { outcome, words: words.into(), is_recorded: false, replies: Vec::new() }
    }
}

/// Puts a reply into words.
pub fn read(order: Order, reply: Result<Reply, InvokeError>) -> CommandOutcome {
    let reply = match reply {
        Ok(reply) => reply,
        Err(InvokeError::StillRunning) => {
            return CommandOutcome::of(Outcome::Started, still_running(order));
        }
        Err(InvokeError::Failed(words)) => return CommandOutcome::failed(words),
        Err(error) => return CommandOutcome::failed(host::telemetry::chain(&error)),
    };
    let is_recorded = reply.is_recorded();
    CommandOutcome { is_recorded, ..words(reply) }
}

const fn still_running(order: Order) -> &'static str {
    match order {
        order if order.is_read_only() => {
            "That takes longer than a page waits. Nothing is changed by it: ask again in a minute."
        }
        Order::Close => {
            "It has begun, and takes longer than a page waits. Look at this page again in some minutes; to order it once \
             more does no harm."
        }
        Order::AnnounceAgain => {
            "It has begun, and takes longer than a page waits. The log of operations says how it ends; \
             to order it once more does no harm."
        }
        _ => "It has begun, and takes longer than a page waits. The sync log says how it ends.",
    }
}

fn words(reply: Reply) -> CommandOutcome {
    let done = |words: String| CommandOutcome::of(Outcome::Done, words);
    match reply {
        Reply::SyncNow(reply) | Reply::SignUp(reply) => swept(&reply),
        Reply::ApproveMassChange(reply) => done(format!(
            "{} invoices that waited are read again. For a day everything goes through.",
            reply.approved
        )),
        Reply::PreviewReplay(reply) | Reply::Replay(reply) => done(replayed(&reply.replay)),
        Reply::EnableUploads(reply) => done(reply.done),
        Reply::Hold(reply)
        | Reply::Release(reply)
        | Reply::DoNotSend(reply)
        | Reply::SamePayment(reply)
        | Reply::TwoPayments(reply) => done(about_payment(&reply)),
        Reply::OpenAction(reply) | Reply::Solve(reply) => done(about_customer(&reply)),
        Reply::PickContact(reply) => done(if reply.changed {
            format!(
                "That contact is {}'s from now on. What waited for it goes on: the next run judges it again.",
                reply.customer
            )
        } else {
            format!("That contact was {}'s already; nothing changed.", reply.customer)
        }),
        Reply::Accept(reply) => done(format!(
            "{} is accepted; it comes back only if its figures change.",
            reply.accepted
        )),
        Reply::TakeDiscrepancies(reply)
        | Reply::AssignDiscrepancies(reply)
        | Reply::NoteDiscrepancies(reply)
        | Reply::CloseDiscrepancies(reply)
        | Reply::AdjustRecord(reply)
        | Reply::DraftNotice(reply) => worked_on(&reply),
        Reply::Restore(reply) => {
            done(format!("{} is back; the next read of the invoice compares it.", reply.restored))
        }
        Reply::Redrive(reply) => redriven(&reply.redrive),
        Reply::Discard(reply) => {
            done(format!("The message is among what is parked; {} are left.", reply.discard.left))
        }
        Reply::Close(reply) => closed(&reply),
        Reply::AnnounceAgain(reply) => {
            let result = announced_again(&reply.announce_again);
            CommandOutcome { replies: vec![Reply::AnnounceAgain(reply)], ..result }
        }
        Reply::Configure(reply) => configured(&reply),
        Reply::MakeReport(reply) => done(format!(
            "{} is on its way: made if it is not there yet, or counted again from the log. Show this page again in a minute.",
            reply.report
        )),
        Reply::Rename(_) => done("The names are saved.".to_owned()),
        // The address is in the reply alone: words are logged, and it lets a user in.
        Reply::Authorise(reply) => {
            let until = reply.authorise.until.strftime("%H:%M");
            let result = done(format!(
                "The way to Xero is open, once, until {until} UTC. You come back to these pages."
            ));
            CommandOutcome { replies: vec![Reply::Authorise(reply)], ..result }
        }
        Reply::SetAccount(reply) => done(reply.done),
        Reply::EnterShadow(reply) | Reply::SwitchOn(reply) => done(reply.done),
        Reply::Disconnect(reply) => {
            let why = reply.disconnect.why.unwrap_or_default();
            done(
                format!("The organisation is {}. {why}", reply.disconnect.state)
                    .trim_end()
                    .to_owned(),
            )
        }
        Reply::PreviewPlan(_)
        | Reply::ContainLeak(_)
        | Reply::LookAtDeadLetters(_)
        | Reply::LookAtShadow(_)
        | Reply::PreviewAnnounceAgain(_)
        | Reply::VerifyLog(_)
        | Reply::ListAccounts(_)
        | Reply::Connect(_) => looked(vec![reply]),
    }
}

/// The outcome of a look; the page shows the replies.
pub(crate) fn looked(replies: Vec<Reply>) -> CommandOutcome {
    CommandOutcome {
        replies,
        ..CommandOutcome::of(Outcome::Done, "This is a look; nothing was changed.")
    }
}

/// Each setting with its old and its new value, and the effect.
fn configured(reply: &ConfigurationReply) -> CommandOutcome {
    let or_default = |text: &str| match text {
        "" => "the default".to_owned(),
        "true" => "on".to_owned(),
        "false" => "off".to_owned(),
        text => text.to_owned(),
    };
    let words = reply.changed.iter().map(|changed| {
        let spec = SettingSpec::of(&changed.setting);
        let (label, effect) =
            spec.map_or((changed.setting.as_str(), ""), |spec| (spec.label, spec.effect));
        let (before, after) = (or_default(&changed.before), or_default(&changed.after));
        format!("{label}: {after} (it was {before}). {effect}")
    });
    match words.collect::<Vec<_>>().as_slice() {
        [] => CommandOutcome::of(
            Outcome::Done,
            "Nothing is another than before: nothing was changed.",
        ),
        words => CommandOutcome::of(Outcome::Done, words.join(" ")),
    }
}

/// An order about several payments, each of which was carried out or not by itself.
pub(crate) fn of_several(order: Order, done: usize, failed: &[String]) -> CommandOutcome {
    let what = if order == Order::Hold { "on hold" } else { "released" };
    let noun = if done == 1 { "payment is" } else { "payments are" };
    let words = format!("{done} {noun} {what}.");
    let outcome = match (done, failed) {
        (_, []) => CommandOutcome::of(Outcome::Done, words),
        (0, failed) => CommandOutcome::failed(format!("{words} {}", failed.join("; "))),
        (_, failed) => {
            CommandOutcome::of(Outcome::Done, format!("{words} Not done: {}", failed.join("; ")))
        }
    };
    // Each of them is recorded where it was carried out.
    CommandOutcome { is_recorded: true, ..outcome }
}

fn about_payment(reply: &PaymentReply) -> String {
    let state = match reply.state.as_str() {
        "held" => "is on hold, and goes nowhere until it is released",
        "waiting" => "waits for its turn, and goes with the next run that has a place for it",
        "skipped" => "does not go to Xero",
        other => return format!("{} is {other}. {}", reply.payment, reply.why),
    };
    format!("{} {state}. {}", reply.payment, reply.why)
}

fn about_customer(reply: &CustomerReply) -> String {
    let customer = &reply.customer;
    match (reply.blocked, reply.changed) {
        (true, true) if reply.was_blocked => format!(
            "An action about {customer} was open already. It says now what is to be solved; what it said \
             before stands in the activity log."
        ),
        (true, true) if !reply.reported => format!(
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
    }
}

fn swept(reply: &SyncReply) -> CommandOutcome {
    let Some(sweep) = reply.sweeps.first() else {
        return CommandOutcome::failed("it did not say what it did");
    };
    let why = sweep.why.as_deref().unwrap_or_default();
    match sweep.outcome {
        SweepOutcome::Finished => {
            let queued = sweep.queued();
            let words = format!("The sync is finished; {queued} invoices are read again. {why}");
            CommandOutcome::of(Outcome::Done, words.trim_end())
        }
        SweepOutcome::Stopped => CommandOutcome::of(
            Outcome::Started,
            format!("The sync has stopped in good order, and goes on with the next one. {why}"),
        ),
        SweepOutcome::AnotherRunIsAtIt => {
            CommandOutcome::of(Outcome::Started, "Another sync is at it already.")
        }
        SweepOutcome::AskedAMomentAgo => CommandOutcome::of(
            Outcome::Started,
            "Not started again: a sync was ordered less than a minute ago, and each uses up calls to Xero. Try again in a minute.",
        ),
        SweepOutcome::Failed
        | SweepOutcome::Interrupted
        | SweepOutcome::Running
        | SweepOutcome::AlreadyDone
        | SweepOutcome::NotNow => CommandOutcome::failed(format!("The sync failed. {why}")),
    }
}

fn replayed(replay: &ReplayReport) -> String {
    let ReplayReport { replayed, left, .. } = replay;
    let reasons = replay.reasons.iter().map(|(reason, count)| format!("{reason} {count}"));
    let reasons = match reasons.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join(", ")),
    };
    if replay.preview {
        format!("{replayed} would be replayed, {left} would stay{reasons}. Nothing was changed.")
    } else {
        format!("{replayed} are on the queue again, {left} stay{reasons}.")
    }
}

/// Each that was refused is named with its reason.
fn worked_on(reply: &DiscrepanciesReply) -> CommandOutcome {
    let refused = reply.refused.iter();
    let refused: Vec<_> =
        refused.map(|refused| format!("{}: {}", refused.discrepancy, refused.why)).collect();
    match (reply.done.as_slice(), refused.as_slice()) {
        ([], []) => CommandOutcome::failed("no discrepancy was named; nothing was done"),
        (done, []) => CommandOutcome::of(Outcome::Done, done.join(", ")),
        ([], refused) => CommandOutcome::failed(refused.join("; ")),
        (done, refused) => CommandOutcome::of(
            Outcome::Done,
            format!("{}. Not done: {}", done.join(", "), refused.join("; ")),
        ),
    }
}

fn redriven(redrive: &DeadLettersReport) -> CommandOutcome {
    let DeadLettersReport { redriven, left, .. } = redrive;
    let words = format!("{redriven} are on their queue again, {left} are left.");
    match &redrive.problem {
        None => CommandOutcome::of(Outcome::Done, words),
        Some(problem) => CommandOutcome::failed(format!("{words} {problem}")),
    }
}

fn closed(reply: &CloseReply) -> CommandOutcome {
    if reply.closes.is_empty() {
        return CommandOutcome::of(Outcome::Done, "No day is due to be closed.");
    }
    let of_day = |close: &CloseOutcome| {
        let what = match close.outcome.as_str() {
            "closed" => "is closed".to_owned(),
            "reopened" => "was closed again, and says something else now".to_owned(),
            "unchanged" => "was closed again, and says the same".to_owned(),
            _ => close.problem.clone().unwrap_or_else(|| "could not be closed".to_owned()),
        };
        format!("{}: {what}.", close.day)
    };
    let words = reply.closes.iter().map(of_day).collect::<Vec<_>>().join(" ");
    match reply.closes.iter().any(|close| close.problem.is_some()) {
        true => CommandOutcome::failed(words),
        false => CommandOutcome::of(Outcome::Done, words),
    }
}

/// The page offers to go on where it stopped.
fn announced_again(again: &Republication) -> CommandOutcome {
    let quiet: usize = again.not_announced.values().sum();
    let mut words =
        format!("{} events are on the bus again; {quiet} rows announce nothing", again.announced);
    if again.unreadable > 0 {
        words.push_str(&format!("; {} cannot be read", again.unreadable));
    }
    words.push('.');
    match &again.problem {
        Some(problem) => {
            words.push_str(&format!(" {} failed: {problem}.", again.failed));
            return CommandOutcome::failed(words);
        }
        None if again.complete => {}
        None => words.push_str(" There are more: go on below."),
    }
    CommandOutcome::of(Outcome::Done, words)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn outcome_of(order: Order, reply: Value) -> CommandOutcome {
        read(order, Ok(Reply::read(order, &reply).unwrap()))
    }

    #[test]
    fn a_sync_has_the_words_of_its_outcome() {
        // CC-12, CC-15
        let run = json!({"run": "r", "kind": "sweep", "state": "finished", "started_at": "2026-11-25T11:00:00Z",
            "ended_at": null, "counts": {"queued": 7}, "errors": {}, "calls": 2});
        let swept = |outcome: &str| {
            let sweep = json!({"organisation": ORGANISATION, "outcome": outcome, "run": run});
            outcome_of(Order::SyncNow, json!({"sweeps": [sweep], "recorded": false}))
        };
        assert!(swept("finished").words.contains("7 invoices"));
        assert_eq!(swept("finished").outcome, Outcome::Done);
        assert_eq!(swept("stopped").outcome, Outcome::Started);
        assert_eq!(swept("another_run_is_at_it").outcome, Outcome::Started);
        assert!(swept("asked_a_moment_ago").words.contains("less than a minute"));
        assert_eq!(swept("failed").outcome, Outcome::Failed);
        let none = outcome_of(Order::SyncNow, json!({"sweeps": [], "recorded": false}));
        assert_eq!(none.outcome, Outcome::Failed);
        assert!(!swept("finished").is_recorded);
    }

    #[test]
    fn an_order_about_a_customer_says_what_it_changed() {
        // EX-27, EX-28
        let words_of = |blocked: bool, changed: bool, was_blocked: bool, reported: bool| {
            let reply = json!({"customer": "K-1", "blocked": blocked, "changed": changed,
                "was_blocked": was_blocked, "reported": reported, "recorded": changed});
            let result = outcome_of(if blocked { Order::OpenAction } else { Order::Solve }, reply);
            assert_eq!(
                (result.outcome, result.is_recorded),
                (Outcome::Done, changed),
                "{result:?}"
            );
            assert!(result.words.contains("K-1"), "{result:?}");
            result.words
        };
        assert!(words_of(true, true, false, true).contains("waits until it is solved"));
        assert!(words_of(true, true, false, false).contains("if it is mistyped"));
        assert!(words_of(true, true, true, true).contains("was open already. It says now"));
        assert!(words_of(true, false, true, true).contains("nothing changed"));
        assert!(words_of(false, true, true, true).contains("goes on"));
        assert!(words_of(false, false, false, true).contains("nothing changed"));
    }

    #[test]
    fn who_wrote_it_down_is_known() {
        // What the function says of it counts, and not whose words the payment has.
        for recorded in [true, false] {
            let reply = json!({"payment": "P-1", "state": "held", "reason": "HELD_BY_PERSON",
                "why": "Ada: disputed", "recorded": recorded});
            assert_eq!(outcome_of(Order::Hold, reply).is_recorded, recorded);
            let replay = json!({"preview": false, "replayed": 1, "left": 1, "reasons": {"stale_read": 2}, "first": []});
            let reply = json!({"replay": replay, "recorded": recorded});
            assert_eq!(outcome_of(Order::Replay, reply).is_recorded, recorded);
        }
        let redriven = |problem: Option<&str>| {
            let redrive = json!({"queue": "changes", "preview": false, "redriven": 2, "left": 3,
                "letters": [], "problem": problem});
            outcome_of(Order::Redrive, json!({"redrive": redrive, "recorded": true}))
        };
        assert!(redriven(None).words.contains("2 are on their queue again, 3 are left"));
        let stopped = redriven(Some("SQS does not answer"));
        assert_eq!((stopped.outcome, stopped.is_recorded), (Outcome::Failed, true));
        let plan = outcome_of(Order::PreviewPlan, json!({"previews": [], "recorded": false}));
        assert_eq!(plan.replies.len(), 1);
        let failed = read(Order::Hold, Err(InvokeError::Failed("too late".into())));
        assert_eq!((failed.outcome, failed.words.as_str()), (Outcome::Failed, "too late"));
        assert!(!failed.is_recorded);
        let slow = read(Order::SyncNow, Err(InvokeError::StillRunning));
        assert_eq!(slow.outcome, Outcome::Started);
    }
}
