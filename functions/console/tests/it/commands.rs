//! Orders from a page: which command is passed on, what the page says, and what is stored.

use console::roles::Role;
use invoker::InvokeError;
use serde_json::json;

use crate::html::text;
use crate::world::{ORGANISATION, World, command, well};

fn finished() -> serde_json::Value {
    let run = json!({"run": "r", "kind": "sweep", "state": "finished", "started_at": "2026-11-25T11:00:00Z",
        "ended_at": null, "counts": {"queued": 7}, "errors": {}, "calls": 2});
    let sweep = json!({"organisation": ORGANISATION, "outcome": "finished", "run": run});
    json!({"sweeps": [sweep], "recorded": false})
}

#[tokio::test]
async fn sync_now_is_passed_on_with_who_ordered_it() {
    // CC-12, ST-18
    let world = well().await;
    world.answers(Ok(finished()));
    let html =
        world.press(Role::Operator, json!({"page": "integrations", "order": "sync_now"})).await;

    let said = text(&html);
    assert!(said.contains("✔ Done. The sync is finished; 7 invoices are read again."), "{said}");
    // The page is there again, and what was typed is remembered for the next order.
    assert!(html.contains("name=\"pm_by_1\" value=\"Ada\""), "{html}");
    assert!(html.contains("name=\"pm_why_1\" value=\"a payment is missing\""), "{html}");
    let wish = json!({"organisation": ORGANISATION});
    assert_eq!(world.asked(), [command("sync_now", wish)]);
    let rows = world.rows("activity").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let expected = [
        ("order", "sync_now"),
        ("result", "done"),
        ("by", "Ada"),
        ("why", "a payment is missing"),
        ("role", "operator"),
        ("request_id", "5e1c-request"),
        ("cause", "console"),
    ];
    for (name, value) in expected {
        assert_eq!(rows[0][name], value, "{rows:?}");
    }
}

#[tokio::test]
async fn without_who_and_why_nothing_is_asked_and_nothing_written() {
    let world = well().await;
    let long = "x".repeat(201);
    for (by, why, words) in [
        ("", "", "Enter your name and a reason"),
        ("Ada", " ", "Enter a reason,"),
        ("", "w", "Enter your name,"),
        (long.as_str(), "w", "Enter your name,"),
    ] {
        let event = json!({"page": "integrations", "order": "sync_now"});
        let html = world.press_as(Role::Operator, event, by, why).await;
        let said = text(&html);
        assert!(said.contains(words) && said.contains("Nothing was changed"), "{said}");
    }
    assert!(world.asked().is_empty());
    assert!(world.rows("activity").await.is_empty());
}

/// The panel whose button carries this text.
fn panel_of<'a>(html: &'a str, carries: &str) -> &'a str {
    let panels = html.split("<details class=\"pm-ask\"").skip(1);
    let panels = panels.map(|panel| panel.split("</details>").next().unwrap());
    let mut found = panels.filter(|panel| panel.contains(carries));
    found.next().unwrap_or_else(|| panic!("no panel carries {carries}: {html}"))
}

#[tokio::test]
async fn who_and_why_are_asked_next_to_the_button_that_was_pressed() {
    // ST-22
    let world = well().await;
    for n in 1..=2 {
        crate::samples::store(&world, &crate::samples::waiting(&format!("P-{n}"))).await;
    }
    let html = world.page(Role::Operator, json!({"page": "tonight"})).await;
    let hold = "&#34;order&#34;:&#34;hold&#34;";
    let of_second = panel_of(&html, "&#34;payment&#34;:&#34;P-2&#34;");
    assert!(of_second.contains("Hold: P-2") && of_second.contains(hold), "{of_second}");
    // Each panel has fields of its own: what is typed in one is not meant for another.
    let number = of_second.split("name=\"pm_by_").nth(1).unwrap().split('"').next().unwrap();
    let number: u32 = number.parse().unwrap();
    assert!(of_second.contains(&format!("name=\"pm_why_{number}\"")), "{of_second}");
    assert_eq!(html.matches(&format!("name=\"pm_by_{number}\"")).count(), 1, "{html}");

    let typed = |by: &str| {
        let by_of = format!("pm_by_{number}");
        let why_of = format!("pm_why_{number}");
        json!({"pm_by_1": "Bea", "pm_why_1": "typed next to another button",
            by_of: by, why_of: "a payment is missing"})
    };
    let press = |by: &str| {
        json!({"page": "tonight", "organisation": ORGANISATION, "order": "hold", "payment": "P-2",
            "panel": number, "widgetContext": {"forms": {"all": typed(by)}}})
    };
    // What was not carried out is open again, with what was typed.
    let refused = world.page(Role::Operator, press("")).await;
    assert!(text(&refused).contains("Enter your name"), "{refused}");
    let again = panel_of(&refused, "&#34;payment&#34;:&#34;P-2&#34;");
    assert!(again.starts_with(" open>") && again.contains("a payment is missing"), "{again}");
    assert_eq!(refused.matches("<details class=\"pm-ask\" open>").count(), 1, "{refused}");

    let held = json!({"payment": "P-2", "state": "held", "reason": "HELD_BY_PERSON", "why": "Ada", "recorded": true});
    world.answers(Ok(held));
    let done = world.page(Role::Operator, press("Ada")).await;
    assert_eq!(
        world.asked(),
        [command("hold", json!({"organisation": ORGANISATION, "payment": "P-2"}))]
    );
    assert!(!done.contains("<details class=\"pm-ask\" open>"), "{done}");
    assert!(done.contains("value=\"Ada\"") && !done.contains("value=\"Bea\""), "{done}");
}

