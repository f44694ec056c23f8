//! What these tests are made of.

use std::sync::Arc;

use jiff::Timestamp;
use payments::explanations::{Facts, RemovedRow, State, Subject};
use payments::upload::{Channel, Target, Upload, UploadSettings, admit};
use payments::{
    Allocation, PaymentId, PaymentStatus, Receipt, Settings, StoredInvoice, Tombstone,
    XeroInvoiceId, XeroPaymentId,
};
use uuid::Uuid;

use crate::worlds::{self, aud, noon};

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An organisation in Sydney that uploads.
pub fn settings() -> Settings {
    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let uploading = UploadSettings::new("2026-01-01".parse().unwrap(), account);
    Settings { upload: Some(uploading), ..worlds::settings(Some(7), "Australia/Sydney") }
}

pub fn ours(id: &str) -> Subject {
    Subject::Ours(id.parse().unwrap())
}

pub fn xero(n: u8) -> Subject {
    Subject::Xero(worlds::xero_id(n))
}

/// The facts about a payment on an invoice.
pub fn on(invoice: &StoredInvoice, subject: Subject) -> Facts {
    Facts { invoices: vec![Arc::new(invoice.clone())], ..Facts::none(subject) }
}

pub fn removed(invoice: &StoredInvoice, tombstones: &[Tombstone]) -> Vec<RemovedRow> {
    let removed = tombstones.iter().map(|tombstone| RemovedRow {
        invoice: invoice.number.clone(),
        tombstone: tombstone.clone(),
    });
    removed.collect()
}

/// A payment of 40.00 by BPAY, which waits for a night.
pub fn bpay(id: &str) -> Receipt {
    Receipt {
        organisation: settings().organisation,
        id: id.parse().unwrap(),
        revision: 1,
        amount: aud(40_00),
        date: "2026-03-02".parse().unwrap(),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: Some("K-1".parse().unwrap()),
        transaction_id: format!("bank {id}"),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: noon(2),
        document: None,
    }
}

/// The same by the Pay Now button of invoice 10234.
pub fn pay_now(id: &str) -> Receipt {
    let allocation = Allocation { invoice: "10234".parse().unwrap(), amount: aud(40_00) };
    Receipt {
        method: "card".to_owned(),
        channel: Some(Channel::PayNow),
        allocations: vec![allocation],
        ..bpay(id)
    }
}

pub fn admitted(receipt: &Receipt) -> Upload {
    *admit(None, receipt, noon(2)).upload.unwrap()
}

/// A row with a slot, in parts of so many cents on invoices.
pub fn reserved(receipt: &Receipt, cents: &[i64]) -> Upload {
    let mut upload = admitted(receipt);
    let parts = (0_u128..).zip(cents).map(|(n, cents)| {
        let id = XeroInvoiceId::new(Uuid::from_u128(100 + n));
        (Target::Invoice { id, number: format!("CM-{}", 10_234 + n) }, aud(*cents))
    });
    upload.reserve("2026-03-02".parse().unwrap(), parts.collect(), noon(2)).unwrap();
    upload
}

/// The same, sent.
pub fn sent(receipt: &Receipt, cents: &[i64]) -> Upload {
    let mut upload = reserved(receipt, cents);
    let numbers: Vec<_> = upload.planned().map(|part| part.number).collect();
    upload.send(&numbers, "key", noon(2)).unwrap();
    upload
}

/// The facts about a payment that is in the ledger.
pub fn uploading(upload: Upload) -> Facts {
    let subject = Subject::Ours(upload.receipt.id.clone());
    let receipt = Some(upload.receipt.clone());
    Facts { receipt, upload: Some(upload), ..Facts::none(subject) }
}

pub fn state_of(facts: &Facts) -> String {
    State::of(facts, &settings()).map_or("nothing".to_owned(), |state| state.to_string())
}

pub fn copy(n: u8) -> PaymentId {
    let id: XeroPaymentId = worlds::xero_id(n);
    PaymentId::of_copy(id, 0)
}
