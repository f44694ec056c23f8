//! The endpoint of a call, and the form of its answer.

use jiff::Timestamp;

use super::{
    accounts, admitted_call::AdmittedCall, allocations, bank_transactions, batch_payments,
    contacts, credit_notes, credits, invoices, organisation, payments, route::Route, tax_rates,
};
use crate::{books::CreditKind, query::QUERY_LENGTH_MAX, reply::Reply, world::World};

/// Does what is asked, at `now`.
pub(super) fn answered(world: &mut World, asked: &AdmittedCall, now: Timestamp) -> Reply {
    let reply = dispatch(world, asked, now).unwrap_or_else(|reply| reply);
    match asked.call.accepts_json() {
        true if world.oddities.escaped_slashes => reply.with_escaped_slashes(),
        true => reply,
        false => reply.into_xml(),
    }
}

fn dispatch(world: &mut World, asked: &AdmittedCall, now: Timestamp) -> Result<Reply, Reply> {
    let AdmittedCall { call, caller: (_, organisation), route, manner } = asked;
    let organisation = *organisation;
    // The web server in front of the API does this, without an explanation (facts.md 3.5).
    if call.raw_query.len() > QUERY_LENGTH_MAX {
        return Err(Reply::text(404, ""));
    }
    match (route, call.method.as_str()) {
        (Route::Accounts, "GET") => accounts::list(world, organisation, call, now),
        (Route::Account(id), "GET") => accounts::show(world, organisation, id, now),
        (Route::BankTransactions, "GET") => {
            bank_transactions::list(world, organisation, call, manner, now)
        }
        (Route::BankTransaction(id), "GET") => {
            bank_transactions::show(world, organisation, id, manner, now)
        }
        (Route::BankTransactions, "PUT" | "POST") => {
            bank_transactions::create(world, organisation, call, manner, now)
        }
        (Route::BankTransaction(id), "POST") => {
            bank_transactions::update(world, organisation, call, id)
        }
        (Route::BatchPayments, "GET") => batch_payments::list(world, organisation, call, now),
        (Route::BatchPayment(id), "GET") => batch_payments::show(world, organisation, id, now),
        (Route::BatchPayments, "PUT") => {
            batch_payments::create(world, organisation, call, manner, now)
        }
        (Route::BatchPayments, "POST") => {
            batch_payments::delete(world, organisation, call, None, now)
        }
        (Route::BatchPayment(id), "POST") => {
            batch_payments::delete(world, organisation, call, Some(id.as_str()), now)
        }
        (Route::Contacts, "GET") => contacts::list(world, organisation, call, now),
        (Route::Contact(id), "GET") => contacts::show(world, organisation, id, now),
        (Route::Organisation, "GET") => organisation::show(world, organisation, now),
        (Route::OrganisationActions, "GET") => organisation::actions(world, organisation, now),
        (Route::Invoices, "GET") => invoices::list(world, organisation, call, manner, now),
        (Route::Invoice(name), "GET") => invoices::show(world, organisation, name, manner, now),
        (Route::Invoices, "PUT" | "POST") => {
            invoices::write(world, organisation, call, None, manner, now)
        }
        (Route::Invoice(name), "POST") => {
            invoices::write(world, organisation, call, Some(name.as_str()), manner, now)
        }
        (Route::TaxRates, "GET") => tax_rates::list(world, organisation, call, now),
        (Route::Payments, "GET") => payments::list(world, organisation, call, manner, now),
        (Route::Payment(id), "GET") => payments::show(world, organisation, id, manner, now),
        (Route::Payments, "PUT" | "POST") => {
            payments::create(world, organisation, call, manner, now)
        }
        (Route::Payment(id), "POST") => payments::delete(world, organisation, call, id, now),
        (Route::Credits(kind), "GET") => {
            credits::list(world, organisation, call, *kind, manner, now)
        }
        (Route::Credit(kind, id), "GET") => {
            credits::show(world, organisation, id, *kind, manner, now)
        }
        (Route::Credits(CreditKind::CreditNote), "PUT" | "POST") => {
            credit_notes::write(world, organisation, call, None, manner, now)
        }
        (Route::Credit(CreditKind::CreditNote, id), "POST") => {
            credit_notes::write(world, organisation, call, Some(id.as_str()), manner, now)
        }
        (Route::Allocations(kind, id), "PUT") => {
            allocations::create(world, organisation, call, (*kind, id), manner, now)
        }
        (Route::Allocation(kind, id, allocation), "DELETE") => {
            allocations::delete(world, organisation, (*kind, id), allocation, now)
        }
        (Route::Unknown, _) => Err(Reply::not_found()),
        _ => Err(Reply::text(405, "Method not allowed")),
    }
}
