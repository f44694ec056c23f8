//! The controls over HTTP, for curl and for other processes. JSON in and out; money as strings.

mod credits;
mod invoices;
mod setup;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::guide;
use crate::{
    Simulator,
    authorisation::Consent,
    faults::Fault,
    options::{Limits, Oddities},
    webhooks::WebhookSettings,
};

/// A refusal of ours, not of Xero's: 400 and a sentence.
struct Refused(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": format!("{:#}", self.0) }));
        (StatusCode::BAD_REQUEST, body).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(guide::show))
        .merge(credits::router())
        .merge(invoices::router())
        .merge(setup::router())
        .route("/clock", get(clock).post(advance_clock))
        .route("/idempotency-keys", delete(forget_idempotency_keys))
        .route("/tokens", delete(revoke_tokens))
        .route("/authorisations", post(consent))
        .route("/authorisations/{organisation}", delete(revoke_authorisations))
        .route("/identity-calls", get(identity_calls))
        .route("/limits", get(limits).put(set_limits))
        .route("/oddities", put(set_oddities))
        .route("/faults", get(faults).post(inject).delete(clear_faults))
        .route("/meters", get(meters).delete(reset_meters))
        .route("/webhook", get(webhook).put(set_webhook))
        .route("/webhook/intent-to-receive", post(intent_to_receive))
        .route("/webhook/flush", post(flush_webhooks))
        .route("/webhook/deliveries", get(deliveries))
}

fn id(id: Uuid) -> Json<Value> {
    Json(json!({ "id": id }))
}

fn done() -> Json<Value> {
    Json(json!({ "done": true }))
}

fn written(value: impl serde::Serialize) -> Answer {
    Ok(Json(serde_json::to_value(value)?))
}

async fn clock(State(simulator): State<Simulator>) -> Answer {
    Ok(Json(json!({
        "now": simulator.now(),
        "can_be_advanced": simulator.clock_can_be_advanced(),
        "postponed": simulator.postponed(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

async fn advance_clock(State(simulator): State<Simulator>, Json(wanted): Json<Advance>) -> Answer {
    let duration = SignedDuration::from_secs(i64::from(wanted.advance_seconds));
    let now = simulator.advance_clock(duration)?;
    Ok(Json(json!({ "now": now })))
}

async fn forget_idempotency_keys(State(simulator): State<Simulator>) -> Answer {
    simulator.forget_idempotency_keys();
    Ok(done())
}

async fn revoke_tokens(State(simulator): State<Simulator>) -> Answer {
    simulator.revoke_tokens();
    Ok(done())
}

async fn consent(State(simulator): State<Simulator>, Json(wanted): Json<Consent>) -> Answer {
    Ok(Json(json!({ "code": simulator.consent(wanted)? })))
}

async fn revoke_authorisations(
    State(simulator): State<Simulator>,
    Path(organisation): Path<Uuid>,
) -> Answer {
    simulator.revoke_authorisations(organisation);
    Ok(done())
}

async fn identity_calls(State(simulator): State<Simulator>) -> Answer {
    written(simulator.identity_calls())
}

async fn limits(State(simulator): State<Simulator>) -> Answer {
    written(simulator.limits())
}

async fn set_limits(State(simulator): State<Simulator>, Json(limits): Json<Limits>) -> Answer {
    simulator.set_limits(limits);
    Ok(done())
}

async fn set_oddities(
    State(simulator): State<Simulator>,
    Json(oddities): Json<Oddities>,
) -> Answer {
    simulator.set_oddities(oddities);
    Ok(done())
}

async fn faults(State(simulator): State<Simulator>) -> Answer {
    written(simulator.faults())
}

async fn inject(State(simulator): State<Simulator>, Json(fault): Json<Fault>) -> Answer {
    simulator.inject(fault);
    Ok(done())
}

async fn clear_faults(State(simulator): State<Simulator>) -> Answer {
    simulator.clear_faults();
    Ok(done())
}

async fn meters(State(simulator): State<Simulator>) -> Answer {
    written(simulator.meters())
}

async fn reset_meters(State(simulator): State<Simulator>) -> Answer {
    simulator.reset_meters();
    Ok(done())
}

async fn webhook(State(simulator): State<Simulator>) -> Answer {
    let (settings, status) = simulator.webhook();
    let undelivered = simulator.undelivered();
    Ok(Json(json!({ "settings": settings, "status": status, "undelivered": undelivered })))
}

async fn set_webhook(
    State(simulator): State<Simulator>,
    Json(settings): Json<WebhookSettings>,
) -> Answer {
    simulator.set_webhook(settings);
    Ok(done())
}

async fn intent_to_receive(State(simulator): State<Simulator>) -> Answer {
    written(simulator.intent_to_receive().await)
}

async fn flush_webhooks(State(simulator): State<Simulator>) -> Answer {
    written(simulator.flush_webhooks().await)
}

async fn deliveries(State(simulator): State<Simulator>) -> Answer {
    written(simulator.deliveries())
}
