//! Many at once, and several organisations (FAULT-29).

use payments::grant::{Dead, GrantEnd};
use tokio::task::JoinSet;
use xero::{AccessRefusal, ErrorClass, ReadError};
use xero_simulator::{Effect, Fault};

use super::world::{World, minutes, seconds};

/// So many processes call Xero at once, for the one organisation and for the other.
async fn all_at_once(world: &World, count: usize) -> Vec<Result<(), ReadError>> {
    let mut calls = JoinSet::new();
    for n in 0..count {
        let (process, organisation) = (world.process(), world.organisation(n));
        calls.spawn(async move { process.organisation(organisation).await.map(drop) });
    }
    calls.join_all().await
}

#[tokio::test]
async fn ten_who_find_the_token_over_at_once_renew_it_once_and_all_get_in() {
    // FAULT-29
    let world = World::connected().await;
    for generation in 2..5 {
        let calls = all_at_once(&world, 10).await;
        assert!(calls.iter().all(Result::is_ok), "{calls:?}");
        let grant = world.grant().await;
        assert_eq!((grant.generation, grant.lease), (generation, None));
        assert_eq!(u64::from(world.simulator.refreshes()), generation - 1);
        world.clock.advance(minutes(30));
    }
}

#[tokio::test]
async fn ten_whose_token_is_refused_get_one_new_one() {
    // X-14: by a 401 and not by the clock.
    let world = World::new().await;
    world.connect().await;
    world.simulator.revoke_tokens();
    let calls = all_at_once(&world, 10).await;
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");
    assert_eq!(world.simulator.refreshes(), 1);
}

#[tokio::test]
async fn both_organisations_have_the_new_token_together() {
    // FAULT-29
    let world = World::connected().await;
    let (one, other) = (world.process(), world.process());
    one.organisation(world.organisation(0)).await.unwrap();
    assert_eq!(world.asked_for_tokens(), 2, "to connect, and to renew");
    other.organisation(world.organisation(1)).await.unwrap();
    one.organisation(world.organisation(1)).await.unwrap();
    other.organisation(world.organisation(0)).await.unwrap();
    assert_eq!((world.asked_for_tokens(), world.simulator.refreshes()), (0, 1));
}

#[tokio::test]
async fn two_who_renew_at_once_in_spite_of_the_lease_lose_nothing() {
    // FAULT-29: the first one is held up for longer than its lease, after Xero and before the store.
    for before_the_second in [true, false] {
        let world = World::connected().await;
        let holdup = world.safe.hold_up();
        let (slow, organisation) = (world.process(), world.organisation(0));
        let slow = tokio::spawn(async move { slow.organisation(organisation).await.map(drop) });
        holdup.came.notified().await;
        world.clock.advance(seconds(61));
        if before_the_second {
            world.call(1).await.unwrap();
            holdup.goes_on.notify_one();
            slow.await.unwrap().unwrap();
        } else {
            holdup.goes_on.notify_one();
            slow.await.unwrap().unwrap();
            world.call(1).await.unwrap();
        }
        // Half an hour later only the last pair that Xero gave is good, and that is the one we have.
        for _ in 0..3 {
            world.clock.advance(minutes(24 * 60));
            world.call(0).await.unwrap();
        }
        assert_eq!(world.grant().await.dead, None);
    }
}

#[tokio::test]
async fn ten_who_find_the_grant_revoked_bury_it_once() {
    // FAULT-29: dead once, one message, and no further call.
    let world = World::connected().await;
    world.call(0).await.unwrap();
    world.asked_for_tokens();
    let organisation = world.organisation(0).to_string().parse().unwrap();
    world.simulator.revoke_authorisations(organisation);
    let at = world.now();
    for _ in 0..3 {
        for call in all_at_once(&world, 10).await {
            let error = call.unwrap_err();
            assert_eq!(
                error,
                ReadError::NotAuthorised(AccessRefusal::Lost(GrantEnd::InvalidGrant))
            );
            assert_eq!(error.class(), ErrorClass::Authentication);
        }
        world.clock.advance(minutes(60));
    }
    assert_eq!(world.asked_for_tokens(), 1);
    let dead = Dead { at, why: GrantEnd::InvalidGrant };
    assert_eq!(world.grant().await.dead, Some(dead));
    let messages = world.messages().await;
    let mut named: Vec<_> = messages.iter().map(|row| row["organisation"].clone()).collect();
    named.sort();
    let mut all = [0, 1].map(|n| world.organisation(n).to_string());
    all.sort();
    assert_eq!(named, all, "one for each organisation that hangs on it");
    assert!(messages.iter().all(|row| row["kind"] == "CONNECTION_LOST"));

    // And a user can bring it back.
    world.connect().await;
    assert!(all_at_once(&world, 10).await.iter().all(Result::is_ok));
    assert_eq!(world.messages().await.len(), 0);
}

#[tokio::test]
async fn ten_who_find_the_identity_service_down_do_not_storm_it() {
    // A7.3: a Timeout, with a pause that all of them keep.
    let world = World::connected().await;
    world.asked_for_tokens();
    let down = Effect::Status { status: 503, headers: Vec::new(), body: String::new() };
    world.simulator.inject(Fault::on("POST", "/connect/token", down));
    for call in all_at_once(&world, 10).await {
        assert_eq!(call.unwrap_err().class(), ErrorClass::Timeout);
    }
    assert_eq!(world.asked_for_tokens(), 1);
    world.simulator.clear_faults();
    world.clock.advance(seconds(6));
    assert!(all_at_once(&world, 10).await.iter().all(Result::is_ok));
    assert_eq!(world.grant().await.failing, None);
}

#[tokio::test]
async fn our_own_app_being_refused_kills_no_grant() {
    // CC-16: the credentials of the app are at fault, and not what the user has granted.
    let world = World::connected().await;
    let body = r#"{"error":"invalid_client"}"#.to_owned();
    let refused = Effect::Status { status: 400, headers: Vec::new(), body };
    world.simulator.inject(Fault::on("POST", "/connect/token", refused));
    let error = world.call(0).await.unwrap_err();
    assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::Client("invalid_client")));
    world.simulator.clear_faults();
    world.clock.advance(seconds(6));
    world.call(0).await.unwrap();
    assert_eq!(world.messages().await.len(), 0);
}

#[tokio::test]
async fn an_organisation_without_a_grant_is_not_called() {
    // N8
    let world = World::connected().await;
    world.xero.take_calls();
    let stranger = "11111111-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
    let error = world.process().organisation(stranger).await.unwrap_err();
    assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::NotConnected));
    assert!(world.xero.take_calls().is_empty());
}
