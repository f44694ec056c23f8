//! The close of one business day: its sums, and its rows with their causes (SP-14, SP-15, AMB-24).

use jiff::civil::Date;
use payments::close::{CloseCause, CloseStatus, CloseSubject};
use serde_json::json;
use table::{CloseRow, DaySummary, UnfinishedPayment};

use super::{Page, PageError, Stage};
use crate::csv::csv;
use crate::order::Order;
use crate::times;
use crate::view::Button;

/// Rows that are shown.
const SHOWN_MAX: usize = 200;
/// Rows that are looked at for those of one status; behind them the list goes on.
const LOOKED_AT_MAX: usize = 1_400;

/// The money of one currency that stands alike.
pub(super) struct SumLine {
    pub(super) status: String,
    pub(super) currency: &'static str,
    pub(super) count: u64,
    pub(super) amount: String,
}

pub(super) struct RowLine {
    pub(super) subject: String,
    pub(super) look: Option<Button>,
    pub(super) status: String,
    pub(super) is_wrong: bool,
    pub(super) causes: String,
    pub(super) expected: String,
    pub(super) total: String,
    pub(super) paid: String,
    pub(super) left: String,
    pub(super) payments: Vec<String>,
}

/// A closed day, as the page shows it.
pub(super) struct OneClose {
    pub(super) day: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) again: Option<Button>,
    pub(super) sums: Vec<SumLine>,
    /// Cause, class, how many rows have it, and the money of it.
    pub(super) causes: Vec<(String, String, u64, String)>,
    pub(super) statuses: Vec<(&'static str, bool)>,
    pub(super) rows: Vec<RowLine>,
    pub(super) unreadable: Vec<String>,
    pub(super) nothing: Option<String>,
    pub(super) further: Option<Button>,
    pub(super) csv: String,
}

pub(super) async fn read(stage: &Stage<'_>, day: Date) -> Result<Option<OneClose>, PageError> {
    let organisation = stage.organisation();
    let found = stage.tables.close_of(organisation, day).await?;
    stage.count(1);
    let Some(found) = found else { return Ok(None) };
    let filter = &stage.show.filter;
    let status = CloseStatus::from_code(&filter.kind);
    let behind = Some(filter.before.as_str()).filter(|key| !key.is_empty());
    let of = (day, found.closed.revision);
    let limits = (SHOWN_MAX, LOOKED_AT_MAX);
    let rows = stage.tables.close_rows(organisation, of, status, behind, limits).await?;
    stage.count(rows.looked_at);
    let id = day.to_string();
    let further = rows.next.as_ref().map(|key| {
        let more = json!({"day": id, "kind": filter.kind, "before": key});
        stage.buttons.page("Further rows", Page::Closes, more)
    });
    let nothing = rows.rows.is_empty().then(|| match (&further, status) {
        (Some(_), _) => "Among the rows that were looked at there is none: go on below.".to_owned(),
        (None, Some(status)) => format!("No row is {}.", words(status)),
        (None, None) => "The day has no rows.".to_owned(),
    });
    let unreadable = rows.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    let statuses = CloseStatus::ALL.iter().rev();
    Ok(Some(OneClose {
        facts: facts(stage, &found),
        again: stage.order_about(Order::Close, &id, json!({"day": id})),
        sums: sums(&found),
        causes: found
            .causes
            .iter()
            .map(|(cause, count)| {
                let money = money_of(&found, *cause);
                (cause.to_string(), cause.class().to_string(), *count, money)
            })
            .collect(),
        statuses: statuses.map(|one| (one.code(), Some(*one) == status)).collect(),
        csv: as_csv(&rows.rows),
        rows: rows.rows.iter().map(|row| line(stage, row)).collect(),
        unreadable: unreadable.collect(),
        nothing,
        further,
        day: id,
    }))
}

/// The money of a cause, in each currency.
fn money_of(day: &DaySummary, cause: CloseCause) -> String {
    let sums = day.cause_sums.iter().filter(|((_, of), _)| *of == cause);
    let money = sums.map(|(_, sum)| {
        sum.money.map_or_else(|| "too much to add up".to_owned(), |money| money.to_string())
    });
    let money: Vec<_> = money.collect();
    if money.is_empty() { "–".to_owned() } else { money.join(", ") }
}

/// How many payments stand like this, in any currency.
pub(super) fn count(day: &DaySummary, status: CloseStatus) -> u64 {
    day.sums.iter().filter(|((_, of), _)| *of == status).map(|(_, sum)| sum.count).sum()
}

/// A status in words.
fn words(status: CloseStatus) -> String {
    status.code().replace('_', " ")
}

fn facts(stage: &Stage<'_>, day: &DaySummary) -> Vec<(&'static str, String)> {
    let closed = &day.closed;
    let zone = &stage.settings.zone;
    let revision = match closed.revision {
        1 => "1: it was closed once".to_owned(),
        revision => format!("{revision}: facts came late, and it was closed again"),
    };
    let mut facts = vec![
        (
            "It covers",
            format!("{} to {}", times::clock(closed.from, zone), times::clock(closed.until, zone)),
        ),
        ("Closed", stage.moment(day.closed_at)),
        ("Revision", revision),
        ("Payments that reconcile", count(day, CloseStatus::Reconciled).to_string()),
        ("Payments in transit", count(day, CloseStatus::InTransit).to_string()),
        ("Payments that do not reconcile", count(day, CloseStatus::NotReconciled).to_string()),
    ];
    if let Some((first, last)) = day.expected {
        let when = if first == last { first.to_string() } else { format!("{first} to {last}") };
        facts.push(("What is in transit is expected", when));
    }
    facts
}

