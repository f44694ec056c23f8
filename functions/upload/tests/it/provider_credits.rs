//! Credit invoices of the payment provider: credit notes, each of them once, and applied to bills by themselves
//! (EX-15a to EX-18).

use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreatedKind, CreditDocument, Effect, Fault, NewSupplierCredit, Oddities};

use crate::world::{World, aud, evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub async fn wake(world: &World) {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    let answer = world.invoke(event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
}

async fn night(world: &World, later: i32) {
    let at = evening() + DAY * later;
    world.clock.set(world.now().max(at));
    assert_eq!(world.night(at).await["outcome"], "finished");
}

/// The credit notes that calls have created, in their order.
fn notes(world: &World) -> Vec<CreditDocument> {
    let created = world.simulator.meter(world.tenant).created;
    let notes = created.iter().filter(|created| created.kind == CreatedKind::CreditNote);
    notes.map(|note| world.simulator.credit(note.id).unwrap()).collect()
}

/// The bills that calls have created: what was credited of each, by any hand, and what is due.
fn bills(world: &World) -> Vec<(Decimal, Decimal)> {
    let created = world.simulator.meter(world.tenant).created;
    let bills = created.iter().filter(|created| created.kind == CreatedKind::Bill);
    let bills = bills.map(|bill| world.simulator.invoice(bill.id).unwrap());
    bills.map(|bill| (bill.amount_credited, bill.amount_due)).collect()
}

fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

async fn state_and_reason(world: &World, id: &str) -> (String, String) {
    let row = world.row(id).await;
    (row.state.to_string(), row.reason)
}

fn says(state: &str, reason: &str) -> (String, String) {
    (state.to_owned(), reason.to_owned())
}

fn calls(world: &World) -> u64 {
    world.simulator.meter(world.tenant).calls
}

/// The kinds of what is open about contacts, and about what.
async fn open_discrepancies(world: &World) -> Vec<String> {
    let rows = world.rows("discrepancies").await;
    let open = rows.iter().filter(|row| row.contains_key("open_in"));
    open.map(|row| row["discrepancy"].clone()).collect()
}

/// The provider is known, and one bill of 30.00 is in Xero.
pub async fn one_bill() -> (World, Uuid) {
    let world = World::new().await;
    let contact = world.provider(&["processing"]).await;
    world.provider_invoice("F-1", &[("processing", 30_00)]).await;
    wake(&world).await;
    (world, contact)
}

#[tokio::test]
async fn a_credit_invoice_is_a_credit_note_and_is_applied_to_its_bill() {
    // EX-15a
    let (world, contact) = one_bill().await;
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;

    wake(&world).await;

    let written = notes(&world);
    let [note] = &written[..] else { panic!("{written:?}") };
    assert!(note.of_supplier && note.contact == contact);
    assert!(note.number.starts_with("CR C-1 PM-"), "{}", note.number);
    assert_eq!((note.total, note.remaining(), note.status()), (cents(20_00), cents(0), "PAID"));
    assert_eq!(bills(&world), [(cents(20_00), cents(10_00))]);
    assert_eq!(state_and_reason(&world, "provider-credit-C-1").await, says("uploaded", "in_xero"));
    assert_eq!(
        state_and_reason(&world, "provider-allocation-C-1-1").await,
        says("uploaded", "in_xero")
    );
    world.check().await;

    // Nothing is left, and nothing is asked of Xero about it any more.
    night(&world, 0).await;
    night(&world, 1).await;
    let before = calls(&world);
    night(&world, 2).await;
    assert!(calls(&world) <= before + 1, "{} calls", calls(&world) - before);
    assert!(open_discrepancies(&world).await.is_empty());
    assert_eq!((notes(&world).len(), world.allocations().len()), (1, 1));
}

#[tokio::test]
async fn what_is_left_goes_to_the_next_bills_by_itself() {
    // EX-16, EX-17
    let (world, _) = one_bill().await;
    world.provider_credit("C-1", 50_00, &[("F-1", 5_00)]).await;
    wake(&world).await;
    assert_eq!(bills(&world), [(cents(5_00), cents(25_00))], "no more than the provider says");
    assert_eq!(notes(&world)[0].remaining(), cents(45_00), "the rest waits for the next bill");

    for (id, fee) in [("F-2", 30_00), ("F-3", 90_00)] {
        world.provider_invoice(id, &[("processing", fee)]).await;
        wake(&world).await;
    }

    let expected = [(5_00, 25_00), (30_00, 0), (15_00, 75_00)];
    assert_eq!(bills(&world), expected.map(|(credited, due)| (cents(credited), cents(due))));
    assert_eq!((notes(&world)[0].status(), world.allocations().len()), ("PAID", 3));
    world.check().await;
}

#[tokio::test]
async fn the_provider_may_say_later_what_a_credit_is_applied_to() {
    // EX-17: the credit waits in Xero, the bill is issued before it.
    let (world, _) = one_bill().await;
    let day = date(2026, 3, 2);
    world.provider_credit_of("C-1", day, 1, 20_00, &[]).await;
    wake(&world).await;
    assert_eq!(
        bills(&world),
        [(cents(0), cents(30_00))],
        "the remainder goes to the next bill only"
    );

    world.provider_credit_of("C-1", day, 2, 20_00, &[("F-1", 20_00)]).await;
    wake(&world).await;

    assert_eq!(bills(&world), [(cents(20_00), cents(10_00))]);
    assert_eq!(notes(&world).len(), 1);
    world.check().await;
}

#[tokio::test]
async fn before_the_start_date_a_credit_invoice_is_a_line_of_its_bill() {
    // EX-14, EX-15b, AMB-14
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.change(|uploading| uploading.start = "2026-02-15".parse().unwrap()).await;
    let day = |day| date(2026, 2, day);
    world.provider_credit_of("old", day(1), 1, 8_00, &[("F-1", 8_00)]).await;
    world.provider_credit_of("alone", day(1), 1, 9_00, &[]).await;
    world.provider_credit_of("that-day", day(15), 1, 4_00, &[]).await;
    wake(&world).await;
    assert_eq!(
        state_and_reason(&world, "provider-credit-old").await,
        says("held", "WAITS_FOR_BILL")
    );
    let alone = state_and_reason(&world, "provider-credit-alone").await;
    assert_eq!(alone, says("skipped", "before_start_date"));
    let that_day = state_and_reason(&world, "provider-credit-that-day").await;
    assert_eq!(that_day, says("skipped", "on_start_date"));

    world.provider_invoice("F-1", &[("processing", 30_00)]).await;
    wake(&world).await;

    let created = world.simulator.meter(world.tenant).created;
    let bill = world.simulator.invoice(created[0].id).unwrap();
    let lines: Vec<_> =
        bill.lines.iter().map(|line| (line.description.as_str(), line.amount)).collect();
    assert_eq!(lines, [("processing", cents(30_00)), ("processing (credit old)", cents(-8_00))]);
    assert_eq!((bill.total, notes(&world).len()), (cents(22_00), 0));
    assert_eq!(
        state_and_reason(&world, "provider-credit-old").await,
        says("skipped", "line_on_bill")
    );
    world.check().await;

    let release = json!({"organisation": world.organisation(), "payment": "provider-credit-that-day",
        "order": "release", "by": "Ana", "why": "it is of after the connection"});
    world.invoke(release).await.unwrap();
    world.work_off_tasks().await;
    assert_eq!(world.state("provider-credit-that-day").await, "uploaded");
    assert_eq!(
        bills(&world),
        [(cents(4_00), cents(18_00))],
        "and what is left of it goes to the next bill"
    );
}

#[tokio::test]
async fn a_line_that_comes_after_its_bill_is_for_a_person() {
    // EX-15b
    let (world, _) = one_bill().await;
    world.change(|uploading| uploading.start = "2026-02-15".parse().unwrap()).await;
    world.provider_credit_of("old", date(2026, 2, 1), 1, 8_00, &[("F-1", 8_00)]).await;
    wake(&world).await;
    assert_eq!(state_and_reason(&world, "provider-credit-old").await, says("held", "BILL_IN_XERO"));
    assert_eq!(bills(&world), [(cents(0), cents(30_00))]);
}

#[tokio::test]
async fn a_lost_answer_is_read_back_and_nothing_is_there_twice() {
    // U15, X-12, N5
    let paths = ["/CreditNotes", "/CreditNotes/"];
    for path in paths {
        for effect in [Effect::LostAnswer, Effect::Cut, Effect::CutMidAnswer] {
            let (world, _) = one_bill().await;
            world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
            world.simulator.inject(Fault::on("PUT", path, effect.clone()).times(3));
            wake(&world).await;
            let row = if path == "/CreditNotes" {
                "provider-credit-C-1"
            } else {
                "provider-allocation-C-1-1"
            };
            assert_eq!(world.state(row).await, "unknown", "{path} {effect:?}");

            assert!(world.work_off_tasks().await > 0);

            assert_eq!(world.state("provider-credit-C-1").await, "uploaded", "{path} {effect:?}");
            assert_eq!(bills(&world), [(cents(20_00), cents(10_00))], "{path} {effect:?}");
            assert_eq!(
                (notes(&world).len(), world.allocations().len()),
                (1, 1),
                "{path} {effect:?}"
            );
            world.check().await;
        }
    }
}

#[tokio::test]
async fn an_answer_without_an_id_proves_nothing_and_the_note_is_read() {
    // X-12, facts.md 4.6
    let (world, _) = one_bill().await;
    world.simulator.set_oddities(Oddities { allocations_without_ids: true, ..Oddities::default() });
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
    wake(&world).await;
    assert_eq!(world.state("provider-allocation-C-1-1").await, "unknown");

    world.work_off_tasks().await;

    assert_eq!(world.state("provider-allocation-C-1-1").await, "uploaded");
    assert_eq!(world.allocations().len(), 1);
}

#[tokio::test]
async fn a_stale_read_applies_nothing_twice() {
    // FAULT-22, N5
    let (world, _) = one_bill().await;
    world.provider_credit("C-1", 20_00, &[("F-1", 10_00)]).await;
    wake(&world).await;
    world.simulator.inject(Fault::on("GET", "/CreditNotes", Effect::StaleRead).times(3));
    world.clock.advance(SignedDuration::from_mins(1));
    wake(&world).await;
    assert_eq!(bills(&world), [(cents(10_00), cents(20_00))]);
    assert!(open_discrepancies(&world).await.is_empty());
}

#[tokio::test]
async fn what_xero_refuses_waits_for_a_person_and_the_others_go() {
    // A7.3
    let (world, _) = one_bill().await;
    world.provider(&["processing", "chargeback"]).await;
    world
        .change(|uploading| {
            let kind = "processing".parse().unwrap();
            uploading.fee_accounts.get_mut(&kind).unwrap().code = "090".into();
        })
        .await;
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
    world.provider_invoice("F-2", &[("chargeback", 40_00)]).await;
    world.bpay_payments(1).await;

    night(&world, 0).await;

    let refused = world.row("provider-credit-C-1").await;
    assert_eq!(refused.state.code(), "refused");
    assert!(refused.why.contains("Account code '090'"), "{}", refused.why);
    assert_eq!(world.state("provider-invoice-F-2").await, "uploaded");
    assert_eq!(world.state("P-0001").await, "uploaded");
    assert!(notes(&world).is_empty() && world.allocations().is_empty());

    world.provider(&["processing", "chargeback"]).await;
    let release = json!({"organisation": world.organisation(), "payment": "provider-credit-C-1",
        "order": "release", "by": "Ana", "why": "the account is right now"});
    world.invoke(release).await.unwrap();
    world.work_off_tasks().await;
    assert_eq!(bills(&world)[0], (cents(20_00), cents(10_00)));
    world.check().await;
}

#[tokio::test]
async fn a_refused_allocation_parks_its_credit_and_no_other() {
    let (world, _) = one_bill().await;
    let body = json!({"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": "This credit note is on hold"}]}]});
    let refusal = Effect::Status { status: 400, headers: vec![], body: body.to_string() };
    world.simulator.inject(Fault::on("PUT", "/CreditNotes/", refusal).times(1));
    world.provider_credit("C-1", 5_00, &[("F-1", 5_00)]).await;
    world.provider_credit("C-2", 7_00, &[("F-1", 7_00)]).await;

    wake(&world).await;

    let refused = world.row("provider-allocation-C-1-1").await;
    assert_eq!(refused.state.code(), "refused");
    assert!(refused.why.contains("on hold"), "{}", refused.why);
    assert_eq!(bills(&world), [(cents(7_00), cents(23_00))]);
    // Not by itself, but when a person says so.
    night(&world, 0).await;
    assert_eq!(bills(&world), [(cents(7_00), cents(23_00))]);
    let release = json!({"organisation": world.organisation(), "payment": "provider-allocation-C-1-1",
        "order": "release", "by": "Ana", "why": "mended"});
    world.invoke(release).await.unwrap();
    world.work_off_tasks().await;
    assert_eq!(bills(&world), [(cents(12_00), cents(18_00))]);
    assert_eq!(world.allocations().len(), 2);
    world.check().await;
}

