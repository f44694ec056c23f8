//! One record harms itself only: a record that cannot be read, represented or sent is held with its id and its
//! reason, and everybody else's money goes up in the same run (AMB-30, FAULT-32).

use jiff::SignedDuration;
use jiff::civil::date;
use payments::{Money, Receipt};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault, NewOrganisation, PrepaymentReferences};

use crate::samples::{Paid, bpay, pay_now};
use crate::world::{World, evening, march};

async fn wake(world: &World) -> Value {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    world.invoke(event).await.unwrap()
}

/// A customer with an open invoice and a BPAY payment of the same amount.
async fn paying(world: &World, customer: &str) {
    let contact = world.customer(customer).await;
    world.invoice(contact, &format!("CM-{customer}"), 100_00, march(1));
    world.pay(bpay(&format!("P-{customer}"), customer, 100_00, march(1))).await;
}

async fn stands(world: &World, payment: &str) -> (&'static str, String, String) {
    let row = world.row(payment).await;
    (row.state.code(), row.reason, row.why)
}

#[tokio::test]
async fn amb_30_a_payment_with_a_third_decimal_is_held_and_the_others_go() {
    let books = NewOrganisation { currency: "KWD".to_owned(), ..NewOrganisation::default() };
    let world = World::keeping(books, PrepaymentReferences::Kept).await;
    let kwd = |text: &str| Money::parse(text, "KWD".parse().unwrap()).unwrap();
    for (n, amount) in ["10.125", "5.50", "5.50", "5.50", "5.50"].into_iter().enumerate() {
        let customer = format!("K{n}");
        let contact = world.customer(&customer).await;
        world.invoice_of(contact, &format!("CM-{n}"), (Decimal::new(20_00, 2), "KWD"), march(1));
        let receipt = bpay(&format!("P-{n}"), &customer, 0, march(1)).receipt(world.organisation());
        world.report(Receipt { amount: kwd(amount), ..receipt }).await;
    }

    world.night(evening()).await;

    let (state, reason, why) = stands(&world, "P-0").await;
    assert_eq!((state, reason.as_str()), ("held", "AMOUNT_NOT_REPRESENTABLE"));
    assert!(why.contains("10.125 KWD"), "{why}");
    for n in 1..5 {
        assert_eq!(world.state(&format!("P-{n}")).await, "uploaded", "{n}");
    }
    world.check().await;
}

#[tokio::test]
async fn amb_30_rupiahs_by_the_billion_and_half_a_yen_hold_up_no_other_payment() {
    let world = World::new().await;
    for (customer, amount, currency) in
        [("IDR", "2500000000.00", "IDR"), ("JPY", "100.50", "JPY"), ("EEK", "12.34", "EEK")]
    {
        paying(&world, customer).await;
        let contact = world.row(&format!("P-{customer}")).await.receipt.customer.unwrap();
        let contact = world.tables.customer(world.organisation(), &contact).await.unwrap().unwrap();
        let contact = contact.contact.unwrap().to_string().parse().unwrap();
        let total = amount.parse().unwrap();
        world.invoice_of(contact, &format!("EXP-{customer}"), (total, currency), march(1));
    }
    paying(&world, "plain").await;

    let answer = world.night(evening()).await;

    for customer in ["IDR", "JPY", "EEK", "plain"] {
        assert_eq!(world.state(&format!("P-{customer}")).await, "uploaded", "{answer}");
    }
    world.check().await;
}

#[tokio::test]
async fn amb_30_an_invoice_that_cannot_be_read_holds_what_rests_on_it_and_nothing_else() {
    let world = World::new().await;
    for customer in ["odd", "good"] {
        paying(&world, customer).await;
    }
    let other = world.customer("other").await;
    for number in ["CM-1", "CM-2"] {
        world.invoice(other, number, 50_00, march(1));
    }
    world.pay(pay_now("P-1", "1", 50_00)).await;
    world.pay(pay_now("P-2", "2", 50_00)).await;
    // Xero does not say what is due on these.
    world.xero.spoil(|path, body| {
        let Ok(mut answer) = serde_json::from_str::<Value>(&body) else { return body };
        if path.contains("/Invoices") {
            for invoice in answer["Invoices"].as_array_mut().into_iter().flatten() {
                if invoice["InvoiceNumber"] == "CM-odd" || invoice["InvoiceNumber"] == "CM-1" {
                    invoice["AmountDue"] = json!("a lot");
                }
            }
        }
        answer.to_string()
    });

    let answer = wake(&world).await;

    assert_eq!(answer["batchItemFailures"], json!([]));
    let (state, reason, why) = stands(&world, "P-1").await;
    assert_eq!((state, reason.as_str()), ("held", "INVOICE_UNREADABLE"));
    assert!(why.contains("CM-1") && why.contains("AmountDue"), "{why}");
    assert_eq!(world.state("P-2").await, "uploaded");

    world.night(evening()).await;

    let (state, reason, why) = stands(&world, "P-odd").await;
    assert_eq!((state, reason.as_str()), ("held", "INVOICE_UNREADABLE"));
    assert!(why.contains("CM-odd") && why.contains("AmountDue"), "{why}");
    assert_eq!(world.state("P-good").await, "uploaded");
    // It is mended in Xero.
    world.xero.spoil(|_, body| body);
    world.clock.advance(SignedDuration::from_hours(24));
    world.night(world.now()).await;
    assert_eq!((world.state("P-odd").await, world.state("P-1").await), ("uploaded", "uploaded"));
    world.check().await;
}

