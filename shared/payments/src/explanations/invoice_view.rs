//! An invoice as a person reads it: its payments in the order of their dates, the balance after each, and
//! whether they lead to Xero's own figure (ST-03, ST-05, ST-09, ST-12).

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::balances::{self, Agreement};
use super::invoice_context::InvoiceContext;
use super::invoice_lines::{self, PaymentLine, RemovedLine};
use super::links::{Link, XeroLinks};
use super::notes::{self, Remark};
use crate::applied_credit::AppliedCredit;
use crate::discrepancy::Discrepancy;
use crate::ids::InvoiceNumber;
use crate::invoice::{Contact, InvoiceStatus};
use crate::invoice_amounts::due_on;
use crate::money::Money;
use crate::settings::Settings;
use crate::stored::StoredInvoice;

/// An invoice that is due, unpaid, and late (ST-12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overdue {
    /// The amount that is left.
    pub due: Money,
    /// For how many days it has been late today, in the organisation's time zone.
    pub days: u32,
}

/// An invoice as a person reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvoiceView {
    /// Its local number.
    pub number: InvoiceNumber,
    /// Its number in Xero, or the one that it would have there (CM-06, CM-16).
    pub xero_number: String,
    /// Xero's status.
    pub status: Option<InvoiceStatus>,
    /// Who owes it, by the business's own system.
    pub contact: Option<Contact>,
    /// Who owes it, by Xero.
    pub xero_contact: Option<String>,
    /// The total in Xero.
    pub total: Option<Money>,
    /// The total in the business's own system (CM-18).
    pub local_total: Option<Money>,
    /// Xero's sum of payments.
    pub paid: Option<Money>,
    /// Credit notes, prepayments and overpayments applied in Xero (AMB-19).
    pub credited: Option<Money>,
    /// The parts of it, each with what it comes from (AMB-34).
    pub allocations: Vec<AppliedCredit>,
    /// The amount that is left: by Xero, or by our own payments where Xero was never read.
    pub due: Option<Money>,
    /// When it is due (CM-17).
    pub due_on: Option<Date>,
    /// Whether it is late.
    pub overdue: Option<Overdue>,
    /// The amount to be paid before any payment: the total less what was credited.
    pub to_pay: Option<Money>,
    /// Its payments in the order of their dates, the held ones included.
    pub payments: Vec<PaymentLine>,
    /// Whether they lead to Xero's figure.
    pub agreement: Agreement,
    /// The removed payments, the latest first.
    pub removed: Vec<RemovedLine>,
    /// What does not agree, the oldest first.
    pub discrepancies: Vec<Discrepancy>,
    /// What does not agree and was accepted by a person (AMB-31), the oldest first.
    pub accepted: Vec<Discrepancy>,
    /// Remarks on the invoice as a whole.
    pub remarks: Vec<Remark>,
    /// When it was last read from Xero with news.
    pub last_read_at: Option<Timestamp>,
    /// When Xero says that it was last changed.
    pub xero_updated_at: Option<Timestamp>,
    /// Where it is in Xero.
    pub link: Option<Link>,
}

impl InvoiceView {
    /// The view of an invoice; `None` if nothing is stored under its number.
    pub fn of(
        stored: &Arc<StoredInvoice>,
        context: &InvoiceContext,
        settings: &Settings,
        links: &XeroLinks,
        now: Timestamp,
    ) -> Option<Self> {
        if stored.revision == 0 && context.removed.is_empty() && is_empty(stored) {
            return None;
        }
        let (local, xero) = (stored.local.as_ref(), stored.xero.as_ref());
        let figures = xero.map(|xero| xero.figures);
        let to_pay = balances::to_pay(stored);
        let mut payments = invoice_lines::payments(stored, context, settings, links);
        let left = balances::run(&mut payments, to_pay);
        let due = figures.map(|figures| figures.due).or(left);
        let mut discrepancies: Vec<_> = stored.open_discrepancies().cloned().collect();
        discrepancies.sort_by_key(|found| found.detected_at);
        let accepted = stored.discrepancies.iter().filter(|found| found.acceptance().is_some());
        let mut accepted: Vec<_> = accepted.cloned().collect();
        accepted.sort_by_key(|found| found.detected_at);
        Some(Self {
            number: stored.number.clone(),
            xero_number: xero.map_or_else(
                || settings.prefix.to_xero(&stored.number),
                |xero| xero.number.clone(),
            ),
            status: xero.map(|xero| xero.status),
            contact: local.map(|local| local.contact.clone()),
            xero_contact: xero.and_then(|xero| xero.contact_name.clone()),
            total: figures.map(|figures| figures.total),
            local_total: local.map(|local| local.total),
            paid: figures.map(|figures| figures.paid),
            credited: figures.map(|figures| figures.credited),
            allocations: xero.map(|xero| xero.allocations.clone()).unwrap_or_default(),
            due,
            due_on: due_on(stored),
            overdue: overdue(stored, due, settings.today(now)),
            to_pay,
            payments,
            agreement: balances::agreement(stored, left),
            removed: invoice_lines::removed(context),
            discrepancies,
            accepted,
            remarks: notes::of(stored, context.brake.as_ref(), settings),
            last_read_at: xero.map(|xero| xero.version.fetched_at),
            xero_updated_at: xero.map(|xero| xero.version.updated_at),
            link: xero.map(|xero| links.invoice(xero.invoice, &xero.number)),
        })
    }
}

fn is_empty(stored: &StoredInvoice) -> bool {
    stored.local.is_none()
        && stored.xero.is_none()
        && stored.payments.is_empty()
        && stored.held.is_empty()
}

/// Late from the day after the due date on, and only while something is left (ST-12). What no longer stands
/// is never late.
fn overdue(stored: &StoredInvoice, due: Option<Money>, today: Date) -> Option<Overdue> {
    let due = due.filter(|due| due.is_positive())?;
    let due_on = due_on(stored).filter(|due_on| *due_on < today)?;
    if stored.xero.as_ref().is_some_and(|xero| xero.status.is_dead()) {
        return None;
    }
    let days = due_on.duration_until(today).as_hours() / 24;
    Some(Overdue { due, days: u32::try_from(days).unwrap_or(u32::MAX) })
}
