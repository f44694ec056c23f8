//! The two sides of an invoice: what the business's own system says, and what Xero says.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::applied_credit::AppliedCredit;
use crate::components::TaxAndShipping;
use crate::ids::{InvoiceNumber, OrganisationId, XeroInvoiceId, XeroPaymentId};
use crate::money::{Currency, Money};
use crate::reason::codes;
use crate::terms::Terms;

/// Who owes the invoice, as the business's own system names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contact {
    /// The company, if the contact has one.
    pub company: Option<String>,
    /// The person.
    pub person: Option<String>,
}

impl Contact {
    /// The name that Xero should show: the company's, or the person's where there is none (CM-15).
    pub fn name(&self) -> Option<&str> {
        let filled =
            |name: &'_ Option<String>| name.as_deref().is_some_and(|n| !n.trim().is_empty());
        if filled(&self.company) { self.company.as_deref() } else { self.person.as_deref() }
    }
}

/// An invoice as the business's own system last described it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalInvoice {
    /// Its number, without any prefix.
    pub number: InvoiceNumber,
    /// Grand total, taxes and shipping included.
    pub total: Money,
    /// Day of issue.
    pub issued_on: Date,
    /// Day on which it is due: given, or worked out from the terms (CM-17).
    pub due_on: Date,
    /// The terms, when the due date was worked out from them.
    pub terms: Option<Terms>,
    /// Who owes it.
    pub contact: Contact,
    /// Whether it is paid off by a payment plan, so that BPAY money is not for it (EX-08).
    pub payment_plan: bool,
    /// Tax and shipping within the total, as far as they were reported (SP-10).
    pub components: TaxAndShipping,
    /// Counts the sender's versions of this invoice, from 1.
    pub revision: u64,
}

codes! {
    /// What kind of document a Xero invoice is.
    InvoiceKind {
        /// `ACCREC`: a sales invoice.
        Sales = "ACCREC",
        /// `ACCPAY`: a bill.
        Bill = "ACCPAY",
        /// Anything else.
        Other = "OTHER",
    }
    /// Xero's status of an invoice.
    InvoiceStatus {
        /// Not yet approved.
        Draft = "DRAFT",
        /// Waiting for approval.
        Submitted = "SUBMITTED",
        /// Approved, with something left to pay.
        Authorised = "AUTHORISED",
        /// Paid or credited in full.
        Paid = "PAID",
        /// Taken back after approval.
        Voided = "VOIDED",
        /// Taken back before approval.
        Deleted = "DELETED",
    }
}

impl InvoiceStatus {
    /// Whether nothing more is expected of the invoice: it is paid, or no longer stands.
    pub fn is_final(self) -> bool {
        self == Self::Paid || self.is_dead()
    }

    /// Whether the invoice no longer stands.
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Voided | Self::Deleted)
    }
}

codes! {
    /// What a Xero payment does. Only the first kind is money received on a sales invoice.
    XeroPaymentKind {
        /// Money received on a sales invoice.
        Received = "ACCRECPAYMENT",
        /// Money paid on a bill.
        Paid = "ACCPAYPAYMENT",
        /// A refund of a sales credit note.
        CreditRefund = "ARCREDITPAYMENT",
        /// A refund of a customer's overpayment.
        OverpaymentRefund = "AROVERPAYMENTPAYMENT",
        /// A refund of a customer's prepayment.
        PrepaymentRefund = "ARPREPAYMENTPAYMENT",
        /// Supplier-side kinds, and any kind that Xero may add.
        Other = "OTHER",
    }
}

impl XeroPaymentKind {
    /// Whether money went back to the customer (CM-50).
    pub fn is_refund(self) -> bool {
        matches!(self, Self::CreditRefund | Self::OverpaymentRefund | Self::PrepaymentRefund)
    }
}

/// One payment in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroPayment {
    /// Its `PaymentID`. An edit in Xero's screens makes a new one.
    pub id: XeroPaymentId,
    /// The calendar day, never shifted by a time zone (CM-12).
    pub date: Date,
    /// In the invoice's currency.
    pub amount: Money,
    /// What the payer or the bookkeeper wrote; `None` when Xero has none or an empty one (CM-14).
    pub reference: Option<String>,
    /// `Received` where Xero leaves it out, as it does inside of an invoice.
    pub kind: XeroPaymentKind,
    /// Whether Xero calls it DELETED.
    pub deleted: bool,
}

