//! Orders of customers, as the business's own system reports them, and how far each is paid (SP-05, SP-07, SP-24).
//!
//! Progress and status are derived from the facts about money each time, and never typed in, so that they can be
//! recounted from the log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::components::Component;
use crate::ids::{CustomerId, InvoiceNumber, OrderId, OrganisationId, PaymentId};
use crate::money::{Currency, Money, MoneyError};
use crate::payment::PaymentStatus;
use crate::reason::codes;
use crate::reports::{Receipt, Refusal};
use crate::stored::StoredInvoice;

/// The parts of an amount that are compared between order, invoice and receipt (SP-10).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Components {
    /// Goods and services, without tax.
    pub goods: Money,
    /// Taxes on all of it.
    pub tax: Money,
    /// Shipping, without tax.
    pub shipping: Money,
    /// The deduction.
    pub discount: Money,
    /// The amount to pay: the first three, less the discount.
    pub total: Money,
}

impl Components {
    /// One of them.
    pub fn part(&self, component: Component) -> Money {
        match component {
            Component::Goods => self.goods,
            Component::Tax => self.tax,
            Component::Shipping => self.shipping,
            Component::Discount => self.discount,
            Component::Total => self.total,
        }
    }

    /// What the parts add up to.
    ///
    /// # Errors
    /// Two currencies, or more than is kept exactly.
    pub fn sum(&self) -> Result<Money, MoneyError> {
        self.goods.plus(self.tax)?.plus(self.shipping)?.minus(self.discount)
    }
}

/// An order as the business's own system last reported it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The sender's id.
    pub id: OrderId,
    /// Counts the sender's versions of it, from 1.
    pub revision: u64,
    /// Who ordered, if that is known.
    pub customer: Option<CustomerId>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was completed, if it was.
    pub completed_at: Option<Timestamp>,
    /// The amounts to be paid for it.
    pub components: Components,
    /// The invoices that were made of it.
    pub invoices: BTreeSet<InvoiceNumber>,
    /// The payments that were made for it, as far as the sender knows.
    pub payments: BTreeSet<PaymentId>,
    /// Whether it was cancelled: nothing is to be paid for it any more.
    pub cancelled: bool,
}

impl Order {
    /// The amount to be paid now.
    pub fn to_pay(&self) -> Money {
        let total = self.components.total;
        if self.cancelled { Money::zero(total.currency()) } else { total }
    }
}

/// Whether a reported order is news.
///
/// # Errors
/// `RevisionReused`.
pub fn is_news(known: Option<&Order>, incoming: &Order) -> Result<bool, Refusal> {
    match known {
        Some(known) if known.revision > incoming.revision || known == incoming => Ok(false),
        Some(known) if known.revision == incoming.revision => {
            Err(Refusal::RevisionReused { revision: incoming.revision })
        }
        _ => Ok(true),
    }
}

codes! {
    /// How far the payment of an order has come (SP-07).
    OrderProgress {
        /// Nothing of it has arrived, and nothing says that it will not.
        Pending = "payment_pending",
        /// A part of it has arrived.
        PartlyReceived = "payment_partly_received",
        /// All of it has arrived, given back or not.
        Received = "payment_received",
        /// Nothing of it has arrived, and every try has failed.
        Failed = "payment_failed",
    }
    /// How an order stands in money (SP-24).
    OrderStatus {
        /// As much was kept as is to be paid.
        FullyPaid = "fully_paid",
        /// Less was kept than is to be paid.
        PartiallyPaid = "partially_paid",
        /// All that had come was given back.
        Refunded = "refunded",
        /// More was kept than is to be paid; also money that was kept of a cancelled order.
        Overpaid = "overpaid",
        /// Cancelled, and no money is or was here for it.
        Cancelled = "cancelled",
    }
}

/// What the facts say of an order's money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OrderStanding {
    /// How far its payment has come.
    pub progress: OrderProgress,
    /// How it stands; `None` as long as nothing has come and something is to be paid.
    pub status: Option<OrderStatus>,
    /// Money that came and was kept.
    pub received: Money,
    /// Money that came and was given back.
    pub refunded: Money,
    /// Money on its way.
    pub pending: Money,
    /// Whether money in another currency came for it, which is in none of the figures.
    pub other_currency: bool,
}

