//! Discrepancies of one invoice. They are worked out afresh from the facts each time, so that one
//! which no longer holds closes by itself, and one that comes back keeps its first date.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::change::Change;
use crate::decision::{Action, Decision};
use crate::discrepancy::{Discrepancy, DiscrepancyKey, DiscrepancyKind, FoundDiscrepancies};
use crate::ids::PaymentId;
use crate::invoice::{InvoiceStatus, Snapshot};
use crate::invoice_amounts::{asked, due_on, is_paid_by_others, received, rest};
use crate::money::Money;
use crate::payment::{Payment, PaymentStatus};
use crate::possible_duplicates::possible_duplicates;
use crate::settings::Settings;
use crate::snapshot_discrepancies::{gone, in_the_snapshot, no_tie_out};
use crate::stored::StoredInvoice;
use crate::upload::is_meant_whole;

/// The kinds of discrepancy that only a snapshot can raise or close.
const NEEDS_SNAPSHOT: &[DiscrepancyKind] = &[
    DiscrepancyKind::JournaledChanged,
    DiscrepancyKind::JournaledDeleted,
    DiscrepancyKind::MultiInvoiceHeld,
    DiscrepancyKind::NotInXero,
    DiscrepancyKind::PossibleDuplicate,
    DiscrepancyKind::TieOut,
    DiscrepancyKind::UnknownInvoice,
    DiscrepancyKind::UploadedDeletedInXero,
];

/// Brings the discrepancies up to date after a snapshot has been applied.
pub(crate) fn update(
    change: &mut Change,
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
) {
    let mut found = FoundDiscrepancies::new();
    on_the_invoice(&change.after, &mut found);
    overdue(&change.after, settings.today(now), &mut found);
    if change.after.local.is_some() {
        in_the_snapshot(&change.after, snapshot, &mut found);
        possible_duplicates(&change.after, &mut found);
    } else if !snapshot.status.is_dead() {
        let key = DiscrepancyKey::of_invoice(DiscrepancyKind::UnknownInvoice);
        let mut why = "the invoice is in Xero and not in the business's own system; none of its \
                       payments were copied"
            .to_owned();
        let number = &snapshot.number;
        if number.trim() != number {
            why.push_str(&format!(
                "; its number there is {number:?}, with a blank at its beginning or end: correct it in Xero"
            ));
        }
        found.insert(key, why);
    }
    merge(change, found, |_| true, now);
}

/// How long after its report an invoice may be missing in Xero before a person is asked (AMB-39).
const IN_XERO_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);

/// The change to be written for an invoice of the business's own system that Xero was just asked for by its
/// number and does not have (AMB-39); `None` if there is nothing to say, or nothing new. The discrepancy ends
/// as soon as the invoice is read in Xero.
pub fn not_in_xero(stored: &StoredInvoice, settings: &Settings, now: Timestamp) -> Option<Change> {
    let local = stored.local.as_ref().filter(|_| stored.xero.is_none())?;
    // What an earlier version took in was reported when it was issued, as far as anybody knows.
    let reported_at = stored.reported_at.or_else(|| {
        let issued = local.issued_on.to_zoned(settings.zone.clone()).ok()?;
        Some(issued.timestamp())
    })?;
    let is_late = now.duration_since(reported_at) >= IN_XERO_WITHIN;
    let key = DiscrepancyKey::of_invoice(DiscrepancyKind::NotInXero);
    let is_known = stored.discrepancy(&key).is_some_and(Discrepancy::is_open);
    if is_known || !is_late || local.issued_on > settings.today(now) {
        return None;
    }
    let why = format!(
        "Xero has no invoice {}. Enter it in Xero under this number, or correct the number on the side where it \
         is wrong; its payments come by themselves then",
        settings.prefix.to_xero(&stored.number)
    );
    let mut change = Change::of(stored);
    merge(&mut change, FoundDiscrepancies::from([(key, why)]), |_| false, now);
    Some(change)
}

