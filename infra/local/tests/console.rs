//! The operators' pages on the whole stack: an order travels from a button through the real functions.

use std::time::Duration;

use local::{Stack, engines::queues, lambda::Function, simulator::SAMPLE_ORGANISATION};
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice, NewPayment};

/// For what travels through queues.
const SOON: Duration = Duration::from_secs(20);

async fn stack() -> anyhow::Result<Stack> {
    Stack::builder().windows(Duration::ZERO, Duration::ZERO).start().await
}

/// Presses a button in a widget of this function, as our own page does.
async fn press(stack: &Stack, function: Function, event: &Value) -> anyhow::Result<String> {
    let url = stack.console_url();
    let origin = url.trim_end_matches("/console");
    let request = Client::new().post(format!("{url}/call/{}", function.arn()));
    let request = request.header("origin", origin).header("content-type", "application/json");
    let text = request.body(event.to_string()).send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text)?)
}

fn sync_now() -> Value {
    json!({
        "page": "integrations", "order": "sync_now", "organisation": SAMPLE_ORGANISATION,
        "widgetContext": {"forms": {"all": {"pm_by": "Ada", "pm_why": "a payment is missing"}}},
    })
}

#[tokio::test]
async fn sync_now_on_a_page_sweeps_and_moves_last_sync() -> anyhow::Result<()> {
    // CC-12, CC-14, ST-18
    let stack = stack().await?;
    let before = press(&stack, Function::Operate, &json!({"page": "integrations"})).await?;
    assert!(before.contains("<dt>Last sync</dt><dd>never</dd>"), "{before}");

    let after = press(&stack, Function::Operate, &sync_now()).await?;
    assert!(after.contains("Done. The sync is finished"), "{after}");
    assert!(!after.contains("<dt>Last sync</dt><dd>never</dd>"), "{after}");
    // CC-15: the second press gets the first one's run.
    let again = press(&stack, Function::Operate, &sync_now()).await?;
    assert!(again.contains("just now"), "{again}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_viewer_is_refused_and_that_is_to_be_read_in_the_activity() -> anyhow::Result<()> {
    // ST-22
    let stack = stack().await?;
    let refused = press(&stack, Function::Console, &sync_now()).await?;
    assert!(refused.contains("takes the role operator"), "{refused}");
    let activity = json!({"page": "activity", "word": "refused"});
    let activity = press(&stack, Function::Console, &activity).await?;
    assert!(activity.contains("sync_now: refused (ST-22)"), "{activity}");
    let log = press(&stack, Function::Console, &json!({"page": "sync_log"})).await?;
    assert!(log.contains("No run of that kind"), "{log}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn another_site_presses_no_buttons() -> anyhow::Result<()> {
    let stack = stack().await?;
    let url = format!("{}/call/{}", stack.console_url(), Function::Administer.arn());
    let request = || Client::new().post(&url).header("content-type", "application/json");
    for request in [request(), request().header("origin", "https://evil.example")] {
        assert_eq!(request.body("{}").send().await?.status(), 403);
    }
    let rebound = Client::new().get(stack.console_url()).header("host", "evil.example");
    assert_eq!(rebound.send().await?.status(), 403);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_the_functions_answer_to_a_look_is_what_the_pages_can_read() -> anyhow::Result<()> {
    // EX-31
    let stack = stack().await?;
    let page = |page: &str, order: &str| json!({"page": page, "order": order, "organisation": SAMPLE_ORGANISATION});
    let letters = page("dead_letters", "look_at_dead_letters");
    let letters = press(&stack, Function::Operate, &letters).await?;
    assert!(letters.contains("This is a look; nothing was changed."), "{letters}");
    assert_eq!(letters.matches("0 in it").count(), 5, "{letters}");

    let plan = press(&stack, Function::Operate, &page("tonight", "preview_plan")).await?;
    assert!(
        plan.contains("0 payments go, 0 wait for a later night, 0 are held, 0 do not go"),
        "{plan}"
    );
    stack.stop().await;
    Ok(())
}

/// An invoice of 115.00 on both sides, with a payment of 46.00 in Xero; returns Xero's id of that.
async fn paid_in_part(stack: &Stack) -> anyhow::Result<Uuid> {
    let invoice = json!({
        "version": 1, "type": "invoice", "organisation": SAMPLE_ORGANISATION, "number": "1001",
        "revision": 1, "total": {"amount": "115.00", "currency": "AUD"},
        "contact": {"company": "Rubble Quarries Pty Ltd"},
        "issued_on": "2026-10-01", "due_on": "2026-10-31",
    });
    let url = queues::url(stack.sqs(), queues::INTAKE).await?;
    stack.sqs().send_message().queue_url(url).message_body(invoice.to_string()).send().await?;
    stack.drained(SOON).await?;
    let xero = stack.simulator()?;
    let invoice = xero.add_invoice(NewInvoice {
        organisation: SAMPLE_ORGANISATION,
        number: "CM-1001".to_owned(),
        contact_name: "Rubble Quarries Pty Ltd".to_owned(),
        total: "115.00".parse()?,
        currency: "AUD".to_owned(),
        date: "2026-10-01".parse()?,
        due_date: "2026-10-31".parse()?,
        kind: InvoiceKind::Accrec,
    })?;
    let reference = "BPAY 000173".to_owned();
    let payment = NewPayment { date: "2026-10-05".parse()?, amount: "46.00".parse()?, reference };
    let payment = xero.add_payment(invoice, payment)?;
    stack.drained(SOON).await?;
    Ok(payment)
}

#[tokio::test]
async fn a_payment_that_was_deleted_is_explained_and_restored_from_its_invoice()
-> anyhow::Result<()> {
    // EX-23, A7.4, CM-37, CM-39
    let stack = stack().await?;
    let payment = paid_in_part(&stack).await?;
    let why = json!({"page": "why", "search": payment.to_string()});
    let before = press(&stack, Function::Console, &why).await?;
    assert!(
        before.contains("<strong>Copied from Xero.</strong>") && before.contains("applied ("),
        "{before}"
    );

    stack.simulator()?.delete_payment(payment)?;
    stack.drained(SOON).await?;
    let gone = press(&stack, Function::Console, &why).await?;
    assert!(gone.contains("removed ("), "{gone}");

    let restore = json!({
        "page": "invoice", "order": "restore", "invoice": "1001", "payment": format!("xero-{payment}"),
        "organisation": SAMPLE_ORGANISATION,
        "widgetContext": {"forms": {"all": {"pm_by": "Ada", "pm_why": "the money did come"}}},
    });
    let back = press(&stack, Function::Operate, &restore).await?;
    assert!(back.contains(&format!("Done. xero-{payment} is back")), "{back}");
    assert!(back.contains("the money did come") && back.contains("CM-39"), "{back}");
    // A payment that is there already is not offered to be restored.
    assert!(!back.contains("&#34;restore&#34;"), "{back}");
    let again = press(&stack, Function::Operate, &restore).await?;
    assert!(again.contains("is on the invoice already"), "{again}");

    // EX-24: copied, removed and restored are announced once more.
    let now = stack.clock().now();
    let hours = jiff::SignedDuration::from_hours(2);
    let announce = json!({
        "page": "dead_letters", "order": "announce_again", "organisation": SAMPLE_ORGANISATION,
        "from": (now - hours).to_string(), "to": (now + hours).to_string(),
        "widgetContext": {"forms": {"all": {"pm_by": "Ada", "pm_why": "the listener was down"}}},
    });
    let page = press(&stack, Function::Operate, &announce).await?;
    assert!(page.contains("events are on the bus again"), "{page}");
    assert!(!page.contains("Done. 0 events"), "{page}");
    stack.stop().await;
    Ok(())
}
