//! Bills that a call creates: `PUT /Invoices` of type ACCPAY.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{CreatedKind, Effect, Fault, InvoiceStatus, LockDates};

use crate::bench::{Bench, read};

const PATH: &str = "/Invoices?summarizeErrors=false";

fn bill(contact: Uuid, number: &str) -> Value {
    json!({
        "Type": "ACCPAY", "Contact": {"ContactID": contact}, "Date": "2026-10-05", "DueDate": "2026-10-19",
        "InvoiceNumber": number, "CurrencyCode": "AUD", "Status": "AUTHORISED",
        "LineAmountTypes": "Inclusive",
        "LineItems": [
            {"Description": "processing", "Quantity": 1, "UnitAmount": 80.00, "AccountCode": "200"},
            {"Description": "rent", "Quantity": 1, "UnitAmount": 8.25, "AccountCode": "200"},
        ],
    })
}

async fn put(bench: &Bench, bills: &[Value]) -> Vec<Value> {
    let body = json!({"Invoices": bills}).to_string();
    let answer = bench.send(Method::PUT, PATH, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["Invoices"].as_array().unwrap().clone()
}

fn provider(bench: &Bench) -> Uuid {
    bench.simulator.add_contact(bench.organisation, "Provider").unwrap()
}

fn created(bench: &Bench) -> usize {
    bench.simulator.meter(bench.organisation).created_of(CreatedKind::Bill)
}

#[tokio::test]
async fn two_bills_may_have_one_number() {
    // facts.md 4.2
    let bench = Bench::start().await;
    let contact = provider(&bench);

    let written = put(&bench, &[bill(contact, "F-1"), bill(contact, "F-1")]).await;

    for element in &written {
        assert_eq!(element["StatusAttributeString"], "OK");
        assert_eq!(
            (&element["Type"], &element["Status"]),
            (&"ACCPAY".into(), &"AUTHORISED".into())
        );
        assert_eq!((&element["Total"], &element["InvoiceNumber"]), (&json!(88.25), &json!("F-1")));
        assert!(element.get("Reference").is_none(), "sales only");
    }
    assert_ne!(written[0]["InvoiceID"], written[1]["InvoiceID"]);
    let meter = bench.simulator.meter(bench.organisation);
    assert_eq!(meter.created_of(CreatedKind::Bill), 2);
    assert_eq!(meter.created[0].reference, "F-1");
}

#[tokio::test]
async fn what_xero_refuses_of_a_bill_is_refused_element_by_element() {
    let bench = Bench::start().await;
    let contact = provider(&bench);
    let day = jiff::civil::date(2026, 9, 30);
    let locked = LockDates { period_lock_date: Some(day), end_of_year_lock_date: None };
    bench.simulator.set_lock_dates(bench.organisation, locked).unwrap();
    let with = |change: fn(&mut Value)| {
        let mut bill = bill(contact, "F-2");
        change(&mut bill);
        bill
    };
    let cases = [
        (
            with(|bill| bill["LineItems"][1]["AccountCode"] = json!("999")),
            "Account code '999' is not a valid code for this document.",
        ),
        (
            with(|bill| bill["LineItems"][0]["AccountCode"] = json!("090")),
            "Account code '090' is not a valid code for this document.",
        ),
        (
            with(|bill| bill["LineItems"][0]["AccountCode"] = json!("")),
            "Account code must be specified",
        ),
        (
            with(|bill| bill["Contact"] = json!({})),
            "The Contact must contain at least 1 of the following elements to identify the contact: \
             Name, ContactID, ContactNumber",
        ),
        (
            with(|bill| bill["Contact"]["ContactID"] = json!(Uuid::from_u128(5))),
            "Contact could not be found",
        ),
        (with(|bill| bill["DueDate"] = Value::Null), "Due Date cannot be empty"),
        (with(|bill| bill["LineItems"] = json!([])), "One or more line items must be specified"),
        (
            with(|bill| bill["Date"] = json!("2026-09-30")),
            "The document date cannot be on or before the period lock date, currently set to 2026-09-30",
        ),
        (
            with(|bill| bill["InvoiceNumber"] = json!("F".repeat(256))),
            "Invoice # cannot be longer than 255 characters",
        ),
    ];
    let bills: Vec<Value> = cases.iter().map(|(bill, _)| bill.clone()).collect();

    let written = put(&bench, &bills).await;

    for (element, (_, message)) in written.iter().zip(&cases) {
        assert_eq!(element["ValidationErrors"][0]["Message"], *message);
        assert_eq!(element["StatusAttributeString"], "ERROR");
        assert_eq!(element["InvoiceID"], json!(Uuid::nil()));
    }
    assert_eq!(created(&bench), 0);
}

#[tokio::test]
async fn bills_are_read_by_type_and_change_voided_ones_included() {
    let bench = Bench::start().await;
    bench.invoice("INV-0001", "10.00");
    let contact = provider(&bench);
    let first = put(&bench, &[bill(contact, "F-1")]).await;
    let first: Uuid = first[0]["InvoiceID"].as_str().unwrap().parse().unwrap();
    bench.clock.advance(jiff::SignedDuration::from_mins(10));
    put(&bench, &[bill(contact, "F-2")]).await;
    let numbers = async |since: &str, filter: &str| {
        let request = bench
            .request(Method::GET, "/Invoices")
            .header("if-modified-since", since)
            .query(&[("where", filter), ("order", "UpdatedDateUTC ASC"), ("page", "1")]);
        let json = read(request.send().await.unwrap()).await.json();
        let found = json["Invoices"].as_array().unwrap().iter();
        found.map(|one| one["InvoiceNumber"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let bills = r#"Type=="ACCPAY""#;
    assert_eq!(numbers("2026-10-05T00:00:00", bills).await, ["F-1", "F-2"]);
    assert_eq!(numbers("2026-10-05T03:45:00", bills).await, ["F-2"]);

    bench.simulator.void_invoice(first).unwrap();

    assert_eq!(bench.simulator.invoice(first).unwrap().status, InvoiceStatus::Voided);
    assert_eq!(numbers("2026-10-05T03:45:00", bills).await, ["F-2", "F-1"]);
    assert_eq!(
        numbers("2026-10-05T00:00:00", r#"Type=="ACCPAY" AND Status=="VOIDED""#).await,
        ["F-1"]
    );
}

#[tokio::test]
async fn a_fault_may_leave_bills_out_without_a_word() {
    // X-12
    let bench = Bench::start().await;
    let contact = provider(&bench);
    bench.simulator.inject(Fault::on("PUT", "/Invoices", Effect::OnlyFirst { count: 1 }).times(1));

    let written = put(&bench, &[bill(contact, "F-1"), bill(contact, "F-2")]).await;

    assert_eq!(written[1]["InvoiceID"], json!(Uuid::nil()));
    assert_eq!(
        (&written[1]["HasErrors"], &written[1]["ValidationErrors"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(created(&bench), 1);
}
