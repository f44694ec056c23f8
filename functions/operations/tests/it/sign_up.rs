//! An organisation signs up: its readiness first, then everything that there is (CM-02).

use host::webhook_secret::WebhookSecret;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault};

use worlds::sweep::{World, ask};

fn sign_up(organisation: impl ToString, more: &Value) -> Value {
    let mut wish = json!({
        "organisation": organisation.to_string(), "time_zone": "Australia/Sydney", "by": "Ada", "why": "new",
    });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "sign_up": wish })
}

/// One whose organisation is in Xero, with payments, and not set up here.
async fn new() -> World {
    let world = World::new().await;
    let organisation = aws_sdk_dynamodb::types::AttributeValue::S(world.tenant.to_string());
    let delete = world.direct.delete_item().table_name("organisations");
    delete.key("organisation", organisation).send().await.unwrap();
    for number in ["10031", "10032"] {
        let invoice = world.both(number).await;
        world.pay(invoice, 10_00);
    }
    world
}

#[tokio::test]
async fn it_is_set_up_and_everything_there_is_arrives() {
    let world = new().await;
    let settings = json!({"prefix": "CM-", "forward_days": 7, "calls_per_day": 1000});

    let answer = world.invoke(sign_up(world.tenant, &settings)).await.unwrap();

    let outcomes: Vec<_> =
        answer["sweeps"].as_array().unwrap().iter().map(|s| &s["outcome"]).collect();
    assert_eq!(outcomes, ["finished", "finished"], "{answer}");
    assert_eq!(answer["connections"][0]["status"], "Active", "{answer}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    let row = &world.rows("organisations").await[0];
    assert_eq!((row["mirror_enabled"].as_str(), row["calls_per_day"].as_str()), ("true", "#1000"));
    assert_eq!((row["mass_change_max"].as_str(), row["forward_days"].as_str()), ("#100", "#7"));
    let log = world.rows("activity").await;
    assert!(log.iter().any(|row| row["action"] == "signed_up" && row["by"] == "Ada"));

    let twice = world.invoke(sign_up(world.tenant, &json!({}))).await.unwrap_err();
    assert!(twice.contains("is set up already"), "{twice}");
}

#[tokio::test]
async fn while_xero_does_not_show_it_nothing_is_switched_on() {
    let world = new().await;
    let refused = Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Organisation", refused));

    let error = world.invoke(sign_up(world.tenant, &json!({}))).await.unwrap_err();

    assert!(error.contains("nothing is switched on") && error.contains("settings.read"), "{error}");
    assert!(world.rows("organisations").await.is_empty());
    // An organisation that is not ours.
    let stranger = uuid::Uuid::from_u128(77);
    world.simulator.clear_faults();
    let error = world.invoke(sign_up(stranger, &json!({}))).await.unwrap_err();
    assert!(error.contains(&stranger.to_string()), "{error}");
    assert!(world.rows("organisations").await.is_empty());
}

#[tokio::test]
async fn while_invoices_or_payments_cannot_be_read_nothing_is_switched_on() {
    // CM-02, ST-19: the failing precondition is named.
    for (path, what) in [("/Invoices", "invoices"), ("/Payments", "payments")] {
        let world = new().await;
        let refused = Effect::Status { status: 403, headers: vec![], body: String::new() };
        world.simulator.inject(Fault::on("GET", path, refused));
        let error = world.invoke(sign_up(world.tenant, &json!({}))).await.unwrap_err();
        assert!(error.contains(&format!("{what} cannot be read")), "{error}");
        assert!(error.contains("nothing is switched on"), "{error}");
        assert!(world.rows("organisations").await.is_empty());
    }
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_named_and_nothing_is_switched_on() {
    let world = new().await;
    for (setting, value) in [
        ("time_zone", json!("Sydney")),
        ("prefix", json!("x".repeat(50))),
        ("forward_days", json!(9999)),
        ("calls_per_day", json!(0)),
    ] {
        let mut wish = sign_up(world.tenant, &json!({}));
        wish["sign_up"][setting] = value;
        let error = world.invoke(wish).await.unwrap_err();
        assert!(error.contains(&format!("`{setting}`")), "{error}");
    }
    assert!(world.rows("organisations").await.is_empty());
}

#[tokio::test]
async fn while_no_webhook_key_is_stored_nothing_is_switched_on_and_it_is_said_what_is_missing() {
    // CM-02: the failing precondition is named.
    let world = new().await;
    let folder = std::env::temp_dir().join(format!("paymirror-{}", uuid::Uuid::new_v4()));
    let secret = || WebhookSecret::in_folder(folder.clone(), "xero-webhook".to_owned());
    let sign_up = async || {
        let operations = world.operations().with_webhook_secret(secret());
        let deadline = world.now() + jiff::SignedDuration::from_mins(5);
        let event = sign_up(world.tenant, &json!({}));
        ask(&world.sweeper(), &operations, &event, deadline).await
    };

    let error = sign_up().await.unwrap_err();
    assert!(
        error.contains("no webhook key is stored") && error.contains("webhook_keys"),
        "{error}"
    );
    assert!(error.contains("nothing is switched on"), "{error}");
    assert!(world.rows("organisations").await.is_empty());

    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("xero-webhook"), r#"{"webhook_keys":["canary"]}"#).unwrap();
    sign_up().await.unwrap();
    assert_eq!(world.rows("organisations").await.len(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}
