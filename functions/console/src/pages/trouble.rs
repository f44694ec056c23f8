//! Trouble that touches every page, said on every page: what Xero does not let through, what has switched itself
//! off, and what waits for a word of a person. Read once for each page, from four rows.

use jiff::Timestamp;
use payments::Settings;
use payments::connection::{ConnectionFacts, HealthIssue, judge_known};
use payments::mass_change::Brake;
use payments::upload::Caps;
use table::{ConnectionRow, ReadError, Tables};

use crate::times;

/// What stands in the way of the whole organisation at this moment.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// The connection as the hourly check has left it.
    pub(crate) connection: Option<ConnectionRow>,
    /// Xero refuses us, or does not answer: nothing is read or sent.
    pub(crate) is_disconnected: bool,
    /// Until when the day's calls are used up.
    pub(crate) day_limit_until: Option<Timestamp>,
    /// Whether uploads have switched themselves off.
    pub(crate) uploads_off: bool,
    /// How many payments a mass change concerns that waits for a person, and on how many invoices.
    pub(crate) mass_change: Option<(u32, usize)>,
    /// A sentence for each.
    pub(crate) sentences: Vec<String>,
    /// How many rows were read.
    pub(crate) rows: usize,
}

impl Trouble {
    /// Reads the rows. One that cannot be read is said, and hides no page.
    pub(crate) async fn read(tables: &Tables, settings: &Settings, now: Timestamp) -> Self {
        let organisation = settings.organisation;
        let mut trouble = Self { rows: 4, ..Self::default() };
        let connection = trouble.known("connections", tables.connection(organisation).await);
        trouble.connection = connection.flatten();
        let budget = trouble.known("budgets", tables.budget(organisation).await);
        let used_up = |budget: payments::budget::Budget| {
            budget.day_used_up_until(settings.calls_per_day, now)
        };
        trouble.day_limit_until = budget.and_then(used_up);
        let caps = trouble.known("caps", tables.caps(organisation).await);
        let brake = trouble.known("brakes", tables.brake(organisation).await);
        trouble.mass_change = brake.as_ref().and_then(|brake| held_back(brake, now));
        trouble.say(settings, caps.as_ref(), now);
        trouble
    }

    fn known<T>(&mut self, table: &str, read: Result<T, ReadError>) -> Option<T> {
        let problem =
            |error: &ReadError| format!("The table {table} says something else: {error}.");
        self.sentences.extend(read.as_ref().err().map(problem));
        read.ok()
    }

    fn say(&mut self, settings: &Settings, caps: Option<&Caps>, now: Timestamp) {
        let moment = |at| times::moment(at, &settings.zone, now);
        let row = self.connection.as_ref();
        let known = ConnectionFacts {
            troubles: row.and_then(|row| row.troubles.as_deref()).unwrap_or_default(),
            checked_at: row.and_then(|row| row.checked_at),
            last_success_at: Some(now),
            silent_since: None,
            failures: None,
        };
        let (_, issues) = judge_known(&known, now);
        let checked = known.checked_at.map(&moment).unwrap_or_default();
        if issues.contains(&HealthIssue::Refused) {
            self.is_disconnected = true;
            self.sentences.push(format!(
                "Xero is disconnected: it has refused us, {checked}. Nothing is read from Xero or sent to it until \
                 an administrator has connected it again; what waits then goes on by itself."
            ));
        } else if issues.contains(&HealthIssue::Unreachable) {
            self.is_disconnected = true;
            self.sentences.push(format!(
                "Xero did not answer, {checked}. It is asked again by itself; until then nothing is read or sent."
            ));
        }
        if let Some(until) = self.day_limit_until {
            self.sentences.push(format!(
                "Xero's limit of calls for a day is used up. Work goes on by itself, {}.",
                moment(until)
            ));
        }
        if let Some(shadow) = settings.shadow {
            self.sentences.push(format!(
                "In shadow since {}: what would be done is decided and reported on the page Shadow, and nothing is done.",
                moment(shadow.since)
            ));
        }
        if let Some(off) = caps.and_then(|caps| caps.disabled.as_ref()) {
            self.uploads_off = true;
            self.sentences.push(format!(
                "Uploads have switched themselves off, {}: {}. No payment that waits for a night goes until an \
                 operator switches them on again, on the page Limits.",
                moment(off.at),
                off.why
            ));
        }
        if let Some((payments, invoices)) = self.mass_change {
            self.sentences.push(format!(
                "{payments} payments on {invoices} invoices were changed or deleted in Xero within an hour. They \
                 are left here as they were until an operator has looked at them and approved the change."
            ));
        }
    }
}

/// The payments and invoices that a mass change holds back, unless a person has let it through.
fn held_back(brake: &Brake, now: Timestamp) -> Option<(u32, usize)> {
    let approved = brake.approved_until.is_some_and(|until| until > now);
    let waits = brake.on_since.is_some() && !brake.waiting.is_empty() && !approved;
    let payments = brake.waiting.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
    waits.then_some((payments, brake.waiting.len()))
}
