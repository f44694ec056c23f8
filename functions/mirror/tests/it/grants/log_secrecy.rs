//! No token shows (N9).

use super::world::World;
use harness::dynamodb;
use harness::log_capture;
use xero_simulator::{Effect, Fault};

#[tokio::test]
async fn no_token_is_in_a_log_line_an_error_or_a_row() {
    log_capture::start();
    let world = World::connected().await;
    world.safe.refuse(true);
    let failed = world.call(0).await.unwrap_err();
    world.safe.refuse(false);
    world.clock.advance(super::world::seconds(6));
    world.call(0).await.unwrap();
    world.simulator.inject(Fault::on("POST", "/connect/token", Effect::TruncatedJson).times(1));
    world.clock.advance(super::world::minutes(30));
    let unreadable = world.call(0).await.unwrap_err();
    world.simulator.revoke_authorisations(world.organisation(0).to_string().parse().unwrap());
    world.clock.advance(super::world::seconds(6));
    let lost = world.call(0).await.unwrap_err();
    let process = world.process();
    let mut said = format!("{failed} {failed:?} {unreadable:?} {lost} {lost:?} {process:?}");
    said.push_str(&log_capture::take());
    for table in table::schema::TABLES {
        said.push_str(&format!("{:?}", dynamodb::rows(&world.direct, table.name).await));
    }
    assert!(said.contains("grant renewed") && said.contains("CONNECTION_LOST"), "{said}");
    for secret in ["sim.", "refresh-", "code-", xero_simulator::DEFAULT_CLIENT_SECRET] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
