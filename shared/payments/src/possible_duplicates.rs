//! Payments of the business's own that look like a payment from Xero, recorded twice.

use std::collections::BTreeSet;

use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind, FoundDiscrepancies};
use crate::payment::{Kind, Origin, Payment};
use crate::stored::StoredInvoice;
use crate::upload::days_apart;

/// How many days apart an imported and a hand-entered payment of the same amount may lie and
/// still look like one payment recorded twice. Bank transfers take up to a week to be dated.
pub const POSSIBLE_DUPLICATE_DAYS: u32 = 7;

/// Pairs each payment of the business's own that is matched with no other with at most one copy of the same
/// amount, the nearest first (V9). One that we have put into Xero since is paired as before: our own act
/// closes nothing (A8.3).
pub(crate) fn possible_duplicates(invoice: &StoredInvoice, found: &mut FoundDiscrepancies) {
    let own = |payment: &&Payment| match payment.kind {
        Kind::Manual => !payment.multi_invoice && payment.status.can_match(),
        Kind::Uploaded => payment.link.is_some() && payment.status.can_match(),
        Kind::Imported => false,
    };
    let mut candidates = Vec::new();
    for entered in invoice.payments.iter().filter(own) {
        for copy in invoice.payments.iter().filter(|p| p.origin == Origin::Xero) {
            let days = days_apart(entered.date, copy.date);
            if copy.amount == entered.amount && days <= POSSIBLE_DUPLICATE_DAYS {
                candidates.push((days, &entered.id, &copy.id, entered.amount));
            }
        }
    }
    candidates.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    let mut used = BTreeSet::new();
    for (days, entered, copy, amount) in candidates {
        if !used.contains(entered) && !used.contains(copy) {
            used.extend([entered, copy]);
            let why = format!(
                "{amount} stands here as {entered} and in Xero as {copy}, {days} days apart; the two may be one"
            );
            found.insert(DiscrepancyKey::about(DiscrepancyKind::PossibleDuplicate, entered), why);
        }
    }
}
