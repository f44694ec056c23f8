//! How each connection is: a tile for the accounting system, for the bank's feed and for the payment gateway
//! (CC-01).

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;
use payments::connection::{
    AccessMode, ConnectionFacts, ConnectionStatus, HealthIssue, SWITCHED_OFF_AFTER, cure_of_class,
    judge_known,
};
use payments::explanations::XERO_SUPPORT;
use payments::failures::Failures;
use payments::sweep::{SweepKind, SweepState, SyncKind, SyncRun};
use serde_json::json;
use table::{ActivityRow, ConnectionRow, OpenActions, ParkedRow};

use super::feeds::{self, Feed, FeedStatus};
use super::{Page, PageError, Stage, filled};
use crate::order::Order;
use crate::times::span;
use crate::view::{Button, Frame};

/// The text while payments that an earlier start date kept back are not judged again yet (AMB-35).
const START_TO_BE_FOLLOWED: &str = "The start date of uploads was changed. Payments that it had kept back are judged \
    again within the hour.";
/// AMB-35.
pub(super) const TO_BE_JUDGED_AGAIN: &str = "The settings, or the rules, were changed. What they concern is judged again with the \
    next sync; until then, payments may still be held or left out as the settings were before.";

/// Errors that a tile shows; the sync log has the rest.
const ERRORS_MAX: usize = 5;
/// Runs that went wrong that are looked at: those of the business's own system are not Xero's.
const FAILURES_MAX: usize = 25;
/// Rows of the activity log that are looked at for what came lately, of each of the last days.
const ROWS_A_DAY_MAX: usize = 100;
/// Days that are looked at, in UTC.
const DAYS: i64 = 3;
/// Receipts that are looked at for whether a feed has ever brought any.
const RECEIPTS_MAX: usize = 100;
/// Uploads on hold that are looked at for those that name no customer.
const HELD_MAX: u32 = 100;
/// Parked rows that are looked at.
const PARKED_MAX: usize = 50;

/// What the page rests on.
struct Rows {
    connection: Option<ConnectionRow>,
    changes: SweepState,
    open: SweepState,
    failures: Vec<SyncRun>,
    lately: Vec<ActivityRow>,
    methods: BTreeSet<String>,
    parked: Vec<ParkedRow>,
    actions: OpenActions,
    failures_now: Failures,
}

struct Badge {
    text: &'static str,
    class: &'static str,
    symbol: &'static str,
}

struct Reason {
    code: String,
    words: String,
    class: &'static str,
    remedy: &'static str,
}

struct ErrorLine {
    at: String,
    what: String,
    class: String,
    problem: String,
    remedy: &'static str,
}

