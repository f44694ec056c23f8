//! Which local payment is which Xero payment: passes 0 to 3 of rules A1.1.
//!
//! Matching is one-to-one: two equal Xero payments need two equal local ones (a multiset). Ties
//! are broken the same way every time: the oldest local payment first, then the lowest local id,
//! against the lowest PaymentID.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{PaymentId, XeroPaymentId};
use crate::invoice::XeroPayment;
use crate::payment::{Kind, Payment};

/// Why two payments are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pass {
    /// They were linked before (pass 0).
    Identity,
    /// An imported payment, equal in amount and date (pass 1, CM-32).
    Imported,
    /// A payment we uploaded, equal in amount and date to one that took its place in Xero.
    Uploaded,
    /// A hand-entered payment, equal in amount and date (pass 2, CM-33).
    Manual,
    /// Part of a local payment over several invoices: consumed, not linked (pass 3, CM-28).
    MultiInvoice,
}

/// The outcome of matching.
#[derive(Debug, Default)]
pub(crate) struct Matching<'a> {
    /// Per Xero payment: its local payment, and by which pass.
    pub(crate) pairs: BTreeMap<XeroPaymentId, (PaymentId, Pass)>,
    /// Xero payments that equal nothing local.
    pub(crate) xero_rest: Vec<&'a XeroPayment>,
    /// Local payments that equal nothing in Xero.
    pub(crate) local_rest: Vec<&'a Payment>,
}

/// Matches an invoice's local payments with its Xero payments (in the order of their ids).
pub(crate) fn pair<'a>(payments: &'a [Payment], xero: &[&'a XeroPayment]) -> Matching<'a> {
    let mut local: Vec<&Payment> = payments.iter().collect();
    local.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));

    let mut pairs = BTreeMap::new();
    let mut taken: BTreeSet<&PaymentId> = BTreeSet::new();
    for pass in [Pass::Identity, Pass::Imported, Pass::Uploaded, Pass::Manual, Pass::MultiInvoice] {
        for incoming in xero {
            if pairs.contains_key(&incoming.id) {
                continue;
            }
            let found = local
                .iter()
                .find(|payment| !taken.contains(&payment.id) && admits(pass, payment, incoming));
            if let Some(payment) = found {
                taken.insert(&payment.id);
                pairs.insert(incoming.id, (payment.id.clone(), pass));
            }
        }
    }
    Matching {
        xero_rest: xero.iter().filter(|x| !pairs.contains_key(&x.id)).copied().collect(),
        local_rest: local.into_iter().filter(|p| !taken.contains(&p.id)).collect(),
        pairs,
    }
}

fn admits(pass: Pass, local: &Payment, incoming: &XeroPayment) -> bool {
    match pass {
        Pass::Identity => local.link == Some(incoming.id),
        Pass::Imported => {
            local.kind == Kind::Imported && !local.multi_invoice && local.equals(incoming)
        }
        // Money that was given back, or never came, is not what stands in Xero now under another id.
        Pass::Uploaded => {
            local.kind == Kind::Uploaded && !local.is_taken_back() && local.equals(incoming)
        }
        Pass::Manual => {
            local.kind == Kind::Manual
                && !local.multi_invoice
                && local.status.can_match()
                && local.equals(incoming)
        }
        Pass::MultiInvoice => {
            // Part by part, an upload is its own: it has a link on each of its invoices.
            local.kind != Kind::Uploaded
                && local.multi_invoice
                && local.status.can_match()
                && local.equals(incoming)
        }
    }
}
