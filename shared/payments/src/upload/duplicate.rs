//! Whether Xero holds a payment's money already, entered by another hand (rules A8.3).
//!
//! One pure question, asked when a payment is planned, again immediately before it is sent, and after its
//! absence from Xero was proven. Local payments and Xero's are compared one to one: certain pairs first,
//! the oldest payment first, then possible ones among what is left.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::ledger::Upload;
use super::part::UploadState;
use super::route::Skip;
use super::suspicion::{Certain, Counterpart, Suspicion};
use crate::ids::{PaymentId, XeroContactId, XeroInvoiceId, XeroPaymentId};
use crate::money::Money;

/// Most unlinked payments of one date that are added up to see whether they are one payment together (A8.3).
pub const ADDENDS_MAX: usize = 10;
/// Most sums that are tried for one payment. Beyond it the payment is held: a person sees what a search
/// would take too long for.
const SUMS_MAX: usize = 20_000;

/// What a payment of money stands as in Xero.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum XeroMoneyKind {
    /// A payment on an invoice.
    Payment,
    /// A prepayment of a contact.
    Prepayment,
    /// An overpayment of a contact.
    Overpayment,
}

impl XeroMoneyKind {
    /// As a sentence names it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Prepayment => "prepayment",
            Self::Overpayment => "overpayment",
        }
    }
}

/// Money received that stands in Xero, and that our own uploads have not put there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XeroMoney {
    /// Xero's id of it.
    pub id: Uuid,
    /// What it stands as.
    pub kind: XeroMoneyKind,
    /// The invoice it is on, with its number in Xero; none for prepayments and overpayments.
    pub invoice: Option<(XeroInvoiceId, String)>,
    /// Whose it is.
    pub contact: Option<XeroContactId>,
    /// How much.
    pub amount: Money,
    /// The calendar day.
    pub date: Date,
    /// The local payment that it is known to be the same as, if there is one.
    pub owner: Option<PaymentId>,
}

/// What a payment brings to one invoice that it names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedPortion {
    /// The invoice in Xero.
    pub invoice: XeroInvoiceId,
    /// Its number in Xero.
    pub number: String,
    /// How much of the payment belongs to it.
    pub amount: Money,
    /// The Xero payment that the mirror has linked it with, if it has.
    pub linked: Option<XeroPaymentId>,
}

/// A payment that may already be in Xero: what is still to be placed of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The payment.
    pub payment: PaymentId,
    /// Its day.
    pub date: Date,
    /// When it was entered; the oldest payment is paired first.
    pub entered_at: Timestamp,
    /// What belongs to the invoices that it names.
    pub named: Vec<NamedPortion>,
    /// What names no invoice, and whose it is.
    pub unnamed: Option<(XeroContactId, Money)>,
    /// Other payments with the same transaction id, method and amount, which go or went before it.
    pub twins: Vec<PaymentId>,
    /// What a person has said it is not the same as.
    pub apart_from: BTreeSet<Counterpart>,
    /// What a person has said it is the same as, and what was not deleted since: no other payment's.
    pub same_as: BTreeSet<Counterpart>,
}

impl Claim {
    /// Whether money in Xero may be this payment's, or a part of what is: as far as invoice, contact, amount and
    /// day go.
    pub fn concerns(&self, money: &XeroMoney, days: u32) -> bool {
        let of_portion = self
            .named
            .iter()
            .any(|portion| is_on(money, portion) && money.amount == portion.amount);
        let of_contact = self.unnamed.is_some_and(|(contact, amount)| {
            money.contact == Some(contact)
                && money.amount.currency() == amount.currency()
                && money.amount.amount() <= amount.amount()
        });
        let is_linked = self.named.iter().any(|portion| is_link_of(money, portion));
        is_linked
            || self.is_said_same(money)
            || (days_apart(money.date, self.date) <= days && (of_portion || of_contact))
    }

