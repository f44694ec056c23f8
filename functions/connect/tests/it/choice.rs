//! Back from Xero: organisations are picked by name (XC-03), one is not used and ended (XC-03), one is disconnected and
//! comes back as it was (XC-05, XC-07).

use jiff::tz::TimeZone;
use payments::grant::{Grants as _, Pairs as _};
use payments::{OrganisationId, Settings};
use xero_simulator::{Effect, Fault};

use crate::world::{Browser, World};

fn picking(picked: &[OrganisationId]) -> String {
    picked.iter().map(|id| format!("organisation={id}&")).collect()
}

#[tokio::test]
async fn two_of_three_are_signed_up_and_the_third_is_ended_without_hurting_them() {
    // XC-03
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    let grant = world.connected(&mut browser, &ids).await;

    let chosen = world.post(&mut browser, "/choose", &picking(&ids[..2])).await;
    assert_eq!((chosen.status, chosen.location()), (303, "/done"));

    let mut signed_up = world.signed_up().await;
    signed_up.sort();
    let mut two = ids[..2].to_vec();
    two.sort();
    assert_eq!(signed_up, two);
    let rows = world.rows("organisations").await;
    assert!(rows.iter().all(|row| row["time_zone"] == "Australia/Sydney"), "by Xero's zone");
    let done = world.get(&mut browser, "/done").await.text;
    assert_eq!(done.matches("It is signed up.").count(), 2, "{done}");
    assert_eq!(done.matches("connected in Xero, and not used").count(), 1, "{done}");
    assert_eq!(done.matches("Disconnect from Xero").count(), 1, "{done}");
    let log = world.rows("activity").await;
    assert!(log.iter().all(|row| row["by"] == "Wilma"), "{log:?}");

    // One that is in use is not ended here, and one that was not offered is none of this browser's.
    let used = world.post(&mut browser, "/disconnect", &picking(&ids[..1])).await;
    assert_eq!(used.status, 409);
    let ended = world.post(&mut browser, "/disconnect", &picking(&ids[2..])).await;
    assert_eq!(ended.location(), "/done");
    let deleted = world.simulator.identity_calls();
    assert_eq!(deleted.iter().filter(|call| call.starts_with("DELETE")).count(), 1);
    let known = world.tables.grant(grant).await.unwrap();
    assert_eq!(known.organisations, two.iter().copied().collect());
    for organisation in two {
        world.access().organisation(organisation).await.unwrap();
    }
    assert!(world.access().organisation(ids[2]).await.is_err());
}

#[tokio::test]
async fn one_that_is_connected_already_loses_and_doubles_nothing() {
    // XC-07
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    world.connected(&mut browser, &ids[..1]).await;
    world.post(&mut browser, "/choose", &picking(&ids[..1])).await;
    let before = world.rows("organisations").await;

    world.connected(&mut browser, &ids[..1]).await;
    let page = world.get(&mut browser, "/choose").await.text;
    assert!(page.contains("is in use already"), "{page}");
    world.post(&mut browser, "/choose", &picking(&ids[..1])).await;

    assert_eq!(world.rows("organisations").await, before);
    let done = world.get(&mut browser, "/done").await.text;
    assert!(done.contains("It was connected already; nothing has changed."), "{done}");
    world.access().organisation(ids[0]).await.unwrap();
}

#[tokio::test]
async fn an_organisation_that_is_not_ready_is_not_signed_up_and_the_others_are() {
    // XC-03, ST-19, CM-02
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    world.connected(&mut browser, &ids[..2]).await;
    let body = r#"{"Status":401,"Detail":"AuthorizationUnsuccessful"}"#.to_owned();
    let refused = Effect::Status { status: 401, headers: vec![], body };
    world.simulator.inject(Fault::on("GET", "/Payments", refused).times(1));
    world.post(&mut browser, "/choose", &picking(&ids[..2])).await;

    assert_eq!(world.signed_up().await.len(), 1);
    let done = world.get(&mut browser, "/done").await.text;
    assert!(
        done.contains("payments cannot be read") && done.contains("accounting.payments.read"),
        "{done}"
    );
    let zone = format!("{}time_zone=Moon/Base", picking(&ids[..2]));
    world.post(&mut browser, "/choose", &zone).await;
    let done = world.get(&mut browser, "/done").await.text;
    assert!(done.contains("there is no such time zone"), "{done}");
    let zone = format!("{}time_zone=Europe/Berlin", picking(&ids[..2]));
    world.post(&mut browser, "/choose", &zone).await;
    let rows = world.rows("organisations").await;
    assert_eq!(rows.iter().filter(|row| row["time_zone"] == "Europe/Berlin").count(), 1);
}

