//! The reads that planning needs: rules A2.1, EX-04, EX-06.

use jiff::civil::date;
use payments::upload::OpenInvoice;
use payments::{InvoiceKind, InvoiceStatus, XeroContactId};
use xero::{Config, OpenInvoices, Outage};

use crate::samples::{CANARIES, aud, contact};
use crate::xero::{Reply, Seen, Xero, books, id, organisation};

fn contact_number(number: u32) -> XeroContactId {
    format!("50000000-0000-4000-8000-{number:012}").parse().unwrap()
}

/// An open invoice of a contact, as 16.1.0's example of `getInvoices` shows one.
fn invoice(number: u32, contact: XeroContactId) -> String {
    format!(
        r#"{{"Type":"ACCREC","InvoiceID":"{}","InvoiceNumber":"CM-{number}","Payments":[],"AmountDue":115.00,"AmountPaid":0.00,"AmountCredited":0.00,"Contact":{{"ContactID":"{contact}","Name":"Barney Rubble"}},"Date":"\/Date(1539993600000+0000)\/","DueDate":"\/Date(1546128000000+0000)\/","Status":"AUTHORISED","LineItems":[],"Total":115.00,"UpdatedDateUTC":"\/Date(1541176290160+0000)\/","CurrencyCode":"AUD"}}"#,
        id(number)
    )
}

async fn asking(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| answer(seen))).await
}

fn numbers(invoices: &[OpenInvoice]) -> Vec<&str> {
    invoices.iter().map(|invoice| invoice.number.as_str()).collect()
}

#[tokio::test]
async fn the_open_invoices_of_many_contacts_are_read_page_by_page() {
    let rows: Vec<String> = (1..=5).map(|number| invoice(number, contact_number(1))).collect();
    let xero = asking(move |seen| {
        let first = seen.value("ContactIDs").contains(&contact_number(1).to_string());
        Reply::page(seen, "Invoices", if first { &rows } else { &[] }, 2)
    })
    .await;
    let contacts: Vec<_> = (1..=41).chain(1..=3).map(contact_number).collect();
    let read = xero.client().open_invoices_of(organisation(), &contacts).await.unwrap().invoices;
    assert_eq!(numbers(&read), ["CM-1", "CM-2", "CM-3", "CM-4", "CM-5"]);
    assert_eq!(xero.calls().len(), 4, "three pages, and one of the 41st");
    let call = &xero.calls()[0];
    assert_eq!(call.path, "/api.xro/2.0/Invoices");
    assert_eq!(call.value("ContactIDs").split(',').count(), 40);
    let rest = "&Statuses=AUTHORISED&order=InvoiceNumber%20ASC&page=1&pageSize=1000";
    assert!(call.query.ends_with(rest) && call.query.len() < 2_000, "{}", call.query);
}

#[tokio::test]
async fn an_open_invoice_has_what_planning_asks_for() {
    let rows = [invoice(1, contact())];
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
    let read = xero.client().open_invoices_of(organisation(), &[contact()]).await.unwrap().invoices;
    let expected = OpenInvoice {
        id: id(1),
        number: "CM-1".to_owned(),
        kind: InvoiceKind::Sales,
        status: InvoiceStatus::Authorised,
        contact: Some(contact()),
        issued_on: Some(date(2018, 10, 20)),
        due_on: Some(date(2018, 12, 30)),
        due: aud("115.00"),
        payments: Vec::new(),
    };
    assert_eq!(read, [expected]);
}

#[tokio::test]
async fn an_invoice_of_a_contact_nobody_asked_for_leaves_no_trace() {
    // FAULT-10
    let foreign = invoice(2, contact_number(9)).replacen("AUTHORISED", "ODD", 1);
    let rows = [foreign, invoice(1, contact())];
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
    let read = xero.client().open_invoices_of(organisation(), &[contact()]).await.unwrap().invoices;
    assert_eq!(numbers(&read), ["CM-1"]);
}

