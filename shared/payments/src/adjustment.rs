//! An order to adjust a record. It goes to the side that owns the fact: the business's own system hears an event, and
//! what stands in Xero is changed there, by a person (SP-24).

use crate::ids::{InvoiceNumber, PaymentId};
use crate::money::Money;
use crate::payment::Origin;
use crate::reason::codes;
use crate::stored::StoredInvoice;

codes! {
    /// The record that is to be adjusted.
    AdjustedRecord {
        /// To which invoice a payment belongs.
        Allocation = "allocation",
        /// The total of an invoice.
        InvoiceTotal = "invoice_total",
        /// The amount of a payment.
        PaymentAmount = "payment_amount",
        /// The charge for shipping.
        Shipping = "shipping",
        /// The tax.
        Tax = "tax",
    }
}

/// The figure to adjust, and its new value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adjustment {
    /// The record.
    pub record: AdjustedRecord,
    /// The amount as it should be.
    pub amount: Option<Money>,
    /// The payment concerned.
    pub payment: Option<PaymentId>,
    /// The invoice that it should be on.
    pub to_invoice: Option<InvoiceNumber>,
}

/// Why nothing is ordered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AdjustmentError {
    /// A field that the record needs.
    #[error("to adjust `{record}`, say `{field}`")]
    Missing {
        /// The record.
        record: AdjustedRecord,
        /// The member that is missing.
        field: &'static str,
    },
    /// A field that means nothing for the record.
    #[error("`{field}` means nothing for `{record}`")]
    Unfitting {
        /// The record.
        record: AdjustedRecord,
        /// The member that is too much.
        field: &'static str,
    },
    /// The payment is not on the invoice.
    #[error("the invoice has no payment {0}")]
    UnknownPayment(PaymentId),
    /// The record is Xero's.
    #[error(
        "payment {0} was entered in Xero, and is changed there by a person; its copy here follows. Nothing was ordered"
    )]
    OwnedByXero(PaymentId),
    /// The other currency would be another amount.
    #[error("the invoice is in {expected}, and the amount in {found}")]
    Currency {
        /// The invoice's.
        expected: &'static str,
        /// The amount's.
        found: &'static str,
    },
}

impl Adjustment {
    /// Whether it can be ordered; of a discrepancy on a contact there is no invoice.
    ///
    /// # Errors
    /// [`AdjustmentError`].
    pub fn check(&self, invoice: Option<&StoredInvoice>) -> Result<(), AdjustmentError> {
        let record = self.record;
        let about_payment =
            matches!(record, AdjustedRecord::Allocation | AdjustedRecord::PaymentAmount);
        let moves = record == AdjustedRecord::Allocation;
        for (field, wanted, given) in [
            ("payment", about_payment, self.payment.is_some()),
            ("to_invoice", moves, self.to_invoice.is_some()),
            ("amount", !moves, self.amount.is_some()),
        ] {
            match (wanted, given) {
                (true, false) => return Err(AdjustmentError::Missing { record, field }),
                // A part of a payment may be moved.
                (false, true) if !(moves && field == "amount") => {
                    return Err(AdjustmentError::Unfitting { record, field });
                }
                _ => {}
            }
        }
        let (Some(invoice), Some(id)) = (invoice, &self.payment) else {
            return self.in_the_currency_of(invoice);
        };
        match invoice.payment(id) {
            None => Err(AdjustmentError::UnknownPayment(id.clone())),
            Some(payment) if payment.origin == Origin::Xero => {
                Err(AdjustmentError::OwnedByXero(id.clone()))
            }
            Some(_) => self.in_the_currency_of(Some(invoice)),
        }
    }

    fn in_the_currency_of(&self, invoice: Option<&StoredInvoice>) -> Result<(), AdjustmentError> {
        let local = invoice.and_then(|invoice| invoice.local.as_ref());
        let (Some(local), Some(amount)) = (local, self.amount) else { return Ok(()) };
        let (expected, found) = (local.total.currency().code(), amount.currency().code());
        if expected == found { Ok(()) } else { Err(AdjustmentError::Currency { expected, found }) }
    }
}

/// In a sentence: what, and to what.
impl std::fmt::Display for Adjustment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.record.code())?;
        if let Some(payment) = &self.payment {
            write!(f, " of payment {payment}")?;
        }
        if let Some(amount) = self.amount {
            write!(f, ": {amount}")?;
        }
        if let Some(invoice) = &self.to_invoice {
            write!(f, " to invoice {invoice}")?;
        }
        Ok(())
    }
}
