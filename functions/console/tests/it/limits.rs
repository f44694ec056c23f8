//! The used part of each limit.

use console::roles::Role;
use payments::budget::{CallBudget as _, Purpose, Word};
use payments::upload::{
    Caps, Disabled, Forecast, Night, NightReport, NightState, Reservation, SendMode, Totals,
};
use serde_json::json;
use table::ChangeContext;

use crate::html::{assert_harmless, text};
use crate::samples;
use crate::world::{World, ago, now, organisation, well};

fn night(days_ago: i64) -> Night {
    let zone = jiff::tz::TimeZone::get("Australia/Sydney").unwrap();
    Night::of(ago(days_ago * 24 * 60), &zone)
}

async fn uploaded(world: &World, days_ago: i64, count: u32, carried: u32) {
    let report = NightReport {
        organisation: organisation(),
        night: night(days_ago),
        revision: 0,
        state: NightState::Finished,
        scheduled_at: ago(days_ago * 24 * 60),
        started_at: ago(days_ago * 24 * 60),
        finished_at: Some(ago(days_ago * 24 * 60)),
        lease_until: None,
        rounds: 1,
        calls: 4,
        totals: Totals { by_state: [("uploaded", count)].into(), by_reason: Default::default() },
        carried,
        forecast: None::<Forecast>,
        stopped: None,
    };
    world.tables.store_night(&report).await.unwrap();
}

async fn caps(world: &World, change: impl FnOnce(&mut Caps)) {
    let before = Caps::unused(organisation());
    let mut caps = before.clone();
    change(&mut caps);
    let because = ChangeContext { cause: "night", event_at: None, now: ago(60) };
    world.tables.write_caps(&before, &caps, "upload", "w", because).await.unwrap();
}

fn reserved(minutes_ago: i64, slots: u32, night: Night) -> Reservation {
    let sending = SendMode::Nightly(night);
    let SendMode::Nightly(night) = sending else { unreachable!() };
    Reservation { at: ago(minutes_ago), night: Some(night), slots, attempts: slots }
}

#[tokio::test]
async fn bars_and_numbers_say_what_is_used() {
    // EX-31, EX-32, AMB-09
    let world = samples::world().await;
    caps(&world, |caps| {
        caps.reservations =
            (0..15).rev().map(|days| reserved(days * 24 * 60 + 5, 200, night(days))).collect();
    })
    .await;
    for days in 0..15 {
        uploaded(&world, days, 200, 450).await;
    }
    let html = world.look("limits").await;
    assert_harmless(&html);
    let said = text(&html);
    for words in [
        // Tonight is over: the question is how much of the next one is free.
        "Payments of the night of 2026-11-26 0 of 200 (0%); 200 still fit",
        "3000 of 4000 (75%); 1000 left",
        "0 of 5000 (0%); 5000 left",
        "0 of 60 (0%); 60 left",
        // 1,000 are left: five nights go, the sixth is one too many.
        "Uploads switch themselves off in the night of 2026-12-01, at 200 a night",
        "15 nights, 3000 payments, 200 at most",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // Each picture has its text.
    let pictures = html.matches("<svg").count();
    assert_eq!(html.matches("role=\"img\" aria-label=\"").count(), pictures, "{html}");
    assert!(pictures >= 5);
}

#[tokio::test]
async fn the_backlog_is_counted_as_far_as_it_costs_little_and_its_end_is_foretold() {
    let world = samples::world().await;
    let said = text(&world.look("limits").await);
    assert!(
        said.contains("nothing waits") && said.contains("No night has been uploaded"),
        "{said}"
    );

    let line = format!("{}/waiting", organisation());
    for id in 0..450 {
        let (id, organisation) = (format!("P-{id:04}"), organisation().to_string());
        let row = [
            ("organisation", organisation.as_str()),
            ("payment_id", &id),
            ("line", &line),
            ("due_order", &id),
        ];
        world.put("uploads", &row).await;
    }
    let said = text(&world.look("limits").await);
    assert!(said.contains("450 wait; the last of them goes in the night of 2026-11-27"), "{said}");
}

#[tokio::test]
async fn calls_and_bytes_are_counted() {
    //
    let world = well().await;
    let budgets = world.tables.budgets();
    for _ in 0..3 {
        let pass = budgets.enter(organisation(), Purpose::Sweep, now()).await.unwrap();
        let word = Word { day_left: Some(4_200), bytes: 4_000_000, ..Word::default() };
        budgets.leave(pass, word, now()).await;
    }
    let said = text(&world.look("limits").await);
    for words in [
        "800 of 5000 (16%); 4200 left",
        "3 of 60 (5%); 57 left",
        "Data from Xero this month 12 MB of answers",
        "Xero asks us to wait no",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn uploading_that_is_off_says_so_and_who_may_switch_it_on() {
    // EX-32, AMB-13
    let world = well().await;
    caps(&world, |caps| {
        caps.disabled = Some(Disabled { at: ago(90), why: "more than 4000 attempts".to_owned() });
    })
    .await;
    for (role, button) in [(Role::Viewer, false), (Role::Operator, true)] {
        let html = world.page(role, json!({"page": "limits"})).await;
        assert!(text(&html).contains("more than 4000 attempts"), "{html}");
        assert_eq!(html.contains("enable_uploads"), button);
        assert_eq!(html.contains("Posting cannot be undone"), button, "it cannot be undone");
    }
}

#[tokio::test]
async fn a_night_that_waits_for_proof_is_the_pace_of_the_coming_ones() {
    // AMB-09, EX-32: the night has sent 201, of which one was refused and 50 are not confirmed yet.
    let world = samples::world().await;
    let mut report = NightReport::begun(organisation(), night(0), ago(30), ago(30));
    report.state = NightState::WaitingForProof;
    report.totals.by_state = [("uploaded", 150), ("unknown", 50), ("refused", 1)].into();
    world.tables.store_night(&report).await.unwrap();
    uploaded(&world, 1, 30, 0).await;
    caps(&world, |caps| {
        caps.reservations =
            (1..12).rev().map(|days| reserved(days * 24 * 60, 200, night(days))).collect();
    })
    .await;
    let said = text(&world.look("limits").await);
    for words in ["at 201 a night", "200 at most", "Xero refused 1 more, which take no slot"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("not within a month"), "{said}");
}
