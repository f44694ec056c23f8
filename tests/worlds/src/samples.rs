//! Payments, as a test writes them.

use harness::{aud, march};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::upload::Channel;
use payments::{Allocation, InvoiceNumber, OrganisationId, PaymentStatus, Receipt};

/// Ten in the evening in Sydney: the night of 2 March.
pub const EVENING: &str = "2026-03-02T11:00:00Z";

pub fn evening() -> Timestamp {
    EVENING.parse().unwrap()
}

/// A payment: what matters of it.
#[derive(Clone)]
pub struct Paid {
    pub id: String,
    pub revision: u64,
    pub customer: Option<String>,
    pub cents: i64,
    pub date: Date,
    pub method: &'static str,
    pub channel: Option<Channel>,
    pub status: PaymentStatus,
    pub on: Vec<(&'static str, i64)>,
    /// The transaction at the gateway, if it is not its own.
    pub transaction: Option<&'static str>,
}

/// A confirmed BPAY payment of a customer.
pub fn bpay(id: &str, customer: &str, cents: i64, date: Date) -> Paid {
    Paid {
        id: id.to_owned(),
        revision: 1,
        customer: Some(customer.to_owned()),
        cents,
        date,
        method: "bpay",
        channel: None,
        status: PaymentStatus::Confirmed,
        on: Vec::new(),
        transaction: None,
    }
}

/// A confirmed card payment by the Pay Now button of a local invoice.
pub fn pay_now(id: &str, invoice: &'static str, cents: i64) -> Paid {
    Paid {
        method: "card",
        channel: Some(Channel::PayNow),
        on: vec![(invoice, cents)],
        customer: None,
        ..bpay(id, "", cents, march(2))
    }
}

impl Paid {
    /// As the business's own system has reported it.
    pub fn receipt(&self, organisation: OrganisationId) -> Receipt {
        let allocations = self.on.iter().map(|(invoice, cents)| Allocation {
            invoice: invoice.parse::<InvoiceNumber>().unwrap(),
            amount: aud(*cents),
        });
        Receipt {
            organisation,
            id: self.id.parse().unwrap(),
            revision: self.revision,
            amount: aud(self.cents),
            date: self.date,
            reference: Some(format!("BPAY {}", self.id)),
            method: self.method.to_owned(),
            channel: self.channel,
            customer: self.customer.as_ref().map(|id| id.parse().unwrap()),
            transaction_id: match self.transaction {
                Some(transaction) => transaction.to_owned(),
                None => format!("T-{}", self.id),
            },
            status: self.status,
            approved: false,
            settled: false,
            journaled: false,
            allocations: allocations.collect(),
            entered_at: evening() - SignedDuration::from_hours(1),
            document: None,
        }
    }
}
