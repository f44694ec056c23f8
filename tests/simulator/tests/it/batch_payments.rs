//! One sum of money for several invoices (facts.md 4.4).

use reqwest::Method;
use serde_json::json;
use xero_simulator::{NewBatchPayment, PaymentStatus};

use crate::bench::Bench;

fn wanted(payments: Vec<(uuid::Uuid, &str)>) -> NewBatchPayment {
    NewBatchPayment {
        date: "2026-10-05".parse().unwrap(),
        reference: "DD run 7".to_owned(),
        payments: payments.into_iter().map(|(id, amount)| (id, amount.parse().unwrap())).collect(),
    }
}

#[tokio::test]
async fn each_invoice_gets_a_payment_that_names_its_batch() {
    let bench = Bench::start().await;
    let (a, b) = (bench.invoice("INV-0001", "100.00"), bench.invoice("INV-0002", "50.00"));

    let batch = bench
        .simulator
        .add_batch_payment(bench.organisation, wanted(vec![(a, "20.00"), (b, "30.00")]));

    let batch = batch.unwrap();
    let shown = bench.get(&format!("/BatchPayments/{batch}")).await.json();
    let shown = &shown["BatchPayments"][0];
    assert_eq!((&shown["Type"], &shown["TotalAmount"]), (&json!("RECBATCH"), &json!(50.0)));
    assert_eq!(shown["Payments"].as_array().unwrap().len(), 2);
    let listed = bench.get("/Payments").await.json();
    for payment in listed["Payments"].as_array().unwrap() {
        assert_eq!(payment["BatchPaymentID"], json!(batch));
        assert_eq!(payment["BatchPayment"]["TotalAmount"], "50.00", "a string, there");
        assert_eq!(payment["Date"], "/Date(1791158400000+0000)/");
    }
    assert_eq!(bench.simulator.invoice(b).unwrap().amount_due, "20.00".parse().unwrap());
}

#[tokio::test]
async fn a_payment_of_a_batch_goes_only_with_its_batch() {
    let bench = Bench::start().await;
    let (a, b) = (bench.invoice("INV-0001", "100.00"), bench.invoice("INV-0002", "50.00"));
    let account =
        bench.simulator.organisation(bench.organisation).unwrap().bank_account().unwrap().id;
    let body = json!({"BatchPayments": [{
        "Account": {"AccountID": account}, "Date": "2026-10-05", "Reference": "DD run 7",
        "Payments": [
            {"Invoice": {"InvoiceID": a}, "Amount": "20.00"},
            {"Invoice": {"InvoiceID": b}, "Amount": "50.00"},
        ],
    }]});
    let created = bench.send(Method::PUT, "/BatchPayments", &body.to_string()).await.json();
    let batch = created["BatchPayments"][0]["BatchPaymentID"].as_str().unwrap().to_owned();
    let payment = created["BatchPayments"][0]["Payments"][1]["PaymentID"].as_str().unwrap();
    assert_eq!(bench.simulator.meter(bench.organisation).created.len(), 2);

    let alone = format!("/Payments/{payment}");
    let alone = bench.send(Method::POST, &alone, r#"{"Status":"DELETED"}"#).await;
    assert_eq!(alone.status, 400);
    assert!(alone.objection(0).contains("part of a batch payment"), "{}", alone.text);
    assert!(bench.simulator.delete_payment(payment.parse().unwrap()).is_err());

    let body = json!({"BatchPaymentID": batch, "Status": "DELETED"});
    let deleted = bench.send(Method::POST, "/BatchPayments", &body.to_string()).await.json();

    assert_eq!(deleted["BatchPayments"][0]["Status"], "DELETED");
    assert_eq!(deleted["BatchPayments"][0]["Payments"], json!([]));
    assert_eq!(bench.simulator.invoice(b).unwrap().amount_due, "50.00".parse().unwrap());
    let payments = bench.simulator.organisation(bench.organisation).unwrap().payments;
    assert!(payments.values().all(|payment| payment.status == PaymentStatus::Deleted));
    let again = format!("/BatchPayments/{batch}");
    let again = bench.send(Method::POST, &again, r#"{"Status":"DELETED"}"#).await;
    assert_eq!(again.status, 400, "{}", again.text);
}

#[tokio::test]
async fn one_payment_that_is_refused_refuses_its_batch() {
    let bench = Bench::start().await;
    let (a, b) = (bench.invoice("INV-0001", "100.00"), bench.invoice("INV-0002", "50.00"));
    let too_much = wanted(vec![(a, "20.00"), (b, "30.00"), (b, "30.00")]);

    assert!(bench.simulator.add_batch_payment(bench.organisation, too_much).is_err());

    assert!(bench.simulator.organisation(bench.organisation).unwrap().payments.is_empty());
    let none = bench.get("/BatchPayments").await.json();
    assert_eq!(none["BatchPayments"], json!([]));
}
