//! A part that is proven to be in Xero, and what that means for its invoice: one step.

use payments::InvoiceNumber;
use payments::upload::{Part, PartState, Placed, Target, Upload, WriteOutcome, link};
use queue::Uploads;
use table::Races;

use crate::error::RunError;
use crate::run::{Run, stored};

impl<Q: Uploads> Run<'_, Q> {
    /// The local invoice on which a part is recorded, if the mirror looks after it.
    fn local_number(&self, part: &Part) -> Option<InvoiceNumber> {
        match &part.target {
            Target::Invoice { number, .. } => self.settings.prefix.to_local(number).ok(),
            Target::Prepayment { .. }
            | Target::Bill { .. }
            | Target::CreditNote { .. }
            | Target::Allocation { .. } => None,
        }
    }

    pub(crate) fn is_mirrored(&self, part: &Part) -> bool {
        self.local_number(part).is_some()
    }

    /// Stores the proof, and with it the link that keeps the mirror from taking the payment for a new
    /// one (AMB-05). `None` if the row is gone from under us, which only a person can do.
    pub(crate) async fn prove(
        &self,
        row: Upload,
        number: u32,
        placed: Placed,
        again: bool,
    ) -> Result<Option<Upload>, RunError> {
        let mut before = row;
        let mut races = Races::default();
        loop {
            let Some(part) = before.parts.iter().find(|part| part.number == number) else {
                return Ok(None);
            };
            if part.state == PartState::Done {
                return Ok(Some(before));
            }
            let local = self.local_number(part);
            let now = self.now();
            let mut after = before.clone();
            after.answer(number, WriteOutcome::Placed(placed), again, now)?;
            match self.store_proof(&before, &after, number, local).await {
                Ok(()) => return Ok(Some(stored(after))),
                Err(RunError::Write(error)) => races.lost(error)?,
                Err(error) => return Err(error),
            }
            let id = &before.receipt.id;
            match self.tables.upload(self.organisation(), id).await? {
                Some(known) => before = known,
                None => return Ok(None),
            }
        }
    }

    async fn store_proof(
        &self,
        before: &Upload,
        after: &Upload,
        number: u32,
        local: Option<InvoiceNumber>,
    ) -> Result<(), RunError> {
        let part = after.parts.iter().find(|part| part.number == number);
        if let (Some(local), Some(part)) = (local, part) {
            let invoice = self.tables.invoice(self.organisation(), &local).await?;
            if let Some(change) = link(&invoice, after, part, self.now()) {
                let rows = (before, after);
                self.tables.link_upload(&invoice, &change, rows, self.because()).await?;
                self.became(after);
                return Ok(());
            }
        }
        let rows = [(Some(before), after)];
        Ok(self.store(&rows, None).await?)
    }
}
