//! An invoice with its payments and balances.

use console::roles::Role;
use payments::Allocation;
use payments::upload::Hold;
use serde_json::json;

use crate::html::{assert_harmless, text};
use crate::samples::{because, eventful, read, record, store, waiting, xero_payment};
use crate::world::{ORGANISATION, World, ago, command, organisation};

async fn invoice(world: &World, role: Role, number: &str) -> String {
    let html = world.page(role, json!({"page": "invoice", "invoice": number})).await;
    assert_harmless(&html);
    html
}

#[tokio::test]
async fn payments_stand_in_order_with_the_balance_after_each() {
    // ST-12, ST-03, AMB-19, AMB-34
    let world = eventful().await;
    for typed in ["10234", "CM-10234"] {
        let said = text(&invoice(&world, Role::Viewer, typed).await);
        // 100.00 less 5.00 of credit, then 20.00, then 10.00 that are held and in Xero all the same.
        for words in [
            "2026-11-02 20.00 AUD 75.00 AUD",
            "2027-06-01 10.00 AUD 65.00 AUD",
            "▲ held (FUTURE_DATED)",
            "Credited in Xero 5.00 AUD",
            "Prepayment applied in Xero 5.00 AUD of 2026-11-15, INV-0005",
            "Due 65.00 AUD",
            "▲ UNDERPAID: 65.00 AUD of 100.00 AUD is left, due on 2026-11-20. To be resolved by 2026-11-27",
            "The payments lead to what Xero says is due.",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        // ST-05, ST-15: no tick over what does not agree.
        assert!(!said.contains('✔'), "{said}");
    }
}

#[tokio::test]
async fn what_is_overdue_is_said_in_words_and_by_a_sign() {
    // ST-12
    let world = eventful().await;
    let html = invoice(&world, Role::Viewer, "10234").await;
    assert!(html.contains("▲ Overdue: 65.00 AUD have been due for 5 days."), "{html}");
    // Paid in full: neither late nor open.
    record(&world, "10300", "Ada Ltd").await;
    read(&world, "10300", 60, vec![xero_payment(9, 10_000)], 0).await;
    let said = text(&invoice(&world, Role::Viewer, "10300").await);
    assert!(!said.contains("Overdue:") && !said.contains("Open:"), "{said}");
    assert!(said.contains("✔ The payments lead to what Xero says is due."), "{said}");
}

#[tokio::test]
async fn what_was_removed_can_be_restored_by_those_who_may() {
    // CM-39, ST-22
    let world = eventful().await;
    let html = invoice(&world, Role::Operator, "10234").await;
    let said = text(&html);
    assert!(said.contains("Removed") && said.contains("30.00 AUD"), "{said}");
    assert!(html.contains("Xero&#39;s next read leaves it alone."), "{html}");
    let viewer = invoice(&world, Role::Viewer, "10234").await;
    assert!(!viewer.contains("&#34;order&#34;") && viewer.contains("OperatorPolicy"), "{viewer}");

    let payment = html.split("&#34;order&#34;:&#34;restore&#34;").nth(1).unwrap();
    let payment = payment.split("&#34;payment&#34;:&#34;").nth(1).unwrap();
    let payment = payment.split("&#34;").next().unwrap();
    world.answers(Ok(json!({"restored": payment, "recorded": true})));
    let event =
        json!({"page": "invoice", "order": "restore", "invoice": "10234", "payment": payment});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains(&format!("Done. {payment} is back")), "{said}");
    assert!(said.contains("Invoice 10234"), "the invoice is shown again: {said}");
    let wish = json!({"organisation": ORGANISATION, "invoice": "10234", "payment": payment});
    assert_eq!(world.asked(), [command("restore", wish)]);
}

#[tokio::test]
async fn what_is_back_already_is_not_offered_again() {
    // CM-39: Xero has recorded it again under the same id.
    let world = eventful().await;
    let again = vec![xero_payment(1, 3_000), xero_payment(2, 2_000)];
    read(&world, "10234", 30, again, 500).await;
    let html = invoice(&world, Role::Operator, "10234").await;
    assert!(text(&html).contains("Removed"), "{html}");
    assert!(!html.contains("&#34;order&#34;:&#34;restore&#34;"), "{html}");
}

