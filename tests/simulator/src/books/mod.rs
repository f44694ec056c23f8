//! The organisations' books: invoices, payments, credits, prepayments, and the arithmetic between them.
//!
//! Everything that is true about money in the simulator is decided here; the API and the controls
//! are two doors to it. Nothing here knows HTTP, JSON shapes or webhooks.

mod account;
mod bank_transaction;
mod batch_payment;
mod changes;
mod contact;
mod credit_document;
mod credit_note;
mod index;
mod invoice;
mod organisation;
mod payment;
mod rules;
mod setup;
mod tax_rate;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use account::{Account, AccountKind, NewAccount};
pub(crate) use bank_transaction::BankTransactionDraft;
pub use bank_transaction::{BankTransaction, BankTransactionStatus};
pub(crate) use batch_payment::BatchPaymentDraft;
pub use batch_payment::{BatchPayment, NewBatchPayment};
pub use contact::Contact;
pub(crate) use contact::Contacts;
pub use credit_document::{Allocation, CreditDocument, CreditKind, NewCredit};
pub(crate) use credit_note::CreditNoteDraft;
pub use credit_note::{CreditNoteStage, NewSupplierCredit};
pub(crate) use invoice::{ContactChoice, InvoiceDraft, InvoiceEdit};
pub use invoice::{Credit, Invoice, InvoiceKind, InvoiceStatus, Line, NewInvoice};
pub use organisation::{LockDates, NewOrganisation, Organisation};
pub(crate) use payment::PaymentDraft;
pub use payment::{NewPayment, Payment, PaymentStatus};
pub use tax_rate::TaxRate;

/// Why the books would not take something; the texts are Xero's where they are known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal(pub(crate) Vec<String>);

impl Refusal {
    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Refusal {}

/// One change of one invoice, which Xero announces by one event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Change {
    pub(crate) invoice: Uuid,
    pub(crate) created: bool,
    /// The invoice's `UpdatedDateUTC` after the change.
    pub(crate) at: Timestamp,
}

/// The books of every organisation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Books {
    pub(crate) organisations: BTreeMap<Uuid, Organisation>,
}

impl Books {
    /// The organisation with this id.
    pub(crate) fn organisation(&mut self, id: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no organisation {id}")))
    }

    /// The organisation in whose books this invoice is.
    pub(crate) fn of_invoice(&mut self, invoice: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.invoices.contains_key(&invoice))
            .ok_or_else(|| Refusal::because(format!("there is no invoice {invoice}")))
    }

    /// The organisation in whose books this payment is.
    pub(crate) fn of_payment(&mut self, payment: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.payments.contains_key(&payment))
            .ok_or_else(|| Refusal::because(format!("there is no payment {payment}")))
    }

    /// The organisation in whose books this bank transaction is.
    pub(crate) fn of_bank_transaction(&mut self, id: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.bank_transactions.contains_key(&id))
            .ok_or_else(|| Refusal::because(format!("there is no bank transaction {id}")))
    }

    /// The organisation in whose books this batch payment is.
    pub(crate) fn of_batch_payment(&mut self, id: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.batch_payments.contains_key(&id))
            .ok_or_else(|| Refusal::because(format!("there is no batch payment {id}")))
    }

    /// The organisation in whose books this document of credit is.
    pub(crate) fn of_credit(&mut self, credit: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.credit_documents.contains_key(&credit))
            .ok_or_else(|| Refusal::because(format!("there is no credit {credit}")))
    }

    /// The organisation that knows this contact.
    pub(crate) fn of_contact(&mut self, contact: Uuid) -> Result<&mut Organisation, Refusal> {
        self.organisations
            .values_mut()
            .find(|organisation| organisation.contact(contact).is_some())
            .ok_or_else(|| Refusal::because(format!("there is no contact {contact}")))
    }

    /// Works out what is not saved, after the books were read from a file.
    pub(crate) fn reindex(&mut self) {
        self.organisations.values_mut().for_each(Organisation::reindex);
    }
}
