//! A log of an organisation over some time: rows as the tables write them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::{SignedDuration, Timestamp};
use payments::seal::{Contents, Seal};
use uuid::Uuid;

use crate::world::{Item, ORGANISATION, World, organisation};

/// Rows for each payment, about.
pub(crate) const ROWS_A_PAYMENT: usize = 3;

/// A row in the making.
struct Row(Item);

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

impl Row {
    fn new(at: Timestamp, place: &str, action: &str) -> Self {
        let row = HashMap::from([
            ("day".to_owned(), text(format!("{ORGANISATION}/{}", at.strftime("%Y-%m-%d")))),
            ("at".to_owned(), text(format!("{}#{place}", moment(at)))),
            ("organisation".to_owned(), text(ORGANISATION)),
            ("action".to_owned(), text(action)),
            ("cause".to_owned(), text("webhook")),
        ]);
        Self(row)
    }

    fn with(mut self, values: &[(&str, &str)]) -> Self {
        for (name, value) in values {
            let value = match value.strip_prefix('#') {
                Some(number) => AttributeValue::N(number.to_owned()),
                None => text(value),
            };
            self.0.insert((*name).to_owned(), value);
        }
        self
    }
}

/// Payments on invoices of their own, so many over so many days from a first one on, with all that may come of them.
pub(crate) async fn fill(world: &World, first: &str, days: i64, payments: usize) {
    let begin: Timestamp = first.parse().unwrap();
    let span = SignedDuration::from_hours(24 * days).as_millis();
    let mut rows: Vec<Item> = Vec::new();
    for n in 0..payments {
        let share = i128::try_from(n).unwrap() * span / i128::try_from(payments).unwrap();
        let at = begin + SignedDuration::from_millis(i64::try_from(share).unwrap());
        payment(&mut rows, n, at);
    }
    for some in rows.chunks(25) {
        let put = |row: &Item| {
            let put = PutRequest::builder().set_item(Some(row.clone())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let puts: Vec<_> = some.iter().map(put).collect();
        world.client.batch_write_item().request_items("activity", puts).send().await.unwrap();
    }
}

/// The rows of one payment, on an invoice of its own.
fn payment(rows: &mut Vec<Item>, n: usize, at: Timestamp) {
    let number = format!("{}", 10_000 + n);
    let customer = format!("C-{}", n % 37);
    let total = format!("{}.{:02}", 20 + n % 900, n % 100);
    let invoice_id = Uuid::from_u128(1 + u128::try_from(n).unwrap()).to_string();
    let payment = Uuid::from_u128((1 << 64) + u128::try_from(n).unwrap()).to_string();
    let on = |left: &str, open: &str, row: Row| {
        let key = format!("{ORGANISATION}/{number}");
        let (total, left) = (format!("#{total}"), format!("#{left}"));
        let row = row.with(&[
            ("invoice", &key),
            ("invoice_number", &number),
            ("xero_invoice_id", &invoice_id),
            ("customer", &customer),
            ("invoice_total", &total),
            ("invoice_left", &left),
            ("invoice_currency", "AUD"),
            ("invoice_due_on", &at.strftime("%Y-%m-%d").to_string()),
        ]);
        if open.is_empty() { row } else { row.with(&[("invoice_open", open)]) }
    };
    let is_short = n % 10 == 3;
    let paid = if is_short { "10.00".to_owned() } else { total.clone() };
    let (left, open) = if is_short { ("12.34", "UNDERPAID") } else { ("0", "") };
    let method = ["bank transfer", "card", "bpay", "paypal"][n % 4];
    let status = if n % 40 == 7 { "refunded" } else { "confirmed" };
    // Most are seen in seconds, a few too late.
    let took = if n.is_multiple_of(97) { 400_000 } else { 1_000 + n % 4_000 };
    let seen = at + SignedDuration::from_millis(i64::try_from(took).unwrap());
    rows.push(
        on(&total, "", Row::new(at, &format!("{number}#1-0"), "recorded"))
            .with(&[("cause", "intake"), ("rule", "SP-02")])
            .0,
    );
    let id = format!("xero-{payment}");
    let money = |row: Row, at: Timestamp| {
        row.with(&[
            ("payment_id", &id),
            ("xero_payment_id", &payment),
            ("amount", &format!("#{paid}")),
            ("currency", "AUD"),
            ("method", method),
            ("transaction_id", &payment),
            ("date", &at.strftime("%Y-%m-%d").to_string()),
            ("origin", "xero"),
            ("status", status),
        ])
    };
    let imported = on(left, open, Row::new(seen, &format!("{number}#2-0"), "imported"));
    let imported = imported.with(&[("rule", "CM-34"), ("event_at", &at.to_string())]);
    let imported = if n % 53 == 5 { imported.with(&[("by", "Ada")]) } else { imported };
    rows.push(money(imported, at).0);
    if is_short {
        discrepancy(rows, n, seen, &on);
    } else if n % 10 == 4 {
        order(rows, n, seen, &number, &total);
    } else {
        let noted = on(
            left,
            open,
            Row::new(
                seen + SignedDuration::from_millis(1),
                &format!("{number}#3-0"),
                "number_changed",
            ),
        );
        rows.push(noted.with(&[("rule", "CM-05")]).0);
    }
}

/// An underpayment that is found, and perhaps resolved in time, too late, or accepted.
fn discrepancy(rows: &mut Vec<Item>, n: usize, at: Timestamp, on: &dyn Fn(&str, &str, Row) -> Row) {
    let about = [
        ("discrepancy".to_owned(), "UNDERPAID".to_owned()),
        ("subject".to_owned(), String::new()),
        ("detected_at".to_owned(), at.to_string()),
        ("due_at".to_owned(), (at + SignedDuration::from_hours(48)).to_string()),
        ("owner".to_owned(), ["Ada", "Bert"][n / 10 % 2].to_owned()),
    ];
    let about: Vec<_> = about.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let raised = on(
        "12.34",
        "UNDERPAID",
        Row::new(at, &format!("{}#2-1", 10_000 + n), "discrepancy_raised"),
    );
    rows.push(raised.with(&about).with(&[("rule", "A7.2")]).0);
    let (hours, action) = match n / 10 % 4 {
        0 => (30, "discrepancy_resolved"),
        1 => (70, "discrepancy_resolved"),
        2 => (40, "discrepancy_accepted"),
        _ => return,
    };
    let at = at + SignedDuration::from_hours(hours);
    let ended = on("0", "", Row::new(at, &format!("{}#3-1", 10_000 + n), action));
    rows.push(
        ended.with(&about).with(&[("rule", "AMB-31"), ("by", "Ada"), ("why", "agreed by phone")]).0,
    );
}

/// The order behind an invoice; one in a hundred has a status that the facts do not give.
fn order(rows: &mut Vec<Item>, n: usize, at: Timestamp, number: &str, total: &str) {
    let id = format!("O-{n}");
    let status = if n % 100 == 4 {
        "partially_paid"
    } else if n % 40 == 7 {
        "refunded"
    } else {
        "fully_paid"
    };
    let before = at - SignedDuration::from_mins(1);
    let reported = Row::new(before, &format!("order#{id}#1-order_recorded"), "order_recorded")
        .with(&[
            ("order", &id),
            ("order_total", &format!("#{total}")),
            ("order_currency", "AUD"),
            ("order_placed_at", &before.to_string()),
            ("order_invoices", number),
        ]);
    rows.push(reported.0);
    let after = at + SignedDuration::from_secs(2);
    let moved =
        Row::new(after, &format!("order#{id}#2-order_completed"), "order_completed").with(&[
            ("order", &id),
            ("progress", "payment_received"),
            ("status", status),
            ("amount", &format!("#{total}")),
            ("currency", "AUD"),
            ("rule", "SP-05"),
        ]);
    rows.push(moved.0);
}

/// Seals all days from the first one to the one that is over, as the function does it.
pub(crate) async fn sealed(world: &World, first: &str, now: &str) {
    world.at(now);
    let wish = serde_json::json!({"organisation": ORGANISATION, "from": first});
    for line in world.ask(wish).await {
        assert!(line.contains("sealed"), "{line}");
    }
}

/// The same without reading the rows: for tests that are about reports.
pub(crate) async fn sealed_blindly(world: &World, first: &str, last: &str) {
    let (mut day, last) = (first.parse::<jiff::civil::Date>().unwrap(), last.parse().unwrap());
    let mut previous = None;
    while day <= last {
        let seal = Seal::new(organisation(), day, previous, Contents::default());
        world.tables.store_seal(&seal, world.clock.now()).await.unwrap();
        previous = Some(seal.checksum);
        day = day.tomorrow().unwrap();
    }
}
