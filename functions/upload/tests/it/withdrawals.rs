//! What a night relied on is gone in Xero: an account, a tax rate, a currency, a permission, the consent. What can go goes,
//! the rest waits with its reason, people hear of it once, and nothing is sent twice (XC-12, XC-15, XC-17, XC-18).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use payments::{Receipt, XeroAccountId};
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{AccountKind, Effect, Fault, NewAccount};

use crate::samples::bpay;
use crate::world::{World, evening, march};

async fn night(world: &World, days: i64) {
    let at = evening() + SignedDuration::from_hours(24 * days);
    world.clock.set(at);
    world.night(at).await;
}

async fn held(world: &World, id: &str) -> (String, String) {
    let row = world.row(id).await;
    assert_eq!(row.state.code(), "held", "{id}: {} {}", row.reason, row.why);
    (row.reason, row.why)
}

/// How many messages there are of each kind. Each stands once, however many payments wait.
async fn messages(world: &World) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for row in world.rows("messages").await {
        *kinds.entry(row["kind"].clone()).or_default() += 1;
    }
    kinds
}

/// The preview of the next night says that so many would go at least.
async fn planned(world: &World, count: u64) {
    let preview = &world.invoke(json!({"preview": true})).await.unwrap()["previews"][0];
    assert!(preview["would_go"].as_u64().unwrap() >= count, "{preview}");
}

fn dollars(world: &World) -> Uuid {
    let wanted = NewAccount {
        code: Some("093".to_owned()),
        name: "Dollars".to_owned(),
        kind: AccountKind::Bank,
        payments_enabled: false,
        currency: Some("USD".to_owned()),
    };
    world.simulator.add_account(world.tenant, wanted).unwrap()
}

fn in_dollars(world: &World, id: &str, customer: &str) -> Receipt {
    let mut receipt = bpay(id, customer, 100_00, march(1)).receipt(world.organisation());
    receipt.amount = payments::Money::new(receipt.amount.amount(), "USD".parse().unwrap()).unwrap();
    receipt
}

#[tokio::test]
async fn an_account_archived_between_plan_and_night_holds_what_needs_it() {
    // XC-15
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.bpay_payments(30).await;
    world.provider_invoice("F-1", &[("processing", 12_00)]).await;
    planned(&world, 30).await;
    let books = world.simulator.organisation(world.tenant).unwrap();
    let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
    world.simulator.archive_account(world.tenant, bank).unwrap();

    night(&world, 0).await;

    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    for n in 1..=30 {
        let (reason, why) = held(&world, &format!("P-{n:04}")).await;
        assert!(reason == "ACCOUNT_UNUSABLE" && why.contains("090"), "{reason}: {why}");
    }
    assert_eq!(messages(&world).await.get("ACCOUNT_UNUSABLE"), Some(&1));
    night(&world, 1).await;
    assert_eq!(messages(&world).await.get("ACCOUNT_UNUSABLE"), Some(&1), "the next night too");
}

#[tokio::test]
async fn a_tax_rate_archived_between_plan_and_night_holds_the_bills_that_have_it() {
    // XC-17
    let world = World::new().await;
    world.provider(&["processing"]).await;
    let tax = Some("OUTPUT".to_owned());
    world
        .change(|uploading| {
            uploading.fee_accounts.values_mut().for_each(|fee| fee.tax.clone_from(&tax));
        })
        .await;
    world.bpay_payments(2).await;
    world.provider_invoice("F-1", &[("processing", 12_00)]).await;
    world.simulator.archive_tax_rate(world.tenant, "OUTPUT").unwrap();
    night(&world, 0).await;
    let (reason, why) = held(&world, "provider-invoice-F-1").await;
    assert!(reason == "TAX_UNUSABLE" && why.contains("GST on Income"), "{reason}: {why}");
    assert_eq!(world.state("P-0002").await, "uploaded");
    assert_eq!(messages(&world).await.get("TAX_UNUSABLE"), Some(&1));
}

#[tokio::test]
async fn a_currency_that_is_switched_off_holds_the_payments_in_it() {
    // XC-18
    let world = World::new().await;
    let contact = world.customer("K").await;
    let amount = (rust_decimal::Decimal::new(100_00, 2), "USD");
    world.invoice_of(contact, "INV-USD", amount, march(1));
    world.bpay_payments(2).await;
    let account = dollars(&world);
    let usd = "USD".parse().unwrap();
    let set = XeroAccountId::new(account);
    world.change(|uploading| _ = uploading.currency_accounts.insert(usd, set)).await;
    world.report(in_dollars(&world, "P-USD", "K")).await;
    planned(&world, 3).await;
    world.simulator.archive_account(world.tenant, account).unwrap();

    night(&world, 0).await;

    let (reason, why) = held(&world, "P-USD").await;
    assert!(reason == "ACCOUNT_UNUSABLE" && why.contains("093 (Dollars)"), "{reason}: {why}");
    assert_eq!(world.state("P-0001").await, "uploaded");
    assert_eq!(world.state("P-0002").await, "uploaded");
    assert_eq!(messages(&world).await.get("ACCOUNT_UNUSABLE"), Some(&1));
}

/// A night in which Xero refuses the second of three bundles in this way, and the next one in which it does not.
async fn interrupted(status: u16, detail: &str) {
    let world = World::new().await;
    world.change(|uploading| uploading.bundle_max = 10).await;
    world.bpay_payments(30).await;
    let body = format!(r#"{{"Status":{status},"Detail":"{detail}"}}"#);
    let refused = Effect::Status { status, headers: vec![], body };
    world.simulator.inject(Fault::on("PUT", "/Payments", refused).after(1));

    night(&world, 0).await;

    assert_eq!(world.in_xero().len(), 10, "what went before is there");
    let mut states = BTreeMap::new();
    for n in 1..=30 {
        *states.entry(world.state(&format!("P-{n:04}")).await).or_insert(0) += 1;
    }
    assert_eq!(states.get("uploaded"), Some(&10), "{states:?}");
    for never in ["refused", "unknown", "sent"] {
        assert_eq!(states.get(never), None, "nothing was tried one after the other: {states:?}");
    }
    let said = messages(&world).await;
    assert!(said.values().all(|count| *count == 1), "{said:?}");

    world.simulator.clear_faults();
    night(&world, 1).await;
    assert_eq!(world.in_xero().len(), 30, "each of them once");
    for n in 1..=30 {
        assert_eq!(world.state(&format!("P-{n:04}")).await, "uploaded");
    }
    world.check().await;
}

#[tokio::test]
async fn a_permission_taken_away_in_the_middle_of_a_night_stops_it_and_loses_nothing() {
    // XC-12
    interrupted(401, "AuthorizationUnsuccessful").await;
}

#[tokio::test]
async fn a_consent_withdrawn_in_the_middle_of_a_night_stops_it_and_loses_nothing() {
    // XC-12
    interrupted(403, "AuthenticationUnsuccessful").await;
}
