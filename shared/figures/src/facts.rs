//! What the rows of the log say, folded, for the figures of one period.
//!
//! Rows are taken in the order of the log, from its first day to the end of the period. Events until then that were
//! decided a quarter of an hour later at most count; nothing after that does, so that the same log gives the same figures on any later day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::close::{DayFacts, GRACE, happened_at, payment_name};
use payments::events::{Entry, EntryOrderReport};
use payments::{
    Action, Adjustment, CustomerId, InvoiceNumber, Logged, Money, Occurrence, OrderId,
    OrderProgress, OrderStatus, PaymentStatus,
};

use crate::episode::{Episodes, about};

/// What a close does not need to know of a payment.
#[derive(Clone, Debug)]
pub(crate) struct PaymentProfile {
    /// When it came.
    pub(crate) first_at: Timestamp,
    pub(crate) date: Option<jiff::civil::Date>,
    pub(crate) method: String,
    pub(crate) customer: Option<CustomerId>,
    /// The whole of it, where a row on no invoice says that.
    pub(crate) whole: Option<(Money, PaymentStatus)>,
    /// Whether a person had to do something about it (ST-23).
    pub(crate) by_person: bool,
    /// When its money was given back.
    pub(crate) refunded_at: Option<Timestamp>,
}

/// How an order stood by its own rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderTrace {
    pub(crate) reported: Option<EntryOrderReport>,
    pub(crate) progress: Option<OrderProgress>,
    pub(crate) status: Option<OrderStatus>,
    /// When money came for it, changed or went, as far as that changed how it stands.
    pub(crate) moved_at: Option<Timestamp>,
}

/// How long something took to be seen here (SP-09).
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) payment: String,
    pub(crate) event_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    pub(crate) cause: String,
}

/// An order to change a record.
#[derive(Clone, Debug)]
pub(crate) struct OrderedAdjustment {
    pub(crate) at: Timestamp,
    pub(crate) about: String,
    pub(crate) adjustment: Adjustment,
    pub(crate) by: Option<String>,
    pub(crate) why: Option<String>,
}

/// What the last row about a thing says of it, in a code.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) at: Timestamp,
    pub(crate) code: String,
}

/// The facts of the log for a period.
#[derive(Clone, Debug)]
pub struct PeriodFacts {
    /// Behind this it begins.
    pub(crate) from: Timestamp,
    /// Until this it lasts.
    pub(crate) until: Timestamp,
    pub(crate) close: DayFacts,
    pub(crate) payments: BTreeMap<String, PaymentProfile>,
    pub(crate) episodes: Episodes,
    pub(crate) orders: BTreeMap<OrderId, OrderTrace>,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) adjustments: Vec<OrderedAdjustment>,
    pub(crate) notices: BTreeMap<String, Said>,
    pub(crate) recounts: BTreeMap<String, Said>,
    pub(crate) audits: BTreeMap<String, Said>,
    pub(crate) in_xero_since: BTreeMap<InvoiceNumber, Timestamp>,
    pub(crate) customers: BTreeMap<InvoiceNumber, CustomerId>,
    pub(crate) rows: u64,
}

impl PeriodFacts {
    /// No facts yet, for a period that begins at one moment and ends right before another.
    pub fn new((from, until): (Timestamp, Timestamp)) -> Self {
        Self {
            from,
            until,
            close: DayFacts::default(),
            payments: BTreeMap::new(),
            episodes: Episodes::default(),
            orders: BTreeMap::new(),
            sightings: Vec::new(),
            adjustments: Vec::new(),
            notices: BTreeMap::new(),
            recounts: BTreeMap::new(),
            audits: BTreeMap::new(),
            in_xero_since: BTreeMap::new(),
            customers: BTreeMap::new(),
            rows: 0,
        }
    }

    /// The last moment at which a row may have been decided that belongs here.
    pub fn decided_until(until: Timestamp) -> Timestamp {
        until.saturating_add(GRACE).unwrap_or(until)
    }

