//! All actions between the two systems, with the rule and the reason for each (EX-24, ST-14).

use askama::Template;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::InvoiceNumber;
use serde_json::json;
use table::ActivityRow;

use super::{Page, PageError, Stage, filled};
use crate::event::Filter;
use crate::links;
use crate::view::{Button, Frame};

/// Rows that are read, of one day or of one invoice.
const READ_MAX: usize = 500;
/// Rows that are shown.
const SHOWN_MAX: usize = 100;

struct Line {
    at: String,
    action: String,
    rule: String,
    about: String,
    invoice: Option<Button>,
    why: String,
    who: String,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Activity {
    frame: Frame,
    filter: Filter,
    day: String,
    problem: Option<String>,
    apply: Button,
    clear: Button,
    unreadable: Vec<String>,
    lines: Vec<Line>,
    left_out: Option<String>,
    invoice_link: Option<String>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let filter = &stage.show.filter;
    let today = stage.now.to_zoned(TimeZone::UTC).date();
    let (day, mut problem) = day_of(&filter.day, today);
    let mut short_code = None;
    if let Some(connection) = tables.connection(organisation).await? {
        stage.count(1);
        short_code = connection.short_code;
    }
    let mut invoice_link = None;
    let found = match number_of(&filter.invoice, stage) {
        Some(Ok(number)) => {
            let invoice = tables.invoice_header(organisation, &number).await?;
            stage.count(1);
            let xero = invoice.xero.map(|xero| xero.invoice);
            invoice_link = xero.and_then(|xero| links::invoice(short_code.as_deref(), xero));
            tables.activity_of_invoice(organisation, &number, READ_MAX).await?
        }
        Some(Err(())) => {
            problem = Some("That is no number of an invoice, so it is left out.".to_owned());
            tables.activity_of_day(organisation, day, READ_MAX).await?
        }
        None => tables.activity_of_day(organisation, day, READ_MAX).await?,
    };
    let found = stage.counted(found);
    let wanted: Vec<_> = found.rows.iter().filter(|row| is_wanted(row, filter)).collect();
    let left_out = left_out(wanted.len(), found.more);
    let unreadable = wanted.iter().take(SHOWN_MAX).filter_map(|row| unreadable(row)).collect();
    let lines = wanted.into_iter().take(SHOWN_MAX);
    let lines = lines.map(|row| line(stage, row, short_code.as_deref())).collect();
    filled(&Activity {
        frame: stage.frame(),
        filter: filter.clone(),
        day: day.to_string(),
        problem,
        apply: stage.buttons.page("Show", Page::Activity, json!({})),
        clear: stage.buttons.page(
            "Show everything of today",
            Page::Activity,
            json!({"clear": true}),
        ),
        unreadable,
        lines,
        left_out,
        invoice_link,
    })
}

/// The day that was asked for, or today; in UTC, as the log is kept.
fn day_of(text: &str, today: Date) -> (Date, Option<String>) {
    match Date::strptime("%Y-%m-%d", text) {
        Ok(day) => (day, None),
        Err(_) if text.is_empty() => (today, None),
        Err(_) => (today, Some("A day looks like 2026-11-23; today is shown.".to_owned())),
    }
}

/// The number that was asked for, with or without the prefix that it has in Xero.
pub(super) fn number_of(text: &str, stage: &Stage<'_>) -> Option<Result<InvoiceNumber, ()>> {
    if text.is_empty() {
        return None;
    }
    let prefix = stage.settings.prefix.to_string();
    let number = text.strip_prefix(prefix.as_str()).unwrap_or(text);
    Some(number.parse().map_err(|_| ()))
}

/// The sentence about a row that holds something that we do not write.
pub(super) fn unreadable(row: &ActivityRow) -> Option<String> {
    (!row.unreadable.is_empty()).then(|| {
        format!(
            "The row {} of the table activity cannot be read: what is wrong is in {}. The rest of it is shown.",
            row.key,
            row.unreadable.join(", ")
        )
    })
}

/// Whether a row has the word in its cause, rule, action, reason or method, in capitals or not.
fn is_wanted(row: &ActivityRow, filter: &Filter) -> bool {
    let word = filter.word.to_lowercase();
    let fields = [&row.cause, &row.rule, &row.reason, &row.method, &row.result, &row.payment_id];
    let has = |text: &str| text.to_lowercase().contains(&word);
    has(&row.action) || fields.into_iter().flatten().any(|text| has(text))
}

fn left_out(wanted: usize, more: bool) -> Option<String> {
    match (wanted > SHOWN_MAX, more) {
        (true, _) => Some(format!("Only the newest {SHOWN_MAX} are shown; choose fewer.")),
        (false, true) => Some(format!(
            "There is more than the newest {READ_MAX} rows, among which was looked: choose an invoice."
        )),
        (false, false) => None,
    }
}

fn line(stage: &Stage<'_>, row: &ActivityRow, short_code: Option<&str>) -> Line {
    let about: Vec<&str> = [&row.payment_id, &row.amount, &row.method, &row.what]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    let action = match &row.result {
        Some(result) => format!("{}: {result}", row.action),
        None => row.action.clone(),
    };
    // A reason may be a sentence, what came of an order.
    let reasons = [&row.reason, &row.why].into_iter();
    let reasons = reasons.filter_map(|text| Some(text.as_deref()?.trim_end_matches('.')));
    let who: Vec<&str> =
        [&row.by, &row.cause].into_iter().filter_map(|text| text.as_deref()).collect();
    let invoice = row.invoice_number.as_ref().map(|number| {
        stage.buttons.page(number, Page::Activity, json!({"invoice": number, "clear": true}))
    });
    let payment = row.xero_payment_id.as_deref();
    Line {
        at: stage.clock(&row.at),
        action,
        rule: row.rule.clone().unwrap_or_default(),
        about: about.join(", "),
        invoice,
        why: reasons.collect::<Vec<_>>().join(": "),
        who: who.join(", "),
        link: payment.and_then(|payment| links::payment(short_code, payment)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_looked_for_where_operators_expect_it() {
        // EX-24: by cause and by rule
        let row = ActivityRow {
            action: "deleted".to_owned(),
            rule: Some("CM-22".to_owned()),
            cause: Some("webhook".to_owned()),
            why: Some("gone in Xero".to_owned()),
            ..ActivityRow::default()
        };
        let wanted =
            |word: &str| is_wanted(&row, &Filter { word: word.into(), ..Filter::default() });
        assert!(["", "cm-22", "WEBHOOK", "delet"].into_iter().all(wanted));
        assert!(!wanted("sweep"));
    }

    #[test]
    fn a_day_that_is_none_is_said_to_be_none() {
        let today = jiff::civil::date(2026, 11, 25);
        assert_eq!(day_of("", today), (today, None));
        assert_eq!(day_of("2026-11-23", today), (jiff::civil::date(2026, 11, 23), None));
        assert!(day_of("23/11/2026", today).1.is_some());
    }

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(left_out(3, false), None);
        assert!(left_out(SHOWN_MAX + 1, false).is_some());
        assert!(left_out(3, true).is_some());
    }
}
