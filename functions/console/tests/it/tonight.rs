//! Tonight's uploads.

use console::roles::Role;
use payments::budget::{CallBudget as _, Exhausted, Purpose, Word};
use payments::upload::{Caps, PaymentCommand, SendMode, Target, Upload, WriteOutcome, obey};
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::samples::{self, because, store, waiting};
use crate::world::{ORGANISATION, World, ago, now, organisation};

async fn tonight(world: &World, role: Role) -> String {
    let html = world.page(role, json!({"page": "tonight"})).await;
    assert_harmless(&html);
    html
}

async fn store_all(world: &World, uploads: &[Upload]) {
    for some in uploads.chunks(50) {
        let rows: Vec<_> = some.iter().map(|upload| (None, upload)).collect();
        world.tables.write_uploads(&rows, None, because(300)).await.unwrap();
    }
}

fn planned(n: usize, would: &str, reason: Option<&str>) -> Value {
    let mut planned = json!({"payment": format!("P-{n:03}"), "amount": "4.00 AUD",
        "date": "2026-11-03", "route": "BPAY", "would": would, "parts": ["4.00 AUD on CM-10234"],
        "orders": if would == "skip" { json!(["release"]) } else { json!(["hold", "do_not_send"]) }});
    if let Some(reason) = reason {
        planned["reason"] = json!(reason);
        planned["why"] = json!("in words");
        planned["parts"] = json!([]);
    }
    planned
}

/// As `operations` replies: 200 go, 30 of more wait, one is held and one skipped.
fn plan() -> Value {
    let mut payments: Vec<_> = (0..200).map(|n| planned(n, "go", None)).collect();
    payments.extend((200..230).map(|n| planned(n, "wait", None)));
    payments.push(planned(900, "hold", Some("LOCKED_PERIOD")));
    payments.push(planned(901, "skip", Some("before_start_date")));
    let mut named = planned(902, "go", None);
    named["route"] = json!("DIRECT");
    payments.push(named);
    json!({"previews": [{"organisation": ORGANISATION, "night": "2026-11-25", "would_go": 201,
        "would_wait": 75, "slots_left": 200, "attempts": 0, "disabled": null, "payments": payments}]})
}

#[tokio::test]
async fn the_tables_say_what_waits_for_which_night_and_what_is_held() {
    // EX-31, ST-22
    let world = samples::world().await;
    let mut uploads: Vec<_> = (0..230).map(|n| waiting(&format!("P-{n:03}"))).collect();
    let held =
        obey(&waiting("Q-1"), PaymentCommand::Hold, "Ada", "disputed", ago(9)).unwrap().unwrap();
    uploads.push(held);
    store_all(&world, &uploads).await;
    let html = tonight(&world, Role::Viewer).await;
    let said = text(&html);
    for words in [
        "0 of 200 (0%); 200 still fit",
        "0 of 4000",
        "Wait for a night: 230",
        "the next upload, place 1: night of 25 November 2026",
        "the next upload, place 50: night of 25 November 2026",
        "Only the first 50 are shown.",
        "Held: 1",
        "HELD_BY_PERSON: Ada: disputed",
        "200 payments wait for it, 800.00 AUD",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!html.contains("&#34;order&#34;") && said.contains("OperatorPolicy"), "{said}");
    let html = tonight(&world, Role::Operator).await;
    for order in ["hold", "release", "do_not_send", "preview_plan"] {
        assert!(html.contains(&format!("&#34;order&#34;:&#34;{order}&#34;")), "{order}: {html}");
    }
    assert!(world.asked().is_empty(), "an open page calls no function");
}

