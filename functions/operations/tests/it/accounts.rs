//! Accounts of Xero are picked from a list, and a pick is checked again (XC-13, XC-14).

use jiff::SignedDuration;
use payments::XeroAccountId;
use serde_json::{Value, json};
use uuid::Uuid;
use worlds::upload::World;
use xero_simulator::{AccountKind, NewAccount};

fn opened(world: &World, code: &str, kind: AccountKind, currency: Option<&str>) -> Uuid {
    let wanted = NewAccount {
        code: Some(code.to_owned()),
        name: format!("Account {code}"),
        kind,
        payments_enabled: false,
        currency: currency.map(str::to_owned),
    };
    world.simulator.add_account(world.tenant, wanted).unwrap()
}

async fn executed(world: &World, command: &Value) -> Result<Value, String> {
    let operations = world.operations(harness::FlakyChanges::default());
    let deadline = world.now() + SignedDuration::from_mins(5);
    let reply = operations.handle(command, deadline).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(reply).unwrap())
}

async fn listed(world: &World, of: &str) -> Value {
    let command = json!({"command": {"list_accounts": {"organisation": world.organisation()}}});
    let reply = executed(world, &command).await.unwrap();
    let uses = reply["uses"].as_array().unwrap();
    uses.iter().find(|found| found["use"] == of).unwrap_or_else(|| panic!("{of}: {reply}")).clone()
}

async fn set(world: &World, of: &str, account: Uuid, tax: Option<&str>) -> Result<Value, String> {
    let mut wanted = json!({"organisation": world.organisation(), "use": of, "account": account});
    if let Some(tax) = tax {
        wanted["tax_type"] = json!(tax);
    }
    let wish = json!({"command": {"set_account": wanted},
        "attribution": {"by": "Ada", "reason": "by the accountant"}});
    executed(world, &wish).await
}

#[tokio::test]
async fn an_account_is_picked_from_the_list_of_its_use_and_kept_by_its_id() {
    // XC-13, XC-14
    let world = World::new().await;
    world.provider(&["processing"]).await;
    let fees = opened(&world, "404", AccountKind::Expense, None);
    let dollars = opened(&world, "093", AccountKind::Bank, Some("USD"));
    let old = opened(&world, "405", AccountKind::Expense, None);
    world.simulator.archive_account(world.tenant, old).unwrap();

    let payments = listed(&world, "payments").await;
    assert_eq!(payments["candidates"].as_array().unwrap().len(), 1, "{payments}");
    assert_eq!(payments["chosen"]["code"], "090");
    let in_dollars = listed(&world, "payments:USD").await;
    assert_eq!(in_dollars["suggested"], json!(dollars), "the only one is proposed");
    assert_eq!(in_dollars["chosen"], Value::Null, "and not stored");
    let fee = listed(&world, "fee:processing").await;
    assert_eq!(fee["candidates"][0]["id"], json!(fees));
    assert_eq!(fee["candidates"].as_array().unwrap().len(), 1, "an archived one is no candidate");
    let taxes = fee["candidates"][0]["tax_types"].as_array().unwrap();
    assert!(taxes.contains(&json!("INPUT")) && !taxes.contains(&json!("OUTPUT")), "{taxes:?}");

    for (of, account, tax) in
        [("fee:processing", fees, Some("INPUT")), ("payments:USD", dollars, None)]
    {
        let reply = set(&world, of, account, tax).await.unwrap();
        assert_eq!(reply["recorded"], true);
    }
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let upload = settings.upload.unwrap();
    let fee = &upload.fee_accounts[&"processing".parse().unwrap()];
    assert_eq!((fee.id, fee.tax.as_deref()), (Some(XeroAccountId::new(fees)), Some("INPUT")));
    let usd = "USD".parse().unwrap();
    assert_eq!(upload.currency_accounts[&usd], XeroAccountId::new(dollars));
    let log = world.rows("activity").await;
    let orders: Vec<_> = log.iter().filter(|row| row["action"] == "ordered").collect();
    assert_eq!(orders.len(), 2, "{orders:?}");
    assert!(orders.iter().all(|row| row["by"] == "Ada" && row["why"] == "by the accountant"));
    let books = world.simulator.organisation(world.tenant).unwrap();
    assert_eq!(books.accounts.len(), 5, "none was made");
}

#[tokio::test]
async fn what_is_not_in_the_list_is_refused_and_changes_nothing() {
    // XC-13, XC-14
    let world = World::new().await;
    world.provider(&["processing"]).await;
    let books = world.simulator.organisation(world.tenant).unwrap();
    let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
    let sales = books.accounts.iter().find(|account| !account.is_bank()).unwrap().id;
    let fees = opened(&world, "404", AccountKind::Expense, None);
    let archived = opened(&world, "091", AccountKind::Bank, None);
    let dollars = opened(&world, "093", AccountKind::Bank, Some("USD"));
    world.simulator.archive_account(world.tenant, archived).unwrap();
    let before = world.rows("organisations").await;
    for (of, account, tax, words) in [
        ("payments", Uuid::from_u128(9), None, "is not in Xero"),
        ("payments", archived, None, "archived"),
        ("payments", sales, None, "no payments can be received"),
        ("payments", dollars, None, "another currency"),
        ("payments", bank, Some("INPUT"), "no line and no tax"),
        ("payments:AUD", bank, None, "currency of the books"),
        ("fee:processing", sales, None, "no account of expenses"),
        ("fee:processing", fees, Some("OUTPUT"), "accounts of this class"),
        ("fee:processing", fees, Some("NOTHING"), "is not in Xero"),
        ("prepayments", fees, None, "no account of assets"),
        ("prepayments", bank, None, "bank account"),
        ("elsewhere", bank, None, "payments, payments:USD"),
    ] {
        let refused = set(&world, of, account, tax).await.unwrap_err();
        assert!(refused.contains(words), "{of}: {refused}");
    }
    world.simulator.archive_tax_rate(world.tenant, "INPUT").unwrap();
    let refused = set(&world, "fee:processing", fees, Some("INPUT")).await.unwrap_err();
    assert!(refused.contains("archived"), "{refused}");
    assert_eq!(world.rows("organisations").await, before);
}

#[tokio::test]
async fn the_first_account_sets_uploading_up_and_leaves_it_off() {
    // XC-13
    let world = World::new().await;
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let bare = payments::Settings { upload: None, ..settings };
    world.tables.store_settings(&bare).await.unwrap();
    let books = world.simulator.organisation(world.tenant).unwrap();
    let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
    let sales = books.accounts.iter().find(|account| !account.is_bank()).unwrap().id;
    let refused = set(&world, "prepayments", sales, None).await.unwrap_err();
    assert!(refused.contains("payments first"), "{refused}");
    world.clock.advance(SignedDuration::from_secs(1));
    set(&world, "payments", bank, None).await.unwrap();
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let upload = settings.upload.unwrap();
    assert!(!upload.enabled, "a person switches it on");
    assert_eq!(upload.account, XeroAccountId::new(bank));
}
