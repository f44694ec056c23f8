//! Invoices and credit invoices of the payment provider: what they are for must add up to what they are.

use std::collections::BTreeSet;

use payments::upload::{
    AppliedPart, Bill, CreditTerms, DocumentForm, FEES_MAX, Fee, ProviderInvoice,
};
use payments::{Currency, Money, OrganisationId, PaymentId};

use super::members::{Members, Node, member};
use super::problems::Problems;
use super::values;

/// Most invoices that one credit invoice is applied to.
pub const APPLIED_MAX: usize = 200;

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
    let total = total(members, problems);
    let adjustments = members.optional("adjustments");
    let fees = member!(members, problems, "fees", |node: &Node<'_>, problems: &mut _| {
        let more = match &adjustments {
            Some(node) => elements(node, total, adjustment, problems)?,
            None => Vec::new(),
        };
        fees(node, more, total, problems)
    });
    Some(ProviderInvoice {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        total: total?,
        date: date?,
        bill: Bill { number: number?, due_on, fees: fees?, form: DocumentForm::Bill },
    })
}

pub(super) fn provider_credit(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<ProviderInvoice> {
    let id = member!(members, problems, "id", values::provider_credit_id);
    let revision = member!(members, problems, "revision", values::revision);
    let number = member!(members, problems, "number", values::provider_number);
    let date = member!(members, problems, "issued_on", values::date);
    let total = total(members, problems);
    let fees = member!(members, problems, "fees", |node: &Node<'_>, problems: &mut _| {
        fees(node, Vec::new(), total, problems)
    });
    let applied = match members.optional("applied") {
        Some(node) => applied(&node, total, problems),
        None => Some(Vec::new()),
    };
    let terms = CreditTerms { applied: applied?, ..CreditTerms::default() };
    Some(ProviderInvoice {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        total: total?,
        date: date?,
        bill: Bill {
            number: number?,
            due_on: None,
            fees: fees?,
            form: DocumentForm::CreditNote(terms),
        },
    })
}

fn total(members: &mut Members<'_>, problems: &mut Problems) -> Option<Money> {
    member!(members, problems, "total", |node: &Node<'_>, problems: &mut _| {
        values::money(node, true, problems)
    })
}

/// The fees of a document, in the provider's order, and what else is reckoned with them. Nothing may be missing: each
/// becomes a line in Xero, which adds them up itself.
fn fees(
    node: &Node<'_>,
    more: Vec<Fee>,
    total: Option<Money>,
    problems: &mut Problems,
) -> Option<Vec<Fee>> {
    let mut fees = elements(node, total, fee, problems)?;
    fees.extend(more);
    if fees.len() > FEES_MAX {
        let what = format_args!("must have at most {FEES_MAX} elements, adjustments included");
        return problems.note(&node.path, what);
    }
    let total = total?;
    match Money::sum(total.currency(), fees.iter().map(|fee| fee.amount)) {
        Ok(sum) if sum == total => Some(fees),
        Ok(sum) => {
            problems.note(&node.path, format_args!("add up to {sum}, and the total is {total}"))
        }
        Err(error) => problems.note(&node.path, error),
    }
}

type Read<T> = fn(&Node<'_>, Option<Currency>, &mut Problems) -> Option<T>;

fn elements<T>(
    node: &Node<'_>,
    total: Option<Money>,
    read: Read<T>,
    problems: &mut Problems,
) -> Option<Vec<T>> {
    let elements = node.elements(problems)?;
    if !(1..=FEES_MAX).contains(&elements.len()) {
        let what = format_args!("must have 1 to {FEES_MAX} elements");
        return problems.note(&node.path, what);
    }
    let currency = total.map(Money::currency);
    let read: Vec<_> = elements.iter().map(|element| read(element, currency, problems)).collect();
    read.into_iter().collect()
}

fn fee(node: &Node<'_>, currency: Option<Currency>, problems: &mut Problems) -> Option<Fee> {
    let mut members = Members::of(node, problems)?;
    let fee = fee_of(&mut members, currency, problems);
    members.finish(problems);
    fee
}

/// What the provider has credited or debited on an invoice: a line of the bill (EX-15c, EX-15d).
fn adjustment(node: &Node<'_>, currency: Option<Currency>, problems: &mut Problems) -> Option<Fee> {
    let mut members = Members::of(node, problems)?;
    let is_credit =
        member!(members, problems, "type", |node: &Node<'_>, problems: &mut Problems| {
            match node.text("credit or debit", problems)? {
                "credit" => Some(true),
                "debit" => Some(false),
                _ => problems.note(&node.path, "must be credit or debit"),
            }
        });
    let fee = fee_of(&mut members, currency, problems);
    members.finish(problems);
    let fee = fee?;
    if !is_credit? {
        return Some(fee);
    }
    let credit = Money::zero(fee.amount.currency()).minus(fee.amount);
    let amount = problems.value(&node.path, credit)?;
    Some(Fee { amount, ..fee })
}

fn fee_of(
    members: &mut Members<'_>,
    currency: Option<Currency>,
    problems: &mut Problems,
) -> Option<Fee> {
    let kind = member!(members, problems, "kind", values::fee_kind);
    let description = members.optional("description");
    let description = description.and_then(|node| values::free_text(&node, problems));
    let amount = member!(members, problems, "amount", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, true, problems)
    });
    Some(Fee { kind: kind?, description, amount: amount? })
}

/// What a credit invoice is applied to: no invoice twice, and no more than it is.
fn applied(
    node: &Node<'_>,
    total: Option<Money>,
    problems: &mut Problems,
) -> Option<Vec<AppliedPart>> {
    let elements = node.elements(problems)?;
    if elements.len() > APPLIED_MAX {
        let what = format_args!("must have at most {APPLIED_MAX} elements");
        return problems.note(&node.path, what);
    }
    let currency = total.map(Money::currency);
    let mut seen = BTreeSet::new();
    let parts: Vec<_> = elements
        .iter()
        .map(|element| applied_part(element, currency, &mut seen, problems))
        .collect();
    let parts: Vec<AppliedPart> = parts.into_iter().collect::<Option<_>>()?;
    let total = total?;
    match Money::sum(total.currency(), parts.iter().map(|part| part.amount)) {
        Ok(sum) if sum.amount() <= total.amount() => Some(parts),
        Ok(sum) => {
            let what = format_args!("add up to {sum}, and the credit is only {total}");
            problems.note(&node.path, what)
        }
        Err(error) => problems.note(&node.path, error),
    }
}

fn applied_part(
    node: &Node<'_>,
    currency: Option<Currency>,
    seen: &mut BTreeSet<PaymentId>,
    problems: &mut Problems,
) -> Option<AppliedPart> {
    let mut members = Members::of(node, problems)?;
    let invoice =
        member!(members, problems, "invoice", |node: &Node<'_>, problems: &mut Problems| {
            let id = values::provider_invoice_id(node, problems)?;
            if !seen.insert(id.clone()) {
                return problems.note(&node.path, "names an invoice that is in the list already");
            }
            Some(id)
        });
    let amount = member!(members, problems, "amount", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, true, problems)
    });
    members.finish(problems);
    Some(AppliedPart { invoice: invoice?, amount: amount? })
}
