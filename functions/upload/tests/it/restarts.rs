//! Stopped work starts again by itself: nothing waits for the next night because a timer was shorter than a guard,
//! and nothing hangs on one message of the queue (EX-01, EX-28, N3).

use harness::dynamodb::Row;
use harness::{FlakyChanges, log_capture};
use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::{
    ActionKind, ContactRecord, ContactSync, Customer, Night, NightReport, NightState, SendMode,
    Target, XeroContact,
};
use payments::{Change, StoredInvoice, XeroContactId, XeroInvoiceId};
use serde_json::{Value, json};
use table::{ChangeContext, StoredContact};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, LimitProblem, LockDates};

use crate::samples::pay_now;
use crate::world::{World, evening, march};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A world whose night is over, with a payment that is to be posted at once.
async fn after_the_night() -> World {
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.night(evening()).await;
    world.clock.advance(MINUTE);
    world.pay(pay_now("P-1", "1", 100_00)).await;
    world
}

async fn wake(world: &World) -> Value {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    world.invoke(event).await.unwrap()
}

/// The hourly look, and nothing of what it leaves to the queue.
async fn look_and_lose_tasks(world: &World) {
    world.invoke(json!({"catch_up": true})).await.unwrap();
    world.tasks.take();
}

fn turned_away(retry_after: Option<i64>) -> Fault {
    let problem =
        if retry_after.is_some() { LimitProblem::Minute } else { LimitProblem::Concurrent };
    Fault::on("PUT", "/Payments", Effect::RateLimit { problem, retry_after }).times(1)
}

#[tokio::test]
async fn a_post_that_was_turned_away_goes_as_soon_as_xero_allows_it() {
    for retry_after in [Some(3), None] {
        let world = after_the_night().await;
        world.simulator.inject(turned_away(retry_after));

        wake(&world).await;
        assert_eq!(world.state("P-1").await, "waiting", "no run has it in hand");
        let attempts = world.tables.caps(world.organisation()).await.unwrap();
        assert_eq!(attempts.attempts(world.now()), 0, "what was not sent was no attempt");
        world.work_off_tasks().await;

        assert_eq!(world.state("P-1").await, "uploaded");
        let took = world.now().duration_since(evening() + MINUTE);
        assert!(took <= MINUTE * 2, "{took:?}");
        world.check().await;
    }
}

#[tokio::test]
async fn a_post_goes_within_the_hour_although_its_message_is_lost_and_the_night_is_over() {
    let world = after_the_night().await;
    world.simulator.inject(turned_away(Some(3)));
    wake(&world).await;
    world.tasks.take();

    world.clock.advance(HOUR);
    look_and_lose_tasks(&world).await;

    assert_eq!(world.state("P-1").await, "uploaded");
    world.check().await;
}

#[tokio::test]
async fn a_post_whose_message_was_never_delivered_goes_within_the_hour() {
    let world = after_the_night().await;
    look_and_lose_tasks(&world).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    // With nothing to do, the look asks only whether a prepayment was deleted.
    world.xero.take_calls();
    look_and_lose_tasks(&world).await;
    let mut calls = world.xero.take_calls();
    calls.retain(|call| !call.ends_with("/connect/token"));
    assert_eq!(calls, ["GET /api.xro/2.0/BankTransactions"]);
}

#[tokio::test]
async fn a_post_goes_within_the_hour_after_xero_has_let_us_in_again() {
    // Turned away when it is sent, and when its invoice is read.
    for method in ["PUT", "GET"] {
        let world = after_the_night().await;
        let effect = Effect::Status { status: 403, headers: Vec::new(), body: String::new() };
        world.simulator.inject(Fault::on(method, "", effect));
        wake(&world).await;
        world.tasks.take();
        for _ in 0..3 {
            world.clock.advance(HOUR);
            look_and_lose_tasks(&world).await;
            assert_eq!(world.state("P-1").await, "waiting");
        }

        world.simulator.clear_faults();
        world.clock.advance(HOUR);
        look_and_lose_tasks(&world).await;

        assert_eq!(world.state("P-1").await, "uploaded", "{method}");
        world.check().await;
    }
}

#[tokio::test]
async fn an_unknown_post_is_looked_for_although_every_message_is_lost() {
    let world = after_the_night().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));
    wake(&world).await;
    world.tasks.take();
    assert_eq!(world.state("P-1").await, "unknown");

    world.clock.advance(HOUR);
    look_and_lose_tasks(&world).await;

    assert_eq!(world.state("P-1").await, "uploaded");
    world.check().await;
}

/// Another invocation has reserved the payment, and ended.
async fn in_another_hand(world: &World) {
    reserve(world, "P-1", "2026-03-02".parse().unwrap(), SendMode::Direct).await;
}

