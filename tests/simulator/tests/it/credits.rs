//! Credit notes, prepayments and overpayments: applied to invoices, paid back, voided.

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{CreditKind, NewCredit, WebhookSettings};

use crate::bench::{Bench, KEY, Receiver, read, sample_payment};

const KINDS: [(CreditKind, &str, &str); 3] = [
    (CreditKind::CreditNote, "CreditNotes", "CreditNoteID"),
    (CreditKind::Prepayment, "Prepayments", "PrepaymentID"),
    (CreditKind::Overpayment, "Overpayments", "OverpaymentID"),
];

fn credit(bench: &Bench, contact: Uuid, kind: CreditKind, amount: &str) -> Uuid {
    let wanted = NewCredit {
        kind,
        date: "2026-10-04".parse().unwrap(),
        amount: amount.parse().unwrap(),
        reference: "by hand".to_owned(),
    };
    bench.simulator.add_credit(contact, wanted).unwrap()
}

async fn first(bench: &Bench, path: &str, name: &str) -> Value {
    bench.get(path).await.json()[name][0].clone()
}

#[tokio::test]
async fn an_allocation_is_credited_and_shows_in_both_documents() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    bench.simulator.set_webhook(WebhookSettings {
        url: receiver.url.clone(),
        key: KEY.to_owned(),
        ..WebhookSettings::default()
    });
    for (kind, list, id) in KINDS {
        let credit = credit(&bench, contact, kind, "50.00");
        let before = bench.simulator.invoice(invoice).unwrap().updated;
        let date = "2026-10-06".parse().unwrap();
        let amount = "20.00".parse().unwrap();

        let allocation = bench.simulator.allocate(credit, invoice, amount, date).unwrap();

        let shown = first(&bench, &format!("/Invoices/{invoice}"), "Invoices").await;
        assert_eq!(shown["AmountCredited"], 20.0, "{list}");
        assert_eq!(shown["AmountPaid"], 0.0);
        assert_eq!(shown[list][0][id], credit.to_string());
        assert_eq!(shown[list][0]["AppliedAmount"], 20.0);
        assert_eq!(shown[list][0]["Total"], 50.0);
        assert!(bench.simulator.invoice(invoice).unwrap().updated > before);
        let document = first(&bench, &format!("/{list}/{credit}"), list).await;
        assert_eq!(document["RemainingCredit"], 30.0);
        assert_eq!(document["Allocations"][0]["Invoice"]["InvoiceID"], invoice.to_string());
        assert!(bench.simulator.void_credit(credit).is_err(), "it is applied");

        bench.simulator.deallocate(credit, allocation).unwrap();
        let shown = first(&bench, &format!("/Invoices/{invoice}"), "Invoices").await;
        assert_eq!((&shown["AmountCredited"], &shown["AmountDue"]), (&0.0.into(), &100.0.into()));
        bench.simulator.void_credit(credit).unwrap();
        let document = first(&bench, &format!("/{list}/{credit}"), list).await;
        assert_eq!(document["Status"], "VOIDED");
    }
    bench.simulator.flush_webhooks().await;
    let events: usize = receiver
        .received()
        .iter()
        .map(|delivery| delivery.json()["events"].as_array().unwrap().len())
        .sum();
    assert_eq!(events, 6, "each allocation and each taken back is one change of the invoice");
}

