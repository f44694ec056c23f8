//! Payments of the business's own system.

use host::batch::RECEIVES_MAX;
use payments::upload::uploaded_deleted;
use payments::{DiscrepancyKind, Kind, Money, PaymentStatus, Protection, State};
use serde_json::json;
use table::ContactBecause;

use crate::messages::{ORGANISATION, bpay, customer, invoice, payment, with};
use crate::world::{World, assert_same, aud, now, xero_id, xero_payment};

const PARTS: &[(&str, &str)] = &[("10234", "60.00")];

#[tokio::test]
async fn a_payment_of_any_method_is_kept_on_its_invoice() {
    // SP-02, SP-06, ST-06, ST-07, ST-08, CM-12, CM-13
    for method in ["bpay", "card", "direct_debit", "paypal", "cash", "cheque", "gift_card_2"] {
        let world = World::new().await;
        world.take(&invoice("10234", 1, "110.00")).await;
        world.take(&with(payment("P-1", 1, "60.00", PARTS), "/method", method)).await;
        let stored = world.invoice("10234").await;
        let [part] = &stored.payments[..] else { panic!("{stored:?}") };
        assert_eq!((part.amount, part.date.to_string()), (aud("60.00"), "2026-03-09".to_owned()));
        assert_eq!((part.method.as_str(), part.transaction_id.as_str()), (method, "T-P-1"));
        assert_eq!(part.status, PaymentStatus::Confirmed);
        assert_eq!(part.reference.as_deref(), Some("thanks"));
        assert_eq!((part.state, part.protection), (State::Protected, Some(Protection::Manual)));
        assert_eq!(part.created_at.to_string(), "2026-03-09T03:05:11.123456Z");
        assert_eq!(world.rows("receipts").await.len(), 1);
    }
}

#[tokio::test]
async fn every_payment_event_is_logged_with_transaction_id_amount_method_and_time() {
    // SP-04
    let world = World::new().await;
    let pending = with(payment("P-1", 1, "60.00", PARTS), "/status", "pending");
    world.take(&pending).await;
    world.take(&payment("P-1", 2, "60.00", PARTS)).await;
    world.take(&payment("P-1", 3, "60.00", &[])).await;
    world.take(&payment("P-2", 1, "15.00", &[])).await;
    let events = world.rows("activity").await;
    let of = |id: &str| events.iter().filter(|row| row["payment_id"] == id).count();
    // Recorded twice, taken off, twice on no invoice; and each once not to be uploaded.
    assert_eq!((of("P-1"), of("P-2")), (4 + 1, 1 + 1));
    for event in &events {
        let amount = if event["payment_id"] == "P-1" { "60" } else { "15" };
        assert_eq!(event["amount"].trim_end_matches(".00"), amount);
        assert_eq!(event["transaction_id"], format!("T-{}", event["payment_id"]));
        assert_eq!(event["method"], "bank_transfer");
        assert_eq!(event["date"], "2026-03-09");
        assert!(event["at"].starts_with("2026-03-10T01:00:00"));
    }
    // SP-09: the business sent it one second before.
    assert!(events.iter().any(|row| row.get("visible_after_ms").is_some_and(|ms| ms == "1000")));
}

#[tokio::test]
async fn a_payment_known_before_its_invoice_waits_there_for_it() {
    // ST-10
    let world = World::new().await;
    world.take(&payment("P-1", 1, "60.00", PARTS)).await;
    world.take(&invoice("10234", 1, "50.00")).await;
    let stored = world.invoice("10234").await;
    assert_eq!(stored.payments.len(), 1);
    // SP-12
    let kinds: Vec<_> = stored.open_discrepancies().map(|found| found.key.kind).collect();
    assert_eq!(kinds, [DiscrepancyKind::Overpaid]);
}