#[tokio::test]
async fn the_plan_says_what_goes_waits_and_is_held_or_skipped_and_why() {
    // EX-31, EX-33
    let world = samples::world().await;
    world.answers(Ok(plan()));
    let event = json!({"page": "tonight", "order": "preview_plan"});
    let html = world.press_as(Role::Operator, event, "", "").await;
    assert_harmless(&html);
    let said = text(&html);
    for words in [
        "This is a look; nothing was changed.",
        "The night of 2026-11-25",
        "201 payments go (804.00 AUD), 75 wait for a later night, 1 are held, 1 do not go. 200 slots are free.",
        "Go in that night: 201",
        "Wait for a later night: 75",
        "place 201 in line: night of 26 November 2026 4.00 AUD on CM-10234",
        "Would be held: 1",
        "LOCKED_PERIOD: in words",
        "Would be skipped: 1",
        "before_start_date: in words",
        "Only the first 50 are shown.",
        "Only the first 30 are shown.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // EX-33: what is skipped goes only if a person says so.
    let row = html.split("<tr>").find(|row| row.contains("before_start_date")).unwrap();
    assert!(row.contains("&#34;release&#34;") && !row.contains("&#34;hold&#34;"), "{row}");
    let asked = json!({"command": {"preview_plan": {"organisation": ORGANISATION}}});
    assert_eq!(world.asked(), [asked]);
    assert!(world.rows("activity").await.is_empty(), "a look leaves no row");
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_or_is_none_is_said() {
    let world = samples::world().await;
    for (answer, words) in [
        (json!({"previews": []}), "Nothing is uploaded for this organisation."),
        (json!({"previews": [{"night": 5}]}), "the reply cannot be read"),
        (json!("?"), "the reply cannot be read"),
    ] {
        world.answers(Ok(answer));
        let event = json!({"page": "tonight", "order": "preview_plan"});
        let said = text(&world.press(Role::Operator, event).await);
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn an_order_on_the_page_leads_back_to_it() {
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    world.answers(Ok(json!({"payment": "P-1", "state": "held", "reason": "HELD_BY_PERSON",
            "why": "Ada: a payment is missing", "recorded": true})));
    let event = json!({"page": "tonight", "order": "hold", "payment": "P-1"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("P-1 is on hold") && said.contains("Wait for a night: 1"), "{said}");
}

#[tokio::test]
async fn what_is_off_is_said_to_be_off() {
    // EX-32
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    let before = Caps::unused(organisation());
    let disabled = payments::upload::Disabled { at: ago(9), why: "4001 attempts".to_owned() };
    let off = Caps { disabled: Some(disabled), ..before.clone() };
    world.tables.write_caps(&before, &off, "upload", "w", because(9)).await.unwrap();
    let said = text(&tonight(&world, Role::Viewer).await);
    assert!(
        said.contains("have switched themselves off") && said.contains("4001 attempts"),
        "{said}"
    );
    assert!(said.contains("uploading is off") && !said.contains("night of 25 November"), "{said}");
    let never = crate::world::well().await;
    let said = text(&tonight(&never, Role::Viewer).await);
    assert!(said.contains("▲ Uploading is not set up"), "{said}");
}

/// A world whose clock stands at another moment.
async fn at(world: &World, moment: &str) -> String {
    world.set_clock(moment);
    text(&tonight(world, Role::Viewer).await)
}

#[tokio::test]
async fn what_fits_is_said_of_the_hour_of_the_night_and_not_of_the_moment() {
    // EX-31, AMB-11: the 20 hours after last night's 200 are over when tonight's upload begins.
    let world = samples::world().await;
    store_all(&world, &(0..230).map(|n| waiting(&format!("P-{n:03}"))).collect::<Vec<_>>()).await;
    let before = Caps::unused(organisation());
    let night = "2026-11-25".parse().unwrap();
    let at_night = "2026-11-25T11:00:00Z".parse().unwrap();
    let full = before.reserve(200, SendMode::Nightly(night), 200, at_night).caps.unwrap();
    world.tables.write_caps(&before, &full, "upload", "w", because(9)).await.unwrap();
    // One in the afternoon of the next day.
    let said = at(&world, "2026-11-26T02:00:00Z").await;
    for words in [
        "Payments of the night of 2026-11-26 0 of 200 (0%); 200 still fit",
        "the next upload, place 1: night of 26 November 2026",
        "200 payments wait for it, 800.00 AUD",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // The night in which the last of them goes is the same on the page of limits.
    let limits = text(&world.look("limits").await);
    assert!(
        limits.contains("230 wait; the last of them goes in the night of 2026-11-27"),
        "{limits}"
    );
}

#[tokio::test]
async fn refused_and_unconfirmed_payments_are_on_the_page_with_their_reasons() {
    // A8.3, EX-33, SP-35
    let world = samples::world().await;
    let sent = |id: &str, outcome: WriteOutcome| {
        let mut upload = waiting(id);
        let contact = payments::XeroContactId::new(uuid::Uuid::from_u128(7));
        let parts = vec![(Target::Prepayment { contact }, upload.receipt.amount)];
        upload.reserve("2026-11-25".parse().unwrap(), parts, ago(30)).unwrap();
        upload.send(&[1], "key", ago(29)).unwrap();
        upload.answer(1, outcome, false, ago(28)).unwrap();
        upload.settle_refusal(None);
        upload
    };
    let refused = sent("B-2008", WriteOutcome::Refused("the contact is archived".to_owned()));
    let unknown = sent("B-2009", WriteOutcome::Unclear);
    store_all(&world, &[refused, unknown]).await;
    let said = text(&tonight(&world, Role::Viewer).await);
    for words in [
        "Refused by Xero: 1",
        "B-2008",
        "the contact is archived",
        "Sent, not confirmed: 1",
        "B-2009",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn a_payment_whose_customer_waits_for_an_action_has_no_night() {
    // EX-28, A7.4: one payment has one state, here and on its own page.
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    samples::blocked(&world, "C-1", "two contacts").await;
    let said = text(&tonight(&world, Role::Viewer).await);
    assert!(said.contains("blocked (BLOCKED_BY_ACTION): two contacts"), "{said}");
    assert!(!said.contains("place 1"), "{said}");
}

#[tokio::test]
async fn what_stands_in_the_way_of_everything_is_said_on_every_page() {
    // CC-03, CC-04, EX-32, CM-45
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    let facts = payments::connection::Facts { refused: true, ..Default::default() };
    world.checked(&[payments::connection::HealthIssue::Refused], &facts, ago(5)).await;
    for page in ["tonight", "limits", "why", "invoice", "activity", "discrepancies"] {
        let said = text(&world.look(page).await);
        assert!(said.contains("▲ Xero is disconnected"), "{page}: {said}");
    }
    let said = text(&tonight(&world, Role::Viewer).await);
    assert!(said.contains("once Xero is connected") && !said.contains("place 1"), "{said}");
}

#[tokio::test]
async fn the_limit_of_the_day_is_said_on_every_page() {
    // X-09, AMB-22
    let world = samples::world().await;
    let budgets = world.tables.budgets();
    let pass = budgets.enter(organisation(), Purpose::Live, now()).await.unwrap();
    let for_an_hour = Some(jiff::SignedDuration::from_hours(1));
    let word = Word { turned_away: Some((Exhausted::Day, for_an_hour)), ..Word::default() };
    budgets.leave(pass, word, now()).await;
    for page in ["tonight", "limits", "orders"] {
        let said = text(&world.look(page).await);
        assert!(said.contains("limit of calls for a day is used up"), "{page}: {said}");
    }
    let said = text(&world.look("limits").await);
    assert!(said.contains("Xero asks us to wait limit day, until"), "{said}");
}
