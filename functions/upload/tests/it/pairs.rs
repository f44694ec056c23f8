//! Payments that name no invoice and money that another hand has entered on their contact (A8.3, AMB-31): what does
//! not agree stands on the contact, and no pair is asked about twice. Money is counted at the simulator.

use jiff::civil::Date;
use payments::{Discrepancy, DiscrepancyKind, XeroContactId};
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit, NewPayment};

use crate::bad_records::spoil_row;
use crate::samples::bpay;
use crate::world::{World, evening, march};

/// A person enters a payment in Xero.
fn enter(world: &World, invoice: Uuid, cents: i64, day: Date) -> Uuid {
    let payment =
        NewPayment { date: day, amount: Decimal::new(cents, 2), reference: "by hand".into() };
    world.simulator.add_payment(invoice, payment).unwrap()
}

async fn of_contact(world: &World, contact: Uuid) -> Vec<Discrepancy> {
    let contact = XeroContactId::new(contact);
    world.tables.contact_discrepancies(world.organisation(), contact).await.unwrap()
}

/// The subjects of what is open about a contact.
async fn open(world: &World, contact: Uuid) -> Vec<String> {
    let known = of_contact(world, contact).await;
    let open = known.into_iter().filter(Discrepancy::is_open);
    open.map(|found| {
        assert_eq!(found.key.kind, DiscrepancyKind::PossibleDuplicate);
        found.key.subject
    })
    .collect()
}

/// A person accepts what is open about a contact, as the page of discrepancies has it done.
async fn accept(world: &World, contact: Uuid) {
    let said = payments::Attributed { by: Some("Wilma"), why: "they are two" };
    let context = table::WorkContext { cause: "console", said, now: world.now() };
    for found in of_contact(world, contact).await.into_iter().filter(Discrepancy::is_open) {
        let place = table::DiscrepancyPlace {
            organisation: world.organisation(),
            subject: table::DiscrepancySubject::Contact(XeroContactId::new(contact)),
            key: found.key,
        };
        let accept =
            payments::DiscrepancyWork::End { ending: payments::Ending::Accepted, seen: None };
        let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(accept.clone()));
        done.await.unwrap();
    }
}

/// A customer whose invoice a person has paid by hand, and whose equal payment is held for that.
async fn held_for_one_by_hand() -> (World, Uuid, Uuid) {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let paid = world.invoice(contact, "CM-1", 70_00, march(1));
    let by_hand = enter(&world, paid, 70_00, march(2));
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    world.night(evening()).await;
    assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE");
    (world, contact, by_hand)
}

#[tokio::test]
async fn a8_3_a_payment_without_an_invoice_stands_on_its_contact_until_a_person_answers() {
    for answer in ["same_payment", "two_payments"] {
        let (world, contact, by_hand) = held_for_one_by_hand().await;
        let known = of_contact(&world, contact).await;
        let [found] = known.as_slice() else { panic!("{known:?}") };
        for words in ["70.00 AUD of 2026-03-01 is reported as P-1", "on invoice CM-1", "2026-03-02"]
        {
            assert!(found.detail.contains(words), "{words}: {}", found.detail);
        }
        assert!(found.detail.contains(&by_hand.to_string()), "{}", found.detail);
        world.next_night().await;
        assert_eq!(of_contact(&world, contact).await, known, "it is as it was");

        world.order("P-1", answer).await.unwrap();

        assert_eq!(open(&world, contact).await, [""; 0], "{answer}");
        for _ in 0..3 {
            world.next_night().await;
        }
        assert_eq!(open(&world, contact).await, [""; 0], "{answer}: it is not asked again");
        let sent = usize::from(answer == "two_payments");
        assert_eq!(world.in_xero().len(), sent);
    }
}

