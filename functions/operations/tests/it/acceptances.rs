//! AMB-31, A7.1: what does not agree and may stay so, on the word of a person.

use harness::dynamodb::{Row, having};
use jiff::SignedDuration;
use payments::{Discrepancy, DiscrepancyChange, DiscrepancyKey, DiscrepancyKind, XeroContactId};
use serde_json::{Value, json};
use uuid::Uuid;
use worlds::sweep::World;

/// An invoice whose contact is called otherwise in Xero.
async fn differing() -> (World, Uuid) {
    let world = World::new().await;
    let contact = world.simulator.add_contact(world.tenant, "Ada Pty Ltd").unwrap();
    world.local("10031").await;
    let invoice = world.invoice_of(contact, "CM-10031");
    look(&world).await;
    (world, invoice)
}

async fn look(world: &World) {
    world.sweep().await;
    world.work_off().await;
}

async fn differs(world: &World) -> Row {
    let rows = world.rows("discrepancies").await;
    let [row] = having(&rows, &[("kind", "CONTACT_DIFFERS")])[..] else { panic!("{rows:?}") };
    row.clone()
}

fn accept(world: &World, more: Value) -> Value {
    let mut wish = json!({"organisation": world.tenant, "discrepancy": "CONTACT_DIFFERS#",
        "by": "Ada", "why": "they write it both ways"});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "accept": wish })
}

async fn verdict(world: &World) -> String {
    let digest = json!({"scheduled_time": world.now(), "digest": true});
    world.invoke(digest).await.unwrap();
    let rows = world.rows("activity").await;
    let digests = having(&rows, &[("action", "morning_digest")]);
    digests.into_iter().max_by_key(|row| row["at"].clone()).unwrap()["reason"].clone()
}

#[tokio::test]
async fn amb_31_what_a_person_accepts_is_closed_and_comes_back_only_if_its_facts_change() {
    let (world, invoice) = differing().await;
    let found = differs(&world).await;
    assert_eq!((found["state"].as_str(), verdict(&world).await.as_str()), ("open", "look"));

    let wish = accept(&world, json!({"invoice": "10031", "seen": found["detail"]}));
    let answer = world.invoke(wish.clone()).await.unwrap();

    assert_eq!(answer["accepted"], "CONTACT_DIFFERS#", "{answer}");
    let row = differs(&world).await;
    assert_eq!((row["state"].as_str(), row.get("open_in")), ("accepted", None), "{row:?}");
    assert_eq!(row["accepted_by"], "Ada");
    assert_eq!(row["accepted_why"], "they write it both ways");
    assert_eq!(row["accepted_facts"], row["detail"]);
    assert_eq!(row["detected_at"], found["detected_at"]);
    let log = world.rows("activity").await;
    let [said] = having(&log, &[("action", "discrepancy_accepted")])[..] else { panic!("{log:?}") };
    assert_eq!((said["by"].as_str(), said["rule"].as_str()), ("Ada", "AMB-31"));
    assert!(said["why"].contains("they write it both ways"), "{said:?}");
    let again = world.invoke(wish).await.unwrap_err();
    assert!(again.contains("was accepted before, by Ada"), "{again}");

    // The same facts, read again after another change: no person is asked again.
    world.clock.advance(SignedDuration::from_hours(1));
    world.pay(invoice, 10_00);
    look(&world).await;
    assert_eq!(differs(&world).await["state"], "accepted");
    assert_eq!(verdict(&world).await, "well");

    // Other facts.
    world.clock.advance(SignedDuration::from_hours(100));
    let back_at = world.now();
    world.rename_contact(invoice, "Somebody Else");
    look(&world).await;
    let row = differs(&world).await;
    assert_eq!((row["state"].as_str(), row["reopened_count"].as_str()), ("open", "#1"), "{row:?}");
    assert_eq!(row["detected_at"], found["detected_at"], "A7.1: the first date is kept");
    assert!(row["reopened_at"] >= table::instant(back_at), "{row:?}");
    assert!(row["due_at"] >= table::instant(back_at + SignedDuration::from_hours(48)), "{row:?}");
    assert_eq!(verdict(&world).await, "look");

    // The facts that were accepted are back: they are accepted still.
    world.clock.advance(SignedDuration::from_hours(1));
    world.rename_contact(invoice, "Ada Pty Ltd");
    look(&world).await;
    assert_eq!(differs(&world).await["state"], "accepted");
    assert_eq!(verdict(&world).await, "well");
}

#[tokio::test]
async fn a7_1_what_came_back_is_due_48_hours_later_and_the_digest_counts_from_then() {
    let (world, invoice) = differing().await;
    let found = differs(&world).await;
    for (name, state, count) in [
        ("Ada Ltd", "resolved", None),
        ("Ada Pty", "open", Some("#1")),
        ("Ada Ltd", "resolved", Some("#1")),
        ("Ada Pty", "open", Some("#2")),
    ] {
        world.clock.advance(SignedDuration::from_hours(72));
        world.rename_contact(invoice, name);
        look(&world).await;
        let row = differs(&world).await;
        assert_eq!(row["state"], state);
        assert_eq!(row.get("reopened_count").map(String::as_str), count);
        assert_eq!(row["detected_at"], found["detected_at"]);
    }
    let row = differs(&world).await;
    let back: jiff::Timestamp = row["reopened_at"].parse().unwrap();
    assert_eq!(row["due_at"], table::instant(back + SignedDuration::from_hours(48)));
    let open = world.tables.open_discrepancies(world.organisation(), world.now()).await.unwrap();
    assert_eq!((open.count, open.oldest), (1, Some(back)));
}

