//! A person says that something which does not agree may stay as it is (AMB-31).

use payments::{AcceptError, DiscrepancyKey, InvoiceNumber, OrganisationId, XeroContactId, accept};
use queue::Changes;
use serde::Deserialize;
use table::{ChangeContext, Races, WriteError};

use crate::event::{Asked, EventError, said, says};
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

/// Which discrepancy is accepted.
#[derive(Debug)]
pub(crate) struct Accept {
    place: DiscrepancySubject,
    /// Which of those that stand there.
    pub(crate) key: DiscrepancyKey,
    /// What the person has read of it, if that is said.
    seen: Option<String>,
}

/// What a discrepancy stands on.
#[derive(Debug)]
enum DiscrepancySubject {
    /// An invoice, by its number in the business's own system.
    Invoice(InvoiceNumber),
    /// A contact in Xero.
    Contact(XeroContactId),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireAccept {
    organisation: OrganisationId,
    invoice: Option<String>,
    contact: Option<XeroContactId>,
    discrepancy: String,
    seen: Option<String>,
    by: String,
    why: String,
}

impl WireAccept {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let place = match (self.invoice, self.contact) {
            (Some(invoice), None) => {
                let number = invoice.trim().parse();
                DiscrepancySubject::Invoice(
                    number.map_err(|_| says("`invoice` is no number of an invoice"))?,
                )
            }
            (None, Some(contact)) => DiscrepancySubject::Contact(contact),
            _ => return Err(says("`accept` takes either an `invoice` or a `contact`")),
        };
        let key = DiscrepancyKey::parse(&self.discrepancy).ok_or_else(|| {
            says("`discrepancy` is no key as the table `discrepancies` has it: `KIND#subject`")
        })?;
        Ok(Asked::Accept {
            organisation: self.organisation,
            accept: Accept { place, key, seen: self.seen },
            said: said(&self.by, &self.why)?,
        })
    }
}

impl<C: Changes, Q> Sweeper<C, Q> {
    /// Closes a discrepancy on a person's word.
    pub(crate) async fn accept(
        &self,
        organisation: OrganisationId,
        wanted: &Accept,
        said: &Said,
    ) -> Result<(), HandleError> {
        let mut races = Races::default();
        loop {
            let written = match &wanted.place {
                DiscrepancySubject::Invoice(number) => {
                    self.accept_on_invoice(organisation, number, wanted, said).await?
                }
                DiscrepancySubject::Contact(contact) => {
                    self.accept_about_contact(organisation, *contact, wanted, said).await?
                }
            };
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(());
            }
        }
    }

    async fn accept_on_invoice(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        wanted: &Accept,
        said: &Said,
    ) -> Result<Result<(), WriteError>, HandleError> {
        let now = self.clock.now();
        let stored = self.tables.invoice(organisation, number).await;
        let stored = stored.map_err(|error| tables(&error))?;
        let words = (said.by.as_str(), said.why.as_str());
        let change = accept(&stored, &wanted.key, wanted.seen.as_deref(), words, now)?;
        let because = ChangeContext { cause: "console", event_at: None, now };
        Ok(self.tables.write_invoice(&stored, &change, because).await)
    }

    async fn accept_about_contact(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
        wanted: &Accept,
        said: &Said,
    ) -> Result<Result<(), WriteError>, HandleError> {
        let all = self.tables.contact_discrepancies(organisation, contact).await;
        let all = all.map_err(|error| tables(&error))?;
        let found = all.into_iter().find(|found| found.key == wanted.key);
        let mut found = found.ok_or(AcceptError::NotThere)?;
        found.accept(wanted.seen.as_deref(), &said.by, &said.why, self.clock.now())?;
        Ok(self.tables.write_acceptance_about_contact(organisation, contact, &found).await)
    }
}
