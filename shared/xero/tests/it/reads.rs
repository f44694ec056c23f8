//! Reading invoices from a Xero that is well; X-07, FAULT-10, FAULT-11 and FAULT-15.

use std::sync::atomic::Ordering;

use payments::XeroInvoiceId;
use xero::{ErrorClass, Outage, ReadError, Retry};

use crate::xero::{Books, CALL_SECONDS, Reply, Xero, books, id, ids, invoice, organisation};

/// The ids of what was found and of what failed, each sorted.
fn outcome(read: &xero::Invoices) -> (Vec<XeroInvoiceId>, Vec<XeroInvoiceId>) {
    let mut found: Vec<_> = read.found.iter().map(|snapshot| snapshot.invoice).collect();
    let mut failed: Vec<_> = read.failed.iter().map(|(id, _)| *id).collect();
    found.sort();
    failed.sort();
    (found, failed)
}

#[tokio::test]
async fn a_hundred_and_twenty_invoices_take_three_calls() {
    let xero = Xero::start(books(120), |_| None).await;
    let read = xero.client().invoices(organisation(), &ids(120)).await;
    assert_eq!(outcome(&read), (ids(120), vec![]));
    assert_eq!(xero.calls().len(), 3);
    let calls = xero.calls();
    assert_eq!(calls.iter().map(|call| call.ids().len()).collect::<Vec<_>>(), [40, 40, 40]);
    assert!(calls.iter().all(|call| call.query.len() < 2_048 && !call.query.contains('%')));
    assert_eq!(xero.tokens(), 1);
}

#[tokio::test]
async fn the_same_invoice_is_asked_for_once() {
    // FAULT-11
    let xero = Xero::start(books(2), |_| None).await;
    let wanted = [id(2), id(1), id(2), id(2), id(1)];
    let read = xero.client().invoices(organisation(), &wanted).await;
    assert_eq!(outcome(&read), (ids(2), vec![]));
    assert_eq!((xero.calls().len(), xero.calls()[0].ids().len()), (1, 2));
}

#[tokio::test]
async fn nothing_asked_is_nothing_called() {
    let xero = Xero::start(Books::new(), |_| None).await;
    let read = xero.client().invoices(organisation(), &[]).await;
    assert_eq!(read, xero::Invoices::default());
    assert_eq!(xero.seen().len(), 0);
}

#[tokio::test]
async fn every_call_says_who_asks_for_whom_and_in_which_format() {
    let xero = Xero::start(books(2), |_| None).await;
    let client = xero.client();
    client.invoices(organisation(), &ids(2)).await;
    client.invoice(organisation(), id(1)).await.unwrap();
    let calls = xero.calls();
    assert_eq!(calls[0].path, "/api.xro/2.0/Invoices");
    assert_eq!(calls[1].path, format!("/api.xro/2.0/Invoices/{}", id(1)));
    for call in calls {
        assert_eq!(call.header("xero-tenant-id"), organisation().to_string());
        assert_eq!(call.header("accept"), "application/json");
        assert_eq!(call.header("authorization"), "Bearer token-1");
        assert!(call.header("user-agent").starts_with("paymirror/"));
    }
}

#[tokio::test]
async fn a_snapshot_knows_when_its_own_call_was_started() {
    // An event is only satisfied by a read that was started after it was accepted.
    let xero = Xero::start(books(42), |_| None).await;
    let client = xero.client();
    client.invoice(organisation(), id(42)).await.unwrap();
    let before = xero.clock.load(Ordering::SeqCst);
    let read = client.invoices(organisation(), &ids(41)).await;
    let mut starts: Vec<_> =
        read.found.iter().map(|snapshot| snapshot.fetched_at.as_second() - before).collect();
    starts.sort();
    starts.dedup();
    let [first, second] = starts[..] else { panic!("{starts:?}") };
    assert!((0..CALL_SECONDS).contains(&first), "{first}");
    let took = second - first;
    assert!((CALL_SECONDS..2 * CALL_SECONDS).contains(&took), "{took}");
    assert!(read.found.iter().all(|snapshot| snapshot.organisation == organisation()));
}

#[tokio::test]
async fn a_refused_list_is_halved_and_is_no_evidence_of_absence() {
    for status in [400, 404, 413, 414, 431] {
        let xero = Xero::start(books(40), move |seen| {
            (seen.ids().len() > 16).then(|| Reply::status(status, "<html>no</html>"))
        })
        .await;
        let read = xero.client().invoices(organisation(), &ids(40)).await;
        assert_eq!(outcome(&read), (ids(40), vec![]), "{status}");
        let sizes: Vec<usize> = xero.calls().iter().map(|call| call.ids().len()).collect();
        assert_eq!(sizes, [40, 20, 10, 10, 20, 10, 10], "{status}");
        assert_eq!(xero.calls().len(), 7);
    }
}

