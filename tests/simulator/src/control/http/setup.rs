//! Organisations, their contacts and accounts, and bank transactions.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{delete, get, post, put},
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, done, id, written};
use crate::{
    Simulator,
    books::{
        BankTransaction, Contact, CreditDocument, InvoiceKind, LockDates, NewAccount, NewInvoice,
        NewOrganisation, Organisation,
    },
};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/organisations", get(organisations).post(add_organisation))
        .route("/organisations/{organisation}/accounts", post(add_account))
        .route("/organisations/{organisation}/accounts/{account}/archive", post(archive_account))
        .route("/organisations/{organisation}/lock-dates", put(set_lock_dates))
        .route("/organisations/{organisation}/contacts", get(contacts).post(add_contact))
        .route("/organisations/{organisation}/bank-transactions", get(bank_transactions))
        .route("/organisations/{organisation}/live-references", get(live_references))
        .route("/contacts/{contact}/archive", post(archive_contact))
        .route("/contacts/{contact}/merge", post(merge_contact))
        .route("/contacts/{contact}/invoices", post(add_invoice_to))
        .route("/bank-transactions/{transaction}", delete(delete_bank_transaction))
        .route("/bank-transactions/{transaction}/void", post(void_bank_transaction))
}

fn organisation_json(organisation: &Organisation) -> Value {
    json!({
        "id": organisation.id,
        "name": organisation.name,
        "currency": organisation.currency,
        "accounts": organisation.accounts,
        "period_lock_date": organisation.period_lock_date,
        "end_of_year_lock_date": organisation.end_of_year_lock_date,
        "invoices": organisation.invoices.len(),
        "payments": organisation.payments.len(),
        "bank_transactions": organisation.bank_transactions.len(),
    })
}

fn bank_transaction_json(books: &Organisation, transaction: &BankTransaction) -> Value {
    let credit = books.credit_documents.get(&transaction.prepayment);
    json!({
        "id": transaction.id,
        "prepayment": transaction.prepayment,
        "contact": transaction.contact,
        "account": transaction.account,
        "date": transaction.date,
        "reference": transaction.reference,
        "total": transaction.total,
        "remaining_credit": credit.map(CreditDocument::remaining),
        "status": transaction.status,
        "updated": transaction.updated,
    })
}

async fn organisations(State(simulator): State<Simulator>) -> Answer {
    let found = simulator.with(|world, _| {
        let organisations = world.books.organisations.values();
        organisations.map(organisation_json).collect::<Vec<_>>()
    });
    written(found)
}

async fn add_organisation(
    State(simulator): State<Simulator>,
    Json(wanted): Json<NewOrganisation>,
) -> Answer {
    Ok(id(simulator.add_organisation(wanted)?))
}

/// What `show` makes of an organisation's books.
fn of_books(
    simulator: &Simulator,
    organisation: Uuid,
    show: impl FnOnce(&Organisation) -> Value,
) -> Answer {
    let shown = simulator.with(|world, _| {
        let books = world.books.organisation(organisation)?;
        anyhow::Ok(show(books))
    });
    Ok(Json(shown?))
}

async fn add_account(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
    Json(wanted): Json<NewAccount>,
) -> Answer {
    Ok(id(simulator.add_account(organisation, wanted)?))
}

async fn archive_account(
    State(simulator): State<Simulator>,
    Path((organisation, account)): Path<(Uuid, Uuid)>,
) -> Answer {
    simulator.archive_account(organisation, account)?;
    Ok(done())
}

async fn set_lock_dates(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
    Json(dates): Json<LockDates>,
) -> Answer {
    simulator.set_lock_dates(organisation, dates)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContact {
    name: String,
    account_number: Option<String>,
    email: Option<String>,
}

async fn contacts(State(simulator): State<Simulator>, Path(organisation): Path<Uuid>) -> Answer {
    of_books(&simulator, organisation, |books| {
        let contacts: Vec<&Contact> = books.contacts.iter().collect();
        json!(contacts)
    })
}

async fn add_contact(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
    Json(wanted): Json<NewContact>,
) -> Answer {
    let contact = simulator.add_contact(organisation, &wanted.name)?;
    if wanted.account_number.is_some() || wanted.email.is_some() {
        let (number, email) = (wanted.account_number.as_deref(), wanted.email.as_deref());
        simulator.describe_contact(contact, number, email)?;
    }
    Ok(id(contact))
}

async fn archive_contact(State(simulator): State<Simulator>, Path(contact): Path<Uuid>) -> Answer {
    simulator.archive_contact(contact)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    into: Uuid,
}

async fn merge_contact(
    State(simulator): State<Simulator>,
    Path(contact): Path<Uuid>,
    Json(wanted): Json<Merge>,
) -> Answer {
    simulator.merge_contact(contact, wanted.into)?;
    Ok(done())
}

/// An invoice without what its contact says already.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceOfContact {
    number: String,
    total: Decimal,
    currency: String,
    date: Date,
    due_date: Date,
    kind: InvoiceKind,
}

async fn add_invoice_to(
    State(simulator): State<Simulator>,
    Path(contact): Path<Uuid>,
    Json(wanted): Json<InvoiceOfContact>,
) -> Answer {
    let known = simulator.with(|world, _| world.books.of_contact(contact).map(|books| books.id));
    let organisation = known?;
    let wanted = NewInvoice {
        organisation,
        number: wanted.number,
        contact_name: String::new(),
        total: wanted.total,
        currency: wanted.currency,
        date: wanted.date,
        due_date: wanted.due_date,
        kind: wanted.kind,
    };
    Ok(id(simulator.add_invoice_to(contact, wanted)?))
}

async fn bank_transactions(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
) -> Answer {
    of_books(&simulator, organisation, |books| {
        let transactions = books.bank_transactions.values();
        json!(transactions.map(|found| bank_transaction_json(books, found)).collect::<Vec<_>>())
    })
}

async fn live_references(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
) -> Answer {
    written(simulator.live_references(organisation))
}

async fn delete_bank_transaction(
    State(simulator): State<Simulator>,
    Path(transaction): Path<Uuid>,
) -> Answer {
    simulator.delete_bank_transaction(transaction)?;
    Ok(done())
}

async fn void_bank_transaction(
    State(simulator): State<Simulator>,
    Path(transaction): Path<Uuid>,
) -> Answer {
    simulator.void_bank_transaction(transaction)?;
    Ok(done())
}
