//! The balance of an invoice after each of its payments, and whether it ends where Xero's does.

use super::invoice_lines::PaymentLine;
use crate::money::Money;
use crate::stored::StoredInvoice;

/// Whether our payments lead to what Xero says is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Agreement {
    /// They do.
    Agrees,
    /// They do not.
    Differs {
        /// The amount left by the payments listed here.
        ours: Money,
        /// The amount left in Xero.
        xero: Money,
        /// The first less the second.
        by: Money,
    },
    /// It cannot be said, for this reason.
    CannotSay(&'static str),
}

/// The amount to be paid before any payment. Credit has no place in the order of dates, so it is taken
/// off first, as the balances that are stored do (AMB-19).
pub(super) fn to_pay(stored: &StoredInvoice) -> Option<Money> {
    match (&stored.xero, &stored.local) {
        (Some(xero), _) => xero.figures.total.minus(xero.figures.credited).ok(),
        (None, local) => local.as_ref().map(|local| local.total),
    }
}

/// Writes the balance after each payment; returns the last one. It is lost with the first payment in
/// another currency, since two currencies never mix.
pub(super) fn run(payments: &mut [PaymentLine], to_pay: Option<Money>) -> Option<Money> {
    let mut left = to_pay;
    for payment in payments {
        if payment.counts {
            left = left.and_then(|left| left.minus(payment.amount).ok());
        }
        payment.balance_after = left;
    }
    left
}

/// Compares the last balance with what Xero says is due (ST-04).
pub(super) fn agreement(stored: &StoredInvoice, left: Option<Money>) -> Agreement {
    let Some(xero) = &stored.xero else {
        return Agreement::CannotSay("the invoice was not read from Xero yet");
    };
    if xero.status.is_dead() {
        return Agreement::CannotSay("the invoice no longer stands in Xero");
    }
    let due = xero.figures.due;
    let by = left.and_then(|left| Some((left, left.minus(due).ok()?)));
    match by {
        None => Agreement::CannotSay("a payment is in another currency than the invoice"),
        Some((left, _)) if left == due => Agreement::Agrees,
        Some((ours, by)) => Agreement::Differs { ours, xero: due, by },
    }
}
