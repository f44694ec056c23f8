//! What operators should know, the newest first, and what to do about it (EX-29).

use askama::Template;
use payments::connection::Trouble;
use table::MessageRow;

use super::{PageError, Stage, filled};
use crate::view::Frame;

/// Messages that are read: they are kept by kind, and all have to be read to know the newest.
const READ_MAX: usize = 500;
/// Messages that are shown.
const SHOWN_MAX: usize = 100;

struct Line {
    at: String,
    kind: String,
    subject: String,
    why: String,
    cure: &'static str,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct Messages {
    frame: Frame,
    lines: Vec<Line>,
    left_out: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let found = stage.tables.messages(stage.organisation(), READ_MAX).await?;
    let found = stage.counted(found);
    let left_out = found.more || found.rows.len() > SHOWN_MAX;
    let lines = found.rows.iter().take(SHOWN_MAX).map(|row| line(stage, row)).collect();
    filled(&Messages { frame: stage.frame(), lines, left_out })
}

fn line(stage: &Stage<'_>, row: &MessageRow) -> Line {
    // The longer ones say themselves what is to be done.
    let cure = if row.why.contains("What to do:") { "" } else { cure(&row.kind) };
    Line {
        at: stage.clock(&row.raised_at),
        kind: row.kind.clone(),
        subject: row.subject.clone(),
        why: row.why.clone(),
        cure,
    }
}

/// What to do about a kind of message.
fn cure(kind: &str) -> &'static str {
    match kind {
        "ACCOUNT_UNMAPPED" => {
            "ask the accountant for the account, and add it to fee_accounts of the organisation"
        }
        "CHANGED_AFTER_UPLOAD" => {
            "compare the payment in Xero with the report, and correct one of them"
        }
        "CONNECTION_EXPIRES" => "use the connection, or have a user authorise the app again",
        "CONNECTION_LOST" => {
            "have a user authorise the app again, or put valid credentials into the secret"
        }
        "DOUBLE_IN_XERO" => "delete one of the two in Xero: the message names both",
        "JOURNALED_AFTER_CUTOVER" | "MANUAL_AFTER_CUTOVER" => {
            "tell whoever did it that it is no longer done by hand"
        }
        "MERCHANT_CONTACT_MISSING" => "set merchant_contact_id of the organisation",
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
        "NOT_CERTIFIED" => "see the table certificates; the invoices are read again by themselves",
        "REMOVED_IN_XERO" | "UPLOADED_DELETED_IN_XERO" => {
            "find out who removed it in Xero, and whether the money was taken"
        }
        "UNLINKED" => "have the business's own system say which invoice the payment is for",
        "UPLOAD_DISABLED" => {
            "find out why, and switch uploading on with a reason, on the page Limits"
        }
        "UPLOAD_LIMIT_NEAR" => "nothing yet; a lower upload_nightly_max never reaches the limit",
        // A message about a connection is cured as the trouble of that name is.
        _ => Trouble::from_code(kind).map_or("see the activity of that day", Trouble::cure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_has_something_to_do() {
        // EX-29
        for kind in payments::WarningKind::ALL {
            assert_ne!(cure(kind.code()), "see the activity of that day", "{kind}");
        }
        for kind in ["WEBHOOK_SILENT", "DAY_LIMIT", "MASS_CHANGE", "UPLOAD_LIMIT_NEAR"] {
            assert_ne!(cure(kind), "see the activity of that day", "{kind}");
        }
    }
}
