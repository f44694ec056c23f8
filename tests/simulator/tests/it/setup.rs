//! Contacts, accounts, lock dates, many invoices, and what the meter says of writes.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{AccountKind, CreatedKind, InvoiceStatus, Limits, NewAccount};

use crate::bench::{Answer, Bench, sample_invoice};

fn id(answer: &Answer) -> Uuid {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn contacts_are_added_listed_and_archived() {
    let bench = Bench::start().await;
    let path = format!("/organisations/{}/contacts", bench.organisation);
    let wilma = r#"{"name":"Wilma"}"#;
    let contact = id(&bench.control(Method::POST, &path, wilma).await);
    let twice = bench.control(Method::POST, &path, wilma).await;
    let invoice = r#"{"number":"INV-7","total":"10.00","currency":"AUD","date":"2026-10-01","due_date":"2026-10-31","kind":"ACCREC"}"#;
    let to_contact = format!("/contacts/{contact}/invoices");
    let first = id(&bench.control(Method::POST, &to_contact, invoice).await);
    let by_name = sample_invoice(bench.organisation, "INV-8", "10.00");
    let by_name = xero_simulator::NewInvoice { contact_name: "Wilma".to_owned(), ..by_name };
    let second = bench.simulator.add_invoice(by_name.clone()).unwrap();

    let listed = bench.get("/Contacts").await.json();
    let archived = bench.control(Method::POST, &format!("/contacts/{contact}/archive"), "").await;
    let without = bench.get("/Contacts").await.json();
    let with = bench.get(&format!("/Contacts?includeArchived=true&IDs={contact}")).await.json();
    let by_id = bench.get(&format!("/Contacts/{contact}")).await.json();
    let refused =
        bench.control(Method::POST, &to_contact, &invoice.replace("INV-7", "INV-9")).await;
    let again = id(&bench.control(Method::POST, &path, wilma).await);

    assert_eq!((twice.status, archived.status, refused.status), (400, 200, 400));
    assert!(refused.text.contains("has been archived"), "{}", refused.text);
    for invoice in [first, second] {
        let invoice = bench.simulator.invoice(invoice).unwrap();
        assert_eq!((invoice.contact, invoice.contact_name.as_str()), (contact, "Wilma"));
    }
    assert_eq!(listed["Contacts"][0]["ContactID"], contact.to_string());
    assert_eq!(without["Contacts"], Value::Array(Vec::new()));
    assert_eq!(with["Contacts"][0]["ContactStatus"], "ARCHIVED");
    assert_eq!(by_id["Contacts"][0]["Name"], "Wilma");
    assert_ne!(again, contact, "the name of an archived contact is free");
    let unknown = bench.simulator.add_invoice_to(Uuid::from_u128(9), by_name).unwrap_err();
    assert_eq!(unknown.to_string(), "Invoice # must be unique.; Contact could not be found");
}

#[tokio::test]
async fn payments_to_archived_contacts_and_on_archived_accounts_are_refused() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let clearing = NewAccount {
        code: Some("880".to_owned()),
        name: "Clearing".to_owned(),
        kind: AccountKind::Current,
        payments_enabled: true,
        currency: None,
    };
    let account = bench.simulator.add_account(bench.organisation, clearing).unwrap();
    let bank = bench.bank_account().to_string();
    let body = bench.payment_json(invoice, "1.00");
    let to_clearing = body.replace(&bank, &account.to_string());
    let pay = async |body: &str| bench.send(Method::PUT, "/Payments", body).await;

    let good = pay(&to_clearing).await;
    let path = format!("/organisations/{}/accounts/{account}/archive", bench.organisation);
    assert_eq!(bench.control(Method::POST, &path, "").await.status, 200);
    let archived_account = pay(&to_clearing).await;
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    bench.simulator.archive_contact(contact).unwrap();
    let archived_contact = pay(&body).await;

    assert_eq!(good.status, 200, "{}", good.text);
    assert_eq!(archived_account.objection(0), "Account has been archived");
    // X-17
    assert_eq!(
        archived_contact.objection(0),
        "The Contact with the specified contact details has been archived"
    );
}

#[tokio::test]
async fn the_chart_of_accounts_is_listed() {
    let bench = Bench::start().await;
    let path = format!("/organisations/{}/accounts", bench.organisation);
    let clearing = r#"{"code":"880","name":"Clearing","type":"CURRENT","payments_enabled":true}"#;
    let account = id(&bench.control(Method::POST, &path, clearing).await);
    let taken = bench.control(Method::POST, &path, &clearing.replace("Clearing", "Other")).await;
    bench.simulator.archive_account(bench.organisation, account).unwrap();

    let all = bench.get("/Accounts").await.json();
    let banks = bench.get("/Accounts?where=Type%3D%3D%22BANK%22").await.json();
    let active = bench.get("/Accounts?where=Status%3D%3D%22ACTIVE%22").await.json();
    let by_id = bench.get(&format!("/Accounts/{account}")).await.json();

    assert_eq!(taken.status, 400);
    let types: Vec<&Value> =
        all["Accounts"].as_array().unwrap().iter().map(|one| &one["Type"]).collect();
    assert_eq!(types, ["BANK", "REVENUE", "CURRENT"]);
    assert_eq!(banks["Accounts"].as_array().unwrap().len(), 1);
    assert_eq!(banks["Accounts"][0]["CurrencyCode"], "AUD");
    assert_eq!(banks["Accounts"][0]["EnablePaymentsToAccount"], false);
    assert_eq!(active["Accounts"].as_array().unwrap().len(), 2);
    assert_eq!(by_id["Accounts"][0]["EnablePaymentsToAccount"], true);
    assert_eq!(by_id["Accounts"][0]["Status"], "ARCHIVED");
    assert_eq!(bench.get("/Accounts?order=Name").await.status, 400);
}

