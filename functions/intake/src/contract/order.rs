//! An order of a customer.

use std::collections::BTreeSet;

use payments::{
    Components, Currency, Money, Order, OrganisationId, ReceiptDocument, TaxAndShipping,
};

use super::members::{Members, Node, member};
use super::problems::Problems;
use super::values;

/// Most invoices that one order names, and most payments.
pub(super) const NAMED_MAX: usize = 100;

pub(super) fn order(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<Order> {
    let id = member!(members, problems, "id", values::order_id);
    let revision = member!(members, problems, "revision", values::revision);
    let customer = members.optional("customer");
    let customer = customer.and_then(|node| values::customer_id(&node, problems));
    let placed_at = member!(members, problems, "placed_at", values::instant);
    let completed_at = members.optional("completed_at");
    let completed_at = completed_at.and_then(|node| values::instant(&node, problems));
    let components = member!(members, problems, "components", components);
    let invoices = names(members.optional("invoices"), values::invoice_number, problems);
    let payments = names(members.optional("payments"), values::payment_id, problems);
    let cancelled = members.flag("cancelled", problems);
    Some(Order {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        customer,
        placed_at: placed_at?,
        completed_at,
        components: components?,
        invoices: invoices?,
        payments: payments?,
        cancelled: cancelled?,
    })
}

/// The parts of an amount. Each that is left out is nothing, and together they are the total.
pub(super) fn components(node: &Node<'_>, problems: &mut Problems) -> Option<Components> {
    let mut members = Members::of(node, problems)?;
    let currency = member!(members, problems, "currency", values::currency);
    let total = member!(members, problems, "total", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, false, problems)
    });
    let mut part = |name| part(&mut members, name, currency, problems);
    let (goods, tax) = (part("goods"), part("tax"));
    let (shipping, discount) = (part("shipping"), part("discount"));
    members.finish(problems);
    let components = Components {
        goods: goods?,
        tax: tax?,
        shipping: shipping?,
        discount: discount?,
        total: total?,
    };
    match components.sum() {
        Ok(sum) if sum == components.total => Some(components),
        Ok(sum) => {
            let what = format_args!(
                "add up to {sum} (goods, tax and shipping, less the discount), and the total is {}",
                components.total
            );
            problems.note(&node.path, what)
        }
        Err(error) => problems.note(&node.path, error),
    }
}

/// Tax and shipping of an invoice, within its total. Each that is left out is not said.
pub(super) fn tax_and_shipping(
    node: &Node<'_>,
    total: Option<Money>,
    problems: &mut Problems,
) -> Option<TaxAndShipping> {
    let mut members = Members::of(node, problems)?;
    let parts = parts_of(node, &mut members, total, problems);
    members.finish(problems);
    let parts = parts?;
    if parts == TaxAndShipping::default() {
        return problems.note(&node.path, "must have tax, shipping or both");
    }
    Some(parts)
}

/// The receipt that the customer was given for a payment.
pub(super) fn document(
    node: &Node<'_>,
    payment: Option<Money>,
    problems: &mut Problems,
) -> Option<ReceiptDocument> {
    let mut members = Members::of(node, problems)?;
    let number = member!(members, problems, "number", values::document_number);
    let currency = payment.map(Money::currency);
    let total = member!(members, problems, "total", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, false, problems)
    });
    let parts = parts_of(node, &mut members, total, problems);
    members.finish(problems);
    Some(ReceiptDocument { number: number?, total: total?, parts: parts? })
}

fn parts_of(
    node: &Node<'_>,
    members: &mut Members<'_>,
    total: Option<Money>,
    problems: &mut Problems,
) -> Option<TaxAndShipping> {
    let currency = total.map(Money::currency);
    let mut part = |name| match members.optional(name) {
        Some(node) => values::amount(&node, currency, false, problems).map(Some),
        None => Some(None),
    };
    let (tax, shipping) = (part("tax"), part("shipping"));
    let parts = TaxAndShipping { tax: tax?, shipping: shipping? };
    let total = total?;
    match parts.excess(total) {
        Ok(None) => Some(parts),
        Ok(Some(sum)) => {
            let what = format_args!("tax and shipping are {sum}, and the total is only {total}");
            problems.note(&node.path, what)
        }
        Err(error) => problems.note(&node.path, error),
    }
}

fn part(
    members: &mut Members<'_>,
    name: &str,
    currency: Option<Currency>,
    problems: &mut Problems,
) -> Option<Money> {
    match members.optional(name) {
        Some(node) => values::amount(&node, currency, false, problems),
        None => currency.map(Money::zero),
    }
}

/// A list of ids, each once, in any order; one that is left out is empty.
fn names<T: Ord>(
    node: Option<Node<'_>>,
    read: fn(&Node<'_>, &mut Problems) -> Option<T>,
    problems: &mut Problems,
) -> Option<BTreeSet<T>> {
    let Some(node) = node else { return Some(BTreeSet::new()) };
    let elements = node.elements(problems)?;
    if elements.len() > NAMED_MAX {
        return problems.note(&node.path, format_args!("must have at most {NAMED_MAX} elements"));
    }
    let read_all: Vec<Option<T>> = elements.iter().map(|element| read(element, problems)).collect();
    let mut all = BTreeSet::new();
    for (element, read) in elements.iter().zip(read_all) {
        if !all.insert(read?) {
            return problems.note(&element.path, "is in the list already");
        }
    }
    Some(all)
}
