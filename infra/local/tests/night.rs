//! Nights on this machine: played through the Invoke API, whenever that is.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use local::{
    Builder, Parts, Stack, engines::queues, external_endpoints::Elsewhere,
    simulator::SAMPLE_ORGANISATION,
};
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice};

const SOON: Duration = Duration::from_secs(60);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const CUSTOMER: &str = "Harbour Ferries Pty Ltd";

fn quick() -> Builder {
    Stack::builder().windows(Duration::ZERO, Duration::ZERO)
}

/// 22:00 in Sydney, so many days from now on the stack's clock.
fn evening(stack: &Stack, days: i64) -> Result<Timestamp> {
    let day = stack.clock().now().to_zoned(TimeZone::get("Australia/Sydney")?).date();
    let evening = day.checked_add(days.days())?.at(22, 0, 0, 0);
    Ok(evening.to_zoned(TimeZone::get("Australia/Sydney")?)?.timestamp())
}

async fn invoke(stack: &Stack, event: &Value) -> Result<Value> {
    let url = format!("{}/2015-03-31/functions/upload/invocations", stack.invoke_url());
    let answer = reqwest::Client::new().post(url).body(event.to_string()).send().await?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}

async fn report(stack: &Stack, messages: &[Value]) -> Result<()> {
    let url = queues::url(stack.sqs(), queues::INTAKE).await?;
    for message in messages {
        let send = stack.sqs().send_message().queue_url(&url);
        send.message_body(message.to_string()).send().await?;
    }
    Ok(())
}

/// A customer who owes 500.00 and has paid that many times 10.00 by BPAY.
async fn paid_by_bpay(stack: &Stack, payments: usize) -> Result<()> {
    let xero = stack.simulator()?;
    let contact = xero.add_contact(SAMPLE_ORGANISATION, CUSTOMER)?;
    xero.add_invoice_to(
        contact,
        NewInvoice {
            organisation: SAMPLE_ORGANISATION,
            number: "CM-1001".to_owned(),
            contact_name: String::new(),
            total: "500.00".parse()?,
            currency: "AUD".to_owned(),
            date: "2026-10-01".parse()?,
            due_date: "2099-12-31".parse()?,
            kind: InvoiceKind::Accrec,
        },
    )?;
    let of = |kind: &str| json!({ "version": 1, "type": kind, "organisation": SAMPLE_ORGANISATION, "revision": 1 });
    let mut customer = of("customer");
    customer["customer"] = json!("C-1");
    customer["xero_contact_id"] = json!(contact);
    let mut invoice = of("invoice");
    invoice["number"] = json!("1001");
    invoice["total"] = json!({ "amount": "500.00", "currency": "AUD" });
    invoice["contact"] = json!({ "company": CUSTOMER });
    invoice["issued_on"] = json!("2026-10-01");
    invoice["due_on"] = json!("2099-12-31");
    let mut messages = vec![customer, invoice];
    for number in 1..=payments {
        let mut payment = of("payment");
        payment["id"] = json!(format!("P-{number}"));
        payment["amount"] = json!({ "amount": "10.00", "currency": "AUD" });
        payment["date"] = json!(format!("2026-10-{:02}", number + 1));
        payment["method"] = json!("bpay");
        payment["customer"] = json!("C-1");
        payment["transaction_id"] = json!(format!("T-{number}"));
        payment["status"] = json!("confirmed");
        payment["reference"] = json!(format!("payer-{number}"));
        payment["entered_at"] = json!("2026-10-20T09:00:00Z");
        payment["allocations"] = json!([]);
        messages.push(payment);
    }
    report(stack, &messages).await?;
    stack.drained(SOON).await
}

/// Uploads so many payments in a night from now on.
async fn nightly_max(stack: &Stack, most: u32) -> Result<()> {
    let update = stack.dynamodb().update_item().table_name("organisations");
    let key = AttributeValue::S(SAMPLE_ORGANISATION.to_string());
    let update = update.key("organisation", key);
    let update = update.update_expression("SET upload_nightly_max = :most");
    let most = AttributeValue::N(most.to_string());
    update.expression_attribute_values(":most", most).send().await?;
    Ok(())
}

/// What the payers wrote whose payments are in Xero.
fn in_xero(stack: &Stack) -> Result<Vec<String>> {
    let live = stack.simulator()?.live_references(SAMPLE_ORGANISATION);
    assert!(live.values().all(|ids| ids.len() == 1), "doubled: {live:?}");
    let payers = live.keys().map(|reference| {
        let payer = reference.split(' ').find(|word| word.starts_with("payer-"));
        payer.map(str::to_owned).with_context(|| format!("whose is {reference}?"))
    });
    payers.collect()
}

fn outcome(answer: &Value) -> (&str, Option<u64>, Option<u64>) {
    let night = &answer["nights"][0];
    let report = &night["report"];
    let outcome = night["outcome"].as_str().unwrap_or_default();
    (outcome, report["uploaded"].as_u64(), report["carried"].as_u64())
}

/// Rows of a table, attribute by attribute.
async fn rows(stack: &Stack, table: &str) -> Result<Vec<HashMap<String, AttributeValue>>> {
    let answer = stack.dynamodb().scan().table_name(table).send().await?;
    Ok(answer.items.unwrap_or_default())
}

fn text<'a>(row: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default()
}

