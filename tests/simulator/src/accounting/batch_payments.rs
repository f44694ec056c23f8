//! `/BatchPayments`.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{
    batch::{Batch, Objections},
    lists,
    payments::draft_of,
    request::{BatchPaymentIn, BatchPaymentsIn, Call},
};
use crate::{
    books::{BatchPaymentDraft, Organisation},
    faults::Manner,
    meter::{Created, CreatedKind},
    query::{Filter, Place},
    reply::Reply,
    wire::{BatchPaymentOut, BatchPaymentRefused, Unbooked},
    world::World,
};

/// `GET /BatchPayments`, deleted ones included. It has no pages (facts.md 3.5).
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let filter = Filter::parse(call.query.value("where"), &["Status", "Type"])?;
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = books
        .batch_payments
        .values()
        .filter(|batch| since.is_none_or(|since| batch.updated >= since))
        .filter(|batch| {
            filter.admits(|name| match name {
                "Status" => batch.status.as_str().into(),
                _ => batch.kind.batch_type().into(),
            })
        })
        .collect();
    order.sort(&mut found, |batch| Place {
        updated: batch.updated,
        date: Some(batch.date),
        serial: batch.serial,
    });
    let items: Vec<_> = found.iter().map(|batch| BatchPaymentOut::new(books, batch)).collect();
    Ok(lists::reply(world, "BatchPayments", items, None, now))
}

/// `GET /BatchPayments/{id}`, which also answers for a deleted one.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let books = lists::organisation(world, organisation)?;
    let batch = books.batch_payments.get(&id).ok_or_else(Reply::not_found)?;
    let item = BatchPaymentOut::new(books, batch);
    Ok(lists::reply(world, "BatchPayments", vec![item], None, now))
}

/// `PUT /BatchPayments`.
pub(super) fn create(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<BatchPaymentsIn>()?.batch_payments {
        Some(batches) => batches,
        None => vec![call.json::<BatchPaymentIn>()?],
    };
    let books = lists::organisation(world, organisation)?;
    let checked = sent.iter().map(|sent| {
        let draft = draft(books, sent)?;
        let objections = books.objections_to_batch(&draft);
        if objections.is_empty() { Ok(draft) } else { Err(objections) }
    });
    let checked = checked.collect();
    let batch = Batch::of(call, manner);
    let booked = batch.book(world, checked, |world, draft| record(world, organisation, draft, now));
    let books = lists::organisation(world, organisation)?;
    let written = |id: Uuid, _| {
        let batch = books.batch_payments.get(&id).ok_or_else(Reply::not_found)?;
        lists::raw(&BatchPaymentOut::new(books, batch))
    };
    let echo = |sent: &BatchPaymentIn, unbooked: Unbooked<'_>, _| {
        BatchPaymentRefused::new(sent.reference.clone(), unbooked)
    };
    let items = batch.elements(&sent, &booked, written, echo)?;
    Ok(lists::reply(world, "BatchPayments", items, None, now))
}

/// Finds what a batch names; its payments are of its own account and day.
fn draft(books: &Organisation, sent: &BatchPaymentIn) -> Result<BatchPaymentDraft, Objections> {
    let mut objections = Vec::new();
    let wanted = sent.account.clone().unwrap_or_default();
    let account = books.account_meant(wanted.id, wanted.code.as_deref());
    if account.is_none() {
        objections.push("Account is mandatory".to_owned());
    }
    if sent.date.is_none() {
        objections.push("Date is mandatory".to_owned());
    }
    let mut payments = Vec::new();
    for payment in sent.payments.iter().flatten() {
        let mut payment = payment.clone();
        payment.account.clone_from(&sent.account);
        payment.date = sent.date;
        match draft_of(books, &payment) {
            Ok(draft) => payments.push(draft),
            Err(missing) => objections.extend(missing),
        }
    }
    match (account, sent.date) {
        (Some(account), Some(date)) if objections.is_empty() => {
            let reference = sent.reference.clone().unwrap_or_default();
            Ok(BatchPaymentDraft { account, date: date.0, reference, payments })
        }
        _ => Err(objections),
    }
}

fn record(
    world: &mut World,
    organisation: Uuid,
    draft: BatchPaymentDraft,
    now: Timestamp,
) -> Result<Uuid, Objections> {
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let (id, changes) =
        books.add_batch_payment(draft, &mut world.ids, now).map_err(|refusal| refusal.0)?;
    let batch = books.batch_payments.get(&id).map(|batch| batch.payments.clone());
    let payments = batch.unwrap_or_default().into_iter();
    let created: Vec<_> = payments
        .filter_map(|id| books.payments.get(&id))
        .map(|payment| (payment.id, payment.reference.clone()))
        .collect();
    for change in changes {
        world.record(organisation, change);
    }
    for (id, reference) in created {
        let created = Created { kind: CreatedKind::Payment, id, at: now, reference };
        world.meters.created(organisation, created);
    }
    Ok(id)
}

/// `POST /BatchPayments` or `/BatchPayments/{id}`, which can only delete (facts.md 4.4).
pub(super) fn delete(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let body: Value = call.json()?;
    // As with payments, both the bare object and the one wrapped in a list are accepted.
    let wanted = body.pointer("/BatchPayments/0").unwrap_or(&body);
    let named = id.or_else(|| wanted["BatchPaymentID"].as_str()).unwrap_or_default();
    let id = Uuid::parse_str(named).map_err(|_| Reply::not_found())?;
    let refuse = |message: &str| {
        let why = [message.to_owned()];
        Reply::invalid(vec![BatchPaymentRefused::new(None, Unbooked::Refused(&why))])
    };
    let foreign = wanted.as_object().is_none_or(|fields| {
        fields.keys().any(|name| name != "Status" && name != "BatchPaymentID")
    });
    if foreign || wanted["Status"].as_str() != Some("DELETED") {
        return Err(refuse("Only Status accepted for updates."));
    }
    let books = world.books.organisation(organisation).map_err(|_| Reply::not_found())?;
    if !books.batch_payments.contains_key(&id) {
        return Err(Reply::not_found());
    }
    let changes =
        books.delete_batch_payment(id, now).map_err(|refusal| refuse(&refusal.to_string()))?;
    for change in changes {
        world.record(organisation, change);
    }
    show(world, organisation, &id.to_string(), now)
}
