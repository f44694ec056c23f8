//! Invoices of the payment provider: bills of one contact in Xero, each of them once (EX-12 to EX-14, EX-19).

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreatedKind, Effect, Fault, Invoice, InvoiceKind, InvoiceStatus, LockDates};

use crate::world::{World, aud, evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn wake(world: &World) {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    let answer = world.invoke(event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
}

/// The night that many days later.
async fn night(world: &World, later: i32) {
    let at = evening() + DAY * later;
    world.clock.set(world.now().max(at));
    assert_eq!(world.night(at).await["outcome"], "finished");
}

/// The bills that calls have created, in their order.
fn bills(world: &World) -> Vec<Invoice> {
    let created = world.simulator.meter(world.tenant).created;
    let bills = created.iter().filter(|created| created.kind == CreatedKind::Bill);
    bills.map(|bill| world.simulator.invoice(bill.id).unwrap()).collect()
}

async fn state_and_reason(world: &World, id: &str) -> (String, String) {
    let row = world.row(&format!("provider-invoice-{id}")).await;
    (row.state.to_string(), row.reason)
}

async fn messages(world: &World, kind: &str) -> Vec<String> {
    let rows = world.rows("messages").await;
    let of_kind = rows.iter().filter(|row| row["kind"] == kind);
    of_kind.map(|row| row["why"].clone()).collect()
}

/// The provider is known, and so are the accounts of two kinds of fees; three invoices, one of which has
/// a fee of another kind.
async fn three() -> (World, Uuid) {
    let world = World::new().await;
    let contact = world.provider(&["processing", "terminal_rent"]).await;
    world.provider_invoice("F-1", &[("processing", 80_00), ("terminal_rent", 8_00)]).await;
    world.provider_invoice("F-2", &[("processing", 70_00), ("chargeback", 25_00)]).await;
    world.provider_invoice("F-3", &[("processing", 60_00)]).await;
    (world, contact)
}

#[tokio::test]
async fn an_unmapped_fee_kind_keeps_its_invoice_back_and_no_other() {
    // U18, EX-12, EX-13, EX-19, EX-29
    let (world, contact) = three().await;

    wake(&world).await;

    let written = bills(&world);
    assert_eq!(written.len(), 2);
    for (bill, (total, number)) in
        written.iter().zip([(88_00, "PI F-1 PM-"), (60_00, "PI F-3 PM-")])
    {
        assert_eq!((bill.kind, bill.status), (InvoiceKind::Accpay, InvoiceStatus::Authorised));
        assert_eq!((bill.contact, bill.total), (contact, Decimal::new(total, 2)));
        assert!(bill.number.starts_with(number), "{}", bill.number);
        assert_eq!(
            (bill.date, bill.due_date),
            (march(1), march(1)),
            "due at once if no day is given"
        );
        assert_eq!((bill.line_amounts.as_str(), bill.currency.as_str()), ("Inclusive", "AUD"));
    }
    assert_eq!(written[0].lines.len(), 2, "one for each fee");
    let held = world.row("provider-invoice-F-2").await;
    assert_eq!((held.state.code(), held.reason.as_str()), ("held", "ACCOUNT_UNMAPPED"));
    for words in ["Validation", "chargeback", "ask the accountant"] {
        assert!(held.why.contains(words), "{}", held.why);
    }
    let named = messages(&world, "ACCOUNT_UNMAPPED").await;
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].contains("chargeback") && named[0].contains("accountant"), "{named:?}");

    // The next night finds it as it was, says nothing new, and posts nothing twice.
    let raised = world.rows("messages").await;
    world.clock.advance(SignedDuration::from_hours(1));
    night(&world, 0).await;
    assert_eq!(world.rows("messages").await, raised);
    assert_eq!(world.row("provider-invoice-F-2").await, held);

    // The accountant has named the account.
    world.provider(&["processing", "terminal_rent", "chargeback"]).await;
    night(&world, 1).await;

    assert_eq!(world.state("provider-invoice-F-2").await, "uploaded");
    assert_eq!(bills(&world).len(), 3);
    assert_eq!(bills(&world)[2].total, Decimal::new(95_00, 2));
    world.check().await;
}

