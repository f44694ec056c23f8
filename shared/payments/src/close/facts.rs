//! What the rows of the activity log say, folded: of each invoice, and of each payment that is on none.
//!
//! Of every figure the newest row counts, in any order of reading: taking them in any order, and taking
//! one twice, gives the same facts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use super::position::InvoicePosition;
use crate::activity_kind::{Logged, Occurrence};
use crate::decision::Action;
use crate::discrepancy::DiscrepancyKey;
use crate::events::Entry;
use crate::ids::{IdError, InvoiceNumber, OrderId, PaymentId, XeroContactId};
use crate::money::Money;
use crate::payment::PaymentStatus;
use crate::upload::UploadState;

/// What a row of a close is about.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CloseSubject {
    /// A contact in Xero, about which something does not agree.
    Contact(XeroContactId),
    /// An invoice.
    Invoice(InvoiceNumber),
    /// An order, about which something does not agree.
    Order(OrderId),
    /// A payment that names no invoice, or about which as a whole something does not agree.
    Payment(PaymentId),
}

impl fmt::Display for CloseSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(contact) => write!(f, "contact/{contact}"),
            Self::Invoice(number) => write!(f, "invoice/{number}"),
            Self::Order(order) => write!(f, "order/{order}"),
            Self::Payment(payment) => write!(f, "payment/{payment}"),
        }
    }
}

impl FromStr for CloseSubject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            Some(("contact", id)) => id.parse().map(Self::Contact),
            Some(("invoice", id)) => id.parse().map(Self::Invoice),
            Some(("order", id)) => id.parse().map(Self::Order),
            Some(("payment", id)) => id.parse().map(Self::Payment),
            _ => Err(IdError::NotText { what: "a subject of a close" }),
        }
    }
}

/// A figure, with the row of the log that says it. Rows are compared by their keys, which begin with the instant; a
/// figure that an earlier close has handed on has none, so that every row is newer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Register<T> {
    /// The key of the row; empty of a figure of an earlier close.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// The figure.
    pub value: T,
}

/// Facts about the money of a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentRecord {
    /// On an invoice the part of it, else the whole payment.
    pub amount: Money,
    /// What became of the money.
    pub status: PaymentStatus,
    /// Whether it is known to be in Xero.
    pub in_xero: bool,
    /// Whether it was taken off again.
    pub gone: bool,
    /// Until when Xero's payment waits for its day, if it does (CM-40).
    pub held_until: Option<Date>,
}

/// Where a payment stands on its way to Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UploadFact {
    /// The whole payment.
    pub amount: Money,
    /// What became of the money.
    pub status: PaymentStatus,
    /// Its state.
    pub state: UploadState,
    /// The code of the reason.
    pub reason: String,
    /// The night that dealt with it last.
    pub night: Option<Date>,
}

/// The facts about one payment, on an invoice or on none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PaymentMovement {
    /// Its money.
    pub record: Option<Register<PaymentRecord>>,
    /// Its way to Xero.
    pub upload: Option<Register<UploadFact>>,
    /// Since when it is pending, as far as the rows say.
    pub pending_since: Option<Timestamp>,
    /// Whether it was reported on this invoice, or found there in Xero. A part that a night has placed here was not: its
    /// payment is counted as a whole.
    pub reported: bool,
}

/// The facts about one invoice, contact, or payment on no invoice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubjectFacts {
    /// How the invoice stands.
    pub position: Option<Register<InvoicePosition>>,
    /// The payments on it, by their ids; a held one by Xero's.
    pub payments: BTreeMap<String, PaymentMovement>,
    /// Discrepancies that were opened or closed where no invoice says how it stands.
    pub found: BTreeMap<DiscrepancyKey, Register<bool>>,
}

/// What the log says of a day.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DayFacts {
    subjects: BTreeMap<CloseSubject, SubjectFacts>,
    /// Uploads of payments over several invoices, whose rows name none.
    uploads: BTreeMap<PaymentId, Register<UploadFact>>,
    /// Since when a payment names invoices.
    named: BTreeMap<PaymentId, String>,
}

