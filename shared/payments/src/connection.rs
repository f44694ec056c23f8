//! How the connection of an organisation with Xero is: known, and not guessed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::activity_kind::Occurrence;
use crate::failures::Failures;
pub use crate::health_issue::{AccessMode, ConnectionStatus, HealthIssue};
use crate::settings::Settings;
use crate::upload::BillStatus;

/// Without a success for so long, a connection is not active, even if all else is well (CC-23).
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// After so long without an answer that it accepts, Xero switches a webhook off.
pub const SWITCHED_OFF_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long a webhook may take before a sweep that finds the change counts as having been needed.
pub const WEBHOOK_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How long what the hourly check has found out is believed: one may fail, and the next one makes up for it.
pub const CHECK_LASTS: SignedDuration = SignedDuration::from_hours(3);

/// How old such a change may be at most to say anything about webhooks of now: a sweep comes every half
/// hour, and what an organisation's first load brings was never to be announced.
pub const FOUND_WITHIN: SignedDuration = SignedDuration::from_hours(2);

/// The facts about a connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// How Xero lets us in.
    pub mode: AccessMode,
    /// Xero refuses us.
    pub refused: bool,
    /// What Xero does not allow us, though it is needed: Xero's names of the actions.
    pub missing_actions: Vec<&'static str>,
    /// The permissions that the features need and that were not granted (XC-12).
    pub missing_scopes: BTreeSet<&'static str>,
    /// Xero could not be asked.
    pub unreachable: bool,
    /// The day's calls are used up until then.
    pub day_limit_until: Option<Timestamp>,
    /// When something last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// The oldest change that a sweep had to find, since when no webhook has come.
    pub silent_since: Option<Timestamp>,
    /// Whether the last certificate is not complete.
    pub not_certified: bool,
    /// Whether uploading is off.
    pub uploads_off: bool,
    /// Whether a mass change waits.
    pub mass_change: bool,
    /// Whether anything is parked.
    pub parked: bool,
    /// What fails of the work.
    pub failures: Failures,
}

/// The missing permission where Xero does not let us at its bank transactions, which prepayments are made of. Xero
/// has no name for it among its actions, so that it is tried.
pub const BANK_TRANSACTIONS: &str = "BankTransactions (accounting.banktransactions)";

/// Whether an organisation's settings need bank transactions.
pub fn needs_bank_transactions(settings: &Settings) -> bool {
    let upload = settings.upload.as_ref().filter(|upload| upload.enabled);
    upload.is_some_and(|upload| upload.prepayment_account.is_some())
}

/// The actions in Xero that an organisation's settings need, by Xero's names. Reading needs none.
pub fn needed_actions(settings: &Settings) -> Vec<&'static str> {
    let upload = settings.upload.as_ref().filter(|upload| upload.enabled);
    let payments = upload.map(|_| "CreateInvoicePayment");
    let bills = upload.filter(|upload| upload.merchant_contact.is_some());
    let bills = bills.map(|upload| match upload.bill_status {
        BillStatus::Authorised => "CreateApprovedBill",
        BillStatus::Draft | BillStatus::Submitted => "CreateDraftBill",
    });
    payments.into_iter().chain(bills).collect()
}

