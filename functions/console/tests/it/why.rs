//! Why a payment is where it is.

use console::roles::Role;
use serde_json::json;

use crate::html::{assert_harmless, text};
use crate::samples::{self, CODE, aud, blocked, eventful, partly, store, waiting, xero};
use crate::world::{ORGANISATION, World, ago};

async fn why(world: &World, role: Role, typed: &str) -> String {
    let html = world.page(role, json!({"page": "why", "search": typed})).await;
    assert_harmless(&html);
    html
}

#[tokio::test]
async fn a_payment_of_xero_is_told_whether_it_is_here_held_or_removed() {
    // EX-23, ST-20, A7.4, CM-23, AMB-20
    let world = eventful().await;
    for (n, synced, state, rule, words) in [
        (1, "Not synced", "removed", "CM-37", "everything it was is kept"),
        (2, "Synced", "applied", "CM-07", "It is here as a copy of the payment in Xero"),
        (3, "Not synced", "held (FUTURE_DATED)", "AMB-20", "On 2027-05-25 it is let in by itself"),
    ] {
        let html = why(&world, Role::Viewer, &xero(n).to_string()).await;
        let said = text(&html);
        for words in [synced, state, rule, words, "What would change it", "Compared values"] {
            assert!(said.contains(words), "{n} {words}: {said}");
        }
        // ST-20, EX-25, EX-26
        let link = format!(
            "shortcode={CODE}&#38;redirecturl=/Bank/ViewTransaction.aspx?bankTransactionID={}",
            xero(n)
        );
        assert!(html.contains(&link), "{html}");
        assert!(said.contains("need a login of one's own"), "{said}");
        assert!(html.contains("Invoice 10234</button>"), "{html}");
    }
}

#[tokio::test]
async fn the_two_sides_stand_beside_each_other() {
    // CM-12, CM-13
    let world = eventful().await;
    let said = text(&why(&world, Role::Viewer, &xero(2).to_string()).await);
    let both = "20.00 AUD of 2026-11-02 on CM-10234 20.00 AUD of 2026-11-02 on 10234";
    assert!(said.contains(both), "{said}");
}

