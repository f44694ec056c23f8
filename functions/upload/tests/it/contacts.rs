//! A contact that was merged in Xero is followed, and one that is archived opens an action that names it (EX-37). No
//! payment becomes a prepayment of a dead contact, and none is refused for it. Money is counted at the simulator.

use jiff::SignedDuration;
use payments::upload::{Customer, record_customer};
use payments::{Change, StoredInvoice, XeroContactId, XeroInvoiceId};
use queue::Message;
use queue::fakes::RecordedChanges;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use table::ChangeContext;
use uuid::Uuid;

use crate::samples::{bpay, pay_now};
use crate::world::{World, evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn customer(world: &World, id: &str) -> Customer {
    let id = id.parse().unwrap();
    world.tables.customer(world.organisation(), &id).await.unwrap().unwrap()
}

/// The business's own system reports a customer, as intake takes it in.
async fn report(world: &World, id: &str, revision: u64, contact: Uuid) {
    let known = customer(world, id).await;
    let contact = Some(XeroContactId::new(contact));
    let incoming = Customer {
        revision,
        contact,
        merged: None,
        blocked: None,
        blocked_at: None,
        unusable_contact: None,
        ..known.clone()
    };
    if let Some(after) = record_customer(Some(&known), &incoming).unwrap() {
        world.tables.store_customer(Some(&known), &after, None, world.now()).await.unwrap();
    }
}

/// What wakes posting at once.
async fn post(world: &World) {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    let answer = world.invoke(event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
}

/// An invoice that the mirror holds back for an action about this customer.
async fn waiting_invoice(world: &World, id: &str) -> XeroInvoiceId {
    let number = "10234".parse().unwrap();
    let before = StoredInvoice::unknown(world.organisation(), number);
    let mut after = before.clone();
    let invoice = XeroInvoiceId::new(Uuid::from_u128(7));
    after.customer = Some(id.parse().unwrap());
    after.held_back = true;
    after.xero = Some(world.facts(invoice));
    let change = Change { after, tombstones: vec![], decisions: vec![] };
    let because = ChangeContext { cause: "webhook", event_at: None, now: world.now() };
    world.tables.write_invoice(&before, &change, because).await.unwrap();
    invoice
}

async fn next_night(world: &World) -> Value {
    let at = world.now() + DAY;
    world.clock.set(at);
    world.night(at).await
}

fn paid(world: &World, invoice: Uuid) -> Decimal {
    let invoice = world.simulator.invoice(invoice).unwrap();
    let payments = invoice.payments.iter().filter_map(|id| world.simulator.payment(*id));
    payments.map(|payment| payment.amount).sum()
}

fn written(world: &World, route: &str) -> u64 {
    world.simulator.meter(world.tenant).calls_of(route)
}

/// The rows of the log that say this was done.
async fn said(world: &World, action: &str) -> Vec<String> {
    let rows = world.rows("activity").await;
    let of = rows.iter().filter(|row| row.get("action").is_some_and(|said| said == action));
    of.map(|row| row.get("why").or(row.get("blocked")).cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn ex_37_a_payment_goes_to_the_invoice_that_moved_with_its_merged_contact() {
    let world = World::new().await;
    let old = world.customer("K").await;
    let invoice = world.invoice(old, "CM-501", 100_00, march(1));
    let new = world.simulator.add_contact(world.tenant, "Customer K of today").unwrap();
    world.simulator.merge_contact(old, new).unwrap();
    world.pay(bpay("P-1", "K", 100_00, march(1))).await;
    let preview = world.invoke(json!({"preview": true})).await.unwrap();
    assert_eq!(preview["previews"][0]["payments"][0]["parts"], json!(["100.00 AUD on CM-501"]));
    assert_eq!(customer(&world, "K").await.merged, None, "a preview writes nothing");

    world.night(evening()).await;

    assert_eq!((world.state("P-1").await, paid(&world, invoice)), ("uploaded", 100.into()));
    assert_eq!(written(&world, "PUT /BankTransactions"), 0);
    let known = customer(&world, "K").await;
    assert_eq!(known.contact, Some(XeroContactId::new(new)));
    let merged = known.merged.unwrap();
    assert_eq!((merged.from, merged.at), (XeroContactId::new(old), evening()));
    let logged = said(&world, "contact_followed").await;
    assert_eq!(logged, [format!("in Xero, contact {old} was merged into {new}")]);

    // The business does not know of it, and names the contact that it knows.
    report(&world, "K", 2, old).await;
    world.invoice(new, "CM-502", 60_00, march(1));
    world.pay(bpay("P-2", "K", 60_00, march(1))).await;
    next_night(&world).await;
    let known = customer(&world, "K").await;
    assert_eq!((known.revision, known.contact), (2, Some(XeroContactId::new(new))));
    assert_eq!(world.state("P-2").await, "uploaded");
    assert_eq!(said(&world, "contact_followed").await.len(), 1);
    world.check().await;
}

#[tokio::test]
async fn ex_37_an_archived_contact_opens_an_action_until_it_is_restored_or_another_one_is_named() {
    let world = World::new().await;
    for (id, number) in [("K-1", "CM-1"), ("K-2", "CM-2"), ("good", "CM-3")] {
        let contact = world.customer(id).await;
        world.invoice(contact, number, 40_00, march(1));
        world.pay(bpay(&format!("P-{id}"), id, 100_00, march(1))).await;
        if id != "good" {
            world.simulator.archive_contact(contact).unwrap();
        }
    }
    let restored = customer(&world, "K-1").await.contact.unwrap().uuid();

    world.night(evening()).await;

    assert_eq!(world.state("P-good").await, "uploaded", "the others go on");
    assert_eq!(world.in_xero().len(), 2, "nothing goes to the archived ones");
    for id in ["K-1", "K-2"] {
        let row = world.row(&format!("P-{id}")).await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("held", "BLOCKED_BY_ACTION"));
        let contact = customer(&world, id).await.contact.unwrap();
        let named = format!("the contact \"Customer {id}\" ({contact}) is archived in Xero");
        assert!(row.why.contains(&named), "{}", row.why);
        let action = customer(&world, id).await;
        assert!(action.blocked.is_some_and(|open| open.contains(&named)));
    }
    let open = world.tables.open_actions(world.organisation(), 9).await.unwrap();
    assert_eq!(open.rows.len(), 2);
    // As it is found, so it stays, and nothing new is written.
    let revision = world.row("P-K-1").await.revision;
    next_night(&world).await;
    assert_eq!(world.row("P-K-1").await.revision, revision);

    // One is restored in Xero, the other one's customer gets another contact.
    world.simulator.restore_contact(restored).unwrap();
    let other = world.simulator.add_contact(world.tenant, "Another").unwrap();
    report(&world, "K-2", 2, other).await;
    next_night(&world).await;

    assert_eq!(said(&world, "customer_unblocked").await.len(), 2);
    for id in ["K-1", "K-2"] {
        assert_eq!(customer(&world, id).await.blocked, None);
        assert_eq!(world.state(&format!("P-{id}")).await, "uploaded");
    }
    world.check().await;
}

#[tokio::test]
async fn ex_37_an_action_that_is_over_has_the_invoices_read_that_waited_for_it() {
    // AMB-15, EX-28: both ways.
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.pay(bpay("P-1", "K", 100_00, march(1))).await;
    world.simulator.archive_contact(contact).unwrap();
    world.night(evening()).await;
    let invoice = waiting_invoice(&world, "K").await;
    world.simulator.restore_contact(contact).unwrap();

    let changes = RecordedChanges::new();
    let at = evening() + DAY;
    world.clock.set(at);
    let event = json!({"scheduled_time": at});
    let uploader = world.uploader_to(&changes);
    uploader.handle(&event, at + SignedDuration::from_mins(15)).await.unwrap();

    let sent = changes.sent();
    let [Message::Invoices(sent)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(sent.invoices[0].id, invoice);
    assert_eq!(world.state("P-1").await, "uploaded");
}

#[tokio::test]
async fn ex_37_a_contact_that_is_merged_or_archived_between_plan_and_sending_refuses_nothing() {
    let world = World::new().await;
    let merged = world.customer("K-merged").await;
    let into = world.simulator.add_contact(world.tenant, "Into").unwrap();
    let invoice = world.invoice(into, "CM-1", 70_00, march(1));
    let archived = world.customer("K-archived").await;
    for id in ["K-merged", "K-archived"] {
        world.pay(bpay(&format!("P-{id}"), id, 70_00, march(1))).await;
    }
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || {
        simulator.merge_contact(merged, into).unwrap();
        simulator.archive_contact(archived).unwrap();
    });

    world.night(evening()).await;

    assert_eq!((world.state("P-K-merged").await, paid(&world, invoice)), ("uploaded", 70.into()));
    let row = world.row("P-K-archived").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "BLOCKED_BY_ACTION"));
    assert!(customer(&world, "K-archived").await.blocked.is_some());
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_lately(world.now()), 1, "its slot is free");

    world.simulator.restore_contact(archived).unwrap();
    next_night(&world).await;
    assert_eq!(world.state("P-K-archived").await, "uploaded");
    world.check().await;
}

