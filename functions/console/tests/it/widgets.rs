//! What CloudWatch asks for, and in which shapes it is answered.

use std::collections::BTreeSet;

use console::pages::Page;
use console::roles::Role;
use serde_json::json;

use crate::html::{assert_harmless, names_of_orders, text};
use crate::samples;
use crate::world::{ORGANISATION, OTHER, World, now, well};

#[tokio::test]
async fn a_widget_describes_itself_in_markdown() {
    let world = World::empty().await;
    for role in Role::ALL.iter().copied() {
        let reply = world.reply(role, json!({"describe": true})).await;
        let answer = serde_json::to_value(&reply).unwrap();
        let markdown = answer["markdown"].as_str().unwrap();
        for page in Page::ALL.iter().copied() {
            let named = markdown.contains(&format!("| `{page}` |"));
            assert_eq!(named, role.may(page.least_role()), "{page}: {markdown}");
        }
        assert!(markdown.contains("`organisation`"), "{markdown}");
    }
}

#[tokio::test]
async fn a_page_is_a_string_of_html() {
    let world = well().await;
    let reply = world
        .reply(Role::Viewer, json!({"page": "integrations", "widgetContext": {"theme": "dark"}}))
        .await;
    let answer = serde_json::to_value(&reply).unwrap();
    let html = answer.as_str().unwrap();
    assert!(html.starts_with("<div class=\"cwdb-no-default-styles\"></div>"), "{html}");
    assert!(html.contains("class=\"paymirror pm-dark\""), "{html}");
    let light = world.page(Role::Viewer, json!({"widgetContext": {"theme": "light"}})).await;
    assert!(!light.contains("class=\"paymirror pm-dark\""), "{light}");
}

#[tokio::test]
async fn every_page_can_be_reached_by_keyboard_and_loads_nothing() {
    let world = well().await;
    for role in Role::ALL.iter().copied() {
        for page in Page::ALL.iter().copied() {
            let html = world.page(role, json!({"page": page.code()})).await;
            assert_harmless(&html);
            assert!(text(&html).contains(&format!("You are here as {role}.")), "{html}");
        }
    }
}

#[tokio::test]
async fn no_two_buttons_of_a_page_that_give_an_order_have_the_same_name() {
    // The rows of a page have the same buttons: a person who hears them instead of seeing them has to know which is which.
    let world = samples::eventful().await;
    for id in ["P-1", "P-2"] {
        samples::store(&world, &samples::waiting(id)).await;
    }
    for id in ["C-1", "C-2"] {
        samples::blocked(&world, id, "two contacts").await;
    }
    for id in ["a", "b"] {
        let parked_at = format!("{}#{id}", table::instant(now()));
        let row = [
            ("organisation", ORGANISATION),
            ("parked_at", &parked_at),
            ("by", "mirror"),
            ("reason", "stale_read"),
            ("detail", "d"),
        ];
        world.put("parked", &row).await;
    }
    let letters = ["m-1", "m-2"].map(|id| json!({"message": id, "kind": "changes", "receives": 1}));
    let looked =
        json!({"redrive": {"queue": "changes", "left": 2, "letters": letters}, "recorded": false});
    for (page, at_least) in [
        ("parked", 6),
        ("dead_letters", 9),
        ("tonight", 5),
        ("actions", 3),
        ("discrepancies", 1),
        ("invoice", 1),
    ] {
        let mut event = json!({"page": page, "invoice": "10234"});
        if page == "dead_letters" {
            world.answers(Ok(looked.clone()));
            event["order"] = json!("look_at_dead_letters");
            event["queue"] = json!("changes");
        }
        let html = world.press(Role::Operator, event).await;
        assert_harmless(&html);
        let names = names_of_orders(&html);
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{page}: {names:?}");
        assert!(names.len() >= at_least, "{page}: {names:?}");
    }
}

#[tokio::test]
async fn one_organisation_is_taken_and_several_are_there_to_choose() {
    // CC-25
    let world = well().await;
    assert!(text(&world.look("messages").await).contains("No message: nothing has to be known"));
    world.settings(OTHER).await;
    let html = world.look("messages").await;
    assert_harmless(&html);
    let said = text(&html);
    assert!(said.contains("Which organisation?") && said.contains(OTHER), "{said}");
    // Each with how it is: one was never checked, of the other the last read is known.
    assert!(
        said.contains("Payments are copied from Xero. Last read from Xero: 2026-11-25"),
        "{said}"
    );
    assert!(said.contains("Last read from Xero: never."), "{said}");
    // And from each there is a way back.
    let opened = json!({"page": "messages", "organisation": ORGANISATION, "several": true});
    let one = world.page(Role::Viewer, opened).await;
    assert!(one.contains(">All organisations</button>"), "{one}");
    let back = one.split("All organisations</button>").nth(1).unwrap();
    let back = back.split("</cwdb-action>").next().unwrap();
    assert!(!back.contains(ORGANISATION), "{back}");
    let chosen =
        world.page(Role::Viewer, json!({"page": "messages", "organisation": ORGANISATION})).await;
    assert!(text(&chosen).contains("No message: nothing has to be known"), "{chosen}");
    // Nothing is ordered for an organisation that is not named.
    let event = json!({"order": "sync_now", "widgetContext": {"forms": {"all": {"pm_by": "Ada", "pm_why": "w"}}}});
    let html = world.page(Role::Operator, event).await;
    assert!(text(&html).contains("please say which organisation"), "{html}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_read_is_said() {
    let world = well().await;
    let nowhere = world.page(Role::Viewer, json!({"organisation": OTHER})).await;
    assert!(text(&nowhere).contains("is not set up here"), "{nowhere}");
    let nonsense = world.page(Role::Viewer, json!({"organisation": "everybody"})).await;
    assert!(text(&nonsense).contains("no id such as"), "{nonsense}");
    world.set(ORGANISATION, "time_zone", "Atlantis").await;
    let unreadable = world.look("integrations").await;
    assert!(
        text(&unreadable).contains("attribute `time_zone` is no IANA time zone"),
        "{unreadable}"
    );
}

#[tokio::test]
async fn tables_that_do_not_answer_are_a_page_as_well() {
    let world = well().await;
    for table in ["sync_runs", "messages"] {
        world.direct.delete_table().table_name(table).send().await.unwrap();
    }
    for page in ["sync_log", "messages"] {
        let html = world.look(page).await;
        assert_harmless(&html);
        let said = text(&html);
        assert!(said.contains("cannot be shown now") && said.contains("5e1c-request"), "{said}");
    }
}