    /// Whether a person has said that this is the same.
    fn is_said_same(&self, money: &XeroMoney) -> bool {
        self.same_as.contains(&Counterpart::Xero(money.id))
    }
}

/// What Xero holds of a payment's money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MoneyInXero {
    /// Nothing that is known.
    Absent,
    /// All of it.
    Certain(Vec<Certain>),
    /// All or some of it, perhaps.
    Possible(Suspicion),
}

/// Says of each payment what Xero holds of its money already. `days` is how many days apart two dates may
/// lie, both ends in, for payments that may be the same.
pub fn standings(
    claims: &[Claim],
    money: &[XeroMoney],
    days: u32,
) -> BTreeMap<PaymentId, MoneyInXero> {
    let mut money: Vec<&XeroMoney> = money.iter().collect();
    money.sort_by_key(|money| money.id);
    money.dedup_by_key(|money| money.id);
    let mut claims: Vec<&Claim> = claims.iter().collect();
    claims.sort_by(|a, b| (a.entered_at, &a.payment).cmp(&(b.entered_at, &b.payment)));
    let said = claims
        .iter()
        .flat_map(|claim| claim.same_as.iter().map(|same| (same.clone(), claim.payment.clone())));
    let mut pairing = Pairing { money, said: said.collect(), taken: BTreeSet::new(), days };
    let certain: Vec<_> = claims.iter().map(|claim| pairing.certain(claim)).collect();
    let judged = claims.iter().zip(certain).map(|(claim, certain)| {
        let all = certain.len() == claim.named.len() && claim.unnamed.is_none();
        let standing = if all && !certain.is_empty() {
            MoneyInXero::Certain(certain)
        } else {
            pairing.possible(claim, certain).map_or(MoneyInXero::Absent, MoneyInXero::Possible)
        };
        (claim.payment.clone(), standing)
    });
    judged.collect()
}

/// The other payments that bear the same transaction id, method and amount, and go or went before this one.
/// A payment that was not taken, or that a person has kept back, is no reason to hold another.
pub fn twins(upload: &Upload, others: &[Upload]) -> Vec<PaymentId> {
    let own = &upload.receipt;
    let age = |upload: &Upload| (upload.receipt.entered_at, upload.receipt.id.clone());
    let is_twin = |other: &&Upload| {
        let same = other.receipt.id != own.id
            && other.receipt.method == own.method
            && other.receipt.transaction_id == own.transaction_id
            && other.receipt.amount == own.amount;
        let in_xero = other.may_be_in_xero()
            || (other.state == UploadState::Skipped && other.reason == Skip::AlreadyInXero.code());
        let goes =
            matches!(other.state, UploadState::Waiting | UploadState::Held | UploadState::Reserved);
        same && (in_xero || (goes && age(other) < age(upload)))
    };
    others.iter().filter(is_twin).map(|other| other.receipt.id.clone()).collect()
}

/// The pairs so far.
struct Pairing<'a> {
    money: Vec<&'a XeroMoney>,
    /// Whose a person has said what is.
    said: BTreeMap<Counterpart, PaymentId>,
    taken: BTreeSet<Uuid>,
    days: u32,
}

impl<'a> Pairing<'a> {
    /// What this payment can be the same as: not taken, no other payment's, and not declined by a person.
    fn free<'p>(&'p self, claim: &'p Claim) -> impl Iterator<Item = &'a XeroMoney> + use<'p, 'a> {
        self.money.iter().copied().filter(move |money| {
            let said = self.said.get(&Counterpart::Xero(money.id));
            let owner = money.owner.as_ref().or(said);
            !self.taken.contains(&money.id)
                && owner.is_none_or(|owner| *owner == claim.payment)
                && !claim.apart_from.contains(&Counterpart::Xero(money.id))
        })
    }

