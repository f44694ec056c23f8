//! Money in Xero that a person has called the same as a payment, and that is deleted there (A8.3): the payment is the
//! business's own money, so that it goes up once, wherever that money stood. Money is counted at the simulator.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use payments::XeroContactId;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreditKind, Effect, Fault, NewBatchPayment, NewCredit, NewPayment};

use crate::samples::{Paid, bpay, pay_now};
use crate::world::{World, evening, march};

/// The subjects of what is open about a contact.
async fn open(world: &World, contact: Uuid) -> Vec<String> {
    let contact = XeroContactId::new(contact);
    let known = world.tables.contact_discrepancies(world.organisation(), contact).await.unwrap();
    known.into_iter().filter(|found| found.is_open()).map(|found| found.key.subject).collect()
}

async fn stands(world: &World, payment: &str) -> (&'static str, String) {
    let row = world.row(payment).await;
    (row.state.code(), row.reason)
}

fn enter(world: &World, invoice: Uuid, cents: i64) -> Uuid {
    let amount = Decimal::new(cents, 2);
    let payment = NewPayment { date: march(2), amount, reference: "by hand".into() };
    world.simulator.add_payment(invoice, payment).unwrap()
}

/// Where money may stand that a person has entered in Xero.
#[derive(Clone, Copy, Debug)]
enum Place {
    OurInvoice,
    ForeignInvoice,
    Prepayment,
    Overpayment,
    Batch,
}

const PLACES: [Place; 5] =
    [Place::OurInvoice, Place::ForeignInvoice, Place::Prepayment, Place::Overpayment, Place::Batch];

impl Place {
    /// A person enters 70.00 there: by what it is known.
    fn enter(self, world: &World, contact: Uuid) -> Uuid {
        let (date, amount) = (march(2), Decimal::new(70_00, 2));
        let credit = |kind| {
            let credit = NewCredit { kind, amount, date, reference: "by hand".into() };
            world.simulator.add_credit(contact, credit).unwrap()
        };
        match self {
            Self::OurInvoice => {
                enter(world, world.invoice(contact, "CM-701", 900_00, march(1)), 70_00)
            }
            Self::ForeignInvoice => {
                enter(world, world.invoice(contact, "INV-77", 900_00, march(1)), 70_00)
            }
            Self::Prepayment => credit(CreditKind::Prepayment),
            Self::Overpayment => credit(CreditKind::Overpayment),
            Self::Batch => {
                let invoices = ["INV-78", "INV-79"];
                let invoices =
                    invoices.map(|number| world.invoice(contact, number, 900_00, march(1)));
                let other = Decimal::new(11_00, 2);
                let batch = NewBatchPayment {
                    date,
                    reference: "by hand".into(),
                    payments: vec![(invoices[0], amount), (invoices[1], other)],
                };
                world.simulator.add_batch_payment(world.tenant, batch).unwrap()
            }
        }
    }

    fn delete(self, world: &World, id: Uuid) {
        match self {
            Self::OurInvoice | Self::ForeignInvoice => world.simulator.delete_payment(id).unwrap(),
            Self::Prepayment | Self::Overpayment => world.simulator.void_credit(id).unwrap(),
            Self::Batch => world.simulator.delete_batch_payment(id).unwrap(),
        }
    }
}

#[tokio::test]
async fn a8_3_a_payment_goes_up_once_when_the_money_that_is_the_same_is_deleted_wherever_it_stood()
{
    for place in PLACES {
        let world = World::new().await;
        let contact = world.customer("K").await;
        let by_hand = place.enter(&world, contact);
        world.pay(bpay("P-1", "K", 70_00, march(1))).await;
        world.night(evening()).await;
        assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE", "{place:?}");
        world.order("P-1", "same_payment").await.unwrap();
        for _ in 0..3 {
            world.next_night().await;
        }
        let same = ("skipped", "already_in_xero".to_owned());
        assert_eq!((stands(&world, "P-1").await, world.in_xero().len()), (same, 0), "{place:?}");

        place.delete(&world, by_hand);
        world.next_night().await;

        assert_eq!(world.state("P-1").await, "uploaded", "{place:?}");
        world.next_night().await;
        assert_eq!(world.in_xero().len(), 1, "{place:?}");
        assert_eq!(open(&world, contact).await, [""; 0], "{place:?}");
        world.check().await;
    }
}

#[tokio::test]
async fn a8_3_what_is_deleted_before_a_person_has_called_it_the_same_counts_as_well() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let by_hand = Place::ForeignInvoice.enter(&world, contact);
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    world.night(evening()).await;
    // Earlier pairs have been looked after for long.
    world.tables.saw_same_money(world.organisation(), world.now()).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(2));
    world.simulator.delete_payment(by_hand).unwrap();
    world.clock.advance(SignedDuration::from_hours(20));
    world.order("P-1", "same_payment").await.unwrap();

    world.next_night().await;

    assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 1));
}

