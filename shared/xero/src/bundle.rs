//! The contents of one call that writes to Xero. The bytes are made once and never again: sending the
//! same bundle twice sends the same bytes, or Xero would refuse the key (FAULT-25).

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use payments::codes;
use payments::upload::{BUNDLE_MAX, REFERENCE_CHARS_MAX, Stamp};
use payments::{Money, XeroAccountId, XeroContactId, XeroCreditId, XeroInvoiceId};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// Longest body of a call, in bytes: what Xero allows (facts.md 3.6). Fifty payments have 20 KB.
pub const BUNDLE_BYTES_MAX: usize = 3_500_000;

/// A payment on an invoice, to be created in Xero.
#[derive(Clone, Eq, PartialEq)]
pub struct PaymentToSend {
    /// How it is known again; must stand in `reference`.
    pub stamp: Stamp,
    /// The invoice that it pays.
    pub invoice: XeroInvoiceId,
    /// The account that it is received on.
    pub account: XeroAccountId,
    /// The calendar day.
    pub date: Date,
    /// How much, in the invoice's currency.
    pub amount: Money,
    /// Its `Reference`, at most [`REFERENCE_CHARS_MAX`] characters.
    pub reference: String,
}

/// A prepayment of a contact, to be created in Xero.
#[derive(Clone, Eq, PartialEq)]
pub struct PrepaymentToSend {
    /// How it is known again; must stand in `reference`.
    pub stamp: Stamp,
    /// Whose it is.
    pub contact: XeroContactId,
    /// The bank account that it is received on.
    pub account: XeroAccountId,
    /// The code of the account that it is booked to.
    pub line_account: String,
    /// The tax type; Xero's default for `line_account` if there is none.
    pub tax_type: Option<String>,
    /// The calendar day.
    pub date: Date,
    /// How much was received, tax included.
    pub amount: Money,
    /// Its `Reference`, at most [`REFERENCE_CHARS_MAX`] characters.
    pub reference: String,
    /// What its one line says. The stamp is added: Xero keeps a reference of ordinary receipts only,
    /// as its specification says, and the line is then all that a prepayment is known again by.
    pub description: String,
}

/// Why something cannot be sent. A mistake of ours, found before it can do harm.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// There is nothing to send.
    #[error("a bundle must not be empty")]
    Empty,
    /// Too many at once.
    #[error("a bundle holds at most {max} elements", max = BUNDLE_MAX)]
    TooMany,
    /// Two with one stamp could not be distinguished.
    #[error("the stamp {0} stands twice in the bundle")]
    Twice(Stamp),
    /// It could not be known again.
    #[error("the reference does not carry the stamp {0}")]
    NoStamp(Stamp),
    /// Xero would cut it.
    #[error("the reference of {0} is longer than {max} characters", max = REFERENCE_CHARS_MAX)]
    ReferenceTooLong(Stamp),
    /// Nothing, less than nothing, or more exact than Xero is.
    #[error("the amount of {0} must be positive and have no more than two decimals")]
    Amount(Stamp),
    /// The lines of a bill are not what the whole is.
    #[error("the lines of {0} do not add up to it")]
    Lines(Stamp),
    /// A prepayment, or a line of a bill, without an account or a description.
    #[error("{field} of {stamp} must not be empty")]
    Blank {
        /// Which.
        stamp: Stamp,
        /// Xero's name of the member.
        field: &'static str,
    },
    /// Longer than Xero allows.
    #[error("a bundle has at most {max} bytes", max = BUNDLE_BYTES_MAX)]
    TooLong,
    /// The bytes could not be made.
    #[error("the bundle cannot be written as JSON")]
    Json,
}

codes! {
    /// What a bundle is made of. Its code is Xero's name of the list, in addresses and in bodies. The order is that in which
    /// they are sent: bills take a permission of their own, and if it is missing, that shall keep no payment back.
    StampedKind {
        /// Payments on invoices: Xero's `Payments`.
        Payments = "Payments",
        /// Prepayments, which are bank transactions to Xero: its `BankTransactions`.
        Prepayments = "BankTransactions",
        /// Bills, which are invoices to Xero: its `Invoices`.
        Bills = "Invoices",
        /// Credit notes of a supplier: its `CreditNotes`.
        CreditNotes = "CreditNotes",
        /// A part of a credit note on a bill. It bears no stamp in Xero: it is known by its note, its bill and its amount.
        Allocations = "Allocations",
    }
}

