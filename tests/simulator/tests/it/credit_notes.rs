//! Credit notes that a call writes, and allocations by calls (facts.md 4.6).

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{
    CreatedKind, InvoiceKind, LockDates, NewInvoice, NewSupplierCredit, Oddities,
};

use crate::bench::Bench;

const PATH: &str = "/CreditNotes?summarizeErrors=false";

fn note(contact: Uuid, number: &str, amount: f64) -> Value {
    json!({
        "Type": "ACCPAYCREDIT", "Contact": {"ContactID": contact}, "Date": "2026-10-05",
        "CreditNoteNumber": number, "CurrencyCode": "AUD", "Status": "AUTHORISED", "Reference": "gone",
        "LineAmountTypes": "Inclusive",
        "LineItems": [{"Description": "processing", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}],
    })
}

async fn put(bench: &Bench, notes: &[Value]) -> Vec<Value> {
    let answer = bench.send(Method::PUT, PATH, &json!({"CreditNotes": notes}).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["CreditNotes"].as_array().unwrap().clone()
}

async fn allocate(bench: &Bench, note: &str, invoice: Uuid, amount: f64) -> Value {
    let path = format!("/CreditNotes/{note}/Allocations?summarizeErrors=false");
    let sent = json!({"Allocations": [
        {"Invoice": {"InvoiceID": invoice}, "Amount": amount, "Date": "2026-10-06"},
    ]});
    let answer = bench.send(Method::PUT, &path, &sent.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["Allocations"][0].clone()
}

fn provider(bench: &Bench) -> Uuid {
    bench.simulator.add_contact(bench.organisation, "Provider").unwrap()
}

fn bill(bench: &Bench, contact: Uuid, number: &str, total: &str) -> Uuid {
    let wanted = NewInvoice {
        organisation: bench.organisation,
        number: number.to_owned(),
        contact_name: String::new(),
        total: total.parse().unwrap(),
        currency: "AUD".to_owned(),
        date: "2026-10-05".parse().unwrap(),
        due_date: "2026-10-05".parse().unwrap(),
        kind: InvoiceKind::Accpay,
    };
    bench.simulator.add_invoice_to(contact, wanted).unwrap()
}

fn of(element: &Value, member: &str) -> String {
    element[member].as_str().unwrap().to_owned()
}

fn complaints(element: &Value) -> Vec<String> {
    assert_eq!(element["StatusAttributeString"], "ERROR", "{element}");
    let errors = element["ValidationErrors"].as_array().unwrap();
    errors.iter().map(|error| of(error, "Message")).collect()
}

#[tokio::test]
async fn a_suppliers_credit_note_is_applied_to_bills_until_nothing_is_left() {
    let bench = Bench::start().await;
    let contact = provider(&bench);
    let (first, second) =
        (bill(&bench, contact, "B-1", "30.00"), bill(&bench, contact, "B-2", "90.00"));

    // Two may have one number, and nothing but sales has a reference.
    let written = put(&bench, &[note(contact, "C-1", 50.0), note(contact, "C-1", 5.0)]).await;
    let id = of(&written[0], "CreditNoteID");
    assert_ne!(id, of(&written[1], "CreditNoteID"));
    for (member, value) in [
        ("Type", json!("ACCPAYCREDIT")),
        ("Status", json!("AUTHORISED")),
        ("Reference", json!("")),
        ("RemainingCredit", json!(50.0)),
        ("CreditNoteNumber", json!("C-1")),
        ("Total", json!(50.0)),
    ] {
        assert_eq!(written[0][member], value, "{member}");
    }

    let allocation = allocate(&bench, &id, first, 30.0).await;
    assert_eq!(
        (&allocation["Amount"], &allocation["CreditNote"]["CreditNoteID"]),
        (&json!(30.0), &json!(id))
    );
    allocate(&bench, &id, second, 20.0).await;

    let shown = bench.get(&format!("/CreditNotes/{id}")).await.json()["CreditNotes"][0].clone();
    assert_eq!((&shown["Status"], &shown["RemainingCredit"]), (&json!("PAID"), &json!(0.0)));
    assert_eq!(shown["Allocations"].as_array().unwrap().len(), 2);
    assert_eq!(shown["Allocations"][0]["AllocationID"], allocation["AllocationID"]);
    let paid = bench.simulator.invoice(first).unwrap();
    assert_eq!((paid.status.as_str(), paid.amount_credited), ("PAID", "30.00".parse().unwrap()));
    let listed = r#"/CreditNotes?page=1&where=Type%3D%3D%22ACCPAYCREDIT%22%20AND%20Status%3D%3D%22AUTHORISED%22"#;
    let listed = bench.get(listed).await.json();
    assert_eq!(listed["CreditNotes"].as_array().unwrap().len(), 1, "what is used up is PAID");

    let path = format!("/CreditNotes/{id}/Allocations/{}", of(&allocation, "AllocationID"));
    let taken = bench.send(Method::DELETE, &path, "").await.json();
    assert_eq!(taken["IsDeleted"], true);
    let due = bench.simulator.invoice(first).unwrap().amount_due;
    assert_eq!(due, "30.00".parse().unwrap(), "it is due again");
    assert_eq!(bench.send(Method::DELETE, &path, "").await.status, 404);
    let meter = bench.simulator.meter(bench.organisation);
    assert_eq!(
        (meter.created_of(CreatedKind::CreditNote), meter.created_of(CreatedKind::Allocation)),
        (2, 2)
    );
}

#[tokio::test]
async fn what_xero_refuses_of_an_allocation_it_refuses_with_its_own_sentences() {
    let bench = Bench::start().await;
    let contact = provider(&bench);
    let (open, paid) =
        (bill(&bench, contact, "B-1", "30.00"), bill(&bench, contact, "B-2", "10.00"));
    let written = put(&bench, &[note(contact, "C-1", 20.0)]).await;
    let id = of(&written[0], "CreditNoteID");
    let credit = NewSupplierCredit {
        number: "by hand".into(),
        date: "2026-10-05".parse().unwrap(),
        amount: "10.00".parse().unwrap(),
    };
    let by_hand = bench.simulator.add_supplier_credit(contact, credit).unwrap();
    let day = "2026-10-06".parse().unwrap();
    bench.simulator.allocate(by_hand, paid, "10.00".parse().unwrap(), day).unwrap();

    const TOO_MUCH: &str =
        "Credit Note cannot be allocated as amount is greater than amount outstanding";
    assert_eq!(
        complaints(&allocate(&bench, &id, open, 20.01).await),
        [TOO_MUCH],
        "more than is left"
    );
    assert_eq!(
        complaints(&allocate(&bench, &id, open, 31.0).await),
        [TOO_MUCH],
        "more than is due"
    );
    assert_eq!(
        complaints(&allocate(&bench, &id, paid, 5.0).await),
        ["The invoice you are trying to allocate to has already been paid off", TOO_MUCH]
    );
    let sale = bench.invoice("INV-1", "100.00");
    assert!(
        complaints(&allocate(&bench, &id, sale, 5.0).await)[0].contains("incorrect invoice type")
    );
    assert_eq!(
        complaints(&allocate(&bench, &id, Uuid::nil(), 5.0).await),
        ["Invoice could not be found"]
    );
    // A draft has to be approved before anything of it is applied.
    let mut draft = note(contact, "C-2", 20.0);
    draft["Status"] = json!("DRAFT");
    let draft = of(&put(&bench, &[draft]).await[0], "CreditNoteID");
    assert!(complaints(&allocate(&bench, &draft, open, 5.0).await)[0].contains("authorised"));
    let path = format!("/CreditNotes/{draft}");
    let approved = bench.send(Method::POST, &path, r#"{"Status":"AUTHORISED"}"#).await.json();
    assert_eq!(approved["CreditNotes"][0]["Status"], "AUTHORISED");
    allocate(&bench, &draft, open, 5.0).await;
    assert_eq!(
        bench.send(Method::POST, &path, r#"{"Status":"VOIDED"}"#).await.status,
        400,
        "it is applied"
    );
}

#[tokio::test]
async fn what_xero_refuses_of_a_credit_note_is_refused_element_by_element() {
    let bench = Bench::start().await;
    let contact = provider(&bench);
    let day = jiff::civil::date(2026, 9, 30);
    let locked = LockDates { period_lock_date: Some(day), end_of_year_lock_date: None };
    bench.simulator.set_lock_dates(bench.organisation, locked).unwrap();
    let (mut account, mut date, mut kind) =
        (note(contact, "a", 1.0), note(contact, "b", 1.0), note(contact, "c", 1.0));
    account["LineItems"][0]["AccountCode"] = json!("999");
    date["Date"] = json!("2026-09-30");
    kind["Type"] = json!("ACCPAY");

    let written = put(&bench, &[account, date, kind, note(contact, "d", 1.0)]).await;

    assert!(complaints(&written[0])[0].contains("Account code '999'"));
    assert!(complaints(&written[1])[0].contains("period lock date"));
    assert!(complaints(&written[2])[0].contains("Type"));
    assert_eq!(written[3]["StatusAttributeString"], "OK");
    assert_eq!(bench.simulator.meter(bench.organisation).created_of(CreatedKind::CreditNote), 1);
}

#[tokio::test]
async fn an_answer_may_leave_out_the_id_of_the_allocation() {
    let bench = Bench::start().await;
    bench.simulator.set_oddities(Oddities { allocations_without_ids: true, ..Oddities::default() });
    let contact = provider(&bench);
    let bill = bill(&bench, contact, "B-1", "30.00");
    let id = of(&put(&bench, &[note(contact, "C-1", 20.0)]).await[0], "CreditNoteID");

    let allocation = allocate(&bench, &id, bill, 20.0).await;

    assert!(allocation.get("AllocationID").is_none(), "{allocation}");
    let shown = bench.get(&format!("/CreditNotes/{id}")).await.json();
    assert!(shown["CreditNotes"][0]["Allocations"][0]["AllocationID"].is_string());
}