#[tokio::test]
async fn amb_30_numbers_with_every_kind_of_sign_are_found() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let numbers: [&'static str; 6] = ["7,8", "9 (b)", "10&x=y", "11 \"c\"", "12 'd' [e]", "13#+%"];
    for (n, number) in numbers.into_iter().enumerate() {
        world.invoice(contact, &format!("CM-{number}"), 50_00, march(1));
        world.pay(pay_now(&format!("P-{n}"), number, 50_00)).await;
    }

    let answer = wake(&world).await;

    assert_eq!(answer["batchItemFailures"], json!([]));
    for row in world.ledger().await {
        assert_eq!(row.state.code(), "uploaded", "{}: {}", row.receipt.id, row.why);
    }
    world.check().await;
}

#[tokio::test]
async fn amb_30_a_number_that_xero_takes_no_question_for_holds_its_payment_alone() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    for number in ["7,8", "9", "10,\"", "11", "12", "x 13"] {
        world.invoice(contact, &format!("CM-{number}"), 50_00, march(1));
    }
    for (id, number) in [
        ("P-1", "7,8"),
        ("P-2", "9"),
        ("P-3", "10,\""),
        ("P-4", "11"),
        ("P-5", "x 13"),
        ("P-6", "12"),
    ] {
        world.pay(pay_now(id, number, 50_00)).await;
    }
    // Alone or among others, Xero refuses to hear of this one.
    world.xero.refuse("CM-x%2013");
    world.night(evening()).await;
    let (state, reason, why) = stands(&world, "P-5").await;
    assert_eq!((state, reason.as_str()), ("held", "INVOICE_UNREADABLE"));
    assert!(why.contains("CM-x 13"), "{why}");
    let (state, reason, _) = stands(&world, "P-3").await;
    assert_eq!((state, reason.as_str()), ("held", "INVOICE_UNREADABLE"));
    for id in ["P-1", "P-2", "P-4", "P-6"] {
        assert_eq!(world.state(id).await, "uploaded", "{id}");
    }
    world.check().await;
}

#[tokio::test]
async fn amb_30_a_call_that_one_element_spoils_is_halved_until_it_is_found() {
    let world = World::new().await;
    world.bpay_payments(30).await;
    world.xero.refuse("BPAY P-0007");
    world.xero.take_calls();

    world.night(evening()).await;

    let (state, reason, why) = stands(&world, "P-0007").await;
    assert_eq!((state, reason.as_str()), ("refused", "refused_by_xero"));
    assert!(why.contains("JSON for post data was invalid"), "{why}");
    for n in (1..=30).filter(|n| *n != 7) {
        assert_eq!(world.state(&format!("P-{n:04}")).await, "uploaded", "{n}");
    }
    let calls = world.xero.take_calls();
    let puts = calls.iter().filter(|call| call.starts_with("PUT")).count();
    assert!(puts <= 11, "{puts} calls");
    let looks = calls.iter().filter(|call| call.contains("GET") && call.contains("/Payments"));
    // Once when they are planned, and once before they are sent (A8.3).
    assert_eq!(looks.count(), 2, "{calls:?}");
    // A refused payment has given its slot back, and nothing is counted twice.
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_in("2026-03-02".parse().unwrap()), 29);
    world.check().await;
}

#[tokio::test]
async fn amb_30_where_every_element_is_bad_the_calls_are_bounded_and_nothing_is_lost() {
    let world = World::new().await;
    world.bpay_payments(120).await;
    world.xero.refuse("BPAY P-");

    world.night(evening()).await;

    let calls = world.xero.take_calls();
    let puts = calls.iter().filter(|call| call.starts_with("PUT")).count();
    assert!(puts <= 45, "{puts} calls");
    assert!(world.in_xero().is_empty());
    let messages = world.rows("messages").await;
    assert!(messages.iter().any(|row| row["message"].starts_with("CALLS_REFUSED")), "{messages:?}");
    // It was Xero: what was not tried for itself goes in the next night.
    world.xero.refuse("nothing of the kind");
    world.clock.advance(SignedDuration::from_hours(24));
    world.night(world.now()).await;
    for row in world.ledger().await {
        assert!(
            ["uploaded", "refused"].contains(&row.state.code()),
            "{}: {}",
            row.receipt.id,
            row.why
        );
    }
    assert!(world.in_xero().len() >= 80);
    world.check().await;
}

