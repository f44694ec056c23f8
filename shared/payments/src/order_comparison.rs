//! Order, invoices, receipts and money, side by side (SP-10, SP-11, SP-21, SP-37).
//!
//! What does not agree is worked out afresh from the facts each time, so that it closes by itself once they agree.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::components::{Component, ReceiptDocument};
use crate::discrepancy::{Discrepancy, DiscrepancyKey, DiscrepancyKind};
use crate::ids::InvoiceNumber;
use crate::money::{Money, MoneyError};
use crate::order::{Order, OrderFacts, OrderStanding, OrderStatus};
use crate::payment::PaymentStatus;
use crate::reports::{Receipt, unlinked};
use crate::settings::Settings;
use crate::stored::StoredInvoice;

/// What does not agree: for each key the values, in a sentence.
pub type Differences = BTreeMap<DiscrepancyKey, String>;

/// The kinds that are raised and closed here, about orders and about payments.
const KINDS: [DiscrepancyKind; 7] = [
    DiscrepancyKind::ComponentDiffers,
    DiscrepancyKind::CurrencyDiffers,
    DiscrepancyKind::CustomerDiffers,
    DiscrepancyKind::Overpaid,
    DiscrepancyKind::TotalDiffers,
    DiscrepancyKind::Underpaid,
    DiscrepancyKind::Unlinked,
];

/// One component of an order, its value in each of the documents. A value is absent where a document does not say it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ComponentValues {
    /// Which component.
    pub component: Component,
    /// By the order.
    pub order: Money,
    /// By its invoices, added up.
    pub invoices: Option<Money>,
    /// By the receipts that the customer was given, added up.
    pub receipts: Option<Money>,
    /// The money that was received and kept; of the total alone.
    pub money: Option<Money>,
    /// Whether order, invoices and receipts do not agree.
    pub differs: bool,
}

impl ComponentValues {
    fn sentence(&self) -> String {
        let mut said = format!("{}: {} by the order", self.component, self.order);
        for (value, document) in [(self.invoices, "its invoices"), (self.receipts, "its receipts")]
        {
            if let Some(value) = value {
                said.push_str(&format!(", {value} by {document}"));
            }
        }
        if let Some(money) = self.money {
            said.push_str(&format!("; {money} received"));
        }
        said
    }
}

/// Compares an order with its invoices, receipts and money, component by component.
///
/// Invoices are compared if all of them are known, in the order's currency, and of no other order; the receipts of
/// confirmed payments that are for this order alone. Receipts for less than all of it may say less, and not more.
///
/// # Errors
/// Sums that are larger than what is kept exactly.
pub fn compare(
    order: &Order,
    facts: &OrderFacts,
    standing: &OrderStanding,
) -> Result<Vec<ComponentValues>, MoneyError> {
    let currency = order.components.total.currency();
    let invoices = comparable_invoices(order, facts);
    let documents = documents(order, facts);
    let receipted = Money::sum(currency, documents.iter().map(|document| document.total))?;
    let is_all_receipted = receipted.amount() >= order.components.total.amount();
    let mut compared = Vec::new();
    for &component in Component::ALL {
        let by_order = order.components.part(component);
        let of_invoices = invoices.as_ref().and_then(|all| {
            all.iter().map(|invoice| of_invoice(invoice, component)).collect::<Option<Vec<_>>>()
        });
        let of_documents = documents
            .iter()
            .map(|document| of_document(document, component))
            .collect::<Option<Vec<_>>>()
            .filter(|all| !all.is_empty());
        let sum = |all: Option<Vec<Money>>| all.map(|all| Money::sum(currency, all)).transpose();
        let (by_invoices, by_receipts) = (sum(of_invoices)?, sum(of_documents)?);
        let expected = by_invoices.unwrap_or(by_order);
        let receipts_differ = by_receipts.is_some_and(|said| {
            said.amount() > expected.amount() || (is_all_receipted && said != expected)
        });
        compared.push(ComponentValues {
            component,
            order: by_order,
            invoices: by_invoices,
            receipts: by_receipts,
            money: (component == Component::Total).then_some(standing.received),
            differs: by_invoices.is_some_and(|said| said != by_order) || receipts_differ,
        });
    }
    Ok(compared)
}

fn of_invoice(invoice: &StoredInvoice, component: Component) -> Option<Money> {
    let local = invoice.local.as_ref()?;
    if component == Component::Total { Some(local.total) } else { local.components.part(component) }
}

fn of_document(document: &ReceiptDocument, component: Component) -> Option<Money> {
    if component == Component::Total {
        Some(document.total)
    } else {
        document.parts.part(component)
    }
}

