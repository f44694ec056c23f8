//! What Xero does now and then: shared stamps, early invoices, escaped slashes, rates, merged contacts,
//! numbers that are used again.

use reqwest::Method;
use uuid::Uuid;
use xero_simulator::{CreditKind, InvoiceStatus, NewCredit, Oddities, WebhookSettings};

use crate::bench::{Bench, KEY, Receiver, sample_invoice};

#[tokio::test]
async fn what_changes_within_a_second_may_share_its_stamp() {
    let oddities = Oddities { equal_stamps: true, ..Oddities::default() };
    let bench = Bench::with(|options| options.oddities = oddities).await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let body = format!(
        r#"{{"Payments":[{},{}]}}"#,
        bench.payment_json(invoice, "1.00"),
        bench.payment_json(invoice, "2.00")
    );

    let written = bench.send(Method::PUT, "/Payments", &body).await.json();

    let stamp = |index: usize| written["Payments"][index]["UpdatedDateUTC"].clone();
    assert_eq!(stamp(0), stamp(1));
    let invoice = bench.simulator.invoice(invoice).unwrap();
    assert_eq!(invoice.updated.subsec_nanosecond(), 0);
    assert_eq!(invoice.payments.len(), 2);
}

#[tokio::test]
async fn an_event_may_be_newer_than_its_invoice() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(WebhookSettings {
        url: receiver.url.clone(),
        key: KEY.to_owned(),
        ..WebhookSettings::default()
    });
    bench.simulator.set_oddities(Oddities { event_lead_ms: 7_000, ..Oddities::default() });

    bench.invoice("INV-0001", "100.00");

    bench.simulator.flush_webhooks().await;
    let delivery = receiver.received().pop().unwrap().json();
    assert_eq!(delivery["events"][0]["eventDateUtc"], "2026-10-05T03:41:29.518");
}

#[tokio::test]
async fn answers_are_packed_for_those_who_accept_that_and_for_no_others() {
    let bench = Bench::with(|options| options.oddities.gzip = true).await;
    bench.invoice("INV-0001", "100.00");

    let plain = bench.get("/Invoices").await;
    let accepting = bench.request(Method::GET, "/Invoices").header("accept-encoding", "gzip, br");
    let packed = accepting.send().await.unwrap();

    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.text.contains("INV-0001"));
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert_eq!(packed[..3], [0x1f, 0x8b, 8]);
    assert!(packed.windows(8).any(|bytes| bytes == b"INV-0001"), "its blocks are stored");
}

#[tokio::test]
async fn slashes_may_be_escaped_and_mean_the_same() {
    let bench = Bench::start().await;
    bench.invoice("INV-0001/7", "100.00");
    let plain = bench.get("/Invoices").await;
    let on = bench.control(Method::PUT, "/oddities", r#"{"escaped_slashes":true}"#).await;
    assert_eq!(on.status, 200, "{}", on.text);

    let escaped = bench.get("/Invoices").await;

    assert!(escaped.text.contains(r"\/Date(") && escaped.text.contains(r"INV-0001\/7"));
    assert_eq!(escaped.json()["Invoices"], plain.json()["Invoices"]);
}

#[tokio::test]
async fn a_foreign_invoice_has_its_rate_and_its_payment_an_amount_in_the_banks_currency() {
    let bench = Bench::start().await;
    let mut wanted = sample_invoice(bench.organisation, "INV-0001", "100.00");
    wanted.currency = "USD".to_owned();
    let invoice = bench.simulator.add_invoice(wanted).unwrap();
    bench.simulator.set_rate(invoice, "0.65".parse().unwrap()).unwrap();
    let payment = bench.pay(invoice, "40.10");

    let shown = bench.get(&format!("/Invoices/{invoice}")).await;
    let paid = bench.get(&format!("/Payments/{payment}")).await;

    assert!(shown.text.contains(r#""CurrencyRate":0.650000"#), "{}", shown.text);
    assert!(paid.text.contains(r#""BankAmount":61.69,"Amount":40.10"#), "{}", paid.text);
}

#[tokio::test]
async fn a_merged_contact_points_to_the_other_which_has_its_documents() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let before = bench.simulator.invoice(invoice).unwrap();
    let into = bench.simulator.add_contact(bench.organisation, "Wilma").unwrap();

    bench.simulator.merge_contact(before.contact, into).unwrap();

    let listed = bench.get(&format!("/Contacts/{}", before.contact)).await.json();
    let contact = &listed["Contacts"][0];
    assert_eq!(contact["ContactStatus"], "ARCHIVED");
    assert_eq!(contact["MergedToContactID"], into.to_string());
    let after = bench.simulator.invoice(invoice).unwrap();
    assert_eq!((after.contact, after.updated), (into, before.updated), "no stamp moves");
    let of_contact = bench.get(&format!("/Invoices?ContactIDs={into}")).await.json();
    assert_eq!(of_contact["Invoices"][0]["InvoiceID"], invoice.to_string());
    bench.pay(invoice, "1.00");
    let credit = NewCredit {
        kind: CreditKind::Prepayment,
        date: "2026-10-05".parse().unwrap(),
        amount: "1.00".parse().unwrap(),
        reference: String::new(),
    };
    let refused = bench.simulator.add_credit(before.contact, credit).unwrap_err();
    assert!(refused.to_string().contains("archived"), "{refused}");
}

#[tokio::test]
async fn the_number_of_a_deleted_or_voided_sale_is_used_again() {
    let bench = Bench::start().await;
    let draft = r#"{"Type":"ACCREC","InvoiceNumber":"INV-7","Contact":{"Name":"A"},"LineItems":[{"Description":"B","UnitAmount":1}]}"#;
    let made = bench.send(Method::PUT, "/Invoices", draft).await.json();
    let id: Uuid = made["Invoices"][0]["InvoiceID"].as_str().unwrap().parse().unwrap();
    let taken = bench.send(Method::PUT, "/Invoices", draft).await;
    assert_eq!(taken.status, 400);
    let path = format!("/Invoices/{id}");
    let deleted = bench.send(Method::POST, &path, r#"{"Status":"DELETED"}"#).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);

    let voided = bench.invoice("INV-7", "5.00");
    bench.simulator.void_invoice(voided).unwrap();
    let open = bench.invoice("INV-7", "6.00");

    let found = bench.get("/Invoices?InvoiceNumbers=INV-7").await.json();
    assert_eq!(found["Invoices"].as_array().unwrap().len(), 3);
    assert_eq!(bench.simulator.invoice(open).unwrap().status, InvoiceStatus::Authorised);
}
