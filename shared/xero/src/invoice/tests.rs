use payments::{InvoiceKind, InvoiceStatus, XeroPaymentKind};
use proptest::prelude::*;

use super::*;

/// The example of `getInvoices` in Xero's specification (XeroAPI/Xero-OpenAPI, 16.1.0), shortened
/// by members that are not read. Its second invoice has a payment.
const SPECIFICATION: &str = r#"{
  "Id": "900c500b-e83c-4ce2-902a-b8ba04751748", "Status": "OK",
  "ProviderName": "Provider Name Example", "DateTimeUTC": "\/Date(1552326816230)\/",
  "pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 3},
  "Invoices": [
    {"Type": "ACCREC", "InvoiceID": "d4956132-ed94-4dd7-9eaa-aa22dfdf06f2",
     "InvoiceNumber": "INV-0001", "Reference": "Red Fish, Blue Fish", "Payments": [],
     "CreditNotes": [], "Prepayments": [], "Overpayments": [], "AmountDue": 0.00,
     "AmountPaid": 0.00, "AmountCredited": 0.00, "SentToContact": true, "CurrencyRate": 1.000000,
     "Contact": {"ContactID": "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7", "Name": "Barney Rubble-83203"},
     "DateString": "2018-10-20T00:00:00", "Date": "\/Date(1539993600000+0000)\/",
     "DueDateString": "2018-12-30T00:00:00", "DueDate": "\/Date(1546128000000+0000)\/",
     "Status": "VOIDED", "LineItems": [], "SubTotal": 40.00, "TotalTax": 0.00, "Total": 40.00,
     "UpdatedDateUTC": "\/Date(1541176290160+0000)\/", "CurrencyCode": "NZD"},
    {"Type": "ACCREC", "InvoiceID": "046d8a6d-1ae1-4b4d-9340-5601bdf41b87",
     "InvoiceNumber": "INV-0002", "Reference": "Red Fish, Blue Fish",
     "Payments": [{"PaymentID": "99ea7f6b-c513-4066-bc27-b7c65dcd76c2",
       "Date": "\/Date(1543449600000+0000)\/", "Amount": 46.00, "CurrencyRate": 1.000000,
       "HasAccount": false, "HasValidationErrors": false}],
     "CreditNotes": [], "Prepayments": [], "Overpayments": [], "AmountDue": 0.00,
     "AmountPaid": 46.00, "AmountCredited": 0.00,
     "Contact": {"ContactID": "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7", "Name": "Barney Rubble-83203"},
     "DateString": "2018-10-20T00:00:00", "Date": "\/Date(1539993600000+0000)\/",
     "DueDateString": "2018-12-30T00:00:00", "DueDate": "\/Date(1546128000000+0000)\/",
     "Status": "PAID", "LineItems": [], "SubTotal": 40.00, "TotalTax": 6.00, "Total": 46.00,
     "UpdatedDateUTC": "\/Date(1541176592690+0000)\/", "CurrencyCode": "NZD",
     "FullyPaidOnDate": "\/Date(1543449600000+0000)\/"}]}"#;

const PAID: &str = "046d8a6d-1ae1-4b4d-9340-5601bdf41b87";

fn read(body: &str) -> Result<Reading, ReadError> {
    let id = PAID.parse().unwrap();
    let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
    let invoices = invoices_by_id(body.as_bytes()).ok_or(schema("whole"))?;
    let raw = invoices.get(&id).ok_or(schema("absent"))?;
    raw.read(organisation, id, Timestamp::from_second(1_790_000_000).unwrap())
}

fn snapshot(body: &str) -> Snapshot {
    match read(body).unwrap() {
        Reading::Whole(snapshot) => snapshot,
        Reading::Thin(thin) => thin.accept().unwrap(),
    }
}

/// The paid invoice of the specification with one piece of its text changed.
fn changed(from: &str, to: &str) -> String {
    let (before, paid) = SPECIFICATION.split_at(SPECIFICATION.find(PAID).unwrap() - 40);
    assert!(paid.contains(from), "{from}");
    format!("{before}{}", paid.replacen(from, to, 1))
}

