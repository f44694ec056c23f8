//! What a scenario expects against what happened, in words.

use std::collections::BTreeSet;
use std::fmt::Debug;

use payments::{
    Change, Discrepancy, DiscrepancyKind, HeldPayment, Payment, Protection, StoredInvoice, Verdict,
};

use super::format::{HeldThen, PaymentThen, Then};
use super::world::{Played, date, instant, money, payment_id, xero_payment_id};

/// Every difference.
pub fn differences(played: &Played, then: &Then) -> Vec<String> {
    let mut list = List::default();
    list.same("outcome", &then.outcome, &outcome(&played.verdict));
    match (&played.verdict, &then.payments) {
        (Verdict::Changed(change), Some(expected)) => {
            payments(&mut list, expected, &played.after.payments);
            tombstones(&mut list, change, &played.before);
        }
        (Verdict::Changed(_), None) => list.add("after `changed`, all payments are to be listed"),
        (_, Some(_)) => list.add("payments are listed only after `changed`"),
        (_, None) => {}
    }
    if matches!(played.verdict, Verdict::Changed(_)) {
        held(&mut list, &then.held, &played.after.held);
        discrepancies(&mut list, then, &played.after);
    }
    deleted(&mut list, then, played);
    for id in &then.untouched {
        let id = payment_id(id);
        let (before, after) = (played.before.payment(&id), played.after.payment(&id));
        if before.is_none() || before != after {
            list.add(format!("{id} is not untouched: {before:#?} became {after:#?}"));
        }
    }
    if let Some(review) = &then.review_on {
        let settled = played.after.settled.as_ref();
        let actual = settled.and_then(|settled| settled.review_on);
        let actual = actual.map_or_else(|| "none".to_owned(), |day| day.to_string());
        list.same("review_on", review, &actual);
    }
    if let Some(settled) = then.settled {
        list.same("settled", &settled, &played.settled);
    }
    list.0
}

fn outcome(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Ignored(reason) => format!("ignored: {reason}"),
        Verdict::Stale => "stale".to_owned(),
        Verdict::Unchanged => "unchanged".to_owned(),
        Verdict::Changed(_) => "changed".to_owned(),
    }
}

fn payments(list: &mut List, expected: &[PaymentThen], actual: &[Payment]) {
    let wanted: Vec<_> = expected.iter().map(|payment| payment_id(&payment.id)).collect();
    list.same_set("payments", &wanted, actual.iter().map(|payment| payment.id.clone()).collect());
    for (id, expected) in wanted.iter().zip(expected) {
        if let Some(actual) = actual.iter().find(|payment| payment.id == *id) {
            one_payment(list, expected, actual);
        }
    }
}

fn one_payment(list: &mut List, expected: &PaymentThen, actual: &Payment) {
    let name = &expected.id;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    list.same(&format!("{name} date"), &date(&expected.date), &actual.date);
    list.same(&format!("{name} amount"), &money(&expected.amount), &actual.amount);
    list.same(&format!("{name} state"), &expected.state, &state(actual));
    if let Some(xero) = &expected.xero {
        let xero = (!xero.is_empty()).then(|| xero_payment_id(xero));
        list.same(&format!("{name} xero"), &xero, &actual.link);
    }
    if let Some(reference) = &expected.reference {
        list.same(&format!("{name} reference"), reference, &text(&actual.reference));
    }
    if let Some(note) = &expected.note {
        list.same(&format!("{name} note"), note, &text(&actual.note));
    }
    if let Some(status) = &expected.status {
        list.same(&format!("{name} status"), status, &actual.status.to_string());
    }
    if let Some(balance) = &expected.balance_after {
        let balance = (!balance.is_empty()).then(|| money(balance));
        list.same(&format!("{name} balance_after"), &balance, &actual.balance_after);
    }
    if let Some(at) = &expected.first_matched {
        let at = (!at.is_empty()).then(|| instant(at));
        list.same(&format!("{name} first_matched"), &at, &actual.first_match_at);
    }
}

fn state(payment: &Payment) -> String {
    match payment.protection {
        Some(Protection::Journaled) => format!("{}: journaled", payment.state),
        Some(Protection::Manual) => format!("{}: manual", payment.state),
        Some(Protection::MultiInvoice) => format!("{}: multi-invoice", payment.state),
        None => payment.state.to_string(),
    }
}

