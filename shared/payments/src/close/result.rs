//! A day as a whole: its rows, and their sums.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::cause::CloseCause;
use super::facts::{CloseSubject, DayFacts, PaymentMovement, SubjectFacts};
use super::judgement::{CloseStatus, Judge, JudgedPayment, causes};
use crate::money::Money;

/// A payment with what it is on, its name there (its id; one without a copy here has Xero's), and how it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingPayment<'a> {
    /// What it is on.
    pub subject: &'a CloseSubject,
    /// Its name.
    pub name: &'a str,
    /// What is known of its money and of its way.
    pub facts: &'a PaymentMovement,
    /// How it stands.
    pub judged: JudgedPayment,
}

/// Each payment by itself, in the order of subjects and names: what the rows of a close add up. Payments that were taken off
/// are not among them.
pub fn standing_payments<'a>(
    facts: &'a DayFacts,
    judge: &'a Judge<'_>,
) -> impl Iterator<Item = StandingPayment<'a>> {
    facts.subjects().flat_map(move |(subject, about)| {
        let is_wrong = !causes(about).is_empty();
        about.payments.iter().filter_map(move |(name, payment)| {
            let mut judged = judged(judge, (subject, name), payment, about, facts, is_wrong)?;
            if judged.status == CloseStatus::NotReconciled && judged.cause.is_none() {
                judged.cause = causes(about).pop_first();
            }
            Some(StandingPayment { subject, name, facts: payment, judged })
        })
    })
}

/// How a payment stands, together with what it is on.
fn judged(
    judge: &Judge<'_>,
    at: (&CloseSubject, &str),
    payment: &PaymentMovement,
    around: &SubjectFacts,
    day: &DayFacts,
    is_wrong: bool,
) -> Option<JudgedPayment> {
    let mut judged = judge.payment(at, payment, around, day)?;
    // A payment reconciles only together with its invoice (A7.1).
    if is_wrong && judged.status == CloseStatus::Reconciled {
        judged.status = CloseStatus::NotReconciled;
    }
    Some(judged)
}

/// Most payments of one invoice that its row of a close lists. Those that reconcile are counted and not listed.
pub const LISTED_MAX: usize = 500;

/// The row of a close about one invoice, contact, or payment on no invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// What it is about.
    pub subject: CloseSubject,
    /// How it stands: as the worst of it does.
    pub status: CloseStatus,
    /// Why it does not reconcile.
    pub causes: BTreeSet<CloseCause>,
    /// The first day on which something of it is expected, if it is in transit.
    pub expected: Option<Date>,
    /// Its payments, by status: how many, and the money where it can be added up.
    pub sums: Sums,
    /// The money that does not reconcile, by cause.
    pub cause_sums: CauseSums,
    /// The payments that do not reconcile or are in transit, by their ids.
    pub listed: BTreeMap<String, JudgedPayment>,
    /// What the next close goes on from, if anything of it is unfinished.
    pub facts: SubjectFacts,
}

impl Item {
    /// Whether the next close looks at it again even if the log of that day is silent. No sweep looks after an invoice that
    /// Xero does not have, so that a close does.
    pub fn is_unfinished(&self) -> bool {
        let position = self.facts.position.as_ref();
        let is_alone = position.is_some_and(|position| !position.value.in_xero);
        match self.status {
            CloseStatus::InTransit | CloseStatus::NotReconciled => true,
            CloseStatus::Open => is_alone,
            CloseStatus::NoMoney | CloseStatus::Reconciled => false,
        }
    }
}

/// How many, and how much money, where it can be added up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sum {
    /// How many payments.
    pub count: u64,
    /// Their amounts; `None` if they are more than is kept exactly.
    pub money: Option<Money>,
}

/// Payments by the code of their currency and by status.
pub type Sums = BTreeMap<(&'static str, CloseStatus), Sum>;

/// Money that does not reconcile, by the code of its currency and by cause: payments each with its amount, and invoices with
/// what is left to pay or was paid too much, where that is the cause. A cause without money, such as two names, has no sum.
pub type CauseSums = BTreeMap<(&'static str, CloseCause), Sum>;

/// The close of a business day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Close {
    /// The business day.
    pub day: Date,
    /// Its payments by currency and status.
    pub sums: Sums,
    /// Invoices, contacts and payments on no invoice, by status.
    pub subjects: BTreeMap<CloseStatus, u64>,
    /// What does not reconcile, by cause: how many rows have it.
    pub causes: BTreeMap<CloseCause, u64>,
    /// The money of that.
    pub cause_sums: CauseSums,
    /// The first and the last day on which something in transit is expected.
    pub expected: Option<(Date, Date)>,
}

/// The rows of the facts of a day, in the order of their subjects. Each is made when it is asked for, so that a day takes the
/// memory of its facts and no more; asked for again, they are the same.
pub fn items<'a>(
    facts: &'a DayFacts,
    judge: &'a Judge<'_>,
) -> impl Iterator<Item = Item> + Clone + 'a {
    facts.subjects().filter_map(move |(subject, about)| item(subject, about, facts, judge))
}

