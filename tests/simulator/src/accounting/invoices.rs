//! `/Invoices`. Of writing only the minimum: create, approve, change a little, void.

use std::collections::BTreeSet;

use axum::http::Method;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    lines::{line_amounts, lines},
    lists,
    request::{Call, InvoiceIn, InvoicesIn},
};
use crate::{
    books::{
        Change, Invoice, InvoiceDraft, InvoiceEdit, InvoiceKind, InvoiceStatus, Organisation,
        Refusal,
    },
    faults::Manner,
    meter::{Created, CreatedKind},
    query::{Filter, Order, Place},
    random::Random,
    reply::Reply,
    wire::{InvoiceForm, InvoiceOut, InvoiceRefused},
    world::World,
};

/// `GET /Invoices`.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let query = &call.query;
    query.refuse(&["searchTerm", "createdByMyApp"])?;
    let filter = Filter::parse(query.value("where"), &["Type", "Status", "InvoiceNumber"])?;
    let (ids, contacts) = (query.ids("IDs")?, query.ids("ContactIDs")?);
    let (numbers, statuses) = (query.list("InvoiceNumbers"), query.list("Statuses"));
    let by_number = query.is_ordered_by("InvoiceNumber");
    let order = if by_number { Order::Created } else { query.order()? };
    let since = lists::since(call);
    let numbers: Option<BTreeSet<&str>> = numbers.map(|numbers| numbers.into_iter().collect());
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = candidates(books, contacts.as_deref())
        .into_iter()
        .filter(|invoice| ids.as_ref().is_none_or(|ids| ids.contains(&invoice.id)))
        .filter(|invoice| !manner.leaves_out(invoice.id))
        .filter_map(|invoice| manner.invoice(books, invoice))
        .filter(|invoice| since.is_none_or(|since| invoice.updated >= since))
        .filter(|invoice| {
            numbers.as_ref().is_none_or(|numbers| numbers.contains(invoice.number.as_str()))
        })
        .filter(|invoice| {
            statuses.as_ref().is_none_or(|statuses| statuses.contains(&invoice.status.as_str()))
        })
        .filter(|invoice| {
            filter.admits(|name| match name {
                "Type" => invoice.kind.as_str().into(),
                "InvoiceNumber" => invoice.number.as_str().into(),
                _ => invoice.status.as_str().into(),
            })
        })
        .collect();
    order.sort(&mut found, |invoice| Place {
        updated: invoice.updated,
        date: Some(invoice.date),
        serial: invoice.serial,
    });
    if by_number {
        found.sort_by(|one, other| one.number.cmp(&other.number));
    }
    let page = query.page();
    let form = match page {
        _ if query.switch("summaryOnly", false) => InvoiceForm::Summary,
        Some(_) => InvoiceForm::Full,
        None => InvoiceForm::Listed,
    };
    let (found, pagination) = lists::paged(page, found);
    let invoices = found.iter();
    let items: Vec<_> = invoices.map(|invoice| InvoiceOut::new(books, invoice, form)).collect();
    Ok(lists::reply(world, "Invoices", items, pagination, now))
}

/// The invoices of these contacts, or all: one contact's are few among a hundred thousand.
fn candidates<'a>(books: &'a Organisation, contacts: Option<&[Uuid]>) -> Vec<&'a Invoice> {
    match contacts {
        Some(contacts) => {
            let contacts: BTreeSet<Uuid> = contacts.iter().copied().collect();
            contacts.into_iter().flat_map(|contact| books.invoices_of(contact)).collect()
        }
        None => books.invoices.values().collect(),
    }
}

/// `GET /Invoices/{id}`, also by number.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    name: &str,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let invoice = books.find_invoice(name).ok_or_else(Reply::not_found)?;
    let invoice = manner.invoice(books, invoice).ok_or_else(Reply::not_found)?;
    let item = InvoiceOut::new(books, &invoice, InvoiceForm::Full);
    Ok(lists::reply(world, "Invoices", vec![item], None, now))
}

/// `PUT /Invoices` creates, `POST` creates or updates; `target` is the invoice named in the path.
pub(super) fn write(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    target: Option<&str>,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<InvoicesIn>()?.invoices {
        Some(invoices) => invoices,
        None => vec![call.json::<InvoiceIn>()?],
    };
    let summarised = call.query.switch("summarizeErrors", true);
    let updates = call.method == Method::POST;
    let World { books, ids, .. } = &mut *world;
    let books = books.organisation(organisation).map_err(|_| Reply::not_found())?;
    let target = match target {
        Some(name) => Some(books.find_invoice(name).ok_or_else(Reply::not_found)?.id),
        None => None,
    };
    let before = books.clone();
    let looked_at = manner.booked_max().unwrap_or(usize::MAX);
    let results: Vec<Result<Change, Refusal>> = sent
        .iter()
        .take(looked_at)
        .map(|sent| match existing(books, sent, target, updates)? {
            Some(id) => books.edit_invoice(id, edit(sent, ids)?, now),
            None => books.add_invoice(draft(sent, ids, now)?, ids, now),
        })
        .collect();

    if summarised && results.iter().any(Result::is_err) {
        *books = before;
        let elements = sent.iter().zip(&results);
        let elements = elements.map(|(sent, result)| {
            echo(sent, result.as_ref().err().map_or(&[], |refusal| refusal.0.as_slice()), false)
        });
        return Err(Reply::invalid(elements.collect()));
    }
    for change in results.iter().flatten() {
        world.record(organisation, *change);
        if !updates {
            measure(world, organisation, change.invoice, now)?;
        }
    }
    let books = lists::organisation(world, organisation)?;
    let mut items = Vec::new();
    for (sent, result) in sent.iter().zip(&results) {
        items.push(match result {
            Ok(change) => {
                let invoice = books.invoices.get(&change.invoice).ok_or_else(Reply::not_found)?;
                let written = InvoiceOut::new(books, invoice, InvoiceForm::Full);
                lists::raw(&if summarised { written } else { written.with_own_result() })?
            }
            Err(refusal) => lists::raw(&echo(sent, &refusal.0, true))?,
        });
    }
    // A fault has left these out without a word: they look like good ones but for their id.
    for dropped in sent.iter().skip(looked_at) {
        items.push(lists::raw(&echo(dropped, &[], !summarised))?);
    }
    Ok(lists::reply(world, "Invoices", items, None, now))
}