/// Payments, prepayments or bills that go to Xero in one call: their exact bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Bundle {
    kind: StampedKind,
    /// Of an allocation the credit note, which stands in the address.
    note: Option<XeroCreditId>,
    sent: Vec<Sent>,
    body: Vec<u8>,
}

/// What the answer to one element is held against.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Sent {
    pub(crate) stamp: Stamp,
    pub(crate) amount: Money,
    /// The invoice of a payment or an allocation. The contact of a prepayment or a bill is not compared: Xero answers
    /// with another one when the contact was merged.
    pub(crate) invoice: Option<XeroInvoiceId>,
    /// The status that it is to have.
    pub(crate) status: &'static str,
}

/// The status of everything but bills that are not approved at once.
pub(crate) const AUTHORISED: &str = "AUTHORISED";

impl Bundle {
    /// A bundle for `PUT /Payments`.
    ///
    /// # Errors
    /// If it cannot be sent as it is.
    pub fn of_payments(payments: &[PaymentToSend]) -> Result<Self, BundleError> {
        let sent = payments.iter().map(|payment| {
            check(&payment.stamp, &payment.reference, payment.amount)?;
            let PaymentToSend { stamp, amount, invoice, .. } = payment;
            Ok(Sent {
                stamp: stamp.clone(),
                amount: *amount,
                invoice: Some(*invoice),
                status: AUTHORISED,
            })
        });
        let wire = payments.iter().map(WirePayment::of).collect::<Option<Vec<_>>>();
        let payments = wire.ok_or(BundleError::Json)?;
        Self::of(StampedKind::Payments, sent, &WirePayments { payments })
    }

    /// A bundle for `PUT /BankTransactions`.
    ///
    /// # Errors
    /// If it cannot be sent as it is.
    pub fn of_prepayments(prepayments: &[PrepaymentToSend]) -> Result<Self, BundleError> {
        let sent = prepayments.iter().map(|prepayment| {
            let PrepaymentToSend { stamp, amount, .. } = prepayment;
            check(stamp, &prepayment.reference, *amount)?;
            let blank = |field| BundleError::Blank { stamp: stamp.clone(), field };
            if prepayment.line_account.trim().is_empty() {
                return Err(blank("AccountCode"));
            }
            if prepayment.description.trim().is_empty() {
                return Err(blank("Description"));
            }
            if prepayment.tax_type.as_ref().is_some_and(|tax| tax.trim().is_empty()) {
                return Err(blank("TaxType"));
            }
            Ok(Sent { stamp: stamp.clone(), amount: *amount, invoice: None, status: AUTHORISED })
        });
        let wire = prepayments.iter().map(WirePrepayment::of).collect::<Option<Vec<_>>>();
        let bank_transactions = wire.ok_or(BundleError::Json)?;
        Self::of(StampedKind::Prepayments, sent, &WireBankTransactions { bank_transactions })
    }

    pub(crate) fn of(
        kind: StampedKind,
        sent: impl ExactSizeIterator<Item = Result<Sent, BundleError>>,
        wire: &impl Serialize,
    ) -> Result<Self, BundleError> {
        if sent.len() == 0 {
            return Err(BundleError::Empty);
        }
        if u32::try_from(sent.len()).map_or(true, |count| count > BUNDLE_MAX) {
            return Err(BundleError::TooMany);
        }
        let sent = sent.collect::<Result<Vec<_>, _>>()?;
        let mut stamps = BTreeSet::new();
        if let Some(twice) = sent.iter().find(|sent| !stamps.insert(&sent.stamp)) {
            return Err(BundleError::Twice(twice.stamp.clone()));
        }
        let body = serde_json::to_vec(wire).map_err(|_| BundleError::Json)?;
        if body.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong);
        }
        Ok(Self { kind, note: None, sent, body })
    }

    /// The same of the allocation of a credit note.
    pub(crate) fn on_note(self, note: XeroCreditId) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Where it is put, below Xero's address.
    pub(crate) fn path(&self) -> Vec<String> {
        match self.note {
            Some(note) => {
                vec!["CreditNotes".to_owned(), note.to_string(), self.kind.code().to_owned()]
            }
            None => vec![self.kind.code().to_owned()],
        }
    }

    /// What it is made of.
    pub fn kind(&self) -> StampedKind {
        self.kind
    }

    /// The stamps in it, in the order of the elements.
    pub fn stamps(&self) -> impl ExactSizeIterator<Item = &Stamp> {
        self.sent.iter().map(|sent| &sent.stamp)
    }

    /// The exact bytes. They hold names of payers and amounts: for Xero only, never for a log.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The SHA-256 of the bytes, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.body);
        if let Some(note) = self.note {
            hasher.update(note.to_string());
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn sent(&self) -> &[Sent] {
        &self.sent
    }
}

