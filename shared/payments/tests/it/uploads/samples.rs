//! What the tests of uploading are made of.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::upload::{Channel, Night, Placed, Target, Upload, UploadState, admit};
use payments::{
    Allocation, Currency, Money, OrganisationId, PaymentId, PaymentStatus, Receipt, Settings,
    XeroContactId, XeroInvoiceId, XeroPaymentId,
};
use proptest::test_runner::{Config, FileFailurePersistence};
use uuid::Uuid;

pub fn config() -> Config {
    let kept = FileFailurePersistence::WithSource("proptest-regressions");
    Config { failure_persistence: Some(Box::new(kept)), ..Config::default() }
}

pub fn organisation() -> OrganisationId {
    OrganisationId::new(Uuid::from_u128(1))
}

pub fn invoice_id(n: u128) -> XeroInvoiceId {
    XeroInvoiceId::new(Uuid::from_u128((1 << 64) + n))
}

pub fn contact_id(n: u128) -> XeroContactId {
    XeroContactId::new(Uuid::from_u128((2 << 64) + n))
}

pub fn xero_id(n: u128) -> XeroPaymentId {
    XeroPaymentId::new(Uuid::from_u128(n))
}

pub fn payment_id(text: &str) -> PaymentId {
    text.parse().unwrap()
}

pub fn aud() -> Currency {
    "AUD".parse().unwrap()
}

pub fn money(text: &str) -> Money {
    Money::parse(text, aud()).unwrap()
}

pub fn cents(cents: u32) -> Money {
    money(&format!("{}.{:02}", cents / 100, cents % 100))
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn night(text: &str) -> Night {
    text.parse().unwrap()
}

pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// An organisation in Sydney that mirrors, and has not set up uploading.
pub fn settings() -> Settings {
    Settings {
        forward_days: Some(7),
        mass_change_max: None,
        ..Settings::new(organisation(), zone("Australia/Sydney"))
    }
}

/// A BPAY payment that was taken and names no invoice.
pub fn receipt(id: &str, amount: &str) -> Receipt {
    Receipt {
        organisation: organisation(),
        id: payment_id(id),
        revision: 1,
        amount: money(amount),
        date: date("2026-03-10"),
        reference: Some("for March".to_owned()),
        method: "bpay".to_owned(),
        channel: None,
        customer: Some("K-1".parse().unwrap()),
        transaction_id: format!("bank {id}"),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: instant("2026-03-10T01:00:00Z"),
        document: None,
    }
}

pub fn allocation(invoice: &str, amount: &str) -> Allocation {
    Allocation { invoice: invoice.parse().unwrap(), amount: money(amount) }
}

/// A card payment by the Pay Now button of an invoice.
pub fn pay_now(id: &str, invoice: &str, amount: &str) -> Receipt {
    Receipt {
        method: "card".to_owned(),
        channel: Some(Channel::PayNow),
        allocations: vec![allocation(invoice, amount)],
        ..receipt(id, amount)
    }
}

/// Its row in the ledger, as intake makes it.
pub fn admitted(receipt: &Receipt) -> Upload {
    *admit(None, receipt, receipt.entered_at).upload.unwrap()
}

/// The invoice with that local number, whose id ends in `n`.
pub fn on(n: u128, number: &str) -> Target {
    Target::Invoice { id: invoice_id(n), number: format!("CM-{number}") }
}

/// A row with a slot in the night of 10 March, whose parts are to be sent.
pub fn reserved(receipt: &Receipt, parts: &[(Target, &str)]) -> Upload {
    let mut upload = admitted(receipt);
    assert_eq!(upload.state, UploadState::Waiting, "{}", upload.why);
    let parts = parts.iter().map(|(target, amount)| (target.clone(), money(amount))).collect();
    upload.reserve(night("2026-03-10"), parts, instant("2026-03-10T11:00:00Z")).unwrap();
    upload
}

/// A row whose parts were sent once, and not answered.
pub fn sent(receipt: &Receipt, parts: &[(Target, &str)]) -> Upload {
    let mut upload = reserved(receipt, parts);
    let numbers: Vec<_> = upload.planned().map(|part| part.number).collect();
    upload.send(&numbers, "key 1", instant("2026-03-10T11:00:01Z")).unwrap();
    upload
}

pub fn placed(n: u128) -> Placed {
    Placed::Payment(xero_id(n))
}