/// Bills that calls create are measured, as payments are: nothing but their client can keep them from
/// being there twice, since their numbers need not be unique.
fn measure(world: &mut World, organisation: Uuid, id: Uuid, now: Timestamp) -> Result<(), Reply> {
    let books = lists::organisation(world, organisation)?;
    let invoice = books.invoices.get(&id).ok_or_else(Reply::not_found)?;
    if invoice.kind == InvoiceKind::Accpay {
        let reference = invoice.number.clone();
        let created = Created { kind: CreatedKind::Bill, id, at: now, reference };
        world.meters.created(organisation, created);
    }
    Ok(())
}

/// The invoice that an update means, by id or, for sales, by number.
fn existing(
    books: &Organisation,
    sent: &InvoiceIn,
    target: Option<Uuid>,
    updates: bool,
) -> Result<Option<Uuid>, Refusal> {
    if !updates {
        return Ok(None);
    }
    if let Some(id) = target.or(sent.id) {
        let found = books.invoices.get(&id);
        let found = found.ok_or_else(|| Refusal::because("Invoice could not be found"))?;
        return Ok(Some(found.id));
    }
    let by_number = sent.invoice_number.as_ref().and_then(|number| {
        let mut numbered = books.invoices_numbered(number);
        numbered.find(|invoice| invoice.kind == InvoiceKind::Accrec)
    });
    let is_a_bill = sent.kind.as_deref() == Some("ACCPAY");
    Ok(by_number.filter(|_| !is_a_bill).map(|invoice| invoice.id))
}

fn draft(sent: &InvoiceIn, ids: &mut Random, now: Timestamp) -> Result<InvoiceDraft, Refusal> {
    let kind = kind(sent).ok_or_else(|| Refusal::because("A valid Type must be specified"))?;
    let status = status(sent)?.unwrap_or(InvoiceStatus::Draft);
    if !matches!(
        status,
        InvoiceStatus::Draft | InvoiceStatus::Submitted | InvoiceStatus::Authorised
    ) {
        return Err(Refusal::because("Invoice not of valid status for creation"));
    }
    let contact = sent.contact.clone().unwrap_or_default();
    let number = sent.invoice_number.clone().filter(|number| !number.is_empty());
    Ok(InvoiceDraft {
        kind,
        // Only sales are numbered by Xero; a bill without a number keeps none.
        number: number.or_else(|| (kind == InvoiceKind::Accpay).then(String::new)),
        contact: contact.choice(),
        reference: sent.reference.clone().unwrap_or_default(),
        currency: sent.currency_code.clone(),
        date: sent.date.map_or_else(|| now.to_zoned(TimeZone::UTC).date(), |day| day.0),
        due_date: sent.due_date.map(|day| day.0),
        line_amounts: line_amounts(sent.line_amount_types.as_deref())?
            .unwrap_or_else(|| "Exclusive".to_owned()),
        lines: lines(sent.line_items.as_deref().unwrap_or_default(), ids)?,
        status,
    })
}

fn edit(sent: &InvoiceIn, ids: &mut Random) -> Result<InvoiceEdit, Refusal> {
    Ok(InvoiceEdit {
        status: status(sent)?,
        number: sent.invoice_number.clone(),
        reference: sent.reference.clone(),
        date: sent.date.map(|day| day.0),
        due_date: sent.due_date.map(|day| day.0),
        line_amounts: line_amounts(sent.line_amount_types.as_deref())?,
        lines: match &sent.line_items {
            Some(sent) => Some(lines(sent, ids)?),
            None => None,
        },
    })
}

fn kind(sent: &InvoiceIn) -> Option<InvoiceKind> {
    match sent.kind.as_deref()? {
        "ACCREC" => Some(InvoiceKind::Accrec),
        "ACCPAY" => Some(InvoiceKind::Accpay),
        _ => None,
    }
}

fn status(sent: &InvoiceIn) -> Result<Option<InvoiceStatus>, Refusal> {
    use InvoiceStatus::{Authorised, Deleted, Draft, Paid, Submitted, Voided};
    let Some(word) = &sent.status else {
        return Ok(None);
    };
    [Draft, Submitted, Deleted, Authorised, Paid, Voided]
        .into_iter()
        .find(|status| status.as_str() == word)
        .map(Some)
        .ok_or_else(|| Refusal::because(format!("{word} is not a valid invoice status")))
}

fn echo(sent: &InvoiceIn, objections: &[String], own_result: bool) -> InvoiceRefused {
    let number = sent.invoice_number.clone();
    InvoiceRefused::new(kind(sent), sent.id, number, objections, own_result)
}
