//! Activity, sync log, messages and what is parked.

use crate::samples::because;
use console::roles::Role;
use payments::budget::{CallBudget as _, Exhausted, Purpose, Word};
use payments::sweep::{SyncKind, SyncRun, SyncState, Trigger};
use payments::upload::{Caps, Disabled};
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::world::{ORGANISATION, World, ago, now, organisation, well};

const XERO_PAYMENT: &str = "00000000-0000-4000-8000-000000000042";

async fn did(world: &World, minutes: i64, more: &[(&str, &str)]) {
    let at = ago(minutes);
    let day = format!("{ORGANISATION}/{}", at.strftime("%Y-%m-%d"));
    let key = format!("{}#{minutes}", table::instant(at));
    let mut row = vec![("day", day.as_str()), ("at", key.as_str()), ("organisation", ORGANISATION)];
    row.extend(more);
    world.put("activity", &row).await;
}

async fn eventful() -> World {
    let world = well().await;
    let invoice = format!("{ORGANISATION}/10234");
    did(
        &world,
        30,
        &[
            ("action", "imported"),
            ("rule", "CM-20"),
            ("cause", "webhook"),
            ("invoice", &invoice),
            ("invoice_number", "10234"),
            ("payment_id", "xero-42"),
            ("xero_payment_id", XERO_PAYMENT),
            ("amount", "#64"),
            ("currency", "AUD"),
            ("why", "new in Xero"),
        ],
    )
    .await;
    did(&world, 20, &[("action", "upload_held"), ("cause", "intake"), ("reason", "LOCKED_PERIOD")])
        .await;
    did(&world, 26 * 60, &[("action", "deleted"), ("rule", "CM-22"), ("cause", "sweep")]).await;
    world
}

async fn filtered(world: &World, page: &str, typed: Value) -> String {
    let event = json!({"page": page, "widgetContext": {"forms": {"all": typed}}});
    let html = world.page(Role::Viewer, event).await;
    assert_harmless(&html);
    text(&html)
}

#[tokio::test]
async fn the_activity_of_today_comes_newest_first_with_rule_and_reason() {
    // EX-24, ST-14
    let said = filtered(&eventful().await, "activity", json!({})).await;
    let (held, imported) =
        (said.find("upload_held").unwrap(), said.find("imported (CM-20)").unwrap());
    assert!(held < imported, "{said}");
    assert!(said.contains("2026-11-25 22:00:00") && said.contains("xero-42, 64.00 AUD"), "{said}");
    assert!(!said.contains("deleted"), "yesterday: {said}");
}

#[tokio::test]
async fn the_activity_is_chosen_by_day_invoice_and_word() {
    // EX-24
    let world = eventful().await;
    let yesterday = filtered(&world, "activity", json!({"pm_day": "2026-11-24"})).await;
    assert!(
        yesterday.contains("deleted (CM-22)") && !yesterday.contains("imported"),
        "{yesterday}"
    );
    for number in ["10234", "CM-10234"] {
        let invoice = filtered(&world, "activity", json!({"pm_invoice": number})).await;
        assert!(
            invoice.contains("imported (CM-20)") && !invoice.contains("upload_held"),
            "{invoice}"
        );
    }
    let rule = filtered(&world, "activity", json!({"pm_word": "cm-20"})).await;
    assert!(rule.contains("imported") && !rule.contains("upload_held"), "{rule}");
    let cause = filtered(&world, "activity", json!({"pm_word": "intake"})).await;
    assert!(cause.contains("upload_held") && !cause.contains("imported ("), "{cause}");
    let nonsense =
        filtered(&world, "activity", json!({"pm_day": "Monday", "pm_word": "nothing"})).await;
    assert!(
        nonsense.contains("A day looks like") && nonsense.contains("Nothing of that kind"),
        "{nonsense}"
    );
}

#[tokio::test]
async fn entries_lead_to_xero_and_say_that_this_needs_a_login() {
    // EX-25, EX-26
    let world = eventful().await;
    let html = world.look("activity").await;
    assert!(html.contains(&format!("bankTransactionID={XERO_PAYMENT}")), "{html}");
    assert!(html.contains("shortcode=!mBdtL"), "{html}");
    assert!(html.contains("target=\"_blank\" rel=\"noopener noreferrer\""), "{html}");
    assert!(text(&html).contains("need a login to Xero"), "{html}");
}