fn held(list: &mut List, expected: &[HeldThen], actual: &[HeldPayment]) {
    let wanted: Vec<_> =
        expected.iter().map(|held| (xero_payment_id(&held.xero), held.reason.clone())).collect();
    let got = actual.iter().map(|held| (held.payment.id, held.reason.to_string())).collect();
    list.same_set("held", &wanted, got);
    for expected in expected {
        let id = xero_payment_id(&expected.xero);
        let Some(actual) = actual.iter().find(|held| held.payment.id == id) else { continue };
        if let Some(until) = &expected.until {
            let until = (!until.is_empty()).then(|| date(until));
            list.same(&format!("{} until", expected.xero), &until, &actual.until);
        }
        if let Some(since) = &expected.since {
            list.same(&format!("{} since", expected.xero), &instant(since), &actual.held_at);
        }
    }
}

fn discrepancies(list: &mut List, then: &Then, after: &StoredInvoice) {
    let open: Vec<&Discrepancy> = after.open_discrepancies().collect();
    let wanted: Vec<_> = then.discrepancies.iter().map(|text| key(text)).collect();
    let got = open.iter().map(|d| (d.key.kind.to_string(), d.key.subject.clone())).collect();
    list.same_set("discrepancies", &wanted, got);
    for words in &then.explained {
        if !open.iter().any(|discrepancy| discrepancy.detail.contains(words)) {
            let details: Vec<_> = open.iter().map(|d| &d.detail).collect();
            list.add(format!("no discrepancy is explained by {words:?}: {details:#?}"));
        }
    }
    if let [only] = open[..] {
        if let Some(detected) = &then.detected {
            list.same("detected", &instant(detected), &only.detected_at);
        }
        if let Some(resolve_by) = &then.resolve_by {
            list.same("resolve_by", &instant(resolve_by), &only.due_at());
        }
    } else if then.detected.is_some() || then.resolve_by.is_some() {
        list.add("`detected` and `resolve_by` are about the only open discrepancy");
    }
}

/// `KIND`, `KIND a`, `KIND x1`: the subject is a Xero payment where the kind is about one.
fn key(text: &str) -> (String, String) {
    let (kind, subject) = text.split_once(' ').unwrap_or((text, ""));
    let about_xero = [DiscrepancyKind::MultiInvoiceHeld];
    let kind = DiscrepancyKind::from_code(kind).unwrap_or_else(|| panic!("no kind {kind}"));
    let subject = match subject {
        "" => String::new(),
        subject if about_xero.contains(&kind) => xero_payment_id(subject).to_string(),
        subject => payment_id(subject).to_string(),
    };
    (kind.to_string(), subject)
}

fn deleted(list: &mut List, then: &Then, played: &Played) {
    let removed: Vec<_> = match &played.verdict {
        Verdict::Changed(change) => {
            change.tombstones.iter().map(|tombstone| tombstone.payment.id.clone()).collect()
        }
        _ => Vec::new(),
    };
    let wanted: Vec<_> = then.deleted.iter().map(|id| payment_id(id)).collect();
    list.same_set("deleted", &wanted, removed);
}

/// CM-23: a tombstone holds the whole old row, when it went and on the word of which read.
fn tombstones(list: &mut List, change: &Change, before: &StoredInvoice) {
    for tombstone in &change.tombstones {
        let old = before.payment(&tombstone.payment.id);
        list.same("tombstone", &old, &Some(&tombstone.payment));
        if tombstone.snapshot.is_none() || tombstone.why.is_empty() {
            list.add(format!("{} went without a reason or a read", tombstone.payment.id));
        }
    }
}

/// Which parts of an invoice differ.
pub fn changed_parts(before: &StoredInvoice, after: &StoredInvoice) -> Vec<String> {
    let mut list = List::default();
    list.same("local", &before.local, &after.local);
    list.same("xero", &before.xero, &after.xero);
    list.same("settled", &before.settled, &after.settled);
    list.same("payments", &before.payments, &after.payments);
    list.same("held", &before.held, &after.held);
    list.same("discrepancies", &before.discrepancies, &after.discrepancies);
    list.0
}

#[derive(Default)]
struct List(Vec<String>);

impl List {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    fn same<T: Debug + PartialEq>(&mut self, what: &str, expected: &T, actual: &T) {
        if expected != actual {
            self.add(format!("{what}: expected {expected:?}, got {actual:?}"));
        }
    }

    fn same_set<T: Clone + Debug + Ord>(&mut self, what: &str, expected: &[T], actual: Vec<T>) {
        let wanted: BTreeSet<_> = expected.iter().cloned().collect();
        let got: BTreeSet<_> = actual.iter().cloned().collect();
        if wanted != got || expected.len() != actual.len() {
            let missing: Vec<_> = wanted.difference(&got).collect();
            let extra: Vec<_> = got.difference(&wanted).collect();
            self.add(format!("{what}: missing {missing:?}, not expected {extra:?}"));
        }
    }
}
