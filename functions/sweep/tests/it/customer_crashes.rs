//! FAULT-07 for the customer sync: the process ends at any of its calls, ten run at once, answers of Xero are lost. In the end
//! the tables are those of a sync that nothing happened to.

use futures_util::future::join_all;
use harness::dynamodb::Row;
use harness::{CrashPoint, crash_moments};
use jiff::SignedDuration;
use serde_json::json;
use xero_simulator::{Effect, Fault};

use crate::contact_credits::plant_credit;
use crate::customers::{Books, plant, world};

/// All that a sync leaves: the customers without the times, and the contacts.
async fn outcome(world: &Books) -> (Vec<Row>, Vec<Row>) {
    let mut customers = world.rows("customers").await;
    for row in &mut customers {
        row.retain(|name, _| !name.ends_with("_at") && name != "blocked_at");
    }
    (customers, world.rows("contacts").await)
}

/// Every kind of match and of action, and credit.
async fn crowded() -> Books {
    let world = world().await;
    plant(&world).await;
    plant_credit(&world);
    world
}

#[tokio::test]
async fn wherever_a_sync_ends_the_next_one_leaves_what_an_undisturbed_one_does() {
    // FAULT-07, EX-36
    let world = crowded().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    world.sync_customers().await;
    let expected = outcome(&world).await;
    let moments = crash_moments(&counter.calls());
    assert!(moments.len() > 10, "{}", moments.len());
    for (call, moment) in moments {
        let world = crowded().await;
        let crash_point = CrashPoint::at(call, moment);
        world.end_with(&crash_point);
        world.clock.advance(SignedDuration::from_mins(60));
        let event = json!({"scheduled_time": world.now(), "customers": true});
        let ended = crash_point.run(world.invoke(event)).await.is_none();
        assert!(ended, "not killed {moment:?} call {call}");
        world.end_with(&CrashPoint::counting());
        world.sync_customers().await;
        assert_eq!(outcome(&world).await, expected, "killed {moment:?} call {call}");
    }
}

#[tokio::test]
async fn ten_syncs_at_once_and_lost_answers_leave_what_one_does() {
    // FAULT-07, EX-36
    let world = crowded().await;
    world.sync_customers().await;
    let expected = outcome(&world).await;
    let at_once = crowded().await;
    at_once.clock.advance(SignedDuration::from_mins(60));
    let event = json!({"scheduled_time": at_once.now(), "customers": true});
    let _ = join_all((0..10).map(|_| at_once.invoke(event.clone()))).await;
    at_once.sync_customers().await;
    assert_eq!(outcome(&at_once).await, expected);
    for path in ["/Contacts", "/CreditNotes", "/Prepayments", "/Overpayments"] {
        let world = crowded().await;
        world.simulator.inject(Fault::on("GET", path, Effect::TruncatedJson).times(1));
        world.clock.advance(SignedDuration::from_mins(60));
        let event = json!({"scheduled_time": world.now(), "customers": true});
        let _ = world.invoke(event).await;
        world.sync_customers().await;
        world.sync_customers().await;
        assert_eq!(outcome(&world).await, expected, "{path}");
    }
}
