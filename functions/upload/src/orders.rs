//! What a person orders: about one payment, about a customer, about uploading as a whole.

use payments::upload::{Customer, Line, Order, OrderError, Upload, obey};
use payments::{CustomerId, OrganisationId, PaymentId};
use queue::{UploadTask, Uploads};
use serde::Serialize;
use table::WriteError;

use crate::Uploader;
use crate::error::{RACES_MAX, RunError};
use crate::event::Said;
use crate::run::stored;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Disobeyed {
    #[error("there is no payment {0} in the upload ledger")]
    NoPayment(PaymentId),
    #[error("the order is not possible")]
    Order(#[from] OrderError),
    #[error("the order could not be carried out")]
    Run(#[from] RunError),
}

/// A payment, as the answer to an order shows it.
#[derive(Debug, Serialize)]
pub(crate) struct PaymentAnswer {
    payment: PaymentId,
    state: &'static str,
    reason: String,
    why: String,
}

impl<Q: Uploads> Uploader<Q> {
    /// Holds, releases or keeps back one payment; the next run obeys.
    pub(crate) async fn order(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
        order: Order,
        said: &Said,
    ) -> Result<PaymentAnswer, Disobeyed> {
        for _ in 0..RACES_MAX {
            let known = self.tables.upload(organisation, payment).await.map_err(RunError::from)?;
            let Some(known) = known else { return Err(Disobeyed::NoPayment(payment.clone())) };
            let now = self.clock.now();
            let Some(after) = obey(&known, order, &said.by, &said.why, now)? else {
                return Ok(answer(known));
            };
            let rows = [(Some(&known), &after)];
            match self.tables.write_uploads(&rows, None, self.because("console")).await {
                Ok(()) => {
                    if after.line() == Some(Line::Direct) {
                        self.post_at_once(organisation).await?;
                    }
                    return Ok(answer(stored(after)));
                }
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(RunError::from(error).into()),
            }
        }
        Err(RunError::Races.into())
    }

    async fn post_at_once(&self, organisation: OrganisationId) -> Result<(), RunError> {
        Ok(self.uploads.send(&UploadTask::Direct { organisation }, 0).await?)
    }

    /// Blocks a customer, so that everything about it waits (EX-28), or takes the block away: what waits for
    /// it goes in the next run (U14).
    pub(crate) async fn block(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
        blocked: bool,
        said: &Said,
    ) -> Result<(), RunError> {
        for _ in 0..RACES_MAX {
            let known = self.tables.customer(organisation, customer).await?;
            let now = self.clock.now();
            let mut after = known.clone().unwrap_or_else(|| Customer {
                organisation,
                id: customer.clone(),
                revision: 0,
                name: None,
                contact: None,
                blocked: None,
                blocked_at: None,
            });
            after.blocked = blocked.then(|| said.why.clone());
            after.blocked_at = blocked.then_some(now);
            let why = Some((said.by.as_str(), said.why.as_str()));
            match self.tables.store_customer(known.as_ref(), &after, why, now).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunError::Races)
    }

    /// Switches uploading on again. The attempts of the last 30 days still count (AMB-12).
    pub(crate) async fn enable(
        &self,
        organisation: OrganisationId,
        said: &Said,
    ) -> Result<u32, RunError> {
        for _ in 0..RACES_MAX {
            let caps = self.tables.caps(organisation).await?;
            let now = self.clock.now();
            let attempts = caps.attempts(now);
            if caps.disabled.is_none() {
                return Ok(attempts);
            }
            let because = self.because("console");
            match self.tables.write_caps(&caps, &caps.on(), &said.by, &said.why, because).await {
                Ok(()) => return Ok(attempts),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunError::Races)
    }
}

fn answer(row: Upload) -> PaymentAnswer {
    PaymentAnswer {
        payment: row.receipt.id,
        state: row.state.code(),
        reason: row.reason,
        why: row.why,
    }
}