/// The order's invoices, if they can be compared with it alone. A cancelled order asks for nothing any more.
fn comparable_invoices<'a>(order: &Order, facts: &'a OrderFacts) -> Option<Vec<&'a StoredInvoice>> {
    let currency = order.components.total.currency();
    let shared: BTreeSet<&InvoiceNumber> = facts
        .siblings
        .iter()
        .filter(|other| other.id != order.id)
        .flat_map(|other| &other.invoices)
        .collect();
    let known: BTreeMap<&InvoiceNumber, &StoredInvoice> = facts
        .invoices
        .iter()
        .filter(|invoice| {
            let local = invoice.local.as_ref();
            local.is_some_and(|local| local.total.currency() == currency)
        })
        .map(|invoice| (&invoice.number, invoice))
        .collect();
    let mut invoices = Vec::new();
    for number in &order.invoices {
        invoices.push(*known.get(number).filter(|_| !shared.contains(number))?);
    }
    (!invoices.is_empty() && !order.cancelled).then_some(invoices)
}

/// What the customer was given for the payments that are for this order alone.
fn documents<'a>(order: &Order, facts: &'a OrderFacts) -> Vec<&'a ReceiptDocument> {
    let currency = order.components.total.currency();
    let shared = |number: &InvoiceNumber| {
        facts.siblings.iter().any(|other| other.id != order.id && other.invoices.contains(number))
    };
    let alone = |receipt: &&Receipt| {
        let mut parts = receipt.allocations.iter().map(|part| &part.invoice);
        let named = order.payments.contains(&receipt.id);
        let none = receipt.allocations.is_empty();
        parts.all(|number| order.invoices.contains(number) && !shared(number)) && (named || !none)
    };
    facts
        .receipts
        .iter()
        .filter(|receipt| receipt.status == PaymentStatus::Confirmed)
        .filter(alone)
        .filter_map(|receipt| receipt.document.as_ref())
        .filter(|document| document.total.currency() == currency)
        .collect()
}

/// What an order's events say of its documents.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OrderDocuments {
    /// The components on which order, invoices and receipts do not agree.
    pub differing: Vec<ComponentValues>,
    /// The numbers of the receipts that the customer was given.
    pub receipts: Vec<String>,
}

/// Most receipts of an order that its events name.
const RECEIPTS_MAX: usize = 20;

/// The documents of an order, as its events say it (SP-10).
///
/// # Errors
/// Sums that are larger than what is kept exactly.
pub fn order_documents(
    order: &Order,
    facts: &OrderFacts,
    standing: &OrderStanding,
) -> Result<OrderDocuments, MoneyError> {
    let mut differing = compare(order, facts, standing)?;
    differing.retain(|values| values.differs);
    let numbers = documents(order, facts).into_iter().map(|document| document.number.clone());
    Ok(OrderDocuments { differing, receipts: numbers.take(RECEIPTS_MAX).collect() })
}

/// What does not agree about an order.
///
/// # Errors
/// Sums that are larger than what is kept exactly.
pub fn order_differences(
    order: &Order,
    facts: &OrderFacts,
    standing: &OrderStanding,
) -> Result<Differences, MoneyError> {
    let mut found = Differences::new();
    for values in compare(order, facts, standing)?.iter().filter(|values| values.differs) {
        let key = match values.component {
            Component::Total => DiscrepancyKey::of_invoice(DiscrepancyKind::TotalDiffers),
            part => DiscrepancyKey::about(DiscrepancyKind::ComponentDiffers, part),
        };
        found.insert(key, values.sentence());
    }
    let currency = order.components.total.currency();
    for invoice in &facts.invoices {
        let number = &invoice.number;
        if let (Some(ordered), Some(owes)) = (&order.customer, &invoice.customer)
            && ordered != owes
        {
            let why = format!("the order is of {ordered}, and its invoice {number} of {owes}");
            found.insert(DiscrepancyKey::about(DiscrepancyKind::CustomerDiffers, number), why);
        }
        if let Some(local) = &invoice.local
            && local.total.currency() != currency
        {
            let why = format!(
                "the order is in {currency}, and its invoice {number} over {}",
                local.total
            );
            found.insert(DiscrepancyKey::about(DiscrepancyKind::CurrencyDiffers, number), why);
        }
    }
    found.extend(money_of_no_invoice(order, standing)?);
    Ok(found)
}

/// Money that no invoice judges: of an order without invoices, or of one that was cancelled (SP-12).
fn money_of_no_invoice(
    order: &Order,
    standing: &OrderStanding,
) -> Result<Option<(DiscrepancyKey, String)>, MoneyError> {
    if !(order.invoices.is_empty() || order.cancelled) {
        return Ok(None);
    }
    let (kept, asked) = (standing.received, order.to_pay());
    let key = DiscrepancyKey::of_invoice;
    if standing.status == Some(OrderStatus::Overpaid) {
        let too_much = kept.minus(asked)?;
        let why = format!("{kept} received for {asked} asked: {too_much} too much");
        return Ok(Some((key(DiscrepancyKind::Overpaid), why)));
    }
    // A completed order was to be paid by then; money on its way is not missing.
    let is_short = order.completed_at.is_some() && kept.amount() < asked.amount();
    if is_short && !standing.pending.is_positive() && kept.is_positive() {
        let why = format!("{kept} received for {asked} asked, and the order is completed");
        return Ok(Some((key(DiscrepancyKind::Underpaid), why)));
    }
    Ok(None)
}

