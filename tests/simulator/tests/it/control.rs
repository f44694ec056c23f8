use reqwest::Method;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit};

use crate::bench::{Answer, Bench, KEY, Receiver};

fn id(answer: &Answer) -> Uuid {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_person_with_curl_records_edits_and_deletes_a_payment() {
    let bench = Bench::start().await;
    let organisation =
        id(&bench.control(Method::POST, "/organisations", r#"{"name":"Second"}"#).await);
    let invoice = format!(
        r#"{{"organisation":"{organisation}","number":"INV-7","contact_name":"Barney","total":"100.00",
            "currency":"AUD","date":"2026-10-01","due_date":"2026-10-31","kind":"ACCREC"}}"#
    );
    let invoice = id(&bench.control(Method::POST, "/invoices", &invoice).await);
    let payment = r#"{"date":"2026-10-05","amount":"46.00"}"#;

    let first = id(&bench.control(Method::POST, "/invoices/INV-7/payments", payment).await);
    let edit = bench
        .control(Method::POST, &format!("/payments/{first}/edit"), r#"{"amount":"64.00"}"#)
        .await;
    let second = id(&edit);
    let shown = bench.control(Method::GET, "/invoices/INV-7", "").await.json();

    assert_eq!(shown["id"], invoice.to_string());
    assert_eq!(shown["amount_due"], "36.00");
    assert_eq!(shown["payments"].as_array().unwrap().len(), 2);
    let deleted = bench.control(Method::DELETE, &format!("/payments/{second}"), "").await;
    let again = bench.control(Method::DELETE, &format!("/payments/{second}"), "").await;
    assert_eq!((deleted.status, again.status), (200, 400));
    let float = bench
        .control(Method::POST, "/invoices/INV-7/payments", r#"{"date":"2026-10-05","amount":46.0}"#)
        .await;
    assert_eq!(float.status, 422, "amounts are strings");
    let too_much = payment.replace("46.00", "101.00");
    let too_much = bench.control(Method::POST, "/invoices/INV-7/payments", &too_much).await;
    assert!(too_much.text.contains("exceeds the amount outstanding"), "{}", too_much.text);
}

#[tokio::test]
async fn every_control_of_the_guide_exists() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    let guide = bench.control(Method::GET, "", "").await;
    let guide = guide.json();
    let controls = guide["controls"].as_array().unwrap();
    assert!(controls.len() > 20);
    let invoice = bench.invoice("INV-0000", "115.00");
    let payment = bench.pay(invoice, "1.00").to_string();
    let transaction = bench.prepay("REF-1", "20.00").await.to_string();
    let organisation = bench.organisation.to_string();
    let account = bench.simulator.organisation(bench.organisation).unwrap().accounts[1].id;
    let contact = bench.simulator.invoice(invoice).unwrap().contact.to_string();

    let wanted = NewCredit {
        kind: CreditKind::Overpayment,
        date: "2026-10-05".parse().unwrap(),
        amount: "90.00".parse().unwrap(),
        reference: String::new(),
    };
    let credit = bench.simulator.add_credit(contact.parse().unwrap(), wanted).unwrap().to_string();

    // In the order of the guide, as a reader would try one after the other.
    for control in controls {
        let name = control["control"].as_str().unwrap();
        let curl = control["curl"].as_str().unwrap();
        assert!(curl.contains(&bench.url), "{curl}");
        let (method, path) = name.split_once(" /_control").unwrap();
        let body = curl.split_once(" -d '").map_or("", |(_, body)| body.trim_end_matches('\''));
        let fill = |text: &str| {
            text.replace("ORGANISATION_ID", &organisation)
                .replace("BANK_TRANSACTION_ID", &transaction)
                .replace("ACCOUNT_ID", &account.to_string())
                .replace("CONTACT_ID", &contact)
                .replace("CREDIT_ID", &credit)
                .replace("ALLOCATION_ID", &credit)
                .replace("INVOICE_ID", &invoice.to_string())
                .replace("PAYMENT_ID", &payment)
                .replace("BATCH_ID", &payment)
                .replace("WEBHOOK_KEY", KEY)
                .replace("http://127.0.0.1:9000/webhook", &receiver.url)
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = bench.control(method, &fill(path), &fill(body)).await;
        let refused_for_a_reason = answer.status == 400 && answer.text.contains("error");
        assert!(
            answer.status == 200 || refused_for_a_reason,
            "{name}: {} {}",
            answer.status,
            answer.text
        );
    }
}
