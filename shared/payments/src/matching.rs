//! Which local payment is which Xero payment: passes 0 to 3 of rules A1.1.
//!
//! Matching is one-to-one: two equal Xero payments need two equal local ones (a multiset). Ties
//! are broken the same way every time: the oldest local payment first, then the lowest local id,
//! against the lowest PaymentID.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{PaymentId, XeroPaymentId};
use crate::invoice::XeroPayment;
use crate::payment::{Kind, Origin, Payment};
use crate::stored::StoredInvoice;

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
    /// A local payment, equal in amount and date to one whose copy is here already: it takes the place of the
    /// copy (A8.3).
    Report,
}

/// What becomes of a local payment that equals nothing in Xero (pass 5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unmatched {
    /// It stays as it is.
    Stays,
    /// Its link goes: it is the business's own money again, as if entered by hand (A8.3).
    Unlinked,
    /// It goes, as its original did (CM-35).
    Removed,
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
    /// Copies whose place a local payment takes.
    pub(crate) replaced: BTreeMap<XeroPaymentId, &'a Payment>,
}

/// Which local payment each of these Xero payments is the same as, copies aside (A8.3). A payment that is on
/// its way to Xero owns none: its own may yet appear.
pub fn owners(
    invoice: &StoredInvoice,
    xero: &[XeroPayment],
    on_their_way: &BTreeSet<PaymentId>,
) -> BTreeMap<XeroPaymentId, PaymentId> {
    let mut xero: Vec<&XeroPayment> = xero.iter().collect();
    xero.sort_by_key(|payment| payment.id);
    let matching = pair(&invoice.payments, &xero, on_their_way, |_| Unmatched::Stays);
    let local = |id: &PaymentId| !id.is_copy();
    let pairs = matching.pairs.into_iter().map(|(xero, (payment, _))| (xero, payment));
    pairs.filter(|(_, payment)| local(payment)).collect()
}

/// Matches an invoice's local payments with its Xero payments (in the order of their ids). A payment on its
/// way to Xero is linked with nothing but what it is linked with already. `unmatched` says what becomes of one
/// that stays without a match: the verdict has to be the one of the next read too.
pub(crate) fn pair<'a>(
    payments: &'a [Payment],
    xero: &[&'a XeroPayment],
    on_their_way: &BTreeSet<PaymentId>,
    unmatched: impl Fn(&Payment) -> Unmatched,
) -> Matching<'a> {
    let mut local: Vec<&Payment> = payments.iter().collect();
    local.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));

    let mut pairs = BTreeMap::new();
    let mut taken: BTreeSet<&PaymentId> = BTreeSet::new();
    for pass in [Pass::Identity, Pass::Imported, Pass::Uploaded, Pass::Manual, Pass::MultiInvoice] {
        for incoming in xero {
            if pairs.contains_key(&incoming.id) {
                continue;
            }
            let found = local.iter().find(|payment| {
                let waits = pass == Pass::Identity || !on_their_way.contains(&payment.id);
                waits && !taken.contains(&payment.id) && admits(pass, payment, incoming)
            });
            if let Some(payment) = found {
                taken.insert(&payment.id);
                pairs.insert(incoming.id, (payment.id.clone(), pass));
            }
        }
    }
    let mut replaced = BTreeMap::new();
    for incoming in xero {
        let copy = pairs.get(&incoming.id).and_then(|(id, _)| local.iter().find(|p| p.id == *id));
        let Some(copy) = copy.filter(|copy| copy.origin == Origin::Xero && !copy.multi_invoice)
        else {
            continue;
        };
        let is_free = |payment: &&&Payment| {
            !taken.contains(&payment.id) && !on_their_way.contains(&payment.id)
        };
        let free = |pass: Pass| {
            local.iter().filter(is_free).filter(move |payment| admits(pass, payment, incoming))
        };
        let released = || {
            let equal = |payment: &&&Payment| {
                unmatched(payment) == Unmatched::Unlinked
                    && !payment.multi_invoice
                    && payment.status.can_match()
                    && payment.equals(incoming)
            };
            local.iter().filter(is_free).find(equal)
        };
        let single = free(Pass::Manual).next().or_else(released);
        let single = single.map(|payment| (payment, Pass::Report));
        // A part of several invoices takes no journal over, since it is never linked; and where another copy is
        // equal and stays, that one would be linked with this money at the next read.
        let stays = |payment: &Payment| unmatched(payment) == Unmatched::Stays;
        let is_only = || {
            !free(Pass::Imported).any(|payment| stays(payment))
                && free(Pass::Uploaded).next().is_none()
        };
        let part = || free(Pass::MultiInvoice).next().filter(|_| !copy.journaled && is_only());
        let report = single.or_else(|| part().map(|payment| (payment, Pass::MultiInvoice)));
        if let Some((payment, pass)) = report {
            taken.insert(&payment.id);
            replaced.insert(incoming.id, *copy);
            pairs.insert(incoming.id, (payment.id.clone(), pass));
        }
    }
    Matching {
        xero_rest: xero.iter().filter(|x| !pairs.contains_key(&x.id)).copied().collect(),
        local_rest: local.into_iter().filter(|p| !taken.contains(&p.id)).collect(),
        pairs,
        replaced,
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
        Pass::Manual | Pass::Report => {
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
