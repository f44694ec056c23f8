//! What alarms are rung by: the hourly look counts each thing that needs a person by itself (CM-42, X-14).

use std::collections::BTreeSet;

use harness::log_capture;
use jiff::SignedDuration;
use payments::GrantId;
use payments::grant::{Grant, Grants as _, Pair};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What the function says in its one line when it is asked this.
async fn said(world: &World, event: Value) -> Value {
    log_capture::start();
    let _ = world.invoke(event).await;
    let heard = log_capture::take();
    let line = heard.lines().rfind(|line| line.contains("sweep done")).unwrap();
    serde_json::from_str::<Value>(line).unwrap()["fields"].clone()
}

#[tokio::test]
async fn the_hourly_look_measures_silence_certificates_and_grants() {
    let world = World::new().await;
    let invoice = world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    world.invoke(json!({"scheduled_time": world.now(), "certify": true})).await.unwrap();

    let quiet = said(&world, json!({"check": true})).await;
    for name in
        ["connections.inactive", "webhooks.silence_ms", "certificates.oldest_ms", "grants.ending"]
    {
        assert_eq!(quiet[name], 0, "{name}: {quiet}");
    }

    // A change without a webhook, which the sweep has to find.
    world.clock.advance(SignedDuration::from_mins(5));
    world.pay(invoice, 10_00);
    world.clock.advance(SignedDuration::from_mins(25));
    world.sweep().await;
    world.work_off().await;
    // And a user's grant that nothing has used for 50 days.
    let new = Grant::new(GrantId::new(Uuid::from_u128(7)));
    let pair = Pair {
        generation: 1,
        access_token: "access".into(),
        access_until: world.now(),
        got_at: world.now() - HOUR * 24 * 50,
        refresh_token: "refresh".into(),
    };
    let granted = new.authorised(&pair, BTreeSet::from([world.organisation()]));
    world.tables.store_grant(&new, granted, world.now()).await.unwrap();
    world.clock.advance(HOUR * 7);

    let loud = said(&world, json!({"check": true})).await;

    let minutes = |name: &str| loud[name].as_u64().unwrap() / 60_000;
    assert_eq!(minutes("webhooks.silence_ms"), 7 * 60 + 25);
    assert_eq!(minutes("certificates.oldest_ms"), 7 * 60 + 30);
    assert_eq!((&loud["connections.inactive"], &loud["grants.ending"]), (&json!(1), &json!(1)));
    // A sweep does not look at connections, and says nothing of them.
    let swept = said(&world, json!({"scheduled_time": world.now()})).await;
    assert!(swept.get("connections.inactive").is_none(), "{swept}");
}
