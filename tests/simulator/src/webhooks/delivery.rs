//! The one who carries deliveries out, one at a time and in order.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use tokio::time::Instant;

use super::{
    Delivery,
    outbox::{Next, Shipment},
};
use crate::Simulator;

/// A receiver that has not answered by then has failed (facts.md 1.8).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Name of the header with the signature, in lower case as on the wire (facts.md 1.1).
pub(super) const SIGNATURE_HEADER: &str = "x-xero-signature";
/// Type of every body (facts.md 1.1).
pub(super) const BODY_TYPE: &str = "application/json; charset=utf-8";

/// The HTTP client for deliveries: no redirect is followed, no proxy is asked.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    // One for the process: each would read the machine's certificates again.
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = reqwest::Client::builder()
        .timeout(ANSWER_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// Delivers for as long as the simulator is served.
pub(crate) async fn pump(simulator: Simulator) {
    loop {
        // Asked for before looking, so that what is announced in between is not slept over.
        let announced = simulator.inner.announced.notified();
        match simulator.with(|world, _| world.outbox.next(Instant::now())) {
            Next::Sleep => announced.await,
            Next::Wait(until) => {
                let _ = tokio::time::timeout_at(until, announced).await;
            }
            Next::Deliver => {
                deliver(&simulator, false).await;
            }
        }
    }
}

/// Delivers what is due, or everything that waits when `at_once`; stops at the first failure.
pub(crate) async fn deliver(simulator: &Simulator, at_once: bool) -> Vec<Delivery> {
    // One deliverer at a time, or the order of events would be lost.
    let _turn = simulator.inner.delivering.lock().await;
    let mut attempts = Vec::new();
    simulator.with(|world, _| world.pack_events(at_once));
    while let Some(shipment) = simulator.with(|world, _| world.outbox.shipment()) {
        let delivery = send(simulator, &shipment, false).await;
        let succeeded = delivery.succeeded();
        attempts.push(delivery.clone());
        let again = simulator.with(|world, now| world.settle_delivery(delivery, now));
        if succeeded {
            for _ in 0..shipment.duplicates {
                let delivery = send(simulator, &shipment, true).await;
                attempts.push(delivery.clone());
                simulator.with(|world, now| world.settle_delivery(delivery, now));
            }
        } else if !again {
            break;
        }
    }
    attempts
}

async fn send(simulator: &Simulator, shipment: &Shipment, duplicate: bool) -> Delivery {
    let at = (simulator.inner.clock)();
    let started = Instant::now();
    let answer = post(simulator, &shipment.url, &shipment.signature, &shipment.body).await;
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Delivery {
        at,
        first_sequence: shipment.first,
        last_sequence: shipment.last,
        events: shipment.events,
        attempt: shipment.attempt,
        duplicate,
        status,
        error,
        elapsed_ms: elapsed_ms(started),
        body: shipment.body.clone(),
        signature: shipment.signature.clone(),
    }
}

/// What a receiver answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body_length: usize,
    pub(super) sets_cookie: bool,
}

pub(super) async fn post(
    simulator: &Simulator,
    url: &str,
    signature: &str,
    body: &str,
) -> anyhow::Result<Answer> {
    let answer = simulator
        .inner
        .http
        .post(url)
        .header(CONTENT_TYPE, BODY_TYPE)
        .header(SIGNATURE_HEADER, signature)
        .body(body.to_owned())
        .send()
        .await?;
    Ok(Answer {
        status: answer.status().as_u16(),
        sets_cookie: answer.headers().contains_key("set-cookie"),
        body_length: answer.bytes().await?.len(),
    })
}

pub(super) fn elapsed_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
