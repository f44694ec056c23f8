//! The payments of an invoice, one line each.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::facts::{Facts, RemovedRow, Subject};
use super::invoice_context::InvoiceContext;
use super::links::{Link, XeroLinks};
use super::state::{Failure, State};
use crate::ids::{PaymentId, XeroPaymentId};
use crate::money::Money;
use crate::payment::METHOD_XERO;
use crate::settings::Settings;
use crate::stored::StoredInvoice;

/// One payment of the invoice: with a row here, or known from Xero and held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentLine {
    /// Our id; none if it is held.
    pub payment: Option<PaymentId>,
    /// Xero's, if it is known to be there.
    pub xero: Option<XeroPaymentId>,
    /// The calendar day.
    pub date: Date,
    /// How much.
    pub amount: Money,
    /// How it was paid.
    pub method: String,
    /// What the payer wrote.
    pub reference: Option<String>,
    /// Its one state.
    pub state: State,
    /// Whether it is taken off the balance: it is in Xero, or, of an invoice that was never read from there,
    /// the money is with the business.
    pub counts: bool,
    /// What the invoice still owes after it; none if the currencies do not allow to say so.
    pub balance_after: Option<Money>,
    /// Where it is in Xero.
    pub link: Option<Link>,
}

/// One payment that was removed from the invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemovedLine {
    /// Our id.
    pub payment: PaymentId,
    /// Xero's, if it was linked.
    pub xero: Option<XeroPaymentId>,
    /// The calendar day it was of.
    pub date: Date,
    /// How much it was.
    pub amount: Money,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// By what.
    pub removed_by: &'static str,
    /// Why.
    pub why: String,
}

/// Its payments in the order of their dates, those that count first within a day.
pub(super) fn payments(
    stored: &Arc<StoredInvoice>,
    beside: &InvoiceContext,
    settings: &Settings,
    links: &XeroLinks,
) -> Vec<PaymentLine> {
    let was_read = stored.xero.is_some();
    let rows = stored.payments.iter().map(|payment| {
        let subject = Subject::Ours(payment.id.clone());
        PaymentLine {
            payment: Some(payment.id.clone()),
            xero: payment.link,
            date: payment.date,
            amount: payment.amount,
            method: payment.method.clone(),
            reference: payment.reference.clone(),
            state: state(subject, stored, beside, settings),
            counts: if was_read { payment.link.is_some() } else { payment.status.counts() },
            balance_after: None,
            link: payment.link.map(|id| links.payment(id)),
        }
    });
    let held = stored.held.iter().map(|held| PaymentLine {
        payment: None,
        xero: Some(held.payment.id),
        date: held.payment.date,
        amount: held.payment.amount,
        method: METHOD_XERO.to_owned(),
        reference: held.payment.reference.clone(),
        state: state(Subject::Xero(held.payment.id), stored, beside, settings),
        counts: true,
        balance_after: None,
        link: Some(links.payment(held.payment.id)),
    });
    let mut lines: Vec<_> = rows.chain(held).collect();
    lines.sort_by(|a, b| {
        (a.date, !a.counts, a.xero, &a.payment).cmp(&(b.date, !b.counts, b.xero, &b.payment))
    });
    lines
}

/// The same state as the payment has wherever else it is asked about.
fn state(
    subject: Subject,
    stored: &Arc<StoredInvoice>,
    beside: &InvoiceContext,
    settings: &Settings,
) -> State {
    let mut facts = Facts::none(subject);
    if let Subject::Ours(id) = &facts.subject {
        facts.upload = beside.uploads.get(id).cloned();
    }
    let customer = facts.upload.as_ref().and_then(|upload| upload.receipt.customer.as_ref());
    facts.customer = customer.and_then(|id| beside.customers.get(id)).cloned();
    facts.caps.clone_from(&beside.caps);
    facts.invoices = vec![Arc::clone(stored)];
    // What stands on the invoice has a row here, so that there always is a state.
    State::of(&facts, settings).unwrap_or(State::Failed(Failure::RowUnreadable))
}

/// The removed payments, the latest first.
pub(super) fn removed(beside: &InvoiceContext) -> Vec<RemovedLine> {
    let line = |removed: &RemovedRow| {
        let (tombstone, payment) = (&removed.tombstone, &removed.tombstone.payment);
        RemovedLine {
            payment: payment.id.clone(),
            xero: payment.link,
            date: payment.date,
            amount: payment.amount,
            removed_at: tombstone.removed_at,
            removed_by: tombstone.removed_by,
            why: tombstone.why.clone(),
        }
    };
    let mut removed: Vec<_> = beside.removed.iter().map(line).collect();
    removed.sort_by_key(|line| std::cmp::Reverse(line.removed_at));
    removed
}
