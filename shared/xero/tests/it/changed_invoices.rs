//! What changed since a moment: X-08, X-13, FAULT-20.

use jiff::Timestamp;
use payments::InvoiceKind;
use payments::sweep::{ListPosition, SweptList};
use xero::{ChangedPage, Outage, ReadError};

use crate::xero::{Reply, Seen, Xero, books, id, organisation};

const SINCE: i64 = 1_790_000_100;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// An invoice that changed so many milliseconds after the moment asked for.
fn invoice(number: u32, millis: i64) -> String {
    let kind = if number == 9 { "ACCPAY" } else { "ACCREC" };
    format!(
        r#"{{"Type":"{kind}","InvoiceID":"{}","InvoiceNumber":"CM-{number}","AmountPaid":1.50,"AmountCredited":0.00,"CurrencyCode":"AUD","Status":"VOIDED","UpdatedDateUTC":"\/Date({}+0000)\/"}}"#,
        id(number),
        SINCE * 1_000 + millis
    )
}

async fn asking(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| answer(seen))).await
}

async fn read(xero: &Xero, list: SweptList, since: Timestamp) -> Result<ChangedPage, ReadError> {
    xero.client().changed_since(organisation(), list, since).await
}

fn numbers(page: &ChangedPage) -> Vec<&str> {
    page.seen.iter().filter_map(|seen| seen.number.as_deref()).collect()
}

#[tokio::test]
async fn everything_that_changed_is_asked_for_whatever_its_status_in_the_order_of_change() {
    let rows = [invoice(1, 0), invoice(9, 2_500)];
    let xero = asking(move |seen| {
        Reply::page(seen, "Invoices", &rows, 100).with("date", "Mon, 21 Sep 2026 14:15:00 GMT")
    })
    .await;
    let page = read(&xero, SweptList::Invoices, at(SINCE)).await.unwrap();

    assert_eq!(numbers(&page), ["CM-1", "CM-9"]);
    assert_eq!([page.seen[0].kind, page.seen[1].kind], [InvoiceKind::Sales, InvoiceKind::Bill]);
    assert_eq!(page.seen[0].updated_at, Some(at(SINCE)), "equal counts as changed");
    assert_eq!((page.next, page.others), (None, 0));
    assert_eq!(page.xero_at, Some("2026-09-21T14:15:00Z".parse().unwrap()));
    assert!(page.started_at <= page.answered_at);
    let [call] = &xero.calls()[..] else { panic!("one call") };
    assert_eq!(call.header("if-modified-since"), at(SINCE).to_string().trim_end_matches('Z'));
    assert_eq!(call.path, "/api.xro/2.0/Invoices");
    assert_eq!(call.query, "order=UpdatedDateUTC%20ASC&page=1&pageSize=1000");
}

#[tokio::test]
async fn the_way_on_is_the_second_of_the_last_row_and_never_page_two() {
    let rows: Vec<_> = (1..=5).map(|n| invoice(n, i64::from(n) * 1_300)).collect();
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 2)).await;
    let page = read(&xero, SweptList::Invoices, at(SINCE)).await.unwrap();
    assert_eq!((numbers(&page).len(), page.next), (2, Some(at(SINCE + 2))));
    assert_eq!(xero.calls().len(), 1);
}

#[tokio::test]
async fn more_in_one_second_than_a_page_holds_and_rows_in_another_order_are_read_as_a_whole() {
    let one_second: Vec<_> = (1..=5).map(|n| invoice(n, i64::from(n))).collect();
    let disorder: Vec<_> = (1..=5).map(|n| invoice(n, 9_000 - i64::from(n) * 1_300)).collect();
    for rows in [one_second, disorder] {
        let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 2)).await;
        let page = read(&xero, SweptList::Invoices, at(SINCE)).await.unwrap();
        assert_eq!((numbers(&page).len(), page.next), (5, None));
        assert_eq!(xero.calls().len(), 1 + 3);
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_dropped_if_the_header_is_ignored() {
    // X-08: "a full pull each time"
    let rows = [invoice(1, -1), invoice(2, 0)];
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
    let page = read(&xero, SweptList::Invoices, at(SINCE)).await.unwrap();
    assert_eq!(numbers(&page), ["CM-2"]);
}

#[tokio::test]
async fn half_an_answer_is_no_page_and_a_row_without_a_stamp_is_named() {
    let without = invoice(1, 0).replace("UpdatedDateUTC", "Updated");
    for (answer, expected) in [
        (r#"{"Invoices":[{"#.to_owned(), Outage::Unreadable.into()),
        ("<html>".to_owned(), Outage::Unreadable.into()),
        (r#"{"Payments":[]}"#.to_owned(), Outage::Unreadable.into()),
    ] {
        let xero = asking(move |_| Reply::ok(answer.clone())).await;
        assert_eq!(read(&xero, SweptList::Invoices, at(SINCE)).await, Err(expected));
    }
    // AMB-30: the row is named, and ends nothing.
    let answer = format!(
        r#"{{"Invoices":[{without}],"pagination":{{"page":1,"pageCount":1,"itemCount":1}}}}"#
    );
    let xero = asking(move |_| Reply::ok(answer.clone())).await;
    let page = read(&xero, SweptList::Invoices, at(SINCE)).await.unwrap();
    assert_eq!((page.seen.len(), page.unreadable[0].field), (0, "UpdatedDateUTC"));
    let xero = asking(|_| Reply::status(404, "")).await;
    let error = read(&xero, SweptList::Payments, at(SINCE)).await;
    assert_eq!(error, Err(Outage::Status(404).into()), "of a list, 404 is no answer");
}

#[tokio::test]
async fn open_sales_invoices_are_asked_for_by_status_and_bills_are_none() {
    // X-13: only optimised filters
    let rows: Vec<_> = (8..=10).map(|n| invoice(n, 0)).collect();
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 1_000)).await;
    let at = ListPosition::from(Timestamp::UNIX_EPOCH);
    let read = xero.client().open_invoices_page(organisation(), at).await.unwrap();
    assert_eq!(read.unreadable, []);
    let numbers: Vec<_> = read.rows.iter().map(|open| open.number.as_str()).collect();
    assert_eq!((numbers, read.next, xero.calls().len()), (vec!["CM-8", "CM-10"], None, 1));
    assert_eq!(read.rows[0].paid.to_string(), "1.50 AUD");
    let query = "Statuses=AUTHORISED&order=UpdatedDateUTC%20ASC&page=1&pageSize=1000";
    assert_eq!(xero.calls()[0].query, query);
}