/// What does not agree about a payment: with the orders that name it or one of its invoices, with its invoices, and with
/// the receipt that the customer was given for it. Money that was not taken, or was given back, disagrees with nothing.
pub fn payment_differences(
    receipt: &Receipt,
    orders: &[Order],
    invoices: &[StoredInvoice],
    settings: &Settings,
) -> Differences {
    let mut found = Differences::new();
    if !receipt.status.counts() {
        return found;
    }
    let is_named = orders.iter().any(|order| order.payments.contains(&receipt.id));
    if let Some(why) = unlinked(receipt, settings).filter(|_| !is_named) {
        found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::Unlinked), why);
    }
    if let Some(payer) = &receipt.customer {
        let of_invoices = invoices.iter().filter_map(|invoice| {
            Some((format!("invoice {}", invoice.number), invoice.customer.as_ref()?))
        });
        let of_orders = orders
            .iter()
            .filter_map(|order| Some((format!("order {}", order.id), order.customer.as_ref()?)));
        for (what, whose) in of_invoices.chain(of_orders).filter(|(_, whose)| *whose != payer) {
            let why = format!("paid by {payer}, and {what} is of {whose}");
            found.insert(DiscrepancyKey::about(DiscrepancyKind::CustomerDiffers, what), why);
        }
    }
    if let Some(document) = &receipt.document {
        if document.total != receipt.amount {
            let why = format!(
                "total: {} by the receipt {}; {} paid",
                document.total, document.number, receipt.amount
            );
            found.insert(DiscrepancyKey::about(DiscrepancyKind::TotalDiffers, "receipt"), why);
        }
        // An order's parts are compared with all its receipts together.
        if orders.is_empty() {
            found.extend(document_differences(document, receipt, invoices));
        }
    }
    found
}

/// The parts of a receipt for all of its invoices, compared with theirs.
fn document_differences(
    document: &ReceiptDocument,
    receipt: &Receipt,
    invoices: &[StoredInvoice],
) -> Differences {
    let currency = document.total.currency();
    let of = |component: Component| -> Option<Money> {
        let parts: Option<Vec<Money>> = receipt
            .allocations
            .iter()
            .map(|part| invoices.iter().find(|invoice| invoice.number == part.invoice))
            .map(|invoice| of_invoice(invoice?, component))
            .collect();
        Money::sum(currency, parts.filter(|parts| !parts.is_empty())?).ok()
    };
    let is_whole = of(Component::Total) == Some(document.total);
    let mut found = Differences::new();
    for component in [Component::Tax, Component::Shipping].into_iter().filter(|_| is_whole) {
        if let (Some(said), Some(invoiced)) = (document.parts.part(component), of(component))
            && said != invoiced
        {
            let number = &document.number;
            let why =
                format!("{component}: {said} by the receipt {number}, {invoiced} by what it pays");
            found.insert(DiscrepancyKey::about(DiscrepancyKind::ComponentDiffers, component), why);
        }
    }
    found
}

/// A discrepancy that is to be written: what was known of it, and what it is now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiscrepancyChange {
    /// The known one; `None` of one that is new.
    pub known: Option<Discrepancy>,
    /// What it is now.
    pub now: Discrepancy,
}

/// The news among the differences of one order or payment. One that was found before and is not found now is
/// closed: the facts agree (AMB-23). Kinds that are not raised here are left alone.
pub fn discrepancy_changes(
    known: &[Discrepancy],
    found: &Differences,
    now: Timestamp,
) -> Vec<DiscrepancyChange> {
    let mut changes = Vec::new();
    for (key, detail) in found {
        let before = known.iter().find(|known| known.key == *key);
        let after = match before {
            None => Some(Discrepancy::found(key.clone(), detail.clone(), now)),
            Some(before) => before.found_again(detail, now),
        };
        changes.extend(after.map(|after| DiscrepancyChange { known: before.cloned(), now: after }));
    }
    let is_over = |one: &&Discrepancy| {
        one.stands() && KINDS.contains(&one.key.kind) && !found.contains_key(&one.key)
    };
    for over in known.iter().filter(is_over) {
        let closed = Discrepancy { resolved_at: Some(now), ..over.clone() };
        changes.push(DiscrepancyChange { known: Some(over.clone()), now: closed });
    }
    changes
}

#[cfg(test)]
mod tests;
