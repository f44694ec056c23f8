//! What a person orders: a mass change goes through, a deleted payment comes back.

use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use worlds::sweep::World;

/// Two invoices whose payments were deleted in Xero, more than may be lost within an hour.
async fn stopped() -> World {
    let world = World::new().await;
    world.settings(|settings| settings.mass_change_max = Some(1)).await;
    let mut payments = Vec::new();
    for number in ["10031", "10032"] {
        payments.push(world.pay(world.both(number).await, 10_00));
    }
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(SignedDuration::from_mins(30));
    for payment in payments {
        world.simulator.delete_payment(payment).unwrap();
    }
    world.sweep().await;
    world.work_off_once().await;
    assert_eq!(world.mirrored().await.len(), 2, "both are still here");
    world
}

fn wish(world: &World, name: &str, more: Value) -> Value {
    let mut wish = json!({"organisation": world.tenant, "by": "Ada", "why": "we did that"});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ name: wish })
}

#[tokio::test]
async fn a_mass_change_goes_through_at_once_when_a_person_approves_it() {
    let world = stopped().await;
    world.take_queue();

    let answer = world.invoke(wish(&world, "approve_mass_change", json!({}))).await.unwrap();

    assert_eq!(answer["approved"], 2, "{answer}");
    world.work_off().await;
    assert!(world.mirrored().await.is_empty());
    let log = world.rows("activity").await;
    let approved = log.iter().find(|row| row["action"] == "mass_change_approved").unwrap();
    assert_eq!((approved["by"].as_str(), approved["why"].as_str()), ("Ada", "we did that"));
    // There is nothing more to approve, and asking is no mistake.
    let answer = world.invoke(wish(&world, "approve_mass_change", json!({}))).await.unwrap();
    assert_eq!(answer["approved"], 0, "{answer}");
}

#[tokio::test]
async fn a_deleted_copy_comes_back_and_the_next_read_leaves_it_alone() {
    let world = World::new().await;
    let invoice = world.both("10031").await;
    let payment = world.pay(invoice, 10_00);
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(SignedDuration::from_mins(30));
    world.simulator.delete_payment(payment).unwrap();
    world.sweep().await;
    world.work_off().await;
    let tombstone = &world.rows("tombstones").await[0];
    let id = tombstone["payment_id"].clone();
    let restore = wish(&world, "restore", json!({"invoice": "10031", "payment": id}));

    let answer = world.invoke(restore.clone()).await.unwrap();

    assert_eq!(answer["restored"], Value::String(id.clone()), "{answer}");
    let row = &world.rows("payments").await[0];
    assert_eq!((row["payment_id"].as_str(), row["kind"].as_str()), (id.as_str(), "manual"));
    assert_eq!((row["amount"].as_str(), row["state"].as_str()), ("#10", "protected"));
    let log = world.rows("activity").await;
    assert!(log.iter().any(|row| row["action"] == "restored" && row["why"].contains("Ada")));

    // CM-39: what matches nothing in Xero is not touched.
    world.clock.advance(SignedDuration::from_mins(30));
    world.pay(invoice, 20_00);
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.rows("payments").await.len(), 2);

    let twice = world.invoke(restore).await.unwrap_err();
    assert!(twice.contains("on the invoice already"), "{twice}");
    let never = wish(&world, "restore", json!({"invoice": "10031", "payment": "P-1"}));
    let never = world.invoke(never).await.unwrap_err();
    assert!(never.contains("never deleted from invoice 10031"), "{never}");
}

/// Parks a message of the mirror about an invoice, and a body that cannot be read.
async fn parked(world: &World) {
    let invoice = world.both("10031").await;
    world.pay(invoice, 10_00);
    let message = json!({
        "version": 1, "kind": "invoices", "organisation": world.tenant, "cause": "webhook",
        "accepted_at": world.now(), "invoices": [{"id": invoice, "event_at": "2099-01-01T00:00:00Z"}],
    });
    for (id, reason, body) in
        [("m-1", "stale_read", message.to_string()), ("m-2", "Schema", "?".into())]
    {
        let parked = table::Parked {
            organisation: Some(world.organisation()),
            id,
            by: "mirror",
            reason,
            detail: "read older than its event",
            body: body.as_bytes(),
            received_at: world.now(),
        };
        world.tables.park(&parked).await.unwrap();
    }
}

#[tokio::test]
async fn parked_work_is_looked_at_and_then_done_again() {
    let world = World::new().await;
    parked(&world).await;

    let look = wish(&world, "replay", json!({"preview": true}));
    let look = world.invoke(look).await.unwrap()["replay"].clone();

    assert_eq!((&look["replayed"], &look["left"]), (&json!(1), &json!(1)), "{look}");
    assert_eq!(look["reasons"], json!({"stale_read": 1, "Schema": 1}));
    assert_eq!(
        (world.rows("parked").await.len(), world.take_queued().len()),
        (2, 0),
        "only a look"
    );

    let none = json!({"which": {"reason": "Timeout"}});
    let none = world.invoke(wish(&world, "replay", none)).await.unwrap()["replay"].clone();
    assert_eq!((&none["replayed"], &none["left"]), (&json!(0), &json!(0)), "{none}");

    let done = world.invoke(wish(&world, "replay", json!({}))).await.unwrap()["replay"].clone();
    assert_eq!((&done["replayed"], &done["preview"]), (&json!(1), &json!(false)), "{done}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    let left = world.rows("parked").await;
    assert_eq!((left.len(), left[0]["reason"].as_str()), (1, "Schema"));
    let log = world.rows("activity").await;
    let replayed = log.iter().find(|row| row["action"] == "replayed").unwrap();
    assert_eq!((replayed["by"].as_str(), replayed["why"].as_str()), ("Ada", "we did that"));
}

#[tokio::test]
async fn parked_work_is_chosen_by_its_key_its_reason_its_invoice_or_its_time() {
    let world = World::new().await;
    parked(&world).await;
    let rows = world.rows("parked").await;
    let mine = rows.iter().find(|row| row["reason"] == "stale_read").unwrap();
    let invoice = mine["body"].split(r#""id":""#).nth(1).unwrap().split('"').next().unwrap();
    let later = world.now() + SignedDuration::from_secs(1);
    for (which, found) in [
        (json!({"parked_at": mine["parked_at"]}), 1),
        (json!({"reason": "stale_read"}), 1),
        (json!({"invoice": invoice}), 1),
        (json!({"invoice": Uuid::nil()}), 0),
        (json!({"from": world.now(), "to": later}), 1),
        (json!({"from": later}), 0),
    ] {
        let look = wish(&world, "replay", json!({"which": which, "preview": true}));
        let look = world.invoke(look).await.unwrap()["replay"].clone();
        assert_eq!(look["replayed"], json!(found), "{which}: {look}");
    }
}