#[tokio::test]
async fn what_does_not_agree_is_listed_and_so_is_the_difference() {
    // ST-04, CM-15
    let world = eventful().await;
    record(&world, "10301", "Somebody Else").await;
    read(&world, "10301", 60, vec![xero_payment(8, 1_000)], 0).await;
    world
        .set_row(
            "invoices",
            &[("organisation", ORGANISATION), ("number", "10301")],
            "amount_due",
            "#80",
        )
        .await;
    let said = text(&invoice(&world, Role::Viewer, "10301").await);
    assert!(said.contains("CONTACT_DIFFERS"), "{said}");
    let difference = "▲ By the payments here 90.00 AUD are due, and in Xero 80.00 AUD: the difference is 10.00 AUD.";
    assert!(said.contains(difference), "{said}");
}

#[tokio::test]
async fn amb_31_what_does_not_agree_can_be_accepted_by_those_who_may_and_is_then_shown_apart() {
    let world = eventful().await;
    record(&world, "10301", "Somebody Else").await;
    read(&world, "10301", 60, vec![xero_payment(8, 1_000)], 0).await;
    let viewer = invoice(&world, Role::Viewer, "10301").await;
    assert!(!viewer.contains("&#34;order&#34;:&#34;accept&#34;"), "{viewer}");
    let html = invoice(&world, Role::Operator, "10301").await;
    assert!(html.contains("&#34;order&#34;:&#34;accept&#34;"), "{html}");
    assert!(html.contains("comes back only if its figures change"), "{html}");

    let number = "10301".parse().unwrap();
    let stored = world.tables.invoice(organisation(), &number).await.unwrap();
    let found = stored.open_discrepancies().next().unwrap();
    world.answers(Ok(json!({"accepted": found.key.to_string(), "recorded": true})));
    let event = json!({"page": "invoice", "order": "accept", "invoice": "10301",
        "discrepancy": found.key.to_string(), "seen": found.detail});
    let said = text(&world.press(Role::Operator, event.clone()).await);
    assert!(said.contains("Done. CONTACT_DIFFERS# is accepted"), "{said}");
    let wish = json!({"organisation": ORGANISATION, "invoice": "10301", "seen": found.detail,
        "discrepancy": "CONTACT_DIFFERS#"});
    assert_eq!(world.asked(), [command("accept", wish)]);
    let refused = text(&world.press(Role::Viewer, event).await);
    assert!(refused.contains("operator"), "ST-22: {refused}");

    let words = ("Ada", "they write it both ways");
    let change = payments::accept(&stored, &found.key, None, words, ago(1)).unwrap();
    world.tables.write_invoice(&stored, &change, because(1)).await.unwrap();
    let html = invoice(&world, Role::Operator, "10301").await;
    let said = text(&html);
    assert!(said.contains("What does not agree, and was accepted"), "{said}");
    assert!(said.contains("by Ada: they write it both ways"), "{said}");
    let button = "&#34;discrepancy&#34;:&#34;CONTACT_DIFFERS#&#34;";
    assert!(!html.contains(button), "no button for it: {html}");
    assert!(html.contains("aria-label=\"Details: 10301/CONTACT_DIFFERS#\""), "{html}");
}

#[tokio::test]
async fn the_history_comes_a_page_at_a_time_the_newest_first() {
    // ST-14, EX-24
    let world = eventful().await;
    for n in 0..60 {
        let at = format!("2026-11-20T00:00:{n:02}.000000Z#10234#{n:03}");
        world
            .put(
                "activity",
                &[
                    ("day", &format!("{ORGANISATION}/2026-11-20")),
                    ("at", &at),
                    ("invoice", &format!("{ORGANISATION}/10234")),
                    ("action", &format!("made up {n}.")),
                ],
            )
            .await;
    }
    let html = invoice(&world, Role::Viewer, "10234").await;
    let said = text(&html);
    assert!(said.contains("CM-37") && said.contains("made up 59."), "{said}");
    assert!(!said.contains("made up 1."), "{said}");
    let before =
        html.split("&#34;before&#34;:&#34;").nth(1).unwrap().split("&#34;").next().unwrap();
    let event = json!({"page": "invoice", "invoice": "10234", "before": before});
    let older = world.page(Role::Viewer, event).await;
    assert_harmless(&older);
    let said = text(&older);
    assert!(said.contains("made up 1.") && !said.contains("made up 59."), "{said}");
    assert!(said.contains("Earlier history") && said.contains("Newest"), "{said}");
    assert!(!said.contains("Older"), "{said}");
}

