//! Every event under an organisation's name is its own (N8).

use serde_json::json;

use crate::world::{World, another, organisation, record};

#[tokio::test]
async fn each_event_names_the_organisation_of_its_row_n8() {
    let world = World::new().await;
    let theirs = json!({
        "organisation": {"S": another().to_string()},
        "day": {"S": format!("{}/2026-11-23", another())},
    });
    world.hand_over(&[record(1, &json!({})), record(2, &theirs)]).await.unwrap();
    let heard = world.heard();
    assert_eq!(heard[0].1["organisation"], organisation().to_string());
    assert_eq!(heard[1].1["organisation"], another().to_string());
    assert!(heard[1].1["id"].as_str().unwrap().starts_with(&another().to_string()));
}

#[tokio::test]
async fn a_row_that_stands_in_another_organisations_day_is_never_announced_n8() {
    let world = World::new().await;
    let crossed = [
        json!({"organisation": {"S": another().to_string()}}),
        json!({"day": {"S": format!("{}/2026-11-23", another())}}),
        // Its own day, and another organisation's invoice.
        json!({
            "action": {"S": "number_changed"}, "invoice_number": {"S": "10234"},
            "invoice": {"S": format!("{}/10234", another())},
        }),
    ];
    for attributes in crossed {
        world.hand_over(&[record(1, &attributes)]).await.unwrap();
        assert!(world.heard().is_empty(), "{attributes}");
    }
}

/// A signed delivery of an organisation that is not known here stands in the log all the same.
#[tokio::test]
async fn a_row_of_no_organisation_is_not_announced() {
    let world = World::new().await;
    for action in ["ignored", "imported", "mass_change_stopped"] {
        let nobodys = json!({
            "organisation": {"S": "unknown"}, "day": {"S": "unknown/2026-11-23"},
            "action": {"S": action},
        });
        world.hand_over(&[record(1, &nobodys)]).await.unwrap();
    }
    assert!(world.heard().is_empty());
}
