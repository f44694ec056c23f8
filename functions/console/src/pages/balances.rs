//! What customers owe, by age, and what they have paid too much: for the organisation, for each customer, and the invoices of
//! each bucket (ST-05, ST-12, ST-24). Each currency stands for itself.
//!
//! One page reads a part of the unsettled invoices. Where there are more, its button carries the sums of all that were read
//! so far to the next part, so that they are those of the organisation when the last part is read.

use std::collections::BTreeMap;

use askama::Template;
use jiff::civil::Date;
use payments::balance::{Age, Ages, add_ages, ages};
use payments::close::Sum;
use payments::{Currency, InvoiceNumber, Money};
use serde_json::json;
use table::InvoiceBalance;

use super::{Page, PageError, Stage, filled};
use crate::csv::csv;
use crate::event::TEXT_CHARS_MAX;
use crate::view::{Button, Frame};

/// Unsettled invoices that one page reads.
const READ_MAX: usize = 1_400;
/// Invoices that are shown one by one, customers that are, and lines of a CSV.
const SHOWN_MAX: usize = 200;
const CUSTOMERS_MAX: usize = 100;
const CSV_MAX: usize = 2_000;
/// In place of a bucket: those of every bucket, or what is to be followed up, which is shown unless something else is asked for.
const EVERY: &str = "every";
const OVERDUE: &str = "overdue";

/// Sums of one currency: one for each bucket, and of all that is owed.
struct SumLine {
    /// The currency, or the customer.
    name: String,
    currency: &'static str,
    buckets: Vec<String>,
    owed: String,
    look: Option<Button>,
}

struct Line {
    number: String,
    customer: String,
    due_on: String,
    late: String,
    age: String,
    is_overdue: bool,
    left: String,
    in_xero: &'static str,
    look: Button,
}

#[derive(Template)]
#[template(path = "balances.html")]
struct Balances {
    frame: Frame,
    typed: String,
    kinds: Vec<(&'static str, String, bool)>,
    show: Button,
    ages: Vec<String>,
    sums: Vec<SumLine>,
    customers: Vec<SumLine>,
    customers_left_out: usize,
    listed: String,
    lines: Vec<Line>,
    lines_left_out: usize,
    unreadable: Vec<String>,
    /// Which invoices the page is about, if they are not all.
    part: Option<String>,
    /// Which invoices the sums by age are of, if they are not all.
    sums_of: Option<String>,
    further: Option<Button>,
    csv: String,
    customers_csv: String,
    csv_is_cut: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (today, filter) = (stage.settings.today(stage.now), &stage.show.filter);
    let behind = filter.before.parse::<InvoiceNumber>().ok();
    let organisation = stage.organisation();
    let found = stage.tables.list_balances(organisation, behind.as_ref(), READ_MAX).await?;
    stage.count(found.looked_at);
    let here = ages(found.rows.iter().map(|row| &row.balance), today);
    let before = behind.as_ref().map(|_| Carried::read(&filter.carried));
    let sums = match &before {
        None => Carried::of(found.looked_at, here),
        Some(Some(before)) => before.with(found.looked_at, &here),
        // Its sums were too long for a button.
        Some(None) => Carried::of(found.looked_at, here),
    };
    let customers = by_customer(&found.rows, today);
    let chosen: Vec<&InvoiceBalance> = found
        .rows
        .iter()
        .filter(|row| is_chosen(row, &filter.kind, today) && is_of(row, &filter.word))
        .collect();
    let sum = ages(chosen.iter().map(|row| &row.balance), today);
    let lines = chosen.iter().take(SHOWN_MAX).map(|row| line(stage, row, today));
    let named =
        Age::ALL.iter().map(|age| (age.code(), words(age.code()), age.code() == filter.kind));
    let others = [
        (OVERDUE, "overdue", filter.kind.is_empty() || filter.kind == OVERDUE),
        (EVERY, "every age", filter.kind == EVERY),
    ];
    let others = others.map(|(code, words, is_chosen)| (code, words.to_owned(), is_chosen));
    let unreadable = found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    filled(&Balances {
        frame: stage.frame(),
        typed: filter.word.clone(),
        kinds: others.into_iter().chain(named).collect(),
        show: stage.buttons.page("Show", Page::Balances, json!({})),
        ages: Age::ALL.iter().map(|age| words(age.code())).collect(),
        sums: sum_lines(&sums.ages, None),
        customers_left_out: customers.len().saturating_sub(CUSTOMERS_MAX),
        customers: customers
            .iter()
            .take(CUSTOMERS_MAX)
            .flat_map(|customer| customer_lines(stage, customer))
            .collect(),
        listed: in_words(&sum, chosen.len()),
        lines: lines.collect(),
        lines_left_out: chosen.len().saturating_sub(SHOWN_MAX),
        unreadable: unreadable.collect(),
        part: (behind.is_some() || found.next.is_some())
            .then(|| part(behind.as_ref(), found.looked_at, found.next.as_ref())),
        sums_of: sums.words(&before, found.next.is_some()),
        further: found.next.as_ref().map(|next| {
            let more = json!({"before": next.as_str(), "carried": sums.text()});
            stage.buttons.page("Read on", Page::Balances, more).about("further invoices")
        }),
        csv: as_csv(&chosen, today),
        customers_csv: customers_csv(&customers),
        csv_is_cut: chosen.len() > CSV_MAX || customers.len() > CSV_MAX,
    })
}

/// Which of the unsettled invoices a page is about.
fn part(behind: Option<&InvoiceNumber>, count: usize, next: Option<&InvoiceNumber>) -> String {
    let from = behind.map(|number| format!(" behind {number}")).unwrap_or_default();
    let to = next.map(|number| format!(" up to {number}, and there are more")).unwrap_or_default();
    format!("This page has {count} unsettled invoices{from}{to}, in the order of their numbers.")
}

/// Sums of the invoices that were read so far.
struct Carried {
    read: usize,
    ages: Ages,
}

impl Carried {
    fn of(read: usize, ages: Ages) -> Self {
        Self { read, ages }
    }

