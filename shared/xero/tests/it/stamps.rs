//! Looking for stamps: FAULT-24 and FAULT-25, X-08, X-13.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use payments::upload::{Placed, Stamp};
use xero::{AccessRefusal, Found, LimitProblem, Outage, PAGES_MAX, ReadError, StampedKind};

use crate::samples::{
    CANARIES, bill, created, created_bill, created_on, created_prepayment, payment, payment_id,
    prepayment, stamps,
};
use crate::xero::{CALL_SECONDS, Reply, Seen, Xero, books, id, organisation};

const SINCE: i64 = 1_790_000_123;

async fn asking(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| answer(seen))).await
}

async fn look(
    xero: &Xero,
    kind: StampedKind,
    wanted: &[Stamp],
) -> Result<(Found, usize), ReadError> {
    let since = Timestamp::from_second(SINCE).unwrap();
    let wanted: BTreeSet<Stamp> = wanted.iter().cloned().collect();
    let found = xero.client().stamped_since(organisation(), kind, since, &wanted).await?;
    Ok((found, xero.calls().len()))
}

/// Looks for the first three stamps in lists of payments of this page size.
async fn look_in(rows: Vec<String>, size: usize) -> Result<(Found, usize), ReadError> {
    let xero = asking(move |seen| Reply::page(seen, "Payments", &rows, size)).await;
    look(&xero, StampedKind::Payments, &stamps(3)).await
}

fn rows(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(created).collect()
}

fn ids(found: &Found, number: u32) -> Vec<Placed> {
    found.of(&payment(number).stamp).iter().map(|stamped| stamped.placed).collect()
}

fn placed(number: u32) -> Placed {
    Placed::Payment(payment_id(number).parse().unwrap())
}

#[tokio::test]
async fn what_was_sent_is_found_by_its_stamp_and_what_is_absent_was_in_no_page() {
    let xero = asking(|seen| Reply::page(seen, "Payments", &rows(2..=9), 100)).await;
    let before = xero.clock.load(Ordering::SeqCst);
    let (found, calls) = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap();
    assert_eq!(
        (ids(&found, 1), ids(&found, 2), ids(&found, 3)),
        (vec![], vec![placed(2)], vec![placed(3)])
    );
    assert_eq!(ids(&found, 5), [], "was not asked for");
    let [stamped] = found.of(&payment(2).stamp) else { panic!("one") };
    assert_eq!((stamped.deleted, stamped.invoice), (false, Some(id(2))));
    assert_eq!(stamped.amount, Some(payment(2).amount.amount()));
    assert_eq!(calls, 1);
    // After the call for the token, and before the clock was moved by its own.
    let started = found.started_at().as_second() - before;
    assert!((CALL_SECONDS..2 * CALL_SECONDS).contains(&started), "{started}");
}

#[tokio::test]
async fn the_header_has_xeros_own_format_and_a_margin_for_clocks() {
    // X-08: with milliseconds or a zone it may be ignored; with a status, deletions are never seen.
    let xero = asking(|seen| Reply::page(seen, "Payments", &[], 100)).await;
    look(&xero, StampedKind::Payments, &stamps(1)).await.unwrap();
    let [call] = &xero.calls()[..] else { panic!("one call") };
    let since = Timestamp::from_second(SINCE - 300).unwrap().to_string();
    assert_eq!(call.header("if-modified-since"), since.trim_end_matches('Z'));
    assert_eq!(call.path, "/api.xro/2.0/Payments");
    assert_eq!(call.query, "order=UpdatedDateUTC%20ASC&page=1&pageSize=1000");
}

#[tokio::test]
async fn deleted_ones_and_doubles_are_found_too() {
    // N5: a person deleted ours, or it is there twice.
    let deleted = created(1).replacen("AUTHORISED", "DELETED", 1);
    let double = created(2).replacen(&payment_id(2), &payment_id(77), 1);
    let (found, _) = look_in(vec![deleted, created(2), double], 100).await.unwrap();
    let [one] = found.of(&payment(1).stamp) else { panic!("one") };
    assert!(one.deleted);
    assert_eq!(ids(&found, 2), [placed(2), placed(77)]);
}

#[tokio::test]
async fn a_copied_reference_on_another_invoice_is_not_ours() {
    let (found, _) = look_in(vec![created_on(id(99), 1)], 100).await.unwrap();
    assert_eq!(ids(&found, 1), []);
    // Without the invoice it is not known: it counts, or the payment might be sent a second time.
    let silent = created(1).replacen("\"InvoiceID\"", "\"Other\"", 1);
    let (found, _) = look_in(vec![silent], 100).await.unwrap();
    assert_eq!(ids(&found, 1), [placed(1)]);
    assert_eq!(found.of(&payment(1).stamp)[0].invoice, None);
}

