//! Payments to be sent, with stamps as the domain makes them.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use payments::upload::{Night, Stamp, Target, admit, reference};
use payments::{Money, PaymentStatus, Receipt, XeroAccountId, XeroContactId, XeroInvoiceId};
use xero::{BillLine, BillToSend, Bundle, PaymentToSend, PrepaymentToSend};

use crate::xero::{id, organisation};

/// What no error, log or debug output may show (N9).
pub const CANARIES: [&str; 6] =
    ["Barney", "Rubble", "125.40", "token-1", "the-secret", "key-of-the-call"];

pub const KEY: &str = "key-of-the-call";

pub fn aud(text: &str) -> Money {
    Money::parse(text, "AUD".parse().unwrap()).unwrap()
}

pub fn account() -> XeroAccountId {
    "5a0d7c34-11be-4f2a-8c69-d3e0b7f41a92".parse().unwrap()
}

pub fn contact() -> XeroContactId {
    "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7".parse().unwrap()
}

/// The stamp of the first part of payment `number`.
fn stamp(number: u32, target: Target) -> Stamp {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let receipt = Receipt {
        organisation: organisation(),
        id: format!("bpay-{number}").parse().unwrap(),
        revision: 1,
        amount: aud("125.40"),
        date: date(2026, 10, 5),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: None,
        transaction_id: "t".to_owned(),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: true,
        journaled: false,
        allocations: Vec::new(),
        entered_at: now,
        document: None,
    };
    let mut upload = *admit(None, &receipt, now).upload.unwrap();
    let night = Night::of(now, &TimeZone::UTC);
    upload.reserve(night, vec![(target, aud("125.40"))], now).unwrap();
    upload.parts[0].stamp.clone()
}

/// A payment of 125.40 on invoice `id(number)`.
pub fn payment(number: u32) -> PaymentToSend {
    let target = Target::Invoice { id: id(number), number: format!("CM-{number}") };
    let stamp = stamp(number, target);
    let reference = reference("bpay", Some("Barney Rubble"), &stamp);
    let (invoice, amount) = (id(number), aud("125.40"));
    PaymentToSend { stamp, invoice, account: account(), date: date(2026, 10, 5), amount, reference }
}

pub fn prepayment(number: u32) -> PrepaymentToSend {
    let stamp = stamp(number, Target::Prepayment { contact: contact() });
    PrepaymentToSend {
        reference: reference("bpay", Some("Barney Rubble"), &stamp),
        stamp,
        contact: contact(),
        account: account(),
        line_account: "612".to_owned(),
        tax_type: None,
        date: date(2026, 10, 5),
        amount: aud("125.40"),
        description: "Prepayment, BPAY".to_owned(),
    }
}

/// A bill of 125.40 with two lines.
pub fn bill(number: u32) -> BillToSend {
    let stamp = stamp(number, Target::Bill { contact: contact() });
    let line = |description: &str, amount| BillLine {
        description: description.to_owned(),
        amount: aud(amount),
        account: "404".to_owned(),
        tax_type: None,
    };
    BillToSend {
        number: format!("PI-{number} {stamp}"),
        stamp,
        contact: contact(),
        date: date(2026, 10, 5),
        due_on: date(2026, 10, 19),
        amount: aud("125.40"),
        lines: vec![line("processing", "100.00"), line("terminal rent, Rubble", "25.40")],
        status: payments::upload::BillStatus::Authorised,
    }
}

/// A bill as Xero shows it after it was created.
pub fn created_bill(number: u32) -> String {
    let BillToSend { number: text, .. } = bill(number);
    format!(
        r#"{{"Type":"ACCPAY","InvoiceID":"40000000-0000-4000-8000-{number:012}","InvoiceNumber":"{text}","Payments":[],"AmountDue":125.40,"HasErrors":false,"Contact":{{"Name":"Barney Rubble"}},"Status":"AUTHORISED","LineAmountTypes":"Inclusive","SubTotal":114.00,"TotalTax":11.40,"Total":125.40,"CurrencyCode":"AUD","StatusAttributeString":"OK"}}"#
    )
}

pub fn payments(count: u32) -> Vec<PaymentToSend> {
    (1..=count).map(payment).collect()
}

pub fn bundle(count: u32) -> Bundle {
    Bundle::of_payments(&payments(count)).unwrap()
}

pub fn stamps(count: u32) -> Vec<Stamp> {
    payments(count).into_iter().map(|payment| payment.stamp).collect()
}

/// The `PaymentID` that this Xero gives payment `number`.
pub fn payment_id(number: u32) -> String {
    format!("10000000-0000-4000-8000-{number:012}")
}

/// A payment as Xero shows it after it was created; 16.1.0's example of `createPayments`, without the
/// members that are not read.
pub fn created(number: u32) -> String {
    created_on(id(number), number)
}

pub fn created_on(invoice: XeroInvoiceId, number: u32) -> String {
    let reference = payment(number).reference;
    format!(
        r#"{{"PaymentID":"{}","Date":"\/Date(1790985600000+0000)\/","BankAmount":125.40,"Amount":125.40,"Reference":"{reference}","CurrencyRate":1.000000,"PaymentType":"ACCRECPAYMENT","Status":"AUTHORISED","HasAccount":true,"Account":{{"AccountID":"{}"}},"Invoice":{{"Type":"ACCREC","InvoiceID":"{invoice}","Contact":{{"Name":"Barney Rubble"}},"CurrencyCode":"AUD"}},"HasValidationErrors":false,"StatusAttributeString":"OK"}}"#,
        payment_id(number),
        account(),
    )
}

/// A payment that Xero has refused: no id, or one of zeros, and the reason.
pub fn refused(number: u32, why: &str) -> String {
    let reference = payment(number).reference;
    format!(
        r#"{{"PaymentID":"00000000-0000-0000-0000-000000000000","Amount":125.40,"Reference":"{reference}","HasValidationErrors":true,"StatusAttributeString":"ERROR","ValidationErrors":[{{"Message":"{why}"}}]}}"#
    )
}

/// A prepayment as Xero shows it after it was created.
pub fn created_prepayment(number: u32) -> String {
    let PrepaymentToSend { reference, stamp, .. } = prepayment(number);
    format!(
        r#"{{"BankTransactionID":"20000000-0000-4000-8000-{number:012}","PrepaymentID":"30000000-0000-4000-8000-{number:012}","Type":"RECEIVE-PREPAYMENT","Reference":"{reference}","Status":"AUTHORISED","LineAmountTypes":"Inclusive","LineItems":[{{"Description":"Prepayment, BPAY {stamp}","LineAmount":125.40}}],"SubTotal":114.00,"TotalTax":11.40,"Total":125.40,"CurrencyCode":"AUD","StatusAttributeString":"OK"}}"#
    )
}

/// An answer with these elements.
pub fn answer(list: &str, elements: &[String]) -> String {
    format!(r#"{{"Id":"x","Status":"OK","{list}":[{}]}}"#, elements.join(","))
}
