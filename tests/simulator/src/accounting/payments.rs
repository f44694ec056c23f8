//! `/Payments`.

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{
    lists,
    request::{Call, PaymentIn, PaymentsIn},
};
use crate::{
    books::{Organisation, PaymentDraft},
    faults::Manner,
    options::Batches,
    query::PaymentFilter,
    reply::Reply,
    wire::{AccountOut, InvoiceNamed, PaymentForm, PaymentOut, PaymentRefused},
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
    let filter = match call.query.value("where") {
        Some(text) => PaymentFilter::parse(text)?,
        None => PaymentFilter::default(),
    };
    let order = call.query.order()?;
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = books
        .payments
        .values()
        .filter(|payment| !manner.leaves_out(payment.invoice))
        .filter_map(|payment| manner.payment(books, payment))
        .filter(|payment| since.is_none_or(|since| payment.updated >= since))
        .filter(|payment| filter.invoice.is_none_or(|id| id == payment.invoice))
        .filter(|payment| filter.reference.as_ref().is_none_or(|text| *text == payment.reference))
        .filter(|payment| filter.status.as_ref().is_none_or(|text| text == payment.status.as_str()))
        .collect();
    order.sort(&mut found, |payment| (payment.updated, payment.serial));
    let (found, pagination) = match call.query.page() {
        Some(page) => {
            let (found, pagination) = page.cut(found);
            (found, Some(pagination))
        }
        None => (found, None),
    };
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
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<PaymentsIn>()?.payments {
        Some(payments) => payments,
        None => vec![call.json::<PaymentIn>()?],
    };
    // Only PUT knows the switch; what it is when left out is in xero.md 3.6.
    let summarised = call.method != Method::PUT || call.query.switch("summarizeErrors", true);
    let checked = check(lists::organisation(world, organisation)?, &sent);
    let any_bad = checked.iter().any(Result::is_err);

    let books_the_good = !(summarised && any_bad && world.batches == Batches::AllOrNothing);
    let mut results: Vec<Result<Uuid, Vec<String>>> = Vec::new();
    for checked in checked {
        results.push(match checked {
            Ok(draft) if books_the_good => record(world, organisation, draft, now),
            Ok(_) => Ok(Uuid::nil()),
            Err(objections) => Err(objections),
        });
    }

    let books = lists::organisation(world, organisation)?;
    if summarised && any_bad {
        let echoes = sent.iter().zip(&results);
        let elements = echoes.map(|(sent, result)| {
            echo(sent, result.as_ref().err().map_or(&[], Vec::as_slice), false)
        });
        return Err(Reply::invalid(elements.collect()));
    }
    let mut items = Vec::new();
    for (sent, result) in sent.iter().zip(&results) {
        let written = result.as_ref().ok().and_then(|id| books.payments.get(id));
        items.push(match (written, result) {
            (Some(payment), _) => {
                let invoice = books.invoices.get(&payment.invoice);
                let written = PaymentOut::new(books, payment, invoice, PaymentForm::Written);
                lists::raw(&if summarised { written } else { written.with_own_result() })?
            }
            (None, Err(objections)) => lists::raw(&echo(sent, objections, true))?,
            (None, Ok(_)) => lists::raw(&echo(sent, &[], true))?,
        });
    }
    Ok(lists::reply(world, "Payments", items, None, now))
}

/// Checks each payment as if the good ones before it were already recorded.
fn check(books: &Organisation, sent: &[PaymentIn]) -> Vec<Result<PaymentDraft, Vec<String>>> {
    let mut claimed: BTreeMap<Uuid, Decimal> = BTreeMap::new();
    let mut checked = Vec::new();
    for payment in sent {
        let draft = draft(books, payment).and_then(|draft| {
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
fn draft(books: &Organisation, sent: &PaymentIn) -> Result<PaymentDraft, Vec<String>> {
    let mut missing = Vec::new();
    let mut lacks = |what: &str| missing.push(what.to_owned());
    let named = sent.invoice.clone().unwrap_or_default();
    let number = named.number.or_else(|| sent.invoice_number.clone());
    let invoice = match (named.id, number) {
        (Some(id), _) => Some(id),
        (None, Some(number)) => {
            let found = books.invoices.values().find(|invoice| invoice.number == number);
            Some(found.map_or(Uuid::nil(), |invoice| invoice.id))
        }
        (None, None) => {
            lacks("Payment must be applied to an Invoice, CreditNote, Prepayment or Overpayment");
            None
        }
    };
    let wanted = sent.account.clone().unwrap_or_default();
    let code = wanted.code.or_else(|| sent.code.clone());
    let account = match (wanted.id, code) {
        (Some(id), _) => Some(id),
        (None, Some(code)) => {
            let mut accounts = books.accounts.iter();
            let found = accounts.find(|account| account.code.as_ref() == Some(&code));
            Some(found.map_or(Uuid::nil(), |account| account.id))
        }
        (None, None) => {
            lacks("Account is mandatory");
            None
        }
    };
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
) -> Result<Uuid, Vec<String>> {
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let (id, change) =
        books.add_payment(draft, &mut world.ids, now).map_err(|refusal| refusal.0)?;
    world.record(organisation, change);
    Ok(id)
}

/// The element as it was sent, with what is wrong with it.
fn echo(sent: &PaymentIn, objections: &[String], own_result: bool) -> PaymentRefused {
    let amount = sent.amount.map(|amount| amount.0);
    let mut echo =
        PaymentRefused::new(objections, own_result).dated(sent.date.map(|day| day.0), amount);
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

/// `POST /Payments/{id}`, which can only delete (xero.md 4.3).
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
        let mut refused = PaymentRefused::new(&[message.to_owned()], false);
        refused.id = id;
        Reply::invalid(vec![refused])
    };
    // Both the bare object and the one wrapped in a list are accepted (xero.md 4.3).
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
    world.record(organisation, change);
    let books = lists::organisation(world, organisation)?;
    let payment = books.payments.get(&id).ok_or_else(Reply::not_found)?;
    let invoice = books.invoices.get(&payment.invoice);
    let item = PaymentOut::new(books, payment, invoice, PaymentForm::Written);
    Ok(lists::reply(world, "Payments", vec![item], None, now))
}