#[tokio::test]
async fn what_is_disconnected_comes_back_as_it_was() {
    // XC-05, XC-07
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    let grant = world.connected(&mut browser, &ids[..2]).await;
    world.post(&mut browser, "/choose", &picking(&ids[..2])).await;
    let before = world.rows("organisations").await;

    let (xero, said) = (world.access(), ("Ada", "the customer asked for it"));
    let ended = xero.disconnect(&world.tables, ids[0], said, world.now()).await.unwrap();
    assert!(!ended.before && ended.not_confirmed.is_none(), "{ended:?}");
    let settings = world.tables.settings(ids[0]).await.unwrap().unwrap();
    assert!(!settings.mirror_enabled && !settings.is_at_work());
    assert_eq!(world.tables.organisations_at_work().await.unwrap().len(), 1);
    assert!(world.access().organisation(ids[0]).await.is_err());
    world.access().organisation(ids[1]).await.unwrap();
    let log = world.rows("activity").await;
    let row = log.iter().find(|row| row["action"] == "disconnected").unwrap();
    assert_eq!((row["by"].as_str(), row["rule"].as_str()), ("Ada", "XC-05"));
    // The other one hangs on the same user's grant, whose tokens stay.
    assert!(world.vault().pair(grant).await.unwrap().is_some());
    assert!(!world.simulator.identity_calls().contains(&"POST /connect/revocation".to_owned()));

    // By a link for it, and first with another one picked at Xero: refused, and its row is unchanged.
    let disconnected = world.rows("organisations").await;
    let (link, _) = world.link(Some(ids[0])).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&ids[2..])).await;
    world.get(&mut browser, &back).await;
    world.post(&mut browser, "/choose", "").await;
    let done = world.get(&mut browser, "/done").await.text;
    assert!(done.contains("was to be connected again, and is not among"), "{done}");
    assert_eq!(world.rows("organisations").await, disconnected);

    let (link, _) = world.link(Some(ids[0])).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&ids[..1])).await;
    world.get(&mut browser, &back).await;
    let page = world.get(&mut browser, "/choose").await.text;
    assert!(page.contains("pick it to connect it again"), "{page}");
    world.post(&mut browser, "/choose", &picking(&ids[..1])).await;
    let done = world.get(&mut browser, "/done").await.text;
    assert!(done.contains("It is connected again"), "{done}");
    assert_eq!(world.rows("organisations").await, before);
    world.access().organisation(ids[0]).await.unwrap();
}

#[tokio::test]
async fn tokens_go_with_the_last_organisation_and_are_revoked_only_if_their_user_has_no_other() {
    // XC-05, XC-28
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    let first = world.connected(&mut browser, &ids[..1]).await;
    // The same user, by a second consent: both organisations hang on the second grant.
    let second = world.connected(&mut browser, &ids[1..2]).await;
    let zone = TimeZone::get("Australia/Sydney").unwrap();
    for id in &ids[..2] {
        world.tables.store_settings(&Settings::new(*id, zone.clone())).await.unwrap();
    }
    let revoked = |world: &World| {
        let calls = world.simulator.identity_calls();
        calls.iter().filter(|call| *call == "POST /connect/revocation").count()
    };
    let said = ("Ada", "it ends");
    for (id, left) in [(ids[0], 1), (ids[1], 0)] {
        world.access().disconnect(&world.tables, id, said, world.now()).await.unwrap();
        assert_eq!(world.tables.grant(second).await.unwrap().organisations.len(), left);
        assert_eq!(world.vault().pair(second).await.unwrap().is_some(), left > 0);
        assert_eq!(revoked(&world), 1 - left);
    }
    assert!(
        world.vault().pair(first).await.unwrap().is_some(),
        "it is replaced, and not ended here"
    );
}

#[tokio::test]
async fn what_xero_does_not_confirm_is_stopped_all_the_same_and_ordered_again() {
    // XC-05
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    world.connected(&mut browser, &ids[..2]).await;
    world.post(&mut browser, "/choose", &picking(&ids[..1])).await;
    let down = Effect::Status { status: 503, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("DELETE", "/connections", down).times(1));
    let said = ("Ada", "it ends");
    let ended = world.access().disconnect(&world.tables, ids[0], said, world.now()).await.unwrap();
    assert!(ended.not_confirmed.unwrap().contains("503"));
    assert!(!world.tables.settings(ids[0]).await.unwrap().unwrap().is_at_work());
    let row = world.tables.organisation(ids[0]).await.unwrap().unwrap();
    assert_eq!(row.ended_in_xero, Some(false));
    let ended = world.access().disconnect(&world.tables, ids[0], said, world.now()).await.unwrap();
    assert!(ended.before && ended.not_confirmed.is_none());
    let row = world.tables.organisation(ids[0]).await.unwrap().unwrap();
    assert_eq!(row.ended_in_xero, Some(true));
}