    fn certain(&mut self, claim: &Claim) -> Vec<Certain> {
        let mut certain = Vec::new();
        for portion in &claim.named {
            let differs = |id: &XeroPaymentId| self.is_linked_otherwise(portion, *id);
            let found = portion.linked.filter(|id| !differs(id)).or_else(|| {
                let same = self.free(claim).find(|money| {
                    money.date == claim.date
                        && is_on(money, portion)
                        && money.amount == portion.amount
                });
                same.map(|money| XeroPaymentId::new(money.id))
            });
            if let Some(payment) = found {
                self.taken.insert(payment.uuid());
                certain.push(Certain {
                    invoice: portion.invoice,
                    number: portion.number.clone(),
                    amount: portion.amount,
                    payment,
                });
            }
        }
        certain
    }

    /// Whether what a portion was linked with is another amount, since one of the two has changed.
    fn is_linked_otherwise(&self, portion: &NamedPortion, link: XeroPaymentId) -> bool {
        let linked = self.money.iter().find(|money| money.id == link.uuid());
        linked.is_some_and(|money| money.amount != portion.amount)
    }

    fn possible(&mut self, claim: &Claim, certain: Vec<Certain>) -> Option<Suspicion> {
        let mut found: Vec<&XeroMoney> = Vec::new();
        let mut why = Vec::new();
        let is_certain = |portion: &NamedPortion| {
            certain.iter().any(|certain| certain.invoice == portion.invoice)
        };
        for portion in claim.named.iter().filter(|portion| !is_certain(portion)) {
            let linked = self.free(claim).find(|money| is_link_of(money, portion));
            let near = linked.or_else(|| {
                let equal = |money: &XeroMoney| money.amount == portion.amount;
                self.nearest(claim, |money| is_on(money, portion) && equal(money))
            });
            if let Some(money) = near {
                self.taken.insert(money.id);
                why.push(context(money, claim.date));
                found.push(money);
            }
        }
        if let Some((contact, amount)) = claim.unnamed {
            let together = self.of_contact(claim, contact, amount);
            self.taken.extend(together.iter().map(|money| money.id));
            match together.as_slice() {
                [] => {}
                [one] => why.push(context(one, claim.date)),
                [first, ..] => why.push(format!(
                    "{} payments of the same contact, dated {}, make {amount} together",
                    together.len(),
                    first.date
                )),
            }
            found.extend(together);
        }
        // The rest of the money that it was said to be the same as, however much that is.
        let said: Vec<_> = self.free(claim).filter(|money| claim.is_said_same(money)).collect();
        for money in said {
            self.taken.insert(money.id);
            why.push(context(money, claim.date) + "; a person has said that it is the same");
            found.push(money);
        }
        let mut with: BTreeSet<_> = found.iter().map(|money| Counterpart::Xero(money.id)).collect();
        for twin in &claim.twins {
            if with.len() < ADDENDS_MAX
                && !claim.apart_from.contains(&Counterpart::Local(twin.clone()))
            {
                why.push(format!(
                    "payment {twin} bears the same transaction id, method and amount"
                ));
                with.insert(Counterpart::Local(twin.clone()));
            }
        }
        if !certain.is_empty() {
            why.insert(0, part_only(claim, &certain));
        }
        let why = why.join("; ");
        let contact = claim.unnamed.filter(|_| claim.named.is_empty()).map(|(contact, _)| contact);
        (!why.is_empty()).then_some(Suspicion { certain, with, contact, why })
    }

