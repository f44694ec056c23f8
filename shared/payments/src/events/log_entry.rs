//! A row of the activity log, with the fields that an announcement needs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::activity_kind::Logged;
use crate::adjustment::Adjustment;
use crate::close::InvoicePosition;
use crate::components::Component;
use crate::discrepancy::DiscrepancyKind;
use crate::ids::{
    CustomerId, InvoiceNumber, OrderId, OrganisationId, PaymentId, XeroContactId, XeroInvoiceId,
    XeroPaymentId,
};
use crate::money::Money;
use crate::notice::CustomerNotice;
use crate::order::{OrderProgress, OrderStatus};
use crate::payment::{Origin, PaymentStatus};
use crate::seal::Checksum;

/// Longest text that is announced, in characters; the rest of it stands in the log. It keeps every
/// announcement far below what an event may be, however long a typed text is.
pub const TEXT_CHARS_MAX: usize = 1_000;

/// A row of the log. What it does not say is absent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its key. The same row has the same one for ever, and no two have the same.
    pub id: String,
    /// Whose books.
    pub organisation: OrganisationId,
    /// When it was decided.
    pub at: Timestamp,
    /// The action or change that the row records.
    pub logged: Logged,
    /// The rule that says so.
    pub rule: Option<String>,
    /// What set it off: `webhook`, `intake`, `sweep`, …
    pub cause: Option<String>,
    /// When that happened at its source.
    pub event_at: Option<Timestamp>,
    /// Why something is held, skipped or warned of: a code.
    pub reason: Option<String>,
    /// Who said so, if a person did.
    pub by: Option<String>,
    /// The figures and the reason, in a sentence.
    pub why: Option<String>,
    /// The invoice concerned.
    pub invoice: Option<EntryInvoice>,
    /// The payment concerned, or the provider's invoice.
    pub payment: EntryPayment,
    /// The discrepancy concerned.
    pub discrepancy: Option<EntryDiscrepancy>,
    /// Who works on the discrepancy, if a person does.
    pub owner: Option<String>,
    /// The adjustment that a person has ordered.
    pub adjustment: Option<Adjustment>,
    /// The notice that was drafted.
    pub notice: Option<CustomerNotice>,
    /// The contact in Xero, of a row that is about one and about no invoice.
    pub contact: Option<XeroContactId>,
    /// The customer concerned.
    pub customer: Option<CustomerId>,
    /// The order concerned, with how it stands in money.
    pub order: Option<EntryOrder>,
    /// The close of a day, in a row about one.
    pub close: Option<EntryClose>,
    /// The seal of a day of this log, in a row about one.
    pub seal: Option<EntrySeal>,
    /// The report or audit concerned.
    pub report: Option<EntryReport>,
    /// The issue about the customer that has to be solved, or was solved.
    pub blocked: Option<String>,
    /// The night of an upload: the day on which it begins.
    pub night: Option<Date>,
    /// From when on a payment is held no longer, if that is known.
    pub until: Option<Date>,
}

/// The invoice of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryInvoice {
    /// Its local number.
    pub number: InvoiceNumber,
    /// Its id in Xero, if it is known there.
    pub xero: Option<XeroInvoiceId>,
    /// How it stood after what the row says, as far as the row says that.
    pub position: Option<InvoicePosition>,
}

/// What a row says of a payment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EntryPayment {
    /// The local id.
    pub id: Option<PaymentId>,
    /// Xero's id.
    pub xero: Option<XeroPaymentId>,
    /// On an invoice the part of it, else the whole payment.
    pub amount: Option<Money>,
    /// The calendar day.
    pub date: Option<Date>,
    /// Where it was first recorded.
    pub origin: Option<Origin>,
    /// How it was paid.
    pub method: Option<String>,
    /// The bank's or gateway's id of the transaction; the provider's number of an invoice.
    pub transaction_id: Option<String>,
    /// What became of the money.
    pub status: Option<PaymentStatus>,
    /// How many invoices it names, in a row about the whole of it.
    pub invoices: Option<u32>,
}

/// What a row says of the close of a day: how many payments stand how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntryClose {
    /// The business day.
    pub day: Date,
    /// Counts how often the day was closed with another outcome, from 1.
    pub revision: u64,
    /// Payments that both sides have.
    pub reconciled: u64,
    /// Payments on their way.
    pub in_transit: u64,
    /// Payments that do not agree.
    pub not_reconciled: u64,
}

/// What a row says of the seal of a day of the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EntrySeal {
    /// The day in UTC.
    pub day: Date,
    /// The seal's checksum.
    pub checksum: Checksum,
    /// The checksum of the seal of the day before; none of the first one.
    pub previous: Option<Checksum>,
    /// How many rows it covers.
    pub rows: u64,
    /// How many rows of the day before came late, and are covered by this one.
    pub late: u64,
}

/// What a row says of a report or of an audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryReport {
    /// The name of its period.
    pub period: String,
    /// Its checksum; of a report that was counted again, that of the recount.
    pub checksum: Checksum,
}

/// What a row says of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryOrder {
    /// The sender's id.
    pub id: OrderId,
    /// How far its payment has come; none in a row that says nothing of it.
    pub progress: Option<OrderProgress>,
    /// How it stands in money, once any has come.
    pub status: Option<OrderStatus>,
    /// The components on which its documents do not agree.
    pub components: Vec<EntryComponent>,
    /// The numbers of the receipts that the customer was given.
    pub receipts: Vec<String>,
    /// What is to be paid for it, and what it names, in a row about its report.
    pub reported: Option<EntryOrderReport>,
}

/// What a row says of the report of an order: enough to derive from the log how the order stands (SP-08).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryOrderReport {
    /// What it costs.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// The invoices that it names.
    pub invoices: BTreeSet<InvoiceNumber>,
    /// The payments that it names.
    pub payments: BTreeSet<PaymentId>,
}

/// A component on which the documents of an order do not agree, by each document that says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryComponent {
    /// Which component.
    pub component: Component,
    /// By the order.
    pub order: Money,
    /// By its invoices.
    pub invoices: Option<Money>,
    /// By its receipts.
    pub receipts: Option<Money>,
}

/// What a row says of a discrepancy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryDiscrepancy {
    /// Its kind.
    pub kind: DiscrepancyKind,
    /// The payment it is about; empty if it is the invoice as a whole.
    pub subject: String,
    /// When it was first found.
    pub detected_at: Timestamp,
    /// When it last came back, if it did.
    pub reopened_at: Option<Timestamp>,
    /// How often it came back.
    pub reopened_count: Option<u32>,
    /// Until when it is to be resolved (SP-19).
    pub due_at: Timestamp,
}
