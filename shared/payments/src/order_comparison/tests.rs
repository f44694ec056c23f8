//! Differences between order, invoices, receipts and money.

use jiff::tz::TimeZone;

use super::*;
use crate::components::TaxAndShipping;
use crate::order::{Components, standing};
use crate::reports::Allocation;
use crate::{Contact, Currency, CustomerId, LocalInvoice, OrganisationId};

fn organisation() -> OrganisationId {
    "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

fn aud(amount: &str) -> Money {
    Money::parse(amount, "AUD".parse::<Currency>().unwrap()).unwrap()
}

fn customer(id: &str) -> Option<CustomerId> {
    Some(id.parse().unwrap())
}

/// 100.00 for goods, 10.00 tax and 5.00 for shipping.
fn order() -> Order {
    Order {
        organisation: organisation(),
        id: "O-1".parse().unwrap(),
        revision: 1,
        customer: customer("C-1"),
        placed_at: "2026-03-09T01:00:00Z".parse().unwrap(),
        completed_at: None,
        components: Components {
            goods: aud("100.00"),
            tax: aud("10.00"),
            shipping: aud("5.00"),
            discount: aud("0.00"),
            total: aud("115.00"),
        },
        invoices: BTreeSet::from(["1".parse().unwrap()]),
        payments: BTreeSet::from(["P-1".parse().unwrap()]),
        cancelled: false,
    }
}

fn parts(tax: &str, shipping: &str) -> TaxAndShipping {
    TaxAndShipping { tax: Some(aud(tax)), shipping: Some(aud(shipping)) }
}

fn invoice(number: &str, total: &str, components: TaxAndShipping) -> StoredInvoice {
    let mut invoice = StoredInvoice::unknown(organisation(), number.parse().unwrap());
    invoice.customer = customer("C-1");
    invoice.local = Some(LocalInvoice {
        number: number.parse().unwrap(),
        total: aud(total),
        issued_on: "2026-03-09".parse().unwrap(),
        due_on: "2026-03-09".parse().unwrap(),
        terms: None,
        contact: Contact::default(),
        payment_plan: false,
        revision: 1,
        components,
    });
    invoice
}

fn receipt(
    id: &str,
    amount: &str,
    on: Option<&str>,
    document: Option<(&str, TaxAndShipping)>,
) -> Receipt {
    let part =
        |invoice: &str| Allocation { invoice: invoice.parse().unwrap(), amount: aud(amount) };
    Receipt {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(amount),
        date: "2026-03-09".parse().unwrap(),
        reference: None,
        method: "card".to_owned(),
        channel: None,
        customer: customer("C-1"),
        transaction_id: format!("T-{id}"),
        status: PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: on.map(part).into_iter().collect(),
        entered_at: "2026-03-09T02:00:00Z".parse().unwrap(),
        document: document.map(|(total, parts)| ReceiptDocument {
            number: format!("R-{id}"),
            total: aud(total),
            parts,
        }),
    }
}

fn settings() -> Settings {
    Settings::new(organisation(), TimeZone::UTC)
}

fn found(order: &Order, facts: &OrderFacts) -> Vec<(String, String)> {
    let standing = standing(order, facts).unwrap();
    let found = order_differences(order, facts, &standing).unwrap();
    found.into_iter().map(|(key, why)| (key.to_string(), why)).collect()
}

fn facts(invoices: Vec<StoredInvoice>, receipts: Vec<Receipt>) -> OrderFacts {
    OrderFacts { receipts, invoices, siblings: Vec::new() }
}

#[test]
fn sp_10_each_component_is_compared_with_the_values_side_by_side() {
    let whole = || receipt("P-1", "115.00", Some("1"), Some(("115.00", parts("10.00", "5.00"))));
    let invoiced = |tax, shipping| invoice("1", "115.00", parts(tax, shipping));
    assert_eq!(found(&order(), &facts(vec![invoiced("10.00", "5.00")], vec![whole()])), []);

    let said = found(&order(), &facts(vec![invoiced("11.00", "4.00")], vec![whole()]));
    let expected = [
        (
            "COMPONENT_DIFFERS#shipping",
            "shipping: 5.00 AUD by the order, 4.00 AUD by its invoices, 5.00 AUD by its receipts",
        ),
        (
            "COMPONENT_DIFFERS#tax",
            "tax: 10.00 AUD by the order, 11.00 AUD by its invoices, 10.00 AUD by its receipts",
        ),
    ];
    assert_eq!(said, expected.map(|(key, why)| (key.to_owned(), why.to_owned())));

    let wrong = receipt("P-1", "115.00", Some("1"), Some(("115.00", parts("9.00", "5.00"))));
    let said = found(&order(), &facts(vec![invoiced("10.00", "5.00")], vec![wrong]));
    assert_eq!(said[0].0, "COMPONENT_DIFFERS#tax", "of the receipt alone: {said:?}");
}

#[test]
fn sp_10_what_was_not_reported_is_compared_with_nothing() {
    let bare = invoice("1", "115.00", TaxAndShipping::default());
    let paid = receipt("P-1", "115.00", Some("1"), None);
    assert_eq!(found(&order(), &facts(vec![bare], vec![paid])), []);
}

#[test]
fn sp_10_receipts_for_a_part_may_say_less_and_not_more() {
    let part = |tax| receipt("P-1", "40.00", Some("1"), Some(("40.00", parts(tax, "0.00"))));
    let invoiced = || invoice("1", "115.00", parts("10.00", "5.00"));
    assert_eq!(found(&order(), &facts(vec![invoiced()], vec![part("3.64")])), []);
    let said = found(&order(), &facts(vec![invoiced()], vec![part("10.01")]));
    assert_eq!(said[0].0, "COMPONENT_DIFFERS#tax", "{said:?}");
}

#[test]
fn sp_21_totals_are_compared_once_every_invoice_is_known_and_the_orders_own() {
    let mut order = order();
    order.invoices = ["1", "2"].map(|number| number.parse().unwrap()).into();
    let first = || invoice("1", "60.00", TaxAndShipping::default());
    let second = |total| invoice("2", total, TaxAndShipping::default());
    assert_eq!(found(&order, &facts(vec![first(), second("55.00")], vec![])), []);
    let said = found(&order, &facts(vec![first(), second("54.99")], vec![]));
    let why = "total: 115.00 AUD by the order, 114.99 AUD by its invoices; 0.00 AUD received";
    assert_eq!(said, [("TOTAL_DIFFERS#".to_owned(), why.to_owned())]);

    let unknown = StoredInvoice::unknown(organisation(), "2".parse().unwrap());
    assert_eq!(found(&order, &facts(vec![first(), unknown], vec![])), [], "not known yet");
    let mut shared = facts(vec![first(), second("54.99")], vec![]);
    shared.siblings = vec![Order { id: "O-2".parse().unwrap(), ..order.clone() }];
    assert_eq!(found(&order, &shared), [], "also another order's");
}

#[test]
fn sp_37_the_customer_who_is_not_the_orders_or_the_invoices_is_named() {
    let mut other = invoice("1", "115.00", TaxAndShipping::default());
    other.customer = customer("C-9");
    let said = found(&order(), &facts(vec![other.clone()], vec![]));
    let why = "the order is of C-1, and its invoice 1 of C-9";
    assert_eq!(said, [("CUSTOMER_DIFFERS#1".to_owned(), why.to_owned())]);

    let paid = receipt("P-1", "115.00", Some("1"), None);
    let differences = payment_differences(&paid, &[order()], &[other], &settings());
    let said: Vec<_> =
        differences.iter().map(|(key, why)| (key.to_string(), why.as_str())).collect();
    let why = "paid by C-1, and invoice 1 is of C-9";
    assert_eq!(said, [("CUSTOMER_DIFFERS#invoice 1".to_owned(), why)]);

    let mut stranger = receipt("P-1", "115.00", None, None);
    stranger.customer = customer("C-2");
    let differences = payment_differences(&stranger, &[order()], &[], &settings());
    let keys: Vec<_> = differences.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["CUSTOMER_DIFFERS#order O-1"]);
}