#[tokio::test]
async fn a8_3_money_that_was_said_to_be_the_same_is_compared_with_no_other_payment() {
    let (world, contact, _) = held_for_one_by_hand().await;
    world.order("P-1", "same_payment").await.unwrap();
    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("skipped", "already_in_xero"));
    // The customer pays as much again, a day later.
    world.pay(bpay("P-2", "K", 70_00, march(3))).await;
    world.next_night().await;
    assert_eq!(world.state("P-2").await, "uploaded");
    assert_eq!(world.in_xero().len(), 1);
    assert_eq!(open(&world, contact).await, [""; 0]);

    // So it is with a prepayment, which stands on no invoice.
    let other = world.customer("L").await;
    let credit = NewCredit {
        kind: CreditKind::Prepayment,
        amount: Decimal::new(33_00, 2),
        date: march(3),
        reference: String::new(),
    };
    world.simulator.add_credit(other, credit).unwrap();
    world.pay(bpay("P-3", "L", 33_00, march(3))).await;
    world.next_night().await;
    assert_eq!(open(&world, other).await, ["P-3"]);
    world.order("P-3", "same_payment").await.unwrap();
    world.pay(bpay("P-4", "L", 33_00, march(4))).await;
    world.next_night().await;
    assert_eq!(world.state("P-4").await, "uploaded");
}

#[tokio::test]
async fn a8_3_what_was_deleted_in_xero_is_no_question_any_more_and_another_one_is() {
    let (world, contact, by_hand) = held_for_one_by_hand().await;
    accept(&world, contact).await;
    world.next_night().await;
    assert_eq!(open(&world, contact).await, [""; 0], "it was accepted, and says the same");
    assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE", "and is held all the same");

    // Another one takes its place: other facts.
    world.simulator.delete_payment(by_hand).unwrap();
    let invoice = world.invoice(contact, "CM-2", 70_00, march(1));
    let again = enter(&world, invoice, 70_00, march(3));
    world.next_night().await;
    assert_eq!(open(&world, contact).await, ["P-1"]);
    let known = of_contact(&world, contact).await;
    assert_eq!(known[0].reopened.map(|reopened| reopened.count), Some(1));

    world.simulator.delete_payment(again).unwrap();
    world.next_night().await;
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(open(&world, contact).await, [""; 0], "the facts agree");
    assert!(of_contact(&world, contact).await[0].resolved_at.is_some());
}

#[tokio::test]
async fn a8_3_what_is_entered_on_another_invoice_after_an_upload_is_flagged_once_for_each_pair() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let first = world.invoice(contact, "CM-1", 70_00, march(1));
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    let stranger = world.customer("L").await;
    world.night(evening()).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(world.simulator.invoice(first).unwrap().payments.len(), 1);

    // Too late, on another contact, too far away, of another amount: none of these.
    let other = world.invoice(contact, "CM-2", 900_00, march(1));
    let strange = world.invoice(stranger, "CM-9", 900_00, march(1));
    enter(&world, strange, 70_00, march(1));
    enter(&world, other, 70_00, march(6));
    enter(&world, other, 71_00, march(2));
    world.next_night().await;
    assert_eq!(open(&world, contact).await, [""; 0]);

    let by_hand = enter(&world, other, 70_00, march(3));
    world.next_night().await;
    let pair = format!("P-1 xero/{by_hand}");
    assert_eq!(open(&world, contact).await, [pair.as_str()]);
    let detail = &of_contact(&world, contact).await[0].detail;
    for words in ["went up as P-1", "on invoice CM-2, of 2026-03-03, 2 days apart"] {
        assert!(detail.contains(words), "{words}: {detail}");
    }
    world.next_night().await;
    assert_eq!(open(&world, contact).await, [pair], "no act of ours closes it");

    accept(&world, contact).await;
    world.next_night().await;
    assert_eq!(open(&world, contact).await, [""; 0], "it is not asked again");
    let second = enter(&world, other, 70_00, march(2));
    world.next_night().await;
    assert_eq!(open(&world, contact).await, [format!("P-1 xero/{second}")]);
    world.check().await;
}