#[tokio::test]
async fn a_status_changes_by_itself_along_the_legal_ways() {
    // SP-03
    let world = World::new().await;
    let at =
        |revision, status: &str| with(payment("P-1", revision, "60.00", PARTS), "/status", status);
    for (revision, status) in [(1, "pending"), (2, "confirmed"), (3, "refunded")] {
        world.take(&at(revision, status)).await;
        assert_eq!(world.invoice("10234").await.payments[0].status.code(), status);
    }
    // Refunded is the end: parked at once, for no earlier message can be missing.
    world.take(&at(4, "confirmed")).await;
    assert_eq!(world.parked().await, ["illegal_status"]);
    assert_eq!(
        world.rows("parked").await[0]["detail"],
        "a payment that is refunded cannot become confirmed"
    );
    assert_eq!(world.invoice("10234").await.payments[0].status.code(), "refunded");
}

#[tokio::test]
async fn a_failed_payment_is_flagged_at_once() {
    // SP-12
    let world = World::new().await;
    world.take(&with(payment("P-1", 1, "60.00", PARTS), "/status", "pending")).await;
    world.take(&with(payment("P-1", 2, "60.00", PARTS), "/status", "failed")).await;
    let stored = world.invoice("10234").await;
    let kinds: Vec<_> = stored.open_discrepancies().map(|found| found.key.kind).collect();
    assert_eq!(kinds, [DiscrepancyKind::FailedPayment]);
}

#[tokio::test]
async fn a_failed_payment_without_an_invoice_is_flagged_on_its_customers_contact() {
    // SP-12, AMB-31: it ends when the payment names an invoice, which then shows it.
    let contact = "430fa14a-f945-44d3-9f97-5df5e28441b8";
    let world = World::new().await;
    world.take(&customer("C-1", 1, "Ada", Some(contact))).await;
    let failed = |revision, parts| {
        let message = with(payment("P-1", revision, "60.00", parts), "/status", "failed");
        with(message, "/customer", "C-1")
    };
    for _ in 0..2 {
        world.take(&failed(1, &[])).await;
        let [found] = &world.rows("discrepancies").await[..] else { panic!() };
        assert_eq!(found["invoice"], format!("{ORGANISATION}/contact:{contact}"));
        assert_eq!(found["discrepancy"], "FAILED_PAYMENT#P-1");
        assert_eq!((found["state"].as_str(), found["open_in"].as_str()), ("open", ORGANISATION));
    }
    assert_eq!(world.warnings().await, ["FAILED_PAYMENT"]);

    world.take(&failed(2, PARTS)).await;
    let rows = world.rows("discrepancies").await;
    let of_contact = rows.iter().find(|row| row["invoice"].contains("contact:")).unwrap();
    assert_eq!(of_contact["state"], "resolved");
    let stored = world.invoice("10234").await;
    let kinds: Vec<_> = stored.open_discrepancies().map(|found| found.key.kind).collect();
    assert_eq!(kinds, [DiscrepancyKind::FailedPayment]);
}

#[tokio::test]
async fn what_was_given_back_closes_that_its_prepayment_is_gone_in_xero() {
    // AMB-32: both sides agree.
    let contact = "430fa14a-f945-44d3-9f97-5df5e28441b8";
    let world = World::new().await;
    world.take(&customer("C-1", 1, "Ada", Some(contact))).await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    let key = uploaded_deleted(&"P-1".parse().unwrap());
    let because = ContactBecause { cause: "upload", rule: "AMB-08", now: now() };
    let (organisation, contact) = (world.settings.organisation, contact.parse().unwrap());
    let opened =
        world.tables.open_contact_discrepancy(organisation, contact, &key, "gone", because);
    assert!(opened.await.unwrap());

    world.take(&with(bpay("P-1", 2, "60.00"), "/status", "refunded")).await;

    assert_eq!(world.rows("discrepancies").await[0]["state"], "resolved");
}