#[test]
fn sp_11_a_payment_of_no_invoice_and_no_order_floats_free() {
    let keys = |receipt: &Receipt, orders: &[Order]| -> Vec<String> {
        let found = payment_differences(receipt, orders, &[], &settings());
        found.keys().map(ToString::to_string).collect()
    };
    let free = receipt("P-1", "40.00", None, None);
    assert_eq!(keys(&free, &[]), ["UNLINKED#"]);
    assert_eq!(keys(&free, &[order()]), [""; 0], "its order names it");
    let other = receipt("P-2", "40.00", None, None);
    assert_eq!(keys(&other, &[order()]), ["UNLINKED#"], "the order names another one");
    assert_eq!(keys(&receipt("P-1", "40.00", Some("1"), None), &[]), [""; 0]);
    for status in [PaymentStatus::Failed, PaymentStatus::Refunded] {
        assert_eq!(keys(&Receipt { status, ..free.clone() }, &[]), [""; 0], "{status}");
    }
    // EX-09, EX-11: these never get an invoice.
    let batch = Receipt { method: "batch_debit".to_owned(), ..free };
    assert_eq!(keys(&batch, &[]), [""; 0]);
}

#[test]
fn sp_10_a_receipt_is_compared_with_its_money_and_without_an_order_with_its_invoice() {
    let invoiced = [invoice("1", "115.00", parts("10.00", "5.00"))];
    let keys = |total: &str, tax: &str| -> Vec<String> {
        let paid = receipt("P-1", "115.00", Some("1"), Some((total, parts(tax, "5.00"))));
        let found = payment_differences(&paid, &[], &invoiced, &settings());
        found.keys().map(ToString::to_string).collect()
    };
    assert_eq!(keys("115.00", "10.00"), [""; 0]);
    assert_eq!(keys("115.00", "9.00"), ["COMPONENT_DIFFERS#tax"]);
    assert_eq!(keys("110.00", "10.00"), ["TOTAL_DIFFERS#receipt"]);
}

