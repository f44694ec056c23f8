use std::time::{Duration, Instant};

use reqwest::Method;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::bench::{Bench, read};

#[tokio::test]
async fn a_lost_answer_leaves_the_payment_recorded() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    bench.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(1));

    let lost =
        bench.write(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).send().await;

    assert!(lost.is_err());
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 1);
    assert!(bench.simulator.faults().is_empty(), "it was used up");
}

#[tokio::test]
async fn a_cut_connection_leaves_nothing_done() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0002", "10.00");
    bench.simulator.inject(Fault::on("PUT", "/Payments", Effect::Cut).times(1));

    let cut =
        bench.write(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).send().await;

    assert!(cut.is_err());
    assert!(bench.simulator.invoice(invoice).unwrap().payments.is_empty());
}

#[tokio::test]
async fn answers_can_stop_in_the_middle_in_two_ways() {
    let bench = Bench::start().await;
    for number in 0..20 {
        bench.invoice(&format!("INV-{number}"), "10.00");
    }
    bench.simulator.inject(Fault::on("GET", "/Invoices", Effect::CutMidAnswer).times(1));
    bench.simulator.inject(Fault::on("GET", "/Invoices", Effect::TruncatedJson).after(1).times(1));

    let cut = bench.request(Method::GET, "/Invoices").send().await.unwrap();
    let cut_status = cut.status();
    let cut_body = cut.text().await;
    let truncated = bench.get("/Invoices").await;
    let whole = bench.get("/Invoices").await;

    assert_eq!(cut_status, 200);
    assert!(cut_body.is_err());
    assert_eq!(truncated.status, 200);
    assert!(truncated.text.len() < whole.text.len());
    assert!(serde_json::from_str::<serde_json::Value>(&truncated.text).is_err());
    assert_eq!(whole.json()["Invoices"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn statuses_pages_and_limits_can_be_made_up() {
    let bench = Bench::start().await;
    let status = Effect::Status {
        status: 503,
        headers: vec![("retry-after".to_owned(), "7".to_owned())],
        body: "offline".to_owned(),
    };
    let day = Effect::RateLimit { problem: LimitProblem::Day, retry_after: Some(77_000) };
    let bare = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: None };
    for effect in [status, Effect::HtmlPage { status: 200 }, day, bare] {
        bench.simulator.inject(Fault::on("GET", "/Organisation", effect).times(1));
    }
    // All four match the first call; the first that answers wins and the others are used up.
    let first = bench.get("/Organisation").await;
    assert_eq!(
        (first.status, first.text.as_str(), first.header("retry-after")),
        (503, "offline", Some("7"))
    );

    bench
        .simulator
        .inject(Fault::on("GET", "/Organisation", Effect::HtmlPage { status: 200 }).times(1));
    let page = bench.get("/Organisation").await;
    assert!(page.status == 200 && page.text.starts_with("<!DOCTYPE html>"));

    let day = Effect::RateLimit { problem: LimitProblem::Day, retry_after: Some(77_000) };
    bench.simulator.inject(Fault::on("GET", "/Organisation", day).times(1));
    let day = bench.get("/Organisation").await;
    assert_eq!((day.status, day.header("x-rate-limit-problem")), (429, Some("day")));
    assert_eq!(day.header("retry-after"), Some("77000"));
    assert_eq!(bench.simulator.meter(bench.organisation).rejected, 1);
}

#[tokio::test]
async fn a_stale_read_shows_the_state_before_the_last_change() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "10.00");
    bench.simulator.touch_invoice(invoice).unwrap();
    let payment = bench.pay(invoice, "10.00");
    let new = bench.invoice("INV-0004", "10.00");
    bench.simulator.inject(Fault::on("GET", "", Effect::StaleRead).times(4));

    let by_id = bench.get(&format!("/Invoices/{invoice}")).await.json();
    let not_yet_there = bench.get(&format!("/Invoices/{new}")).await;
    let payments = bench.get("/Payments").await.json();
    let no_payment = bench.get(&format!("/Payments/{payment}")).await;
    let fresh = bench.get(&format!("/Invoices/{invoice}")).await.json();

    assert_eq!(by_id["Invoices"][0]["Status"], "AUTHORISED");
    assert_eq!(by_id["Invoices"][0]["Payments"].as_array().unwrap().len(), 0);
    assert_eq!(not_yet_there.status, 404);
    assert_eq!(payments["Payments"].as_array().unwrap().len(), 0);
    assert_eq!(no_payment.status, 404);
    assert_eq!(fresh["Invoices"][0]["Status"], "PAID");
}

