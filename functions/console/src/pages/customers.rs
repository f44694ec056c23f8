//! The business's customers with their contacts in Xero (EX-21, EX-22, EX-36) and the credit that they have left there
//! (ST-25), and the customers in Xero that the business does not know (CC-06).

use askama::Template;
use payments::explanations::{Link, NEEDS_LOGIN, XeroLinks};
use payments::sweep::SweepKind;
use payments::upload::{ContactRecord, Customer, FoundBy};
use serde_json::json;

use super::contact_credits::OneCustomer;
use super::{Page, PageError, Stage, filled};
use crate::view::{Button, Frame};

/// Customers on a page.
const SHOWN_MAX: usize = 100;

struct Line {
    customer: String,
    name: String,
    found_by: &'static str,
    synced: String,
    to_solve: String,
    credit: String,
    link: Option<Link>,
}

struct Unknown {
    name: String,
    account_number: String,
    link: Option<Link>,
}

#[derive(Template)]
#[template(path = "customers.html")]
struct Customers {
    frame: Frame,
    typed: String,
    show: Button,
    synced: String,
    lines: Vec<Line>,
    one: Option<OneCustomer>,
    unreadable: Vec<String>,
    more: Option<Button>,
    unknown: Vec<Unknown>,
    more_unknown: bool,
    needs_login: &'static str,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let filter = &stage.show.filter;
    let links = tables.xero_links(organisation).await?;
    let sync = tables.sweep(organisation, SweepKind::Customers).await?;
    let (mut customers, mut unreadable, mut more) = (Vec::new(), Vec::new(), None);
    let mut is_one = false;
    match filter.search.parse() {
        Ok(id) => {
            let found = tables.customer(organisation, &id).await?;
            customers.extend(found);
            is_one = true;
        }
        Err(_) => {
            let after = Some(filter.before.as_str()).filter(|after| !after.is_empty());
            let found = tables.customers_after(organisation, after, SHOWN_MAX).await?;
            unreadable
                .extend(found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem)));
            if let Some(last) = found.rows.last().filter(|_| found.more) {
                let next = json!({ "before": last.id.as_str(), "clear": true });
                more = Some(stage.buttons.page("More", Page::Customers, next));
            }
            customers.extend(found.rows);
        }
    }
    let ids: Vec<_> = customers.iter().filter_map(|customer| customer.contact).collect();
    let contacts = tables.contacts(organisation, &ids).await?;
    stage.count(contacts.len());
    let one = match customers.first().filter(|_| is_one) {
        Some(customer) => Some(OneCustomer::read(stage, customer, &contacts, &links).await?),
        None => None,
    };
    let lines: Vec<_> = customers
        .iter()
        .map(|customer| {
            let contact = customer.contact.and_then(|contact| contacts.get(&contact));
            let credit = contact.map(|contact| contact.credit.words()).unwrap_or_default();
            Line { credit, ..line(stage, customer, sync.last_success_at, &links) }
        })
        .collect();
    let found = tables.unknown_contacts(organisation, SHOWN_MAX).await?;
    stage.count(lines.len().saturating_add(found.rows.len()).saturating_add(2));
    let unknown = |record: &ContactRecord| Unknown {
        name: record.contact.name.clone().unwrap_or_default(),
        account_number: record.account_number.clone().unwrap_or_default(),
        link: links.contact(record.contact.id),
    };
    filled(&Customers {
        frame: stage.frame(),
        typed: filter.search.clone(),
        show: stage.buttons.page("Show", Page::Customers, json!({})),
        synced: stage.moment_or(sync.last_success_at, "never"),
        lines,
        one,
        unreadable,
        more,
        unknown: found.rows.iter().map(unknown).collect(),
        more_unknown: found.more,
        needs_login: NEEDS_LOGIN,
    })
}

/// A customer that is not to be compared again is as up to date as the last whole sync (EX-21).
fn line(
    stage: &Stage<'_>,
    customer: &Customer,
    last_sync: Option<jiff::Timestamp>,
    links: &XeroLinks,
) -> Line {
    let synced = customer.sync.synced_at;
    let synced = if customer.sync.is_due { synced } else { synced.max(last_sync) };
    Line {
        customer: customer.id.to_string(),
        name: customer.name.clone().unwrap_or_default(),
        found_by: how(customer),
        synced: stage.moment_or(synced, "not yet"),
        to_solve: customer.blocked.clone().unwrap_or_default(),
        credit: String::new(),
        link: customer.contact.and_then(|contact| links.contact(contact)),
    }
}

fn how(customer: &Customer) -> &'static str {
    match (customer.contact, customer.sync.found_by) {
        (None, Some(FoundBy::Person)) => "none for now, as a person has said",
        (None, _) => "none",
        (Some(_), None | Some(FoundBy::Report)) => "named by the business",
        (Some(_), Some(FoundBy::AccountNumber)) => "by its account number",
        (Some(_), Some(FoundBy::Name)) => "by its name",
        (Some(_), Some(FoundBy::Email)) => "by its e-mail address",
        (Some(_), Some(FoundBy::Person)) => "picked by a person",
    }
}