#[test]
fn sp_12_money_that_no_invoice_judges_is_judged_by_its_order() {
    let mut alone = Order { invoices: BTreeSet::new(), ..order() };
    let paid = |amount| facts(vec![], vec![receipt("P-1", amount, None, None)]);
    assert_eq!(found(&alone, &paid("115.00")), []);
    assert_eq!(found(&alone, &paid("120.00"))[0].0, "OVERPAID#");
    assert_eq!(found(&alone, &paid("15.00")), [], "it is not completed");
    alone.completed_at = Some(alone.placed_at);
    assert_eq!(found(&alone, &paid("15.00"))[0].0, "UNDERPAID#");
    alone.cancelled = true;
    assert_eq!(
        found(&alone, &paid("15.00"))[0].0,
        "OVERPAID#",
        "money is kept of a cancelled order"
    );
}

#[test]
fn amb_23_a_difference_closes_by_itself_once_the_facts_agree_and_comes_back_with_its_first_date() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let key = DiscrepancyKey::about(DiscrepancyKind::ComponentDiffers, "tax");
    let differs = Differences::from([(key, "tax: 1 and 2".to_owned())]);
    let first = discrepancy_changes(&[], &differs, at("2026-03-09T00:00:00Z"));
    assert_eq!(first[0].now.due_at(), at("2026-03-11T00:00:00Z"));
    let open = first[0].now.clone();
    assert_eq!(discrepancy_changes(&[open.clone()], &differs, at("2026-03-10T00:00:00Z")), []);
    let over = discrepancy_changes(&[open], &Differences::new(), at("2026-03-10T00:00:00Z"));
    assert!(!over[0].now.stands());
    let closed = over[0].now.clone();
    let back = discrepancy_changes(&[closed], &differs, at("2026-03-12T00:00:00Z"));
    assert_eq!(back[0].now.detected_at, at("2026-03-09T00:00:00Z"));
    assert_eq!(back[0].now.due_at(), at("2026-03-14T00:00:00Z"));

    let of_others = DiscrepancyKey::about(DiscrepancyKind::FailedPayment, "P-1");
    let of_others = Discrepancy::found(of_others, "failed".to_owned(), at("2026-03-09T00:00:00Z"));
    assert_eq!(
        discrepancy_changes(&[of_others], &Differences::new(), at("2026-03-10T00:00:00Z")),
        []
    );
}
