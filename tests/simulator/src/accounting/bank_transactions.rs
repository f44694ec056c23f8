//! `/BankTransactions`: money taken in advance, which is the only kind that is imitated.

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    batch::{Batch, Objections},
    lines::{line_amounts, lines},
    lists,
    request::{BankTransactionIn, BankTransactionsIn, Call},
};
use crate::{
    books::{BankTransactionDraft, CreditKind, Organisation},
    faults::Manner,
    meter::{Created, CreatedKind},
    options::PrepaymentReferences,
    query::{Filter, Order, Place},
    random::Random,
    reply::Reply,
    wire::{
        AccountOut, BankTransactionForm, BankTransactionOut, BankTransactionRefused, ContactNamed,
        Unbooked,
    },
    world::World,
};

/// `GET /BankTransactions`, deleted ones included.
pub(super) fn list(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let names = ["Reference", "Status", "Type", "Contact.ContactID"];
    let filter = Filter::parse(call.query.value("where"), &names)?;
    let references = call.query.list("References");
    let order = match call.query.order()? {
        // Sorted by change even when nothing is asked for, unlike the other lists.
        Order::Created => Order::OldestChange,
        order => order,
    };
    let since = lists::since(call);
    let books = lists::organisation(world, organisation)?;
    let mut found: Vec<_> = books
        .bank_transactions
        .values()
        .filter_map(|transaction| manner.bank_transaction(transaction))
        .filter(|transaction| since.is_none_or(|since| transaction.updated >= since))
        .filter(|transaction| {
            references.as_ref().is_none_or(|texts| texts.contains(&transaction.reference.as_str()))
        })
        .filter(|transaction| {
            filter.admits(|name| match name {
                "Reference" => transaction.reference.as_str().into(),
                "Status" => transaction.status.as_str().into(),
                "Type" => transaction.kind.document_type().into(),
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
    let form = match page {
        Some(_) => BankTransactionForm::Paged,
        None => BankTransactionForm::Listed,
    };
    let (found, pagination) = lists::paged(page, found);
    let found = found.iter();
    let items: Vec<_> =
        found.map(|transaction| BankTransactionOut::new(books, transaction, form)).collect();
    Ok(lists::reply(world, "BankTransactions", items, pagination, now))
}

/// `GET /BankTransactions/{id}`.
pub(super) fn show(
    world: &mut World,
    organisation: Uuid,
    id: &str,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    let transaction = books.bank_transactions.get(&id).ok_or_else(Reply::not_found)?;
    let transaction = manner.bank_transaction(transaction).ok_or_else(Reply::not_found)?;
    let item = BankTransactionOut::new(books, &transaction, BankTransactionForm::Full);
    Ok(lists::reply(world, "BankTransactions", vec![item], None, now))
}

/// `PUT /BankTransactions` with many, or one that is bare.
pub(super) fn create(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<BankTransactionsIn>()?.bank_transactions {
        Some(transactions) => transactions,
        None => vec![call.json::<BankTransactionIn>()?],
    };
    let keeps_references = world.prepayment_references == PrepaymentReferences::Kept;
    let World { books, ids, .. } = &mut *world;
    let books = books.organisation(organisation).map_err(|_| Reply::not_found())?;
    let checked = sent.iter().map(|sent| check(books, sent, keeps_references, ids, now)).collect();

    let batch = Batch::of(call, manner);
    let booked = batch.book(world, checked, |world, draft| record(world, organisation, draft, now));

    let books = lists::organisation(world, organisation)?;
    let written = |id: Uuid, own_result| {
        let transaction = books.bank_transactions.get(&id).ok_or_else(Reply::not_found)?;
        let written = BankTransactionOut::new(books, transaction, BankTransactionForm::Full);
        lists::raw(&if own_result { written.with_own_result() } else { written })
    };
    let items = batch.elements(&sent, &booked, written, echo)?;
    Ok(lists::reply(world, "BankTransactions", items, None, now))
}

/// `POST /BankTransactions/{id}`: Xero cannot change or delete a prepayment by its API.
pub(super) fn update(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    id: &str,
) -> Result<Reply, Reply> {
    let sent: BankTransactionIn = call.json()?;
    let books = lists::organisation(world, organisation)?;
    let id = Uuid::parse_str(id).map_err(|_| Reply::not_found())?;
    books.bank_transactions.get(&id).ok_or_else(Reply::not_found)?;
    let why = [CANNOT_CHANGE.to_owned()];
    Err(Reply::invalid(vec![echo(&sent, Unbooked::Refused(&why), false)]))
}

const CANNOT_CHANGE: &str = "A transaction of type RECEIVE-PREPAYMENT cannot be updated or deleted";

/// Reads one element, and what stands in its way.
fn check(
    books: &Organisation,
    sent: &BankTransactionIn,
    keeps_references: bool,
    ids: &mut Random,
    now: Timestamp,
) -> Result<BankTransactionDraft, Objections> {
    let mut objections = Vec::new();
    match sent.kind.as_deref() {
        Some("RECEIVE-PREPAYMENT") => {}
        Some(kind) => objections
            .push(format!("Type {kind} is not imitated by this simulator; RECEIVE-PREPAYMENT is")),
        None => objections.push("A valid Type must be specified".to_owned()),
    }
    if sent.id.is_some() {
        objections.push(CANNOT_CHANGE.to_owned());
    }
    match sent.status.as_deref() {
        None | Some("AUTHORISED") => {}
        Some(_) => objections.push("Status must be AUTHORISED for a new transaction".to_owned()),
    }
    let named = sent.bank_account.clone().unwrap_or_default();
    let account = books.account_meant(named.id, named.code.as_deref());
    if account.is_none() {
        objections.push("BankAccount is mandatory".to_owned());
    }
    let line_amounts = line_amounts(sent.line_amount_types.as_deref());
    let lines = lines(sent.line_items.as_deref().unwrap_or_default(), ids);
    for refusal in [line_amounts.as_ref().err(), lines.as_ref().err()].into_iter().flatten() {
        objections.extend(refusal.0.iter().cloned());
    }
    let (Some(account), Ok(line_amounts), Ok(lines)) = (account, line_amounts, lines) else {
        return Err(objections);
    };
    let draft = BankTransactionDraft {
        kind: CreditKind::Prepayment,
        contact: sent.contact.clone().unwrap_or_default().choice(),
        account,
        date: sent.date.map_or_else(|| now.to_zoned(TimeZone::UTC).date(), |day| day.0),
        reference: sent.reference.clone().filter(|_| keeps_references).unwrap_or_default(),
        currency: sent.currency_code.clone(),
        line_amounts: line_amounts.unwrap_or_else(|| "Exclusive".to_owned()),
        lines,
        reconciled: sent.reconciled.unwrap_or(false),
    };
    objections.extend(books.objections_to_bank_transaction(&draft));
    if objections.is_empty() { Ok(draft) } else { Err(objections) }
}

fn record(
    world: &mut World,
    organisation: Uuid,
    draft: BankTransactionDraft,
    now: Timestamp,
) -> Result<Uuid, Objections> {
    let reference = draft.reference.clone();
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let id = books.add_bank_transaction(draft, &mut world.ids, now).map_err(|refusal| refusal.0)?;
    // Xero announces no bank transactions (facts.md 1.5), but there is something to save.
    world.changed = true;
    let created = Created { kind: CreatedKind::BankTransaction, id, at: now, reference };
    world.meters.created(organisation, created);
    Ok(id)
}

/// The element as it was sent, with what is wrong with it.
fn echo(
    sent: &BankTransactionIn,
    unbooked: Unbooked<'_>,
    own_result: bool,
) -> BankTransactionRefused {
    let mut echo = BankTransactionRefused::new(unbooked, sent.date.map(|day| day.0), own_result);
    echo.kind = sent.kind.clone();
    echo.contact =
        sent.contact.clone().map(|contact| ContactNamed { id: contact.id, name: contact.name });
    echo.bank_account = sent.bank_account.clone().map(|account| AccountOut {
        id: account.id,
        code: account.code,
        name: None,
    });
    echo.reference = sent.reference.clone();
    echo
}