#[tokio::test]
async fn ex_37_a_post_to_an_invoice_of_an_archived_contact_waits_and_is_not_refused() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-7", 50_00, march(1));
    world.simulator.archive_contact(contact).unwrap();
    world.pay(pay_now("P-unnamed", "7", 20_00)).await;
    let mut named = pay_now("P-named", "7", 30_00);
    named.customer = Some("K".to_owned());
    world.pay(named).await;

    post(&world).await;

    for payment in ["P-unnamed", "P-named"] {
        let row = world.row(payment).await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("held", "BLOCKED_BY_ACTION"));
        assert!(row.why.contains("\"Customer K\""), "{}", row.why);
    }
    assert!(customer(&world, "K").await.blocked.is_some());

    world.simulator.restore_contact(contact).unwrap();
    world.clock.advance(SignedDuration::from_hours(1));
    world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(paid(&world, invoice), 50.into());
    assert_eq!(customer(&world, "K").await.blocked, None);
    world.check().await;
}

#[tokio::test]
async fn ex_37_a_contact_that_cannot_be_read_holds_its_customer_and_no_other() {
    // AMB-30
    let world = World::new().await;
    let odd = world.customer("odd").await;
    world.customer("good").await;
    for id in ["odd", "good"] {
        world.pay(bpay(&format!("P-{id}"), id, 100_00, march(1))).await;
    }
    world.xero.spoil(move |path, body| {
        let Ok(mut answer) = serde_json::from_str::<Value>(&body) else { return body };
        if path.contains("/Contacts") {
            for contact in answer["Contacts"].as_array_mut().into_iter().flatten() {
                if contact["ContactID"] == odd.to_string() {
                    contact["ContactStatus"] = json!(7);
                }
            }
        }
        answer.to_string()
    });

    world.night(evening()).await;

    assert_eq!(world.state("P-good").await, "uploaded");
    let row = world.row("P-odd").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "CANNOT_BE_SENT"));
    assert!(row.why.contains("ContactStatus") && row.why.contains(&odd.to_string()), "{}", row.why);
    world.xero.spoil(|_, body| body);
    next_night(&world).await;
    assert_eq!(world.state("P-odd").await, "uploaded");
}

