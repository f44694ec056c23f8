//! Everything that stands in a table, an event or an answer is shown as text.

use console::roles::Role;
use invoker::InvokeError;
use jiff::civil::date;
use payments::XeroPayment;
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::samples;
use crate::world::{ORGANISATION, OTHER, World, ago, well};

/// Ends every kind of place that a text may stand in, and begins something that runs.
const HOSTILE: &str = "</cwdb-action></style></title>\"'><script>alert(1)</script>\
    <img src=x onerror=alert(1)><svg/onload=alert(1)>&lt;{{ 1 }}";

/// As hostile as an id may be.
const HOSTILE_ID: &str = "\"'><script>alert(1)</script>";

async fn row(world: &World, table: &str, fixed: &[(&str, &str)], hostile: &[&str]) {
    let mut attributes = fixed.to_vec();
    attributes.extend(hostile.iter().map(|name| (*name, HOSTILE)));
    world.put(table, &attributes).await;
}

/// Tables in which every text that is not read as something else is hostile.
async fn poisoned() -> World {
    let world = well().await;
    for name in ["name", "administrator_contact", "bank_feed_name", "payment_gateway_name"] {
        world.set(ORGANISATION, name, HOSTILE).await;
    }
    let at = format!("{}#{HOSTILE}", table::instant(ago(60)));
    let day = format!("{ORGANISATION}/2026-11-25");
    let invoice = format!("{ORGANISATION}/10234");
    let texts = [
        "action",
        "rule",
        "cause",
        "reason",
        "why",
        "by",
        "result",
        "what",
        "invoice_number",
        "payment_id",
        "xero_payment_id",
        "method",
        "currency",
        "request_id",
    ];
    row(
        &world,
        "activity",
        &[("day", &day), ("at", &at), ("invoice", &invoice)],
        &[&texts[..], &["amount"]].concat(),
    )
    .await;
    for method in ["bpay", "card"] {
        let at = format!("{}#{method}", table::instant(ago(70)));
        let fixed = [("day", day.as_str()), ("at", &at), ("cause", "intake"), ("method", method)];
        row(&world, "activity", &fixed, &["action", "why"]).await;
    }
    row(
        &world,
        "messages",
        &[("organisation", ORGANISATION), ("raised_at", "x")],
        &["message", "kind", "subject", "why"],
    )
    .await;
    let parked = format!("{}#{HOSTILE}", table::instant(ago(50)));
    let fixed = [("organisation", ORGANISATION), ("parked_at", &parked), ("by", "intake")];
    row(&world, "parked", &fixed, &["reason", "detail", "body"]).await;
    let parked = [("organisation", ORGANISATION), ("parked_at", HOSTILE)];
    row(&world, "parked", &parked, &["by", "reason", "detail", "body"]).await;
    world
        .ran(ago(40), |run| {
            run.by = Some(HOSTILE.to_owned());
            run.why = Some(HOSTILE.to_owned());
            run.subject = Some(HOSTILE.to_owned());
            run.went_wrong(HOSTILE, HOSTILE.to_owned());
            run.count(HOSTILE, 1);
        })
        .await;
    world
        .put(
            "caps",
            &[
                ("organisation", ORGANISATION),
                ("revision", "#1"),
                ("warned", "#0"),
                ("disabled_at", "2026-11-25T00:00:00Z"),
                ("disabled_why", HOSTILE),
            ],
        )
        .await;
    world
}

