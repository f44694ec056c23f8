//! `/CreditNotes/{id}/Allocations`, and the same of prepayments and overpayments.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    batch::{Batch, Objections},
    credits::credit_named,
    lists,
    request::{AllocationIn, AllocationsIn, Call, InvoiceRef},
};
use crate::{
    books::{CreditKind, Organisation},
    faults::Manner,
    meter::{Created, CreatedKind},
    reply::Reply,
    wire::{AllocationTaken, AllocationWritten, Unbooked},
    world::World,
};

/// An allocation whose members were read.
struct Draft {
    invoice: Uuid,
    amount: Decimal,
    date: Date,
}

/// `PUT …/Allocations`.
pub(super) fn create(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    (kind, id): (CreditKind, &str),
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<AllocationsIn>()?.allocations {
        Some(allocations) => allocations,
        None => vec![call.json::<AllocationIn>()?],
    };
    let books = lists::organisation(world, organisation)?;
    let credit = credit_named(books, kind, id)?.id;
    let checked = sent.iter().map(|sent| check(books, sent)).collect();

    let batch = Batch::of(call, manner);
    let booked =
        batch.book(world, checked, |world, draft| record(world, organisation, credit, &draft, now));

    let with_id = !world.oddities.allocations_without_ids;
    let books = lists::organisation(world, organisation)?;
    let document = books.credit_documents.get(&credit).ok_or_else(Reply::not_found)?;
    let written = |id: Uuid, own_result| {
        let mut allocations = document.allocations.iter();
        let allocation = allocations.find(|one| one.id == id).ok_or_else(Reply::not_found)?;
        lists::raw(&AllocationWritten::new(kind, credit, allocation, with_id, own_result))
    };
    let items = batch.elements(&sent, &booked, written, |sent, unbooked, own_result| {
        echo(sent, unbooked, own_result)
    })?;
    Ok(lists::reply(world, "Allocations", items, None, now))
}

/// `DELETE …/Allocations/{id}`.
pub(super) fn delete(
    world: &mut World,
    organisation: Uuid,
    (kind, id): (CreditKind, &str),
    allocation: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let credit = credit_named(books, kind, id)?.id;
    let allocation = Uuid::parse_str(allocation).map_err(|_| Reply::not_found())?;
    let books = world.books.organisation(organisation).map_err(|_| Reply::not_found())?;
    let change = books.deallocate(credit, allocation, now).map_err(|_| Reply::not_found())?;
    world.record(organisation, change);
    Ok(Reply::json(200, &AllocationTaken { id: allocation, is_deleted: true }))
}

fn check(books: &Organisation, sent: &AllocationIn) -> Result<Draft, Objections> {
    let mut objections = Vec::new();
    let named = sent.invoice.clone().unwrap_or_default();
    let invoice = match named {
        InvoiceRef { id: Some(id), .. } => Some(id),
        InvoiceRef { number: Some(number), .. } => {
            books.invoices_numbered(&number).next().map(|invoice| invoice.id)
        }
        _ => None,
    };
    if invoice.is_none() {
        objections.push("Invoice could not be found".to_owned());
    }
    if sent.date.is_none() {
        objections.push("Date is mandatory".to_owned());
    }
    let (Some(invoice), Some(date)) = (invoice, sent.date) else { return Err(objections) };
    // Nothing is as good as no amount (facts.md 4.6).
    let amount = sent.amount.map_or(Decimal::ZERO, |amount| amount.0);
    Ok(Draft { invoice, amount, date: date.0 })
}

fn record(
    world: &mut World,
    organisation: Uuid,
    credit: Uuid,
    draft: &Draft,
    now: Timestamp,
) -> Result<Uuid, Objections> {
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let money = (draft.amount, draft.date);
    let (id, change) = books
        .allocate(credit, draft.invoice, money, &mut world.ids, now)
        .map_err(|refusal| refusal.0)?;
    let number = books.credit_documents.get(&credit).map(|credit| credit.number.clone());
    world.record(organisation, change);
    let reference = number.unwrap_or_default();
    let created = Created { kind: CreatedKind::Allocation, id, at: now, reference };
    world.meters.created(organisation, created);
    Ok(id)
}

fn echo(sent: &AllocationIn, unbooked: Unbooked<'_>, own_result: bool) -> AllocationWritten {
    let invoice = sent.invoice.as_ref().and_then(|invoice| invoice.id);
    let (amount, date) = (sent.amount.map(|amount| amount.0), sent.date.map(|day| day.0));
    AllocationWritten::refused(unbooked, (invoice, amount, date), own_result)
}