struct Tile {
    kind: &'static str,
    third_party: String,
    badge: Badge,
    reasons: Vec<Reason>,
    note: Option<String>,
    countdown: Option<String>,
    facts: Vec<(&'static str, String)>,
    errors: Vec<ErrorLine>,
    contact: Option<String>,
    actions: Vec<Button>,
}

#[derive(Template)]
#[template(path = "integrations.html")]
struct Integrations {
    frame: Frame,
    may_not: Option<String>,
    tiles: Vec<Tile>,
    support: &'static str,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let rows = read(stage).await?;
    let frame = stage.frame();
    let tiles = vec![
        accounting(stage, &rows),
        feed(stage, &rows, Feed::Bank),
        feed(stage, &rows, Feed::Gateway),
    ];
    let may_not = stage.may_not();
    filled(&Integrations { frame, may_not, tiles, support: XERO_SUPPORT })
}

async fn read(stage: &Stage<'_>) -> Result<Rows, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let connection = tables.connection(organisation).await?;
    // Of an organisation that only uploads, nothing else is swept (AMB-37).
    let mirrors = stage.settings.mirror_enabled;
    let kind = if mirrors { SweepKind::Changes } else { SweepKind::Certificate };
    let changes = tables.sweep(organisation, kind).await?;
    let open = tables.sweep(organisation, SweepKind::Open).await?;
    stage.count(3);
    let failures = stage.counted(tables.newest_failures(organisation, FAILURES_MAX).await?);
    let parked = stage.counted(tables.newest_parked(Some(organisation), PARKED_MAX).await?);
    let mut lately = Vec::new();
    let today = stage.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    for days in 0..DAYS {
        let Ok(day) = today.checked_sub(jiff::Span::new().days(days)) else { break };
        let found = tables.activity_of_day(organisation, day, ROWS_A_DAY_MAX).await?;
        lately.extend(stage.counted(found).rows);
    }
    let (methods, looked_at) = tables.receipt_methods(organisation, RECEIPTS_MAX).await?;
    stage.count(looked_at);
    let mut actions = tables.count_open_actions(organisation).await?;
    stage.count_read(actions.count);
    let runs = connection.as_ref().map(|row| row.failed_runs.clone()).unwrap_or_default();
    let failures_now = tables.failures(organisation, runs, stage.now).await?;
    stage.count_read(failures_now.uploads());
    let held = tables.held_uploads(organisation, HELD_MAX).await?;
    stage.count_read(held.count());
    actions.count = actions.count.saturating_add(held.actions());
    let (failures, parked) = (failures.rows, parked.rows);
    Ok(Rows { connection, changes, open, failures, lately, methods, parked, actions, failures_now })
}

fn accounting(stage: &Stage<'_>, rows: &Rows) -> Tile {
    let connection = rows.connection.as_ref();
    let troubles = connection.and_then(|row| row.troubles.clone()).unwrap_or_default();
    let known = ConnectionFacts {
        troubles: &troubles,
        checked_at: connection.and_then(|row| row.checked_at),
        // A first read that is on its way is not out of date.
        last_success_at: rows.changes.last_success_at.or(rows.changes.queued_at),
        silent_since: connection.and_then(|row| row.silent_since),
        failures: Some(&rows.failures_now),
    };
    let (status, troubles) = match stage.row.ended_in_xero {
        // What was wrong before is no trouble any more.
        Some(_) => (ConnectionStatus::Disconnected, Vec::new()),
        None => judge_known(&known, stage.now),
    };
    let facts = vec![
        ("Last sync", last_sync(stage, &rows.changes)),
        ("Last attempt", last_attempt(stage, &rows.changes)),
        ("Next run", next_run(stage, &rows.changes)),
        ("All open compared", stage.moment_or(rows.open.last_success_at, "never")),
        ("Connection", connected(stage, &troubles, known.checked_at)),
        ("Authorised", authorised(stage, &troubles, known.checked_at)),
        ("Webhooks", webhooks(stage, connection)),
        ("Open actions", open_actions(stage, &rows.actions)),
    ];
    let mut actions = connection_buttons(stage, &troubles);
    let at_work = stage.row.ended_in_xero.is_none();
    actions.extend(stage.order(Order::SyncNow, json!({})).filter(|_| at_work));
    for (trouble, order) in [
        (HealthIssue::MassChange, Order::ApproveMassChange),
        (HealthIssue::UploadsOff, Order::EnableUploads),
    ] {
        actions.extend(stage.order(order, json!({})).filter(|_| troubles.contains(&trouble)));
    }
    actions.push(stage.buttons.page("All errors", Page::SyncLog, json!({"only": "errors"})));
    if troubles.contains(&HealthIssue::Parked) {
        actions.push(stage.buttons.page("Parked messages", Page::Parked, json!({})));
    }
    if rows.actions.count > 0 {
        actions.push(stage.buttons.page("Who waits for an action", Page::Actions, json!({})));
    }
    if stage.buttons.role.may(Page::Configure.least_role()) {
        actions.push(stage.buttons.page("Configure", Page::Configure, json!({})));
    }
    Tile {
        kind: "Accounting",
        third_party: "Xero".to_owned(),
        badge: badge(status),
        reasons: troubles
            .iter()
            .map(|trouble| reason(*trouble, &rows.failures_now, stage.mode))
            .collect(),
        note: note(stage, rows),
        countdown: countdown(stage, known.silent_since),
        facts,
        errors: errors(stage, rows, |kind| kind != SyncKind::Intake).collect(),
        contact: (status != ConnectionStatus::Active && at_work).then(|| contact(stage)),
        actions,
    }
}

/// The buttons about the connection itself (XC-01, XC-05). A custom connection is made and ended in Xero.
fn connection_buttons(stage: &Stage<'_>, troubles: &[HealthIssue]) -> Vec<Button> {
    if stage.mode == AccessMode::CustomConnection {
        return Vec::new();
    }
    let ended = stage.row.ended_in_xero.is_some();
    let needs_consent =
        |trouble: &HealthIssue| matches!(trouble, HealthIssue::Refused | HealthIssue::MissingScope);
    let consent = ended || troubles.iter().any(needs_consent);
    let connect = stage.order(Order::Authorise, json!({})).filter(|_| consent);
    let disconnect = stage.order(Order::Disconnect, json!({})).filter(|_| !ended);
    connect.into_iter().chain(disconnect).collect()
}

/// CC-05: what was found counts when it is imported.
fn last_sync(stage: &Stage<'_>, sweep: &SweepState) -> String {
    let last = stage.moment_or(sweep.last_success_at, "never");
    match sweep.queued_at.filter(|queued_at| Some(*queued_at) > sweep.last_success_at) {
        None => last,
        Some(at) => format!("{last}; what was found at {} is being imported", stage.moment(at)),
    }
}

fn note(stage: &Stage<'_>, rows: &Rows) -> Option<String> {
    if let (Some(confirmed), Some(at)) = (stage.row.ended_in_xero, stage.settings.disconnected_at) {
        let xero = match confirmed {
            true => "",
            false => " Xero has not confirmed it yet, and is asked again every hour.",
        };
        return Some(format!(
            "Disconnected from Xero, {}: no payment goes either way. All that was mirrored and set up stays, and goes on \
             where it was when it is connected again.{xero}",
            stage.moment(at)
        ));
    }
    if !stage.settings.is_at_work() {
        return Some("The mirror is switched off: nothing is synced.".to_owned());
    }
    let mut says = Vec::new();
    if !stage.settings.mirror_enabled {
        says.push("The mirror is switched off: nothing is copied from Xero. Uploaded payments are checked there.");
    } else if rows.open.is_to_be_judged_again(stage.settings) {
        says.push(TO_BE_JUDGED_AGAIN);
    }
    let judged = rows.connection.as_ref().and_then(|row| row.judged_start.as_ref());
    let uploads = stage.settings.upload.as_ref().is_some_and(|upload| upload.enabled);
    if uploads && judged.is_some() && judged != stage.settings.starting().as_ref() {
        says.push(START_TO_BE_FOLLOWED);
    }
    (!says.is_empty()).then(|| says.join(" "))
}

fn badge(status: ConnectionStatus) -> Badge {
    match status {
        ConnectionStatus::Active => Badge { text: "Active", class: "pm-badge-good", symbol: "✔" },
        ConnectionStatus::Disconnected => {
            Badge { text: "Disconnected", class: "pm-badge-bad", symbol: "✖" }
        }
        ConnectionStatus::Error => Badge { text: "Error", class: "pm-badge-bad", symbol: "▲" },
    }
}

fn reason(trouble: HealthIssue, failures: &Failures, mode: AccessMode) -> Reason {
    Reason {
        code: trouble.to_string(),
        words: capital(&failures.words(trouble)),
        class: failures.class(trouble),
        remedy: trouble.remedy_in(mode),
    }
}

/// The same text as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// CC-19: a person who sees that a connection is lost knows whom to contact.
fn contact(stage: &Stage<'_>) -> String {
    match &stage.row.administrator {
        Some(administrator) => format!("Contact the administrator: {administrator}"),
        None => "Contact the administrator of the stack. No name is set: an administrator sets it on the page \
                 Configure."
            .to_owned(),
    }
}

fn last_attempt(stage: &Stage<'_>, sweep: &SweepState) -> String {
    match (sweep.last_attempt_at, sweep.last_attempt) {
        (Some(at), Some(state)) => format!("{state}, {}", stage.moment(at)),
        _ => "never".to_owned(),
    }
}

fn next_run(stage: &Stage<'_>, sweep: &SweepState) -> String {
    if !stage.settings.mirror_enabled {
        return "none: the mirror is switched off".to_owned();
    }
    let due = sweep.scheduled_at.and_then(|at| at.checked_add(stage.sweep_every).ok());
    match due {
        Some(due) if due > stage.now => stage.moment(due),
        Some(due) => format!("overdue since {}", stage.moment(due)),
        None => format!("within {} minutes", stage.sweep_every.as_mins()),
    }
}

/// ST-17: whether it is active is one question, and whether it is authorised another.
fn connected(stage: &Stage<'_>, troubles: &[HealthIssue], checked_at: Option<Timestamp>) -> String {
    let lost = troubles
        .iter()
        .any(|trouble| matches!(trouble, HealthIssue::Refused | HealthIssue::Unreachable));
    match checked_at {
        _ if stage.row.ended_in_xero.is_some() => "no: it was ended here".to_owned(),
        None => "not known: never checked".to_owned(),
        Some(at) if lost => format!("no, as of {}", stage.moment(at)),
        Some(at) => format!("yes, Xero answered {}", stage.moment(at)),
    }
}

fn authorised(
    stage: &Stage<'_>,
    troubles: &[HealthIssue],
    checked_at: Option<Timestamp>,
) -> String {
    let text = if stage.row.ended_in_xero.is_some() {
        "no: it was ended here"
    } else if checked_at.is_none() {
        "not known: never checked"
    } else if troubles.contains(&HealthIssue::Refused) {
        "no: Xero refuses the credentials or the consent"
    } else if troubles.contains(&HealthIssue::MissingScope) {
        "only in part: a permission was not granted"
    } else if troubles.contains(&HealthIssue::MissingPermission) {
        "only in part: a right is missing"
    } else if troubles.contains(&HealthIssue::Unreachable) {
        "not known: Xero does not answer"
    } else {
        "yes"
    };
    text.to_owned()
}

fn webhooks(stage: &Stage<'_>, connection: Option<&ConnectionRow>) -> String {
    match connection {
        None => "nothing is known yet".to_owned(),
        Some(row) => match (row.silent_since, row.last_webhook_at) {
            (Some(since), _) => format!("silent since {}", stage.moment(since)),
            (None, Some(at)) => format!("come; the last one noted {}", stage.moment(at)),
            (None, None) => "no change has been missed".to_owned(),
        },
    }
}

/// EX-27: while one is open, a customer waits.
fn open_actions(stage: &Stage<'_>, open: &OpenActions) -> String {
    let at_least = if open.more { "at least " } else { "" };
    match open.count {
        0 => "none".to_owned(),
        count => format!(
            "{at_least}{count}, the oldest since {}",
            stage.moment_or(open.oldest, "a time that cannot be read")
        ),
    }
}

/// a webhook that Xero cannot deliver for 24 hours is switched off.
fn countdown(stage: &Stage<'_>, silent_since: Option<Timestamp>) -> Option<String> {
    let off_at = silent_since?.checked_add(SWITCHED_OFF_AFTER).ok()?;
    let left = off_at.duration_since(stage.now);
    let at = stage.moment(off_at);
    Some(if left.is_positive() {
        format!("Xero switches the webhook off in {}: {at}", span(left))
    } else {
        format!("Xero has switched the webhook off, if it could not deliver: {at}")
    })
}

/// The newest errors of runs of these kinds.
fn errors<'r>(
    stage: &'r Stage<'_>,
    rows: &'r Rows,
    of: impl Fn(SyncKind) -> bool + 'r,
) -> impl Iterator<Item = ErrorLine> + 'r {
    let runs = rows.failures.iter().filter(move |run| of(run.kind));
    runs.take(ERRORS_MAX).map(|run| error_line(stage, run))
}

