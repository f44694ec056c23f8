//! What does not agree, on invoices and on contacts, the oldest first: a person looks into it, or accepts it (SP-36,
//! AMB-31). What stands on a contact belongs to no invoice, and is seen here only (A8.3, CM-50).

use askama::Template;
use payments::explanations::{Link, NEEDS_LOGIN, XeroLinks};
use payments::{Discrepancy, DiscrepancyKind};
use serde_json::{Value, json};
use table::{DiscrepancySubject, OpenDiscrepancy};

use super::{Page, PageError, Stage, filled};
use crate::event::TEXT_CHARS_MAX;
use crate::order::Order;
use crate::view::{Button, Frame, Sign};

/// Discrepancies that are read and shown.
const SHOWN_MAX: usize = 100;

struct Row {
    kind: String,
    /// The invoice or the contact.
    place: String,
    look: Option<Button>,
    link: Option<Link>,
    found: String,
    due: String,
    is_late: bool,
    detail: String,
    accept: Option<Button>,
}

#[derive(Template)]
#[template(path = "discrepancies.html")]
struct Discrepancies {
    frame: Frame,
    sign: Option<Sign>,
    may_not: Option<String>,
    rows: Vec<Row>,
    unreadable: Vec<String>,
    left_out: bool,
    needs_login: Option<&'static str>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let found = tables.list_open_discrepancies(organisation, SHOWN_MAX).await?;
    stage.count(found.rows.len().saturating_add(found.unreadable.len()));
    let mut links = XeroLinks::default();
    if !found.rows.is_empty() {
        links = tables.xero_links(organisation).await?;
        stage.count(1);
    }
    let rows: Vec<_> = found.rows.iter().map(|open| row(stage, open, &links)).collect();
    let any_link = rows.iter().any(|row| row.link.is_some());
    let unreadable = found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    filled(&Discrepancies {
        frame: stage.frame(),
        sign: stage.sign(),
        may_not: stage.may_not(),
        rows,
        unreadable: unreadable.collect(),
        left_out: found.more,
        needs_login: any_link.then_some(NEEDS_LOGIN),
    })
}

fn row(stage: &Stage<'_>, open: &OpenDiscrepancy, links: &XeroLinks) -> Row {
    let found = &open.found;
    let (place, look, link, which) = match &open.place {
        DiscrepancySubject::Invoice(number) => {
            let which = json!({"invoice": number.as_str(), "clear": true});
            let look = stage.buttons.page("Invoice", Page::Invoice, which);
            let look = look.about(number.as_str());
            let which = json!({"invoice": number.as_str()});
            (format!("invoice {number}"), Some(look), None, which)
        }
        DiscrepancySubject::Contact(contact) => {
            let look = payment(found).map(|payment| {
                let search = json!({"search": payment, "clear": true});
                stage.buttons.page("Why", Page::Why, search).about(payment)
            });
            let which = json!({"contact": contact.to_string()});
            (format!("contact {contact}"), look, links.contact(*contact), which)
        }
        DiscrepancySubject::Order(order) => {
            let which = json!({"order_id": order.as_str(), "clear": true});
            let look = stage.buttons.page("Order", Page::Orders, which).about(order.as_str());
            (format!("order {order}"), Some(look), None, json!({"order_id": order.as_str()}))
        }
        DiscrepancySubject::Payment(id) => {
            let which = json!({"search": id.as_str(), "clear": true});
            let look = stage.buttons.page("Why", Page::Why, which).about(id.as_str());
            (format!("payment {id}"), Some(look), None, json!({"payment": id.as_str()}))
        }
    };
    let name = format!("{} of {place}", found.key);
    Row {
        kind: found.key.kind.to_string(),
        place,
        look,
        link,
        found: stage.moment(found.since()),
        due: stage.moment(found.due_at()),
        is_late: found.due_at() < stage.now,
        detail: found.detail.clone(),
        accept: accept(stage, found, &name, which),
    }
}

/// The payment of the business's own that a discrepancy of a contact is about.
fn payment(found: &Discrepancy) -> Option<&str> {
    let subject = found.key.subject.as_str();
    let is_pair = found.key.kind == DiscrepancyKind::PossibleDuplicate;
    is_pair.then(|| subject.split(' ').next()).flatten()
}

/// The button that accepts a discrepancy of an invoice or of a contact.
pub(super) fn accept(
    stage: &Stage<'_>,
    found: &Discrepancy,
    name: &str,
    place: Value,
) -> Option<Button> {
    let is_short = found.detail.chars().count() <= TEXT_CHARS_MAX;
    // Values too long for a button are not compared with what the person has read.
    let seen = is_short.then_some(found.detail.as_str());
    let mut which = place;
    which["discrepancy"] = json!(found.key.to_string());
    which["seen"] = json!(seen);
    stage.order_about(Order::Accept, name, which).filter(|_| found.is_open())
}