#[tokio::test]
async fn a_night_ahead_is_played_now_once_and_the_next_one_takes_the_rest() -> Result<()> {
    // EX-31, U11, U17, V20
    let stack = quick().start().await?;
    paid_by_bpay(&stack, 5).await?;
    nightly_max(&stack, 3).await?;
    let first = json!({ "scheduled_time": evening(&stack, 1)? });

    let answer = invoke(&stack, &first).await?;

    assert_eq!(outcome(&answer), ("finished", Some(3), Some(2)), "{answer}");
    assert_eq!(in_xero(&stack)?, ["payer-1", "payer-2", "payer-3"], "the oldest");
    assert!(stack.clock().now() >= evening(&stack, 0)?, "the clock was put forward");
    assert_eq!(stack.clock().now().as_second(), stack.simulator()?.now().as_second());

    let again = invoke(&stack, &first).await?;

    assert_eq!(outcome(&again).0, "already_run", "{again}");
    assert_eq!(in_xero(&stack)?.len(), 3);

    stack.drained(SOON).await?;
    let second = json!({ "scheduled_time": evening(&stack, 1)? });
    let answer = invoke(&stack, &second).await?;

    assert_eq!(outcome(&answer), ("finished", Some(2), Some(0)), "{answer}");
    assert_eq!(in_xero(&stack)?.len(), 5);

    stack.drained(SOON).await?;
    let payments = rows(&stack, "payments").await?;
    let ours = payments.iter().filter(|row| {
        text(row, "payment_id").starts_with("P-") && !text(row, "xero_payment_id").is_empty()
    });
    assert_eq!(
        (ours.count(), payments.len()),
        (5, 5),
        "announced to us, and no news: {payments:?}"
    );
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_preview_or_a_night_of_the_past_moves_no_time() -> Result<()> {
    let stack = quick().start().await?;
    paid_by_bpay(&stack, 1).await?;
    let preview = json!({ "preview": true, "scheduled_time": evening(&stack, 3)? });

    let answer = invoke(&stack, &preview).await?;

    assert_eq!(answer["previews"][0]["would_go"], 1, "{answer}");
    assert!(stack.clock().ahead().is_zero());

    let answer = invoke(&stack, &json!({ "scheduled_time": evening(&stack, -3)? })).await?;

    assert_eq!(outcome(&answer).0, "not_now", "{answer}");
    assert!(stack.clock().ahead().is_zero());
    assert!(in_xero(&stack)?.is_empty());
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn functions_in_another_process_take_the_simulator_along_and_find_its_time_again()
-> Result<()> {
    let nothing = Parts { engines: false, simulator: false, functions: false };
    let engines = Parts { engines: true, simulator: true, ..nothing };
    let around = quick().parts(engines).start().await?;
    let elsewhere = Elsewhere {
        dynamodb_url: Some(around.dynamodb_url().to_owned()),
        sqs_url: Some(around.sqs_url().to_owned()),
        xero: Some(around.xero().clone()),
        ..Elsewhere::default()
    };
    let functions = Parts { functions: true, ..nothing };
    let start = || quick().parts(functions).elsewhere(elsewhere.clone()).start();
    let first = start().await?;
    around.announce_to(first.webhook_url())?;
    paid_by_bpay(&around, 2).await?;

    let answer = invoke(&first, &json!({ "scheduled_time": evening(&first, 2)? })).await?;

    assert_eq!(outcome(&answer), ("finished", Some(2), Some(0)), "{answer}");
    assert!(around.clock().ahead() > DAY, "the simulator came along");
    let apart = around.clock().now().duration_since(first.clock().now()).abs();
    assert!(apart < SignedDuration::from_secs(2), "{apart:?}");
    first.stop().await;

    let second = start().await?;

    assert_eq!(
        second.clock().ahead(),
        around.clock().ahead(),
        "it has nothing of its own to go by"
    );
    second.stop().await;
    around.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_restart_does_not_put_the_clock_back() -> Result<()> {
    let data = std::env::temp_dir().join(format!("paymirror-clock-{}", Uuid::new_v4()));
    let stack = quick().data(&data).start().await?;
    let answer = invoke(&stack, &json!({ "scheduled_time": evening(&stack, 2)? })).await?;
    assert_eq!(outcome(&answer).0, "finished", "{answer}");
    let ahead = stack.clock().ahead();
    stack.stop().await;

    let stack = quick().data(&data).start().await?;

    assert!(ahead > DAY);
    assert_eq!(stack.clock().ahead(), ahead);
    let shown = stack.simulator()?.now().duration_since(stack.clock().now()).abs();
    assert!(shown < SignedDuration::from_secs(2), "{shown:?}");
    stack.stop().await;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}

#[tokio::test]
async fn settings_of_an_earlier_version_get_the_upload_and_no_others_do() -> Result<()> {
    let data = std::env::temp_dir().join(format!("paymirror-settings-{}", Uuid::new_v4()));
    let stack = quick().data(&data).start().await?;
    // As an earlier version has left it, and as the operators have changed it since.
    let settings = stack.dynamodb().put_item().table_name("organisations");
    let settings = settings
        .item("organisation", AttributeValue::S(SAMPLE_ORGANISATION.to_string()))
        .item("mirror_enabled", AttributeValue::Bool(false))
        .item("prefix", AttributeValue::S("CM-".to_owned()))
        .item("time_zone", AttributeValue::S("Australia/Perth".to_owned()));
    settings.send().await?;
    stack.stop().await;

    let stack = quick().data(&data).start().await?;

    let found = rows(&stack, "organisations").await?;
    assert_eq!(found.len(), 1);
    assert_eq!(text(&found[0], "time_zone"), "Australia/Perth");
    assert_eq!(text(&found[0], "upload_start"), "2025-07-01");
    assert_eq!(found[0]["upload_enabled"], AttributeValue::Bool(true));
    assert_eq!(found[0]["mirror_enabled"], AttributeValue::Bool(false), "that is not ours to say");
    stack.stop().await;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}