    /// The nearest by date, within the days.
    fn nearest(&self, claim: &Claim, fits: impl Fn(&XeroMoney) -> bool) -> Option<&'a XeroMoney> {
        let near = self.free(claim).filter(|money| fits(money));
        let near = near.map(|money| (days_apart(money.date, claim.date), money));
        let near = near.filter(|(days, _)| *days <= self.days);
        near.min_by_key(|(days, money)| (*days, money.id)).map(|(_, money)| money)
    }

    /// What stands on a contact as one amount, or as several of one date.
    fn of_contact(
        &self,
        claim: &Claim,
        contact: XeroContactId,
        amount: Money,
    ) -> Vec<&'a XeroMoney> {
        let is_its = |money: &XeroMoney| money.contact == Some(contact);
        let one = self.nearest(claim, |money| is_its(money) && money.amount == amount);
        if let Some(one) = one {
            return vec![one];
        }
        let mut by_date: BTreeMap<Date, Vec<&XeroMoney>> = BTreeMap::new();
        let near = |money: &&XeroMoney| days_apart(money.date, claim.date) <= self.days;
        for money in self.free(claim).filter(|money| is_its(money)).filter(near) {
            let fits = money.amount.currency() == amount.currency() && money.amount.is_positive();
            if fits && money.amount.amount() < amount.amount() {
                by_date.entry(money.date).or_default().push(money);
            }
        }
        let mut dates: Vec<_> = by_date.into_iter().collect();
        dates.sort_by_key(|(date, _)| (days_apart(*date, claim.date), *date));
        dates
            .into_iter()
            .find_map(|(_, money)| addends(&money, amount.amount()))
            .unwrap_or_default()
    }
}

/// Whether a portion was linked with this.
fn is_link_of(money: &XeroMoney, portion: &NamedPortion) -> bool {
    portion.linked == Some(XeroPaymentId::new(money.id))
}

fn is_on(money: &XeroMoney, portion: &NamedPortion) -> bool {
    money.invoice.as_ref().is_some_and(|(invoice, _)| *invoice == portion.invoice)
}

/// Some of these, at most [`ADDENDS_MAX`], that make the sum; all of them where there are too many ways to
/// try.
fn addends<'a>(money: &[&'a XeroMoney], sum: Decimal) -> Option<Vec<&'a XeroMoney>> {
    let mut sums: HashMap<Decimal, Vec<usize>> = HashMap::from([(Decimal::ZERO, Vec::new())]);
    for (position, addend) in money.iter().enumerate() {
        let mut more = Vec::new();
        for (made, of) in &sums {
            let Some(made) = made.checked_add(addend.amount.amount()) else { continue };
            if made <= sum && of.len() < ADDENDS_MAX {
                let mut of = of.clone();
                of.push(position);
                more.push((made.normalize(), of));
            }
        }
        for (made, of) in more {
            let shortest = sums.entry(made).or_insert_with(|| of.clone());
            if of.len() < shortest.len() {
                *shortest = of;
            }
        }
        if sums.len() > SUMS_MAX {
            return Some(money.to_vec());
        }
    }
    let of = sums.get(&sum.normalize())?;
    Some(of.iter().filter_map(|position| money.get(*position).copied()).collect())
}

fn context(money: &XeroMoney, date: Date) -> String {
    let apart = match days_apart(money.date, date) {
        0 => "of the same day".to_owned(),
        1 => format!("of {}, 1 day apart", money.date),
        days => format!("of {}, {days} days apart", money.date),
    };
    let place = match &money.invoice {
        Some((_, number)) => format!("on invoice {number}"),
        None => "of the same contact".to_owned(),
    };
    format!("Xero has a {} of {} {place}, {apart}", money.kind.noun(), money.amount)
}

fn part_only(claim: &Claim, certain: &[Certain]) -> String {
    let there: Vec<_> =
        certain.iter().map(|part| format!("{} on {}", part.amount, part.number)).collect();
    let missing = claim
        .named
        .iter()
        .filter(|portion| !certain.iter().any(|certain| certain.invoice == portion.invoice))
        .map(|portion| format!("{} for {}", portion.amount, portion.number))
        .chain(claim.unnamed.map(|(_, amount)| format!("{amount} that names no invoice")));
    let missing: Vec<_> = missing.collect();
    format!("Xero has {} of it already, and not {}", there.join(" and "), missing.join(" and "))
}

/// How many days lie between two days.
pub(crate) fn days_apart(a: Date, b: Date) -> u32 {
    let hours = a.duration_until(b).as_hours().unsigned_abs();
    u32::try_from(hours.div_ceil(24)).unwrap_or(u32::MAX)
}