#[tokio::test]
async fn amb_30_a_prepayment_whose_account_was_taken_away_waits_for_it_and_the_others_go() {
    let world = World::new().await;
    world.customer("K").await;
    world.pay(bpay("P-pre", "K", 30_00, date(2026, 1, 1))).await;
    world.simulator.inject(Fault::on("PUT", "/BankTransactions", Effect::Cut).times(3));
    world.night(evening()).await;
    assert_eq!(world.state("P-pre").await, "unknown");
    world.settings(|uploading| uploading.prepayment_account = None).await;
    paying(&world, "good").await;

    world.work_off_tasks().await;

    let (state, reason, why) = stands(&world, "P-pre").await;
    assert_eq!((state, reason.as_str()), ("held", "NO_PREPAYMENT_ACCOUNT"), "{why}");
    assert_eq!(world.state("P-good").await, "uploaded");
    world.settings(|_| {}).await;
    world.clock.advance(SignedDuration::from_hours(24));
    world.night(world.now()).await;
    assert_eq!(world.state("P-pre").await, "uploaded");
    world.check().await;
}

#[tokio::test]
async fn amb_30_a_row_that_cannot_be_read_back_leaves_only_its_own_payment_unproven() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    for number in ["CM-1", "CM-2"] {
        world.invoice(contact, number, 50_00, march(1));
    }
    world.pay(pay_now("P-1", "1", 50_00)).await;
    world.pay(pay_now("P-2", "2", 50_00)).await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));
    wake(&world).await;
    let stamp = world.row("P-1").await.parts[0].stamp.to_string();
    world.xero.spoil(move |path, body| {
        let Ok(mut answer) = serde_json::from_str::<Value>(&body) else { return body };
        for payment in answer["Payments"].as_array_mut().into_iter().flatten() {
            if payment["Reference"].as_str().is_some_and(|text| text.contains(&stamp)) {
                payment["Status"] = json!("PERHAPS");
            }
        }
        let _ = path;
        answer.to_string()
    });

    world.clock.advance(SignedDuration::from_mins(20));
    wake(&world).await;
    assert_eq!((world.state("P-1").await, world.state("P-2").await), ("unknown", "uploaded"));
    for _ in 0..3 {
        world.clock.advance(SignedDuration::from_hours(2));
        wake(&world).await;
    }
    assert_eq!(world.state("P-1").await, "unknown", "it is never sent again");
    let messages = world.rows("messages").await;
    assert!(
        messages.iter().any(|row| row["message"].starts_with("PROOF_UNREADABLE")),
        "{messages:?}"
    );
    // It is mended.
    world.xero.spoil(|_, body| body);
    world.clock.advance(SignedDuration::from_hours(2));
    wake(&world).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(world.in_xero().len(), 2);
    world.check().await;
}

#[tokio::test]
async fn amb_30_a_poisoned_message_an_unreadable_invoice_and_an_unsendable_payment_stop_no_other() {
    let books = NewOrganisation { currency: "KWD".to_owned(), ..NewOrganisation::default() };
    let world = World::keeping(books, PrepaymentReferences::Kept).await;
    let kwd = |text: &str| Money::parse(text, "KWD".parse().unwrap()).unwrap();
    let contact = world.customer("K").await;
    for n in ["1", "2", "3"] {
        let total = (Decimal::new(20_00, 2), "KWD");
        world.invoice_of(contact, &format!("CM-{n}"), total, march(1));
        let mut paid = pay_now(&format!("P-{n}"), "1", 0);
        paid.on.clear();
        let mut receipt = paid.receipt(world.organisation());
        receipt.amount = kwd(if n == "2" { "10.125" } else { "5.50" });
        let invoice = n.parse().unwrap();
        receipt.allocations = vec![payments::Allocation { invoice, amount: receipt.amount }];
        world.report(receipt).await;
    }
    world.xero.spoil(|_, body| {
        body.replace(r#""InvoiceNumber":"CM-3","#, r#""InvoiceNumber":"CM-3","Date":"?","#)
    });
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [
        {"messageId": "poison", "body": "{\"kind\":"},
        {"messageId": "good", "body": task.to_string()},
    ]});

    let answer = world.invoke(event).await.unwrap();

    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(stands(&world, "P-2").await.1, "AMOUNT_NOT_REPRESENTABLE");
    assert_eq!(stands(&world, "P-3").await.1, "INVOICE_UNREADABLE");
    let parked = world.rows("parked").await;
    assert!(parked.len() == 1 && parked[0]["parked_at"].contains("poison"), "{parked:?}");
}