/// Judges a connection: its status, and all that is wrong, the worst first.
pub fn judge(facts: &Facts, now: Timestamp) -> (ConnectionStatus, Vec<HealthIssue>) {
    let silent = facts.silent_since.map(|since| now.duration_since(since));
    let off = silent.is_some_and(|silent| silent >= SWITCHED_OFF_AFTER);
    let stale = facts.last_success_at.is_none_or(|at| now.duration_since(at) > STALE_AFTER);
    let is = |trouble: &HealthIssue| match trouble {
        HealthIssue::Refused => facts.refused,
        HealthIssue::MissingPermission => !facts.missing_actions.is_empty(),
        HealthIssue::MissingScope => !facts.missing_scopes.is_empty(),
        HealthIssue::WebhookOff => off,
        HealthIssue::WebhookSilent => silent.is_some() && !off,
        HealthIssue::Unreachable => facts.unreachable,
        HealthIssue::DayLimit => facts.day_limit_until.is_some(),
        HealthIssue::RunFailed => !facts.failures.runs.is_empty(),
        HealthIssue::Stale => stale,
        // It is being checked.
        HealthIssue::NotChecked => false,
        HealthIssue::NotCertified => facts.not_certified,
        HealthIssue::UploadsOff => facts.uploads_off,
        HealthIssue::MassChange => facts.mass_change,
        HealthIssue::ItemsFailing => facts.failures.uploads() > 0,
        HealthIssue::Parked => facts.parked,
    };
    with_status(HealthIssue::ALL.iter().copied().filter(is).collect())
}

/// The facts that were found out about a connection some time ago.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionFacts<'a> {
    /// The troubles at that check; none, if there was no check yet.
    pub troubles: &'a [HealthIssue],
    /// When the connection was checked.
    pub checked_at: Option<Timestamp>,
    /// When everything was last brought up to date.
    pub last_success_at: Option<Timestamp>,
    /// The oldest change that a sweep had to find, since when no webhook has come.
    pub silent_since: Option<Timestamp>,
    /// The work that fails at this moment, if that was looked up now.
    pub failures: Option<&'a Failures>,
}

/// How a connection is now, by what was found out some time ago. A trouble that comes and goes with time is
/// judged again, so that nothing is shown as active that has not been heard of since.
pub fn judge_known(
    known: &ConnectionFacts<'_>,
    now: Timestamp,
) -> (ConnectionStatus, Vec<HealthIssue>) {
    let facts = Facts {
        last_success_at: known.last_success_at,
        silent_since: known.silent_since,
        failures: known.failures.cloned().unwrap_or_default(),
        ..Facts::default()
    };
    let by_time = judge(&facts, now).1;
    let unchecked = known.checked_at.is_none_or(|at| now.duration_since(at) > CHECK_LASTS);
    let is = |trouble: &HealthIssue| match trouble {
        HealthIssue::WebhookOff | HealthIssue::WebhookSilent | HealthIssue::Stale => {
            by_time.contains(trouble)
        }
        HealthIssue::NotChecked => unchecked,
        HealthIssue::RunFailed | HealthIssue::ItemsFailing if known.failures.is_some() => {
            by_time.contains(trouble)
        }
        _ => known.troubles.contains(trouble),
    };
    with_status(HealthIssue::ALL.iter().copied().filter(is).collect())
}

/// How the state of a connection has changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusChange {
    /// The change that has happened.
    pub occurrence: Occurrence,
    /// The rule that defines the state that it has now.
    pub rule: &'static str,
    /// The worst trouble that it has now.
    pub reason: Option<HealthIssue>,
    /// All of it, in words.
    pub why: String,
}

/// How the status of a connection has changed between two checks, by the troubles at each; `None` if it is
/// the same. For a connection without an earlier check, only its loss is news: nothing has succeeded yet.
pub fn turn(
    before: Option<&[HealthIssue]>,
    after: &[HealthIssue],
    mode: AccessMode,
) -> Option<StatusChange> {
    use ConnectionStatus::{Active, Disconnected, Error};
    let (was, is) = (before.map(status_of), status_of(after));
    let (occurrence, rule) = match (was, is) {
        (None | Some(Active | Error), Disconnected) => (Occurrence::ConnectionLost, "CC-03"),
        (Some(Active), Error) => (Occurrence::ConnectionDegraded, "CC-04"),
        (Some(Disconnected), Error) => (Occurrence::ConnectionRestored, "CC-04"),
        (Some(Disconnected | Error), Active) => (Occurrence::ConnectionRestored, "CC-02"),
        (Some(Disconnected), Disconnected)
        | (Some(Active), Active)
        | (None | Some(Error), Error)
        | (None, Active) => return None,
    };
    let words: Vec<_> = after.iter().map(|trouble| trouble.words()).collect();
    let why = match after.first() {
        None => "everything works".to_owned(),
        Some(worst) => format!("{}. What to do: {}", words.join("; "), worst.remedy_in(mode)),
    };
    Some(StatusChange { occurrence, rule, reason: after.first().copied(), why })
}