#[tokio::test]
async fn a_stale_read_still_shows_a_payment_that_was_just_deleted() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0005", "10.00");
    let payment = bench.pay(invoice, "10.00");
    bench.simulator.delete_payment(payment).unwrap();
    bench.simulator.inject(Fault::on("GET", "", Effect::StaleRead).times(2));

    let invoice = bench.get(&format!("/Invoices/{invoice}")).await.json();
    let payments = bench.get("/Payments").await.json();

    assert_eq!(invoice["Invoices"][0]["Payments"].as_array().unwrap().len(), 1);
    assert_eq!(payments["Payments"][0]["Status"], "AUTHORISED");
}

#[tokio::test]
async fn an_invoice_can_be_left_out_of_a_list() {
    let bench = Bench::start().await;
    let left_out = bench.invoice("INV-0006", "10.00");
    let kept = bench.invoice("INV-0007", "10.00");
    bench
        .simulator
        .inject(Fault::on("GET", "/Invoices", Effect::LeaveOut { invoice: left_out }).times(1));

    let list = bench.get(&format!("/Invoices?IDs={left_out},{kept}")).await.json();

    assert_eq!(list["Invoices"].as_array().unwrap().len(), 1);
    assert_eq!(list["Invoices"][0]["InvoiceID"], kept.to_string());
}

#[tokio::test]
async fn a_delayed_write_happens_though_the_caller_has_given_up() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0008", "10.00");
    bench.simulator.inject(Fault::on("PUT", "/Payments", Effect::Delay { millis: 1_000 }).times(1));

    let request = bench.write(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00"));
    let given_up = request.timeout(Duration::from_millis(50)).send().await;
    let at_first = bench.simulator.invoice(invoice).unwrap().payments.len();
    let started = Instant::now();
    while bench.simulator.invoice(invoice).unwrap().payments.is_empty() {
        assert!(started.elapsed() < Duration::from_secs(5), "it never happened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    assert!(given_up.is_err());
    assert_eq!(at_first, 0);
}

#[tokio::test]
async fn done_but_answered_with_an_error() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0009", "10.00");
    let effect = Effect::DoneButStatus { status: 500, headers: Vec::new(), body: String::new() };
    bench.simulator.inject(Fault::on("PUT", "/Payments", effect).times(1));

    let answer = bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).await;

    assert_eq!(answer.status, 500);
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 1);
}

#[tokio::test]
async fn the_token_endpoint_can_fail_too() {
    let bench = Bench::start().await;
    let effect = Effect::Status { status: 500, headers: Vec::new(), body: String::new() };
    bench.simulator.inject(Fault::on("POST", "/connect/token", effect).times(1));

    let request = || {
        let form = [("grant_type", "client_credentials")];
        let url = format!("{}/connect/token", bench.url);
        let (id, secret) =
            (xero_simulator::DEFAULT_CLIENT_ID, xero_simulator::DEFAULT_CLIENT_SECRET);
        bench.http.post(url).basic_auth(id, Some(secret)).form(&form).send()
    };

    assert_eq!(read(request().await.unwrap()).await.status, 500);
    assert_eq!(read(request().await.unwrap()).await.status, 200);
}