#[tokio::test]
async fn bills_are_neither_slots_nor_attempts_nor_payments_of_anybody() {
    // AMB-10, EX-32
    let (world, _) = three().await;
    world.bpay_payments(2).await;
    world.change(|uploading| uploading.nightly_max = 2).await;

    night(&world, 0).await;

    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!((caps.used_in("2026-03-02".parse().unwrap()), caps.attempts(world.now())), (2, 2));
    assert_eq!(bills(&world).len(), 2);
    for table in ["receipts", "payments", "invoices"] {
        let rows = format!("{:?}", world.rows(table).await);
        assert!(!rows.contains("provider-invoice"), "{table}: {rows}");
    }
    world.check().await;
}

#[tokio::test]
async fn without_a_contact_for_the_provider_its_invoices_wait_and_say_so() {
    // EX-13
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.change(|uploading| uploading.merchant_contact = None).await;
    world.provider_invoice("F-1", &[("processing", 80_00)]).await;
    world.provider_invoice("F-2", &[("processing", 70_00)]).await;

    wake(&world).await;

    let (state, reason) = state_and_reason(&world, "F-1").await;
    assert_eq!((state.as_str(), reason.as_str()), ("held", "MERCHANT_CONTACT_MISSING"));
    let named = messages(&world, "MERCHANT_CONTACT_MISSING").await;
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].contains("merchant_contact_id"), "{named:?}");
    assert!(bills(&world).is_empty());

    world.provider(&["processing"]).await;
    night(&world, 0).await;
    assert_eq!(bills(&world).len(), 2);
}

#[tokio::test]
async fn what_was_issued_before_the_start_date_stays_out() {
    // EX-14, AMB-14: the invoices are of 1 March.
    for (start, reason) in [("2026-03-02", "before_start_date"), ("2026-03-01", "on_start_date")] {
        let world = World::new().await;
        world.provider(&["processing"]).await;
        world.change(|uploading| uploading.start = start.parse().unwrap()).await;
        world.provider_invoice("F-1", &[("processing", 80_00)]).await;

        wake(&world).await;

        assert_eq!(state_and_reason(&world, "F-1").await, ("skipped".into(), reason.into()));
        assert!(bills(&world).is_empty());
    }
}

#[tokio::test]
async fn a_lost_answer_is_read_back_and_nothing_is_sent_twice() {
    // U15, X-12
    for effect in [Effect::LostAnswer, Effect::Cut, Effect::OnlyFirst { count: 1 }] {
        let (world, _) = three().await;
        world.simulator.inject(Fault::on("PUT", "/Invoices", effect.clone()).times(3));
        wake(&world).await;
        let unknown = world.state("provider-invoice-F-3").await;
        assert_eq!(unknown, "unknown", "{effect:?}");

        assert!(world.work_off_tasks().await > 0);

        for id in ["F-1", "F-3"] {
            assert_eq!(
                world.state(&format!("provider-invoice-{id}")).await,
                "uploaded",
                "{effect:?}"
            );
        }
        assert_eq!(bills(&world).len(), 2, "{effect:?}");
        world.check().await;
    }
}

#[tokio::test]
async fn what_a_person_has_voided_or_paid_meanwhile_was_there_all_the_same() {
    let (world, _) = three().await;
    world.simulator.inject(Fault::on("PUT", "/Invoices", Effect::LostAnswer).times(3));
    wake(&world).await;
    let written = bills(&world);
    world.simulator.void_invoice(written[0].id).unwrap();
    let payment = xero_simulator::NewPayment {
        date: march(2),
        amount: written[1].total,
        reference: String::new(),
    };
    world.simulator.add_payment(written[1].id, payment).unwrap();

    world.work_off_tasks().await;

    for id in ["F-1", "F-3"] {
        assert_eq!(world.state(&format!("provider-invoice-{id}")).await, "uploaded");
    }
    assert_eq!(bills(&world).len(), 2);
}