fn status_of(troubles: &[HealthIssue]) -> ConnectionStatus {
    let worst = troubles.iter().map(|trouble| trouble.status()).min();
    worst.unwrap_or(ConnectionStatus::Active)
}

fn with_status(troubles: Vec<HealthIssue>) -> (ConnectionStatus, Vec<HealthIssue>) {
    (status_of(&troubles), troubles)
}

/// What to do about errors of a class (CC-16 to CC-18); of any other, to see the log.
pub fn cure_of_class(class: &str, mode: AccessMode) -> &'static str {
    match class {
        "Authentication" => match mode {
            AccessMode::CustomConnection => "put a new credential into the secret of the stack",
            AccessMode::Grants => HealthIssue::Refused.remedy_in(mode),
        },
        "Timeout" => "nothing, if it was once; it is tried again. Else see whether Xero is up",
        "Limit" => "nothing: what waits goes on when the limit allows it",
        "Validation" => "correct at its source what the error names, and sync again",
        _ => "see the log of the function at that time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-10-05T03:41:25Z".parse().unwrap()
    }

    fn hours(hours: i64) -> Timestamp {
        now() - SignedDuration::from_hours(hours)
    }

    fn well() -> Facts {
        Facts { last_success_at: Some(hours(1)), ..Facts::default() }
    }

    #[test]
    fn disconnected_beats_error_beats_active() {
        // AMB-22, CC-02 to CC-04
        let status = |facts: &Facts| judge(facts, now()).0;
        assert_eq!(status(&well()), ConnectionStatus::Active);
        let failing = Facts { uploads_off: true, parked: true, ..well() };
        assert_eq!(status(&failing), ConnectionStatus::Error);
        let lost = Facts { refused: true, ..failing };
        assert_eq!(status(&lost), ConnectionStatus::Disconnected);
        let all = judge(&lost, now()).1;
        assert_eq!(all, [HealthIssue::Refused, HealthIssue::UploadsOff, HealthIssue::Parked]);
    }

    #[test]
    fn what_is_older_than_a_day_is_never_active() {
        // CC-23
        let at = |last_success_at| judge(&Facts { last_success_at, ..well() }, now());
        assert_eq!(at(Some(hours(24))).0, ConnectionStatus::Active);
        let older = hours(24) - SignedDuration::from_secs(1);
        assert_eq!(at(Some(older)), (ConnectionStatus::Error, vec![HealthIssue::Stale]));
        assert_eq!(at(None).0, ConnectionStatus::Error);
    }

    #[test]
    fn a_silent_webhook_is_an_error_and_after_a_day_it_is_off() {
        // CC-03, X-03
        let since =
            |hours_ago| judge(&Facts { silent_since: Some(hours(hours_ago)), ..well() }, now());
        assert_eq!(since(23), (ConnectionStatus::Error, vec![HealthIssue::WebhookSilent]));
        assert_eq!(since(24), (ConnectionStatus::Disconnected, vec![HealthIssue::WebhookOff]));
    }

    #[test]
    fn what_was_active_an_hour_ago_is_not_active_for_ever() {
        // CC-23, CC-03, X-03: the stored status grows old.
        let known = |troubles, checked, success, silent: Option<i64>| {
            let known = ConnectionFacts {
                troubles,
                checked_at: Some(hours(checked)),
                last_success_at: Some(hours(success)),
                silent_since: silent.map(hours),
                failures: None,
            };
            judge_known(&known, now())
        };
        assert_eq!(known(&[], 1, 1, None), (ConnectionStatus::Active, vec![]));
        assert_eq!(known(&[], 1, 25, None).1, [HealthIssue::Stale]);
        assert_eq!(known(&[], 4, 1, None).1, [HealthIssue::NotChecked]);
        assert_eq!(
            known(&[HealthIssue::WebhookSilent], 1, 1, Some(24)).1,
            [HealthIssue::WebhookOff]
        );
        // A webhook has come, and a sweep has succeeded since.
        let over = [HealthIssue::WebhookOff, HealthIssue::Stale];
        assert_eq!(known(&over, 1, 1, None).0, ConnectionStatus::Active);
        assert_eq!(known(&[HealthIssue::Refused], 1, 1, None).0, ConnectionStatus::Disconnected);
        assert_eq!(
            judge_known(&ConnectionFacts::default(), now()),
            (ConnectionStatus::Error, vec![HealthIssue::Stale, HealthIssue::NotChecked])
        );
    }

    #[test]
    fn a_change_of_the_status_is_news_and_nothing_else_is() {
        // CC-02, CC-03, CC-04, EX-24
        let now = |before: Option<&[HealthIssue]>, after: &[HealthIssue]| {
            turn(before, after, AccessMode::CustomConnection)
                .map(|turn| (turn.occurrence, turn.rule, turn.reason))
        };
        let (lost, stale, parked) =
            ([HealthIssue::Refused], [HealthIssue::Stale], [HealthIssue::Parked]);
        let is_lost = Some((Occurrence::ConnectionLost, "CC-03", Some(HealthIssue::Refused)));
        for before in [None, Some([].as_slice()), Some(stale.as_slice())] {
            assert_eq!(now(before, &lost), is_lost);
        }
        let degraded = (Occurrence::ConnectionDegraded, "CC-04", Some(HealthIssue::Stale));
        assert_eq!(now(Some(&[]), &stale), Some(degraded));
        let better = Some((Occurrence::ConnectionRestored, "CC-04", Some(HealthIssue::Parked)));
        assert_eq!(now(Some(&lost), &parked), better);
        for before in [lost, stale] {
            let well = Some((Occurrence::ConnectionRestored, "CC-02", None));
            assert_eq!(now(Some(&before), &[]), well);
        }
        for (before, after) in [
            (None, [].as_slice()),
            (None, &stale),
            (Some([].as_slice()), &[]),
            (Some(&stale), &parked),
            (Some(&lost), &[HealthIssue::WebhookOff]),
        ] {
            assert_eq!(now(before, after), None, "{before:?} {after:?}");
        }
        let said =
            turn(None, &[HealthIssue::Refused, HealthIssue::Stale], AccessMode::CustomConnection);
        let said = said.unwrap().why;
        assert!(said.starts_with("Xero does not let us in; no sync has succeeded"), "{said}");
    }

    #[test]
    fn each_class_of_errors_has_its_cure() {
        // CC-16, CC-17, CC-18
        for (class, word) in
            [("Authentication", "credential"), ("Timeout", "Xero is up"), ("Validation", "source")]
        {
            assert!(cure_of_class(class, AccessMode::CustomConnection).contains(word), "{class}");
        }
        // XC-08
        assert!(cure_of_class("Authentication", AccessMode::Grants).contains("Connect to Xero"));
    }

    #[test]
    fn each_trouble_has_a_class_and_a_cure() {
        // CC-16 to CC-19
        for trouble in HealthIssue::ALL {
            assert!(
                ["Authentication", "Timeout", "Limit", "Validation"].contains(&trouble.class())
            );
            let of_users = trouble.remedy_in(AccessMode::Grants);
            assert!(!of_users.contains("secret"), "XC-08: {of_users}");
            assert!(trouble.remedy().len() > 20 && !trouble.words().is_empty(), "{trouble}");
            assert_ne!(trouble.status(), ConnectionStatus::Active);
        }
    }
}