#[tokio::test]
async fn every_page_is_read_even_if_xero_makes_them_smaller() {
    let (found, calls) = look_in(rows((3..=9).rev()), 2).await.unwrap();
    assert_eq!((ids(&found, 3), calls), (vec![placed(3)], 4));
    let (_, calls) = look_in(vec![], 2).await.unwrap();
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn a_row_that_moves_while_the_pages_are_read_is_not_lost() {
    // Row 9 changes after the first page: it goes to the end, and row 3 slips onto the first page.
    let walks = AtomicU32::new(0);
    let xero = asking(move |seen| {
        let moved = walks.fetch_add(1, Ordering::SeqCst) > 0;
        let order = if moved { vec![8, 3, 4, 9] } else { vec![9, 8, 3, 4] };
        Reply::page(seen, "Payments", &rows(order.into_iter()), 2)
    })
    .await;
    let (found, calls) = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap();
    assert_eq!((ids(&found, 3), calls), (vec![placed(3)], 4));
    // The evidence counts from the walk that was whole.
    let start = xero.clock.load(Ordering::SeqCst) - found.started_at().as_second();
    assert!((2 * CALL_SECONDS..3 * CALL_SECONDS + 5).contains(&start), "{start}");
}

#[tokio::test]
async fn a_list_that_only_grows_is_whole_if_its_end_was_seen() {
    let calls = AtomicU32::new(0);
    let xero = asking(move |seen| {
        let more = calls.fetch_add(1, Ordering::SeqCst);
        Reply::page(seen, "Payments", &rows(4..=8 + more), 4)
    })
    .await;
    let (_, calls) = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap();
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_an_error() {
    let xero = asking(|seen| {
        let mut reply = Reply::page(seen, "Payments", &rows(4..=8), 2);
        let text = String::from_utf8(reply.body).unwrap();
        reply.body = text.replace("\"itemCount\":5", "\"itemCount\":6").into_bytes();
        reply
    })
    .await;
    let error = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap_err();
    assert_eq!((error, xero.calls().len()), (Outage::Shifting.into(), 9));
}

#[tokio::test]
async fn too_many_pages_are_an_error_and_not_an_absence() {
    // N10
    let pages = PAGES_MAX + 1;
    let xero = asking(move |_| {
        Reply::ok(format!(
            r#"{{"pagination":{{"page":1,"pageSize":1,"pageCount":{pages},"itemCount":{pages}}},"Payments":[{}]}}"#,
            created(9)
        ))
    })
    .await;
    let error = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap_err();
    assert_eq!((error, xero.calls().len()), (ReadError::TooLong, 1));
}

#[tokio::test]
async fn a_page_that_is_too_long_is_read_in_smaller_pages() {
    let xero = asking(|seen| match seen.value("pageSize") {
        "50" => Reply::page(seen, "Payments", &rows(1..=3), 50),
        _ => Reply::ok(" ".repeat(xero::RESPONSE_BYTES_MAX + 1)),
    })
    .await;
    let (found, calls) = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap();
    assert_eq!((ids(&found, 1), calls), (vec![placed(1)], 3));
    let xero = asking(|_| Reply::ok(" ".repeat(xero::RESPONSE_BYTES_MAX + 1))).await;
    let error = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap_err();
    assert_eq!((error, xero.calls().len()), (ReadError::TooLong, 3));
}

#[tokio::test]
async fn whatever_is_not_a_whole_list_is_no_evidence() {
    // FAULT-18: a failed read never says that something is absent.
    let good =
        String::from_utf8(Reply::page(&page_one(), "Payments", &rows(2..=3), 9).body).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        Reply::ok(good.replacen(from, to, 1))
    };
    let schema = |field| ReadError::Schema { field };
    let unreadable = ReadError::from(Outage::Unreadable);
    let cases = [
        (with("\"Payments\"", "\"Invoices\""), unreadable),
        (Reply::ok(&good[..good.len() - 3]), unreadable),
        (Reply::ok("<html></html>"), unreadable),
        (Reply::ok("{}"), unreadable),
        (with("\"page\":1", "\"page\":2"), unreadable),
        (with("\"pagination\"", "\"other\""), schema("pagination")),
        (with("\"page\":1", "\"page\":-1"), schema("pagination")),
        (Reply::status(404, ""), Outage::Status(404).into()),
        (Reply::status(500, ""), Outage::Status(500).into()),
        (Reply::status(400, ""), ReadError::Invalid { status: 400 }),
        (
            Reply::status(403, ""),
            ReadError::NotAuthorised(AccessRefusal::Permission("accounting.payments.read")),
        ),
    ];
    for (reply, error) in cases {
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let xero = asking(move |_| reply.clone()).await;
        let read = look(&xero, StampedKind::Payments, &stamps(3)).await;
        assert_eq!(read.unwrap_err(), error, "{text}");
    }
}

fn page_one() -> Seen {
    Seen {
        number: 1,
        method: "GET".to_owned(),
        path: String::new(),
        query: "page=1".to_owned(),
        headers: axum::http::HeaderMap::new(),
        body: String::new(),
    }
}

#[tokio::test]
async fn amb_30_a_row_that_cannot_be_read_leaves_in_doubt_only_what_it_may_be() {
    // FAULT-18: that a part is not seen proves nothing while a row may be it.
    let own = created(2);
    for (from, to) in [
        (payment_id(2), String::new()),
        (payment_id(2), "00000000-0000-0000-0000-000000000000".to_owned()),
        ("\"Reference\":\"".to_owned(), "\"Reference\":7,\"R\":\"".to_owned()),
        ("\"Status\":\"AUTHORISED\"".to_owned(), "\"Status\":\"NEW\"".to_owned()),
        ("\"Status\":\"AUTHORISED\"".to_owned(), "\"S\":1".to_owned()),
    ] {
        assert!(own.contains(&from), "{from}");
        let rows = vec![own.replacen(&from, &to, 1), created(3)];
        let (found, _) = look_in(rows, 100).await.unwrap();
        assert_eq!(found.of(&payment(2).stamp), [], "{from}");
        let is_in_doubt = |number| {
            let payment = payment(number);
            found.is_in_doubt(&payment.stamp, payment.amount.amount())
        };
        assert_eq!(
            (is_in_doubt(1), is_in_doubt(2), is_in_doubt(3)),
            (false, true, false),
            "{from}"
        );
    }
    // A row that is no object at all is nobody's.
    let (found, _) = look_in(vec!["[]".to_owned(), created(1)], 100).await.unwrap();
    assert_eq!(ids(&found, 1), [placed(1)]);
}

#[tokio::test]
async fn an_error_on_a_later_page_spoils_the_whole_read() {
    let xero = asking(|seen| match seen.value("page") {
        "3" => Reply::status(503, ""),
        _ => Reply::page(seen, "Payments", &rows(1..=9), 2),
    })
    .await;
    let error = look(&xero, StampedKind::Payments, &stamps(1)).await.unwrap_err();
    assert_eq!(error, Outage::Status(503).into());
}

#[tokio::test]
async fn no_call_is_made_after_the_last_one_of_a_limit() {
    // X-09
    let xero = asking(|seen| {
        Reply::page(seen, "Payments", &rows(1..=9), 2).with("X-MinLimit-Remaining", 0)
    })
    .await;
    let error = look(&xero, StampedKind::Payments, &stamps(1)).await.unwrap_err();
    assert!(matches!(error, ReadError::Limited { problem: LimitProblem::Minute, .. }));
    assert_eq!(xero.calls().len(), 1);
}

#[tokio::test]
async fn a_strange_row_of_somebody_else_does_not_matter() {
    let strange =
        r#"{"PaymentID":"40000000-0000-4000-8000-000000000001","Amount":"much","Status":"ODD"}"#;
    let (found, _) = look_in(vec![strange.to_owned(), created(1)], 100).await.unwrap();
    assert_eq!(ids(&found, 1), [placed(1)]);
    let unreadable_amount = created(1).replacen("125.40,\"Ref", "\"much\",\"Ref", 1);
    let (found, _) = look_in(vec![unreadable_amount], 100).await.unwrap();
    assert_eq!(found.of(&payment(1).stamp)[0].amount, None);
}

#[tokio::test]
async fn prepayments_are_known_by_their_reference_or_by_their_line() {
    // EX-07. "Only supported for SPEND and RECEIVE transactions", says the specification of Reference.
    let list = |rows: Vec<String>| async move {
        let xero = asking(move |seen| Reply::page(seen, "BankTransactions", &rows, 100)).await;
        let wanted: Vec<Stamp> = (1..=2).map(|number| prepayment(number).stamp).collect();
        let (found, _) = look(&xero, StampedKind::Prepayments, &wanted).await.unwrap();
        assert_eq!(xero.calls()[0].path, "/api.xro/2.0/BankTransactions");
        let in_doubt = found.is_in_doubt(&wanted[0], prepayment(1).amount.amount());
        (!in_doubt).then(|| found.of(&wanted[0]).to_vec())
    };
    let own = created_prepayment(1);
    let by_line = own.replacen("\"Reference\":", "\"Other\":", 1);
    for row in [&own, &by_line] {
        let [found] = &list(vec![row.clone()]).await.unwrap()[..] else { panic!("one") };
        let expected = Placed::Prepayment {
            transaction: "20000000-0000-4000-8000-000000000001".parse().unwrap(),
            prepayment: Some("30000000-0000-4000-8000-000000000001".parse().unwrap()),
        };
        assert_eq!((found.placed, found.deleted), (expected, false));
        assert_eq!(found.amount, Some(prepayment(1).amount.amount()));
    }
    let voided = own.replacen("AUTHORISED", "VOIDED", 1);
    assert!(list(vec![voided]).await.unwrap()[0].deleted);
    let spent = own.replacen("RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT", 1);
    assert_eq!(list(vec![spent]).await.unwrap(), []);
    // A prepayment of which neither is shown may be ours.
    let mute = by_line.replacen("\"LineItems\":", "\"L\":", 1);
    assert_eq!(list(vec![mute]).await, None);
    let missing = |row: &str| row.replacen("\"LineItems\":", "\"L\":", 1).replace("PM-", "XX-");
    assert_eq!(list(vec![missing(&by_line)]).await, None);
    // Of another amount, it is not.
    let other = missing(&by_line).replace("125.40", "99.00");
    assert_eq!(list(vec![other]).await, Some(vec![]));
}

#[tokio::test]
async fn bills_are_known_by_their_number_whatever_became_of_them() {
    // EX-13, X-08, X-13
    let list = |rows: Vec<String>| async move {
        let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
        let wanted: Vec<Stamp> = (1..=2).map(|number| bill(number).stamp).collect();
        let (found, _) = look(&xero, StampedKind::Bills, &wanted).await.unwrap();
        let call = &xero.calls()[0];
        assert_eq!(call.path, "/api.xro/2.0/Invoices");
        let query = "where=Type%3D%3D%22ACCPAY%22&order=UpdatedDateUTC%20ASC&page=1&pageSize=1000";
        assert_eq!(call.query, query);
        assert!(!call.header("if-modified-since").is_empty());
        let in_doubt = found.is_in_doubt(&wanted[0], bill(1).amount.amount());
        (!in_doubt).then(|| found.of(&wanted[0]).to_vec())
    };
    let own = created_bill(1);
    let placed = Placed::Bill("40000000-0000-4000-8000-000000000001".parse().unwrap());
    for (status, deleted) in [
        ("AUTHORISED", false),
        ("PAID", false),
        ("DRAFT", false),
        ("SUBMITTED", false),
        ("VOIDED", true),
        ("DELETED", true),
    ] {
        let rows = vec![created_bill(2), own.replacen("AUTHORISED", status, 1)];
        let [found] = &list(rows).await.unwrap()[..] else { panic!("one") };
        assert_eq!((found.placed, found.deleted), (placed, deleted), "{status}");
        assert_eq!(found.amount, Some(bill(1).amount.amount()));
    }
    // If Xero should not obey the filter, a sale with such a number is not ours.
    assert_eq!(list(vec![own.replacen("ACCPAY", "ACCREC", 1)]).await.unwrap(), []);
    let odd = own.replacen("AUTHORISED", "ODD", 1);
    assert_eq!(list(vec![odd]).await, None);
}

#[tokio::test]
async fn nothing_wanted_is_nothing_called() {
    let xero = asking(|_| Reply::status(500, "")).await;
    let (_, calls) = look(&xero, StampedKind::Payments, &[]).await.unwrap();
    assert_eq!((calls, xero.seen().len()), (0, 0));
}

#[tokio::test]
async fn what_is_found_shows_no_amount_and_errors_show_nothing() {
    // N9
    let rows = Mutex::new(vec![created(1), created(2).replacen("AUTHORISED", "Barney", 1)]);
    let (found, _) = look_in(vec![created(1)], 9).await.unwrap();
    let xero = asking(move |seen| Reply::page(seen, "Payments", &rows.lock().unwrap(), 9)).await;
    let (other, _) = look(&xero, StampedKind::Payments, &stamps(3)).await.unwrap();
    for shown in [format!("{found:?}"), format!("{other:?}")] {
        assert!(!CANARIES.iter().any(|canary| shown.contains(canary)), "{shown}");
    }
}