#[tokio::test]
async fn amb_31_what_is_not_there_is_over_or_reads_otherwise_is_not_accepted() {
    let (world, invoice) = differing().await;
    for (more, words) in [
        (json!({"invoice": "10031", "seen": "something else"}), "look at it again"),
        (json!({"invoice": "10031", "discrepancy": "OVERPAID#"}), "no such discrepancy"),
        (json!({"invoice": "10032"}), "no such discrepancy"),
        (json!({"invoice": "10031", "discrepancy": "SPELLING#"}), "KIND#subject"),
        (json!({"invoice": "10031", "why": ""}), "`why`"),
        (json!({}), "it takes one of `invoice`"),
        (json!({"contact": Uuid::nil()}), "no such discrepancy"),
    ] {
        let refusal = world.invoke(accept(&world, more.clone())).await.unwrap_err();
        assert!(refusal.contains(words), "{more}: {refusal}");
    }
    assert_eq!(differs(&world).await["state"], "open");
    world.clock.advance(SignedDuration::from_hours(1));
    world.rename_contact(invoice, "Ada Ltd");
    look(&world).await;
    let over = world.invoke(accept(&world, json!({"invoice": "10031"}))).await.unwrap_err();
    assert!(over.contains("it is over"), "{over}");
}

#[tokio::test]
async fn amb_31_what_stands_on_a_contact_is_accepted_as_well() {
    let world = World::new().await;
    let contact = XeroContactId::new(Uuid::from_u128(7));
    let place = table::contact_key(world.organisation(), contact);
    let organisation = world.tenant.to_string();
    let at = table::instant(world.now());
    let row = [
        ("invoice", place.as_str()),
        ("discrepancy", "REFUND_IN_XERO#p-1"),
        ("kind", "REFUND_IN_XERO"),
        ("organisation", &organisation),
        ("open_in", &organisation),
        ("state", "open"),
        ("detail", "30.00 AUD went back"),
        ("detected_at", &at),
        ("due_at", &at),
    ];
    world.put("discrepancies", &row).await;
    let which = json!({"contact": contact.to_string(), "discrepancy": "REFUND_IN_XERO#p-1"});

    let answer = world.invoke(accept(&world, which.clone())).await.unwrap();

    assert_eq!(answer["accepted"], "REFUND_IN_XERO#p-1", "{answer}");
    let rows = world.rows("discrepancies").await;
    assert_eq!((rows[0]["state"].as_str(), rows[0].get("open_in")), ("accepted", None));
    assert_eq!(rows[0]["accepted_facts"], "30.00 AUD went back");
    let log = world.rows("activity").await;
    let [said] = having(&log, &[("action", "discrepancy_accepted")])[..] else { panic!("{log:?}") };
    assert_eq!((said["by"].as_str(), said["subject"].as_str()), ("Ada", "p-1"));
    let again = world.invoke(accept(&world, which)).await.unwrap_err();
    assert!(again.contains("was accepted before"), "{again}");
}

#[tokio::test]
async fn amb_31_what_stands_on_a_payment_or_an_order_is_accepted_until_its_figures_change() {
    // SP-36
    let world = World::new().await;
    let receipt = payments::Receipt { id: "P-1".parse().unwrap(), ..receipt(&world) };
    let about = table::Judged::Payment(&receipt);
    let key = DiscrepancyKey::about(DiscrepancyKind::CustomerDiffers, "order O-1");
    let write = async |known: Option<Discrepancy>, now: Discrepancy| {
        let change = DiscrepancyChange { known, now };
        let because = table::ContactBecause { cause: "reconcile", rule: "SP-37", now: world.now() };
        world.tables.write_discrepancies_about(about, &[change], because).await.unwrap();
    };
    let known = async || world.tables.discrepancies_about(about).await.unwrap().remove(0);
    write(None, Discrepancy::found(key.clone(), "paid by C-2".to_owned(), world.now())).await;
    let command = |place: Value| {
        let mut fields = json!({"organisation": world.tenant, "discrepancy": key.to_string()});
        fields.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        let attribution = json!({"by": "Ada", "reason": "the mother pays"});
        json!({"command": {"accept": fields}, "attribution": attribution})
    };
    for (place, words) in [
        (json!({}), "it takes one of"),
        (json!({"payment": "P-1", "invoice": "10031"}), "it takes one of"),
        (json!({"order_id": "O-1"}), "no such discrepancy"),
    ] {
        let refusal = world.command(command(place.clone())).await.unwrap_err();
        assert!(refusal.contains(words), "{place}: {refusal}");
    }
    let accept = command(json!({"payment": "P-1", "seen": "paid by C-2"}));
    let reply = world.command(accept).await.unwrap();
    assert_eq!((&reply["accepted"], &reply["recorded"]), (&json!(key.to_string()), &json!(true)));
    let accepted = known().await;
    assert!(!accepted.is_open() && accepted.stands(), "{accepted:?}");
    // The same figures, judged again, are no news; others bring it back.
    assert_eq!(accepted.found_again("paid by C-2", world.now()), None);
    let back = accepted.found_again("paid by C-3", world.now()).unwrap();
    write(Some(accepted), back).await;
    assert!(known().await.is_open());
}

fn receipt(world: &World) -> payments::Receipt {
    payments::Receipt {
        organisation: world.organisation(),
        id: "P-0".parse().unwrap(),
        revision: 1,
        amount: harness::aud(80_00),
        date: harness::march(2),
        reference: None,
        method: "bank_transfer".to_owned(),
        channel: None,
        customer: None,
        transaction_id: "T-1".to_owned(),
        status: payments::PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: world.now(),
        document: None,
    }
}
