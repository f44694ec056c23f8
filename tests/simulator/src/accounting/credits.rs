//! Reading `/CreditNotes`, `/Prepayments` and `/Overpayments`.

use jiff::Timestamp;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{
    books::{CreditDocument, CreditKind, Organisation},
    faults::Manner,
    query::{Filter, Place, day_text, moment_text},
    reply::Reply,
    wire::CreditOut,
    world::World,
};

/// The list of one kind, voided ones included.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    kind: CreditKind,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let names = ["Status", "Type", "Contact.ContactID", "Reference", "Date", "UpdatedDateUTC"];
    let filter = Filter::parse(call.query.value("where"), &names)?;
    let (numbers, references) = (call.query.list("InvoiceNumbers"), call.query.list("References"));
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let is_in = |list: &Option<Vec<&str>>, text: &str| {
        list.as_ref().is_none_or(|texts| texts.contains(&text))
    };
    let mut found: Vec<_> = books
        .credit_documents
        .values()
        .filter(|credit| credit.kind == kind)
        .filter_map(|credit| manner.credit(books, credit))
        .filter(|credit| since.is_none_or(|since| credit.updated >= since))
        .filter(|credit| is_in(&numbers, &credit.number))
        .filter(|credit| is_in(&references, &credit.reference))
        .filter(|credit| {
            filter.admits(|name| match name {
                "Status" => credit.status().into(),
                "Type" => credit.document_type().into(),
                "Reference" if kind == CreditKind::Prepayment => credit.number.as_str().into(),
                "Reference" => credit.reference.as_str().into(),
                "Date" => day_text(credit.date).into(),
                "UpdatedDateUTC" => moment_text(credit.updated).into(),
                _ => credit.contact.to_string().into(),
            })
        })
        .collect();
    order.sort(&mut found, |credit| Place {
        updated: credit.updated,
        date: Some(credit.date),
        serial: credit.serial,
    });
    let page = call.query.page();
    let (found, pagination) = lists::paged(page, found);
    let found = found.iter();
    let items: Vec<_> =
        found.map(|credit| CreditOut::new(books, credit, page.is_some(), false)).collect();
    Ok(lists::reply(world, plural(kind), items, pagination, now))
}

/// One of them by its id.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    kind: CreditKind,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let credit = credit_named(books, kind, id)?;
    let credit = manner.credit(books, credit).ok_or_else(Reply::not_found)?;
    let item = CreditOut::new(books, &credit, true, true);
    Ok(lists::reply(world, plural(kind), vec![item], None, now))
}

/// The document of a kind that a path names by its id.
pub(super) fn credit_named<'b>(
    books: &'b Organisation,
    kind: CreditKind,
    id: &str,
) -> Result<&'b CreditDocument, Reply> {
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let credit = books.credit_documents.get(&id).filter(|credit| credit.kind == kind);
    credit.ok_or_else(Reply::not_found)
}

fn plural(kind: CreditKind) -> &'static str {
    match kind {
        CreditKind::CreditNote => "CreditNotes",
        CreditKind::Prepayment => "Prepayments",
        CreditKind::Overpayment => "Overpayments",
    }
}
