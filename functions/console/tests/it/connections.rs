//! The buttons that connect and disconnect, and what the tile says then (XC-01 to XC-08).

use console::roles::Role;
use payments::connection::{AccessMode, Facts, HealthIssue};
use serde_json::{Value, json};

use crate::html::text;
use crate::world::{ORGANISATION, World, ago, organisation, well};

const LINK: &str = "https://connect.example/launch?link=0123456789abcdef";

async fn of_users() -> World {
    World { mode: AccessMode::Grants, ..well().await }
}

fn authorised() -> Value {
    json!({"authorise": {"url": LINK, "grant": ORGANISATION, "until": "2026-11-25T12:30:00Z"}, "recorded": true})
}

#[tokio::test]
async fn an_administrator_of_an_empty_stack_is_led_to_xero_by_one_button() {
    // XC-01, XC-03
    let world = World { mode: AccessMode::Grants, ..World::empty().await };
    for role in [Role::Viewer, Role::Operator] {
        let html = world.page(role, json!({})).await;
        assert!(!html.contains("Connect to Xero"), "{role}: {html}");
    }
    let html = world.look("integrations").await;
    assert_eq!(html.matches(">Connect to Xero</button>").count(), 1, "{html}");
    assert!(!html.contains("pm_organisation"), "no field for a tenant id: {html}");

    world.answers(Ok(authorised()));
    let typed = json!({"pm_by": "Wilma", "pm_why": "go live"});
    let event = json!({"page": "configure", "order": "authorise", "widgetContext": {"forms": {"all": typed}}});
    let html = world.page(Role::Admin, event).await;
    assert_eq!(world.asked()[0]["command"], json!({"authorise": {"read_only": false}}));
    let link = format!("href=\"{LINK}\" target=\"_top\"");
    assert!(html.contains(&link), "in the same window: {html}");
    assert!(text(&html).contains("open, once, until 12:30 UTC"), "{html}");
    // The address lets a user in: it stands on this page alone.
    assert!(world.rows("activity").await.is_empty());
}

#[tokio::test]
async fn the_tile_of_a_lost_connection_connects_again_and_one_that_works_disconnects() {
    // XC-01, XC-05, XC-08, XC-12
    let world = of_users().await;
    let html = world.look("integrations").await;
    assert!(!html.contains(">Connect to Xero</button>"), "{html}");
    assert_eq!(html.matches(">Disconnect from Xero</button>").count(), 1, "{html}");
    assert!(
        html.contains("From now on no payment goes either way"),
        "the effect is stated: {html}"
    );
    for role in [Role::Viewer, Role::Operator] {
        let html = world.page(role, json!({"page": "integrations"})).await;
        assert!(!html.contains("from Xero</button>"), "{role}: {html}");
    }

    for (issue, words) in [
        (HealthIssue::Refused, "Authorised no: Xero refuses"),
        (HealthIssue::MissingScope, "Authorised only in part: a permission was not granted"),
    ] {
        let facts = Facts { mode: AccessMode::Grants, ..Facts::default() };
        world.checked(&[issue], &facts, ago(5)).await;
        let html = world.look("integrations").await;
        assert!(html.contains(">Connect to Xero</button>"), "{issue}: {html}");
        let said = text(&html);
        assert!(said.contains(words) && !said.contains("secret"), "{issue}: {said}");
    }
    world.answers(Ok(authorised()));
    world.press(Role::Admin, json!({"page": "integrations", "order": "authorise"})).await;
    let wish = json!({"authorise": {"organisation": ORGANISATION, "read_only": false}});
    assert_eq!(world.asked()[0]["command"], wish);
}

#[tokio::test]
async fn a_custom_connection_is_made_and_ended_in_xero() {
    // XC-05
    let world = well().await;
    let html = world.look("integrations").await;
    assert!(!html.contains("to Xero</button>") && !html.contains("from Xero</button>"), "{html}");
}

#[tokio::test]
async fn a_tile_says_that_it_was_disconnected_and_warns_of_nothing() {
    // XC-05, XC-06
    let world = of_users().await;
    let facts = Facts { mode: AccessMode::Grants, ..Facts::default() };
    world.checked(&[HealthIssue::UploadsOff], &facts, ago(60 * 24 * 3)).await;
    world.tables.disconnect(organisation(), ("Ada", "it ends"), ago(10)).await.unwrap();
    let said = text(&world.look("integrations").await);
    for words in ["✖ Disconnected", "no payment goes either way", "is asked again every hour"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for words in ["UPLOADS_OFF", "NOT_CHECKED", "STALE", "Sync now", "Disconnect from Xero"] {
        assert!(!said.contains(words), "{words}: {said}");
    }
    world.tables.disconnected_in_xero(organisation(), ago(5)).await.unwrap();
    let said = text(&world.look("integrations").await);
    assert!(!said.contains("asked again") && said.contains("Connect to Xero"), "{said}");
}

#[tokio::test]
async fn an_organisation_is_called_as_in_xero_and_as_people_call_it() {
    // XC-04
    let world = of_users().await;
    world.tables.note_xero_name(organisation(), (None, "Harbour Pty"), ago(5)).await.unwrap();
    assert!(text(&world.look("limits").await).contains("Harbour Pty"));
    world.set(ORGANISATION, "name", "Ferries").await;
    for page in ["integrations", "limits", "activity"] {
        let said = text(&world.look(page).await);
        assert!(said.contains("Ferries (in Xero: Harbour Pty)"), "{page}: {said}");
    }
}