#[tokio::test]
async fn a_refund_stands_in_payments_only_and_names_what_it_pays_back() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    for (kind, list, id) in KINDS {
        let credit = credit(&bench, contact, kind, "50.00");

        let refund = bench.simulator.refund(credit, sample_payment("50.00")).unwrap();

        let filter = format!(r#"PaymentType=="{}""#, kind.refund_type());
        let listed = bench.request(Method::GET, "/Payments").query(&[("where", filter)]);
        let listed = read(listed.send().await.unwrap()).await.json();
        let row = &listed["Payments"][0];
        assert_eq!(row["PaymentID"], refund.to_string());
        assert_eq!(row["PaymentType"], kind.refund_type());
        assert_eq!(row["Invoice"]["InvoiceID"], credit.to_string(), "in the place of an invoice");
        assert_eq!(row["Invoice"]["Type"], kind.type_as_invoice());
        assert_eq!(row["Invoice"]["Contact"]["ContactID"], contact.to_string());
        let by_id = first(&bench, &format!("/Payments/{refund}"), "Payments").await;
        let nested = list.strip_suffix('s').unwrap();
        assert_eq!(by_id[nested][id], credit.to_string());
        let document = first(&bench, &format!("/{list}/{credit}"), list).await;
        assert_eq!(
            (&document["Status"], &document["RemainingCredit"]),
            (&"PAID".into(), &0.0.into())
        );
        assert_eq!(document["Payments"][0]["PaymentID"], refund.to_string());

        bench.simulator.delete_payment(refund).unwrap();
        let row = first(&bench, &format!("/Payments/{refund}"), "Payments").await;
        assert_eq!(row["Status"], "DELETED");
        let document = first(&bench, &format!("/{list}/{credit}"), list).await;
        assert_eq!(document["RemainingCredit"], 50.0);
    }
    let shown = first(&bench, &format!("/Invoices/{invoice}"), "Invoices").await;
    assert_eq!(shown["Payments"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn credits_are_found_by_contact_date_and_change() {
    let bench = Bench::start().await;
    let ours = bench.prepay("PM-1", "5.00").await;
    let ours = bench.simulator.bank_transaction(ours).unwrap();
    let other = bench.simulator.add_contact(bench.organisation, "Fred").unwrap();
    let by_hand = credit(&bench, other, CreditKind::Prepayment, "7.00");
    let overpaid = credit(&bench, other, CreditKind::Overpayment, "9.00");
    let found = async |list: &str, id: &str, filter: String| {
        let query = [("where", filter.as_str()), ("order", "Date DESC"), ("page", "1")];
        let path = format!("/{list}");
        let request = bench.request(Method::GET, &path).query(&query);
        let json = read(request.send().await.unwrap()).await.json();
        let ids = json[list].as_array().unwrap().iter();
        ids.map(|item| item[id].as_str().unwrap().parse().unwrap()).collect::<Vec<Uuid>>()
    };
    let prepayments = async |filter: String| found("Prepayments", "PrepaymentID", filter).await;

    let of_contact = |contact: Uuid| format!(r#"Contact.ContactID==guid("{contact}")"#);
    assert_eq!(prepayments(of_contact(ours.contact)).await, [ours.prepayment]);
    assert_eq!(prepayments(of_contact(other)).await, [by_hand]);
    let range = "Date>=DateTime(2026,10,04) AND Date<=DateTime(2026,10,05)".to_owned();
    assert_eq!(prepayments(range.clone()).await, [ours.prepayment, by_hand]);
    let overpayments = found("Overpayments", "OverpaymentID", range).await;
    assert_eq!(overpayments, [overpaid]);
    let transactions = bench.get("/BankTransactions?page=1").await.json();
    let kinds: Vec<&Value> = transactions["BankTransactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|transaction| &transaction["Type"])
        .collect();
    assert_eq!(kinds, ["RECEIVE-PREPAYMENT", "RECEIVE-PREPAYMENT", "RECEIVE-OVERPAYMENT"]);
    assert_eq!(transactions["BankTransactions"][2]["OverpaymentID"], overpaid.to_string());
}

#[tokio::test]
async fn the_controls_do_the_same_over_http() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    let post = async |path: &str, body: String| {
        let answer = bench.control(Method::POST, path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["id"].as_str().map(str::to_owned)
    };

    let wanted = r#"{"kind":"overpayment","date":"2026-10-05","amount":"50.00"}"#;
    let credit = post(&format!("/contacts/{contact}/credits"), wanted.into()).await.unwrap();
    let part = format!(r#"{{"invoice":"{invoice}","amount":"20.00","date":"2026-10-06"}}"#);
    let allocation = post(&format!("/credits/{credit}/allocations"), part).await.unwrap();
    let money = r#"{"date":"2026-10-07","amount":"30.00"}"#;
    let refund = post(&format!("/credits/{credit}/refunds"), money.into()).await.unwrap();

    let shown = bench.control(Method::GET, &format!("/credits/{credit}"), "").await.json();
    assert_eq!(shown["refunds"][0][0], refund);
    let path = format!("/credits/{credit}/allocations/{allocation}");
    assert_eq!(bench.control(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(bench.control(Method::DELETE, &format!("/payments/{refund}"), "").await.status, 200);
    post(&format!("/credits/{credit}/void"), String::new()).await;
}
