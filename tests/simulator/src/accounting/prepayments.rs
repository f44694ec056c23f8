//! `/Prepayments`: what is left of the money that was taken in advance.

use jiff::Timestamp;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{
    faults::Manner,
    query::{Filter, Place},
    reply::Reply,
    wire::PrepaymentOut,
    world::World,
};

/// `GET /Prepayments`, voided ones included.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let names = ["Status", "Contact.ContactID"];
    let filter = Filter::parse(call.query.value("where"), &names)?;
    let (numbers, references) = (call.query.list("InvoiceNumbers"), call.query.list("References"));
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let is_in = |list: &Option<Vec<&str>>, text: &str| {
        list.as_ref().is_none_or(|texts| texts.contains(&text))
    };
    let mut found: Vec<_> = books
        .bank_transactions
        .values()
        .filter_map(|transaction| manner.bank_transaction(transaction))
        .filter(|transaction| since.is_none_or(|since| transaction.updated >= since))
        .filter(|transaction| is_in(&numbers, &transaction.number))
        .filter(|transaction| is_in(&references, &transaction.reference))
        .filter(|transaction| {
            filter.admits(|name| match name {
                "Status" => transaction.prepayment_status().into(),
                _ => transaction.contact.to_string().into(),
            })
        })
        .collect();
    order.sort(&mut found, |transaction| Place {
        updated: transaction.updated,
        date: Some(transaction.date),
        serial: transaction.serial,
    });
    let page = call.query.page();
    let (found, pagination) = lists::paged(page, found);
    let found = found.iter();
    let items: Vec<_> = found
        .map(|transaction| PrepaymentOut::new(books, transaction, page.is_some(), false))
        .collect();
    Ok(lists::reply(world, "Prepayments", items, pagination, now))
}

/// `GET /Prepayments/{id}`.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let mut transactions = books.bank_transactions.values();
    let transaction = transactions
        .find(|transaction| transaction.prepayment == id)
        .and_then(|transaction| manner.bank_transaction(transaction))
        .ok_or_else(Reply::not_found)?;
    let item = PrepaymentOut::new(books, &transaction, true, true);
    Ok(lists::reply(world, "Prepayments", vec![item], None, now))
}