impl Close {
    /// A day without rows.
    pub fn of(day: Date) -> Self {
        Self {
            day,
            sums: Sums::new(),
            subjects: BTreeMap::new(),
            causes: BTreeMap::new(),
            cause_sums: CauseSums::new(),
            expected: None,
        }
    }

    /// Adds a row to the day as a whole.
    pub fn take(&mut self, item: &Item) {
        *self.subjects.entry(item.status).or_default() += 1;
        for cause in &item.causes {
            *self.causes.entry(*cause).or_default() += 1;
        }
        for (key, sum) in &item.sums {
            add_to(&mut self.sums, *key, sum);
        }
        for (key, sum) in &item.cause_sums {
            add_to(&mut self.cause_sums, *key, sum);
        }
        for expected in item.listed.values().filter_map(|judged| judged.expected) {
            let (first, last) = self.expected.unwrap_or((expected, expected));
            self.expected = Some((first.min(expected), last.max(expected)));
        }
    }
}

/// The close of the facts of a day: its rows, and the day as a whole.
pub fn close(facts: &DayFacts, judge: &Judge<'_>) -> (Close, Vec<Item>) {
    let items: Vec<Item> = items(facts, judge).collect();
    let mut day = Close::of(judge.day());
    items.iter().for_each(|item| day.take(item));
    (day, items)
}

/// One row; `None` of a subject of which nothing is left to say.
fn item(
    subject: &CloseSubject,
    facts: &SubjectFacts,
    day: &DayFacts,
    judge: &Judge<'_>,
) -> Option<Item> {
    let mut causes = causes(facts);
    let is_wrong = !causes.is_empty();
    let (mut sums, mut listed) = (Sums::new(), BTreeMap::new());
    let mut cause_sums = left_by_cause(facts, &causes);
    let mut status = CloseStatus::NoMoney;
    let mut kept = SubjectFacts { payments: BTreeMap::new(), ..facts.clone() };
    for (name, payment) in &facts.payments {
        let at = (subject, name.as_str());
        let Some(judged) = judged(judge, at, payment, facts, day, is_wrong) else { continue };
        if let Some(cause) = judged.cause {
            causes.insert(cause);
            add_money(&mut cause_sums, cause, judged.amount);
        }
        status = status.max(judged.status);
        if judged.is_counted {
            let key = (judged.amount.currency().code(), judged.status);
            add_to(&mut sums, key, &Sum { count: 1, money: Some(judged.amount) });
        }
        let is_open = matches!(judged.status, CloseStatus::InTransit | CloseStatus::NotReconciled);
        if is_open && listed.len() < LISTED_MAX {
            let mut payment = payment.clone();
            if payment.upload.is_none() {
                payment.upload = day.upload(name).cloned();
            }
            kept.payments.insert(name.clone(), payment);
            listed.insert(name.clone(), judged);
        }
    }
    if is_wrong {
        status = CloseStatus::NotReconciled;
    } else if let Some(position) = &facts.position {
        let is_paid = sums.keys().any(|(_, status)| *status != CloseStatus::NoMoney);
        if !is_paid && status == CloseStatus::NoMoney {
            let is_left = position.value.left.is_positive();
            status = if is_left { CloseStatus::Open } else { CloseStatus::Reconciled };
        }
    } else if sums.is_empty() && facts.found.is_empty() {
        return None;
    } else if sums.is_empty() {
        status = CloseStatus::Reconciled;
    }
    let expected = listed.values().filter_map(|judged| judged.expected).min();
    let subject = subject.clone();
    Some(Item { subject, status, causes, expected, sums, cause_sums, listed, facts: kept })
}

/// What of an invoice is left, or was paid too much, under the cause that says so.
fn left_by_cause(facts: &SubjectFacts, causes: &BTreeSet<CloseCause>) -> CauseSums {
    let mut sums = CauseSums::new();
    let Some(left) = facts.position.as_ref().map(|position| position.value.left) else {
        return sums;
    };
    let too_much = Money::zero(left.currency()).minus(left).ok();
    for cause in causes {
        let money = match cause {
            CloseCause::MissingPayment | CloseCause::PartPayment => Some(left),
            CloseCause::Overpayment => too_much,
            _ => None,
        };
        if let Some(money) = money.filter(|money| money.is_positive()) {
            add_money(&mut sums, *cause, money);
        }
    }
    sums
}

fn add_money(sums: &mut CauseSums, cause: CloseCause, money: Money) {
    let sum = Sum { count: 1, money: Some(money) };
    add_to(sums, (money.currency().code(), cause), &sum);
}

/// Adds to the sum of a key.
pub(crate) fn add_to<K: Ord>(sums: &mut BTreeMap<K, Sum>, key: K, more: &Sum) {
    let Some(known) = sums.get_mut(&key) else {
        sums.insert(key, more.clone());
        return;
    };
    known.count = known.count.saturating_add(more.count);
    known.money = match (known.money, more.money) {
        (Some(known), Some(more)) => known.plus(more).ok(),
        _ => None,
    };
}