#[tokio::test]
async fn what_became_of_a_payment_on_its_way_to_xero_is_part_of_the_invoices_history() {
    // EX-24, ST-14
    let world = eventful().await;
    let mut upload = waiting("P-1");
    upload.receipt.method = "virtual_terminal".to_owned();
    let amount = upload.receipt.amount;
    upload.receipt.allocations = vec![Allocation { invoice: "10234".parse().unwrap(), amount }];
    upload.put_on_hold(Hold::BlockedByAction, "an action is open: two contacts", None, ago(100));
    store(&world, &upload).await;
    let said = text(&invoice(&world, Role::Viewer, "10234").await);
    let row = "upload_held (A7.4) P-1, 4.00 AUD, 2026-11-03 BLOCKED_BY_ACTION, an action is open: two contacts";
    assert!(said.contains(row), "{said}");
}

#[tokio::test]
async fn a_row_of_the_log_that_cannot_be_read_is_named_and_hides_no_other() {
    // ST-14, EX-24
    let world = eventful().await;
    let day = format!("{ORGANISATION}/2026-11-20");
    let about = format!("{ORGANISATION}/10234");
    for (at, amount) in [
        ("2026-11-20T00:00:01.000000Z#10234#1", "#12.5"),
        ("2026-11-20T00:00:02.000000Z#10234#2", "a lot"),
    ] {
        let row = [
            ("day", day.as_str()),
            ("at", at),
            ("invoice", about.as_str()),
            ("action", "made up"),
            ("amount", amount),
            ("currency", "AUD"),
        ];
        world.put("activity", &row).await;
    }
    let without_action = [
        ("day", day.as_str()),
        ("at", "2026-11-20T00:00:03.000000Z#10234#3"),
        ("invoice", about.as_str()),
    ];
    world.put("activity", &without_action).await;

    let said = text(&invoice(&world, Role::Viewer, "10234").await);
    for words in [
        "The row 2026-11-20T00:00:02.000000Z#10234#2 of the table activity cannot be read: what is wrong \
         is in amount.",
        "The row 2026-11-20T00:00:03.000000Z#10234#3 of the table activity cannot be read: what is wrong \
         is in action.",
        "12.50 AUD",
        "a lot AUD",
        "CM-37",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("10234#1 of the table"), "{said}");
}

#[tokio::test]
async fn a_number_of_nothing_is_said_to_be_one() {
    let world = eventful().await;
    store(&world, &waiting("P-1")).await;
    for (typed, words) in [
        ("99999", "Nothing is stored under the number 99999."),
        (&"9".repeat(300), "That is no number of an invoice."),
        ("", "Which invoice?"),
    ] {
        let said = text(&invoice(&world, Role::Viewer, typed).await);
        assert!(said.contains(words), "{typed}: {said}");
    }
}

#[tokio::test]
async fn of_very_many_payments_the_last_hundred_are_shown_with_their_balances() {
    // ST-03
    let world = crate::samples::world().await;
    record(&world, "10302", "Ada Ltd").await;
    let payments = (1..=105).map(|n| xero_payment(n, 50)).collect();
    read(&world, "10302", 60, payments, 0).await;
    let said = text(&invoice(&world, Role::Viewer, "10302").await);
    assert!(said.contains("5 earlier payments are not shown."), "{said}");
    assert!(said.contains("0.50 AUD 97.00 AUD") && said.contains("0.50 AUD 47.50 AUD"), "{said}");
    assert!(!said.contains("97.50 AUD"), "{said}");
}