impl OrderStanding {
    /// The amount that is still to be paid; less than nothing if too much was kept.
    ///
    /// # Errors
    /// See [`Money::minus`].
    pub fn left(&self, order: &Order) -> Result<Money, MoneyError> {
        order.to_pay().minus(self.received)
    }
}

/// The stored facts about the money of an order.
#[derive(Clone, Debug, Default)]
pub struct OrderFacts {
    /// The payments that it names, and those on its invoices, as far as they were reported.
    pub receipts: Vec<Receipt>,
    /// The invoices that it names.
    pub invoices: Vec<StoredInvoice>,
    /// The other orders that name one of these invoices.
    pub siblings: Vec<Order>,
}

/// What is to be paid for an order, and by which invoices.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderClaim {
    /// The sender's id.
    pub id: OrderId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What it costs.
    pub total: Money,
    /// Whether it is cancelled: nothing is to be paid for it.
    pub cancelled: bool,
    /// The invoices that it names.
    pub invoices: BTreeSet<InvoiceNumber>,
}

impl OrderClaim {
    /// The amount that is to be paid.
    pub fn to_pay(&self) -> Money {
        if self.cancelled { Money::zero(self.total.currency()) } else { self.total }
    }
}

impl From<&Order> for OrderClaim {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            placed_at: order.placed_at,
            total: order.components.total,
            cancelled: order.cancelled,
            invoices: order.invoices.clone(),
        }
    }
}

/// The money that came for an order.
#[derive(Clone, Debug, Default)]
pub struct OrderMoney {
    /// Of the payments that it names, what stands on no invoice. A payment that failed has no part that is anywhere.
    pub free: Vec<(Money, PaymentStatus)>,
    /// What came on each invoice that it names.
    pub invoices: BTreeMap<InvoiceNumber, Vec<(Money, PaymentStatus)>>,
    /// The other orders that name one of these invoices.
    pub siblings: Vec<OrderClaim>,
}

impl OrderMoney {
    fn of(order: &Order, facts: &OrderFacts) -> Self {
        let named = facts.receipts.iter().filter(|receipt| order.payments.contains(&receipt.id));
        let free = named.filter_map(|receipt| {
            let failed = receipt.status == PaymentStatus::Failed;
            let free = receipt.unallocated().or(failed.then_some(receipt.amount))?;
            Some((free, receipt.status))
        });
        let on = |invoice: &StoredInvoice| {
            let came = invoice.payments.iter().map(|payment| (payment.amount, payment.status));
            (invoice.number.clone(), came.collect())
        };
        Self {
            free: free.collect(),
            invoices: facts.invoices.iter().map(on).collect(),
            siblings: facts.siblings.iter().map(OrderClaim::from).collect(),
        }
    }
}

/// Money of one status, added up.
#[derive(Clone, Copy, Debug)]
struct Sums {
    received: Money,
    refunded: Money,
    pending: Money,
    failed: bool,
    other_currency: bool,
}

impl Sums {
    fn nothing(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { received: zero, refunded: zero, pending: zero, failed: false, other_currency: false }
    }

    fn add(&mut self, amount: Money, status: PaymentStatus) -> Result<(), MoneyError> {
        if status == PaymentStatus::Failed {
            self.failed = true;
            return Ok(());
        }
        if amount.currency() != self.received.currency() {
            self.other_currency = true;
            return Ok(());
        }
        let sum = match status {
            PaymentStatus::Confirmed => &mut self.received,
            PaymentStatus::Refunded => &mut self.refunded,
            PaymentStatus::Pending | PaymentStatus::Failed => &mut self.pending,
        };
        *sum = sum.plus(amount)?;
        Ok(())
    }

    fn and(mut self, other: Self) -> Result<Self, MoneyError> {
        self.received = self.received.plus(other.received)?;
        self.refunded = self.refunded.plus(other.refunded)?;
        self.pending = self.pending.plus(other.pending)?;
        self.failed |= other.failed;
        self.other_currency |= other.other_currency;
        Ok(self)
    }
}