fn error_line(stage: &Stage<'_>, run: &SyncRun) -> ErrorLine {
    let class = run.errors.keys().next().cloned().unwrap_or_default();
    let classes: Vec<_> =
        run.errors.iter().map(|(class, count)| format!("{class} ({count})")).collect();
    ErrorLine {
        at: stage.moment(run.ended_at.unwrap_or(run.started_at)),
        what: format!("{} {}", run.kind, run.state),
        class: classes.join(", "),
        problem: run.problem.clone().unwrap_or_default(),
        remedy: cure_of_class(&class, stage.mode),
    }
}

fn feed(stage: &Stage<'_>, rows: &Rows, feed: Feed) -> Tile {
    let (last, count) = feed.lately(&rows.lately);
    let ever = feed.ever(&rows.methods);
    // What intake could not take in names a method, and so its feed; else it is shown with each that is in
    // use, or with both if none is: never with Xero's (AMB-36).
    let used = |feed: Feed| feed.lately(&rows.lately).0.is_some() || feed.ever(&rows.methods);
    let shown = used(feed) || !(used(Feed::Bank) || used(Feed::Gateway));
    let blamed = |row: &&ParkedRow| {
        row.by == "intake" && feed.is_blamed_for(row.body.as_deref()).unwrap_or(shown)
    };
    let parked: Vec<_> = rows.parked.iter().filter(blamed).collect();
    let status = feeds::judge(last, ever, !parked.is_empty(), stage.now);
    let (kind, name, unnamed) = match feed {
        Feed::Bank => ("Bank feed", &stage.row.bank_feed, "Bank (not named)"),
        Feed::Gateway => ("Payment gateway", &stage.row.payment_gateway, "Provider (not named)"),
    };
    let (badge, note) = match status {
        FeedStatus::Active => (Badge { text: "Active", class: "pm-badge-good", symbol: "✔" }, None),
        FeedStatus::Error => (
            Badge { text: "Error", class: "pm-badge-bad", symbol: "▲" },
            Some("Messages of the business's own system could not be taken in; they are parked."),
        ),
        FeedStatus::Quiet => (
            Badge { text: "Quiet", class: "pm-badge-none", symbol: "●" },
            Some(
                "Nothing has come for 24 hours. That is no error: there may be no payment, or the bank may not \
                 have published yet. Else see the activity of that day.",
            ),
        ),
        FeedStatus::NotConfigured => (
            Badge { text: "Not configured", class: "pm-badge-none", symbol: "○" },
            Some("Nothing has come this way among the receipts that were looked at."),
        ),
    };
    let in_use = status != FeedStatus::NotConfigured;
    let facts = vec![
        ("Last sync", stage.moment_or(last, "nothing in the last 3 days")),
        ("Lately", format!("{count} entries among the newest of 3 days")),
        ("Next run", "none: it is sent to us when it happens, through the queue intake".to_owned()),
    ];
    let mut actions =
        vec![stage.buttons.page("Activity", Page::Activity, json!({"word": "intake"})).about(kind)];
    if in_use && !parked.is_empty() {
        actions.push(stage.buttons.page("Parked messages", Page::Parked, json!({})));
    }
    let error = |row: &&ParkedRow| ErrorLine {
        at: stage.clock(row.parked_at.split('#').next().unwrap_or_default()),
        what: row.reason.clone(),
        class: "Validation".to_owned(),
        problem: row.detail.clone(),
        remedy: cure_of_class("Validation", stage.mode),
    };
    let runs = errors(stage, rows, |kind| kind == SyncKind::Intake).filter(|_| in_use && shown);
    let errors = parked.iter().map(error).chain(runs).take(ERRORS_MAX).collect();
    Tile {
        kind,
        third_party: name.clone().unwrap_or_else(|| unnamed.to_owned()),
        badge,
        reasons: Vec::new(),
        note: note.map(str::to_owned),
        countdown: None,
        facts: if in_use { facts } else { Vec::new() },
        errors,
        contact: (status == FeedStatus::Error).then(|| contact(stage)),
        actions: if in_use { actions } else { Vec::new() },
    }
}
