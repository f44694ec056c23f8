//! Many events at once: what they cost, and that repeating them costs nothing.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::world::{World, delivery};

const EVENTS: usize = 1000;
const INVOICES: usize = 120;
const EVENTS_PER_DELIVERY: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_1000_events_over_120_invoices_costs_three_calls() -> Result<()> {
    // CM-44, FAULT-11: ⌈120 / 40⌉ calls; two more are allowed for an unlucky split.
    let calls_max = INVOICES.div_ceil(40) + 2;
    let world = World::as_deployed().await?;
    world.xero()?.set_limits(xero_simulator::Limits::NONE);
    // All these payments are going to be deleted on purpose.
    world.set("mass_change_max", AttributeValue::N("0".to_owned())).await?;
    let mut invoices = Vec::new();
    for number in 0..INVOICES {
        let invoice = world.invoice(&format!("{}", 2000 + number)).await?;
        invoices.push((invoice, world.pay(invoice, "46.00")?));
    }
    world.settled().await?;
    // Everything changes once more, without Xero telling us by itself.
    let xero = world.xero()?;
    let (settings, _) = xero.webhook();
    xero.set_webhook(xero_simulator::WebhookSettings { enabled: false, ..settings });
    let mut events = Vec::new();
    for (invoice, payment) in &invoices {
        xero.delete_payment(*payment)?;
        events.push((*invoice, xero.invoice(*invoice).unwrap().updated));
    }
    let bodies: Vec<_> = (0..EVENTS)
        .map(|n| events[n % INVOICES])
        .collect::<Vec<_>>()
        .chunks(EVENTS_PER_DELIVERY)
        .map(delivery)
        .collect();

    let before = world.everything().await?;
    xero.reset_meters();
    for body in &bodies {
        assert_eq!(world.deliver(body).await?.status(), 200);
    }
    world.settled().await?;
    let first = world.meter()?;
    let after = world.everything().await?;
    assert!(after["payments"].is_empty());
    assert_eq!(after["tombstones"].len() - before["tombstones"].len(), INVOICES);

    xero.reset_meters();
    for body in &bodies {
        assert_eq!(world.deliver(body).await?.status(), 200);
    }
    world.settled().await?;
    let again = world.meter()?;

    let ids: Vec<_> = invoices.iter().map(|(invoice, _)| *invoice).collect();
    let (calls_least, bytes_least) = world.least(&ids, 40).await?;

    println!("events delivered            {EVENTS:>8}   over {INVOICES} invoices");
    println!("calls to Xero               {:>8}   at most {calls_max}", first.calls);
    println!("calls, at the least         {calls_least:>8}");
    println!("calls for the same again    {:>8}   at most {calls_max}", again.calls);
    println!("bytes per changed invoice   {:>8}", first.bytes_sent / u64::try_from(INVOICES)?);
    println!("bytes, at the least         {:>8}", bytes_least / u64::try_from(INVOICES)?);
    // At most 1.1 times the least. A burst that is split by chance takes a call more, and its bytes.
    let (sent, split) = (first.bytes_sent * u64::try_from(calls_least)?, first.calls);
    assert!(sent * 10 <= bytes_least * split * 11, "{} of {bytes_least}", first.bytes_sent);
    assert!(first.calls <= u64::try_from(calls_max)?, "{first:?}");
    assert!(again.calls <= u64::try_from(calls_max)?, "{again:?}");
    assert_eq!(world.everything().await?, after, "the same again writes nothing");
    world.stack.stop().await;
    Ok(())
}