#[tokio::test]
async fn an_amount_is_taken_in_as_far_as_it_is_kept_exactly() {
    // AMB-30: more than a thousand million is ordinary in rupiah.
    for (amount, currency) in [
        ("61000000000.00", "IDR"),
        ("792281625142643375935439503.35", "AUD"),
        ("9000000000000", "JPY"),
    ] {
        let world = World::new().await;
        let of =
            |message| with(with(message, "/amount/amount", amount), "/amount/currency", currency);
        let message = of(payment("P-1", 1, "1.00", &[("10234", amount)]));
        let bill = with(invoice("10234", 1, "1.00"), "/total/amount", amount);
        world.take(&with(bill, "/total/currency", currency)).await;
        world.take(&message).await;
        assert!(world.parked().await.is_empty(), "{amount}: {:?}", world.rows("parked").await);
        let stored = world.invoice("10234").await;
        let expected = Money::parse(amount, currency.parse().unwrap()).unwrap();
        assert_eq!(stored.payments[0].amount, expected);
        assert_eq!(stored.local.unwrap().total, expected);
    }
    let world = World::new().await;
    let bill = with(invoice("10234", 1, "1.00"), "/total/amount", "792281625142643375935439503.36");
    world.take(&bill).await;
    assert_eq!(world.parked().await, ["invalid_message"], "one more is not kept exactly");
}

#[tokio::test]
async fn a_payment_by_card_that_leaves_something_is_underpaid_at_once_until_the_rest_is_here() {
    // SP-12, A7.2: long before the due date, and also after Xero was read.
    let open = async |world: &World| {
        let stored = world.invoice("10234").await;
        let open: Vec<_> = stored.open_discrepancies().map(|found| found.key.kind).collect();
        open
    };
    let paid = |id, amount: &str, method: &str| {
        with(payment(id, 1, amount, &[("10234", amount)]), "/method", method)
    };
    for method in ["card", "paypal"] {
        let world = World::new().await;
        world.take(&invoice("10234", 1, "100.00")).await;
        world.take(&paid("P-1", "60.00", method)).await;
        assert_eq!(open(&world).await, [DiscrepancyKind::Underpaid], "{method}");
        world.mirrored("10234", "100.00", &[]).await;
        assert_eq!(open(&world).await, [DiscrepancyKind::Underpaid], "{method}");
        world.take(&paid("P-2", "40.00", "bank_transfer")).await;
        assert!(open(&world).await.is_empty(), "{method}: the money is here");
    }
    // What may be paid in parts is not underpaid before its day.
    let world = World::new().await;
    world.take(&invoice("10234", 1, "100.00")).await;
    world.take(&paid("P-1", "60.00", "bank_transfer")).await;
    assert!(open(&world).await.is_empty());
    let world = World::new().await;
    world.take(&with(invoice("10234", 1, "100.00"), "/payment_plan", true)).await;
    world.take(&paid("P-1", "60.00", "card")).await;
    assert!(open(&world).await.is_empty());
}

#[tokio::test]
async fn a_status_that_came_too_early_waits_for_the_one_before_and_is_parked_in_the_end() {
    // SP-03
    let world = World::new().await;
    let at =
        |revision, status: &str| with(payment("P-1", revision, "60.00", PARTS), "/status", status);
    world.take(&at(1, "pending")).await;
    let early = at(3, "refunded");
    assert!(!world.receive(&early, 1).await, "revision 2 may have confirmed it");
    world.take(&at(2, "confirmed")).await;
    assert!(world.receive(&early, 2).await);
    assert_eq!(world.invoice("10234").await.payments[0].status, PaymentStatus::Refunded);

    let lost = at(9, "pending");
    for nth in 1..RECEIVES_MAX {
        assert!(!world.receive(&lost, nth).await);
    }
    assert!(world.receive(&lost, RECEIVES_MAX).await, "before the queue gives it up, it is parked");
    assert_eq!(world.parked().await, ["illegal_status"]);
}

#[tokio::test]
async fn messages_in_any_order_lead_to_the_same_payment() {
    let revisions = [
        with(payment("P-1", 1, "60.00", PARTS), "/status", "pending"),
        payment("P-1", 2, "60.00", PARTS),
        with(payment("P-1", 3, "60.00", PARTS), "/journaled", true),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::new().await;
        for position in order {
            world.take(&revisions[position]).await;
        }
        let stored = world.invoice("10234").await;
        let [part] = &stored.payments[..] else { panic!("{stored:?}") };
        assert_eq!((part.revision, part.journaled, part.status.code()), (3, true, "confirmed"));
    }
}