#[tokio::test]
async fn several_payments_are_held_at_once_and_each_that_failed_is_named() {
    let world = well().await;
    for n in 1..=3 {
        crate::samples::store(&world, &crate::samples::waiting(&format!("P-{n}"))).await;
    }
    let html = world.page(Role::Operator, json!({"page": "tonight"})).await;
    let panel = panel_of(&html, "&#34;payments&#34;:[");
    // How many, and their sum, before they are held.
    assert!(panel.contains("Hold all 3…") && panel.contains("all 3 listed here ("), "{panel}");

    let held = json!({"payment": "P-1", "state": "held", "reason": "HELD_BY_PERSON", "why": "Ada", "recorded": true});
    world.answers(Ok(held));
    let event = json!({"page": "tonight", "order": "hold", "payments": ["P-1", "P-2"]});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("1 payment is on hold. Not done: P-2:"), "{said}");
    let asked: Vec<_> =
        world.asked().iter().map(|asked| asked["command"]["hold"]["payment"].clone()).collect();
    assert_eq!(asked, ["P-1", "P-2"]);
    // One that its function did not record is recorded here.
    let rows = world.rows("activity").await;
    assert_eq!(rows.iter().filter(|row| row.contains_key("order")).count(), 1, "{rows:?}");
}

#[tokio::test]
async fn a_page_has_one_primary_button_at_most_until_a_panel_is_opened() {
    let world = crate::samples::eventful().await;
    for page in console::pages::Page::ALL {
        let html = world.look(page.code()).await;
        let outside: String = html
            .split("<details class=\"pm-ask\"")
            .map(|part| part.rsplit("</details>").next().unwrap())
            .collect();
        let primary = outside.matches("pm-primary\"").count();
        assert!(primary <= 1, "{page} has {primary}: {outside}");
    }
}

#[tokio::test]
async fn what_failed_is_told_and_written_down() {
    let world = well().await;
    world.answers(Err(InvokeError::Failed("the order is not possible: it is sent".to_owned())));
    let hold = json!({"page": "activity", "order": "hold", "payment": "P-1"});
    let html = world.press(Role::Operator, hold).await;

    assert!(text(&html).contains("▲ the order is not possible"), "{html}");
    let rows = world.rows("activity").await;
    assert_eq!((rows[0]["order"].as_str(), rows[0]["result"].as_str()), ("hold", "failed"));
    assert_eq!(rows[0]["what"], "P-1");
}

#[tokio::test]
async fn what_the_function_has_written_down_itself_is_not_written_twice() {
    let world = well().await;
    let held = json!({"payment": "P-1", "state": "held", "reason": "HELD_BY_PERSON", "why": "Ada: a payment is missing", "recorded": true});
    let hold = json!({"page": "activity", "order": "hold", "payment": "P-1"});
    for (event, answer) in [
        (hold, held),
        (json!({"order": "approve_mass_change"}), json!({"approved": 3, "recorded": true})),
        (json!({"order": "replay"}), json!({"replay": {"replayed": 2}, "recorded": true})),
    ] {
        world.answers(Ok(answer));
        let html = world.press(Role::Operator, event).await;
        assert!(text(&html).contains("✔ Done."), "{html}");
    }
    assert!(world.rows("activity").await.is_empty());
    // A release that changes nothing leaves no row, so that we do.
    world.answers(Ok(json!({"payment": "P-1", "state": "waiting", "reason": "", "why": "BPAY", "recorded": false})));
    world.press(Role::Operator, json!({"order": "release", "payment": "P-1"})).await;
    assert_eq!(world.rows("activity").await.len(), 1);
}

#[tokio::test]
async fn switching_on_is_written_down_once_whether_or_not_it_was_off() {
    // EX-32
    for (recorded, rows) in [(false, 1), (true, 0)] {
        let world = well().await;
        world.answers(Ok(json!({"done": "uploading is on", "recorded": recorded})));
        world.press(Role::Operator, json!({"page": "limits", "order": "enable_uploads"})).await;
        assert_eq!(world.rows("activity").await.len(), rows, "recorded: {recorded}");
    }
}