async fn reserve(world: &World, payment: &str, night: Night, sending: SendMode) {
    let before = world.row(payment).await;
    let mut after = before.clone();
    let target = Target::Prepayment { contact: XeroContactId::new(uuid::Uuid::from_u128(1)) };
    after.reserve(night, vec![(target, before.receipt.amount)], world.now()).unwrap();
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    let granted = caps.reserve(1, sending, 200, world.now()).caps.unwrap();
    let because = table::ChangeContext { cause: "upload", event_at: None, now: world.now() };
    let rows = [(Some(&before), &after)];
    world.tables.write_uploads(&rows, Some((&caps, &granted)), because).await.unwrap();
}

#[tokio::test]
async fn what_another_run_may_have_in_hand_is_asked_for_when_that_is_over() {
    let world = after_the_night().await;
    in_another_hand(&world).await;

    world.clock.advance(MINUTE);
    wake(&world).await;
    assert_eq!(world.state("P-1").await, "reserved", "it is left to the other one");
    world.work_off_tasks().await;

    assert_eq!(world.state("P-1").await, "uploaded");
    assert!(world.now().duration_since(evening()) <= MINUTE * 10);
    world.check().await;
}

#[tokio::test]
async fn a_night_that_passes_over_a_post_asks_for_it_as_well() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.pay(pay_now("P-1", "1", 100_00)).await;
    in_another_hand(&world).await;

    let night = world.night(evening()).await;
    assert_eq!(night["outcome"], "finished");
    assert_eq!(world.state("P-1").await, "reserved");
    world.work_off_tasks().await;

    assert_eq!(world.state("P-1").await, "uploaded");
    world.check().await;
}

#[tokio::test]
async fn a_post_goes_within_the_hour_after_its_period_was_unlocked() {
    let world = after_the_night().await;
    let lock = |day| LockDates { period_lock_date: day, end_of_year_lock_date: None };
    world.simulator.set_lock_dates(world.tenant, lock(Some(march(3)))).unwrap();
    wake(&world).await;
    assert_eq!(world.row("P-1").await.reason, "LOCKED_PERIOD");

    world.simulator.set_lock_dates(world.tenant, lock(None)).unwrap();
    world.clock.advance(HOUR);
    look_and_lose_tasks(&world).await;

    assert_eq!(world.state("P-1").await, "uploaded");
}

#[tokio::test]
async fn a_solved_action_lets_the_posts_of_its_customer_go_at_once() {
    // EX-28
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    let block = |blocked: bool| {
        json!({"organisation": world.organisation(), "customer": "K", "block": blocked,
            "by": "Wilma", "why": "two contacts of this name"})
    };
    world.invoke(block(true)).await.unwrap();
    let mut paid = pay_now("P-1", "1", 100_00);
    paid.customer = Some("K".to_owned());
    world.pay(paid).await;
    wake(&world).await;
    assert_eq!(world.row("P-1").await.reason, "BLOCKED_BY_ACTION");

    world.invoke(block(false)).await.unwrap();
    world.work_off_tasks().await;

    assert_eq!(world.state("P-1").await, "uploaded");
}

/// An invoice that the mirror holds back for an action about this customer.
async fn held_back(world: &World, number: u128, customer: &str) {
    let name = (50_000 + number).to_string().parse().unwrap();
    let before = StoredInvoice::unknown(world.organisation(), name);
    let mut after = before.clone();
    after.customer = Some(customer.parse().unwrap());
    after.held_back = true;
    after.xero = Some(world.facts(XeroInvoiceId::new(Uuid::from_u128(number))));
    let change = Change { after, tombstones: vec![], decisions: vec![] };
    let because = ChangeContext { cause: "webhook", event_at: None, now: world.now() };
    world.tables.write_invoice(&before, &change, because).await.unwrap();
}

/// A customer about which the sync has opened an action that lists this contact.
async fn with_candidate(world: &World, id: &str) -> Uuid {
    let contact = world.customer(id).await;
    let known = world.tables.customer(world.organisation(), &id.parse().unwrap()).await.unwrap();
    let candidate = XeroContactId::new(contact);
    let sync = ContactSync {
        action: Some(ActionKind::SeveralContacts),
        candidates: vec![candidate],
        ..ContactSync::default()
    };
    let blocked = Customer {
        contact: None,
        blocked: Some("2 contacts in Xero have its name".to_owned()),
        blocked_at: Some(world.now()),
        sync,
        ..known.clone().unwrap()
    };
    world.tables.store_customer(known.as_ref(), &blocked, None, world.now()).await.unwrap();
    let contact_of = |is_active| StoredContact {
        record: ContactRecord {
            contact: XeroContact { id: candidate, name: None, is_active, merged_into: None },
            account_number: None,
            email: None,
            is_customer: true,
            is_supplier: false,
        },
        is_unknown: false,
        credit: Default::default(),
    };
    world.tables.store_contacts(world.organisation(), &[contact_of(true)]).await.unwrap();
    contact
}

