//! The rows of the activity log for a change: one for each decision.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::close::{InvoicePosition, position};
use payments::{
    Action, Change, Decision, Discrepancy, DiscrepancyKey, HeldPayment, METHOD_XERO,
    OrganisationId, Payment, PaymentId, StoredInvoice, XeroInvoiceId, XeroPaymentId,
};

use crate::attributes::{Item, Writer, instant};
use crate::change_context::ChangeContext;
use crate::rows;

/// Hands out the activity rows of a change, each once.
pub(crate) struct Log<'a> {
    change: &'a Change,
    because: ChangeContext,
    /// The payments that decisions can be about, as they are after the change, or last were.
    payments: BTreeMap<&'a PaymentId, &'a Payment>,
    held: BTreeMap<XeroPaymentId, &'a HeldPayment>,
    discrepancies: BTreeMap<&'a DiscrepancyKey, &'a Discrepancy>,
    /// How the invoice stands after the change.
    position: Option<InvoicePosition>,
    /// Of an invoice whose number was changed in Xero, the one that has left.
    xero_invoice: Option<XeroInvoiceId>,
    /// Positions of the decisions about a payment, and about a Xero payment without one.
    about_payment: BTreeMap<&'a PaymentId, Vec<usize>>,
    about_held: BTreeMap<XeroPaymentId, Vec<usize>>,
    taken: Vec<bool>,
}

impl<'a> Log<'a> {
    pub(crate) fn new(
        before: &'a StoredInvoice,
        change: &'a Change,
        because: ChangeContext,
    ) -> Self {
        let removed = change.tombstones.iter().map(|tombstone| &tombstone.payment);
        let payments = removed.chain(&change.after.payments).map(|p| (&p.id, p)).collect();
        let held = before.held.iter().chain(&change.after.held);
        let held = held.map(|held| (held.payment.id, held)).collect();
        let discrepancies = change.after.discrepancies.iter().map(|d| (&d.key, d)).collect();
        let xero = change.after.xero.as_ref().or(before.xero.as_ref());
        let xero_invoice = xero.map(|xero| xero.invoice);
        let mut about_payment: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut about_held: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (position, decision) in change.decisions.iter().enumerate() {
            match (&decision.payment, decision.xero) {
                (Some(payment), _) => about_payment.entry(payment).or_default().push(position),
                (None, Some(xero)) => about_held.entry(xero).or_default().push(position),
                (None, None) => {}
            }
        }
        let taken = vec![false; change.decisions.len()];
        Self {
            change,
            because,
            payments,
            held,
            discrepancies,
            position: position(&change.after),
            xero_invoice,
            about_payment,
            about_held,
            taken,
        }
    }

    pub(crate) fn about_payment(&mut self, payment: &PaymentId) -> Vec<Item> {
        let positions = self.about_payment.get(payment).cloned();
        self.take(positions.unwrap_or_default())
    }

    pub(crate) fn about_held(&mut self, xero: XeroPaymentId) -> Vec<Item> {
        let positions = self.about_held.get(&xero).cloned();
        self.take(positions.unwrap_or_default())
    }

    pub(crate) fn about_discrepancy(&mut self, key: &DiscrepancyKey) -> Vec<Item> {
        let about = |decision: &Decision| decision.discrepancy.as_ref() == Some(key);
        let decisions = self.change.decisions.iter().enumerate();
        let positions = decisions.filter(|(_, decision)| about(decision)).map(|(at, _)| at);
        self.take(positions.collect())
    }

    pub(crate) fn rest(&mut self) -> Vec<Item> {
        self.take((0..self.change.decisions.len()).collect())
    }

    fn take(&mut self, positions: Vec<usize>) -> Vec<Item> {
        let mut items = Vec::new();
        for position in positions {
            if !std::mem::replace(&mut self.taken[position], true) {
                items.push(self.row(position, &self.change.decisions[position]));
            }
        }
        items
    }

    fn row(&self, position: usize, decision: &Decision) -> Item {
        let invoice = &self.change.after;
        let now = self.because.now;
        let row = Writer::default()
            .text("day", day(invoice.organisation, now))
            .text(
                "at",
                format!("{}#{}#{}-{position}", instant(now), invoice.number, invoice.revision),
            )
            .text("organisation", invoice.organisation)
            .text("invoice", rows::invoice_key(invoice.organisation, &invoice.number))
            .text("invoice_number", &invoice.number)
            .text_if("xero_invoice_id", self.xero_invoice)
            // Reports count by customer (SP-31).
            .text_if("customer", invoice.customer.as_ref())
            .text("cause", self.because.cause);
        // The daily close reads the log alone (SP-13).
        let row = rows::with_position(row, self.position.as_ref());
        let row = self.with_discrepancy(row, decision);
        let row = event(rows::decided(row, decision), self.because);
        // Every payment event is logged with transaction id, amount, method and time (SP-04).
        let payment = decision.payment.as_ref().and_then(|id| self.payments.get(id));
        let held = decision.xero.and_then(|id| self.held.get(&id));
        match (payment, held) {
            (Some(payment), _) => rows::with_amount(row, payment.amount)
                .text("method", &payment.method)
                .text("transaction_id", &payment.transaction_id)
                .text("date", payment.date)
                .text("origin", payment.origin)
                .text("status", payment.status),
            (None, Some(held)) => rows::with_amount(row, held.payment.amount)
                .text("method", METHOD_XERO)
                .text("transaction_id", held.payment.id)
                .text("date", held.payment.date)
                .text("reason", held.reason)
                .text_if("until", held.until),
            (None, None) => row,
        }
        .finish()
    }

    fn with_discrepancy(&self, row: Writer, decision: &Decision) -> Writer {
        let found = decision.discrepancy.as_ref().and_then(|key| self.discrepancies.get(key));
        match found {
            Some(found) => with_discrepancy(row, decision.action, found),
            None => row,
        }
    }
}

/// What a row of the log says of a discrepancy, and who has accepted it if that is what happened.
pub(crate) fn with_discrepancy(row: Writer, action: Action, found: &Discrepancy) -> Writer {
    let said = found.accepted.as_ref().filter(|_| action == Action::DiscrepancyAccepted);
    row.text("discrepancy", found.key.kind)
        .text("subject", &found.key.subject)
        .instant("detected_at", found.detected_at)
        .instant_if("reopened_at", found.reopened.map(|reopened| reopened.at))
        .number_if("reopened_count", found.reopened.map(|reopened| reopened.count))
        .instant("due_at", found.due_at())
        .text_if("owner", found.case.owner.as_ref().map(|owner| &owner.name))
        .text_if("by", said.map(|said| &said.by))
}

/// The partition of the activity log: one organisation's day, in UTC.
pub(crate) fn day(organisation: OrganisationId, now: Timestamp) -> String {
    format!("{organisation}/{}", now.strftime("%Y-%m-%d"))
}

/// When the cause happened, and how long it took to become visible here (SP-09).
pub(crate) fn event(row: Writer, because: ChangeContext) -> Writer {
    match because.event_at {
        Some(event_at) => row
            .instant("event_at", event_at)
            .number("visible_after_ms", because.now.duration_since(event_at).as_millis()),
        None => row,
    }
}
