//! Credit notes, prepayments and overpayments.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{delete, get, post},
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::{Answer, done, id, written};
use crate::{
    Simulator,
    books::{NewCredit, NewPayment},
};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/contacts/{contact}/credits", post(add_credit))
        .route("/credits/{credit}", get(credit))
        .route("/credits/{credit}/allocations", post(allocate))
        .route("/credits/{credit}/allocations/{allocation}", delete(deallocate))
        .route("/credits/{credit}/void", post(void_credit))
        .route("/credits/{credit}/refunds", post(refund))
}

async fn add_credit(
    State(simulator): State<Simulator>,
    Path(contact): Path<Uuid>,
    Json(wanted): Json<NewCredit>,
) -> Answer {
    Ok(id(simulator.add_credit(contact, wanted)?))
}

async fn credit(State(simulator): State<Simulator>, Path(credit): Path<Uuid>) -> Answer {
    let found = simulator.credit(credit);
    written(found.ok_or_else(|| anyhow::anyhow!("there is no credit {credit}"))?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAllocation {
    invoice: Uuid,
    amount: Decimal,
    date: Date,
}

async fn allocate(
    State(simulator): State<Simulator>,
    Path(credit): Path<Uuid>,
    Json(wanted): Json<NewAllocation>,
) -> Answer {
    Ok(id(simulator.allocate(credit, wanted.invoice, wanted.amount, wanted.date)?))
}

async fn deallocate(
    State(simulator): State<Simulator>,
    Path((credit, allocation)): Path<(Uuid, Uuid)>,
) -> Answer {
    simulator.deallocate(credit, allocation)?;
    Ok(done())
}

async fn void_credit(State(simulator): State<Simulator>, Path(credit): Path<Uuid>) -> Answer {
    simulator.void_credit(credit)?;
    Ok(done())
}

async fn refund(
    State(simulator): State<Simulator>,
    Path(credit): Path<Uuid>,
    Json(wanted): Json<NewPayment>,
) -> Answer {
    Ok(id(simulator.refund(credit, wanted)?))
}