#[tokio::test]
async fn what_a_person_has_applied_is_noticed_and_not_doubled() {
    // EX-18, AMB-27
    let (world, _) = one_bill().await;
    world.provider_credit("C-1", 20_00, &[]).await;
    world.change(|uploading| uploading.start = "2026-01-01".parse().unwrap()).await;
    world.simulator.inject(Fault::on("PUT", "/CreditNotes/", Effect::Cut).times(3));
    wake(&world).await;
    // Ours never arrived; a person has applied the same meanwhile.
    let note = notes(&world)[0].id;
    let bill = world.simulator.meter(world.tenant).created[0].id;
    world.simulator.allocate(note, bill, cents(15_00), march(2)).unwrap();

    world.work_off_tasks().await;
    night(&world, 1).await;

    assert_eq!(bills(&world), [(cents(20_00), cents(10_00))], "15.00 by hand, and what is left");
    let open = open_discrepancies(&world).await;
    assert!(open.len() == 1 && open[0].starts_with("CREDIT_APPLIED_BY_HAND#"), "{open:?}");
    let rows = world.rows("discrepancies").await;
    assert!(rows[0]["detail"].contains("applied by hand"), "{:?}", rows[0]);

    // A person takes it back again: the flag goes, and what is left goes to the next bill.
    let by_hand = world.simulator.credit(note).unwrap().allocations;
    let by_hand = by_hand.iter().find(|one| one.amount == cents(15_00)).unwrap().id;
    world.simulator.deallocate(note, by_hand).unwrap();
    night(&world, 2).await;
    assert!(open_discrepancies(&world).await.is_empty());
    assert_eq!(bills(&world), [(cents(20_00), cents(10_00))]);
    world.check().await;
}