#[tokio::test]
async fn an_unreadable_invoice_is_named_with_its_contact_and_the_others_are_read() {
    // AMB-30: it is never planned around, and stands in the way of no other.
    let own = invoice(1, contact());
    let due = "\"AmountDue\":115.00";
    for (from, to, field) in [
        (due, "\"AmountDue\":115.001", "AmountDue"),
        (due, "\"A\":1", "AmountDue"),
        ("AUD", "XXX", "CurrencyCode"),
        ("\"AUTHORISED\"", "\"ODD\"", "Status"),
        ("\"ACCREC\"", "7", "Type"),
        ("1539993600000+0000", "yesterday", "Date"),
        ("\"ContactID\"", "\"Other\"", "Contact.ContactID"),
        ("\"Contact\"", "\"Other\"", "Contact"),
        ("\"InvoiceID\"", "\"Other\"", "InvoiceID"),
    ] {
        assert!(own.contains(from), "{from}");
        let rows = [own.replacen(from, to, 1), invoice(2, contact())];
        let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
        let read = xero.client().open_invoices_of(organisation(), &[contact()]).await.unwrap();
        assert_eq!(numbers(&read.invoices), ["CM-2"]);
        let [unreadable] = &read.unreadable[..] else { panic!("{read:?}") };
        assert_eq!(unreadable.contact, Some(contact()));
        assert_eq!(unreadable.id, (field != "InvoiceID").then(|| id(1)));
        assert!(unreadable.why.contains(&format!("`{field}`")), "{}", unreadable.why);
    }
}

#[tokio::test]
async fn amb_30_an_invoice_that_hides_its_contact_is_found_by_halves() {
    let mute = invoice(1, contact_number(7)).replacen("\"Contact\"", "\"Other\"", 1);
    let xero = asking(move |seen| {
        let of =
            |number: u32| seen.value("ContactIDs").contains(&contact_number(number).to_string());
        let mut rows = Vec::new();
        rows.extend(of(7).then(|| mute.clone()));
        rows.extend(of(3).then(|| invoice(2, contact_number(3))));
        Reply::page(seen, "Invoices", &rows, 100)
    })
    .await;
    let contacts: Vec<_> = (1..=40).map(contact_number).collect();
    let read = xero.client().open_invoices_of(organisation(), &contacts).await.unwrap();
    assert_eq!(numbers(&read.invoices), ["CM-2"]);
    assert_eq!(read.unreadable[0].contact, Some(contact_number(7)));
    assert!(xero.calls().len() <= 13, "{}", xero.calls().len());
}