#[tokio::test]
async fn a8_3_what_a_payment_that_waits_is_held_for_is_no_second_question_about_an_upload() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 70_00, march(1));
    world.pay(bpay("P-1", "K", 70_00, march(1))).await;
    world.night(evening()).await;
    let other = world.invoice(contact, "CM-2", 900_00, march(1));
    enter(&world, other, 70_00, march(3));
    world.pay(bpay("P-2", "K", 70_00, march(3))).await;

    world.next_night().await;

    assert_eq!(world.row("P-2").await.reason, "POSSIBLE_DUPLICATE");
    assert_eq!(open(&world, contact).await, ["P-2"]);
}

#[tokio::test]
async fn a8_3_a_payment_whose_row_cannot_be_read_stays_open_and_the_others_go() {
    // AMB-30
    let (world, contact, _) = held_for_one_by_hand().await;
    spoil_row(&world, ("uploads", "payment_id", "P-1"), "amount").await;
    world.customer("L").await;
    world.pay(bpay("P-other", "L", 20_00, march(2))).await;
    world.pay(bpay("P-same-contact", "K", 30_00, march(2))).await;

    world.next_night().await;

    for payment in ["P-other", "P-same-contact"] {
        assert_eq!(world.state(payment).await, "uploaded", "{payment}");
    }
    assert_eq!(open(&world, contact).await, ["P-1"]);
}

/// A person merges a contact into another one, which is its customer's from then on.
fn merge(world: &World, from: Uuid) -> Uuid {
    let name = format!("The survivor of {from}");
    let into = world.simulator.add_contact(world.tenant, &name).unwrap();
    world.simulator.merge_contact(from, into).unwrap();
    into
}

#[tokio::test]
async fn ex_37_a_payment_that_is_held_when_its_contact_is_merged_is_one_question() {
    // A8.3: the question stands where it stood, and ends with the answer or with the facts.
    for end in ["same_payment", "two_payments", "deleted"] {
        let (world, former, by_hand) = held_for_one_by_hand().await;
        let survivor = merge(&world, former);
        world.next_night().await;
        assert_eq!(world.row("P-1").await.reason, "POSSIBLE_DUPLICATE", "{end}");
        assert_eq!(open(&world, former).await, ["P-1"], "{end}");
        assert_eq!(open(&world, survivor).await, [""; 0], "{end}: it is not asked twice");
        // And merged once more.
        let last = merge(&world, survivor);
        world.next_night().await;
        assert_eq!(open(&world, former).await, ["P-1"], "{end}");

        match end {
            "deleted" => {
                world.simulator.delete_payment(by_hand).unwrap();
                world.next_night().await;
            }
            answer => drop(world.order("P-1", answer).await.unwrap()),
        }

        for contact in [former, survivor, last] {
            assert_eq!(open(&world, contact).await, [""; 0], "{end}");
        }
        world.next_night().await;
        let goes = usize::from(end != "same_payment");
        assert_eq!(world.in_xero().len(), goes, "{end}");
    }
}

#[tokio::test]
async fn ex_37_what_was_called_the_same_before_a_merge_is_no_other_payments_afterwards() {
    let (world, former, by_hand) = held_for_one_by_hand().await;
    world.order("P-1", "same_payment").await.unwrap();
    let survivor = merge(&world, former);
    world.pay(bpay("P-2", "K", 70_00, march(3))).await;
    world.next_night().await;
    assert_eq!((world.state("P-2").await, world.in_xero().len()), ("uploaded", 1));
    for contact in [former, survivor] {
        assert_eq!(open(&world, contact).await, [""; 0]);
    }
    // A8.3: its money is deleted, and the payment goes up.
    world.simulator.delete_payment(by_hand).unwrap();
    world.next_night().await;
    assert_eq!((world.state("P-1").await, world.in_xero().len()), ("uploaded", 2));
}

