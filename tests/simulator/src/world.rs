//! Everything the simulator knows, behind one lock.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    accounting::{Memory, Postponed},
    authorisation::Authorisations,
    books::{Books, Change, Refusal},
    clock::after,
    faults::Faults,
    limits::Gate,
    meter::Meters,
    options::{Batches, Client, ConnectedTo, Oddities, Options, PrepaymentReferences},
    random::Random,
    tokens::{Token, Tokens},
    webhooks::{Delivery, Event, Outbox, Resource},
};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) outbox: Outbox,
    /// Identifiers of records, which a seed makes the same on every run.
    pub(crate) ids: Random,
    /// Everything else that is random, apart, so that it cannot shift the identifiers.
    pub(crate) noise: Random,
    pub(crate) clients: Vec<Client>,
    pub(crate) authorisations: Authorisations,
    pub(crate) tokens: Tokens,
    /// The calls to the identity service, in their order.
    pub(crate) identity_calls: Vec<&'static str>,
    pub(crate) gate: Gate,
    pub(crate) faults: Faults,
    pub(crate) meters: Meters,
    pub(crate) memory: Memory,
    pub(crate) postponed: Postponed,
    pub(crate) batches: Batches,
    pub(crate) prepayment_references: PrepaymentReferences,
    pub(crate) oddities: Oddities,
    /// Whether there is something to save.
    pub(crate) changed: bool,
}

impl World {
    pub(crate) fn new(
        options: &Options,
        books: Books,
        outbox: Outbox,
        ids: Option<Random>,
    ) -> Self {
        let mut world = Self {
            books,
            outbox,
            ids: ids.unwrap_or_else(|| Random::new(options.seed, 1)),
            noise: Random::new(options.seed, 2),
            clients: options.clients.clone(),
            authorisations: Authorisations::default(),
            tokens: Tokens::default(),
            identity_calls: Vec::new(),
            gate: Gate::new(options.limits),
            faults: Faults::default(),
            meters: Meters::default(),
            memory: Memory::default(),
            postponed: Postponed::default(),
            batches: options.batches,
            prepayment_references: options.prepayment_references,
            oddities: Oddities::default(),
            changed: false,
        };
        world.set_oddities(options.oddities);
        world
    }

    pub(crate) fn set_oddities(&mut self, oddities: Oddities) {
        self.oddities = oddities;
        for organisation in self.books.organisations.values_mut() {
            organisation.equal_stamps = oddities.equal_stamps;
        }
    }

    /// Announces a change that was made in an organisation's books.
    pub(crate) fn record(&mut self, organisation: Uuid, change: Change) {
        self.changed = true;
        self.outbox.announce(Event {
            resource: Resource::Invoice,
            id: change.invoice,
            tenant: organisation,
            created: change.created,
            at: after(change.at, SignedDuration::from_millis(self.oddities.event_lead_ms.into())),
        });
    }

    /// Announces a change of an invoice, or notes one of a document that has no event here.
    pub(crate) fn record_if(&mut self, organisation: Uuid, change: Option<Change>) {
        match change {
            Some(change) => self.record(organisation, change),
            None => self.changed = true,
        }
    }

    /// Announces a change of a contact: it was added, or is otherwise than it was (facts.md 1.5).
    pub(crate) fn record_contact(
        &mut self,
        organisation: Uuid,
        id: Uuid,
        created: bool,
        at: Timestamp,
    ) {
        self.changed = true;
        let (resource, tenant) = (Resource::Contact, organisation);
        self.outbox.announce(Event { resource, id, tenant, created, at });
    }

    /// Announces a credit note that was written and applied.
    pub(crate) fn record_credit_note(&mut self, organisation: Uuid, id: Uuid, at: Timestamp) {
        let kind = match self.books.organisation(organisation) {
            Ok(found) if found.credits_a_bill(id) => "ACCPAYCREDIT",
            _ => "ACCRECCREDIT",
        };
        self.outbox.announce(Event {
            resource: Resource::CreditNote {
                kind: kind.to_owned(),
                // All of it is applied at once.
                status: "PAID".to_owned(),
            },
            id,
            tenant: organisation,
            created: true,
            at,
        });
    }

    pub(crate) fn pack_events(&mut self, at_once: bool) {
        self.changed |= self.outbox.pack(&mut self.noise, at_once);
    }

    pub(crate) fn settle_delivery(&mut self, delivery: Delivery, now: Timestamp) -> bool {
        self.changed = true;
        self.outbox.settle(delivery, now)
    }

    pub(crate) fn enable_webhook(&mut self, now: Timestamp) {
        if self.outbox.settings.enabled {
            self.outbox.enable(now);
            self.changed = true;
        }
    }

    /// The organisations that an app is connected to, in the order of their ids.
    pub(crate) fn organisations_of(&self, client_id: &str) -> Vec<Uuid> {
        let connected = |id: &Uuid| {
            let client = self.clients.iter().find(|client| client.id == client_id);
            match client.map(|client| &client.organisations) {
                Some(ConnectedTo::All) => true,
                Some(ConnectedTo::Only(organisations)) => organisations.contains(id),
                None => false,
            }
        };
        self.books.organisations.keys().copied().filter(connected).collect()
    }

    /// The organisations that a token is for: those that its user is connected with, or all of its app.
    pub(crate) fn organisations_of_token(&self, token: &Token) -> Vec<Uuid> {
        let mut organisations = self.organisations_of(&token.client);
        if let Some(authorisation) = token.authorised {
            let chosen = self.authorisations.connections(authorisation);
            organisations.retain(|id| chosen.iter().any(|known| known.organisation == *id));
        }
        organisations
    }

    /// An invoice named by its id, or by its number where only one organisation has it.
    pub(crate) fn invoice_named(&self, id_or_number: &str) -> Result<Uuid, Refusal> {
        let organisations = self.books.organisations.values();
        let mut found =
            organisations.filter_map(|organisation| organisation.find_invoice(id_or_number));
        let invoice = found
            .next()
            .ok_or_else(|| Refusal::because(format!("there is no invoice {id_or_number}")))?;
        match found.next() {
            Some(_) => Err(Refusal::because(format!(
                "several organisations have an invoice {id_or_number}; name it by its id"
            ))),
            None => Ok(invoice.id),
        }
    }
}