/// N9: references and descriptions hold what payers wrote.
macro_rules! debug_by_stamp {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.stamp)
            }
        }
    )*};
}
pub(crate) use debug_by_stamp;

debug_by_stamp! { PaymentToSend PrepaymentToSend Sent }

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("kind", &self.kind)
            .field("elements", &self.sent.len())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

pub(crate) fn check(stamp: &Stamp, reference: &str, amount: Money) -> Result<(), BundleError> {
    if Stamp::find_in(reference).as_ref() != Some(stamp) {
        return Err(BundleError::NoStamp(stamp.clone()));
    }
    if reference.chars().count() > REFERENCE_CHARS_MAX {
        return Err(BundleError::ReferenceTooLong(stamp.clone()));
    }
    check_amount(stamp, amount)
}

pub(crate) fn check_amount(stamp: &Stamp, amount: Money) -> Result<(), BundleError> {
    if !amount.is_positive() || !amount.fits_xero() {
        return Err(BundleError::Amount(stamp.clone()));
    }
    Ok(())
}

/// An amount as a JSON number with the very digits of the decimal.
pub(crate) fn number(amount: Money) -> Option<Box<RawValue>> {
    RawValue::from_string(amount.amount().to_string()).ok()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WirePayments<'a> {
    payments: Vec<WirePayment<'a>>,
}

/// Ids only: any other member of an invoice, a contact or an account might be taken for an update.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WirePayment<'a> {
    invoice: WireInvoice,
    account: WireAccount,
    date: String,
    amount: Box<RawValue>,
    reference: &'a str,
}

#[derive(Serialize)]
pub(crate) struct WireInvoice {
    #[serde(rename = "InvoiceID")]
    pub(crate) invoice_id: String,
}

#[derive(Serialize)]
struct WireAccount {
    #[serde(rename = "AccountID")]
    account_id: String,
}

#[derive(Serialize)]
pub(crate) struct WireContact {
    #[serde(rename = "ContactID")]
    pub(crate) contact_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireBankTransactions<'a> {
    bank_transactions: Vec<WirePrepayment<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WirePrepayment<'a> {
    r#type: &'static str,
    contact: WireContact,
    bank_account: WireAccount,
    date: String,
    reference: &'a str,
    status: &'static str,
    line_amount_types: &'static str,
    line_items: [WireLine<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireLine<'a> {
    pub(crate) description: String,
    pub(crate) quantity: u8,
    pub(crate) unit_amount: Box<RawValue>,
    pub(crate) account_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tax_type: Option<&'a str>,
}

impl<'a> WirePayment<'a> {
    fn of(payment: &'a PaymentToSend) -> Option<Self> {
        Some(Self {
            invoice: WireInvoice { invoice_id: payment.invoice.to_string() },
            account: WireAccount { account_id: payment.account.to_string() },
            date: payment.date.to_string(),
            amount: number(payment.amount)?,
            reference: &payment.reference,
        })
    }
}

impl<'a> WirePrepayment<'a> {
    /// The lines are always `Inclusive`. The received money is the amount, tax included: `Exclusive`,
    /// Xero's default, would add the tax on top of it, and `NoTax` would leave out the tax that the
    /// account's own default, or the chosen tax type, asks for.
    fn of(prepayment: &'a PrepaymentToSend) -> Option<Self> {
        let line = WireLine {
            description: format!("{} {}", prepayment.description.trim(), prepayment.stamp),
            quantity: 1,
            unit_amount: number(prepayment.amount)?,
            account_code: &prepayment.line_account,
            tax_type: prepayment.tax_type.as_deref(),
        };
        Some(Self {
            r#type: RECEIVE_PREPAYMENT,
            contact: WireContact { contact_id: prepayment.contact.to_string() },
            bank_account: WireAccount { account_id: prepayment.account.to_string() },
            date: prepayment.date.to_string(),
            reference: &prepayment.reference,
            status: "AUTHORISED",
            line_amount_types: "Inclusive",
            line_items: [line],
        })
    }
}

/// The type of a bank transaction that makes a prepayment of a customer.
pub(crate) const RECEIVE_PREPAYMENT: &str = "RECEIVE-PREPAYMENT";
/// The type of a supplier's credit note.
pub(crate) const ACCPAYCREDIT: &str = "ACCPAYCREDIT";