/// How an order stands, by the facts about its payments.
///
/// A payment counts with what of it stands on the order's invoices, and, if the order names it, with what of it is on
/// no invoice. The money on an invoice of several orders pays the one placed first, then the next; what is left over
/// is the last one's.
///
/// # Errors
/// Sums that are larger than what is kept exactly.
pub fn standing(order: &Order, facts: &OrderFacts) -> Result<OrderStanding, MoneyError> {
    standing_of(&OrderClaim::from(order), &OrderMoney::of(order, facts))
}

/// The same, from what is claimed and what has come.
///
/// # Errors
/// See [`standing`].
pub fn standing_of(order: &OrderClaim, money: &OrderMoney) -> Result<OrderStanding, MoneyError> {
    let currency = order.total.currency();
    let mut sums = added_up(&money.free, currency)?;
    for (invoice, came) in &money.invoices {
        let whole = added_up(came, currency)?;
        sums = sums.and(share(order, invoice, whole, &money.siblings)?)?;
    }
    let to_pay = order.to_pay();
    let came = sums.received.plus(sums.refunded)?;
    let total = order.total;
    let progress = if came.amount() >= total.amount() {
        OrderProgress::Received
    } else if came.is_positive() {
        OrderProgress::PartlyReceived
    } else if sums.failed && !sums.pending.is_positive() {
        OrderProgress::Failed
    } else {
        OrderProgress::Pending
    };
    let kept = sums.received;
    let status = if kept.amount() > to_pay.amount() {
        Some(OrderStatus::Overpaid)
    } else if kept.is_positive() {
        let paid = kept == to_pay;
        Some(if paid { OrderStatus::FullyPaid } else { OrderStatus::PartiallyPaid })
    } else if sums.refunded.is_positive() {
        Some(OrderStatus::Refunded)
    } else if order.cancelled {
        Some(OrderStatus::Cancelled)
    } else {
        (!to_pay.is_positive()).then_some(OrderStatus::FullyPaid)
    };
    Ok(OrderStanding {
        progress,
        status,
        received: sums.received,
        refunded: sums.refunded,
        pending: sums.pending,
        other_currency: sums.other_currency,
    })
}

fn added_up(all: &[(Money, PaymentStatus)], currency: Currency) -> Result<Sums, MoneyError> {
    let mut sums = Sums::nothing(currency);
    for (amount, status) in all {
        sums.add(*amount, *status)?;
    }
    Ok(sums)
}

/// What of an invoice's money is the order's.
fn share(
    order: &OrderClaim,
    invoice: &InvoiceNumber,
    whole: Sums,
    siblings: &[OrderClaim],
) -> Result<Sums, MoneyError> {
    let mut of_it: Vec<&OrderClaim> = siblings
        .iter()
        .filter(|sibling| sibling.id != order.id && sibling.invoices.contains(invoice))
        .collect();
    if of_it.is_empty() {
        return Ok(whole);
    }
    of_it.push(order);
    of_it.sort_by(|a, b| (a.placed_at, &a.id).cmp(&(b.placed_at, &b.id)));
    let position = of_it.iter().position(|other| other.id == order.id).unwrap_or_default();
    let is_last = position + 1 == of_it.len();
    let zero = Money::zero(order.total.currency());
    let mut before = zero;
    for elder in &of_it[..position] {
        before = before.plus(elder.to_pay())?;
    }
    // Each figure is handed on by itself, so that the shares of all orders add up to the whole.
    let cut = |money: Money| -> Result<Money, MoneyError> {
        let rest = money.minus(before)?;
        let rest = if rest.is_negative() { zero } else { rest };
        let need = order.to_pay();
        Ok(if is_last || rest.amount() <= need.amount() { rest } else { need })
    };
    Ok(Sums {
        received: cut(whole.received)?,
        refunded: cut(whole.refunded)?,
        pending: cut(whole.pending)?,
        ..whole
    })
}

#[cfg(test)]
mod tests;