#[tokio::test]
async fn a_credit_note_that_a_person_has_entered_is_not_entered_again() {
    // AMB-27
    let (world, contact) = one_bill().await;
    let by_hand = |number: &str, amount| {
        let credit = NewSupplierCredit { number: number.to_owned(), date: march(2), amount };
        world.simulator.add_supplier_credit(contact, credit).unwrap();
    };
    by_hand("CR C-1", cents(20_00));
    by_hand("something", cents(7_00));
    world.provider_credit("C-1", 20_00, &[]).await;
    world.provider_credit("C-2", 7_00, &[]).await;
    world.provider_credit("C-3", 3_00, &[]).await;

    wake(&world).await;

    let first = state_and_reason(&world, "provider-credit-C-1").await;
    assert_eq!(first, says("skipped", "already_in_xero"));
    let second = state_and_reason(&world, "provider-credit-C-2").await;
    assert_eq!(second, says("held", "POSSIBLE_DUPLICATE"));
    assert_eq!(world.state("provider-credit-C-3").await, "uploaded", "the others go");
    let open = open_discrepancies(&world).await;
    assert_eq!(open, ["POSSIBLE_DUPLICATE#provider-credit-C-2"]);

    let two = json!({"organisation": world.organisation(), "payment": "provider-credit-C-2",
        "order": "two_payments", "by": "Ana", "why": "both are real"});
    world.invoke(two).await.unwrap();
    world.work_off_tasks().await;
    assert_eq!(world.state("provider-credit-C-2").await, "uploaded");
    assert_eq!(notes(&world).len(), 2);
    world.check().await;
}