#[tokio::test]
async fn ex_37_a_night_asks_for_fifty_contacts_in_a_call_and_a_post_for_none() {
    let world = World::new().await;
    world.bpay_payments(60).await;
    world.night(evening()).await;
    assert_eq!(written(&world, "GET /Contacts"), 2);

    let contact = world.customer("K").await;
    world.invoice(contact, "CM-7", 50_00, march(1));
    world.pay(pay_now("P-now", "7", 50_00)).await;
    post(&world).await;
    assert_eq!(world.state("P-now").await, "uploaded");
    assert_eq!(written(&world, "GET /Contacts"), 2);
}

#[tokio::test]
async fn ex_37_the_rest_of_a_payment_follows_the_contact_that_was_merged_meanwhile() {
    let world = World::new().await;
    let merged = world.customer("K").await;
    let first = world.invoice(merged, "CM-1", 40_00, march(1));
    let into = world.simulator.add_contact(world.tenant, "Into").unwrap();
    let second = world.invoice(into, "CM-2", 30_00, march(1));
    world.pay(bpay("P-1", "K", 100_00, march(1))).await;
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || simulator.merge_contact(merged, into).unwrap());

    world.night(evening()).await;

    let row = world.row("P-1").await;
    assert_eq!(row.state.code(), "uploaded", "{}", row.why);
    assert_eq!((paid(&world, first), paid(&world, second)), (40.into(), 30.into()));
    assert_eq!(world.in_xero().into_values().sum::<Decimal>(), 100.into());
    let prepaid = world.simulator.meter(world.tenant).created.into_iter();
    let mut prepaid = prepaid.filter_map(|one| world.simulator.bank_transaction(one.id));
    assert_eq!(prepaid.next().map(|prepayment| prepayment.contact), Some(into));
    world.check().await;
}

#[tokio::test]
async fn ex_37_bills_follow_the_contact_of_the_provider_and_wait_while_it_is_archived() {
    let world = World::new().await;
    let old = world.provider(&["processing"]).await;
    let new = world.simulator.add_contact(world.tenant, "Provider of today").unwrap();
    world.provider_invoice("F-1", &[("processing", 10_00)]).await;
    let simulator = world.simulator.clone();
    // Between plan and sending.
    world.xero.meanwhile(move || simulator.merge_contact(old, new).unwrap());
    post(&world).await;
    let state = |id: &'static str| {
        let world = &world;
        async move { world.row(&format!("provider-invoice-{id}")).await }
    };
    assert_eq!(state("F-1").await.state.code(), "uploaded");

    world.provider_invoice("F-2", &[("processing", 11_00)]).await;
    post(&world).await;
    assert_eq!(state("F-2").await.state.code(), "uploaded");

    world.simulator.archive_contact(new).unwrap();
    world.provider_invoice("F-3", &[("processing", 12_00)]).await;
    post(&world).await;
    let row = state("F-3").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "MERCHANT_CONTACT_MISSING"));
    assert!(row.why.contains("\"Provider of today\""), "{}", row.why);
    world.simulator.restore_contact(new).unwrap();
    next_night(&world).await;
    assert_eq!(state("F-3").await.state.code(), "uploaded");
    let bills = world.simulator.meter(world.tenant).created.into_iter();
    let contacts: Vec<_> =
        bills.map(|bill| world.simulator.invoice(bill.id).unwrap().contact).collect();
    assert_eq!(contacts, [new; 3]);
    world.check().await;
}
