//! Invoices and the payments on them.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{delete, get, post},
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Refused, done, id, written};
use crate::{
    Simulator,
    books::{Invoice, NewBatchPayment, NewInvoice, NewPayment, Organisation, Payment},
};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/invoices", get(invoices).post(add_invoice))
        .route("/invoices/{invoice}", get(invoice))
        .route("/invoices/{invoice}/payments", post(add_payment))
        .route("/invoices/{invoice}/credit-notes", post(add_credit_note))
        .route("/invoices/{invoice}/void", post(void_invoice))
        .route("/invoices/{invoice}/touch", post(touch_invoice))
        .route("/invoices/{invoice}/rate", post(set_rate))
        .route("/payments/{payment}", get(payment).delete(delete_payment))
        .route("/payments/{payment}/edit", post(edit_payment))
        .route("/payments/{payment}/reconcile", post(reconcile_payment))
        .route("/organisations/{organisation}/batch-payments", post(add_batch_payment))
        .route("/batch-payments/{batch}", delete(delete_batch_payment))
}

/// An invoice in the path may be named by its number too.
fn named(simulator: &Simulator, name: &str) -> Result<Uuid, Refused> {
    Ok(simulator.with(|world, _| world.invoice_named(name))?)
}

fn payment_json(payment: &Payment) -> Value {
    json!({
        "id": payment.id,
        "invoice": payment.invoice,
        "date": payment.date,
        "amount": payment.amount,
        "reference": payment.reference,
        "status": payment.status,
        "reconciled": payment.reconciled,
        "updated": payment.updated,
    })
}

fn invoice_json(organisation: &Organisation, invoice: &Invoice) -> Value {
    let payments = organisation.payments.values();
    let payments = payments.filter(|payment| payment.invoice == invoice.id);
    json!({
        "id": invoice.id,
        "organisation": organisation.id,
        "number": invoice.number,
        "kind": invoice.kind,
        "contact_name": invoice.contact_name,
        "status": invoice.status,
        "currency": invoice.currency,
        "total": invoice.total,
        "amount_due": invoice.amount_due,
        "amount_paid": invoice.amount_paid,
        "amount_credited": invoice.amount_credited,
        "updated": invoice.updated,
        "payments": payments.map(payment_json).collect::<Vec<_>>(),
    })
}

async fn invoices(State(simulator): State<Simulator>) -> Answer {
    let found = simulator.with(|world, _| {
        let organisations = world.books.organisations.values();
        organisations
            .flat_map(|organisation| {
                let invoices = organisation.invoices.values();
                invoices.map(|invoice| invoice_json(organisation, invoice))
            })
            .collect::<Vec<_>>()
    });
    written(found)
}

async fn invoice(State(simulator): State<Simulator>, Path(name): Path<String>) -> Answer {
    let invoice = named(&simulator, &name)?;
    simulator.with(|world, _| {
        let organisation = world.books.of_invoice(invoice)?;
        let found = &organisation.invoices[&invoice];
        Ok(Json(invoice_json(organisation, found)))
    })
}

async fn add_invoice(State(simulator): State<Simulator>, Json(wanted): Json<NewInvoice>) -> Answer {
    Ok(id(simulator.add_invoice(wanted)?))
}

async fn add_payment(
    State(simulator): State<Simulator>,
    Path(name): Path<String>,
    Json(wanted): Json<NewPayment>,
) -> Answer {
    let invoice = named(&simulator, &name)?;
    Ok(id(simulator.add_payment(invoice, wanted)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCredit {
    amount: Decimal,
}

async fn add_credit_note(
    State(simulator): State<Simulator>,
    Path(name): Path<String>,
    Json(wanted): Json<NewCredit>,
) -> Answer {
    let invoice = named(&simulator, &name)?;
    Ok(id(simulator.add_credit_note(invoice, wanted.amount)?))
}

async fn void_invoice(State(simulator): State<Simulator>, Path(name): Path<String>) -> Answer {
    simulator.void_invoice(named(&simulator, &name)?)?;
    Ok(done())
}

async fn touch_invoice(State(simulator): State<Simulator>, Path(name): Path<String>) -> Answer {
    simulator.touch_invoice(named(&simulator, &name)?)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    rate: Decimal,
}

async fn set_rate(
    State(simulator): State<Simulator>,
    Path(name): Path<String>,
    Json(wanted): Json<Rate>,
) -> Answer {
    simulator.set_rate(named(&simulator, &name)?, wanted.rate)?;
    Ok(done())
}

async fn payment(State(simulator): State<Simulator>, Path(payment): Path<Uuid>) -> Answer {
    let found = simulator
        .payment(payment)
        .ok_or_else(|| anyhow::anyhow!("there is no payment {payment}"))?;
    Ok(Json(payment_json(&found)))
}

async fn delete_payment(State(simulator): State<Simulator>, Path(payment): Path<Uuid>) -> Answer {
    simulator.delete_payment(payment)?;
    Ok(done())
}

/// Fields left out stay as they were.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentEdit {
    date: Option<Date>,
    amount: Option<Decimal>,
    reference: Option<String>,
}

async fn edit_payment(
    State(simulator): State<Simulator>,
    Path(payment): Path<Uuid>,
    Json(edit): Json<PaymentEdit>,
) -> Answer {
    let old = simulator
        .payment(payment)
        .ok_or_else(|| anyhow::anyhow!("there is no payment {payment}"))?;
    let wanted = NewPayment {
        date: edit.date.unwrap_or(old.date),
        amount: edit.amount.unwrap_or(old.amount),
        reference: edit.reference.unwrap_or(old.reference),
    };
    Ok(id(simulator.edit_payment(payment, wanted)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reconcile {
    reconciled: bool,
}

async fn reconcile_payment(
    State(simulator): State<Simulator>,
    Path(payment): Path<Uuid>,
    Json(wanted): Json<Reconcile>,
) -> Answer {
    simulator.reconcile_payment(payment, wanted.reconciled)?;
    Ok(done())
}

async fn add_batch_payment(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
    Json(wanted): Json<NewBatchPayment>,
) -> Answer {
    Ok(id(simulator.add_batch_payment(organisation, wanted)?))
}

async fn delete_batch_payment(
    State(simulator): State<Simulator>,
    Path(batch): Path<Uuid>,
) -> Answer {
    simulator.delete_batch_payment(batch)?;
    Ok(done())
}
