//! A person says that something which does not agree may stay as it is (AMB-31).

use commands::{Accept, Attribution, Kind};
use payments::{AcceptError, DiscrepancyKey, InvoiceNumber, XeroContactId, accept};
use table::{ChangeContext, Races, WriteError};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Closes a discrepancy on a person's word. Returns its key.
    pub(crate) async fn accept(
        &self,
        command: &Accept,
        attribution: &Attribution,
    ) -> Result<String, ExecutionError> {
        let wrong = |what: &str| ExecutionError::Field(Kind::Accept, what.to_owned());
        let key = DiscrepancyKey::parse(&command.discrepancy).ok_or_else(|| {
            wrong("`discrepancy` is no key as the table `discrepancies` has it: `KIND#subject`")
        })?;
        let mut races = Races::default();
        loop {
            let written = match (&command.invoice, command.contact) {
                (Some(number), None) => {
                    self.accept_on_invoice(number, command, &key, attribution).await?
                }
                (None, Some(contact)) => {
                    self.accept_about_contact(contact, command, &key, attribution).await?
                }
                _ => return Err(wrong("it takes either an `invoice` or a `contact`")),
            };
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(key.to_string());
            }
        }
    }

    async fn accept_on_invoice(
        &self,
        number: &InvoiceNumber,
        command: &Accept,
        key: &DiscrepancyKey,
        attribution: &Attribution,
    ) -> Result<Result<(), WriteError>, ExecutionError> {
        let now = self.clock.now();
        let stored = self.tables.invoice(command.organisation, number).await;
        let stored = stored.map_err(|error| tables(&error))?;
        let words = (attribution.by(), attribution.reason());
        let change = accept(&stored, key, command.seen.as_deref(), words, now)?;
        let because = ChangeContext { cause: "console", event_at: None, now };
        Ok(self.tables.write_invoice(&stored, &change, because).await)
    }

    async fn accept_about_contact(
        &self,
        contact: XeroContactId,
        command: &Accept,
        key: &DiscrepancyKey,
        attribution: &Attribution,
    ) -> Result<Result<(), WriteError>, ExecutionError> {
        let organisation = command.organisation;
        let all = self.tables.contact_discrepancies(organisation, contact).await;
        let all = all.map_err(|error| tables(&error))?;
        let found = all.into_iter().find(|found| found.key == *key);
        let mut found = found.ok_or(AcceptError::NotThere)?;
        let (by, why) = (attribution.by(), attribution.reason());
        found.accept(command.seen.as_deref(), by, why, self.clock.now())?;
        Ok(self.tables.write_acceptance_about_contact(organisation, contact, &found).await)
    }
}
