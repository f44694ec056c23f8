//! The amounts of an invoice: asked, received, left; and those that a discrepancy of it is about.

use jiff::civil::Date;

use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};
use crate::money::{Currency, Money, MoneyError};
use crate::payment::{Payment, PaymentStatus};
use crate::stored::StoredInvoice;

/// The figures that a discrepancy of an invoice is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DiscrepancyFigures {
    /// The money that the two sides disagree about, where that is an amount.
    pub at_stake: Option<Money>,
    /// The money that has come in for the invoice.
    pub received: Option<Money>,
}

/// The figures that a discrepancy of an invoice is about, as the facts are now.
pub fn figures_of(invoice: &StoredInvoice, key: &DiscrepancyKey) -> DiscrepancyFigures {
    let local = invoice.local.as_ref().map(|local| local.total);
    let xero = invoice.xero.as_ref().map(|xero| xero.figures.total);
    let total = local.or(xero);
    let received = total.and_then(|total| received(invoice, total.currency()));
    let payment = invoice.payments.iter().find(|known| known.id.as_str() == key.subject);
    let at_stake = match key.kind {
        DiscrepancyKind::Overpaid => total.and_then(|total| {
            received?.minus(asked(invoice, total).ok()?).ok().filter(|excess| excess.is_positive())
        }),
        DiscrepancyKind::Underpaid | DiscrepancyKind::MissingPayment => {
            total.and_then(|total| rest(invoice, total))
        }
        DiscrepancyKind::TotalDiffers => local.zip(xero).and_then(|(ours, theirs)| {
            let more = ours.minus(theirs).ok()?;
            if more.is_negative() { theirs.minus(ours).ok() } else { Some(more) }
        }),
        _ => payment.map(|payment| payment.amount),
    };
    DiscrepancyFigures { at_stake, received }
}

/// The amount that is left to pay of a total, by what is here; less than nothing where too much is.
pub(crate) fn left(invoice: &StoredInvoice, total: Money) -> Option<Money> {
    asked(invoice, total).ok()?.minus(received(invoice, total.currency())?).ok()
}

/// What of an invoice neither side has received, if anything.
pub(crate) fn rest(invoice: &StoredInvoice, total: Money) -> Option<Money> {
    let rest = asked(invoice, total).ok()?.minus(received(invoice, total.currency())?).ok()?;
    // A held payment is in Xero and not here.
    let due = match &invoice.xero {
        Some(xero) if xero.status.is_dead() => return None,
        Some(xero) if xero.figures.due.minus(rest).is_ok_and(Money::is_negative) => {
            xero.figures.due
        }
        _ => rest,
    };
    due.is_positive().then_some(due)
}

/// The amount to be paid before any payment: the total less what Xero shows as credited.
pub(crate) fn asked(invoice: &StoredInvoice, total: Money) -> Result<Money, MoneyError> {
    let zero = Money::zero(total.currency());
    total.minus(invoice.xero.as_ref().map_or(zero, |xero| xero.figures.credited))
}

/// The money that has come in here in that currency: payments that count.
pub(crate) fn received(invoice: &StoredInvoice, currency: Currency) -> Option<Money> {
    // One in another currency is flagged by itself, and hides nothing of the others.
    let counts = |p: &&Payment| p.status.counts() && p.amount.currency() == currency;
    Money::sum(currency, invoice.payments.iter().filter(counts).map(|p| p.amount)).ok()
}

/// Whether payments that did not fail cover what the invoice asks for (AMB-31).
pub(crate) fn is_paid_by_others(invoice: &StoredInvoice) -> bool {
    let local = invoice.local.as_ref().map(|local| local.total);
    let Some(total) = local.or(invoice.xero.as_ref().map(|xero| xero.figures.total)) else {
        return false;
    };
    let confirmed = |payment: &&Payment| payment.status == PaymentStatus::Confirmed;
    let ours = |payment: &&Payment| payment.amount.currency() == total.currency();
    let others =
        invoice.payments.iter().filter(confirmed).filter(ours).map(|payment| payment.amount);
    let left = Money::sum(total.currency(), others)
        .and_then(|received| asked(invoice, total)?.minus(received));
    left.is_ok_and(|left| !left.is_positive())
}

/// When an invoice is due: by the local terms, or by Xero where there are none.
pub(crate) fn due_on(invoice: &StoredInvoice) -> Option<Date> {
    let local = invoice.local.as_ref().map(|local| local.due_on);
    local.or_else(|| invoice.xero.as_ref().and_then(|xero| xero.due_on))
}
