//! `/Payments`.

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{
    batch::{Batch, Objections},
    lists,
    request::{Call, PaymentIn, PaymentsIn},
};
use crate::{
    books::{Organisation, PaymentDraft},
    faults::Manner,
    meter::{Created, CreatedKind},
    query::{Filter, Place, day_text, moment_text},
    reply::Reply,
    wire::{
        AccountOut, InvoiceNamed, PaymentForm, PaymentOut, PaymentRefused, Unbooked, payment_type,
    },
    world::World,
};

/// `GET /Payments`, deleted ones included.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let names = [
        "Invoice.InvoiceID",
        "Invoice.Contact.ContactID",
        "Reference",
        "Status",
        "PaymentType",
        "Date",
        "UpdatedDateUTC",
    ];
    let filter = Filter::parse(call.query.value("where"), &names)?;
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = books
        .payments
        .values()
        .filter(|payment| !manner.leaves_out(payment.invoice))
        .filter_map(|payment| manner.payment(books, payment))
        .filter(|payment| since.is_none_or(|since| payment.updated >= since))
        .filter(|payment| {
            filter.admits(|name| match name {
                "Reference" => payment.reference.as_str().into(),
                "Status" => payment.status.as_str().into(),
                "PaymentType" => payment_type(books, payment).into(),
                "Date" => day_text(payment.date).into(),
                "UpdatedDateUTC" => moment_text(payment.updated).into(),
                "Invoice.Contact.ContactID" => {
                    let contact = books.contact_of(payment);
                    contact.map_or(String::new(), |contact| contact.to_string()).into()
                }
                _ => payment.invoice.to_string().into(),
            })
        })
        .collect();
    order.sort(&mut found, |payment| Place {
        updated: payment.updated,
        date: Some(payment.date),
        serial: payment.serial,
    });
    let (found, pagination) = lists::paged(call.query.page(), found);
    let items: Vec<PaymentOut> = found
        .iter()
        .map(|payment| {
            let invoice = books.invoices.get(&payment.invoice);
            PaymentOut::new(books, payment, invoice, PaymentForm::Listed)
        })
        .collect();
    Ok(lists::reply(world, "Payments", items, pagination, now))
}

/// `GET /Payments/{id}`, which also answers for a deleted one.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let payment = books.payments.get(&id).ok_or_else(Reply::not_found)?;
    let payment = manner.payment(books, payment).ok_or_else(Reply::not_found)?;
    let invoice = books.invoices.get(&payment.invoice);
    let invoice = invoice.and_then(|invoice| manner.invoice(books, invoice));
    let item = PaymentOut::new(books, &payment, invoice.as_deref(), PaymentForm::Full);
    Ok(lists::reply(world, "Payments", vec![item], None, now))
}

/// `PUT /Payments` with many, `POST /Payments` with one.
pub(super) fn create(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<PaymentsIn>()?.payments {
        Some(payments) => payments,
        None => vec![call.json::<PaymentIn>()?],
    };
    let checked = check(lists::organisation(world, organisation)?, &sent);

    let batch = Batch::of(call, manner);
    // Only PUT knows the switch.
    let batch = if call.method == Method::PUT { batch } else { batch.summarised() };
    let booked = batch.book(world, checked, |world, draft| record(world, organisation, draft, now));

    let books = lists::organisation(world, organisation)?;
    let written = |id: Uuid, own_result| {
        let payment = books.payments.get(&id).ok_or_else(Reply::not_found)?;
        let invoice = books.invoices.get(&payment.invoice);
        let written = PaymentOut::new(books, payment, invoice, PaymentForm::Written);
        lists::raw(&if own_result { written.with_own_result() } else { written })
    };
    let items = batch.elements(&sent, &booked, written, echo)?;
    Ok(lists::reply(world, "Payments", items, None, now))
}

/// Checks each payment as if the good ones before it were already recorded.
fn check(books: &Organisation, sent: &[PaymentIn]) -> Vec<Result<PaymentDraft, Objections>> {
    let mut claimed: BTreeMap<Uuid, Decimal> = BTreeMap::new();
    let mut checked = Vec::new();
    for payment in sent {
        let draft = draft_of(books, payment).and_then(|draft| {
            let claimed = claimed.entry(draft.invoice).or_default();
            let objections = books.objections_to(&draft, *claimed);
            if objections.is_empty() {
                *claimed += draft.amount;
                return Ok(draft);
            }
            Err(objections)
        });
        checked.push(draft);
    }
    checked
}