#[tokio::test]
async fn what_xero_refuses_waits_for_a_person_and_the_others_go() {
    // A7.3: the account is there for us, and not for Xero.
    let (world, _) = three().await;
    let rent = "terminal_rent".parse().unwrap();
    world
        .change(|uploading| uploading.fee_accounts.get_mut(&rent).unwrap().code = "999".into())
        .await;

    wake(&world).await;

    let refused = world.row("provider-invoice-F-1").await;
    assert_eq!(refused.state.code(), "refused");
    assert!(refused.why.contains("Account code '999'"), "{}", refused.why);
    assert_eq!(world.state("provider-invoice-F-3").await, "uploaded");
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert!(caps.reservations.is_empty(), "there was no slot to give back: {caps:?}");

    world.provider(&["processing", "terminal_rent"]).await;
    let release = json!({"organisation": world.organisation(), "payment": "provider-invoice-F-1",
        "order": "release", "by": "Ana", "why": "the account is right now"});
    world.invoke(release).await.unwrap();
    world.work_off_tasks().await;

    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert_eq!(bills(&world).len(), 2);
    world.check().await;
}

#[tokio::test]
async fn a_bill_whose_account_is_gone_before_it_is_sent_again_waits_for_it() {
    // EX-19: judged with an account, and then sent in vain.
    let (world, _) = three().await;
    world.simulator.inject(Fault::on("PUT", "/Invoices", Effect::Cut).times(3));
    wake(&world).await;
    world.provider(&["processing"]).await;

    world.work_off_tasks().await;

    let waited = world.now().duration_since(evening());
    assert!(waited < SignedDuration::from_hours(1), "it stands in nobody's way: {waited}");
    assert_eq!(world.state("provider-invoice-F-3").await, "uploaded");
    night(&world, 1).await;
    assert_eq!(state_and_reason(&world, "F-1").await, ("held".into(), "ACCOUNT_UNMAPPED".into()));
    world.provider(&["processing", "terminal_rent"]).await;
    night(&world, 2).await;
    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert_eq!(bills(&world).len(), 2);
    world.check().await;
}

#[tokio::test]
async fn a_locked_period_holds_a_bill_as_it_holds_a_payment() {
    //
    let (world, _) = three().await;
    let lock = LockDates { period_lock_date: Some(march(1)), end_of_year_lock_date: None };
    world.simulator.set_lock_dates(world.tenant, lock).unwrap();

    wake(&world).await;

    assert_eq!(state_and_reason(&world, "F-1").await, ("held".into(), "LOCKED_PERIOD".into()));
    let open = LockDates { period_lock_date: None, end_of_year_lock_date: None };
    world.simulator.set_lock_dates(world.tenant, open).unwrap();
    night(&world, 0).await;
    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
}

#[tokio::test]
async fn a_permission_that_is_missing_for_bills_keeps_no_payment_back() {
    let (world, _) = three().await;
    let effect = Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("PUT", "/Invoices", effect).times(100));
    world.bpay_payments_named("a", 2).await;
    for (later, name) in [(0, "Pa-0002"), (1, "Pb-0002")] {
        let at = evening() + DAY * later;
        world.clock.set(at);

        let night = world.night(at).await;

        assert_eq!(night["outcome"], "running", "a person has to act: {night}");
        assert!(night["why"].as_str().unwrap().contains("permissions"), "{night}");
        assert_eq!(world.state(name).await, "uploaded");
        world.bpay_payments_named("b", 2 * usize::from(later == 0)).await;
    }
    world.simulator.clear_faults();
    night(&world, 2).await;
    assert_eq!(bills(&world).len(), 2);
    world.check().await;
}

#[tokio::test]
async fn a_preview_shows_bills_and_sends_none() {
    let (world, _) = three().await;

    let answer = world.invoke(json!({"preview": true})).await.unwrap();

    let preview = &answer["previews"][0];
    assert_eq!(preview["would_go"], 2);
    let shown = preview["payments"].as_array().unwrap();
    let of = |id: &str| {
        let name = format!("provider-invoice-{id}");
        shown.iter().find(|row| row["payment"] == name.as_str()).unwrap()
    };
    assert_eq!(of("F-1")["parts"], json!([format!("{} as a bill", aud(88_00))]));
    assert_eq!(of("F-1")["route"], "PROVIDER_INVOICE");
    assert_eq!(
        (&of("F-2")["would"], &of("F-2")["reason"]),
        (&json!("hold"), &json!("ACCOUNT_UNMAPPED"))
    );
    assert!(bills(&world).is_empty() && world.rows("messages").await.is_empty());
}
