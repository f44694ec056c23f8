use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{InvoiceKind, InvoiceStatus, NewInvoice, NewPayment, PaymentStatus};

use crate::bench::{Bench, START, millis, read, sample_invoice, sample_payment};

#[tokio::test]
async fn a_payment_shows_trimmed_in_its_invoice_and_whole_in_payments() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0002", "46");
    let payment = bench.pay(invoice, "46.00");

    let answer = bench.get(&format!("/Invoices/{invoice}")).await;
    let in_invoice = answer.json()["Invoices"][0].clone();
    let by_id = bench.get(&format!("/Payments/{payment}")).await;

    assert_eq!(in_invoice["Status"], "PAID");
    assert_eq!(in_invoice["FullyPaidOnDate"], "/Date(1791158400000+0000)/");
    assert!(answer.text.contains(r#""AmountDue":0.00,"AmountPaid":46.00,"AmountCredited":0.00"#));
    let trimmed: Vec<&String> = in_invoice["Payments"][0].as_object().unwrap().keys().collect();
    let expected = [
        "Amount",
        "CurrencyRate",
        "Date",
        "HasAccount",
        "HasValidationErrors",
        "PaymentID",
        "Reference",
    ];
    assert_eq!(trimmed, expected);
    let whole = &by_id.json()["Payments"][0];
    assert_eq!(whole["Status"], "AUTHORISED");
    assert_eq!(whole["PaymentType"], "ACCRECPAYMENT");
    assert_eq!(whole["Invoice"]["InvoiceID"], invoice.to_string());
    assert_eq!(whole["UpdatedDateUTC"], in_invoice["UpdatedDateUTC"]);
    assert!(by_id.text.contains(r#""BankAmount":46.00,"Amount":46.00"#));
}

#[tokio::test]
async fn a_deleted_payment_leaves_the_invoice_and_stays_in_payments() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "100.00");
    let payment = bench.pay(invoice, "40.00");
    let before = bench.simulator.invoice(invoice).unwrap().updated;

    let answer =
        bench.send(Method::POST, &format!("/Payments/{payment}"), r#"{"Status":"DELETED"}"#).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["Payments"][0]["Status"], "DELETED");
    let json = bench.get(&format!("/Invoices/{invoice}")).await.json();
    assert_eq!(json["Invoices"][0]["Payments"], Value::Array(Vec::new()));
    assert_eq!(json["Invoices"][0]["Status"], "AUTHORISED");
    let list = bench.get("/Payments").await.json();
    assert_eq!(list["Payments"][0]["PaymentID"], payment.to_string());
    assert_eq!(list["Payments"][0]["Status"], "DELETED");
    assert!(bench.simulator.invoice(invoice).unwrap().updated > before);
    let by_id = bench.get(&format!("/Payments/{payment}")).await;
    assert_eq!(by_id.json()["Payments"][0]["Status"], "DELETED");
}

#[tokio::test]
async fn only_the_status_of_a_payment_can_be_changed() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0004", "100.00");
    let payment = bench.pay(invoice, "40.00");
    let path = format!("/Payments/{payment}");
    let delete = |body: &'static str| bench.send(Method::POST, &path, body);

    let more = delete(r#"{"Status":"DELETED","Amount":40.00}"#).await;
    let other = delete(r#"{"Payments":[{"Status":"AUTHORISED"}]}"#).await;
    bench.simulator.reconcile_payment(payment, true).unwrap();
    let reconciled = delete(r#"{"Status":"DELETED"}"#).await;
    bench.simulator.reconcile_payment(payment, false).unwrap();
    let wrapped = delete(r#"{"Payments":[{"Status":"DELETED"}]}"#).await;
    let again = delete(r#"{"Status":"DELETED"}"#).await;
    let unknown = bench.send(Method::POST, "/Payments/nothing", r#"{"Status":"DELETED"}"#).await;

    assert_eq!(
        (more.status, more.objection(0).as_str()),
        (400, "Only Status accepted for updates.")
    );
    assert_eq!((other.status, reconciled.status), (400, 400));
    assert_eq!((wrapped.status, again.status, unknown.status), (200, 400, 404));
    assert!(!unknown.text.starts_with('{'), "a 404 is plain text");
}

#[tokio::test]
async fn lists_without_a_page_have_payments_but_no_lines() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0005", "100.00");
    bench.pay(invoice, "40.00");

    let plain = bench.get("/Invoices").await.json();
    let paged = bench.get("/Invoices?page=1").await.json();
    let summary = bench.get("/Invoices?page=1&summaryOnly=true").await.json();

    assert_eq!(plain["Invoices"][0]["LineItems"], Value::Array(Vec::new()));
    assert_eq!(plain["Invoices"][0]["Payments"].as_array().unwrap().len(), 1);
    assert!(plain.get("pagination").is_none());
    assert_eq!(paged["Invoices"][0]["LineItems"].as_array().unwrap().len(), 1);
    assert_eq!(
        paged["pagination"],
        serde_json::json!({"page":1,"pageSize":100,"pageCount":1,"itemCount":1})
    );
    assert!(summary["Invoices"][0].get("Payments").is_none());
    assert!(summary["Invoices"][0].get("LineItems").is_none());
}

#[tokio::test]
async fn modified_since_has_second_precision_and_one_form() {
    let bench = Bench::start().await;
    let old = bench.invoice("INV-0006", "10.00");
    bench.clock.advance(SignedDuration::from_secs(60));
    let new = bench.invoice("INV-0007", "10.00");
    let list = async |since: &str| {
        let request = bench.request(Method::GET, "/Invoices?order=UpdatedDateUTC%20ASC");
        let request = request.header("if-modified-since", since);
        let json = read(request.send().await.unwrap()).await.json();
        let invoices = json["Invoices"].as_array().unwrap().clone();
        invoices
            .iter()
            .map(|invoice| invoice["InvoiceID"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    assert_eq!(list("2026-10-05T03:42:22").await, [new.to_string()]);
    assert_eq!(list("2026-10-05T03:42:22Z").await, [old.to_string(), new.to_string()]);
    assert_eq!(list("2026-10-05T03:42:23").await, Vec::<String>::new());
}

#[tokio::test]
async fn too_many_ids_are_an_unexplained_404() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0008", "10.00");
    let ids = |count: usize| {
        let ids = vec![invoice.to_string(); count];
        format!("/Invoices?IDs={}", ids.join(","))
    };

    let few = bench.get(&ids(55)).await;
    let many = bench.get(&ids(56)).await;

    assert_eq!(few.json()["Invoices"].as_array().unwrap().len(), 1);
    assert_eq!((many.status, many.text.as_str()), (404, ""));
    assert_eq!(bench.simulator.meter(bench.organisation).ids_asked, 111);
}

#[tokio::test]
async fn who_does_not_ask_for_json_gets_xml() {
    let bench = Bench::start().await;
    let url = format!("{}/api.xro/2.0/Payments", bench.url);

    let good = bench.http.get(&url).bearer_auth(&bench.token).send().await.unwrap();
    let good = read(good).await;
    let bad = bench.http.put(&url).bearer_auth(&bench.token).send().await.unwrap();
    let bad = read(bad).await;

    assert_eq!(good.status, 200);
    assert!(good.text.starts_with("<Response"), "{}", good.text);
    assert_eq!(good.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(bad.status, 400);
    assert!(bad.text.starts_with("<ApiException"), "{}", bad.text);
}

#[tokio::test]
async fn invoices_are_found_by_number_status_and_contact() {
    let bench = Bench::start().await;
    let open = bench.invoice("INV-0009", "10.00");
    let paid = bench.invoice("INV-0010", "10.00");
    bench.pay(paid, "10.00");
    let contact = bench.simulator.invoice(open).unwrap().contact;
    let count =
        async |path: &str| bench.get(path).await.json()["Invoices"].as_array().unwrap().len();

    assert_eq!(count("/Invoices/INV-0010").await, 1);
    assert_eq!(count("/Invoices?Statuses=PAID").await, 1);
    assert_eq!(count("/Invoices?Statuses=PAID,AUTHORISED").await, 2);
    assert_eq!(count("/Invoices?InvoiceNumbers=INV-0009,INV-0999").await, 1);
    assert_eq!(count(&format!("/Invoices?ContactIDs={contact}")).await, 2);
    assert_eq!(count(&format!("/Invoices?ContactIDs={}", Uuid::from_u128(5))).await, 0);
    assert_eq!(bench.get("/Invoices/INV-0999").await.status, 404);
    assert_eq!(count("/Invoices?where=Status%3D%3D%22PAID%22").await, 1);
    let refused = bench.get("/Invoices?where=AmountDue%3D%3D0").await;
    assert_eq!(refused.json()["Type"], "QueryParseException");
}

#[tokio::test]
async fn payments_are_filtered_by_where_and_paged() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0011", "100.00");
    let other = bench.invoice("INV-0012", "100.00");
    for _ in 0..3 {
        bench.pay(invoice, "10.00");
    }
    let deleted = bench.pay(other, "10.00");
    bench.simulator.delete_payment(deleted).unwrap();
    let filtered = async |filter: &str| {
        let request = bench.request(Method::GET, "/Payments").query(&[("where", filter)]);
        let json = read(request.send().await.unwrap()).await.json();
        json["Payments"].as_array().map_or(usize::MAX, Vec::len)
    };

    assert_eq!(filtered(&format!(r#"Invoice.InvoiceID==guid("{invoice}")"#)).await, 3);
    assert_eq!(filtered(r#"Status=="AUTHORISED""#).await, 3);
    assert_eq!(filtered(r#"Reference=="BPAY 173" AND Status=="DELETED""#).await, 1);
    assert_eq!(filtered("Amount > 5").await, usize::MAX);
    let page = bench.get("/Payments?page=2&pageSize=3&order=UpdatedDateUTC").await.json();
    assert_eq!(page["Payments"][0]["PaymentID"], deleted.to_string());
    assert_eq!(page["pagination"]["pageCount"], 2);
}

#[tokio::test]
async fn changes_never_share_a_time_though_the_clock_stands_still() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0013", "100.00");
    let created = bench.simulator.invoice(invoice).unwrap().updated;
    bench.simulator.touch_invoice(invoice).unwrap();
    let touched = bench.simulator.invoice(invoice).unwrap().updated;

    assert_eq!(created.as_millisecond(), millis(START));
    assert_eq!(touched.as_millisecond(), millis(START) + 1);
}

#[tokio::test]
async fn credits_count_apart_from_payments() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0014", "100.00");
    bench.simulator.add_credit_note(invoice, "30.00".parse().unwrap()).unwrap();
    bench.pay(invoice, "70.00");

    let answer = bench.get(&format!("/Invoices/{invoice}")).await;

    assert!(answer.text.contains(r#""AmountDue":0.00,"AmountPaid":70.00,"AmountCredited":30.00"#));
    assert_eq!(answer.json()["Invoices"][0]["CreditNotes"][0]["CreditNoteNumber"], "CN-0002");
    assert_eq!(answer.json()["Invoices"][0]["Status"], "PAID");
}

#[tokio::test]
async fn an_invoice_with_money_on_it_cannot_be_voided() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0015", "100.00");
    let payment = bench.pay(invoice, "100.00");

    assert!(bench.simulator.void_invoice(invoice).is_err());
    bench.simulator.delete_payment(payment).unwrap();
    bench.simulator.void_invoice(invoice).unwrap();

    let voided = bench.simulator.invoice(invoice).unwrap();
    assert_eq!(voided.status, InvoiceStatus::Voided);
    assert!(voided.amount_due.is_zero());
    assert!(bench.simulator.add_payment(invoice, sample_payment("1.00")).is_err());
    assert_eq!(bench.simulator.payment(payment).unwrap().status, PaymentStatus::Deleted);
}

#[tokio::test]
async fn numbers_of_sales_are_unique() {
    let bench = Bench::start().await;
    bench.invoice("INV-0016", "10.00");
    let again = sample_invoice(bench.organisation, "INV-0016", "10.00");

    let refused = bench.simulator.add_invoice(again).unwrap_err();

    assert_eq!(refused.to_string(), "Invoice # must be unique.");
}

#[tokio::test]
async fn payments_are_asked_for_by_their_dates_a_page_at_a_time() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0010", "100.00");
    let bill = NewInvoice {
        kind: InvoiceKind::Accpay,
        ..sample_invoice(bench.organisation, "BILL-1", "9.00")
    };
    let bill = bench.simulator.add_invoice(bill).unwrap();
    let pay = |invoice, date: &str, amount: &str| {
        let payment = NewPayment { date: date.parse().unwrap(), ..sample_payment(amount) };
        bench.simulator.add_payment(invoice, payment).unwrap()
    };
    let late = pay(invoice, "2026-11-22", "3.00");
    let early = pay(invoice, "2026-11-20", "1.00");
    let deleted = pay(invoice, "2026-11-21", "2.00");
    let _outside = pay(invoice, "2026-11-23", "4.00");
    let of_supplier = pay(bill, "2026-11-21", "9.00");
    bench.simulator.delete_payment(deleted).unwrap();
    let found = async |filter: &str, page: &str| {
        let query = [("where", filter), ("order", "Date ASC"), ("page", page), ("pageSize", "2")];
        let answer =
            read(bench.request(Method::GET, "/Payments").query(&query).send().await.unwrap());
        let json = answer.await.json();
        let ids: Vec<Uuid> = json["Payments"].as_array().unwrap().iter().map(id_of).collect();
        (ids, json)
    };
    let range = "Date>=DateTime(2026, 11, 20) AND Date<DateTime(2026, 11, 23)";

    let in_use = format!(r#"{range} AND Status=="AUTHORISED""#);
    let (first, json) = found(&in_use, "1").await;
    assert_eq!(first, [early, of_supplier]);
    assert_eq!(json["pagination"]["itemCount"], 3);
    assert_eq!(json["Payments"][0]["Invoice"]["Contact"]["Name"], "Barney Rubble");
    assert_eq!(json["Payments"][0]["Invoice"]["CurrencyCode"], "AUD");
    assert_eq!(found(&in_use, "2").await.0, [late]);
    let received = format!(r#"{range} && PaymentType=="ACCRECPAYMENT" && Status=="DELETED""#);
    assert_eq!(found(&received, "1").await.0, [deleted]);
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    let of_contact =
        format!(r#"Invoice.Contact.ContactID==guid("{contact}") AND Date==DateTime(2026,11,22)"#);
    assert_eq!(found(&of_contact, "1").await.0, [late]);
}

fn id_of(payment: &Value) -> Uuid {
    payment["PaymentID"].as_str().unwrap().parse().unwrap()
}