#[tokio::test]
async fn if_no_list_is_accepted_every_invoice_is_read_alone() {
    let xero =
        Xero::start(books(5), |seen| (!seen.query.is_empty()).then(|| Reply::status(404, "")))
            .await;
    let read = xero.client().invoices(organisation(), &ids(5)).await;
    assert_eq!(outcome(&read), (ids(5), vec![]));
}

#[tokio::test]
async fn a_missing_invoice_is_asked_for_alone_before_it_is_not_found() {
    // FAULT-15: absent is not "no payments".
    let hidden = invoice(id(4), &[30]);
    let mut some = books(3);
    some.remove(&id(2));
    let xero = Xero::start(some, move |seen| {
        seen.path
            .ends_with(&id(4).to_string())
            .then(|| Reply::invoices(std::slice::from_ref(&hidden)))
    })
    .await;
    let read = xero.client().invoices(organisation(), &ids(4)).await;
    assert_eq!(outcome(&read), (vec![id(1), id(3), id(4)], vec![id(2)]));
    assert_eq!(read.failed, [(id(2), ReadError::NotFound)]);
    assert_eq!(xero.calls().len(), 3);
    assert_eq!(ReadError::NotFound.class(), ErrorClass::Validation);
    assert_eq!(ReadError::NotFound.retry(), Retry::Later { after: None, counts_as_failure: true });
}

#[tokio::test]
async fn an_invoice_nobody_asked_for_leaves_no_trace() {
    // FAULT-10
    let foreign = invoice(id(99), &[]);
    let own = invoice(id(1), &[]);
    let xero = Xero::start(books(2), move |seen| match seen.path.rsplit('/').next() {
        Some("Invoices") => Some(Reply::invoices(&[foreign.clone(), own.clone()])),
        Some("token") => None,
        _ => Some(Reply::invoices(std::slice::from_ref(&foreign))),
    })
    .await;
    let client = xero.client();
    let read = client.invoices(organisation(), &ids(2)).await;
    assert_eq!(outcome(&read), (vec![id(1)], vec![id(2)]));
    assert_eq!(read.failed[0].1, ReadError::from(Outage::Unreadable));
    let alone = client.invoice(organisation(), id(2)).await;
    assert_eq!(alone, Err(ReadError::from(Outage::Unreadable)));
}

#[tokio::test]
async fn an_invoice_that_stands_twice_in_a_list_is_read_alone() {
    let xero = Xero::start(books(2), |seen| {
        let both = [invoice(id(1), &[]), invoice(id(1), &[40]), invoice(id(2), &[])];
        (!seen.query.is_empty()).then(|| Reply::invoices(&both))
    })
    .await;
    let read = xero.client().invoices(organisation(), &ids(2)).await;
    assert_eq!(outcome(&read), (ids(2), vec![]));
    assert_eq!(xero.calls().len(), 2);
    let first = read.found.iter().find(|snapshot| snapshot.invoice == id(1)).unwrap();
    assert_eq!(first.payments.len(), 1);
}

#[tokio::test]
async fn an_unreadable_invoice_fails_alone() {
    let mut some = books(3);
    some.insert(id(2), invoice(id(2), &[]).replace("AUTHORISED", "ARCHIVED"));
    let xero = Xero::start(some, |_| None).await;
    let read = xero.client().invoices(organisation(), &ids(3)).await;
    assert_eq!(outcome(&read), (vec![id(1), id(3)], vec![id(2)]));
    assert_eq!(read.failed[0].1, ReadError::Schema { field: "Status" });
    assert_eq!(read.failed[0].1.retry(), Retry::Never);
    assert_eq!(xero.calls().len(), 1);
}

