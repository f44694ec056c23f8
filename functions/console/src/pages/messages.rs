//! What operators should know, one message for each kind with its number, what stops the work first, and what
//! to do about it (EX-29, AMB-40).

use askama::Template;
use payments::connection::{AccessMode, HealthIssue};
use table::{MessageRow, MessagesOfKind};

use super::{PageError, Stage, filled};
use crate::view::Frame;

/// Messages of one kind that are shown one by one; the others are their number.
const SHOWN_A_KIND: usize = 5;

/// Kinds that stand above all others, in this order: what stops the work comes before what a payment needs.
const FIRST: &[&str] = &[
    "CONNECTION_LOST",
    "MASS_CHANGE",
    "UPLOAD_DISABLED",
    "WEBHOOK_SILENT",
    "DAY_LIMIT",
    "MISSING_SCOPE",
    "MISSING_PERMISSION",
    "CONNECTION_EXPIRES",
    "DOUBLE_IN_XERO",
    "NOT_CERTIFIED",
    "CLOSE_OVERDUE",
    "UPLOAD_LIMIT_NEAR",
];

struct Line {
    at: String,
    subject: String,
    why: String,
}

/// Messages of one kind: one message with a number (AMB-40).
struct Kind {
    /// In words.
    words: String,
    kind: String,
    /// How many, if it is more than one.
    count: Option<String>,
    lines: Vec<Line>,
    /// Whether there are more than are shown.
    left_out: bool,
    remedy: &'static str,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct Messages {
    frame: Frame,
    kinds: Vec<Kind>,
    /// Kinds whose cause is over.
    over: String,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let mut found = stage.tables.messages(stage.organisation()).await?;
    for of_kind in &found {
        stage.count_read(of_kind.count);
    }
    let newest = |kind: &MessagesOfKind| kind.newest.first().map(|row| row.raised_at.clone());
    found.sort_by(|a, b| rank(&a.kind).cmp(&rank(&b.kind)).then(newest(b).cmp(&newest(a))));
    let (now, over): (Vec<_>, Vec<_>) =
        found.iter().partition(|of_kind| !is_over(stage, &of_kind.kind));
    let over = over.iter().map(|found| found.kind.clone()).collect::<Vec<_>>();
    let kinds = now.into_iter().map(|found| kind(stage, found)).collect();
    filled(&Messages { frame: stage.frame(), kinds, over: over.join(", ") })
}

/// Whether what a message says was so and is not any more.
fn is_over(stage: &Stage<'_>, kind: &str) -> bool {
    match kind {
        "MASS_CHANGE" => stage.trouble.mass_change.is_none(),
        "DAY_LIMIT" => stage.trouble.day_limit_until.is_none(),
        "UPLOAD_DISABLED" => !stage.trouble.uploads_off,
        _ => false,
    }
}

fn rank(kind: &str) -> usize {
    let warning = payments::WarningKind::from_code(kind).is_some();
    let place = FIRST.iter().position(|first| *first == kind);
    place.unwrap_or(FIRST.len() + usize::from(warning))
}

fn kind(stage: &Stage<'_>, found: &MessagesOfKind) -> Kind {
    let at_least = if found.more { "at least " } else { "" };
    // The longer ones say themselves what is to be done.
    let says = found.newest.iter().any(|row| row.why.contains("What to do:"));
    Kind {
        words: words(&found.kind),
        kind: found.kind.clone(),
        count: (found.count > 1).then(|| format!("{at_least}{}", found.count)),
        lines: found.newest.iter().take(SHOWN_A_KIND).map(|row| line(stage, row)).collect(),
        left_out: usize::try_from(found.count).is_ok_and(|count| count > SHOWN_A_KIND),
        remedy: if says { "" } else { remedy_in(&found.kind, stage.mode) },
    }
}

fn line(stage: &Stage<'_>, row: &MessageRow) -> Line {
    let (at, subject) = (stage.clock(&row.raised_at), row.subject.clone());
    Line { at, subject, why: row.why.clone() }
}

/// A kind in words: its code without its signs.
fn words(kind: &str) -> String {
    let mut words = kind.replace('_', " ").to_lowercase();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words.replace(" xero", " Xero")
}

