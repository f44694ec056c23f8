//! Orders of customers, as the business's own system reports them, and how far each is paid (SP-05, SP-07, SP-24).
//!
//! Progress and status are derived from the facts about money each time, and never typed in, so that they can be
//! recounted from the log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

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
    /// The payments that it names, as far as they were reported.
    pub receipts: Vec<Receipt>,
    /// The invoices that it names.
    pub invoices: Vec<StoredInvoice>,
    /// The other orders that name one of these invoices.
    pub siblings: Vec<Order>,
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
    let currency = order.components.total.currency();
    let mut sums = of_named_payments(order, facts, currency)?;
    for invoice in &facts.invoices {
        let whole = on_invoice(invoice, currency)?;
        sums = sums.and(share(order, invoice, whole, facts)?)?;
    }
    let to_pay = order.to_pay();
    let came = sums.received.plus(sums.refunded)?;
    let total = order.components.total;
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

/// Of the payments that the order names, what stands on no invoice.
fn of_named_payments(
    order: &Order,
    facts: &OrderFacts,
    currency: Currency,
) -> Result<Sums, MoneyError> {
    let mut sums = Sums::nothing(currency);
    for receipt in facts.receipts.iter().filter(|receipt| order.payments.contains(&receipt.id)) {
        // A payment that failed has no part that is anywhere.
        let failed = receipt.status == PaymentStatus::Failed;
        if let Some(free) = receipt.unallocated().or(failed.then_some(receipt.amount)) {
            sums.add(free, receipt.status)?;
        }
    }
    Ok(sums)
}

fn on_invoice(invoice: &StoredInvoice, currency: Currency) -> Result<Sums, MoneyError> {
    let mut sums = Sums::nothing(currency);
    for payment in &invoice.payments {
        sums.add(payment.amount, payment.status)?;
    }
    Ok(sums)
}

/// What of an invoice's money is the order's.
fn share(
    order: &Order,
    invoice: &StoredInvoice,
    whole: Sums,
    facts: &OrderFacts,
) -> Result<Sums, MoneyError> {
    let mut of_it: Vec<&Order> = facts
        .siblings
        .iter()
        .filter(|sibling| sibling.id != order.id && sibling.invoices.contains(&invoice.number))
        .collect();
    if of_it.is_empty() {
        return Ok(whole);
    }
    of_it.push(order);
    of_it.sort_by(|a, b| (a.placed_at, &a.id).cmp(&(b.placed_at, &b.id)));
    let position = of_it.iter().position(|other| other.id == order.id).unwrap_or_default();
    let is_last = position + 1 == of_it.len();
    let zero = Money::zero(order.components.total.currency());
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

/// A difference between an order and what was invoiced for it (SP-10, SP-21): the component, the order's figure and the
/// invoices' figure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ComponentDifference {
    /// `goods`, `tax`, `shipping`, `discount` or `total`.
    pub component: &'static str,
    /// By the order.
    pub order: Money,
    /// By the invoices, added up.
    pub invoices: Money,
}