/// Finds what a payment names.
pub(super) fn draft_of(books: &Organisation, sent: &PaymentIn) -> Result<PaymentDraft, Objections> {
    let mut missing = Vec::new();
    let mut lacks = |what: &str| missing.push(what.to_owned());
    let named = sent.invoice.clone().unwrap_or_default();
    let number = named.number.or_else(|| sent.invoice_number.clone());
    let invoice = match (named.id, number) {
        (Some(id), _) => Some(id),
        (None, Some(number)) => {
            let found = books.invoices_numbered(&number).next();
            Some(found.map_or(Uuid::nil(), |invoice| invoice.id))
        }
        (None, None) => {
            lacks("Payment must be applied to an Invoice, CreditNote, Prepayment or Overpayment");
            None
        }
    };
    let wanted = sent.account.clone().unwrap_or_default();
    let code = wanted.code.or_else(|| sent.code.clone());
    let account = books.account_meant(wanted.id, code.as_deref());
    if account.is_none() {
        lacks("Account is mandatory");
    }
    if sent.date.is_none() {
        lacks("Date is mandatory");
    }
    if sent.amount.is_none() {
        lacks("Amount is mandatory");
    }
    match (invoice, account, sent.date, sent.amount) {
        (Some(invoice), Some(account), Some(date), Some(amount)) => Ok(PaymentDraft {
            invoice,
            account,
            date: date.0,
            amount: amount.0,
            reference: sent.reference.clone().unwrap_or_default(),
            reconciled: sent.reconciled.unwrap_or(false),
        }),
        _ => Err(missing),
    }
}

fn record(
    world: &mut World,
    organisation: Uuid,
    draft: PaymentDraft,
    now: Timestamp,
) -> Result<Uuid, Objections> {
    let reference = draft.reference.clone();
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let (id, change) =
        books.add_payment(draft, &mut world.ids, now).map_err(|refusal| refusal.0)?;
    world.record(organisation, change);
    let created = Created { kind: CreatedKind::Payment, id, at: now, reference };
    world.meters.created(organisation, created);
    Ok(id)
}

/// The element as it was sent, with what is wrong with it.
fn echo(sent: &PaymentIn, unbooked: Unbooked<'_>, own_result: bool) -> PaymentRefused {
    let amount = sent.amount.map(|amount| amount.0);
    let mut echo =
        PaymentRefused::new(unbooked, own_result).dated(sent.date.map(|day| day.0), amount);
    echo.reference = sent.reference.clone();
    echo.account = sent.account.clone().map(|account| AccountOut {
        id: account.id,
        code: account.code,
        name: None,
    });
    echo.invoice = sent
        .invoice
        .clone()
        .map(|invoice| InvoiceNamed { id: invoice.id, invoice_number: invoice.number });
    echo
}

/// `POST /Payments/{id}`, which can only delete (facts.md 4.3).
pub(super) fn delete(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    id: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let body: Value = call.json()?;
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let payment = books.payments.get(&id).ok_or_else(Reply::not_found)?;
    let refuse = |message: &str| {
        let why = [message.to_owned()];
        let mut refused = PaymentRefused::new(Unbooked::Refused(&why), false);
        refused.id = Some(id);
        Reply::invalid(vec![refused])
    };
    // Both the bare object and the one wrapped in a list are accepted (facts.md 4.3).
    let wanted = body.pointer("/Payments/0").unwrap_or(&body);
    let fields = wanted.as_object().ok_or_else(|| refuse("Only Status accepted for updates."))?;
    let foreign = fields.keys().any(|name| name != "Status" && name != "PaymentID");
    if foreign || fields.get("Status").and_then(Value::as_str) != Some("DELETED") {
        return Err(refuse("Only Status accepted for updates."));
    }
    if payment.reconciled {
        return Err(refuse("Payment cannot be deleted because it has been reconciled"));
    }
    if let Some(objection) = books.lock_objection(payment.date) {
        return Err(refuse(&objection));
    }
    let books = world.books.organisation(organisation).map_err(|_| Reply::not_found())?;
    let change = books.delete_payment(id, now).map_err(|refusal| refuse(&refusal.to_string()))?;
    world.record_if(organisation, change);
    let books = lists::organisation(world, organisation)?;
    let payment = books.payments.get(&id).ok_or_else(Reply::not_found)?;
    let invoice = books.invoices.get(&payment.invoice);
    let item = PaymentOut::new(books, payment, invoice, PaymentForm::Written);
    Ok(lists::reply(world, "Payments", vec![item], None, now))
}