#[tokio::test]
async fn a8_3_a_payment_posted_at_once_goes_up_when_the_money_that_is_the_same_is_deleted() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-1", 70_00, march(1));
    let by_hand = enter(&world, invoice, 70_00);
    world.pay(Paid { date: march(1), ..pay_now("P-1", "1", 70_00) }).await;
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    world.invoke(event).await.unwrap();
    assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE");
    world.order("P-1", "same_payment").await.unwrap();
    world.next_night().await;
    assert_eq!(world.state("P-1").await, "skipped");

    world.simulator.delete_payment(by_hand).unwrap();
    world.next_night().await;

    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), world.in_xero().len()), ("uploaded", 1), "{row:?}");
}

#[tokio::test]
async fn a8_3_while_some_of_the_money_that_is_the_same_stands_a_person_is_asked_again() {
    for answer in ["same_payment", "two_payments"] {
        let world = World::new().await;
        let contact = world.customer("K").await;
        let invoice = world.invoice(contact, "INV-5", 900_00, march(1));
        let (first, second) = (enter(&world, invoice, 50_00), enter(&world, invoice, 70_00));
        world.pay(bpay("P-1", "K", 120_00, march(1))).await;
        world.night(evening()).await;
        world.order("P-1", "same_payment").await.unwrap();
        world.next_night().await;
        assert_eq!(world.state("P-1").await, "skipped");

        world.simulator.delete_payment(second).unwrap();
        // A payment of as much as is left is another one, and goes.
        world.pay(bpay("P-2", "K", 50_00, march(2))).await;
        world.next_night().await;

        let row = world.row("P-1").await;
        assert_eq!(
            (row.reason.as_str(), open(&world, contact).await.as_slice()),
            ("POSSIBLE_DUPLICATE", &["P-1".to_owned()][..])
        );
        assert!(row.why.contains("50.00") && row.why.contains("a person has said"), "{}", row.why);
        assert_eq!(world.state("P-2").await, "uploaded");
        world.order("P-1", answer).await.unwrap();
        world.next_night().await;
        let went = usize::from(answer == "two_payments");
        assert_eq!(world.in_xero().len(), 1 + went, "{answer}");

        world.simulator.delete_payment(first).unwrap();
        world.next_night().await;
        assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 2), "{answer}");
    }
}

#[tokio::test]
async fn a8_3_a_part_that_is_the_same_as_money_on_another_day_goes_when_that_is_deleted() {
    // A payment over two invoices is linked with nothing: one part is certain, and the other a person's word.
    let world = World::new().await;
    let contact = world.customer("K").await;
    let one = world.invoice(contact, "CM-1", 50_00, march(1));
    let two = world.invoice(contact, "CM-2", 70_00, march(1));
    let named = vec![("1", 50_00), ("2", 70_00)];
    let paid = Paid { on: named, ..bpay("P-1", "K", 120_00, march(2)) };
    let certain = enter(&world, one, 50_00);
    let payment =
        NewPayment { date: march(4), amount: Decimal::new(70_00, 2), reference: "by hand".into() };
    let possible = world.simulator.add_payment(two, payment).unwrap();
    world.pay(paid).await;
    world.night(evening()).await;
    world.order("P-1", "same_payment").await.unwrap();
    world.next_night().await;
    assert_eq!(world.state("P-1").await, "skipped");

    world.simulator.delete_payment(possible).unwrap();
    world.next_night().await;
    assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE", "one part of it stands");
    world.simulator.delete_payment(certain).unwrap();
    world.next_night().await;
    assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 2));
}

#[tokio::test]
async fn a8_3_a_pair_of_a_payment_that_went_up_ends_when_the_other_one_is_deleted() {
    for place in PLACES {
        let world = World::new().await;
        let contact = world.customer("K").await;
        world.invoice(contact, "CM-1", 70_00, march(1));
        world.pay(bpay("P-1", "K", 70_00, march(1))).await;
        world.night(evening()).await;
        let by_hand = place.enter(&world, contact);
        world.next_night().await;
        assert_eq!(open(&world, contact).await.len(), 1, "{place:?}");
        world.next_night().await;
        assert_eq!(open(&world, contact).await.len(), 1, "{place:?}: no act of ours closes it");

        place.delete(&world, by_hand);
        world.next_night().await;

        assert_eq!(open(&world, contact).await, [""; 0], "{place:?}: the facts agree");
        assert_eq!(world.in_xero().len(), 1, "{place:?}");
    }
}

