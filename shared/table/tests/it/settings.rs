//! The rows that operators edit by hand.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::Do;
use jiff::civil::time;
use payments::upload::{BillStatus, Certainty, FeeAccount, UploadSettings, UploadStart};
use payments::{OrganisationId, Settings, XeroAccountId, XeroContactId};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::round_trips::law;
use crate::samples::{arb_date, arb_instant, arb_uuid, organisation, settings};
use crate::world::World;

fn uploading() -> UploadSettings {
    let account = "5040915e-8ce7-4177-8d08-fde416232f18".parse().unwrap();
    UploadSettings::new("2026-11-25".parse().unwrap(), account)
}

fn arb_upload_settings() -> impl Strategy<Value = UploadSettings> {
    let start = prop_oneof![
        arb_instant().prop_map(UploadStart::Moment),
        arb_date().prop_map(UploadStart::Day),
    ];
    let due_at = (4..24_i8, 0..60_i8, select(vec![0_i8, 0, 30]));
    let code = || option::of("[A-Z0-9]{1,10}");
    let fee_account = ("[A-Z0-9]{1,10}", code()).prop_map(|(code, tax)| {
        let id = tax.as_ref().map(|_| XeroAccountId::new(uuid::Uuid::from_u128(7)));
        FeeAccount { code, id, tax }
    });
    let kind = "[a-z][a-z0-9_]{0,39}".prop_map(|kind| kind.parse().unwrap());
    let fees = (option::of(arb_uuid()), btree_map(kind, fee_account, 0..4));
    let chosen = (any::<bool>(), select(Certainty::ALL), 1..=200_u32, 1..=50_u32);
    (chosen, start, arb_uuid(), code(), code(), fees, due_at).prop_map(
        |(chosen, start, account, prepayment_account, prepayment_tax, fees, due_at)| {
            UploadSettings {
                currency_accounts: [("USD".parse().unwrap(), XeroAccountId::new(account))].into(),
                enabled: chosen.0,
                start,
                when: chosen.1,
                nightly_max: chosen.2,
                bundle_max: chosen.3,
                account: XeroAccountId::new(account),
                prepayment_account,
                prepayment_account_id: Some(XeroAccountId::new(account)),
                prepayment_tax,
                merchant_contact: fees.0.map(XeroContactId::new),
                bill_status: BillStatus::ALL[usize::from(due_at.0.unsigned_abs()) % 3],
                fee_accounts: fees.1,
                due_at: time(due_at.0, due_at.1, due_at.2, 0),
                same_money_days: chosen.2 % 32,
            }
        },
    )
}

/// Names that people gave, and notes that they made in the row by hand (CC-10, CC-19).
#[tokio::test]
async fn what_is_no_setting_stays_when_settings_are_stored() {
    let world = World::new().await;
    let with = Settings { upload: Some(uploading()), forward_days: Some(7), ..settings() };
    world.tables.store_settings(&with).await.unwrap();
    let names = ["name", "administrator_contact", "bank_feed_name", "payment_gateway_name", "note"];
    for name in names {
        let key = AttributeValue::S(organisation().to_string());
        let update =
            world.direct.update_item().table_name("organisations").key("organisation", key);
        let update = update.update_expression("SET #n = :n").expression_attribute_names("#n", name);
        let value = AttributeValue::S(format!("the {name}"));
        update.expression_attribute_values(":n", value).send().await.unwrap();
    }
    // Without uploading: its settings go, and nothing else.
    let without = Settings { upload: None, forward_days: None, ..with };
    world.tables.store_settings(&without).await.unwrap();
    let row = &world.rows("organisations").await[0];
    for name in names {
        assert_eq!(row[name], format!("the {name}"));
    }
    assert!(!row.contains_key("upload_account_id") && !row.contains_key("forward_days"), "{row:?}");
    let stored = world.tables.settings(organisation()).await.unwrap().unwrap();
    assert_eq!(format!("{stored:?}"), format!("{without:?}"));
}

