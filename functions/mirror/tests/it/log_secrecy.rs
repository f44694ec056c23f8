//! N9: what is written about the work holds ids and counts, and never a secret, a token, a name,
//! a reference or an amount.

use harness::{Do, log_capture};

use crate::world::{World, at, events, invoice, organisation, paid, paper, raw_record, record};
use crate::xero::{Paid, Paper, Reply};

fn secretive(n: u32) -> Paper {
    let payment =
        Paid { reference: Some("Canary Street 5".to_owned()), ..paid(n, 2, 4_711_091_526) };
    Paper { contact: "Canary Ltd".to_owned(), total: 4_711_091_526, ..paper(n, vec![payment]) }
}

#[tokio::test]
async fn no_line_names_a_person_an_amount_or_a_secret() {
    log_capture::start();
    let world = World::new().await;
    for n in 1..=3 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), secretive(n));
    }
    let records = [
        record("m-1", events(&[1, 2], Some(at(-3)))),
        record("m-2", events(&[3, 4], Some(at(60)))),
        raw_record("m-3", r#"{"version":1,"kind":"canary","name":"Canary Ltd"}"#),
        raw_record("m-4", "Canary <4711091526>"),
    ];
    // Everything goes well, with discrepancies; then every kind of trouble.
    world.deliver(&records).await;
    let echo = r#"{"Title":"Canary Ltd","Detail":"token-canary-7f3a 47110915.26"}"#;
    for status in [200, 400, 401, 403, 404, 429, 500, 503] {
        world.xero.always(Reply::status(status, echo));
        world.deliver(&records).await;
        world.forget_calls().await;
    }
    let strange = Paper { status: "Canary", ..secretive(1) };
    world.xero.put(organisation(), invoice(1), strange);
    world.xero.heal();
    world.deliver(&records).await;
    let faults = [
        Do::Refuse("ValidationException"),
        Do::Refuse("ProvisionedThroughputExceededException"),
        Do::Cancel(&["ThrottlingError", "None"]),
        Do::Cancel(&["ConditionalCheckFailed", "None"]),
        Do::LoseAnswer,
    ];
    for (n, fault) in (10..).zip(faults) {
        let mut newer = secretive(2);
        newer.updated_at = at(n);
        newer.payments.push(Paid { reference: Some("Canary".to_owned()), ..paid(n as u32, 3, 1) });
        newer.total += 1;
        world.xero.put(organisation(), invoice(2), newer);
        world.proxy.plan(move |call| if call.is_write() { fault.clone() } else { Do::Pass });
        world.deliver(&records).await;
    }
    world.proxy.plan(|_| Do::Refuse("ResourceNotFoundException"));
    world.deliver(&records).await;
    world.line.recorded.fail_always();
    world.proxy.heal();
    world.xero.always(Reply::status(429, echo));
    world.deliver(&records).await;

    let text = log_capture::take();
    // An operator finds there what is needed.
    let ids = [organisation().to_string(), invoice(1).to_string()];
    let classes = ["Authentication", "Limit", "Timeout", "Validation", "Schema"];
    let needed: Vec<_> = ids.iter().map(String::as_str).chain(classes).collect();
    log_capture::assert_redacted(&text, &[], &needed);
    assert!(text.lines().count() > 50, "{text}");
}

#[tokio::test]
async fn a_batch_is_one_line_with_its_counts() {
    log_capture::start();
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.changed(&[1]).await;
    let text = log_capture::take();
    let done: Vec<_> = text.lines().filter(|line| line.contains("batch done")).collect();
    assert_eq!(done.len(), 1, "{text}");
    let line: serde_json::Value = serde_json::from_str(done[0]).unwrap();
    let fields = &line["fields"];
    assert_eq!(fields["records"], 1);
    assert_eq!(fields["xero.calls"], 1);
    assert_eq!(fields["invoices.changed"], 1);
    assert_eq!(fields["decisions"], 1);
    assert_eq!(fields["slowest_ms"], 3_000, "SP-09");
    assert_eq!(fields["late"], 0);
}

#[tokio::test]
async fn an_item_that_took_more_than_five_minutes_is_counted_as_late() {
    // SP-09
    log_capture::start();
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.deliver(&[record("m-1", events(&[1], Some(at(-301))))]).await;
    let text = log_capture::take();
    assert!(text.contains(r#""late":1"#), "{text}");
}

#[tokio::test]
async fn the_class_of_a_failure_is_in_the_log() {
    // V18: class named
    for (status, class) in [(500, "Timeout"), (404, "Validation"), (403, "Authentication")] {
        log_capture::start();
        let world = World::with_invoice(vec![]).await;
        world.xero.always(Reply::status(status, ""));
        world.deliver(&[record("m-1", events(&[1], Some(at(-3))))]).await;
        let (text, wanted) = (log_capture::take(), format!(r#""class":"{class}""#));
        assert!(text.contains(&wanted), "{status}: {text}");
    }
}
