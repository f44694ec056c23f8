//! How an invoice stands after a change, in the few figures that a close needs: each row of the log about an invoice says it,
//! so that a close reads nothing else.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::discrepancy::DiscrepancyKind;
use crate::invoice_amounts::{due_on, left};
use crate::money::Money;
use crate::stored::StoredInvoice;

/// How an invoice stood after a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvoicePosition {
    /// The amount of the invoice: the business's own, or Xero's where the business has none.
    pub total: Money,
    /// The amount that is left to pay, by what is here; less than nothing where too much is.
    pub left: Money,
    /// When it is due.
    pub due_on: Option<Date>,
    /// Whether Xero has it.
    pub in_xero: bool,
    /// The kinds of its open discrepancies.
    pub open: BTreeSet<DiscrepancyKind>,
}

/// How an invoice stands. `None` while neither side has said its amount, or where its money cannot be added up.
pub fn position(invoice: &StoredInvoice) -> Option<InvoicePosition> {
    let local = invoice.local.as_ref().map(|local| local.total);
    let total = local.or(invoice.xero.as_ref().map(|xero| xero.figures.total))?;
    Some(InvoicePosition {
        total,
        left: left(invoice, total)?,
        due_on: due_on(invoice),
        in_xero: invoice.xero.is_some(),
        open: invoice.open_discrepancies().map(|found| found.key.kind).collect(),
    })
}