/// Whether a payment has not come to its end: the money is meant to be here, and it is not known to be in Xero; or it was
/// given back, and Xero has it still.
pub(crate) fn is_unprocessed(invoice: &StoredInvoice, payment: &str) -> bool {
    let known = invoice.payments.iter().find(|known| known.id.as_str() == payment);
    known.is_some_and(|known| match known.link {
        None => known.status.counts(),
        Some(_) => known.status == PaymentStatus::Refunded && !known.is_gone_on_both_sides(),
    })
}

/// What of an invoice has not come in when its due date has passed, where Xero has never shown the invoice (SP-15).
pub(crate) fn overdue_without_xero(
    invoice: &StoredInvoice,
    today: Date,
) -> Option<(DiscrepancyKey, String)> {
    let local = invoice.local.as_ref().filter(|_| invoice.xero.is_none())?;
    let rest = rest(invoice, local.total).filter(|_| local.due_on < today)?;
    let is_any_here = received(invoice, local.total.currency()).is_some_and(Money::is_positive);
    let (total, due_on) = (local.total, local.due_on);
    Some(if is_any_here {
        let key = DiscrepancyKey::of_invoice(DiscrepancyKind::Underpaid);
        (key, format!("{rest} of {total} is left, due on {due_on}"))
    } else {
        let key = DiscrepancyKey::of_invoice(DiscrepancyKind::MissingPayment);
        (key, format!("{rest} of {total} was due on {due_on}, and nothing was paid"))
    })
}

/// The change that opens one discrepancy; `None` if it is open already, or a person has accepted it as it is.
pub(crate) fn raise_one(
    stored: &StoredInvoice,
    key: DiscrepancyKey,
    why: String,
    now: Timestamp,
) -> Option<Change> {
    let mut change = Change::of(stored);
    merge(&mut change, FoundDiscrepancies::from([(key, why)]), |_| false, now);
    (!change.decisions.is_empty()).then_some(change)
}

/// Brings up to date the findings that need no snapshot, after the local side has changed.
pub(crate) fn update_without_snapshot(change: &mut Change, now: Timestamp) {
    let mut found = FoundDiscrepancies::new();
    on_the_invoice(&change.after, &mut found);
    let total = change.after.local.as_ref().map(|local| local.total);
    let received = total.and_then(|total| received(&change.after, total.currency()));
    let has_any = received.is_some_and(Money::is_positive);
    let has_all = has_any && total.is_some_and(|total| rest(&change.after, total).is_none());
    let is_unread = change.after.xero.is_none();
    // A snapshot says which amount is overdue; every report may say that the money is here.
    let kinds = |kind: DiscrepancyKind| match kind {
        DiscrepancyKind::Underpaid => has_all || is_unread,
        DiscrepancyKind::MissingPayment => has_any,
        kind => !NEEDS_SNAPSHOT.contains(&kind),
    };
    merge(change, found, kinds, now);
}

/// Brings up to date which payments may be the same, after two were found to be.
pub(crate) fn update_possible_duplicates(change: &mut Change, now: Timestamp) {
    let mut found = FoundDiscrepancies::new();
    possible_duplicates(&change.after, &mut found);
    merge(change, found, |kind| kind == DiscrepancyKind::PossibleDuplicate, now);
}

/// Notes that a read contradicts itself, and nothing else.
pub(crate) fn contradictory(change: &mut Change, snapshot: &Snapshot, now: Timestamp) {
    let key = DiscrepancyKey::of_invoice(DiscrepancyKind::TieOut);
    merge(change, FoundDiscrepancies::from([(key, no_tie_out(snapshot))]), |_| false, now);
}

