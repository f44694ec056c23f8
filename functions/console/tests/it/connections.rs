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

#[tokio::test]
async fn every_setting_is_on_the_page_with_its_meaning_default_check_and_effect() {
    // CC-11, CC-29
    let world = well().await;
    let html = world.look("configure").await;
    let said = text(&html);
    for spec in payments::SETTINGS {
        assert!(html.contains(&format!("name=\"pm_set_{}\"", spec.name)), "{}", spec.name);
        for words in [spec.label, spec.meaning, spec.default, spec.check, spec.effect] {
            assert!(said.contains(words), "{}: {words}", spec.name);
        }
    }
    // The values as they are stored, and on or off.
    assert!(html.contains("name=\"pm_set_time_zone\" value=\"Australia/Sydney\""), "{html}");
    assert!(html.contains("<option value=\"true\" selected>on</option>"), "{html}");
}

#[tokio::test]
async fn the_settings_of_a_group_are_passed_on_as_they_were_typed_and_what_failed_stays_typed() {
    // CC-29
    let world = well().await;
    let reply = json!({"changed": [{"setting": "forward_days", "before": "", "after": "7"}], "recorded": true});
    world.answers(Ok(reply));
    let typed = json!({"pm_by_5": "Wilma", "pm_why_5": "as agreed", "pm_set_forward_days": "7", "pm_set_close_at": "17:00"});
    let event = json!({"page": "configure", "order": "configure", "organisation": crate::world::ORGANISATION, "panel": 5,
        "names": ["forward_days", "prefix"], "widgetContext": {"forms": {"all": typed}}});
    let said = text(&world.page(Role::Admin, event.clone()).await);
    assert!(said.contains("Days ahead: 7 (it was the default)."), "{said}");
    let asked = world.asked();
    // Of another group's fields nothing goes.
    assert_eq!(asked[0]["command"]["configure"]["settings"], json!(["forward_days=7"]));
    assert_eq!(asked[0]["attribution"], json!({"by": "Wilma", "reason": "as agreed"}));

    world.answers(Err(invoker::InvokeError::Failed("`forward_days` is more than 3660".to_owned())));
    let html = world.page(Role::Admin, event.clone()).await;
    assert!(text(&html).contains("▲ `forward_days` is more than 3660"), "{html}");
    assert!(html.contains("name=\"pm_set_forward_days\" value=\"7\""), "{html}");
    // An operator may not.
    let refused = text(&world.page(Role::Operator, event).await);
    assert!(
        refused.contains("takes the role admin") && refused.contains("Nothing was done"),
        "{refused}"
    );
}

#[tokio::test]
async fn accounts_are_picked_from_xeros_list() {
    // CC-29, XC-13
    let world = well().await;
    let bank = "00000000-0000-0000-0000-000000000007";
    world.answers(Ok(json!({"uses": [
        {"use": "payments", "candidates": [{"id": bank, "code": "090", "name": "Business Bank", "currency": "AUD"}]},
        {"use": "prepayments", "candidates": [
            {"id": "00000000-0000-0000-0000-000000000008", "code": "404", "name": "Bank Fees"}]}],
        "tax_types": [{"tax_type": "INPUT", "name": "GST on expenses"}], "recorded": false})));
    let event = json!({"page": "configure", "order": "list_accounts", "organisation": crate::world::ORGANISATION});
    let html = world.page(Role::Admin, event).await;
    assert!(
        html.contains(&format!("<option value=\"{bank}\">090 Business Bank AUD</option>")),
        "{html}"
    );
    // Payments cannot be received on the other one, and something can be booked there.
    assert!(html.contains("<option value=\"404\">404 Bank Fees</option>"), "{html}");
    assert!(!html.contains("<option value=\"00000000-0000-0000-0000-000000000008\""), "{html}");
    assert!(html.contains("<option value=\"INPUT\">GST on expenses (INPUT)</option>"), "{html}");
}

#[tokio::test]
async fn the_page_of_settings_leads_to_xeros_documentation_and_support() {
    // CM-46, EX-34
    let html = well().await.look("configure").await;
    for place in ["https://developer.xero.com/documentation/", "https://central.xero.com/"] {
        assert!(html.contains(&format!("href=\"{place}\"")), "{html}");
    }
}