#[tokio::test]
async fn the_sync_log_says_what_each_run_did_the_newest_first() {
    // CC-09
    let world = well().await;
    world.ran(ago(60), |_| {}).await;
    world
        .ran(ago(10), |run| {
            run.trigger = Trigger::Manual;
            (run.by, run.why) = (Some("Ada".to_owned()), Some("one is missing".to_owned()));
            run.kind = SyncKind::Invoice;
            run.subject = Some("CM-10234".to_owned());
        })
        .await;
    let all = filtered(&world, "sync_log", json!({})).await;
    let (first, second) =
        (all.find("invoice (CM-10234)").unwrap(), all.find("sweep finished").unwrap());
    assert!(first < second, "{all}");
    for words in ["finished after 3 s", "queued 7", "2 calls, 4711 bytes", "Ada: one is missing"] {
        assert!(all.contains(words), "{words}: {all}");
    }
    let kind = filtered(&world, "sync_log", json!({"pm_kind": "invoice"})).await;
    assert!(kind.contains("CM-10234") && !kind.contains("sweep finished"), "{kind}");
}

#[tokio::test]
async fn only_errors_are_those_that_went_wrong_the_newest_first() {
    // CC-26
    let world = well().await;
    let failed = |class: &'static str, problem: &'static str| {
        move |run: &mut SyncRun| {
            run.state = SyncState::Failed;
            run.went_wrong(class, problem.to_owned());
        }
    };
    world.ran(ago(60), failed("Timeout", "Xero was slow")).await;
    world.ran(ago(40), failed("Validation", "no such invoice")).await;
    world.ran(ago(10), |_| {}).await;
    let errors = filtered(&world, "sync_log", json!({"pm_only": "errors"})).await;
    let (newer, older) =
        (errors.find("no such invoice").unwrap(), errors.find("Xero was slow").unwrap());
    assert!(newer < older && errors.contains("correct at its source"), "{errors}");
    assert!(!errors.contains("finished"), "{errors}");
}

/// Uploads have switched themselves off, and the day's calls are used up.
async fn is_off_and_used_up(world: &World) {
    let before = Caps::unused(organisation());
    let disabled = Disabled { at: ago(9), why: "4001 attempts".to_owned() };
    let off = Caps { disabled: Some(disabled), ..before.clone() };
    world.tables.write_caps(&before, &off, "upload", "w", because(9)).await.unwrap();
    let budgets = world.tables.budgets();
    let pass = budgets.enter(organisation(), Purpose::Live, now()).await.unwrap();
    let turned_away = Some((Exhausted::Day, None));
    budgets.leave(pass, Word { turned_away, ..Word::default() }, now()).await;
}

#[tokio::test]
async fn a_night_that_xero_has_refused_a_payment_of_is_among_what_went_wrong() {
    // CC-09, CC-26, SP-12
    let world = well().await;
    world
        .ran(ago(30), |run| {
            run.counts = [("uploaded".to_owned(), 9), ("refused".to_owned(), 1)].into()
        })
        .await;
    world.ran(ago(10), |_| {}).await;
    let said = filtered(&world, "sync_log", json!({"pm_only": "errors"})).await;
    assert!(said.contains("1 payments were refused by Xero or are not confirmed"), "{said}");
    assert!(!said.contains("No run of that kind") && !said.contains("queued"), "{said}");
}

