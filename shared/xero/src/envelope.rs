//! What a webhook delivery says. An event is a hint that something changed; it carries no content.

use std::fmt;

use jiff::Timestamp;
use payments::OrganisationId;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;
use uuid::Uuid;

use crate::dates;
use crate::wire::{object, text};

/// How much of an unknown category is kept, in characters. Xero's longest so far has 12.
pub const CATEGORY_CHARS_MAX: usize = 40;

/// The host of every genuine `resourceUrl`.
const RESOURCE_HOST: &str = "api.xero.com";

/// A signed body that is no webhook delivery at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, not UTF-8, or cut short.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but no object with a list of `events`; or a member stands in it twice, and it cannot
    /// be known which one is meant.
    #[error("the body is not an object with a list of events")]
    NotAnEnvelope,
}

/// One webhook request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The events that can be used, in the order in which they stand. Empty when Xero checks
    /// that the endpoint intends to receive. They may belong to several organisations.
    pub events: Vec<Event>,
    /// The events that cannot be used. They do not hold up the others.
    pub malformed: Vec<Malformed>,
    /// Number of the first event; 0 in a check of the endpoint, and when it is missing or absurd.
    /// Only good for monitoring: whether Xero counts per app or per subscription is undocumented.
    pub first_sequence: i64,
    /// Number of the last event, likewise.
    pub last_sequence: i64,
}

/// Something of an organisation changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Whose. For `SUBSCRIPTION` events this is the id of our app instead.
    pub organisation: OrganisationId,
    /// What sort of thing.
    pub category: Category,
    /// Whether it is new. A voided or deleted one is an update, too.
    pub kind: EventKind,
    /// Which one: an `InvoiceID`, a `ContactID` and so on.
    pub resource: Uuid,
    /// When, by Xero's clock. `None` when it cannot be read: the change is just as real.
    pub at: Option<Timestamp>,
    /// Whether `resourceUrl` is anything but an address at `https://api.xero.com`. It is never
    /// followed in any case; addresses are built from our own base and the id.
    pub foreign_url: bool,
}

/// What sort of thing an event is about. Xero adds categories every few months.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Category {
    /// `INVOICE`: an invoice or a bill; the event does not say which. Payments show up here.
    Invoice,
    /// `CREDITNOTE`
    CreditNote,
    /// `PREPAYMENT`
    Prepayment,
    /// `OVERPAYMENT`
    Overpayment,
    /// `CONTACT`
    Contact,
    /// `SUBSCRIPTION`: of the app in Xero's app store.
    Subscription,
    /// Any other: at most [`CATEGORY_CHARS_MAX`] of its printable ASCII characters.
    Other(String),
}

impl Category {
    fn read(text: &str) -> Self {
        let known = [
            Self::Invoice,
            Self::CreditNote,
            Self::Prepayment,
            Self::Overpayment,
            Self::Contact,
            Self::Subscription,
        ];
        known
            .into_iter()
            .find(|category| category.code().eq_ignore_ascii_case(text))
            .unwrap_or_else(|| {
                let printable = text.chars().filter(|c| matches!(c, ' '..='~'));
                Self::Other(printable.take(CATEGORY_CHARS_MAX).collect())
            })
    }

    /// Xero's word for it, safe to be logged.
    pub fn code(&self) -> &str {
        match self {
            Self::Invoice => "INVOICE",
            Self::CreditNote => "CREDITNOTE",
            Self::Prepayment => "PREPAYMENT",
            Self::Overpayment => "OVERPAYMENT",
            Self::Contact => "CONTACT",
            Self::Subscription => "SUBSCRIPTION",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What happened to it. Of no consequence to us, because the thing is read again in any case.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EventKind {
    /// `CREATE`
    Create,
    /// `UPDATE`
    Update,
    /// Anything else, or nothing.
    Other,
}

/// An event that cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed {
    /// Where it stands in the list, from 0.
    pub position: usize,
    /// The problem. Says nothing of its content.
    pub problem: &'static str,
}

/// The body. Unknown members are passed over at every level.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDelivery<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(borrow)]
    first_event_sequence: Option<&'a RawValue>,
    #[serde(borrow)]
    last_event_sequence: Option<&'a RawValue>,
}

/// One event. Each member is read by itself, so that one bad member never hides which one it was.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent<'a> {
    #[serde(borrow)]
    resource_url: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_id: Option<&'a RawValue>,
    #[serde(borrow)]
    tenant_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event_category: Option<&'a RawValue>,
    #[serde(borrow)]
    event_type: Option<&'a RawValue>,
    #[serde(borrow)]
    event_date_utc: Option<&'a RawValue>,
}

impl Delivery {
    /// Reads a signed body. Its size must have been limited by the receiver; time and
    /// memory are proportional to it, however deep it is nested.
    pub(crate) fn read(body: &[u8]) -> Result<Self, EnvelopeError> {
        let whole: &RawValue = serde_json::from_slice(body).map_err(|_| EnvelopeError::NotJson)?;
        let wire: WireDelivery<'_> = object(whole).ok_or(EnvelopeError::NotAnEnvelope)?;
        let mut delivery = Self {
            events: Vec::with_capacity(wire.events.len()),
            malformed: Vec::new(),
            first_sequence: sequence(wire.first_event_sequence),
            last_sequence: sequence(wire.last_event_sequence),
        };
        for (position, raw) in wire.events.into_iter().enumerate() {
            match Event::read(raw) {
                Ok(event) => delivery.events.push(event),
                Err(problem) => delivery.malformed.push(Malformed { position, problem }),
            }
        }
        Ok(delivery)
    }
}

/// The published schema begins at 1, but a check of the endpoint sends 0. A number that
/// is only good for monitoring must not cost an event, so a value that is no number counts as 0.
fn sequence(raw: Option<&RawValue>) -> i64 {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(0)
}

impl Event {
    fn read(raw: &RawValue) -> Result<Self, &'static str> {
        let wire: WireEvent<'_> =
            object(raw).ok_or("not an object, or a member stands in it twice")?;
        let organisation = id(wire.tenant_id).ok_or("tenantId is missing or no UUID")?;
        let resource = id(wire.resource_id).ok_or("resourceId is missing or no UUID")?;
        let category = text(wire.event_category).ok_or("eventCategory is missing or no text")?;
        let kind = match text(wire.event_type).as_deref() {
            Some("CREATE") => EventKind::Create,
            Some("UPDATE") => EventKind::Update,
            _ => EventKind::Other,
        };
        Ok(Self {
            organisation: OrganisationId::new(organisation),
            category: Category::read(&category),
            kind,
            resource,
            at: text(wire.event_date_utc).as_deref().and_then(dates::instant),
            foreign_url: !text(wire.resource_url).as_deref().is_some_and(is_xero_address),
        })
    }
}

fn id(raw: Option<&RawValue>) -> Option<Uuid> {
    Uuid::parse_str(&text(raw)?).ok()
}

fn is_xero_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.scheme() == "https"
            && url.host_str() == Some(RESOURCE_HOST)
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}