    fn with(&self, read: usize, more: &Ages) -> Self {
        let mut ages = self.ages.clone();
        add_ages(&mut ages, more);
        Self { read: self.read.saturating_add(read), ages }
    }

    /// Which invoices they are of, unless it is all of them.
    fn words(&self, before: &Option<Option<Self>>, is_more: bool) -> Option<String> {
        match (before, is_more) {
            (Some(None), _) => Some("These are the sums of this page alone.".to_owned()),
            (_, true) => Some(format!(
                "These are the sums of the first {} unsettled invoices: read on at the end of the page for the others.",
                self.read
            )),
            (Some(Some(_)), false) => {
                Some(format!("These are the sums of all {} unsettled invoices.", self.read))
            }
            (None, false) => None,
        }
    }

    /// As a button carries them: `3;AUD/not_due/2/100.01;…`. Empty if that is too long for one.
    fn text(&self) -> String {
        let mut text = self.read.to_string();
        for ((currency, age), sum) in &self.ages {
            let money = sum.money.map(|money| money.amount().to_string()).unwrap_or_default();
            text.push_str(&format!(";{currency}/{age}/{}/{money}", sum.count));
        }
        if text.len() > TEXT_CHARS_MAX { String::new() } else { text }
    }

    fn read(text: &str) -> Option<Self> {
        let (read, sums) = text.split_once(';').unwrap_or((text, ""));
        let mut ages = Ages::new();
        for sum in sums.split(';').filter(|sum| !sum.is_empty()) {
            let [currency, age, count, money] =
                <[&str; 4]>::try_from(sum.split('/').collect::<Vec<_>>()).ok()?;
            let currency: Currency = currency.parse().ok()?;
            let money = match money {
                "" => None,
                money => Some(Money::parse(money, currency).ok()?),
            };
            let sum = Sum { count: count.parse().ok()?, money };
            ages.insert((currency.code(), Age::from_code(age)?), sum);
        }
        Some(Self { read: read.parse().ok()?, ages })
    }
}

fn words(code: &str) -> String {
    code.replace('_', " ")
}

/// The customer's id, or the name where the business's own system says no id.
fn customer(row: &InvoiceBalance) -> String {
    match (&row.customer, &row.name) {
        (Some(id), Some(name)) => format!("{id} {name}"),
        (Some(id), None) => id.to_string(),
        (None, Some(name)) => name.clone(),
        (None, None) => "not known".to_owned(),
    }
}

fn is_chosen(row: &InvoiceBalance, kind: &str, today: Date) -> bool {
    let age = Age::of(&row.balance, today);
    match kind {
        EVERY => true,
        "" | OVERDUE => age.is_overdue(),
        kind => age.code() == kind,
    }
}

fn is_of(row: &InvoiceBalance, word: &str) -> bool {
    word.is_empty() || customer(row).to_lowercase().contains(&word.to_lowercase())
}

/// A customer with its sums.
struct Customer<'a> {
    /// By which it is found.
    word: String,
    shown: String,
    rows: Vec<&'a InvoiceBalance>,
    ages: Ages,
}

/// Each customer with its invoices; those with most overdue invoices first.
fn by_customer(rows: &[InvoiceBalance], today: Date) -> Vec<Customer<'_>> {
    let mut of: BTreeMap<(bool, String), Vec<&InvoiceBalance>> = BTreeMap::new();
    for row in rows {
        // A name that looks like an id is no id.
        let key = match &row.customer {
            Some(id) => (true, id.to_string()),
            None => (false, row.name.clone().unwrap_or_default()),
        };
        of.entry(key).or_default().push(row);
    }
    let mut customers: Vec<_> = of
        .into_iter()
        .map(|((_, word), rows)| Customer {
            shown: rows.first().map(|row| customer(row)).unwrap_or_default(),
            ages: ages(rows.iter().map(|row| &row.balance), today),
            word,
            rows,
        })
        .collect();
    let overdue = |customer: &Customer<'_>| {
        let late = customer.rows.iter().filter(|row| Age::of(&row.balance, today).is_overdue());
        (std::cmp::Reverse(late.count()), customer.word.clone())
    };
    customers.sort_by_cached_key(overdue);
    customers
}

