use reqwest::Method;
use uuid::Uuid;
use xero_simulator::{Account, AccountKind, Batches, NewOrganisation};

use crate::bench::Bench;

fn list(payments: &[String]) -> String {
    format!(r#"{{"Payments":[{}]}}"#, payments.join(","))
}

#[tokio::test]
async fn a_payment_is_recorded() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "125.40");
    let body = list(&[bench.payment_json(invoice, "125.40")]);

    let answer = bench.send(Method::PUT, "/Payments?summarizeErrors=false", &body).await;

    let json = answer.json();
    let payment = &json["Payments"][0];
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(payment["StatusAttributeString"], "OK");
    assert_eq!(payment["Invoice"]["Status"], "PAID");
    assert_eq!(payment["Reference"], "BPAY 173");
    let id: Uuid = payment["PaymentID"].as_str().unwrap().parse().unwrap();
    assert_eq!(bench.simulator.payment(id).unwrap().amount.to_string(), "125.40");
    assert!(answer.text.contains(r#""Amount":125.40"#));
}

#[tokio::test]
async fn a_bare_payment_can_be_posted() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0002", "10.00");

    let answer = bench.send(Method::POST, "/Payments", &bench.payment_json(invoice, "4")).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(bench.simulator.invoice(invoice).unwrap().amount_due.to_string(), "6.00");
}

#[tokio::test]
async fn what_xero_refuses_is_refused_in_its_words() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "10.00");
    let paid = bench.invoice("INV-0004", "10.00");
    bench.pay(paid, "10.00");
    let sales = bench.simulator.organisation(bench.organisation).unwrap().accounts[1].id;
    let good = bench.payment_json(invoice, "1.00");
    let bank = bench.bank_account().to_string();
    let cases = [
        (
            bench.payment_json(invoice, "10.01"),
            "Payment amount exceeds the amount outstanding on this document",
        ),
        (
            bench.payment_json(paid, "1.00"),
            "Payments can only be made against Authorised documents",
        ),
        (bench.payment_json(invoice, "0"), "Payment amount must be greater than zero"),
        (
            bench.payment_json(invoice, "1.005"),
            "Payment amount must not have more than 2 decimal places",
        ),
        (bench.payment_json(Uuid::from_u128(4), "1.00"), "Invoice could not be found"),
        (good.replace(&bank, &Uuid::from_u128(4).to_string()), "Account could not be found"),
        (good.replace(&bank, &sales.to_string()), "Account is not valid for payments"),
        (
            good.replace("2026-10-05", "2026-10-05T00:00:00").replace(r#""Amount":1.00,"#, ""),
            "Amount is mandatory",
        ),
    ];
    for (payment, message) in cases {
        let answer = bench.send(Method::PUT, "/Payments", &list(&[payment])).await;
        assert_eq!((answer.status, answer.objection(0).as_str()), (400, message));
        assert_eq!(answer.json()["ErrorNumber"], 10);
        assert_eq!(answer.json()["Type"], "ValidationException");
    }
    assert!(bench.simulator.invoice(invoice).unwrap().payments.is_empty());
}

#[tokio::test]
async fn without_summary_each_element_has_its_own_result() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0005", "10.00");
    let body = list(&[
        bench.payment_json(invoice, "6.00"),
        bench.payment_json(invoice, "6.00"),
        bench.payment_json(invoice, "4.00"),
    ]);

    let answer = bench.send(Method::PUT, "/Payments?summarizeErrors=false", &body).await;

    let json = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(json["Payments"][0]["StatusAttributeString"], "OK");
    assert_eq!(json["Payments"][1]["StatusAttributeString"], "ERROR");
    assert_eq!(json["Payments"][1]["PaymentID"], Uuid::nil().to_string());
    assert_eq!(json["Payments"][1]["HasValidationErrors"], true);
    assert_eq!(json["Payments"][2]["StatusAttributeString"], "OK");
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 2);
}

#[tokio::test]
async fn a_summarised_batch_is_all_or_nothing_unless_told_otherwise() {
    for (batches, booked) in [(Batches::AllOrNothing, 0), (Batches::KeepTheGood, 1)] {
        let bench = Bench::with(|options| options.batches = batches).await;
        let invoice = bench.invoice("INV-0006", "10.00");
        let body =
            list(&[bench.payment_json(invoice, "6.00"), bench.payment_json(invoice, "6.00")]);

        let answer = bench.send(Method::PUT, "/Payments", &body).await;

        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["Elements"].as_array().unwrap().len(), 2);
        assert_eq!(answer.objection(0), "");
        assert!(answer.objection(1).contains("exceeds"));
        assert!(!answer.text.contains("OK"), "no identifier, no result");
        assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), booked);
    }
}

