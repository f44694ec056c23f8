//! The completeness certificate: whether every change of a payment in Xero is accounted for here.
//!
//! It asks Xero for what changed, and the tables for what became of it, and nothing in between: neither
//! the queue nor the log of what was done. It fails openly: what is not accounted for is listed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::refund::{Refund, RefundStep};
use crate::discrepancy::{Discrepancy, DiscrepancyKind};
use crate::ids::{OrganisationId, XeroInvoiceId, XeroPaymentId};
use crate::invoice::XeroPaymentKind;
use crate::payment::Kind;
use crate::reason::{Ignored, codes};
use crate::settings::Settings;
use crate::stored::StoredInvoice;

/// How old a change must be to be certified: what is younger may still be on its way, as it should be
/// (SP-09).
pub const CERTIFIED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Most changes that a certificate lists as missing; the others are counted.
pub const LISTED_MAX: usize = 100;

codes! {
    /// What became of a payment's change.
    Accounted {
        /// It stands here as it does in Xero; or is gone here as it is there.
        Applied = "applied",
        /// It is known, and waits or is left out for a reason that is stored.
        Held = "held",
        /// The local payment is left as it is on purpose, which a discrepancy says.
        Protected = "protected",
        /// It concerns nothing here.
        Ignored = "ignored",
        /// Nothing here accounts for it.
        Missing = "missing",
    }
    /// Whether everything is accounted for.
    CertificateState {
        /// Everything.
        Complete = "complete",
        /// Not everything: see the list.
        Incomplete = "incomplete",
        /// It could not be found out.
        Failed = "failed",
    }
}

/// A payment as Xero lists it among what changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentChange {
    /// Which payment.
    pub id: XeroPaymentId,
    /// On what. Of a refund, no invoice.
    pub invoice: Option<XeroInvoiceId>,
    /// The number of that invoice, where the row says it.
    pub number: Option<String>,
    /// What it does.
    pub kind: XeroPaymentKind,
    /// Of a refund, what it says; `None` if Xero does not name its contact.
    pub refund: Option<Refund>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// In the invoice's currency.
    pub amount: Decimal,
    /// The calendar day.
    pub date: Date,
    /// When it changed.
    pub updated_at: Timestamp,
}

/// A change that is not accounted for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// Which payment.
    pub payment: XeroPaymentId,
    /// On which invoice.
    pub invoice: Option<XeroInvoiceId>,
    /// Its number in Xero.
    pub number: Option<String>,
    /// The fault.
    pub why: &'static str,
}

/// The result of a check: for one organisation and day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The day on which it was made, in the organisation's time zone.
    pub day: Date,
    /// Whether everything is accounted for.
    pub state: CertificateState,
    /// Changes from here on were looked at.
    pub from: Timestamp,
    /// Up to here.
    pub until: Timestamp,
    /// When it was made.
    pub checked_at: Timestamp,
    /// How many changes there were, by what became of them.
    pub counts: BTreeMap<Accounted, u32>,
    /// The same by reason.
    pub reasons: BTreeMap<String, u32>,
    /// By currency: the sum of the payments that are applied, in Xero and here.
    pub sums: BTreeMap<String, (Decimal, Decimal)>,
    /// The changes that are not accounted for, the first [`LISTED_MAX`].
    pub missing: Vec<Missing>,
    /// Decisions about payments that a sweep has brought since the last certificate: what webhooks had
    /// missed.
    pub repaired: u32,
    /// When what is not settled was last compared with Xero, all of it.
    pub unsettled_compared_at: Option<Timestamp>,
    /// What is settled was compared with Xero too, all of it since the beginning of this day.
    pub all_compared_since: Option<Date>,
    /// Calls of Xero's API.
    pub calls: u32,
    /// Why it could not be found out. Never names or amounts.
    pub problem: Option<String>,
}

impl Certificate {
    /// Nothing is looked at yet.
    pub fn begun(settings: &Settings, from: Timestamp, now: Timestamp) -> Self {
        Self {
            organisation: settings.organisation,
            day: settings.day_of(now),
            state: CertificateState::Complete,
            from,
            until: now.saturating_sub(CERTIFIED_AFTER).unwrap_or(now),
            checked_at: now,
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            sums: BTreeMap::new(),
            missing: Vec::new(),
            repaired: 0,
            unsettled_compared_at: None,
            all_compared_since: None,
            calls: 0,
            problem: None,
        }
    }

    /// From where the next one looks: what this one could not account for is looked at again.
    pub fn next_from(&self) -> Timestamp {
        match self.state {
            CertificateState::Complete => self.until,
            CertificateState::Incomplete | CertificateState::Failed => self.from,
        }
    }

    /// How many were counted so.
    pub fn count(&self, accounted: Accounted) -> u32 {
        self.counts.get(&accounted).copied().unwrap_or(0)
    }

    /// Takes a change in. Without `stored`, its invoice is not known here.
    pub fn take(
        &mut self,
        change: &PaymentChange,
        stored: Option<&StoredInvoice>,
        settings: &Settings,
    ) {
        self.count_in(change, stored, account(change, stored, settings));
    }