#[tokio::test]
async fn ex_37_a_pair_that_was_flagged_before_two_merges_is_not_flagged_again() {
    for accepted in [true, false] {
        let world = World::new().await;
        let first = world.customer("K").await;
        world.invoice(first, "CM-1", 70_00, march(1));
        let mut contacts = vec![first];
        // The pair is flagged on the contact in the middle.
        world.pay(bpay("P-1", "K", 70_00, march(1))).await;
        world.night(evening()).await;
        contacts.push(merge(&world, first));
        world.invoice(contacts[1], "CM-2", 20_00, march(1));
        world.pay(bpay("P-2", "K", 20_00, march(2))).await;
        world.next_night().await;
        let other = world.invoice(contacts[1], "CM-3", 900_00, march(1));
        let by_hand = enter(&world, other, 70_00, march(2));
        world.next_night().await;
        let pair = format!("P-1 xero/{by_hand}");
        assert_eq!(open(&world, contacts[1]).await, [pair.as_str()]);
        if accepted {
            accept(&world, contacts[1]).await;
        }

        contacts.push(merge(&world, contacts[1]));
        world.invoice(contacts[2], "CM-4", 30_00, march(1));
        world.pay(bpay("P-3", "K", 30_00, march(2))).await;
        world.next_night().await;
        world.next_night().await;

        assert_eq!(world.state("P-3").await, "uploaded");
        let there = if accepted { vec![] } else { vec![pair.clone()] };
        assert_eq!(open(&world, contacts[1]).await, there, "accepted: {accepted}");
        assert_eq!(open(&world, contacts[2]).await, [""; 0], "accepted: {accepted}");
        world.simulator.delete_payment(by_hand).unwrap();
        world.next_night().await;
        assert_eq!(open(&world, contacts[1]).await, [""; 0], "the facts agree");
    }
}

#[tokio::test]
async fn looking_for_what_was_entered_since_costs_three_reads_a_night_for_ten_nights() {
    // Rules A8.3, N3: however much went up, and nothing where nothing did.
    for uploads in [0_usize, 1, 40] {
        let world = World::new().await;
        world.bpay_payments(uploads).await;
        world.night(evening()).await;
        assert_eq!(world.in_xero().len(), uploads);
        for night in 1..=11 {
            world.xero.take_calls();
            world.next_night().await;
            let calls = world.xero.take_calls();
            let reads = calls.iter().filter(|call| call.starts_with("GET")).count();
            let watched = uploads > 0 && night <= 10;
            assert_eq!(reads, if watched { 3 } else { 0 }, "{uploads} in night {night}: {calls:?}");
        }
    }
}

#[tokio::test]
async fn ex_37_what_is_entered_on_the_survivor_is_flagged_although_the_customer_has_not_paid_since()
{
    // A8.3: of a payment on an invoice, and of one in advance.
    for in_advance in [true, false] {
        let world = World::new().await;
        let former = world.customer("K").await;
        if !in_advance {
            world.invoice(former, "CM-1", 70_00, march(1));
        }
        world.pay(bpay("P-1", "K", 70_00, march(1))).await;
        world.night(evening()).await;
        assert_eq!(world.state("P-1").await, "uploaded");
        let survivor = merge(&world, former);
        let other = world.invoice(survivor, "CM-2", 900_00, march(1));
        let by_hand = enter(&world, other, 70_00, march(2));
        for _ in 0..2 {
            world.next_night().await;
            let pair = format!("P-1 xero/{by_hand}");
            assert_eq!(open(&world, survivor).await, [pair], "in advance: {in_advance}");
            assert_eq!(open(&world, former).await, [""; 0]);
        }
        accept(&world, survivor).await;
        world.next_night().await;
        assert_eq!(open(&world, survivor).await, [""; 0], "it is not asked again");
    }
}
