//! Whether orders have the status that follows from the facts about their money (SP-08).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use payments::close::CloseSubject;
use payments::events::EntryOrderReport;
use payments::{
    InvoiceNumber, Money, OrderClaim, OrderId, OrderMoney, OrderProgress, OrderStatus, PaymentId,
    PaymentStatus, standing_of,
};

use crate::facts::{OrderTrace, PeriodFacts};

/// How long money takes at most until it is seen in an order (SP-09).
const SETTLING: SignedDuration = SignedDuration::from_mins(5);

/// An order with how it stands by its row, and by the facts.
#[derive(Clone, Debug)]
pub(crate) struct OrderCheck<'a> {
    pub(crate) id: &'a OrderId,
    pub(crate) stored: (Option<OrderProgress>, Option<OrderStatus>),
    pub(crate) derived: (Option<OrderProgress>, Option<OrderStatus>),
    /// `right`, `wrong`, `settling` (its money came a moment before the end), or `unknown` (the log does not say what the
    /// order names).
    pub(crate) verdict: &'static str,
}

type Part = (Money, PaymentStatus);

/// The orders with a payment event in the period.
pub(crate) fn checks(facts: &PeriodFacts) -> Vec<OrderCheck<'_>> {
    let money = LogMoney::of(facts);
    let mut checks = Vec::new();
    for (id, trace) in &facts.orders {
        let latest = money.latest(trace);
        let has_moved = trace.moved_at.is_some_and(|at| facts.covers(at));
        if !has_moved && !latest.is_some_and(|at| facts.covers(at)) {
            continue;
        }
        checks.push(check(facts, &money, id, trace, latest));
    }
    checks
}

fn check<'a>(
    facts: &PeriodFacts,
    money: &LogMoney<'_>,
    id: &'a OrderId,
    trace: &OrderTrace,
    latest: Option<Timestamp>,
) -> OrderCheck<'a> {
    let stored = (trace.progress, trace.status);
    let derived = trace.reported.as_ref().and_then(|reported| {
        let standing = standing_of(&claim(id, reported), &money.of_order(id, reported, facts));
        standing.ok().map(|standing| (Some(standing.progress), standing.status))
    });
    let is_settling =
        latest.is_some_and(|at| at.saturating_add(SETTLING).is_ok_and(|seen| seen >= facts.until));
    let verdict = match derived {
        None => "unknown",
        Some(derived) if derived == stored => "right",
        Some(_) if is_settling => "settling",
        Some(_) => "wrong",
    };
    OrderCheck { id, stored, derived: derived.unwrap_or_default(), verdict }
}

fn claim(id: &OrderId, reported: &EntryOrderReport) -> OrderClaim {
    OrderClaim {
        id: id.clone(),
        placed_at: reported.placed_at,
        total: reported.total,
        cancelled: reported.cancelled,
        invoices: reported.invoices.clone(),
    }
}

/// The money of the log, by invoice and by payment.
struct LogMoney<'a> {
    on_invoice: BTreeMap<&'a InvoiceNumber, Vec<(Part, Timestamp)>>,
    /// The parts of each payment, and when the last of them came.
    parts: BTreeMap<&'a str, Vec<(Part, Timestamp)>>,
    wholes: BTreeMap<&'a str, (Part, Timestamp)>,
    /// The orders of each invoice.
    orders: BTreeMap<&'a InvoiceNumber, BTreeSet<&'a OrderId>>,
}

impl<'a> LogMoney<'a> {
    fn of(facts: &'a PeriodFacts) -> Self {
        let mut all = Self {
            on_invoice: BTreeMap::new(),
            parts: BTreeMap::new(),
            wholes: BTreeMap::new(),
            orders: BTreeMap::new(),
        };
        for (subject, about) in facts.close.subjects() {
            let CloseSubject::Invoice(number) = subject else { continue };
            for (name, payment) in &about.payments {
                let Some(record) = &payment.record else { continue };
                // A payment that is only in Xero has no part here yet.
                if record.value.gone || name.parse::<PaymentId>().is_err() {
                    continue;
                }
                let came = ((record.value.amount, record.value.status), record.at);
                all.on_invoice.entry(number).or_default().push(came);
                all.parts.entry(name).or_default().push(came);
            }
        }
        for (name, profile) in &facts.payments {
            if let Some(whole) = profile.whole {
                all.wholes.insert(name, (whole, profile.first_at));
            }
        }
        for (id, trace) in &facts.orders {
            for invoice in trace.reported.iter().flat_map(|reported| &reported.invoices) {
                all.orders.entry(invoice).or_default().insert(id);
            }
        }
        all
    }

    /// When the newest money of an order came.
    fn latest(&self, trace: &OrderTrace) -> Option<Timestamp> {
        let reported = trace.reported.as_ref()?;
        let on =
            reported.invoices.iter().filter_map(|number| self.on_invoice.get(number)).flatten();
        let of = reported.payments.iter();
        let parts = of.clone().filter_map(|id| self.parts.get(id.as_str())).flatten();
        let wholes = of.filter_map(|id| self.wholes.get(id.as_str()));
        on.chain(parts).chain(wholes).map(|(_, at)| *at).max()
    }

    fn of_order(
        &self,
        id: &OrderId,
        reported: &EntryOrderReport,
        facts: &PeriodFacts,
    ) -> OrderMoney {
        let on = |number: &InvoiceNumber| {
            let came = self.on_invoice.get(number).into_iter().flatten().map(|(came, _)| *came);
            (number.clone(), came.collect())
        };
        let siblings = reported.invoices.iter().filter_map(|number| self.orders.get(number));
        let siblings: BTreeSet<_> = siblings.flatten().filter(|other| **other != id).collect();
        let claims = siblings.into_iter().filter_map(|other| {
            let reported = facts.orders.get(*other)?.reported.as_ref()?;
            Some(claim(other, reported))
        });
        OrderMoney {
            free: reported.payments.iter().filter_map(|id| self.free(id)).collect(),
            invoices: reported.invoices.iter().map(on).collect(),
            siblings: claims.collect(),
        }
    }

    /// What of a payment is on no invoice.
    fn free(&self, id: &PaymentId) -> Option<Part> {
        let parts = self.parts.get(id.as_str());
        let failed =
            parts.into_iter().flatten().find(|((_, status), _)| *status == PaymentStatus::Failed);
        let ((amount, status), _) = self.wholes.get(id.as_str()).or(failed)?;
        if *status == PaymentStatus::Failed {
            return Some((*amount, *status));
        }
        let named = parts.into_iter().flatten().map(|((amount, _), _)| *amount);
        let rest =
            Money::sum(amount.currency(), named).and_then(|named| amount.minus(named)).ok()?;
        rest.is_positive().then_some((rest, *status))
    }
}
