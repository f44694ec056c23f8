//! Pairs that Xero has given and no process has kept (FAULT-29).

use payments::grant::GrantEnd;
use xero::{AccessRefusal, ErrorClass, ReadError};
use xero_simulator::{Effect, Fault};

use super::world::{World, grant_id, minutes, seconds};

/// The next answer of the identity service is lost, with the pair in it.
async fn lose_a_pair(world: &World) {
    world.simulator.inject(Fault::on("POST", "/connect/token", Effect::LostAnswer).times(1));
    let error = world.call(0).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout);
    assert_eq!((world.simulator.refreshes(), world.safe.generation(grant_id())), (1, 1));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_made_good_with_the_old_token() {
    // FAULT-29
    let world = World::connected().await;
    lose_a_pair(&world).await;
    world.asked_for_tokens();
    let error = world.call(1).await.unwrap_err();
    assert_eq!((error.class(), world.asked_for_tokens()), (ErrorClass::Timeout, 0), "a pause");
    world.clock.advance(seconds(6));
    world.call(1).await.unwrap();
    for _ in 0..3 {
        world.clock.advance(minutes(24 * 60));
        world.call(0).await.unwrap();
    }
}

#[tokio::test]
async fn the_old_token_works_after_29_minutes() {
    // FAULT-29
    let world = World::connected().await;
    lose_a_pair(&world).await;
    world.clock.advance(minutes(29));
    world.call(0).await.unwrap();
    assert_eq!((world.grant().await.generation, world.simulator.refreshes()), (2, 2));
    assert_eq!(world.messages().await.len(), 0);
}

#[tokio::test]
async fn after_31_minutes_it_does_not_and_the_grant_is_dead() {
    // FAULT-29
    let world = World::connected().await;
    lose_a_pair(&world).await;
    world.clock.advance(minutes(31));
    let lost = ReadError::NotAuthorised(AccessRefusal::Lost(GrantEnd::InvalidGrant));
    assert_eq!(world.call(0).await.unwrap_err(), lost);
    world.asked_for_tokens();
    assert_eq!(world.call(1).await.unwrap_err(), lost);
    assert_eq!(world.asked_for_tokens(), 0);
    assert_eq!(world.messages().await.len(), 2);
}

#[tokio::test]
async fn a_pair_that_the_store_does_not_take_is_not_used_and_not_lost() {
    // FAULT-29: saved before it is used.
    let world = World::connected().await;
    let process = world.process();
    world.safe.refuse(true);
    world.xero.take_calls();
    let error = process.organisation(world.organisation(0)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout);
    let calls = world.xero.take_calls();
    assert_eq!(calls, ["POST /connect/token"], "nothing is called with it");
    assert_eq!(world.grant().await.generation, 1, "and the row does not say that it is there");
    // The store is down for longer than the old token works.
    for _ in 0..40 {
        world.clock.advance(minutes(1));
        process.organisation(world.organisation(0)).await.unwrap_err();
    }
    world.safe.refuse(false);
    world.clock.advance(minutes(6));
    process.organisation(world.organisation(0)).await.unwrap();
    world.call(1).await.unwrap();
}

#[tokio::test]
async fn a_grant_that_is_not_used_for_60_days_is_dead() {
    //
    let world = World::connected().await;
    world.call(0).await.unwrap();
    assert_eq!(world.grant().await.warning(world.now()), None);
    world.clock.advance(minutes(59 * 24 * 60));
    assert_eq!(world.grant().await.warning(world.now()), Some(1));
    world.call(0).await.unwrap();
    world.clock.advance(minutes(60 * 24 * 60));
    let error = world.call(0).await.unwrap_err();
    assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::Lost(GrantEnd::InvalidGrant)));
}

#[tokio::test]
async fn a_secret_that_was_deleted_is_the_end_and_said_once() {
    let world = World::connected().await;
    world.safe.forget();
    world.asked_for_tokens();
    for _ in 0..2 {
        let error = world.call(0).await.unwrap_err();
        assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::Lost(GrantEnd::SecretMissing)));
    }
    assert_eq!((world.asked_for_tokens(), world.messages().await.len()), (0, 2));
}