#[tokio::test]
async fn a_local_change_of_an_adopted_payment_is_taken_and_xero_is_asked_to_overwrite_it() {
    // CM-10
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&payment("P-1", 1, "60.00", PARTS)).await;
    let in_xero = [xero_payment(1, "60.00")];
    world.mirrored("10234", "110.00", &in_xero).await;
    assert_eq!(world.invoice("10234").await.payments[0].state, State::Adopted);
    assert!(world.looks().is_empty());

    world.take(&payment("P-1", 2, "75.00", &[("10234", "75.00")])).await;
    let changed = &world.invoice("10234").await.payments[0];
    assert_eq!((changed.amount, changed.kind), (aud("75.00"), Kind::Imported));
    assert_eq!(world.looks(), [xero_id("10234")].into());

    world.mirrored("10234", "110.00", &in_xero).await;
    assert_eq!(world.invoice("10234").await.payments[0].amount, aud("60.00"));
}

#[tokio::test]
async fn what_xero_has_confirmed_does_not_become_pending_again() {
    // SP-03
    let world = World::new().await;
    let pending = |revision| with(payment("P-1", revision, "60.00", PARTS), "/status", "pending");
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&pending(1)).await;
    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    world.take(&with(pending(2), "/reference", "corrected")).await;
    let part = &world.invoice("10234").await.payments[0];
    assert_eq!((part.status.code(), part.reference.as_deref()), ("confirmed", Some("corrected")));
}

#[tokio::test]
async fn a_payment_that_went_with_its_original_is_not_put_back() {
    // CM-35: what took its place in Xero is here, and the money would count twice.
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&payment("P-1", 1, "60.00", PARTS)).await;
    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    world.mirrored("10234", "110.00", &[xero_payment(2, "65.00")]).await;
    let amounts = |stored: payments::StoredInvoice| {
        stored.payments.into_iter().map(|part| part.amount).collect::<Vec<_>>()
    };
    assert_eq!(amounts(world.invoice("10234").await), [aud("65.00")]);

    let again = payment("P-1", 1, "60.00", PARTS);
    let before = world.dump().await;
    world.take(&again).await;
    assert_same(&world.dump().await, &before, "the same again");
    world.take(&with(payment("P-1", 2, "60.00", PARTS), "/journaled", true)).await;
    assert_eq!(amounts(world.invoice("10234").await), [aud("65.00")]);
    assert_eq!(world.warnings().await, ["REMOVED_IN_XERO"]);
    assert!(world.rows("activity").await.iter().any(|row| {
        row.get("reason").is_some_and(|reason| reason == "REMOVED_IN_XERO")
            && row["transaction_id"] == "T-P-1"
    }));
}

#[tokio::test]
async fn a_payment_in_another_currency_than_its_invoice_is_parked_and_nothing_is_written() {
    let world = World::new().await;
    let euros = json!({"amount": "50.00", "currency": "EUR"});
    world.take(&with(invoice("10240", 1, "50.00"), "/total", euros)).await;
    let before = world.dump().await;
    // The first invoice would take it; the second one does not.
    let both = payment("P-1", 1, "100.00", &[("10234", "60.00"), ("10240", "40.00")]);
    world.take(&both).await;
    let mut after = world.dump().await;
    assert_eq!(world.parked().await, ["currency_differs"]);
    after.insert("parked", before["parked"].clone());
    assert_same(&after, &before, "nothing is written");
}

#[tokio::test]
async fn a_payment_entered_after_the_cutover_is_kept_with_a_warning() {
    // CM-03; 9 March in Sydney
    for (cutover, expected) in [("2026-03-08", 1), ("2026-03-09", 0), ("2026-03-10", 0)] {
        let world = World::new().await.with_cutover(cutover).await;
        world.take(&payment("P-1", 1, "60.00", PARTS)).await;
        world.take(&payment("P-1", 1, "60.00", PARTS)).await;
        assert_eq!(world.warnings().await, vec!["MANUAL_AFTER_CUTOVER"; expected], "{cutover}");
        assert_eq!(world.invoice("10234").await.payments.len(), 1);
    }
}

