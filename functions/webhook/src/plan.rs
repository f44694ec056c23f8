//! The messages to which a delivery leads. Pure: the handler sends them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use queue::{Cause, InvoiceChange, InvoiceChanges, Message, Noted, NotedReason, UnreadablePart};
use xero::{Category, Delivery, EnvelopeError, Event, Malformed};

/// Code of a note about events of a category that we do not know.
pub const UNKNOWN_CATEGORY: &str = "unknown_category";
/// Code of a note about events whose address is not at Xero. It was not followed; none ever is.
pub const FOREIGN_RESOURCE_URL: &str = "foreign_resource_url";

/// Messages to send, and what they were made of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// To be accepted, all of them, before the delivery is. Those that matter most come first.
    pub messages: Vec<Message>,
    /// Organisations in which a contact has changed: their customers are compared with Xero's contacts (EX-36).
    pub contacts: BTreeSet<OrganisationId>,
    /// For the log and the metrics.
    pub counts: Counts,
}

/// What a delivery held.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Events of every sort, those included that could not be read.
    pub events: usize,
    /// Events of invoices.
    pub invoice_events: usize,
    /// Invoices to look at, each counted once.
    pub invoices: usize,
    /// Events of contacts.
    pub contact_events: usize,
    /// Events of things that are never mirrored: they are not payments (CM-22), and their effect
    /// on an invoice comes with an event of that invoice.
    pub not_mirrored: usize,
    /// Events of unknown categories.
    pub unknown_category: usize,
    /// Events whose address is not at Xero.
    pub foreign_url: usize,
    /// Events that could not be read.
    pub malformed: usize,
    /// 1 if the body as a whole could not be read.
    pub unreadable_bodies: usize,
    /// Organisations with invoices to look at.
    pub organisations: Vec<OrganisationId>,
    /// Xero's number of the first event.
    pub first_sequence: i64,
    /// Xero's number of the last event.
    pub last_sequence: i64,
}

/// What to do about a signed delivery that could be read. `body` is kept if events in it could
/// not.
pub fn plan(delivery: &Delivery, body: &[u8], now: Timestamp) -> Plan {
    let mut counts = Counts {
        events: delivery.events.len() + delivery.malformed.len(),
        malformed: delivery.malformed.len(),
        first_sequence: delivery.first_sequence,
        last_sequence: delivery.last_sequence,
        ..Counts::default()
    };
    let mut invoices: BTreeMap<OrganisationId, Vec<InvoiceChange>> = BTreeMap::new();
    let mut reasons: BTreeMap<OrganisationId, Vec<NotedReason>> = BTreeMap::new();
    let mut contacts = BTreeSet::new();
    for event in &delivery.events {
        let mut note = |code| reasons.entry(event.organisation).or_default().push(code);
        if event.foreign_url {
            counts.foreign_url += 1;
            note(reason(FOREIGN_RESOURCE_URL, event));
        }
        match event.category {
            Category::Invoice => {
                counts.invoice_events += 1;
                let change = InvoiceChange::new(XeroInvoiceId::new(event.resource), event.at);
                invoices.entry(event.organisation).or_default().push(change);
            }
            Category::Other(_) => {
                counts.unknown_category += 1;
                note(reason(UNKNOWN_CATEGORY, event));
            }
            Category::Contact => {
                counts.contact_events += 1;
                contacts.insert(event.organisation);
            }
            Category::CreditNote
            | Category::Prepayment
            | Category::Overpayment
            | Category::Subscription => counts.not_mirrored += 1,
        }
    }

    let mut messages = Vec::new();
    for (organisation, changes) in invoices {
        counts.organisations.push(organisation);
        let changes = InvoiceChanges {
            organisation,
            cause: Cause::Webhook,
            accepted_at: now,
            not_before: None,
            invoices: changes,
        };
        messages.extend(changes.pack());
    }
    counts.invoices = messages.iter().map(invoices_in).sum();
    if let Some(problem) = problem(&delivery.malformed) {
        messages.extend(UnreadablePart::pack(body, now, &problem));
    }
    for (organisation, reasons) in reasons {
        messages.extend(Noted::pack(Some(organisation), now, reasons));
    }
    Plan { messages, contacts, counts }
}

/// What to do about a signed body that is no delivery: keep it. Refusing it would make Xero
/// repeat it for a day and then switch the webhook off.
pub fn plan_for_unreadable(error: EnvelopeError, body: &[u8], now: Timestamp) -> Plan {
    Plan {
        messages: UnreadablePart::pack(body, now, &error.to_string()),
        counts: Counts { unreadable_bodies: 1, ..Counts::default() },
        ..Plan::default()
    }
}

fn invoices_in(message: &Message) -> usize {
    match message {
        Message::Invoices(changes) => changes.invoices.len(),
        Message::Unreadable(_) | Message::Noted(_) => 0,
    }
}

fn reason(code: &str, event: &Event) -> NotedReason {
    let category = Some(event.category.code().to_owned());
    NotedReason { code: code.to_owned(), category, count: 1 }
}

/// The first malformed event in words; the body that is kept has the others.
fn problem(malformed: &[Malformed]) -> Option<String> {
    let first = malformed.first()?;
    let Malformed { position, problem } = first;
    let others = malformed.len() - 1;
    Some(format!("event {position}: {problem}; {others} other events likewise unusable"))
}