#[tokio::test]
async fn a_list_that_leaves_payments_out_is_not_believed() {
    // X-07: a payment that is absent is a payment that was removed, so the list must be complete.
    let whole = invoice(id(1), &[40, 20]);
    for (thin, calls) in [
        (whole.replacen("\"Payments\":[", "\"Payments\":[],\"Other\":[", 1), 2),
        (whole.replacen("\"Payments\":", "\"Other\":", 1), 2),
        (whole.replacen("\"Payments\":", "\"Payments\":null,\"Other\":", 1), 2),
        (invoice(id(1), &[40, 20]), 1),
    ] {
        let mut some = books(2);
        some.insert(id(1), whole.clone());
        let answer = [thin.clone(), some[&id(2)].clone()];
        let xero = Xero::start(some, move |seen| {
            (!seen.query.is_empty()).then(|| Reply::invoices(&answer))
        })
        .await;
        let read = xero.client().invoices(organisation(), &ids(2)).await;
        assert_eq!((outcome(&read), xero.calls().len()), ((ids(2), vec![]), calls), "{thin}");
        let first = read.found.iter().find(|snapshot| snapshot.invoice == id(1)).unwrap();
        assert_eq!(first.payments.len(), 2);
    }
}

#[tokio::test]
async fn payments_that_do_not_add_up_even_alone_are_left_to_the_domain() {
    let contradictory = invoice(id(1), &[40]).replace("\"AmountPaid\":40", "\"AmountPaid\":50");
    let hidden = invoice(id(2), &[40]).replace("\"Payments\":", "\"Other\":");
    let unpaid = invoice(id(3), &[]).replace("\"Payments\":", "\"Other\":");
    let some = [(id(1), contradictory), (id(2), hidden), (id(3), unpaid)];
    let xero = Xero::start(Books::from(some), |_| None).await;
    let client = xero.client();
    assert!(!client.invoice(organisation(), id(1)).await.unwrap().ties_out());
    let hidden = client.invoice(organisation(), id(2)).await;
    assert_eq!(hidden, Err(ReadError::Schema { field: "Payments" }));
    assert_eq!(client.invoice(organisation(), id(3)).await.unwrap().payments, []);
}

#[tokio::test]
async fn what_is_left_of_the_limits_is_known_after_a_call() {
    // X-09
    let xero = Xero::start(books(1), |seen| {
        (!seen.is_token()).then(|| {
            Reply::invoices(&[invoice(id(1), &[])])
                .with("X-DayLimit-Remaining", 4_998)
                .with("X-MinLimit-Remaining", 58)
                .with("X-AppMinLimit-Remaining", 9_999)
        })
    })
    .await;
    let client = xero.client();
    assert_eq!(client.limits(organisation()), None);
    client.invoice(organisation(), id(1)).await.unwrap();
    let limits = client.limits(organisation()).unwrap();
    assert_eq!(limits.day_remaining, Some(4_998));
    assert_eq!(limits.minute_remaining, Some(58));
    assert_eq!(limits.app_minute_remaining, Some(9_999));
    // N8: never those of another organisation.
    let other = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    assert_eq!(client.limits(other), None);
}

#[tokio::test]
async fn the_organisation_describes_itself() {
    // X-15
    let body = r#"{"Id":"x","Status":"OK","Organisations":[{"Name":"Demo Company","BaseCurrency":"NZD","PeriodLockDate":"\/Date(1546214400000+0000)\/","Timezone":"NEWZEALANDSTANDARDTIME","ShortCode":"!mBdtL","OrganisationID":"8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046"}]}"#;
    let xero = Xero::start(Books::new(), move |seen| {
        (seen.path == "/api.xro/2.0/Organisation").then(|| Reply::ok(body))
    })
    .await;
    let client = xero.client();
    let read = client.organisation(organisation()).await.unwrap();
    assert_eq!(read.id, organisation());
    assert_eq!((read.name.as_str(), read.base_currency.code()), ("Demo Company", "NZD"));
    assert_eq!(read.short_code.as_deref(), Some("!mBdtL"));
    assert_eq!(read.time_zone.as_deref(), Some("NEWZEALANDSTANDARDTIME"));
    assert_eq!(read.period_lock_date, Some(jiff::civil::date(2018, 12, 31)));
    assert_eq!(read.end_of_year_lock_date, None);
    let locked = |period_lock_date, end_of_year_lock_date| {
        xero::Organisation { period_lock_date, end_of_year_lock_date, ..read.clone() }
            .locked_until()
    };
    let days = [2017, 2018].map(|year| Some(jiff::civil::date(year, 12, 31)));
    assert_eq!(read.locked_until(), days[1]);
    assert_eq!((locked(days[0], days[1]), locked(days[1], days[0])), (days[1], days[1]));
    assert_eq!((locked(None, days[0]), locked(None, None)), (days[0], None));
    // N8: another organisation's answer is not taken for this one's.
    let other = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let wrong = client.organisation(other).await;
    assert_eq!(wrong, Err(ReadError::Schema { field: "OrganisationID" }));
}
