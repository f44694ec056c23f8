//! An invoice of the payment provider: what it is for must add up to what it costs.

use payments::upload::{Bill, FEES_MAX, Fee, ProviderInvoice};
use payments::{Currency, Money, OrganisationId};

use super::members::{Members, Node, member};
use super::problems::Problems;
use super::values;

pub(super) fn provider_invoice(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<ProviderInvoice> {
    let id = member!(members, problems, "id", values::provider_invoice_id);
    let revision = member!(members, problems, "revision", values::revision);
    let number = member!(members, problems, "number", values::provider_number);
    let date = member!(members, problems, "issued_on", values::date);
    let due_on = members.optional("due_on").and_then(|node| values::date(&node, problems));
    let total = member!(members, problems, "total", |node: &Node<'_>, problems: &mut _| {
        values::money(node, true, problems)
    });
    let fees = member!(members, problems, "fees", |node: &Node<'_>, problems: &mut _| {
        fees(node, total, problems)
    });
    Some(ProviderInvoice {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        total: total?,
        date: date?,
        bill: Bill { number: number?, due_on, fees: fees? },
    })
}

/// The fees of an invoice, in the provider's order. Nothing may be missing of them: each becomes a line in
/// Xero, which adds them up itself.
fn fees(node: &Node<'_>, total: Option<Money>, problems: &mut Problems) -> Option<Vec<Fee>> {
    let elements = node.elements(problems)?;
    if !(1..=FEES_MAX).contains(&elements.len()) {
        let what = format_args!("must have 1 to {FEES_MAX} elements");
        return problems.note(&node.path, what);
    }
    let currency = total.map(Money::currency);
    let fees: Vec<_> = elements.iter().map(|element| fee(element, currency, problems)).collect();
    let fees: Vec<Fee> = fees.into_iter().collect::<Option<_>>()?;
    let total = total?;
    match Money::sum(total.currency(), fees.iter().map(|fee| fee.amount)) {
        Ok(sum) if sum == total => Some(fees),
        Ok(sum) => {
            problems.note(&node.path, format_args!("add up to {sum}, and the total is {total}"))
        }
        Err(error) => problems.note(&node.path, error),
    }
}

fn fee(node: &Node<'_>, currency: Option<Currency>, problems: &mut Problems) -> Option<Fee> {
    let mut members = Members::of(node, problems)?;
    let kind = member!(members, problems, "kind", values::fee_kind);
    let description = members.optional("description");
    let description = description.and_then(|node| values::free_text(&node, problems));
    let amount = member!(members, problems, "amount", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, true, problems)
    });
    members.finish(problems);
    Some(Fee { kind: kind?, description, amount: amount? })
}