/// Compares an order's total with that of its invoices. `None` where that cannot be said: an invoice is not known yet,
/// or belongs to other orders as well.
///
/// # Errors
/// Two currencies, or sums that are larger than what is kept exactly.
pub fn total_difference(
    order: &Order,
    facts: &OrderFacts,
) -> Result<Option<ComponentDifference>, MoneyError> {
    let shared: BTreeSet<&InvoiceNumber> = facts
        .siblings
        .iter()
        .filter(|other| other.id != order.id)
        .flat_map(|other| &other.invoices)
        .collect();
    let known: BTreeMap<&InvoiceNumber, Money> = facts
        .invoices
        .iter()
        .filter_map(|invoice| Some((&invoice.number, invoice.local.as_ref()?.total)))
        .collect();
    let all_known = order.invoices.iter().all(|number| known.contains_key(number));
    let own = order.invoices.iter().all(|number| !shared.contains(number));
    if order.invoices.is_empty() || !all_known || !own {
        return Ok(None);
    }
    let total = order.components.total;
    let invoices = Money::sum(
        total.currency(),
        order.invoices.iter().filter_map(|number| known.get(number)).copied(),
    )?;
    Ok((invoices != total).then_some(ComponentDifference {
        component: "total",
        order: total,
        invoices,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::Channel;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn aud(amount: &str) -> Money {
        Money::parse(amount, "AUD".parse().unwrap()).unwrap()
    }

    fn order(id: &str, total: &str) -> Order {
        let zero = aud("0");
        Order {
            organisation: ORGANISATION.parse().unwrap(),
            id: id.parse().unwrap(),
            revision: 1,
            customer: None,
            placed_at: "2026-03-09T01:00:00Z".parse().unwrap(),
            completed_at: None,
            components: Components {
                goods: aud(total),
                tax: zero,
                shipping: zero,
                discount: zero,
                total: aud(total),
            },
            invoices: BTreeSet::new(),
            payments: BTreeSet::from(["P-1".parse().unwrap()]),
            cancelled: false,
        }
    }

    fn receipt(id: &str, amount: &str, status: PaymentStatus) -> Receipt {
        Receipt {
            organisation: ORGANISATION.parse().unwrap(),
            id: id.parse().unwrap(),
            revision: 1,
            amount: aud(amount),
            date: "2026-03-09".parse().unwrap(),
            reference: None,
            method: "card".to_owned(),
            channel: None::<Channel>,
            customer: None,
            transaction_id: format!("T-{id}"),
            status,
            approved: false,
            settled: false,
            journaled: false,
            allocations: Vec::new(),
            entered_at: "2026-03-09T02:00:00Z".parse().unwrap(),
        }
    }

    fn stands(order: &Order, receipts: Vec<Receipt>) -> (&'static str, Option<&'static str>) {
        let facts = OrderFacts { receipts, ..OrderFacts::default() };
        let standing = standing(order, &facts).unwrap();
        (standing.progress.code(), standing.status.map(OrderStatus::code))
    }

    #[test]
    fn sp_07_sp_24_progress_and_status_follow_from_the_payments() {
        use PaymentStatus::{Confirmed, Failed, Pending, Refunded};
        let whole = order("O-1", "100");
        let cancelled = Order { cancelled: true, ..whole.clone() };
        let free = order("O-2", "0");
        let paid = |status, amount| vec![receipt("P-1", amount, status)];
        for (order, receipts, expected) in [
            (&whole, vec![], ("payment_pending", None)),
            (&whole, paid(Pending, "100"), ("payment_pending", None)),
            (&whole, paid(Failed, "100"), ("payment_failed", None)),
            (&whole, paid(Confirmed, "40"), ("payment_partly_received", Some("partially_paid"))),
            (&whole, paid(Confirmed, "100"), ("payment_received", Some("fully_paid"))),
            (&whole, paid(Confirmed, "100.01"), ("payment_received", Some("overpaid"))),
            (&whole, paid(Refunded, "100"), ("payment_received", Some("refunded"))),
            (&whole, paid(Refunded, "40"), ("payment_partly_received", Some("refunded"))),
            (&cancelled, vec![], ("payment_pending", Some("cancelled"))),
            (&cancelled, paid(Confirmed, "1"), ("payment_partly_received", Some("overpaid"))),
            (&cancelled, paid(Refunded, "100"), ("payment_received", Some("refunded"))),
            (&free, vec![], ("payment_received", Some("fully_paid"))),
        ] {
            assert_eq!(stands(order, receipts.clone()), expected, "{receipts:?}");
        }
    }

    #[test]
    fn a_failed_try_does_not_outweigh_one_that_is_on_its_way_or_has_come() {
        use PaymentStatus::{Confirmed, Failed, Pending};
        let mut order = order("O-1", "100");
        order.payments.insert("P-2".parse().unwrap());
        let tries = |second| vec![receipt("P-1", "100", Failed), receipt("P-2", "100", second)];
        assert_eq!(stands(&order, tries(Pending)), ("payment_pending", None));
        assert_eq!(stands(&order, tries(Confirmed)), ("payment_received", Some("fully_paid")));
        assert_eq!(stands(&order, tries(Failed)), ("payment_failed", None));
    }

    #[test]
    fn only_payments_that_the_order_names_count_and_only_in_its_currency() {
        let order = order("O-1", "100");
        let other = vec![receipt("P-9", "100", PaymentStatus::Confirmed)];
        assert_eq!(stands(&order, other), ("payment_pending", None));
        let mut dollars = receipt("P-1", "100", PaymentStatus::Confirmed);
        dollars.amount = Money::parse("100", "USD".parse().unwrap()).unwrap();
        let facts = OrderFacts { receipts: vec![dollars], ..OrderFacts::default() };
        let standing = standing(&order, &facts).unwrap();
        assert!(standing.other_currency && !standing.received.is_positive());
    }

    fn invoice(number: &str, amounts: &[&str]) -> StoredInvoice {
        let mut invoice =
            StoredInvoice::unknown(ORGANISATION.parse().unwrap(), number.parse().unwrap());
        for (at, amount) in amounts.iter().enumerate() {
            let xero = crate::XeroPayment {
                id: crate::XeroPaymentId::new(uuid::Uuid::from_u128(at.try_into().unwrap())),
                amount: aud(amount),
                date: "2026-03-09".parse().unwrap(),
                reference: None,
                kind: crate::XeroPaymentKind::Received,
                deleted: false,
            };
            let id = format!("I-{at}").parse().unwrap();
            invoice.payments.push(crate::Payment::copy_of(&xero, id, order("O", "1").placed_at));
        }
        invoice
    }

    #[test]
    fn money_on_an_invoice_of_several_orders_is_shared_out_and_none_of_it_is_lost() {
        let named = |id: &str, total: &str, at: &str| Order {
            placed_at: at.parse().unwrap(),
            payments: BTreeSet::new(),
            invoices: BTreeSet::from(["100".parse().unwrap()]),
            ..order(id, total)
        };
        let orders = [
            named("O-2", "60", "2026-03-09T02:00:00Z"),
            named("O-1", "40", "2026-03-09T01:00:00Z"),
            named("O-3", "50", "2026-03-09T03:00:00Z"),
        ];
        for (paid, shares) in [
            (vec!["30"], ["0", "30", "0"]),
            (vec!["30", "50"], ["40", "40", "0"]),
            (vec!["150"], ["60", "40", "50"]),
            (vec!["150", "7"], ["60", "40", "57"]),
        ] {
            let facts = OrderFacts {
                receipts: Vec::new(),
                invoices: vec![invoice("100", &paid)],
                siblings: orders.to_vec(),
            };
            let got = orders.each_ref().map(|order| standing(order, &facts).unwrap().received);
            assert_eq!(got, shares.map(aud), "{paid:?}");
        }
    }

    #[test]
    fn an_order_is_news_once_and_its_revision_means_one_thing() {
        let first = order("O-1", "100");
        let later = Order { revision: 2, ..order("O-1", "90") };
        assert_eq!(is_news(None, &first), Ok(true));
        assert_eq!(is_news(Some(&first), &first), Ok(false));
        assert_eq!(is_news(Some(&later), &first), Ok(false));
        assert_eq!(is_news(Some(&first), &later), Ok(true));
        let other = order("O-1", "90");
        assert_eq!(is_news(Some(&first), &other), Err(Refusal::RevisionReused { revision: 1 }));
    }

    #[test]
    fn sp_21_totals_are_compared_once_every_invoice_is_known_and_the_orders_own() {
        let mut order = order("O-1", "100");
        order.invoices = ["1", "2"].map(|number| number.parse().unwrap()).into();
        let of = |number: &str, total: Option<&str>| {
            let mut invoice = invoice(number, &[]);
            invoice.local = total.map(|total| crate::LocalInvoice {
                number: number.parse().unwrap(),
                total: aud(total),
                issued_on: "2026-03-09".parse().unwrap(),
                due_on: "2026-03-09".parse().unwrap(),
                terms: None,
                contact: crate::Contact::default(),
                payment_plan: false,
                revision: 1,
            });
            invoice
        };
        let differs = |second: Option<&str>, siblings: Vec<Order>| {
            let facts = OrderFacts {
                receipts: Vec::new(),
                invoices: vec![of("1", Some("60")), of("2", second)],
                siblings,
            };
            total_difference(&order, &facts).unwrap().map(|found| found.invoices)
        };
        assert_eq!(differs(Some("40"), vec![]), None);
        assert_eq!(differs(Some("39.99"), vec![]), Some(aud("99.99")));
        assert_eq!(differs(None, vec![]), None, "not known yet");
        let shared = Order { id: "O-2".parse().unwrap(), ..order.clone() };
        assert_eq!(differs(Some("39.99"), vec![shared]), None, "also another order's");
    }
}