#[tokio::test]
async fn an_account_without_a_code_can_be_paid_into_by_id() {
    let bench = Bench::start().await;
    let account = |id: u128, code: Option<&str>, bank: bool, payments_enabled: bool| Account {
        id: Uuid::from_u128(id),
        code: code.map(str::to_owned),
        name: "Clearing".to_owned(),
        kind: if bank { AccountKind::Bank } else { AccountKind::Current },
        payments_enabled,
        archived: false,
        currency: None,
    };
    let accounts = vec![account(1, None, true, false), account(2, Some("880"), false, true)];
    let wanted =
        NewOrganisation { id: Some(bench.organisation), accounts, ..NewOrganisation::default() };
    bench.simulator.add_organisation(wanted).unwrap();
    let invoice = bench.invoice("INV-0007", "10.00");
    let by_code = bench
        .payment_json(invoice, "1.00")
        .replace(&format!(r#""AccountID":"{}""#, Uuid::from_u128(1)), r#""Code":"880""#);

    let body = list(&[bench.payment_json(invoice, "1.00"), by_code]);
    let answer = bench.send(Method::PUT, "/Payments", &body).await;

    let json = answer.json();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(json["Payments"][0]["Account"].get("Code").is_none());
    assert_eq!(json["Payments"][1]["Account"]["Code"], "880");
}

#[tokio::test]
async fn locked_periods_take_no_payments() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0008", "10.00");
    let wanted = NewOrganisation {
        id: Some(bench.organisation),
        period_lock_date: Some("2026-10-05".parse().unwrap()),
        ..NewOrganisation::default()
    };
    bench.simulator.add_organisation(wanted).unwrap();

    let body = list(&[bench.payment_json(invoice, "1.00")]);
    let locked = bench.send(Method::PUT, "/Payments", &body).await;
    let open = bench.send(Method::PUT, "/Payments", &body.replace("10-05", "10-06")).await;

    assert!(locked.objection(0).contains("lock date"), "{}", locked.text);
    assert_eq!(open.status, 200);
}

#[tokio::test]
async fn invoices_are_created_changed_and_voided() {
    let bench = Bench::start().await;
    let body = r#"{"Invoices":[{"Type":"ACCREC","InvoiceNumber":"INV-0100","Contact":{"Name":"Liam"},
        "Date":"2026-10-01","DueDate":"2026-10-31","Status":"AUTHORISED",
        "LineItems":[{"Description":"Guitar","Quantity":2,"UnitAmount":50.005,"TaxAmount":10.00,"AccountCode":"200"}]}]}"#;

    let created = bench.send(Method::PUT, "/Invoices", body).await;
    let again = bench.send(Method::PUT, "/Invoices", body).await;
    let changed = bench
        .send(Method::POST, "/Invoices", r#"{"InvoiceNumber":"INV-0100","Reference":"Tour"}"#)
        .await;
    let voided = bench.send(Method::POST, "/Invoices/INV-0100", r#"{"Status":"VOIDED"}"#).await;
    let revived =
        bench.send(Method::POST, "/Invoices/INV-0100", r#"{"Status":"AUTHORISED"}"#).await;

    assert_eq!(created.status, 200, "{}", created.text);
    assert!(
        created.text.contains(r#""SubTotal":100.01,"TotalTax":10.00,"Total":110.01"#),
        "{}",
        created.text
    );
    assert_eq!((again.status, again.objection(0).as_str()), (400, "Invoice # must be unique."));
    assert_eq!(changed.json()["Invoices"][0]["Reference"], "Tour");
    assert_eq!(voided.json()["Invoices"][0]["Status"], "VOIDED");
    assert_eq!(revived.objection(0), "Invoice not of valid status for modification");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let bench = Bench::start().await;

    let broken = bench.send(Method::PUT, "/Payments", r#"{"Payments":["#).await;
    let request = bench.request(Method::PUT, "/Payments").body("<Payments/>");
    let xml = crate::bench::read(request.send().await.unwrap()).await;

    for answer in [broken, xml] {
        assert_eq!((answer.status, answer.json()["ErrorNumber"].as_u64()), (400, Some(14)));
        assert_eq!(answer.json()["Type"], "PostDataInvalidException");
    }
}