fn amount(sum: Option<&Sum>) -> String {
    match sum {
        None => String::new(),
        Some(Sum { count, money: Some(money) }) => format!("{money} ({count})"),
        Some(Sum { count, money: None }) => format!("too much to add up ({count})"),
    }
}

/// All that is owed in a currency: without what was paid too much.
fn owed(ages: &Ages, currency: &str) -> Option<Money> {
    let owed = ages.iter().filter(|((of, age), _)| *of == currency && *age != Age::Overpaid);
    let moneys: Option<Vec<Money>> = owed.map(|(_, sum)| sum.money).collect();
    Money::sum(currency.parse::<Currency>().ok()?, moneys?).ok()
}

/// A line for each currency.
fn sum_lines(ages: &Ages, name: Option<&str>) -> Vec<SumLine> {
    let mut currencies: Vec<&'static str> = ages.keys().map(|(currency, _)| *currency).collect();
    currencies.dedup();
    let line = |currency: &'static str| SumLine {
        name: name.unwrap_or(currency).to_owned(),
        currency,
        buckets: Age::ALL.iter().map(|age| amount(ages.get(&(currency, *age)))).collect(),
        owed: owed(ages, currency)
            .map_or_else(|| "too much to add up".to_owned(), |owed| owed.to_string()),
        look: None,
    };
    currencies.into_iter().map(line).collect()
}

fn customer_lines(stage: &Stage<'_>, customer: &Customer<'_>) -> Vec<SumLine> {
    let mut lines = sum_lines(&customer.ages, Some(&customer.shown));
    for line in &mut lines {
        let which = json!({"word": customer.word, "kind": EVERY, "clear": true});
        let look = stage.buttons.page("Invoices", Page::Balances, which);
        let about = format!("{} in {}", customer.shown, line.currency);
        line.look = Some(look.about(about)).filter(|_| !customer.word.is_empty());
    }
    lines
}

/// The number of invoices that are listed, and their money by currency.
fn in_words(sums: &Ages, count: usize) -> String {
    let money =
        sums.iter().map(|((_, age), sum)| format!("{} {}", words(age.code()), amount(Some(sum))));
    let money = money.collect::<Vec<_>>().join("; ");
    match count {
        0 => "No invoice is like this.".to_owned(),
        count => format!("{count} in all: {money}."),
    }
}

/// For how many days it has been due.
fn late(row: &InvoiceBalance, today: Date) -> String {
    let days = row.balance.due_on.map(|due_on| due_on.duration_until(today).as_hours() / 24);
    days.filter(|days| *days > 0).map(|days| days.to_string()).unwrap_or_default()
}

fn line(stage: &Stage<'_>, row: &InvoiceBalance, today: Date) -> Line {
    let age = Age::of(&row.balance, today);
    let which = json!({"invoice": row.number.as_str(), "clear": true});
    Line {
        number: row.number.to_string(),
        customer: customer(row),
        due_on: row.balance.due_on.map(|day| day.to_string()).unwrap_or_default(),
        late: late(row, today),
        age: words(age.code()),
        is_overdue: age.is_overdue(),
        left: row.balance.left.to_string(),
        in_xero: if row.in_xero { "✔" } else { "not yet" },
        look: stage.buttons.page("Look", Page::Invoice, which).about(row.number.as_str()),
    }
}

fn as_csv(rows: &[&InvoiceBalance], today: Date) -> String {
    let titles = [
        "invoice",
        "customer",
        "name",
        "due_on",
        "days_late",
        "age",
        "currency",
        "left",
        "in_xero",
    ];
    let cells = |row: &&InvoiceBalance| {
        [
            row.number.to_string(),
            row.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.name.clone().unwrap_or_default(),
            row.balance.due_on.map(|day| day.to_string()).unwrap_or_default(),
            late(row, today),
            Age::of(&row.balance, today).to_string(),
            row.balance.left.currency().code().to_owned(),
            row.balance.left.amount().to_string(),
            row.in_xero.to_string(),
        ]
    };
    csv(titles, rows.iter().take(CSV_MAX).map(cells))
}

fn customers_csv(customers: &[Customer<'_>]) -> String {
    let lines = customers.iter().take(CSV_MAX).flat_map(|customer| {
        customer.ages.iter().map(|((currency, age), sum)| {
            [
                customer.shown.clone(),
                (*currency).to_owned(),
                age.to_string(),
                sum.count.to_string(),
                sum.money.map(|money| money.amount().to_string()).unwrap_or_default(),
            ]
        })
    });
    csv(["customer", "currency", "age", "invoices", "left"], lines)
}