fn sums(day: &DaySummary) -> Vec<SumLine> {
    let line =
        |((currency, status), sum): (&(&'static str, CloseStatus), &payments::close::Sum)| {
            let amount = sum.money.map(|money| money.to_string());
            SumLine {
                status: words(*status),
                currency,
                count: sum.count,
                amount: amount.unwrap_or_else(|| "too much to add up".to_owned()),
            }
        };
    day.sums.iter().map(line).collect()
}

/// The kind of a subject, and its id.
fn name(subject: &CloseSubject) -> (&'static str, String) {
    match subject {
        CloseSubject::Contact(contact) => ("contact", contact.to_string()),
        CloseSubject::Invoice(number) => ("invoice", number.to_string()),
        CloseSubject::Order(order) => ("order", order.to_string()),
        CloseSubject::Payment(payment) => ("payment", payment.to_string()),
    }
}

fn line(stage: &Stage<'_>, row: &CloseRow) -> RowLine {
    let (kind, id) = name(&row.subject);
    let look = match &row.subject {
        CloseSubject::Invoice(_) => Some((Page::Invoice, json!({"invoice": id, "clear": true}))),
        CloseSubject::Order(_) => Some((Page::Orders, json!({"order_id": id, "clear": true}))),
        CloseSubject::Payment(_) => Some((Page::Why, json!({"search": id, "clear": true}))),
        CloseSubject::Contact(_) => Some((Page::Discrepancies, json!({"clear": true}))),
    };
    let look = look.map(|(page, which)| stage.buttons.page("Look", page, which).about(&id));
    let causes = row.causes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let money = |of: fn(&(payments::Money, payments::Money)) -> payments::Money| {
        row.invoice.as_ref().map(|invoice| of(invoice).to_string()).unwrap_or_default()
    };
    let paid = row.invoice.as_ref().and_then(|(total, left)| total.minus(*left).ok());
    RowLine {
        subject: format!("{kind} {id}"),
        look,
        status: words(row.status),
        is_wrong: row.status == CloseStatus::NotReconciled,
        causes: causes.join(", "),
        expected: row.expected.map(|day| day.to_string()).unwrap_or_default(),
        total: money(|(total, _)| *total),
        paid: paid.map(|paid| paid.to_string()).unwrap_or_default(),
        left: money(|(_, left)| *left),
        payments: row.payments.iter().map(payment).collect(),
    }
}

fn payment(payment: &UnfinishedPayment) -> String {
    let amount = payment.amount.map(|amount| format!(" {amount}")).unwrap_or_default();
    let status = payment.status.map(|status| format!(", {}", words(status))).unwrap_or_default();
    let cause = payment.cause.map(|cause| format!(", {cause}")).unwrap_or_default();
    let expected = payment.expected.map(|day| format!(", expected {day}")).unwrap_or_default();
    format!("{}{amount}{status}{cause}{expected}", payment.id)
}

fn as_csv(rows: &[CloseRow]) -> String {
    let titles = [
        "subject",
        "id",
        "status",
        "causes",
        "expected",
        "invoice_currency",
        "total",
        "left",
        "payment",
        "currency",
        "amount",
        "payment_status",
        "payment_cause",
        "payment_expected",
    ];
    // A row for each unfinished payment; one alone for a subject without any.
    let lines = rows.iter().flat_map(|row| {
        let (kind, id) = name(&row.subject);
        let causes = row.causes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let start = [
            kind.to_owned(),
            id,
            row.status.to_string(),
            causes,
            row.expected.map(|day| day.to_string()).unwrap_or_default(),
            row.invoice.map(|(total, _)| total.currency().code().to_owned()).unwrap_or_default(),
            row.invoice.map(|(total, _)| total.amount().to_string()).unwrap_or_default(),
            row.invoice.map(|(_, left)| left.amount().to_string()).unwrap_or_default(),
        ];
        let payments: Vec<Option<&UnfinishedPayment>> = match row.payments.as_slice() {
            [] => vec![None],
            payments => payments.iter().map(Some).collect(),
        };
        payments.into_iter().map(move |payment| cells(start.clone(), payment))
    });
    csv(titles, lines)
}

fn cells(start: [String; 8], payment: Option<&UnfinishedPayment>) -> [String; 14] {
    let of =
        |text: fn(&UnfinishedPayment) -> Option<String>| payment.and_then(text).unwrap_or_default();
    let [subject, id, status, causes, expected, currency, total, left] = start;
    [
        subject,
        id,
        status,
        causes,
        expected,
        currency,
        total,
        left,
        of(|payment| Some(payment.id.clone())),
        of(|payment| Some(payment.amount?.currency().code().to_owned())),
        of(|payment| Some(payment.amount?.amount().to_string())),
        of(|payment| payment.status.map(|status| status.to_string())),
        of(|payment| payment.cause.map(|cause| cause.to_string())),
        of(|payment| payment.expected.map(|day| day.to_string())),
    ]
}