#[tokio::test]
async fn amb_30_a_number_that_xero_refuses_to_be_asked_for_is_found_by_halves() {
    let xero = asking(move |seen| {
        let asked = seen.value("InvoiceNumbers");
        if asked.split(',').any(|number| number == "CM-13") {
            return Reply::status(400, r#"{"Message":"no"}"#);
        }
        let rows: Vec<String> = (1..=20)
            .filter(|number| asked.split(',').any(|asked| asked == format!("CM-{number}")))
            .map(|number| invoice(number, contact()))
            .collect();
        Reply::page(seen, "Invoices", &rows, 100)
    })
    .await;
    let wanted: Vec<String> = (1..=20).map(|number| format!("CM-{number}")).collect();
    let read = xero.client().invoices_numbered(organisation(), &wanted).await.unwrap();
    assert_eq!(read.invoices.len(), 19);
    let [unreadable] = &read.unreadable[..] else { panic!("{read:?}") };
    assert_eq!((unreadable.number.as_deref(), unreadable.id), (Some("CM-13"), None));
    assert!(xero.calls().len() <= 11, "{}", xero.calls().len());
    // A refusal of every question is no matter of the numbers.
    let xero = asking(|_| Reply::status(400, r#"{"Message":"no"}"#)).await;
    let wanted: Vec<String> = (1..=200).map(|number| format!("CM-{number}")).collect();
    assert!(xero.client().invoices_numbered(organisation(), &wanted).await.is_err());
    assert!(xero.calls().len() <= 41, "{}", xero.calls().len());
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_read_again() {
    // Invoice 1 is paid after the first page: the third slips onto the first page.
    let calls = std::sync::atomic::AtomicU32::new(0);
    let xero = asking(move |seen| {
        let paid = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0;
        let open = if paid { 2..=4 } else { 1..=4 };
        let rows: Vec<String> = open.map(|number| invoice(number, contact())).collect();
        Reply::page(seen, "Invoices", &rows, 2)
    })
    .await;
    let read = xero.client().open_invoices_of(organisation(), &[contact()]).await.unwrap().invoices;
    assert_eq!((numbers(&read), xero.calls().len()), (vec!["CM-2", "CM-3", "CM-4"], 4));
}

#[tokio::test]
async fn named_invoices_are_read_whatever_their_status() {
    // EX-01, EX-10
    let paid = invoice(1, contact()).replacen("AUTHORISED", "PAID", 1).replacen(
        "\"AmountDue\":115.00",
        "\"AmountDue\":0",
        1,
    );
    let bill = invoice(2, contact()).replacen("ACCREC", "ACCPAY", 1);
    let other = invoice(3, contact());
    let rows = [paid, bill, other];
    let xero = asking(move |seen| Reply::page(seen, "Invoices", &rows, 100)).await;
    let wanted = ["CM-1", "CM-2", "CM-4", "CM-1"].map(str::to_owned);
    let read = xero.client().invoices_numbered(organisation(), &wanted).await.unwrap().invoices;
    let shown: Vec<_> = read.iter().map(|i| (i.number.as_str(), i.kind, i.status)).collect();
    assert_eq!(
        shown,
        [
            ("CM-1", InvoiceKind::Sales, InvoiceStatus::Paid),
            ("CM-2", InvoiceKind::Bill, InvoiceStatus::Authorised)
        ]
    );
    assert_eq!(read[0].due, aud("0"));
    assert_eq!(xero.calls()[0].value("InvoiceNumbers"), "CM-1,CM-2,CM-4");
    assert_eq!(xero.calls()[0].value("Statuses"), "");
}

#[tokio::test]
async fn a_number_with_a_comma_is_found_by_an_equality() {
    let row = invoice(1, contact()).replacen("CM-1", "CM-1,2", 1);
    let xero = asking(move |seen| {
        let rows = std::slice::from_ref(&row);
        Reply::page(seen, "Invoices", if seen.value("where").is_empty() { &[] } else { rows }, 100)
    })
    .await;
    let wanted = ["CM-1,2", "CM-7"].map(str::to_owned);
    let read = xero.client().invoices_numbered(organisation(), &wanted).await.unwrap().invoices;
    assert_eq!((numbers(&read), xero.calls().len()), (vec!["CM-1,2"], 2));
    assert_eq!(xero.calls()[0].value("where"), "InvoiceNumber%3D%3D%22CM-1%2C2%22");
}

#[tokio::test]
async fn a_refused_list_does_not_say_that_there_are_no_invoices() {
    let xero = asking(|_| Reply::status(404, "Barney Rubble 125.40")).await;
    let client = xero.client();
    let wanted = ["CM-1".to_owned()];
    for error in [
        client.invoices_numbered(organisation(), &wanted).await.unwrap_err(),
        client.open_invoices_of(organisation(), &[contact()]).await.unwrap_err(),
    ] {
        assert_eq!(error, Outage::Status(404).into());
        let shown = format!("{error} {error:?}");
        assert!(!CANARIES.iter().any(|canary| shown.contains(canary)), "{shown}");
    }
    let nothing = client.open_invoices_of(organisation(), &[]).await.unwrap();
    assert_eq!((nothing, xero.calls().len()), (OpenInvoices::default(), 2), "nothing was asked");
}

#[tokio::test]
async fn uploading_asks_for_more_than_reading_does() {
    let granted = |scopes: &str| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        granted(&Config::uploading().scopes),
        [
            "accounting.settings.read",
            "accounting.payments",
            "accounting.contacts.read",
            "accounting.banktransactions",
            "accounting.invoices"
        ]
    );
    let reading = Config::default().scopes;
    assert!(granted(&reading).iter().all(|scope| scope.ends_with(".read")), "{reading}");
}
