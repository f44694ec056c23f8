//! The stream of the log announces exactly the rows that the tables write.

use payments::Logged;
use payments::events::Kind;

use crate::every_event::{Everything, xero_id, xero_invoice};
use crate::world::World;

/// Every action between the two systems is announced with its details (EX-24), and nothing else is.
#[tokio::test]
async fn there_is_an_event_if_and_only_if_there_is_a_decision_to_announce_ex_24() {
    let world = World::new().await;
    Everything(&world).happens().await;
    world.announce().await;
    let mut announced: Vec<_> =
        world.heard().into_iter().map(|(_, detail)| detail["id"].clone()).collect();
    let log = world.log().await;
    let expected = log.iter().filter(|(_, action)| {
        Logged::from_code(action).is_some_and(|logged| Kind::of(logged, false).is_some())
    });
    let mut expected: Vec<_> = expected.map(|(key, _)| serde_json::json!(key)).collect();
    announced.sort_by_key(ToString::to_string);
    expected.sort_by_key(ToString::to_string);
    assert_eq!(announced, expected);
}

/// The discrepancy, its invoice, and the moment from which it counts (SP-18, SP-19, SP-21).
#[tokio::test]
async fn a_discrepancy_is_announced_with_its_kind_and_its_due_time_sp_19() {
    let world = World::new().await;
    Everything(&world).happens().await;
    let heard = world.announce().await;
    let of = |kind: &str| {
        let found = heard.iter().find(|(found, detail)| {
            found == kind && detail["discrepancy"]["kind"] == "CONTACT_DIFFERS"
        });
        found.unwrap().1.clone()
    };
    let (opened, closed) = (of("discrepancy.opened"), of("discrepancy.closed"));
    assert_eq!(opened["invoice"]["number"], "10234");
    assert_eq!(opened["invoice"]["xero_invoice_id"], xero_invoice().to_string());
    assert_eq!(opened["discrepancy"]["detected_at"], "2026-11-23T01:00:00Z");
    assert_eq!(opened["discrepancy"]["due_at"], "2026-11-25T01:00:00Z");
    assert_eq!(opened["discrepancy"], closed["discrepancy"]);
}

/// Equal to the cent, of the same day, with the origin that it was born with (CM-07, CM-12, CM-13, AMB-05).
#[tokio::test]
async fn a_copied_payment_is_announced_as_it_was_copied_cm_07() {
    let world = World::new().await;
    Everything(&world).happens().await;
    let heard = world.announce().await;
    let copied = heard.iter().find(|(kind, _)| kind == "payment.mirrored").unwrap();
    let expected = serde_json::json!({
        "id": format!("xero-{}", xero_id(1)), "xero_payment_id": xero_id(1).to_string(),
        "amount": "46.00", "currency": "AUD", "date": "2026-11-19", "origin": "xero",
        "method": "xero", "transaction_id": xero_id(1).to_string(),
    });
    assert_eq!(copied.1["payment"], expected);
    assert_eq!((&copied.1["cause"], &copied.1["rule"]), (&"webhook".into(), &"CM-34".into()));
    let released = heard.iter().find(|(kind, _)| kind == "payment.released").unwrap();
    assert_eq!(released.1["reason"], "FUTURE_DATED");
}