/// When what a row says has happened. Of money that came, changed or went, that is when it did at its source; of anything
/// else, such as a due date that has passed, when it was decided.
pub fn happened_at(entry: &Entry) -> Timestamp {
    let is_money = entry.payment.amount.is_some()
        && matches!(
            entry.logged,
            Logged::Decided(
                Action::Deleted | Action::Imported | Action::Recorded | Action::Updated
            )
        );
    match entry.event_at.filter(|_| is_money) {
        Some(event_at) => event_at.min(entry.at),
        None => entry.at,
    }
}

/// How a payment in Xero without a copy is called among the payments of its invoice.
const IN_XERO: &str = "xero/";

fn newest<T>(known: &mut Option<Register<T>>, incoming: Register<T>) {
    if known.as_ref().is_none_or(|known| known.key < incoming.key) {
        *known = Some(incoming);
    }
}

impl DayFacts {
    /// Takes what an earlier close has left open.
    pub fn carry(&mut self, subject: CloseSubject, facts: SubjectFacts) {
        self.subjects.insert(subject, facts);
    }

    /// The subjects with their facts, in order.
    pub fn subjects(&self) -> impl Iterator<Item = (&CloseSubject, &SubjectFacts)> + Clone {
        self.subjects.iter()
    }

    /// The upload of a payment over several invoices.
    pub(super) fn upload(&self, payment: &str) -> Option<&Register<UploadFact>> {
        self.uploads.get(&payment.parse::<PaymentId>().ok()?)
    }

    /// What does not agree about a payment as a whole, if it is on an invoice.
    pub(super) fn about_payment(&self, payment: &str) -> Option<&SubjectFacts> {
        self.subjects.get(&CloseSubject::Payment(payment.parse().ok()?))
    }

    /// Whether a payment that was on no invoice names some since.
    pub(super) fn names_invoices_since(&self, payment: &PaymentId, key: &str) -> bool {
        self.named.get(payment).is_some_and(|named| named.as_str() > key)
    }

    /// Takes a row of the log.
    pub fn take(&mut self, entry: &Entry) {
        let at = happened_at(entry);
        if entry.payment.id.as_ref().is_some_and(PaymentId::is_provider_invoice) {
            return;
        }
        self.note_named(entry);
        let Some(subject) = self.subject_of(entry) else {
            self.take_upload_of_several(entry, at);
            return;
        };
        let facts = self.subjects.entry(subject).or_default();
        let stamped = |value| Register { key: entry.id.clone(), at, value };
        if let Some(position) = entry.invoice.as_ref().and_then(|on| on.position.clone()) {
            newest(&mut facts.position, Register { key: entry.id.clone(), at, value: position });
        } else if let Some(found) = &entry.discrepancy {
            let key = DiscrepancyKey { kind: found.kind, subject: found.subject.clone() };
            let is_open = entry.logged == Logged::Decided(Action::DiscrepancyRaised);
            let mut known = facts.found.remove(&key);
            newest(&mut known, stamped(is_open));
            facts.found.extend(known.map(|known| (key, known)));
        }
        facts.take_payment(entry, at);
    }

    fn note_named(&mut self, entry: &Entry) {
        let on_invoice =
            entry.logged == Logged::Decided(Action::Recorded) && entry.invoice.is_some();
        let names = entry.payment.invoices.is_some_and(|invoices| invoices > 0);
        if let Some(payment) = entry.payment.id.as_ref().filter(|_| on_invoice || names) {
            let key = self.named.entry(payment.clone()).or_default();
            if *key < entry.id {
                key.clone_from(&entry.id);
            }
        }
    }