    /// Whether a moment lies in the period.
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Takes a row of the log.
    pub fn take(&mut self, entry: &Entry) {
        if happened_at(entry) >= self.until || entry.at > Self::decided_until(self.until) {
            return;
        }
        self.rows += 1;
        let id = entry.payment.id.as_ref();
        if id.is_some_and(|id| {
            id.is_provider_invoice() || id.is_provider_credit() || id.is_credit_allocation()
        }) {
            return;
        }
        self.close.take(entry);
        self.episodes.take(entry);
        self.take_invoice(entry);
        self.take_payment(entry);
        self.take_order(entry);
        match entry.logged {
            Logged::Decided(Action::AdjustmentRequested) => self.take_adjustment(entry),
            Logged::Decided(Action::NoticeReported) => say(&mut self.notices, entry),
            Logged::Happened(
                Occurrence::ReportDiffers | Occurrence::ReportRecounted | Occurrence::ReportStored,
            ) => {
                say(&mut self.recounts, entry);
            }
            _ => {}
        }
    }

    fn take_invoice(&mut self, entry: &Entry) {
        let Some(invoice) = &entry.invoice else { return };
        if let Some(customer) = &entry.customer {
            self.customers.insert(invoice.number.clone(), customer.clone());
        }
        if invoice.xero.is_some() {
            self.in_xero_since.entry(invoice.number.clone()).or_insert(entry.at);
        }
    }

    fn take_payment(&mut self, entry: &Entry) {
        let (Some(amount), Some(name)) = (entry.payment.amount, payment_name(entry)) else {
            return;
        };
        if entry.discrepancy.is_some() || entry.order.is_some() {
            return;
        }
        let at = happened_at(entry);
        let is_seen = matches!(
            entry.logged,
            Logged::Decided(
                Action::Adopted
                    | Action::Deleted
                    | Action::Held
                    | Action::Imported
                    | Action::Matched
                    | Action::Recorded
                    | Action::Updated
            )
        );
        if let Some(event_at) = entry.event_at.filter(|_| is_seen && self.covers(entry.at)) {
            self.sightings.push(Sighting {
                payment: name.clone(),
                event_at,
                seen_at: entry.at,
                cause: entry.cause.clone().unwrap_or_default(),
            });
        }
        let profile = self.payments.entry(name).or_insert_with(|| PaymentProfile {
            first_at: at,
            date: None,
            method: String::new(),
            customer: None,
            whole: None,
            by_person: false,
            refunded_at: None,
        });
        profile.first_at = profile.first_at.min(at);
        profile.date = entry.payment.date.or(profile.date);
        if let Some(method) = &entry.payment.method {
            profile.method.clone_from(method);
        }
        if let Some(customer) = &entry.customer {
            profile.customer = Some(customer.clone());
        }
        let status = entry.payment.status.unwrap_or(PaymentStatus::Confirmed);
        if entry.invoice.is_none() {
            profile.whole = Some((amount, status));
        }
        profile.by_person |= entry.by.is_some() || entry.cause.as_deref() == Some("console");
        profile.refunded_at = match status {
            PaymentStatus::Refunded => profile.refunded_at.or(Some(at)),
            _ => None,
        };
    }

    fn take_order(&mut self, entry: &Entry) {
        let Some(order) = entry.order.as_ref().filter(|_| entry.discrepancy.is_none()) else {
            return;
        };
        let trace = self.orders.entry(order.id.clone()).or_default();
        if let Some(reported) = &order.reported {
            trace.reported = Some(reported.clone());
        }
        if let Some(progress) = order.progress {
            trace.progress = Some(progress);
            trace.status = order.status;
            trace.moved_at = Some(entry.at);
        }
    }

    fn take_adjustment(&mut self, entry: &Entry) {
        if let (Some(adjustment), true) = (&entry.adjustment, self.covers(entry.at)) {
            self.adjustments.push(OrderedAdjustment {
                at: entry.at,
                about: about(entry).unwrap_or_default(),
                adjustment: adjustment.clone(),
                by: entry.by.clone(),
                why: entry.why.clone(),
            });
        }
    }
}

/// What a row says of what its key names, between the moment and a count: the newest one stays.
fn say(said: &mut BTreeMap<String, Said>, entry: &Entry) {
    let name = entry.id.splitn(3, '#').nth(2).unwrap_or_default();
    let name = name.rsplit_once('#').map_or(name, |(name, _)| name);
    let code = entry.reason.clone().unwrap_or_default();
    said.insert(name.to_owned(), Said { at: entry.at, code });
}