#[tokio::test]
async fn credits_are_neither_slots_nor_attempts() {
    // AMB-10, EX-31, EX-32
    let (world, _) = one_bill().await;
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
    world.bpay_payments(2).await;
    world.change(|uploading| uploading.nightly_max = 2).await;
    night(&world, 0).await;
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!((caps.used_in("2026-03-02".parse().unwrap()), caps.attempts(world.now())), (2, 2));
    assert_eq!(bills(&world), [(cents(20_00), cents(10_00))]);
}

#[tokio::test]
async fn a_permission_that_is_missing_for_credit_notes_keeps_no_payment_back() {
    let (world, _) = one_bill().await;
    let effect = Effect::Status { status: 403, headers: vec![], body: String::new() };
    for method in ["GET", "PUT"] {
        world.simulator.inject(Fault::on(method, "/CreditNotes", effect.clone()).times(100));
    }
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
    world.provider_invoice("F-2", &[("processing", 40_00)]).await;
    world.bpay_payments(2).await;

    night(&world, 0).await;

    assert_eq!(world.state("P-0002").await, "uploaded");
    assert_eq!(world.state("provider-invoice-F-2").await, "uploaded");
    let credit = world.row("provider-credit-C-1").await;
    assert_eq!((credit.state.code(), credit.reason.as_str()), ("held", "CANNOT_BE_SENT"));
    world.simulator.clear_faults();
    night(&world, 1).await;
    assert_eq!(bills(&world)[0], (cents(20_00), cents(10_00)));
}

#[tokio::test]
async fn a_preview_shows_credits_and_sends_none() {
    let (world, _) = one_bill().await;
    world.provider_credit("C-1", 20_00, &[("F-1", 20_00)]).await;
    let answer = world.invoke(json!({"preview": true})).await.unwrap();
    let shown = &answer["previews"][0]["payments"][0];
    assert_eq!(shown["parts"], json!([format!("{} as a credit note", aud(20_00))]));
    assert_eq!(shown["route"], "PROVIDER_CREDIT");
    assert!(notes(&world).is_empty());
}