#[test]
fn law_settings_are_read_as_they_were_stored() {
    let zones = select(vec!["Australia/Sydney", "UTC", "Pacific/Kiritimati"]);
    let chosen = (any::<bool>(), "[A-Z -]{0,20}", zones);
    let days = (option::of(0..=payments::FORWARD_DAYS_MAX), option::of(arb_date()));
    let calls = 1..=payments::budget::DAY_MAX;
    let max = option::of(1..=1_000_000_u32);
    let all = (chosen, days, (calls, max), option::of(arb_upload_settings()));
    law(
        64,
        all,
        async |world, organisation, ((enabled, prefix, zone), days, (calls, max), upload)| {
            let stored = Settings {
                mirror_enabled: enabled,
                prefix: payments::NumberPrefix::new(prefix).unwrap(),
                forward_days: days.0,
                calls_per_day: calls,
                mass_change_max: max,
                cutover_on: days.1,
                upload,
                ..Settings::new(organisation, jiff::tz::TimeZone::get(zone).unwrap())
            };
            world.tables.store_settings(&stored).await.unwrap();
            let read = world.tables.settings(organisation).await.unwrap().unwrap();
            assert_eq!(format!("{read:?}"), format!("{stored:?}"));
        },
    );
}

#[tokio::test]
async fn a_time_zone_without_a_name_is_refused_instead_of_replaced() {
    let world = World::new().await;
    let fixed = jiff::tz::TimeZone::fixed(jiff::tz::offset(10));
    let result = world.tables.store_settings(&Settings { zone: fixed, ..settings() }).await;
    assert!(matches!(result, Err(table::WriteError::Malformed(_))), "{result:?}");
    assert!(world.tables.settings(organisation()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named_with_its_attribute_and_never_quoted() {
    // N9
    let world = World::new().await;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: &str| AttributeValue::N(value.to_owned());
    let map = |name: &str, value| AttributeValue::M([(name.to_owned(), value)].into());
    let broken = [
        ("time_zone", text("Canary/Nowhere")),
        ("cutover_on", text("canary")),
        ("prefix", text("canary canary canary canary")),
        ("calls_per_day", number("0")),
        ("calls_per_day", number("5001")),
        ("upload_enabled", text("canary")),
        ("upload_start", text("canary")),
        ("upload_when", text("canary")),
        ("upload_nightly_max", number("201")),
        ("upload_nightly_max", number("0")),
        ("upload_nightly_max", number("1.5")),
        ("upload_bundle_max", number("51")),
        ("upload_account_id", text("canary")),
        ("prepayment_account_code", text("")),
        ("prepayment_tax_type", text("")),
        ("merchant_contact_id", text("canary")),
        ("fee_accounts", text("canary")),
        ("fee_accounts", map("Canary", text("404"))),
        ("fee_accounts.chargeback", map("chargeback", text(""))),
        ("fee_accounts.chargeback", map("chargeback", text(" canary"))),
        ("fee_accounts.chargeback", map("chargeback", text("canary canary"))),
        ("fee_accounts.chargeback", map("chargeback", number("404"))),
        ("fee_accounts.chargeback", map("chargeback", map("tax_type", text("canary")))),
        ("fee_accounts.chargeback", map("chargeback", map("account_code", number("404")))),
        ("upload_due_at", text("canary")),
        ("upload_due_at", text("03:59")),
    ];
    let stored = Settings { upload: Some(uploading()), ..settings() };
    for (name, value) in broken {
        world.tables.store_settings(&stored).await.unwrap();
        let attribute = name.split('.').next().unwrap();
        set(&world, organisation(), attribute, value).await;
        let error = world.tables.settings(organisation()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("organisations") && text.contains(name), "{text}");
        assert!(!text.contains("anary"), "{text}");
    }
}

#[tokio::test]
async fn uploading_is_what_an_operator_types_into_the_console() {
    // EX-14, EX-31, EX-33, EX-35
    let world = World::new().await;
    world.tables.store_settings(&settings()).await.unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    for (name, value) in [
        ("upload_enabled", AttributeValue::Bool(true)),
        ("upload_start", text("2026-11-25T09:00:00+11:00")),
        ("upload_account_id", text("5040915E-8CE7-4177-8D08-FDE416232F18")),
        ("upload_due_at", text("21:30")),
    ] {
        set(&world, organisation(), name, value).await;
    }

    let read = world.tables.settings(organisation()).await.unwrap().unwrap();

    let start = UploadStart::Moment("2026-11-24T22:00:00Z".parse().unwrap());
    let expected = UploadSettings { start, due_at: time(21, 30, 0, 0), ..uploading() };
    assert_eq!(read.upload, Some(expected));
    world.tables.store_settings(&read).await.unwrap();
    assert_eq!(world.rows("organisations").await[0]["upload_due_at"], "21:30");
}

#[tokio::test]
async fn where_fees_are_booked_is_a_map_of_codes() {
    // EX-13, EX-19: a code, or a code and a tax type.
    let world = World::new().await;
    let stored = Settings { upload: Some(uploading()), ..settings() };
    world.tables.store_settings(&stored).await.unwrap();
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let with_tax = [("account_code", "412"), ("tax_type", "INPUT")];
    let with_tax = with_tax.map(|(name, value)| (name.to_owned(), text(value)));
    let accounts = [("processing".to_owned(), text("404"))];
    let accounts =
        accounts.into_iter().chain([("chargeback".to_owned(), AttributeValue::M(with_tax.into()))]);
    set(&world, organisation(), "fee_accounts", AttributeValue::M(accounts.collect())).await;
    let contact = "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7";
    set(&world, organisation(), "merchant_contact_id", text(contact)).await;

    let read = world.tables.settings(organisation()).await.unwrap().unwrap().upload.unwrap();

    assert_eq!(read.merchant_contact, Some(contact.parse().unwrap()));
    let account = |kind: &str| read.fee_accounts.get(&kind.parse().unwrap()).cloned();
    let expected = |code: &str, tax: Option<&str>| {
        Some(FeeAccount { code: code.to_owned(), id: None, tax: tax.map(str::to_owned) })
    };
    assert_eq!(account("processing"), expected("404", None));
    assert_eq!(account("chargeback"), expected("412", Some("INPUT")));
    assert_eq!(account("other"), None);
}

#[tokio::test]
async fn switched_on_without_an_account_is_a_mistake_and_not_set_up_at_all_is_none() {
    let world = World::new().await;
    world.tables.store_settings(&settings()).await.unwrap();
    for name in ["upload_nightly_max", "upload_bundle_max"] {
        set(&world, organisation(), name, AttributeValue::N("7".to_owned())).await;
    }
    set(&world, organisation(), "upload_enabled", AttributeValue::Bool(false)).await;
    assert_eq!(world.tables.settings(organisation()).await.unwrap().unwrap().upload, None);

    set(&world, organisation(), "upload_enabled", AttributeValue::Bool(true)).await;
    let error = world.tables.settings(organisation()).await.unwrap_err().to_string();
    assert!(error.contains("upload_start"), "{error}");
}

#[tokio::test]
async fn an_organisation_that_cannot_be_read_does_not_stop_the_others() {
    // Given one that uploads, one that does not, one that could, and two that are broken
    let world = World::new().await;
    let id = |n: u128| OrganisationId::new(uuid::Uuid::from_u128(n));
    let on = Some(uploading());
    let off = Some(UploadSettings { enabled: false, ..uploading() });
    for (n, upload) in [(1, None), (2, on.clone()), (3, off), (4, on.clone()), (5, on)] {
        let stored = Settings { organisation: id(n), upload, ..settings() };
        world.tables.store_settings(&stored).await.unwrap();
    }
    set(&world, id(1), "time_zone", AttributeValue::S("Nowhere".to_owned())).await;
    set(&world, id(2), "time_zone", AttributeValue::S("Nowhere".to_owned())).await;
    set(&world, id(5), "upload_enabled", AttributeValue::S("yes".to_owned())).await;

    let found = world.tables.uploading_organisations().await.unwrap();

    let found: Vec<_> =
        found.iter().map(|one| (one.organisation.unwrap(), one.settings.is_ok())).collect();
    assert_eq!(found, [(id(2), false), (id(4), true), (id(5), false)]);
    world.proxy.plan(|_| Do::Refuse("InternalServerError"));
    assert!(world.tables.uploading_organisations().await.is_err());
}

async fn set(world: &World, organisation: OrganisationId, name: &str, value: AttributeValue) {
    world
        .direct
        .update_item()
        .table_name("organisations")
        .key("organisation", AttributeValue::S(organisation.to_string()))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value)
        .send()
        .await
        .unwrap();
}