#[tokio::test]
async fn a_payment_that_failed_and_names_no_invoice_is_flagged_once() {
    // SP-12
    let world = World::new().await;
    let report =
        |revision, status: &str| with(payment("P-1", revision, "60.00", &[]), "/status", status);
    world.take(&report(1, "pending")).await;
    assert!(world.warnings().await.is_empty());
    world.take(&report(2, "failed")).await;
    world.take(&report(2, "failed")).await;
    assert_eq!(world.warnings().await, ["FAILED_PAYMENT"], "money not taken is on no invoice");
}

#[tokio::test]
async fn only_an_act_of_a_person_warns() {
    // AMB-40, CM-03
    for (method, channel, parts, expected) in [
        // Payments that go up, and those of a gateway, are not entered by hand.
        ("bpay", None, PARTS, None),
        ("card", Some("pay_now"), PARTS, None),
        ("direct_debit", None, PARTS, None),
        ("paypal", None, PARTS, None),
        ("cash", None, PARTS, Some("MANUAL_AFTER_CUTOVER")),
        ("cheque", Some("virtual_terminal"), PARTS, None),
        // That money is on no invoice is no warning, but a discrepancy (SP-11).
        ("card", None, &[], None),
        ("paypal", None, &[], None),
    ] {
        let world = World::new().await.with_cutover("2026-03-08").await;
        let mut report = with(payment("P-1", 1, "60.00", parts), "/method", method);
        if let Some(channel) = channel {
            report = with(report, "/channel", channel);
        }
        world.take(&report).await;
        let said = world.warnings().await;
        assert_eq!(
            said,
            expected.into_iter().collect::<Vec<_>>(),
            "{method} {channel:?} {parts:?}"
        );
    }
}

#[tokio::test]
async fn a_payment_journaled_after_the_cutover_is_kept_with_a_warning() {
    // CM-04: entered before the cutover, journaled after it.
    let world = World::new().await.with_cutover("2026-03-09").await;
    world.take(&payment("P-1", 1, "60.00", PARTS)).await;
    assert!(world.warnings().await.is_empty());
    world.take(&with(payment("P-1", 2, "60.00", PARTS), "/journaled", true)).await;
    assert_eq!(world.warnings().await, ["JOURNALED_AFTER_CUTOVER"]);
    let part = &world.invoice("10234").await.payments[0];
    assert_eq!(part.protection, Some(Protection::Journaled));
}

#[tokio::test]
async fn amb_31_a_failed_payment_is_closed_once_the_invoice_is_paid_by_another() {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "60.00")).await;
    world.take(&with(payment("P-1", 1, "60.00", PARTS), "/status", "failed")).await;
    let open = async || {
        let stored = world.invoice("10234").await;
        stored.open_discrepancies().map(|found| found.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(open().await, ["FAILED_PAYMENT#P-1"]);
    // A part does not pay it, and what is only announced pays nothing.
    world.take(&payment("P-2", 1, "20.00", &[("10234", "20.00")])).await;
    let announced = with(payment("P-3", 1, "40.00", &[("10234", "40.00")]), "/status", "pending");
    world.take(&announced).await;
    assert_eq!(open().await, ["FAILED_PAYMENT#P-1"]);
    world.take(&payment("P-3", 2, "40.00", &[("10234", "40.00")])).await;
    assert_eq!(open().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_payment_in_another_currency_than_its_invoice_is_flagged_whichever_came_first() {
    let world = World::new().await;
    let other = with(payment("P-1", 1, "60.00", PARTS), "/amount/currency", "NZD");
    world.take(&other).await;
    world.take(&payment("P-2", 1, "15.00", &[("10234", "15.00")])).await;
    world.take(&invoice("10234", 1, "10.00")).await;
    let stored = world.invoice("10234").await;
    let open: Vec<_> = stored.open_discrepancies().collect();
    let kinds: Vec<_> = open.iter().map(|found| found.key.to_string()).collect();
    assert_eq!(kinds, ["CURRENCY_DIFFERS#P-1", "OVERPAID#"], "it hides nothing of the others");
    assert!(open[0].detail.contains("60.00 NZD") && open[0].detail.contains("AUD"), "{open:?}");
    // The other order: it is not taken in.
    world.take(&with(payment("P-3", 1, "60.00", PARTS), "/amount/currency", "NZD")).await;
    assert_eq!(world.parked().await, ["currency_differs"]);
}