#[tokio::test]
async fn amb_30_rows_of_ours_that_cannot_be_read_stop_no_other() {
    let world = World::new().await;
    for customer in ["ledger", "customer", "good"] {
        paying(&world, customer).await;
    }
    spoil_row(&world, ("uploads", "payment_id", "P-ledger"), "amount").await;
    spoil_row(&world, ("customers", "customer", "customer"), "revision").await;

    let answer = world.night(evening()).await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(world.state("P-good").await, "uploaded");
    let (state, reason, why) = stands(&world, "P-customer").await;
    assert_eq!((state, reason.as_str()), ("held", "CANNOT_BE_SENT"));
    assert!(why.contains("the row of customer customer cannot be read"), "{why}");
    let messages = world.rows("messages").await;
    let message = messages.iter().find(|row| row["message"].starts_with("UNREADABLE_ROW")).unwrap();
    assert!(
        message["why"].contains("P-ledger") && message["why"].contains("amount"),
        "{message:?}"
    );
}

#[tokio::test]
async fn amb_30_rows_about_a_payment_that_cannot_be_read_hold_that_payment_and_no_other() {
    use aws_sdk_dynamodb::types::AttributeValue;
    // One that has the transaction id of another, whose upload cannot be read; and one whose part on its invoice
    // cannot be.
    let world = World::new().await;
    let twin = |id: &str| Paid { transaction: Some("T-twin"), ..bpay(id, "twin", 70_00, march(1)) };
    for customer in ["twin", "good"] {
        paying(&world, customer).await;
    }
    world.pay(twin("P-first")).await;
    spoil_row(&world, ("uploads", "payment_id", "P-first"), "amount").await;
    world.pay(twin("P-second")).await;
    let contact = world.customer("part").await;
    world.invoice(contact, "CM-10235", 40_00, march(1));
    world.pay(Paid { on: vec![("10235", 40_00)], ..bpay("P-part", "part", 40_00, march(1)) }).await;
    let key = format!("{}/10235", world.tenant);
    let update = world.direct.update_item().table_name("payments");
    let update = update.key("invoice", AttributeValue::S(key));
    let update = update.key("payment_id", AttributeValue::S("P-part".to_owned()));
    let update = update.update_expression("SET xero_payment_id = :no");
    let update = update.expression_attribute_values(":no", AttributeValue::S("?".to_owned()));
    update.send().await.unwrap();

    let answer = world.night(evening()).await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(world.state("P-good").await, "uploaded");
    assert_eq!(world.state("P-twin").await, "uploaded");
    let (state, reason, why) = stands(&world, "P-second").await;
    assert_eq!((state, reason.as_str()), ("held", "POSSIBLE_DUPLICATE"), "{why}");
    let (state, reason, why) = stands(&world, "P-part").await;
    assert_eq!((state, reason.as_str()), ("held", "CANNOT_BE_SENT"));
    assert!(why.contains("xero_payment_id"), "{why}");
}

/// Gives an attribute of a row a value that no writer of ours stores.
pub async fn spoil_row(world: &World, (table, key, value): (&str, &str, &str), attribute: &str) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let update = world
        .direct
        .update_item()
        .table_name(table)
        .key("organisation", AttributeValue::S(world.tenant.to_string()))
        .key(key, AttributeValue::S(value.to_owned()))
        .update_expression("SET #spoilt = :no")
        .expression_attribute_names("#spoilt", attribute)
        .expression_attribute_values(":no", AttributeValue::S("?".to_owned()));
    update.send().await.unwrap();
}

#[tokio::test]
async fn amb_30_settings_that_make_no_sense_stop_their_own_organisation_and_no_other() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::new().await;
    paying(&world, "good").await;
    // Before ours in the order of ids, and with a night that cannot be.
    let other = "00000000-0000-0000-0000-000000000001";
    let row = [
        ("organisation", AttributeValue::S(other.to_owned())),
        ("upload_enabled", AttributeValue::Bool(true)),
        ("upload_nightly_max", AttributeValue::N("-7".to_owned())),
    ];
    let row = row.map(|(name, value)| (name.to_owned(), value)).into();
    world.direct.put_item().table_name("organisations").set_item(Some(row)).send().await.unwrap();

    let answer = world.invoke(json!({"scheduled_time": evening()})).await.unwrap();

    assert_eq!(answer["nights"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(world.state("P-good").await, "uploaded");
    let messages = world.rows("messages").await;
    let message = messages.iter().find(|row| row["organisation"] == other).unwrap();
    assert!(message["message"].starts_with("UNREADABLE_ROW"), "{message:?}");
}