impl XeroPayment {
    /// Whether it belongs to the set that is compared (rules A1.1).
    pub fn counts(&self) -> bool {
        self.kind == XeroPaymentKind::Received && !self.deleted
    }
}

/// An invoice's figures in Xero. `total = paid + credited + due`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figures {
    /// Grand total.
    pub total: Money,
    /// Sum of its payments (`AmountPaid`).
    pub paid: Money,
    /// Credit notes, prepayments and overpayments applied to it (`AmountCredited`, X-07).
    pub credited: Money,
    /// The amount that is left (`AmountDue`).
    pub due: Money,
}

/// A Xero invoice with all its payments, as one successful read returned it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Which invoice; the reader has checked that it is the one that was asked for.
    pub invoice: XeroInvoiceId,
    /// Sale, bill or other.
    pub kind: InvoiceKind,
    /// The number in Xero, with its prefix.
    pub number: String,
    /// Xero's status.
    pub status: InvoiceStatus,
    /// Name of the Xero contact.
    pub contact_name: Option<String>,
    /// Day of issue.
    pub issued_on: Option<Date>,
    /// Day on which it is due.
    pub due_on: Option<Date>,
    /// The figures.
    pub figures: Figures,
    /// All payments that the read returned.
    pub payments: Vec<XeroPayment>,
    /// The credit that was applied to it, without payments.
    pub allocations: Vec<AppliedCredit>,
    /// Xero's `UpdatedDateUTC`: the version.
    pub updated_at: Timestamp,
    /// When the read was started: breaks a tie between equal versions.
    pub fetched_at: Timestamp,
}

impl Snapshot {
    /// The invoice's currency, which is also that of its payments.
    pub fn currency(&self) -> Currency {
        self.figures.total.currency()
    }

    /// The set that is compared: payments that count, each once, in the order of their ids.
    pub fn counted_payments(&self) -> Vec<&XeroPayment> {
        let mut counted: Vec<_> = self.payments.iter().filter(|p| p.counts()).collect();
        counted.sort_by_key(|payment| payment.id);
        counted.dedup_by_key(|payment| payment.id);
        counted
    }

    /// Whether the payments add up to what Xero says was paid. A read that does not tie out is
    /// incomplete or contradictory, and is no evidence that anything was deleted.
    pub fn ties_out(&self) -> bool {
        let amounts = self.counted_payments().into_iter().map(|payment| payment.amount);
        Money::sum(self.currency(), amounts).is_ok_and(|sum| sum == self.figures.paid)
    }

    /// The version to compare with what is stored: `UpdatedDateUTC`, then the start of the read.
    pub fn version(&self) -> Version {
        Version { updated_at: self.updated_at, fetched_at: self.fetched_at }
    }
}

/// How new a snapshot is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    /// Xero's `UpdatedDateUTC`.
    pub updated_at: Timestamp,
    /// When the read was started.
    pub fetched_at: Timestamp,
}

/// The remembered part of the last snapshot of an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroFacts {
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// Its number there, with the prefix (CM-16).
    pub number: String,
    /// Its status.
    pub status: InvoiceStatus,
    /// Its contact's name.
    pub contact_name: Option<String>,
    /// Day on which it is due.
    pub due_on: Option<Date>,
    /// Its figures.
    pub figures: Figures,
    /// The credit that was applied to it, without payments: the parts of what was credited.
    pub allocations: Vec<AppliedCredit>,
    /// How new it was.
    pub version: Version,
}

impl From<&Snapshot> for XeroFacts {
    fn from(snapshot: &Snapshot) -> Self {
        Self {
            invoice: snapshot.invoice,
            number: snapshot.number.clone(),
            status: snapshot.status,
            contact_name: snapshot.contact_name.clone(),
            due_on: snapshot.due_on,
            figures: snapshot.figures,
            allocations: snapshot.allocations.clone(),
            version: snapshot.version(),
        }
    }
}