/// Brings the discrepancies up to date after the invoice has left for another number: what stayed
/// behind has its original elsewhere.
pub(crate) fn update_after_move(change: &mut Change, now: Timestamp) {
    let mut found = FoundDiscrepancies::new();
    on_the_invoice(&change.after, &mut found);
    let linked = |payment: &&Payment| payment.link.is_some() && !payment.is_taken_back();
    for payment in change.after.payments.iter().filter(linked) {
        let (kind, why) = gone(payment, "its invoice bears another number in Xero");
        found.insert(DiscrepancyKey::about(kind, &payment.id), why);
    }
    merge(change, found, |_| true, now);
}

/// Closes what does not agree about a payment that has left for the number that its invoice bears now.
pub(crate) fn close_about(change: &mut Change, payment: &PaymentId, now: Timestamp) {
    let kinds = [
        DiscrepancyKind::JournaledDeleted,
        DiscrepancyKind::TieOut,
        DiscrepancyKind::UploadedDeletedInXero,
    ];
    let about = |key: &DiscrepancyKey| key.subject == payment.as_str() && kinds.contains(&key.kind);
    for known in &mut change.after.discrepancies {
        if known.stands() && about(&known.key) {
            if known.is_open() {
                let resolved = decision(Action::DiscrepancyResolved, &known.key, &known.detail);
                change.decisions.push(resolved);
            }
            known.resolved_at = Some(now);
        }
    }
}

/// What the two views of the invoice say of each other.
fn on_the_invoice(invoice: &StoredInvoice, found: &mut FoundDiscrepancies) {
    let is_paid = is_paid_by_others(invoice);
    for payment in &invoice.payments {
        // AMB-31: no person has to follow a try that failed once the money has come by another way.
        if payment.status == PaymentStatus::Failed && !is_paid {
            let key = DiscrepancyKey::about(DiscrepancyKind::FailedPayment, &payment.id);
            found.insert(key, format!("{} of {} failed", payment.amount, payment.date));
        }
    }
    // Only a daily close finds these; they are over as soon as their payment has come to its end (SP-15).
    for known in invoice.standing_discrepancies() {
        if known.key.kind == DiscrepancyKind::Unprocessed
            && is_unprocessed(invoice, &known.key.subject)
        {
            found.insert(known.key.clone(), known.detail.clone());
        }
    }
    let Some(local) = &invoice.local else { return };
    if let Some(xero) = &invoice.xero
        && !xero.status.is_dead()
    {
        if xero.figures.total != local.total {
            let why =
                format!("Xero says {}, the local invoice {}", xero.figures.total, local.total);
            found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::TotalDiffers), why);
        }
        if let (Some(ours), Some(theirs)) = (local.contact.name(), &xero.contact_name)
            && !same_name(ours, theirs)
        {
            let why = format!("Xero says {theirs:?}, the local invoice {ours:?}");
            found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::ContactDiffers), why);
        }
    }
    let currency = local.total.currency();
    let counts = invoice.payments.iter().filter(|payment| payment.status.counts());
    for payment in counts.filter(|payment| payment.amount.currency() != currency) {
        let why = format!(
            "{} of {}, and the invoice is in {currency}: take the payment off it, or correct its currency",
            payment.amount, payment.date
        );
        let key = DiscrepancyKey::about(DiscrepancyKind::CurrencyDiffers, &payment.id);
        found.insert(key, why);
    }
    if let Some(why) = overpaid(invoice, local.total) {
        found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid), why);
    }
    if let Some(why) = paid_in_part_at_once(invoice, local.total) {
        found.insert(DiscrepancyKey::of_invoice(DiscrepancyKind::Underpaid), why);
    }
}

fn overpaid(invoice: &StoredInvoice, total: Money) -> Option<String> {
    let asked = asked(invoice, total).ok()?;
    let received = received(invoice, total.currency())?;
    let excess = received.minus(asked).ok()?;
    excess
        .is_positive()
        .then(|| format!("{received} received locally for {asked} asked: {excess} too much"))
}