#[tokio::test]
async fn what_stops_the_work_comes_first_and_hundreds_of_warnings_hide_nothing() {
    // EX-29, AMB-40
    let world = well().await;
    let tell = |kind: &'static str, why: &'static str, minutes| {
        world.tables.raise_message(organisation(), kind, "s", why, ago(minutes))
    };
    tell("ACCOUNT_UNMAPPED", "no account for chargeback", 50).await.unwrap();
    tell("UPLOAD_DISABLED", "4,000 attempts", 10).await.unwrap();
    tell("WEBHOOK_SILENT", "none came. What to do: press Send", 90).await.unwrap();
    tell("DAY_LIMIT", "used up. What to do: nothing", 300).await.unwrap();
    // What is over is not shown as if it were so (AMB-40).
    let said = filtered(&world, "messages", json!({})).await;
    assert!(said.contains("Over, and not shown any more: UPLOAD_DISABLED, DAY_LIMIT."), "{said}");
    is_off_and_used_up(&world).await;
    // As the version before wrote them: a row for each payment.
    for n in 0..620 {
        let id = format!("P-{n:04}");
        let row = [
            ("organisation", ORGANISATION),
            ("message", &format!("UNLINKED#{id}")),
            ("kind", "UNLINKED"),
            ("payment_id", &id),
            ("why", "the payment names no invoice"),
            ("raised_at", &table::instant(ago(1))),
        ];
        world.put("messages", &row).await;
    }
    let said = filtered(&world, "messages", json!({})).await;
    let kinds = ["UPLOAD_DISABLED", "WEBHOOK_SILENT", "DAY_LIMIT", "ACCOUNT_UNMAPPED", "UNLINKED"];
    let places: Vec<_> = kinds.iter().map(|kind| said.find(kind).unwrap()).collect();
    assert!(places.is_sorted(), "{said}");
    assert!(said.contains("What to do: ask the accountant"), "{said}");
    assert_eq!(said.matches("What to do:").count(), 5, "{said}");
    assert!(said.contains("UNLINKED (at least 500)"), "{said}");
    assert_eq!(said.matches("names no invoice").count(), 5, "{said}");
}

#[tokio::test]
async fn what_is_parked_is_listed_by_reason_and_can_be_replayed_by_those_who_may() {
    let world = well().await;
    let empty = filtered(&world, "parked", json!({})).await;
    assert!(empty.contains("Nothing is parked"), "{empty}");
    for (id, reason) in [("a", "stale_read"), ("b", "stale_read"), ("c", "invalid_message")] {
        let parked_at = format!("{}#{id}", table::instant(now()));
        let row = [
            ("organisation", ORGANISATION),
            ("parked_at", &parked_at),
            ("by", "mirror"),
            ("reason", reason),
            ("detail", "d"),
            ("body", "secret content"),
        ];
        world.put("parked", &row).await;
    }
    let report = r#"{"type": "payment", "id": "P-7", "amount": "secret content"}"#;
    for (organisation, id, body) in
        [(ORGANISATION, "d", report), ("unknown", "m-8", "{secret content")]
    {
        let parked_at = format!("{}#{id}", table::instant(now()));
        let row = [
            ("organisation", organisation),
            ("parked_at", &parked_at),
            ("by", "intake"),
            ("reason", "invalid_message"),
            ("detail", "d"),
            ("body", body),
        ];
        world.put("parked", &row).await;
    }
    let html = world.page(Role::Operator, json!({"page": "parked"})).await;
    assert_harmless(&html);
    let said = text(&html);
    // Each is named: by what its report names, or by its own id; also what names no organisation.
    assert!(said.contains("payment P-7 intake"), "{said}");
    assert!(said.contains("Of no organisation that is known") && said.contains("m-8"), "{said}");
    assert!(said.contains("stale_read 2") && said.contains("invalid_message 2"), "{said}");
    // All, two reasons, four rows.
    assert_eq!(html.matches(">Replay</button>").count(), 7, "{html}");
    assert_eq!(html.matches(">Preview the replay</button>").count(), 3, "{html}");
    assert!(!html.contains("secret content"), "bodies are not for pages");
    let viewer = world.page(Role::Viewer, json!({"page": "parked"})).await;
    assert!(
        !viewer.contains(">Replay</button>") && text(&viewer).contains("OperatorPolicy"),
        "{viewer}"
    );
}

#[tokio::test]
async fn a_run_or_a_parked_row_that_cannot_be_read_hides_no_other() {
    // AMB-30
    let world = well().await;
    world.ran(ago(20), |run| run.problem = Some("the good one".to_owned())).await;
    let run = format!("{}-sweep-9", table::instant(ago(10)));
    world.put("sync_runs", &[("organisation", ORGANISATION), ("run", &run)]).await;
    let said = filtered(&world, "sync_log", json!({})).await;
    assert!(said.contains("the good one"), "{said}");

    for (at, more) in [(5, ("detail", "the good one")), (4, ("other", "?"))] {
        let parked = format!("{}#m", table::instant(ago(at)));
        let row = [
            ("organisation", ORGANISATION),
            ("parked_at", &parked),
            ("by", "intake"),
            ("reason", "invalid_message"),
            ("body", "{}"),
            more,
        ];
        world.put("parked", &row).await;
    }
    let said = filtered(&world, "parked", json!({})).await;
    assert!(said.contains("the good one"), "{said}");
}