#[tokio::test]
async fn a_payment_in_parts_is_synced_by_its_parts() {
    // AMB-26, EX-23
    let world = samples::world().await;
    store(&world, &partly(&waiting("P-1"))).await;
    let html = why(&world, Role::Operator, "P-1").await;
    let said = text(&html);
    assert!(said.contains("Partly synced 2 of 4"), "{said}");
    for words in [
        "1 1.00 AUD on invoice CM-1: in Xero payment in Xero",
        "3 1.00 AUD on invoice CM-3: refused by Xero: the invoice is paid",
        "2.00 AUD of 2026-11-03 4.00 AUD of 2026-11-03 2 of 4 parts",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // A refused payment may be tried again; one that is in Xero is not held back any more.
    assert!(html.contains("&#34;order&#34;:&#34;release&#34;"), "{html}");
    assert!(!html.contains("&#34;order&#34;:&#34;hold&#34;"), "{html}");
}

#[tokio::test]
async fn a_payment_that_waits_says_in_which_night_it_goes() {
    // EX-31
    let world = samples::world().await;
    for n in 1..=3 {
        store(&world, &waiting(&format!("P-{n}"))).await;
    }
    let said = text(&why(&world, Role::Viewer, "P-3").await);
    assert!(said.contains("the next upload, place 3: night of 25 November 2026"), "{said}");
}

#[tokio::test]
async fn the_orders_that_make_sense_are_there_for_those_who_may_give_them() {
    // ST-22, EX-28
    let world = samples::world().await;
    let mut by_person = waiting("P-2");
    by_person = payments::upload::obey(
        &by_person,
        payments::upload::PaymentCommand::Hold,
        "Ada",
        "w",
        ago(9),
    )
    .unwrap()
    .unwrap();
    let mut kept_back = waiting("P-3");
    kept_back = payments::upload::obey(
        &kept_back,
        payments::upload::PaymentCommand::DoNotSend,
        "Ada",
        "w",
        ago(9),
    )
    .unwrap()
    .unwrap();
    for upload in [&waiting("P-1"), &by_person, &kept_back] {
        store(&world, upload).await;
    }
    for (id, there) in [
        ("P-1", ["hold", "do_not_send"].as_slice()),
        ("P-2", &["release", "do_not_send"]),
        ("P-3", &["hold", "release"]),
    ] {
        let html = why(&world, Role::Operator, id).await;
        for order in ["hold", "release", "do_not_send"] {
            let button = html.contains(&format!("&#34;order&#34;:&#34;{order}&#34;"));
            assert_eq!(button, there.contains(&order), "{id} {order}: {html}");
        }
        assert!(html.contains("name=\"pm_why_1\""), "{html}");
        let html = why(&world, Role::Viewer, id).await;
        assert!(!html.contains("&#34;order&#34;") && html.contains("OperatorPolicy"), "{html}");
    }
    // A blocked payment says why, and leads to its remedy.
    blocked(&world, "C-1", "two contacts").await;
    let said = text(&why(&world, Role::Operator, "P-1").await);
    assert!(
        said.contains("blocked (BLOCKED_BY_ACTION)") && said.contains("two contacts"),
        "{said}"
    );
}

#[tokio::test]
async fn after_an_order_the_same_payment_is_shown_again() {
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    world.answers(Ok(json!({"payment": "P-1", "state": "held", "reason": "HELD_BY_PERSON",
            "why": "Ada: a payment is missing", "recorded": true})));
    let event = json!({"page": "why", "order": "hold", "payment": "P-1", "search": "P-1"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("P-1 is on hold") && said.contains("Payment P-1"), "{said}");
}

#[tokio::test]
async fn an_amount_lists_the_payments_of_it_and_how_far_was_looked() {
    let world = eventful().await;
    store(&world, &waiting("P-1")).await;
    let html = why(&world, Role::Viewer, "4.00").await;
    let said = text(&html);
    assert!(said.contains("Payments of that amount") && said.contains("waiting (night)"), "{said}");
    assert!(said.contains("Looked through"), "{said}");
    assert!(html.contains("&#34;search&#34;:&#34;P-1&#34;"), "{html}");
    assert_eq!(aud(400).to_string(), "4.00 AUD");
}

#[tokio::test]
async fn what_is_not_found_says_what_was_looked_for() {
    // CM-05, AMB-25
    let world = eventful().await;
    let said = text(&why(&world, Role::Viewer, "P-9").await);
    assert!(
        said.contains("Nothing found for \"P-9\". Looked for: invoice P-9; payment P-9"),
        "{said}"
    );
    assert!(said.contains("does not begin with the organisation's prefix"), "{said}");
    let said = text(&why(&world, Role::Viewer, "77.77").await);
    assert!(said.contains("Nothing found") && said.contains("Looked through"), "{said}");
    let empty = text(&why(&world, Role::Viewer, "").await);
    assert!(empty.contains("Which payment?") && !empty.contains("Nothing found"), "{empty}");
}

#[tokio::test]
async fn an_absence_is_explained_by_the_last_read_and_by_what_is_ours() {
    // CM-48, CM-05, CM-22
    let world = eventful().await;
    for typed in ["10234", "INV 10234", "INV 40404"] {
        let said = text(&why(&world, Role::Viewer, typed).await);
        for words in
            ["Xero was last read 2026-11-25 22:15 AEDT", "begins with \"CM-\"", "can be restored"]
        {
            assert!(said.contains(words), "{typed} {words}: {said}");
        }
    }
    let said = text(&why(&world, Role::Viewer, "INV 10234").await);
    assert!(said.contains("Payments of invoice 10234"), "{said}");
}

#[tokio::test]
async fn an_invoice_shows_the_state_of_each_of_its_payments() {
    // A7.4, CM-16
    let world = eventful().await;
    for typed in ["CM-10234", "10234"] {
        let html = why(&world, Role::Viewer, typed).await;
        let said = text(&html);
        for words in [
            "Payments of invoice 10234",
            "20.00 AUD 2026-11-02 applied",
            "10.00 AUD 2027-06-01 held (FUTURE_DATED)",
            "Removed: 1, see the invoice's own page.",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(html.contains("Invoice 10234</button>"), "{html}");
        assert!(html.contains(&format!("&#34;search&#34;:&#34;{}&#34;", xero(3))), "{html}");
        assert!(!said.contains("Nothing found"), "{said}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_hides_nothing_else_of_a_payment() {
    // AMB-30
    let world = eventful().await;
    store(&world, &waiting("P-1")).await;
    let key = [("organisation", ORGANISATION), ("payment_id", "P-1")];
    world.set_row("uploads", &key, "amount", "?").await;
    let row = [
        ("invoice", format!("{ORGANISATION}/10234")),
        ("removed", "2026-11-01T00:00:00.000000Z#x".to_owned()),
        ("payment_id", "P-0".to_owned()),
    ];
    let row: Vec<_> = row.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.put("tombstones", &row).await;

    let said = text(&why(&world, Role::Viewer, "P-1").await);
    assert!(said.contains("The row P-1 is not shown here"), "{said}");
    assert!(said.contains("`amount`"), "{said}");
    let said = text(&why(&world, Role::Viewer, &xero(2).to_string()).await);
    assert!(said.contains("It is here as a copy of the payment in Xero"), "{said}");
}