#[tokio::test]
async fn a_replay_is_looked_at_without_a_reason_and_leaves_nothing() {
    let world = well().await;
    let answer = json!({"replay": {"preview": true, "replayed": 2, "left": 1, "reasons": {"stale_read": 3}}});
    world.answers(Ok(answer));
    let event = json!({"page": "parked", "order": "preview_replay", "reason": "stale_read"});
    let html = world.press_as(Role::Operator, event, "", "").await;

    assert!(text(&html).contains("2 would be replayed, 1 would stay (stale_read 3)"), "{html}");
    let which = json!({"organisation": ORGANISATION, "reason": "stale_read"});
    assert_eq!(world.asked(), [json!({"command": {"preview_replay": which}})]);
    assert!(world.rows("activity").await.is_empty());
}

#[tokio::test]
async fn an_order_that_takes_long_is_told_to_go_on() {
    let world = well().await;
    world.answers(Err(InvokeError::StillRunning));
    let html = world.press(Role::Operator, json!({"order": "sync_now"})).await;
    assert!(text(&html).contains("takes longer than a page waits"), "{html}");
    assert_eq!(world.rows("activity").await[0]["result"], "started");
}

#[tokio::test]
async fn what_is_no_order_is_not_carried_out_silently() {
    let world = well().await;
    let html = world.press(Role::Admin, json!({"order": "drop_tables"})).await;
    assert!(text(&html).contains("no order that is known here"), "{html}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn names_are_saved_together_with_who_wanted_them() {
    // CC-10, CC-11, CC-19
    let world = well().await;
    let typed = json!({"pm_by": "Wilma", "pm_why": "new bank", "pm_name": "Harbour Ferries",
        "pm_bank_feed": "Bank of Bondi", "pm_administrator": "", "pm_payment_gateway": ""});
    let event = json!({"page": "configure", "order": "rename", "organisation": ORGANISATION,
        "widgetContext": {"forms": {"all": typed}}});
    let html = world.page(Role::Admin, event.clone()).await;
    assert!(text(&html).contains("The names are saved."), "{html}");
    assert!(html.contains("value=\"Harbour Ferries\""), "{html}");
    let row = &world.rows("organisations").await[0];
    assert_eq!(
        (row["name"].as_str(), row["bank_feed_name"].as_str()),
        ("Harbour Ferries", "Bank of Bondi")
    );
    assert!(!row.contains_key("administrator_contact"));
    assert_eq!(row["mirror_enabled"], "true", "all else stays");
    let log = &world.rows("activity").await[0];
    assert_eq!(
        (log["order"].as_str(), log["by"].as_str(), log["role"].as_str()),
        ("rename", "Wilma", "admin")
    );

    let mut elsewhere = event;
    elsewhere["organisation"] = json!(crate::world::OTHER);
    let html = world.page(Role::Admin, elsewhere).await;
    assert!(text(&html).contains("is not set up here"), "{html}");
    assert_eq!(world.rows("organisations").await.len(), 1, "naming an organisation makes none");
}

#[tokio::test]
async fn the_first_organisation_is_signed_up_from_an_empty_stack() {
    let world = World::empty().await;
    let viewer = world.page(Role::Viewer, json!({})).await;
    assert!(
        text(&viewer).contains("No organisation is set up") && !viewer.contains("pm_organisation"),
        "{viewer}"
    );
    let admin = world.look("integrations").await;
    assert!(admin.contains("name=\"pm_organisation\""), "{admin}");

    world.answers(Ok(finished()));
    let typed = json!({"pm_by": "Wilma", "pm_why": "go live", "pm_organisation": ORGANISATION,
        "pm_time_zone": "Australia/Sydney"});
    let event = json!({"page": "configure", "order": "sign_up", "widgetContext": {"forms": {"all": typed}}});
    world.page(Role::Admin, event).await;
    let settings =
        json!({"organisation": ORGANISATION, "shadow": false, "time_zone": "Australia/Sydney"});
    assert_eq!(world.asked()[0]["command"], json!({"sign_up": settings}));

    // Where there is one already, its id does not stand for one that was not typed.
    let world = well().await;
    let typed = json!({"pm_by": "Wilma", "pm_why": "w", "pm_time_zone": "Australia/Sydney"});
    let event = json!({"page": "configure", "order": "sign_up", "widgetContext": {"forms": {"all": typed}}});
    let html = world.page(Role::Admin, event).await;
    assert!(text(&html).contains("by Xero's tenant id"), "{html}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_was_typed_goes_with_its_owner_to_the_next_page() {
    // ST-22: it is asked for once, and stands in the field of every page that follows.
    let world = crate::samples::world().await;
    let forms = json!({"forms": {"all": {"pm_by": "Ada"}}});
    let event = json!({"page": "integrations", "widgetContext": forms});
    let html = world.page(Role::Operator, event).await;
    assert!(html.contains("&#34;by&#34;:&#34;Ada&#34;"), "{html}");
    let next =
        world.page(Role::Operator, json!({"page": "actions", "by": "Ada", "clear": true})).await;
    assert!(next.contains("name=\"pm_by_1\" value=\"Ada\""), "{next}");
}
