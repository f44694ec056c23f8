//! Payments that cannot be sent as they are planned: each is set aside with its reason, and the others go (AMB-30).

use payments::upload::{Hold, LedgerError, Upload};
use queue::Uploads;
use xero::BundleError;

use crate::bundle::{bundle, is_sendable, kind_of};
use crate::error::RunError;
use crate::outgoing_rows::Rows;
use crate::reservation::SlotRequest;
use crate::run::{Move, Run};

impl<Q: Uploads> Run<'_, Q> {
    /// Holds the rows of which a planned part cannot be written as Xero takes it: a setting was taken away after
    /// its slot was reserved, or an earlier version has let it through.
    pub(crate) async fn set_aside_unsendable(&self, rows: &mut Rows) -> Result<(), RunError> {
        let mut moves = Vec::new();
        for row in rows.iter().filter(|row| is_sendable(row, self.uploading)) {
            let Some(error) = self.unsendable(row) else { continue };
            let mut moved = Move::of(row.clone());
            let why = format!("it cannot be sent: {error}");
            // While another part is under way, the row is left as it is until that is known.
            let (night, now) = (self.night, self.now());
            if let Ok(freed) = moved.after.take_back(hold_of(&error), &why, night, now) {
                moved.freed = freed;
            }
            moves.push(moved);
        }
        for moved in &moves {
            rows.remove(&moved.before.receipt.id);
        }
        self.write(moves).await?;
        Ok(())
    }

    fn unsendable(&self, row: &Upload) -> Option<BundleError> {
        row.planned().find_map(|part| bundle(kind_of(part), &[(row, part)], &self.booking()).err())
    }

    /// Those of the payments whose parts the ledger takes; any other is held.
    pub(crate) async fn reservable(
        &self,
        wanted: Vec<SlotRequest>,
    ) -> Result<Vec<SlotRequest>, RunError> {
        let (mut good, mut held) = (Vec::with_capacity(wanted.len()), Vec::new());
        for wanted in wanted {
            let mut row = wanted.row.after.clone();
            match row.reserve(self.night, wanted.parts.clone(), self.now()) {
                Ok(()) => good.push(wanted),
                Err(error) => {
                    let mut moved = wanted.row;
                    let (night, why) = (Some(self.night), error.to_string());
                    moved.after.put_on_hold(Hold::CannotBeSent, why, night, self.now());
                    held.push(moved);
                }
            }
        }
        self.write(held).await?;
        Ok(good)
    }

    /// A move that the ledger does not allow is a mistake of ours. A message names the payment, and the row
    /// stays as it is stored; the others go on.
    pub(crate) async fn mistake(&self, row: &Upload, error: &LedgerError) -> Result<(), RunError> {
        let payment = row.receipt.id.to_string();
        tracing::error!(
            xero.tenant_id = %self.organisation(),
            payment_id = payment,
            error = %error,
            "a move that the ledger does not allow; the payment is left as it is"
        );
        let why = format!("the payment is left as it is: {error}");
        self.message("UPLOAD_STUCK", &payment, &why).await
    }
}

fn hold_of(error: &BundleError) -> Hold {
    match error {
        BundleError::Amount(_) => Hold::AmountNotRepresentable,
        // What a prepayment is booked to is a setting, and so is that of a bill, which is asked before.
        BundleError::Blank { field: "AccountCode", .. } => Hold::NoPrepaymentAccount,
        _ => Hold::CannotBeSent,
    }
}
