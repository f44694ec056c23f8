//! A person says that something which does not agree may stay as it is (AMB-31).

use payments::{
    Attributed, DiscrepancyKey, DiscrepancyWork, Ending, OrganisationId, XeroContactId,
};
use queue::Changes;
use serde::Deserialize;
use table::{DiscrepancyPlace, DiscrepancySubject, WorkContext, WorkFailure};

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
        let place = DiscrepancyPlace {
            organisation,
            subject: wanted.place.clone(),
            key: wanted.key.clone(),
        };
        let work = DiscrepancyWork::End { ending: Ending::Accepted, seen: wanted.seen.clone() };
        let said = Attributed { by: Some(&said.by), why: &said.why };
        let context = WorkContext { cause: "console", said, now: self.clock.now() };
        let done = self.tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
        match done {
            Ok(_) => Ok(()),
            Err(WorkFailure::Refused(why)) => Err(HandleError::Discrepancy(why)),
            Err(error) => Err(tables(&error)),
        }
    }
}