async fn pick(
    world: &World,
    changes: &FlakyChanges,
    contact: Uuid,
) -> Result<serde_json::Value, String> {
    let event = json!({
        "command": {"pick_contact": {
            "organisation": world.organisation(), "customer": "K", "contact": contact}},
        "attribution": {"by": "Wilma", "reason": "asked them"}});
    let operations = world.operations(changes.clone());
    let reply = operations.handle(&event, world.now() + MINUTE).await;
    reply.map(|reply| serde_json::to_value(reply).unwrap()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn ex_38_a_picked_contact_lets_five_hundred_payments_go_on_each_way_within_a_minute() {
    let world = World::new().await;
    let contact = with_candidate(&world, "K").await;
    for n in 1..=500_u128 {
        world.invoice(contact, &format!("CM-{n}"), 1_00, date(2026, 1, 1));
        let mut paid = pay_now(&format!("P-{n}"), n.to_string().leak(), 1_00);
        paid.customer = Some("K".to_owned());
        world.pay(paid).await;
        held_back(&world, n, "K").await;
    }
    wake(&world).await;
    world.work_off_tasks().await;
    let waits = |row: &Row| row["reason"] == "BLOCKED_BY_ACTION";
    assert!(world.rows("uploads").await.iter().all(waits));
    // What waits is no candidate's that nothing is known of.
    let changes = FlakyChanges::default();
    let refused = pick(&world, &changes, Uuid::from_u128(4)).await.unwrap_err();
    assert!(refused.contains("none of those"), "{refused}");

    let before = world.now();
    let reply = pick(&world, &changes, contact).await.unwrap();
    assert_eq!((&reply["changed"], &reply["was_blocked"]), (&json!(true), &json!(true)));
    let asked: usize = changes.recorded.take().iter().map(invoices_of).sum();
    assert_eq!(asked, 500, "inbound: all of them are read again");
    world.work_off_tasks().await;

    assert!(world.rows("uploads").await.iter().all(|row| row["state"] == "uploaded"));
    assert_eq!(world.simulator.organisation(world.tenant).unwrap().payments.len(), 500);
    let took = world.now().duration_since(before);
    assert!(took <= MINUTE, "{took:?}");
    let again = pick(&world, &changes, contact).await.unwrap();
    assert_eq!(again["changed"], json!(false));
}

fn invoices_of(message: &queue::Message) -> usize {
    match message {
        queue::Message::Invoices(changes) => changes.invoices.len(),
        other => panic!("{other:?}"),
    }
}

/// The night is over for its row, and what it has sent is unknown: so it is where the index lagged, and did not show
/// the night's run what it had just written.
async fn finished_too_early(world: &World) {
    world.bpay_payments(3).await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));
    let night = world.night(evening()).await;
    assert_eq!(night["outcome"], "waiting_for_proof");
    world.tasks.take();
    let report = world.tables.nights(world.organisation(), 1).await.unwrap().remove(0);
    let over = NightReport { state: NightState::Finished, ..report };
    world.tables.store_night(&over).await.unwrap();
}

#[tokio::test]
async fn a_finished_night_that_has_left_something_is_gone_on_with_within_the_hour() {
    let world = World::new().await;
    finished_too_early(&world).await;

    world.clock.advance(HOUR);
    look_and_lose_tasks(&world).await;

    for payment in ["P-0001", "P-0002", "P-0003"] {
        assert_eq!(world.state(payment).await, "uploaded");
    }
    let again = world.night(evening()).await;
    assert_eq!(again["outcome"], "already_run");
    world.check().await;
}

#[tokio::test]
async fn a_night_that_was_not_over_at_noon_is_gone_on_with_before_the_next_one() {
    let world = World::new().await;
    finished_too_early(&world).await;

    world.clock.advance(HOUR * 15);
    let looked = world.invoke(json!({"catch_up": true})).await.unwrap();

    assert_eq!(looked["nights"][0]["night"], "2026-03-02", "{looked}");
    assert_eq!(world.state("P-0001").await, "uploaded");
    world.check().await;
}

#[tokio::test]
async fn what_is_reserved_and_stands_still_is_counted_with_the_unknown() {
    // In the afternoon, when no night is due that would take it up.
    let world = World::new().await;
    world.clock.advance(HOUR * 15);
    world.bpay_payments(1).await;
    let night = "2026-03-03".parse().unwrap();
    reserve(&world, "P-0001", night, SendMode::Nightly(night)).await;
    world.clock.advance(HOUR + MINUTE);

    log_capture::start();
    look_and_lose_tasks(&world).await;

    let heard = log_capture::take();
    let line = heard.lines().rfind(|line| line.contains("upload done")).unwrap();
    let said = serde_json::from_str::<Value>(line).unwrap()["fields"].clone();
    assert_eq!(said["payments.unknown_too_long"], json!(1), "{said}");
}