#[tokio::test]
async fn lock_dates_are_set_without_touching_the_rest() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let path = format!("/organisations/{}/lock-dates", bench.organisation);
    let pay = async || {
        bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "1.00")).await.status
    };

    for (dates, status) in [
        (r#"{"period_lock_date":"2026-10-05"}"#, 400),
        (r#"{"end_of_year_lock_date":"2026-10-05"}"#, 400),
        (r#"{"period_lock_date":"2026-10-04","end_of_year_lock_date":null}"#, 200),
        ("{}", 200),
    ] {
        assert_eq!(bench.control(Method::PUT, &path, dates).await.status, 200);
        assert_eq!(pay().await, status, "{dates}");
    }
    let shown = bench.get("/Organisation").await.json();
    assert_eq!(shown["Organisations"][0]["Name"], "Demo Company (AU)");
    assert!(shown["Organisations"][0].get("PeriodLockDate").is_none());
}

#[tokio::test]
async fn the_meter_knows_what_calls_created_and_the_books_what_lives() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let by_hand = bench.pay(invoice, "1.00");
    bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).await;
    bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "99.00")).await;
    bench.clock.advance(SignedDuration::from_mins(20));
    let transaction = bench.prepay("R-1", "5.00").await;
    bench.simulator.delete_payment(by_hand).unwrap();

    let meter = bench.simulator.meter(bench.organisation);
    let shown = bench.control(Method::GET, "/meters", "").await.json();

    assert_eq!(meter.created_of(CreatedKind::Payment), 1, "neither the refused one nor a person's");
    assert_eq!(meter.created_of(CreatedKind::BankTransaction), 1);
    assert_eq!((meter.created[1].id, meter.created[1].reference.as_str()), (transaction, "R-1"));
    assert_eq!(meter.created[1].at, bench.clock.now());
    assert_eq!(meter.created_within_max(SignedDuration::from_mins(20)), 1);
    assert_eq!(meter.created_within_max(SignedDuration::from_mins(21)), 2);
    assert_eq!((meter.calls_of("PUT /Payments"), meter.calls_of("PUT /BankTransactions")), (2, 1));
    assert_eq!(meter.calls_of("GET /Payments"), 0);
    let created = &shown[bench.organisation.to_string()]["created"];
    assert_eq!(
        (&created[1]["kind"], &created[1]["reference"]),
        (&"bank_transaction".into(), &"R-1".into())
    );
    let live = bench.simulator.live_references(bench.organisation);
    assert_eq!((live["BPAY 173"].len(), live["R-1"].as_slice()), (1, [transaction].as_slice()));
    let path = format!("/organisations/{}/live-references", bench.organisation);
    let shown = bench.control(Method::GET, &path, "").await.json();
    assert_eq!(shown["R-1"][0], transaction.to_string());
}

#[tokio::test]
async fn the_open_invoices_of_a_contact_are_summarised() {
    let bench = Bench::start().await;
    let open = bench.invoice("INV-0001", "10.00");
    let paid = bench.invoice("INV-0002", "10.00");
    bench.pay(paid, "10.00");
    let contact = bench.simulator.invoice(open).unwrap().contact;

    let path = format!(
        "/Invoices?ContactIDs={contact}&Statuses=AUTHORISED&page=1&pageSize=1000&summaryOnly=true"
    );
    let json = bench.get(&path).await.json();

    assert_eq!(json["pagination"]["itemCount"], 1);
    let summary = &json["Invoices"][0];
    for name in [
        "InvoiceID",
        "InvoiceNumber",
        "Type",
        "Status",
        "Date",
        "DueDate",
        "CurrencyCode",
        "Total",
        "AmountDue",
        "AmountPaid",
        "AmountCredited",
        "UpdatedDateUTC",
    ] {
        assert!(!summary[name].is_null(), "{name}");
    }
    assert_eq!(summary["InvoiceID"], open.to_string());
    assert_eq!(summary["Contact"]["ContactID"], contact.to_string());
    assert_eq!(summary["Contact"]["Name"], "Barney Rubble");
    assert!(summary.get("LineItems").is_none());
}

/// With a search through all invoices for each new one, this would take hours.
#[tokio::test]
async fn a_hundred_thousand_invoices_are_no_burden() {
    let bench = Bench::with(|options| options.limits = Limits::NONE).await;
    let started = Instant::now();
    for number in 0..100_000 {
        let invoice = sample_invoice(bench.organisation, &format!("INV-{number}"), "10.00");
        let contact_name = format!("Contact {}", number / 10);
        let invoice = xero_simulator::NewInvoice { contact_name, ..invoice };
        bench.simulator.add_invoice(invoice).unwrap();
    }
    let contact = bench.get("/Invoices/INV-50005").await.json()["Invoices"][0]["Contact"].clone();
    let contact = contact["ContactID"].as_str().unwrap();
    for _ in 0..100 {
        let path = format!("/Invoices?ContactIDs={contact}&page=1&summaryOnly=true");
        let json = bench.get(&path).await.json();
        assert_eq!(json["Invoices"].as_array().unwrap().len(), 10);
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_invoice_is_found_by_its_new_number_only() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let body = format!(r#"{{"InvoiceID":"{invoice}","InvoiceNumber":"INV-0002"}}"#);

    assert_eq!(bench.send(Method::POST, "/Invoices", &body).await.status, 200);

    assert_eq!(bench.get("/Invoices/INV-0001").await.status, 404);
    assert_eq!(bench.get("/Invoices/INV-0002").await.status, 200);
    bench.invoice("INV-0001", "10.00");
    assert_eq!(bench.simulator.invoice(invoice).unwrap().status, InvoiceStatus::Authorised);
}