/// What to do about a kind of message where Xero lets us in like this (XC-08).
fn remedy_in(kind: &str, mode: AccessMode) -> &'static str {
    match (kind, mode) {
        ("CONNECTION_LOST" | "CONNECTION_EXPIRES", AccessMode::Grants) => {
            HealthIssue::Refused.remedy_in(mode)
        }
        ("MISSING_SCOPE", _) => HealthIssue::MissingScope.remedy_in(mode),
        _ => remedy(kind),
    }
}

/// What to do about a kind of message.
fn remedy(kind: &str) -> &'static str {
    match kind {
        "ACCOUNT_UNUSABLE" => {
            "name another account in the settings, or have the account restored in Xero; what waits goes with the next run"
        }
        "TAX_UNUSABLE" => {
            "name another tax type in the settings, or have the tax rate restored in Xero; what waits goes with the next run"
        }
        "ACCOUNT_UNMAPPED" => {
            "ask the accountant for the account, and add it under Accounts of fees on the page Configure"
        }
        "CHANGED_AFTER_UPLOAD" => {
            "compare the payment in Xero with the report, and correct one of them"
        }
        "CONNECTION_EXPIRES" => "use the connection, or have a user authorise the app again",
        "CONNECTION_LOST" => {
            "have a user authorise the app again, or put valid credentials into the secret"
        }
        "DOUBLE_IN_XERO" => "delete one of the two in Xero: the message names both",
        "FAILED_PAYMENT" => "have the customer pay in another way: no invoice shows it",
        "JOURNALED_AFTER_CUTOVER" | "MANUAL_AFTER_CUTOVER" => {
            "ask the person who did it to stop doing it by hand"
        }
        "MERCHANT_CONTACT_MISSING" => "set Contact of the payment provider on the page Configure",
        "CALLS_REFUSED" => {
            "see what Xero refuses of the payments that are refused; the others go by themselves"
        }
        "PROOF_UNREADABLE" => {
            "mend or remove what bears that stamp in Xero; it is looked for every hour"
        }
        "SCHEMA" => {
            "mend in Xero what the message names, or have the developers look at it; replay what is parked"
        }
        "UNREADABLE_ROW" => "have the developers look at the row that the message names",
        "UPLOAD_STUCK" => "have the developers look at the payment's row in the table uploads",
        "REPORT_DIFFERS" => {
            "find out on the page Reports what differs, and with verify_log whether the log or the report was altered"
        }
        "REPORT_FAILED" => {
            "nothing, if the days are sealed soon; else have the developers look at what it says"
        }
        "XERO_VOLUME" => {
            "nothing yet; more than 1,000 invoices a month are slow in Xero, so ask Xero for advice"
        }
        "NOT_CERTIFIED" => {
            "nothing: the invoices are read again by themselves; if it stays, have the developers look"
        }
        "REMOVED_IN_XERO" | "UPLOADED_DELETED_IN_XERO" => {
            "find out who removed it in Xero, and whether the money was taken"
        }
        "UNLINKED" => "have the business's own system say which invoice the payment is for",
        "UPLOAD_DISABLED" => {
            "find out why, and switch uploading on with a reason, on the page Limits"
        }
        // The others say it themselves: they are raised with the number of payments on hold.
        "LOCKED_PERIOD" => "move the lock date in Xero; every night it is judged again",
        "UPLOAD_LIMIT_NEAR" => {
            "nothing yet; up to 129 payments in a night, set on the page Configure, never reach the limit"
        }
        // A message about a connection is cured as the trouble of that name is.
        _ => {
            HealthIssue::from_code(kind).map_or("see the activity of that day", HealthIssue::remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_has_something_to_do() {
        // EX-29
        for kind in payments::WarningKind::ALL {
            assert_ne!(remedy(kind.code()), "see the activity of that day", "{kind}");
        }
        for kind in ["WEBHOOK_SILENT", "DAY_LIMIT", "MASS_CHANGE", "UPLOAD_LIMIT_NEAR"] {
            assert_ne!(remedy(kind), "see the activity of that day", "{kind}");
        }
    }
}
