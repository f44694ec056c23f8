//! Bills: what is written to Xero of an invoice that a supplier has issued (EX-13).

use jiff::civil::Date;
use payments::upload::{BillStatus, Stamp};
use payments::{Money, XeroContactId};
use serde::Serialize;

use crate::bundle::{
    Bundle, BundleError, Sent, StampedKind, WireContact, WireLine, check, debug_by_stamp, number,
};

/// A bill to be created in Xero.
#[derive(Clone, Eq, PartialEq)]
pub struct BillToSend {
    /// How it is known again; must stand in `number`.
    pub stamp: Stamp,
    /// Whose bill it is.
    pub contact: XeroContactId,
    /// Its `InvoiceNumber`, at most [`payments::upload::REFERENCE_CHARS_MAX`] characters: a bill has no
    /// `Reference`, and its number need not be unique (facts.md 4.2).
    pub number: String,
    /// The day of issue.
    pub date: Date,
    /// The day on which it is due, without which Xero approves nothing.
    pub due_on: Date,
    /// What the lines add up to, tax included.
    pub amount: Money,
    /// What it consists of; at least one.
    pub lines: Vec<BillLine>,
    /// How far it is approved when it is made (XC-23).
    pub status: BillStatus,
}

/// A line of a bill or of a credit note.
#[derive(Clone, Eq, PartialEq)]
pub struct BillLine {
    /// What it says.
    pub description: String,
    /// How much, tax included; less than nothing for a credit on a bill (EX-15b, EX-15c).
    pub amount: Money,
    /// The code of the account that it is booked to.
    pub account: String,
    /// The tax type; Xero's default for the account if there is none.
    pub tax_type: Option<String>,
}

debug_by_stamp! { BillToSend }

impl Bundle {
    /// A bundle of bills for `PUT /Invoices`.
    ///
    /// # Errors
    /// If it cannot be sent as it is.
    pub fn of_bills(bills: &[BillToSend]) -> Result<Self, BundleError> {
        let sent = bills.iter().map(|bill| {
            check(&bill.stamp, &bill.number, bill.amount)?;
            check_lines(&bill.stamp, bill.amount, &bill.lines)?;
            Ok(Sent {
                stamp: bill.stamp.clone(),
                amount: bill.amount,
                invoice: None,
                status: bill.status.code(),
            })
        });
        let wire = bills.iter().map(WireBill::of).collect::<Option<Vec<_>>>();
        let invoices = wire.ok_or(BundleError::Json)?;
        Self::of(StampedKind::Bills, sent, &WireInvoices { invoices })
    }
}

/// Whether the lines of a document can be sent, and add up to it.
pub(crate) fn check_lines(
    stamp: &Stamp,
    amount: Money,
    lines: &[BillLine],
) -> Result<(), BundleError> {
    let blank = |field| Err(BundleError::Blank { stamp: stamp.clone(), field });
    for line in lines {
        let is_nothing = !line.amount.is_positive() && !line.amount.is_negative();
        if is_nothing || !line.amount.fits_xero() {
            return Err(BundleError::Amount(stamp.clone()));
        }
        if line.account.trim().is_empty() {
            return blank("AccountCode");
        }
        if line.description.trim().is_empty() {
            return blank("Description");
        }
        if line.tax_type.as_ref().is_some_and(|tax| tax.trim().is_empty()) {
            return blank("TaxType");
        }
    }
    let sum = Money::sum(amount.currency(), lines.iter().map(|line| line.amount));
    // Xero adds the lines up itself: what is there would not be what was sent.
    if sum == Ok(amount) { Ok(()) } else { Err(BundleError::Lines(stamp.clone())) }
}

impl BillLine {
    /// As Xero takes it; `None` if its amount cannot be written.
    pub(crate) fn wire(&self) -> Option<WireLine<'_>> {
        Some(WireLine {
            description: self.description.trim().to_owned(),
            quantity: 1,
            unit_amount: number(self.amount)?,
            account_code: &self.account,
            tax_type: self.tax_type.as_deref(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireInvoices<'a> {
    invoices: Vec<WireBill<'a>>,
}

/// Of the contact the id only: any other member would change it (facts.md 4.2).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireBill<'a> {
    r#type: &'static str,
    contact: WireContact,
    date: String,
    due_date: String,
    invoice_number: &'a str,
    currency_code: &'static str,
    status: &'static str,
    line_amount_types: &'static str,
    line_items: Vec<WireLine<'a>>,
}

impl<'a> WireBill<'a> {
    /// The lines are `Inclusive`, like that of a prepayment: the provider's fees have the tax in them.
    fn of(bill: &'a BillToSend) -> Option<Self> {
        Some(Self {
            r#type: ACCPAY,
            contact: WireContact { contact_id: bill.contact.to_string() },
            date: bill.date.to_string(),
            due_date: bill.due_on.to_string(),
            invoice_number: &bill.number,
            currency_code: bill.amount.currency().code(),
            status: bill.status.code(),
            line_amount_types: "Inclusive",
            line_items: bill.lines.iter().map(BillLine::wire).collect::<Option<_>>()?,
        })
    }
}

/// The type of an invoice that is a bill.
pub(crate) const ACCPAY: &str = "ACCPAY";