#[test]
fn the_example_of_the_specification_is_read() {
    insta::assert_debug_snapshot!(snapshot(SPECIFICATION), @r#"
    Snapshot {
        organisation: OrganisationId(
            8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046,
        ),
        invoice: XeroInvoiceId(
            046d8a6d-1ae1-4b4d-9340-5601bdf41b87,
        ),
        kind: Sales,
        number: "INV-0002",
        status: Paid,
        contact_name: Some(
            "Barney Rubble-83203",
        ),
        issued_on: Some(
            2018-10-20,
        ),
        due_on: Some(
            2018-12-30,
        ),
        figures: Figures {
            total: 46.00 NZD,
            paid: 46.00 NZD,
            credited: 0.00 NZD,
            due: 0.00 NZD,
        },
        payments: [
            XeroPayment {
                id: XeroPaymentId(
                    99ea7f6b-c513-4066-bc27-b7c65dcd76c2,
                ),
                date: 2018-11-29,
                amount: 46.00 NZD,
                reference: None,
                kind: Received,
                deleted: false,
            },
        ],
        allocations: [],
        updated_at: 2018-11-02T16:36:32.69Z,
        fetched_at: 2026-09-21T14:13:20Z,
    }
    "#);
}

#[test]
fn what_is_applied_is_read_with_what_it_comes_from_and_an_unreadable_one_is_left_out() {
    // AMB-34
    let id = "aea95d78-ea48-456b-9b08-6bc012600072";
    let applied = format!(
        r#""Prepayments": [{{"PrepaymentID": "{id}", "AppliedAmount": 2.00,
        "Date": "\/Date(1543449600000+0000)\/", "Total": 5.00}}, {{"PrepaymentID": "?"}}]"#
    );
    let read = snapshot(&changed(r#""Prepayments": []"#, &applied));
    let [one] = &read.allocations[..] else { panic!("{read:?}") };
    assert_eq!((one.kind, one.credit.to_string().as_str()), (CreditKind::Prepayment, id));
    assert_eq!((one.amount.to_string().as_str(), one.number.as_deref()), ("2.00 NZD", None));
    assert_eq!(one.date.map(|date| date.to_string()).as_deref(), Some("2018-11-29"));
}

#[test]
fn a_payment_inside_of_an_invoice_stands_and_is_money_received_unless_it_says_otherwise() {
    // X-06
    let payment = |more: &str| {
        let body = changed("\"HasAccount\": false", &format!("\"HasAccount\": false{more}"));
        snapshot(&body).payments.remove(0)
    };
    let plain = payment("");
    assert_eq!((plain.kind, plain.deleted), (XeroPaymentKind::Received, false));
    assert!(payment(", \"Status\": \"DELETED\"").deleted);
    assert!(!payment(", \"Status\": \"AUTHORISED\"").deleted);
    for (code, kind) in [
        ("ACCRECPAYMENT", XeroPaymentKind::Received),
        ("ACCPAYPAYMENT", XeroPaymentKind::Paid),
        ("ARCREDITPAYMENT", XeroPaymentKind::CreditRefund),
        ("AROVERPAYMENTPAYMENT", XeroPaymentKind::OverpaymentRefund),
        ("ARPREPAYMENTPAYMENT", XeroPaymentKind::PrepaymentRefund),
        ("APCREDITPAYMENT", XeroPaymentKind::Other),
        ("SOMETHINGNEW", XeroPaymentKind::Other),
    ] {
        assert_eq!(payment(&format!(", \"PaymentType\": \"{code}\"")).kind, kind, "{code}");
    }
}

#[test]
fn an_empty_reference_is_none_and_every_other_one_is_kept_as_it_is() {
    // CM-14
    for (json, expected) in [
        ("null", None),
        ("\"\"", None),
        ("\" BPAY\\n1 \"", Some(" BPAY\n1 ")),
        ("\"é\"", Some("é")),
    ] {
        let body = changed("\"HasAccount\": false", &format!("\"Reference\": {json}"));
        assert_eq!(snapshot(&body).payments[0].reference.as_deref(), expected, "{json}");
    }
}

#[test]
fn amounts_may_be_texts_and_are_equal_to_the_cent() {
    // CM-13
    for amount in ["46", "46.0", "\"46.00\"", "4.6e1", "46.0000"] {
        let body = changed("\"Amount\": 46.00", &format!("\"Amount\": {amount}"));
        assert_eq!(snapshot(&body).payments[0].amount.to_string(), "46.00 NZD", "{amount}");
    }
}

#[test]
fn kinds_of_documents_and_all_statuses_are_read() {
    // AMB-25
    for (code, kind) in [
        ("ACCREC", InvoiceKind::Sales),
        ("ACCPAY", InvoiceKind::Bill),
        ("AROVER", InvoiceKind::Other),
    ] {
        let body = SPECIFICATION.replace("\"ACCREC\"", &format!("\"{code}\""));
        assert_eq!(snapshot(&body).kind, kind);
    }
    for status in InvoiceStatus::ALL {
        let body = changed("\"PAID\"", &format!("\"{}\"", status.code()));
        assert_eq!(snapshot(&body).status, *status);
    }
}

#[test]
fn what_may_be_absent_may_be_absent() {
    // A draft bill, for example.
    let mut body = changed("\"InvoiceNumber\": \"INV-0002\",", "");
    for member in ["Contact", "DueDate", "Date"] {
        body = body.replace(&format!("\"{member}\":"), &format!("\"Other{member}\":"));
    }
    // The payment's own date has lost its name as well.
    assert_eq!(read(&body).err(), Some(schema("Payments.Date")));
    let body = body.replace(
        "\"OtherDate\": \"\\/Date(1543449600000+0000)",
        "\"Date\": \"\\/Date(1543449600000+0000)",
    );
    let read = snapshot(&body);
    assert_eq!((read.number.as_str(), read.contact_name), ("", None));
    assert_eq!((read.issued_on, read.due_on), (None, None));
}

#[test]
fn what_cannot_be_believed_is_refused_by_name() {
    for (from, to, field) in [
        ("\"ACCREC\"", "7", "Type"),
        ("\"Type\": \"ACCREC\",", "", "Type"),
        ("\"PAID\"", "\"ARCHIVED\"", "Status"),
        ("\"PAID\"", "\"paid\"", "Status"),
        ("\"NZD\"", "\"XXX\"", "CurrencyCode"),
        ("\"NZD\"", "null", "CurrencyCode"),
        ("\"Total\": 46.00", "\"Total\": 46.001", "Total"),
        ("\"Total\": 46.00", "\"Total\": 1e27", "Total"),
        ("\"Total\": 46.00", "\"Total\": true", "Total"),
        ("\"AmountPaid\": 46.00", "\"AmountPaid\": null", "AmountPaid"),
        ("\"AmountCredited\": 0.00,", "", "AmountCredited"),
        ("\"AmountDue\": 0.00", "\"AmountDue\": \"\"", "AmountDue"),
        ("\"InvoiceNumber\": \"INV-0002\"", "\"InvoiceNumber\": 2", "InvoiceNumber"),
        ("\"Contact\": {", "\"Contact\": [], \"Other\": {", "Contact"),
        ("\"Name\": \"Barney Rubble-83203\"", "\"Name\": {}", "Contact.Name"),
        ("(1539993600000+0000)", "(never)", "Date"),
        ("(1546128000000+0000)", "(99999999999999999+0000)", "DueDate"),
        ("(1541176592690+0000)", "()", "UpdatedDateUTC"),
        ("\"UpdatedDateUTC\"", "\"Updated\"", "UpdatedDateUTC"),
        ("\"Payments\": [", "\"Payments\": {}, \"Other\": [", "Payments"),
        ("\"Payments\": [", "\"Payments\": [7, ", "Payments"),
        ("\"Payments\": [", "\"Payments\": [{}, ", "Payments.PaymentID"),
        ("99ea7f6b-c513-4066-bc27-b7c65dcd76c2", "", "Payments.PaymentID"),
        ("99ea7f6b-c513-4066-bc27-b7c65dcd76c2", "../Contacts", "Payments.PaymentID"),
        // X-12: what Xero did not store carries an id of zeros.
        (
            "99ea7f6b-c513-4066-bc27-b7c65dcd76c2",
            "00000000-0000-0000-0000-000000000000",
            "Payments.PaymentID",
        ),
        ("(1543449600000+0000)", "(1543449600000+1300)", "Payments.Date"),
        ("\"Amount\": 46.00", "\"Amount\": 46.001", "Payments.Amount"),
        ("\"Amount\": 46.00", "\"Sum\": 46.00", "Payments.Amount"),
        ("\"HasAccount\": false", "\"Status\": \"PENDING\"", "Payments.Status"),
        ("\"HasAccount\": false", "\"PaymentType\": 5", "Payments.PaymentType"),
        ("\"HasAccount\": false", "\"Reference\": 5", "Payments.Reference"),
        // A member that stands twice has two readings.
        ("\"AmountDue\": 0.00", "\"AmountDue\": 0.00, \"AmountDue\": 1.00", "Invoice"),
    ] {
        assert_eq!(read(&changed(from, to)).err(), Some(schema(field)), "{from} -> {to}");
    }
    let long = format!("\"Reference\": \"{}\"", "x".repeat(1_001));
    let body = changed("\"HasAccount\": false", &long);
    assert_eq!(read(&body).err(), Some(schema("Payments.Reference")));
}

#[test]
fn elements_without_a_usable_id_are_passed_over() {
    for odd in ["null", "7", "[]", "{}", "{\"InvoiceID\": 7}", "{\"InvoiceID\": \"x\"}"] {
        let body = SPECIFICATION.replacen("\"Invoices\": [", &format!("\"Invoices\": [{odd},"), 1);
        assert_eq!(invoices_by_id(body.as_bytes()).unwrap().len(), 2, "{odd}");
        assert_eq!(snapshot(&body).number, "INV-0002");
    }
}

proptest! {
    #[test]
    fn law_no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = invoices_by_id(&body);
    }

    #[test]
    fn law_a_damaged_answer_never_loses_a_payment_unnoticed(
        position in 0..SPECIFICATION.len(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut body = SPECIFICATION.as_bytes().to_vec();
        if cut { body.truncate(position) } else { body[position] = byte }
        let body = String::from_utf8_lossy(&body).into_owned();
        if let Ok(Reading::Whole(read)) = read(&body) {
            prop_assert!(read.ties_out());
            prop_assert_ne!(read.figures.paid.is_positive(), read.payments.is_empty());
        }
    }
}
