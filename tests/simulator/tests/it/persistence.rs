use std::{fs, path::PathBuf};

use uuid::Uuid;
use xero_simulator::{AccountKind, Options, Simulator, WebhookSettings};

use crate::bench::{Bench, KEY, Receiver};

/// A file that is gone when the test is over.
struct StateFile(PathBuf);

impl StateFile {
    fn new() -> Self {
        let name = format!("xero-simulator-{}.json", Uuid::new_v4());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_restart_finds_books_webhook_sequence_and_undelivered_events() {
    let file = StateFile::new();
    let receiver = Receiver::start().await;
    let first = Bench::with(|options| options.state_file = Some(file.0.clone())).await;
    let webhook = WebhookSettings {
        url: receiver.url.clone(),
        key: KEY.to_owned(),
        batch_window_ms: 3_600_000,
        ..WebhookSettings::default()
    };
    first.simulator.set_webhook(webhook.clone());
    let invoice = first.invoice("INV-0001", "10.00");
    first.simulator.flush_webhooks().await;
    let payment = first.pay(invoice, "4.00");
    let organisation = first.organisation;
    let transaction = first.prepay("R-1", "5.00").await;
    let prepaid_by = first.simulator.bank_transaction(transaction).unwrap().contact;
    first.simulator.archive_contact(prepaid_by).unwrap();
    drop(first);

    let second = Bench::with(|options| options.state_file = Some(file.0.clone())).await;

    assert_eq!(second.organisation, organisation);
    assert_eq!(second.simulator.invoice(invoice).unwrap().amount_due.to_string(), "6.00");
    assert_eq!(second.simulator.webhook().0, webhook);
    let answer = second.get(&format!("/Payments/{payment}")).await;
    assert_eq!(answer.status, 200);
    let transaction = second.simulator.bank_transaction(transaction).unwrap();
    assert_eq!((transaction.contact, transaction.reference.as_str()), (prepaid_by, "R-1"));
    assert!(second.simulator.contact(prepaid_by).unwrap().archived);
    // What waited when the first one stopped is due at once; the second delivers it by itself.
    second.simulator.flush_webhooks().await;
    assert_eq!(receiver.received().len(), 2);
    let last = receiver.received().pop().unwrap().json();
    assert_eq!(last["firstEventSequence"], 2);
    let other = second.pay(invoice, "1.00");
    assert_ne!(payment, other, "ids do not start over with the seed");
}

#[tokio::test]
async fn a_server_that_was_stopped_says_nothing_more() {
    let bench = Bench::start().await;
    assert_eq!(bench.get("/Organisation").await.status, 200);

    bench.server.abort();
    while !bench.server.is_finished() {
        tokio::task::yield_now().await;
    }

    assert!(bench.request(reqwest::Method::GET, "/Organisation").send().await.is_err());
}

#[tokio::test]
async fn a_file_of_version_1_is_understood() {
    let file = StateFile::new();
    fs::write(&file.0, include_str!("fixtures/state-version-1.json")).unwrap();

    let bench = Bench::with(|options| options.state_file = Some(file.0.clone())).await;

    let books = bench.simulator.organisation(bench.organisation).unwrap();
    let kinds: Vec<AccountKind> = books.accounts.iter().map(|account| account.kind).collect();
    assert_eq!(kinds, [AccountKind::Bank, AccountKind::Revenue]);
    let invoice = bench.get("/Invoices/INV-0001").await.json();
    let contact = invoice["Invoices"][0]["Contact"]["ContactID"].as_str().unwrap().to_owned();
    let by_contact = bench.get(&format!("/Invoices?ContactIDs={contact}")).await.json();
    assert_eq!(by_contact["Invoices"].as_array().unwrap().len(), 1);
    let known = bench.simulator.contact(contact.parse().unwrap()).unwrap();
    assert_eq!((known.name.as_str(), known.archived), ("Barney Rubble", false));
    bench.prepay("R-1", "5.00").await;
    assert!(fs::read_to_string(&file.0).unwrap().starts_with(r#"{"version":2"#));
}

#[test]
fn a_file_of_something_else_is_refused() {
    let file = StateFile::new();
    fs::write(&file.0, r#"{"version":99}"#).unwrap();

    let options = Options { state_file: Some(file.0.clone()), ..Options::default() };

    assert!(Simulator::new(options).is_err());
}