#[tokio::test]
async fn every_page_shows_hostile_text_as_text() {
    let world = poisoned().await;
    for (page, at_least) in [
        ("integrations", 8),
        ("activity", 10),
        ("sync_log", 5),
        ("messages", 3),
        ("parked", 4),
        ("configure", 4),
    ] {
        for role in Role::ALL.iter().copied() {
            let html = world.page(role, json!({"page": page})).await;
            assert_harmless(&html);
            if role == Role::Admin {
                // It is there, and not left out.
                let shown = text(&html).matches("<script>alert(1)</script>").count();
                assert!(
                    shown + html.matches("&#60;script").count() >= at_least,
                    "{page} {shown}: {html}"
                );
            }
        }
    }
    for more in [json!({"invoice": "10234"}), json!({"only": "errors", "page": "sync_log"})] {
        let mut event = json!({"page": "activity"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_harmless(&world.page(Role::Operator, event).await);
    }
}

#[tokio::test]
async fn the_limits_show_hostile_text_as_text() {
    let world = poisoned().await;
    let mut caps = payments::upload::Caps::unused(ORGANISATION.parse().unwrap());
    caps.disabled = Some(payments::upload::Disabled { at: ago(600), why: HOSTILE.to_owned() });
    let before = payments::upload::Caps { revision: 1, ..caps.clone() };
    let because = table::ChangeContext { cause: "night", event_at: None, now: ago(600) };
    world.tables.write_caps(&before, &caps, "Ada", "w", because).await.unwrap();
    for role in Role::ALL.iter().copied() {
        let html = world.page(role, json!({"page": "limits"})).await;
        assert_harmless(&html);
        assert!(text(&html).contains("<script>alert(1)</script>"), "{html}");
    }
}

#[tokio::test]
async fn what_is_typed_or_asked_for_is_shown_as_text() {
    let world = poisoned().await;
    let typed = json!({"pm_by": HOSTILE, "pm_why": HOSTILE, "pm_day": HOSTILE, "pm_invoice": HOSTILE,
        "pm_word": HOSTILE, "pm_kind": HOSTILE, "pm_name": HOSTILE, "pm_bank_feed": HOSTILE,
        "pm_organisation": HOSTILE, "pm_customer": HOSTILE, "pm_time_zone": HOSTILE, "pm_search": HOSTILE});
    for page in [
        "why",
        "invoice",
        "integrations",
        "activity",
        "sync_log",
        "limits",
        "parked",
        "actions",
        "discrepancies",
        "configure",
        HOSTILE,
    ] {
        for order in [
            json!(null),
            json!("sync_now"),
            json!("restore"),
            json!("discard"),
            json!("open_action"),
            json!("sign_up"),
            json!(HOSTILE),
        ] {
            for organisation in [json!(ORGANISATION), json!(null), json!(HOSTILE)] {
                let event = json!({"page": page, "order": order, "organisation": organisation,
                    "payment": HOSTILE, "parked_at": HOSTILE, "reason": HOSTILE,
                    "queue": HOSTILE, "message": HOSTILE, "before": HOSTILE,
                    "widgetContext": {"theme": HOSTILE, "forms": {"all": typed}}});
                assert_harmless(&world.page(Role::Operator, event.clone()).await);
                assert_harmless(&world.page(Role::Viewer, event).await);
            }
        }
    }
}

#[tokio::test]
async fn what_a_function_answers_is_shown_as_text() {
    let world = well().await;
    for answer in [
        Err(InvokeError::Failed(HOSTILE.to_owned())),
        Ok(
            json!({"sweeps": [{"organisation": ORGANISATION, "outcome": "failed", "why": HOSTILE}]}),
        ),
        Ok(Value::String(HOSTILE.to_owned())),
    ] {
        world.answers(answer);
        let html =
            world.press(Role::Operator, json!({"page": "integrations", "order": "sync_now"})).await;
        assert_harmless(&html);
    }
    let letter = json!({"message": HOSTILE, "kind": HOSTILE, "subject": HOSTILE, "receives": 1});
    let looked = json!({"redrive": {"queue": "changes", "left": 1, "problem": HOSTILE, "letters": [letter]},
        "recorded": false});
    let planned = |would: &str| {
        json!({"payment": "P-1", "amount": HOSTILE, "date": HOSTILE, "route": HOSTILE,
            "would": would, "reason": HOSTILE, "why": HOSTILE, "parts": [HOSTILE]})
    };
    let plan = json!({"previews": [{"organisation": ORGANISATION, "night": HOSTILE, "would_go": 1, "would_wait": 0,
        "slots_left": 0, "attempts": 0,
        "disabled": HOSTILE, "payments": [planned("go"), planned("hold")]}]});
    for (page, order, answer) in
        [("dead_letters", "look_at_dead_letters", looked), ("tonight", "preview_plan", plan)]
    {
        world.answers(Ok(answer));
        let event = json!({"page": page, "order": order, "queue": "changes"});
        let html = world.press(Role::Operator, event).await;
        assert_harmless(&html);
        assert!(text(&html).contains("<script>alert(1)</script>"), "{html}");
    }
    world.answers(Ok(json!({"payment": "P-1", "state": HOSTILE, "reason": HOSTILE, "why": HOSTILE, "recorded": true})));
    let hold = json!({"page": "activity", "order": "hold", "payment": "P-1"});
    let html = world.press(Role::Operator, hold).await;
    assert_harmless(&html);
    assert!(text(&html).contains("<script>alert(1)</script>"), "{html}");
}

#[tokio::test]
async fn a_list_of_organisations_is_shown_as_text() {
    let world = poisoned().await;
    world.settings(OTHER).await;
    let html = world.look("integrations").await;
    assert_harmless(&html);
    assert!(text(&html).contains("Which organisation?"), "{html}");
}

#[tokio::test]
async fn a_payment_and_an_invoice_show_hostile_text_as_text() {
    let world = samples::world().await;
    samples::record(&world, "10234", HOSTILE).await;
    let mut payment = samples::xero_payment(1, 3_000);
    payment.reference = Some(HOSTILE.to_owned());
    samples::read(&world, "10234", 120, vec![payment.clone()], 0).await;
    let gone = vec![XeroPayment { id: samples::xero(2), date: date(2027, 6, 1), ..payment }];
    samples::read(&world, "10234", 60, gone, 0).await;
    let invoice = [("organisation", ORGANISATION), ("number", "10234")];
    for name in ["xero_number", "contact_name", "local_company"] {
        world.set_row("invoices", &invoice, name, HOSTILE).await;
    }
    for row in world.rows("tombstones").await {
        let key = [("invoice", row["invoice"].as_str()), ("removed", row["removed"].as_str())];
        world.set_row("tombstones", &key, "why", HOSTILE).await;
    }
    for row in world.rows("activity").await {
        let key = [("day", row["day"].as_str()), ("at", row["at"].as_str())];
        for name in ["action", "rule", "reason", "why", "cause", "by"] {
            world.set_row("activity", &key, name, HOSTILE).await;
        }
    }
    let upload = samples::partly(&samples::waiting("P-1"));
    samples::store(&world, &upload).await;
    let key = [("organisation", ORGANISATION), ("payment_id", "P-1")];
    for name in ["why", "reason", "payer_reference"] {
        world.set_row("uploads", &key, name, HOSTILE).await;
    }
    samples::blocked(&world, "C-1", HOSTILE).await;
    samples::blocked(&world, HOSTILE_ID, HOSTILE).await;
    let customer = [("organisation", ORGANISATION), ("customer", "C-1")];
    world.set_row("customers", &customer, "name", HOSTILE).await;
    samples::blocked(&world, &format!("{HOSTILE_ID}2"), "x").await;
    let unreadable = format!("{HOSTILE_ID}2");
    let customer = [("organisation", ORGANISATION), ("customer", unreadable.as_str())];
    world.set_row("customers", &customer, "revision", HOSTILE).await;
    let held = payments::upload::Upload { why: HOSTILE.to_owned(), ..samples::waiting(HOSTILE_ID) };
    samples::store(&world, &held).await;

    for role in Role::ALL.iter().copied() {
        let invoice = world.page(role, json!({"page": "invoice", "invoice": "10234"})).await;
        assert_harmless(&invoice);
        let shown = text(&invoice).matches("<script>alert(1)</script>").count();
        assert!(shown >= 10, "{shown}: {invoice}");
        let actions = world.page(role, json!({"page": "actions"})).await;
        assert_harmless(&actions);
        // The id, the name and two texts; and the id of the one that cannot be read.
        let shown = text(&actions).matches("<script>alert(1)</script>").count();
        assert!(shown >= 5, "{shown}: {actions}");
        let of_xero = [samples::xero(1).to_string(), samples::xero(2).to_string()];
        for typed in of_xero.iter().map(String::as_str).chain(["P-1", HOSTILE_ID, "4.00"]) {
            let why = world.page(role, json!({"page": "why", "search": typed})).await;
            assert_harmless(&why);
            let shown = text(&why).matches("<script>alert(1)</script>").count();
            assert!(shown >= 1 || why.contains("&#60;script"), "{typed}: {why}");
        }
    }
}