/// The amount that has not come in when the due date has passed: a part of it is underpaid (A7.2), all of it
/// is missing (SP-15). Money that is here and on its way to Xero is not missing (AMB-24).
fn overdue(invoice: &StoredInvoice, today: Date, found: &mut FoundDiscrepancies) {
    let (Some(xero), Some(due_on)) = (&invoice.xero, due_on(invoice)) else { return };
    let figures = xero.figures;
    let is_open = xero.status == InvoiceStatus::Authorised && figures.due.is_positive();
    if !is_open || due_on >= today {
        return;
    }
    let total = invoice.local.as_ref().map_or(figures.total, |local| local.total);
    let is_any_here = received(invoice, total.currency()).is_some_and(Money::is_positive);
    let (kind, why) = if figures.paid.is_positive() {
        let why = format!("{} of {} is left, due on {due_on}", figures.due, figures.total);
        (DiscrepancyKind::Underpaid, why)
    } else if !is_any_here {
        let why = format!(
            "{} of {} was due on {due_on}, and nothing was paid",
            figures.due, figures.total
        );
        (DiscrepancyKind::MissingPayment, why)
    } else if let Some(rest) = rest(invoice, total) {
        (DiscrepancyKind::Underpaid, format!("{rest} of {total} is left, due on {due_on}"))
    } else {
        return;
    };
    found.entry(DiscrepancyKey::of_invoice(kind)).or_insert(why);
}

/// A payment by card or through a gateway is meant to be whole: what it leaves is flagged at once, before the
/// due date as well as after it (SP-12, A7.2). A payment plan is meant to be paid in parts.
fn paid_in_part_at_once(invoice: &StoredInvoice, total: Money) -> Option<String> {
    let at_once = |payment: &Payment| payment.status.counts() && is_meant_whole(&payment.method);
    let is_plan = invoice.local.as_ref().is_some_and(|local| local.payment_plan);
    if is_plan || !invoice.payments.iter().any(at_once) {
        return None;
    }
    let rest = rest(invoice, total)?;
    Some(format!(
        "{rest} of {total} is left after a payment by card or gateway, which is meant to be whole"
    ))
}

fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

/// Replaces the discrepancies of the kinds concerned by those found.
fn merge(
    change: &mut Change,
    found: FoundDiscrepancies,
    concerned: impl Fn(DiscrepancyKind) -> bool,
    now: Timestamp,
) {
    for known in &mut change.after.discrepancies {
        if known.stands() && concerned(known.key.kind) && !found.contains_key(&known.key) {
            // Of an accepted one the end has been announced.
            if known.is_open() {
                let resolved = decision(Action::DiscrepancyResolved, &known.key, &known.detail);
                change.decisions.push(resolved);
            }
            known.resolved_at = Some(now);
        }
    }
    for (key, detail) in found {
        let known = change.after.discrepancies.iter_mut().find(|known| known.key == key);
        let Some(known) = known else {
            change.decisions.push(decision(Action::DiscrepancyRaised, &key, &detail));
            change.after.discrepancies.push(Discrepancy::found(key, detail, now));
            continue;
        };
        let was_open = known.is_open();
        known.resolved_at = None;
        known.detail = detail;
        match (was_open, known.is_open()) {
            (false, true) => {
                known.reopen(now);
                change.decisions.push(decision(Action::DiscrepancyRaised, &key, &known.detail));
            }
            (true, false) => {
                let what = format!("{}; a person has accepted that before", known.detail);
                change.decisions.push(decision(Action::DiscrepancyResolved, &key, &what));
            }
            (true, true) | (false, false) => {}
        }
    }
    change.after.sort();
}

pub(crate) fn decision(action: Action, key: &DiscrepancyKey, detail: &str) -> Decision {
    Decision {
        action,
        rule: "A7.2",
        payment: None,
        xero: None,
        discrepancy: Some(key.clone()),
        why: key.sentence(detail),
    }
}
