//! A deleted payment comes back from its tombstone.

use commands::{Attribution, Restore};
use payments::restore;
use table::{ChangeContext, Races};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Brings a payment back from its tombstone.
    pub(crate) async fn restore(
        &self,
        command: &Restore,
        attribution: &Attribution,
    ) -> Result<(), ExecutionError> {
        let Restore { organisation, invoice, payment } = command;
        let settings = self.tables.settings(*organisation).await;
        if settings.map_err(|error| tables(&error))?.is_some_and(|of| of.shadow.is_some()) {
            return Err(ExecutionError::InShadow(*organisation));
        }
        let was = self.tables.removed_payment(*organisation, invoice, payment).await;
        let Some(was) = was.map_err(|error| tables(&error))? else {
            return Err(ExecutionError::NoTombstone {
                payment: payment.clone(),
                invoice: invoice.clone(),
            });
        };
        let mut races = Races::default();
        loop {
            let stored = self.tables.invoice(*organisation, invoice).await;
            let stored = stored.map_err(|error| tables(&error))?;
            let change = restore(&stored, &was, attribution.by(), attribution.reason())?;
            let because = ChangeContext { cause: "console", event_at: None, now: self.clock.now() };
            let written = self.tables.write_invoice(&stored, &change, because).await;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(());
            }
        }
    }
}
