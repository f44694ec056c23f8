//! The sweep: what no webhook announces is found all the same.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::Client;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{NewPayment, WebhookSettings};

use super::{
    invocation::invoke,
    money::CURRENCY,
    narrator::{Seen, Teller},
};
use crate::{
    Stack,
    lambda::Function,
    table_queries::{self, Look},
};

/// Longest that what a first sweep finds takes to be dealt with: it looks back a month.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Plays it on an invoice that is known by this id in Xero, and by this number here.
pub(super) async fn play(
    stack: &Stack,
    teller: &mut Teller,
    (invoice, number): (Uuid, u64),
    paid: NewPayment,
) -> anyhow::Result<()> {
    let look = Look { dynamodb: stack.dynamodb(), organisation: &stack.xero().tenant_id };
    let xero = stack.simulator()?;
    teller.begin(
        "Xero's webhooks are switched off, as after a long outage, and a person records a payment there. \
         The sweep, which comes every half hour, is called.",
        &format!("the {} {CURRENCY} on {number} all the same, found by the sweep", paid.amount),
    );
    let (announcing, _) = xero.webhook();
    xero.set_webhook(WebhookSettings { enabled: false, ..announcing.clone() });
    let event = Instant::now();
    let payment = xero.add_payment(invoice, paid)?.to_string();
    let scheduled_time = stack.clock().now();
    let wanted = json!({ "scheduled_time": scheduled_time });
    let answer = invoke(stack, &Client::new(), Function::Sweep, &wanted).await?;
    let sweeps = answer["sweeps"].as_array().context("the sweep has answered something else")?;
    let ours = sweeps.iter().find(|sweep| sweep["organisation"] == stack.xero().tenant_id.as_str());
    let run = ours.map(|sweep| sweep["run"].clone()).unwrap_or_default();
    teller
        .look_within(SETTLED_WITHIN, event, async || {
            let payments = look.payments(number).await?;
            let copied = payments.iter().any(|found| found.xero_id.as_deref() == Some(&payment));
            let found = format!(
                "on {number}: {}; {} calls, {} invoices of {} rows on the queue",
                table_queries::describe(&payments),
                run["calls"],
                run["counts"]["queued"],
                run["counts"]["rows"],
            );
            Ok(Seen::when(copied && run["state"] == "finished", found))
        })
        .await?;
    xero.set_webhook(announcing);
    stack.drained(SETTLED_WITHIN).await
}

/// Plays the hourly look at the connection.
pub(super) async fn check(stack: &Stack, teller: &mut Teller) -> anyhow::Result<()> {
    teller.begin(
        "An hour has passed: the sweep is asked how the connection is.",
        "Active: Xero answers, lets us in, and nothing is left undone (the page Integrations shows it)",
    );
    let event = Instant::now();
    let wanted = json!({ "check": true });
    let answer = invoke(stack, &Client::new(), Function::Sweep, &wanted).await?;
    let connections = answer["connections"].as_array().context("the check has no answer")?;
    let ours = connections.iter().find(|of| of["organisation"] == stack.xero().tenant_id.as_str());
    let ours = ours.context("the check has left the organisation out")?;
    let status = ours["status"].as_str().context("the connection has no status")?;
    teller
        .look(event, async || {
            let troubles = ours["troubles"].as_array().map_or(0, Vec::len);
            Ok(Seen::when(status == "Active", format!("{status}; troubles: {troubles}")))
        })
        .await
}
