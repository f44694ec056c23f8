use super::*;
use crate::upload::Channel;

const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

fn aud(amount: &str) -> Money {
    Money::parse(amount, "AUD".parse().unwrap()).unwrap()
}

fn order(id: &str, total: &str) -> Order {
    let zero = aud("0");
    Order {
        organisation: ORGANISATION.parse().unwrap(),
        id: id.parse().unwrap(),
        revision: 1,
        customer: None,
        placed_at: "2026-03-09T01:00:00Z".parse().unwrap(),
        completed_at: None,
        components: Components {
            goods: aud(total),
            tax: zero,
            shipping: zero,
            discount: zero,
            total: aud(total),
        },
        invoices: BTreeSet::new(),
        payments: BTreeSet::from(["P-1".parse().unwrap()]),
        cancelled: false,
    }
}

fn receipt(id: &str, amount: &str, status: PaymentStatus) -> Receipt {
    Receipt {
        organisation: ORGANISATION.parse().unwrap(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(amount),
        date: "2026-03-09".parse().unwrap(),
        reference: None,
        method: "card".to_owned(),
        channel: None::<Channel>,
        customer: None,
        transaction_id: format!("T-{id}"),
        status,
        approved: false,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: "2026-03-09T02:00:00Z".parse().unwrap(),
        document: None,
    }
}

fn stands(order: &Order, receipts: Vec<Receipt>) -> (&'static str, Option<&'static str>) {
    let facts = OrderFacts { receipts, ..OrderFacts::default() };
    let standing = standing(order, &facts).unwrap();
    (standing.progress.code(), standing.status.map(OrderStatus::code))
}

#[test]
fn sp_07_sp_24_progress_and_status_follow_from_the_payments() {
    use PaymentStatus::{Confirmed, Failed, Pending, Refunded};
    let whole = order("O-1", "100");
    let cancelled = Order { cancelled: true, ..whole.clone() };
    let free = order("O-2", "0");
    let paid = |status, amount| vec![receipt("P-1", amount, status)];
    for (order, receipts, expected) in [
        (&whole, vec![], ("payment_pending", None)),
        (&whole, paid(Pending, "100"), ("payment_pending", None)),
        (&whole, paid(Failed, "100"), ("payment_failed", None)),
        (&whole, paid(Confirmed, "40"), ("payment_partly_received", Some("partially_paid"))),
        (&whole, paid(Confirmed, "100"), ("payment_received", Some("fully_paid"))),
        (&whole, paid(Confirmed, "100.01"), ("payment_received", Some("overpaid"))),
        (&whole, paid(Refunded, "100"), ("payment_received", Some("refunded"))),
        (&whole, paid(Refunded, "40"), ("payment_partly_received", Some("refunded"))),
        (&cancelled, vec![], ("payment_pending", Some("cancelled"))),
        (&cancelled, paid(Confirmed, "1"), ("payment_partly_received", Some("overpaid"))),
        (&cancelled, paid(Refunded, "100"), ("payment_received", Some("refunded"))),
        (&free, vec![], ("payment_received", Some("fully_paid"))),
    ] {
        assert_eq!(stands(order, receipts.clone()), expected, "{receipts:?}");
    }
}

#[test]
fn a_failed_try_does_not_outweigh_one_that_is_on_its_way_or_has_come() {
    use PaymentStatus::{Confirmed, Failed, Pending};
    let mut order = order("O-1", "100");
    order.payments.insert("P-2".parse().unwrap());
    let tries = |second| vec![receipt("P-1", "100", Failed), receipt("P-2", "100", second)];
    assert_eq!(stands(&order, tries(Pending)), ("payment_pending", None));
    assert_eq!(stands(&order, tries(Confirmed)), ("payment_received", Some("fully_paid")));
    assert_eq!(stands(&order, tries(Failed)), ("payment_failed", None));
}

#[test]
fn only_payments_that_the_order_names_count_and_only_in_its_currency() {
    let order = order("O-1", "100");
    let other = vec![receipt("P-9", "100", PaymentStatus::Confirmed)];
    assert_eq!(stands(&order, other), ("payment_pending", None));
    let mut dollars = receipt("P-1", "100", PaymentStatus::Confirmed);
    dollars.amount = Money::parse("100", "USD".parse().unwrap()).unwrap();
    let facts = OrderFacts { receipts: vec![dollars], ..OrderFacts::default() };
    let standing = standing(&order, &facts).unwrap();
    assert!(standing.other_currency && !standing.received.is_positive());
}

fn invoice(number: &str, amounts: &[&str]) -> StoredInvoice {
    let mut invoice =
        StoredInvoice::unknown(ORGANISATION.parse().unwrap(), number.parse().unwrap());
    for (at, amount) in amounts.iter().enumerate() {
        let xero = crate::XeroPayment {
            id: crate::XeroPaymentId::new(uuid::Uuid::from_u128(at.try_into().unwrap())),
            amount: aud(amount),
            date: "2026-03-09".parse().unwrap(),
            reference: None,
            kind: crate::XeroPaymentKind::Received,
            deleted: false,
        };
        let id = format!("I-{at}").parse().unwrap();
        invoice.payments.push(crate::Payment::copy_of(&xero, id, order("O", "1").placed_at));
    }
    invoice
}

#[test]
fn money_on_an_invoice_of_several_orders_is_shared_out_and_none_of_it_is_lost() {
    let named = |id: &str, total: &str, at: &str| Order {
        placed_at: at.parse().unwrap(),
        payments: BTreeSet::new(),
        invoices: BTreeSet::from(["100".parse().unwrap()]),
        ..order(id, total)
    };
    let orders = [
        named("O-2", "60", "2026-03-09T02:00:00Z"),
        named("O-1", "40", "2026-03-09T01:00:00Z"),
        named("O-3", "50", "2026-03-09T03:00:00Z"),
    ];
    for (paid, shares) in [
        (vec!["30"], ["0", "30", "0"]),
        (vec!["30", "50"], ["40", "40", "0"]),
        (vec!["150"], ["60", "40", "50"]),
        (vec!["150", "7"], ["60", "40", "57"]),
    ] {
        let facts = OrderFacts {
            receipts: Vec::new(),
            invoices: vec![invoice("100", &paid)],
            siblings: orders.to_vec(),
        };
        let got = orders.each_ref().map(|order| standing(order, &facts).unwrap().received);
        assert_eq!(got, shares.map(aud), "{paid:?}");
    }
}

#[test]
fn an_order_is_news_once_and_its_revision_means_one_thing() {
    let first = order("O-1", "100");
    let later = Order { revision: 2, ..order("O-1", "90") };
    assert_eq!(is_news(None, &first), Ok(true));
    assert_eq!(is_news(Some(&first), &first), Ok(false));
    assert_eq!(is_news(Some(&later), &first), Ok(false));
    assert_eq!(is_news(Some(&first), &later), Ok(true));
    let other = order("O-1", "90");
    assert_eq!(is_news(Some(&first), &other), Err(Refusal::RevisionReused { revision: 1 }));
}