    /// Takes a refund in. `known` is the discrepancy on its contact, if there is one.
    pub fn take_refund(&mut self, change: &PaymentChange, known: Option<&Discrepancy>) {
        let accounted = match change.refund.as_ref().map(|refund| refund.step(known)) {
            None => (Accounted::Missing, "a refund whose contact Xero does not name"),
            Some(RefundStep::Open) => (Accounted::Missing, "no discrepancy says this refund"),
            Some(RefundStep::Close) => {
                (Accounted::Missing, "its discrepancy is open, though it was deleted in Xero")
            }
            Some(RefundStep::Nothing) if change.deleted => (Accounted::Applied, "gone"),
            Some(RefundStep::Nothing) => {
                (Accounted::Protected, DiscrepancyKind::RefundInXero.code())
            }
        };
        self.count_in(change, None, accounted);
    }

    fn count_in(
        &mut self,
        change: &PaymentChange,
        stored: Option<&StoredInvoice>,
        (accounted, reason): (Accounted, &'static str),
    ) {
        if change.updated_at > self.until {
            return;
        }
        let add = |count: &mut u32| *count = count.saturating_add(1);
        add(self.counts.entry(accounted).or_default());
        add(self.reasons.entry(reason.to_owned()).or_default());
        match accounted {
            Accounted::Missing => {
                self.state = CertificateState::Incomplete;
                if self.missing.len() < LISTED_MAX {
                    self.missing.push(Missing {
                        payment: change.id,
                        invoice: change.invoice,
                        number: change.number.clone(),
                        why: reason,
                    });
                }
            }
            Accounted::Applied if !change.deleted => {
                if let Some(here) = stored.and_then(|stored| stored.linked(change.id)) {
                    let sums = self.sums.entry(here.amount.currency().to_string()).or_default();
                    sums.0 = sums.0.saturating_add(change.amount);
                    sums.1 = sums.1.saturating_add(here.amount.amount());
                }
            }
            _ => {}
        }
    }
}

impl Certificate {
    /// Takes in a change that cannot be read: nothing here can account for it (AMB-30).
    pub fn take_unreadable(
        &mut self,
        payment: Option<XeroPaymentId>,
        invoice: Option<XeroInvoiceId>,
        number: Option<String>,
    ) {
        let why = "it cannot be read in Xero";
        let add = |count: &mut u32| *count = count.saturating_add(1);
        add(self.counts.entry(Accounted::Missing).or_default());
        add(self.reasons.entry(why.to_owned()).or_default());
        self.state = CertificateState::Incomplete;
        if let Some(payment) = payment.filter(|_| self.missing.len() < LISTED_MAX) {
            self.missing.push(Missing { payment, invoice, number, why });
        }
    }
}

/// What became of a change, and the reason.
pub fn account(
    change: &PaymentChange,
    stored: Option<&StoredInvoice>,
    settings: &Settings,
) -> (Accounted, &'static str) {
    if change.kind != XeroPaymentKind::Received {
        return (Accounted::Ignored, "no_money_received");
    }
    let linked = stored.and_then(|stored| stored.linked(change.id));
    // Of an organisation that only uploads, what we uploaded is looked after, and nothing is copied (AMB-37).
    if !settings.mirror_enabled {
        return match linked.filter(|payment| payment.kind == Kind::Uploaded) {
            None => (Accounted::Ignored, Ignored::Disabled.code()),
            Some(_) if change.deleted => {
                (Accounted::Missing, "we uploaded it, and it was deleted in Xero")
            }
            Some(payment)
                if payment.amount.amount() == change.amount && payment.date == change.date =>
            {
                (Accounted::Applied, "equal")
            }
            Some(_) => (Accounted::Missing, "it is another amount or date here"),
        };
    }
    let ours = change.number.as_deref().map(|number| settings.prefix.to_local(number));
    // A payment that is not on an invoice of ours any more must not be here; see below.
    if let (Some(Err(reason)), None) = (&ours, linked) {
        return (Accounted::Ignored, reason.code());
    }
    if ours.is_none() && stored.is_none() {
        return (Accounted::Ignored, Ignored::NotCmPrefix.code());
    }
    if change.deleted {
        return match linked {
            None => (Accounted::Applied, "gone"),
            Some(payment) if payment.journaled => (Accounted::Protected, "journaled"),
            Some(payment) if payment.kind == Kind::Uploaded => {
                (Accounted::Protected, "uploaded_by_us")
            }
            Some(_) => (Accounted::Missing, "still here, though it was deleted in Xero"),
        };
    }
    let Some(stored) = stored.filter(|stored| stored.xero.is_some()) else {
        return (Accounted::Missing, "its invoice has never been read");
    };
    if let Some(held) = stored.held.iter().find(|held| held.payment.id == change.id) {
        return (Accounted::Held, held.reason.code());
    }
    match linked {
        Some(payment)
            if payment.amount.amount() == change.amount && payment.date == change.date =>
        {
            (Accounted::Applied, "equal")
        }
        Some(payment) if payment.journaled => (Accounted::Protected, "journaled"),
        Some(payment) if payment.multi_invoice => (Accounted::Protected, "multi_invoice"),
        Some(_) => (Accounted::Missing, "it is another amount or date here"),
        // Without a local invoice nothing is created; the discrepancy says so (A1.1 guard 4).
        None if stored.local.is_none() => (Accounted::Held, "UNKNOWN_INVOICE"),
        None => (Accounted::Missing, "not here"),
    }
}