/// What the next night reads of Xero.
async fn reads(world: &World) -> Vec<String> {
    world.xero.take_calls();
    world.next_night().await;
    let calls = world.xero.take_calls().into_iter();
    calls.filter(|call| call.starts_with("GET")).collect()
}

#[tokio::test]
async fn looking_for_what_was_deleted_costs_three_calls_a_night_however_many_pairs_there_are() {
    // Rules A8.3, N3.
    let mut nights = Vec::new();
    for pairs in [0, 1, 12] {
        let world = World::new().await;
        for n in 0..pairs {
            let customer = format!("K-{n}");
            let contact = world.customer(&customer).await;
            Place::Prepayment.enter(&world, contact);
            world.pay(bpay(&format!("P-{n}"), &customer, 70_00, march(1))).await;
        }
        world.night(evening()).await;
        for n in 0..pairs {
            world.order(&format!("P-{n}"), "same_payment").await.unwrap();
        }
        world.next_night().await;
        nights.push(reads(&world).await.len());
    }
    assert_eq!(nights, [0, 3, 3]);
}

#[tokio::test]
async fn a_read_that_fails_holds_no_payment_up_and_is_made_again() {
    // AMB-30, N5
    let world = World::new().await;
    let contact = world.customer("K").await;
    let by_hand = Place::Overpayment.enter(&world, contact);
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    world.night(evening()).await;
    world.order("P-1", "same_payment").await.unwrap();
    world.next_night().await;
    world.simulator.void_credit(by_hand).unwrap();
    world.pay(pay_now("P-2", "2", 20_00)).await;
    world.invoice(contact, "CM-2", 20_00, march(1));
    let trouble = Effect::Status { status: 500, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Overpayments", trouble));

    world.next_night().await;

    assert_eq!((world.state("P-2").await, world.state("P-1").await), ("uploaded", "skipped"));
    world.simulator.clear_faults();
    world.next_night().await;
    assert_eq!(world.state("P-1").await, "uploaded");
}

#[tokio::test]
async fn a_pair_that_was_written_before_pairs_had_a_line_of_their_own_is_found_as_well() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let by_hand = Place::ForeignInvoice.enter(&world, contact);
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    world.night(evening()).await;
    world.order("P-1", "same_payment").await.unwrap();
    let line = format!("{}/skipped", world.tenant);
    let update = world.direct.update_item().table_name("uploads");
    let update = update.key("organisation", AttributeValue::S(world.tenant.to_string()));
    let update = update.key("payment_id", AttributeValue::S("P-1".to_owned()));
    let update = update.update_expression("SET line = :line");
    update.expression_attribute_values(":line", AttributeValue::S(line)).send().await.unwrap();
    let update = world.direct.update_item().table_name("connections");
    let update = update.key("organisation", AttributeValue::S(world.tenant.to_string()));
    update.update_expression("REMOVE same_money_seen_until").send().await.unwrap();
    world.next_night().await;
    assert_eq!(world.state("P-1").await, "skipped");

    world.simulator.delete_payment(by_hand).unwrap();
    world.next_night().await;

    assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 1));
}

#[tokio::test]
async fn amb_30_a_row_of_xero_that_cannot_be_read_is_named_and_hides_no_other() {
    let world = World::new().await;
    let mut by_hand = Vec::new();
    for n in [1, 2] {
        let customer = format!("K-{n}");
        let contact = world.customer(&customer).await;
        by_hand.push(Place::Prepayment.enter(&world, contact));
        world.pay(bpay(&format!("P-{n}"), &customer, 70_00, march(1))).await;
    }
    world.night(evening()).await;
    for payment in ["P-1", "P-2"] {
        world.order(payment, "same_payment").await.unwrap();
    }
    world.next_night().await;
    for id in &by_hand {
        world.simulator.void_credit(*id).unwrap();
    }
    let spoilt = by_hand[0].to_string();
    world.xero.spoil(move |path, body| {
        if !path.contains("/Prepayments") {
            return body;
        }
        let mut whole: serde_json::Value = serde_json::from_str(&body).unwrap();
        for row in whole["Prepayments"].as_array_mut().unwrap() {
            if row["PrepaymentID"] == spoilt.as_str() {
                row["Status"] = json!(7);
            }
        }
        whole.to_string()
    });

    world.next_night().await;

    assert_eq!((world.state("P-2").await, world.state("P-1").await), ("uploaded", "skipped"));
    let messages = world.rows("messages").await;
    let named = messages.iter().filter(|row| row["why"].contains("Status"));
    assert!(named.count() == 1, "{messages:#?}");
    world.xero.spoil(|_, body| body);
    world.next_night().await;
    assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 2));
}