    /// What a row is about; `None` of a row that says nothing of money, and of an upload over several invoices.
    fn subject_of(&self, entry: &Entry) -> Option<CloseSubject> {
        let is_ours = matches!(
            entry.logged,
            Logged::Decided(_) | Logged::Upload(_) | Logged::Happened(Occurrence::Warned)
        );
        if !is_ours {
            return None;
        }
        // The upload of a payment that a night has placed on an invoice is about the payment.
        let is_spread =
            matches!(entry.logged, Logged::Upload(_)) && entry.payment.invoices == Some(0);
        if let Some(invoice) = entry.invoice.as_ref().filter(|_| !is_spread) {
            return Some(CloseSubject::Invoice(invoice.number.clone()));
        }
        if let Some(contact) = entry.contact.filter(|_| entry.discrepancy.is_some()) {
            return Some(CloseSubject::Contact(contact));
        }
        let order = entry.order.as_ref().filter(|_| entry.discrepancy.is_some());
        if let Some(order) = order {
            return Some(CloseSubject::Order(order.id.clone()));
        }
        let payment = entry.payment.id.clone()?;
        // A row of an earlier version does not say how many invoices its payment names.
        let names_none = match entry.logged {
            Logged::Decided(Action::Recorded) => true,
            // What does not agree about it as a whole.
            _ if entry.discrepancy.is_some() => true,
            _ => entry.payment.invoices == Some(0),
        };
        names_none.then_some(CloseSubject::Payment(payment))
    }

    fn take_upload_of_several(&mut self, entry: &Entry, at: Timestamp) {
        let (Some(upload), Some(payment)) = (upload_fact(entry), &entry.payment.id) else { return };
        let mut known = self.uploads.remove(payment);
        newest(&mut known, Register { key: entry.id.clone(), at, value: upload });
        self.uploads.extend(known.map(|known| (payment.clone(), known)));
    }
}

impl SubjectFacts {
    fn take_payment(&mut self, entry: &Entry, at: Timestamp) {
        if entry.discrepancy.is_some() {
            return;
        }
        let (Some(amount), Some(name)) = (entry.payment.amount, payment_name(entry)) else {
            return;
        };
        let facts = self.payments.entry(name).or_default();
        let stamp = |value| Register { key: entry.id.clone(), at, value };
        let in_xero = entry.payment.xero.is_some();
        // Rows of an earlier version do not say what became of the money.
        let status = entry.payment.status.unwrap_or(PaymentStatus::Confirmed);
        let record =
            PaymentRecord { amount, status, in_xero, gone: false, held_until: entry.until };
        if status == PaymentStatus::Pending {
            let earlier = facts.pending_since.is_some_and(|since| since <= at);
            facts.pending_since = if earlier { facts.pending_since } else { Some(at) };
        }
        if let Some(upload) = upload_fact(entry) {
            facts.reported |= entry.payment.invoices.is_some_and(|invoices| invoices > 0);
            newest(&mut facts.upload, Register { key: entry.id.clone(), at, value: upload });
            return;
        }
        match entry.logged {
            Logged::Decided(Action::Deleted | Action::Released) => {
                newest(&mut facts.record, stamp(PaymentRecord { gone: true, ..record }));
            }
            Logged::Upload(_) => {}
            Logged::Decided(action) => {
                facts.reported |= action != Action::Uploaded;
                newest(&mut facts.record, stamp(record));
            }
            Logged::Happened(_) => {
                facts.reported = true;
                newest(&mut facts.record, stamp(record));
            }
        }
    }
}

fn upload_fact(entry: &Entry) -> Option<UploadFact> {
    let Logged::Upload(state) = entry.logged else { return None };
    Some(UploadFact {
        amount: entry.payment.amount?,
        status: entry.payment.status.unwrap_or(PaymentStatus::Confirmed),
        state,
        reason: entry.reason.clone().unwrap_or_default(),
        night: entry.night,
    })
}

/// By which name a payment stands among those of its invoice.
pub fn payment_name(entry: &Entry) -> Option<String> {
    match (&entry.payment.id, entry.payment.xero) {
        (Some(payment), _) => Some(payment.to_string()),
        (None, Some(xero)) => Some(format!("{IN_XERO}{xero}")),
        (None, None) => None,
    }
}
