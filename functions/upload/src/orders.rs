//! What a person orders: about one payment, about a customer, about uploading as a whole.

use std::time::Duration;

use payments::upload::{
    CommandError, Customer, Line, PaymentCommand, Upload, link_found, obey, record_action,
};
use payments::{CustomerId, DiscrepancyKey, DiscrepancyKind, OrganisationId, PaymentId, accept};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, UploadTask, Uploads};
use serde::Serialize;
use table::{ContactBecause, Races, WriteError};

use crate::Uploader;
use crate::error::RunError;
use crate::event::Said;
use crate::run::{Run, stored};

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Disobeyed {
    #[error("there is no payment {0} in the upload ledger")]
    NoPayment(PaymentId),
    #[error("the order is not possible")]
    Order(#[from] CommandError),
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
    /// Whether the activity log has a row with who gave the order, and why. There is none if it was so already, with
    /// the same words.
    recorded: bool,
}

/// A customer, as the answer to a word about it shows it.
#[derive(Debug, Serialize)]
pub(crate) struct CustomerAnswer {
    customer: CustomerId,
    blocked: bool,
    /// Whether it was not so already, with the same words.
    changed: bool,
    was_blocked: bool,
    /// Whether the business has ever reported it.
    reported: bool,
}

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Holds, releases or keeps back one payment; the next run obeys.
    pub(crate) async fn order(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
        order: PaymentCommand,
        said: &Said,
    ) -> Result<PaymentAnswer, Disobeyed> {
        let mut races = Races::default();
        loop {
            let known = self.tables.upload(organisation, payment).await.map_err(RunError::from)?;
            let Some(known) = known else { return Err(Disobeyed::NoPayment(payment.clone())) };
            let now = self.clock.now();
            let Some(after) = obey(&known, order, &said.by, &said.why, now)? else {
                return Ok(answer(known, false));
            };
            let written = self.store_order(&known, &after, order, said).await?;
            if races.won(written).map_err(RunError::from)?.is_some() {
                if let Err(error) = self.close_answered(&known, order).await {
                    // The answer is stored, and the next night closes it.
                    let error = host::telemetry::chain(&error);
                    tracing::warn!(error, "an answered discrepancy could not be closed");
                }
                if after.line() == Some(Line::Direct) {
                    self.post_at_once(organisation).await?;
                }
                return Ok(answer(stored(after), true));
            }
        }
    }

    /// A person has said whether a payment is what it was held for: nothing of its contact is open about it any
    /// more (A8.3).
    async fn close_answered(&self, held: &Upload, order: PaymentCommand) -> Result<(), RunError> {
        let answers = matches!(order, PaymentCommand::SamePayment | PaymentCommand::TwoPayments);
        let Some(said) = held.held_on_contact().filter(|_| answers) else { return Ok(()) };
        let organisation = held.receipt.organisation;
        let customer = match &held.receipt.customer {
            Some(id) => self.tables.customer(organisation, id).await?,
            None => None,
        };
        let former = customer.iter().flat_map(Customer::former_contacts);
        for contact in former.chain([said.contact]) {
            let open = self.tables.contact_discrepancies(organisation, contact).await?;
            if let Some(open) = open.iter().find(|open| open.key == said.key) {
                let now = self.clock.now();
                let because = ContactBecause { cause: "console", rule: "A8.3", now };
                self.tables.close_contact_discrepancy(organisation, contact, open, because).await?;
            }
        }
        Ok(())
    }

    /// Stores what an order has made of a payment, together with what it means for the invoice that it names.
    async fn store_order(
        &self,
        before: &Upload,
        after: &Upload,
        order: PaymentCommand,
        said: &Said,
    ) -> Result<Result<(), WriteError>, RunError> {
        let because = self.because("console");
        let decides = matches!(order, PaymentCommand::SamePayment | PaymentCommand::TwoPayments);
        if let ([part], true) = (before.receipt.allocations.as_slice(), decides) {
            let invoice = self.tables.invoice(before.receipt.organisation, &part.invoice).await?;
            let id = &before.receipt.id;
            let change = match (order, before.same_in_xero()) {
                // It is linked with the other one where it may be (A8.3).
                (PaymentCommand::SamePayment, Some(xero)) => {
                    link_found(&invoice, id, xero, because.now)
                }
                (PaymentCommand::SamePayment, None) => None,
                // The order answers the question about the two, by the same person (AMB-31).
                _ => {
                    let asked = DiscrepancyKey::about(DiscrepancyKind::PossibleDuplicate, id);
                    let words = (said.by.as_str(), said.why.as_str());
                    accept(&invoice, &asked, None, words, because.now).ok()
                }
            };
            if let Some(change) = change {
                let upload = (before, after);
                return Ok(self.tables.link_upload(&invoice, &change, upload, because).await);
            }
        }
        Ok(self.tables.write_uploads(&[(Some(before), after)], None, because).await)
    }

    async fn post_at_once(&self, organisation: OrganisationId) -> Result<(), RunError> {
        Ok(self.uploads.send(&UploadTask::Direct { organisation }, 0).await?)
    }

    /// Opens an action about a customer, so that everything about it waits (EX-28), or says that it is solved:
    /// what waits for it goes in the next run (U14), and its invoices are read again at once (AMB-15). The reason is
    /// what has to be solved.
    pub(crate) async fn block(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
        blocked: bool,
        said: &Said,
    ) -> Result<CustomerAnswer, RunError> {
        let to_solve = blocked.then_some(said.why.as_str());
        let mut races = Races::default();
        loop {
            let known = self.tables.customer(organisation, customer).await?;
            let now = self.clock.now();
            let whose = (organisation, customer);
            let answer = |changed| CustomerAnswer {
                customer: customer.clone(),
                blocked,
                changed,
                was_blocked: known.as_ref().is_some_and(|known| known.blocked.is_some()),
                reported: known.as_ref().is_some_and(|known| known.revision > 0),
            };
            let Some(after) = record_action(known.as_ref(), whose, to_solve, now) else {
                // Solving it again asks again for what may not have been asked for the first time.
                self.look_again(organisation, customer, blocked).await?;
                return Ok(answer(false));
            };
            let why = Some((said.by.as_str(), said.why.as_str()));
            let written = self.tables.store_customer(known.as_ref(), &after, why, now).await;
            if races.won(written)?.is_some() {
                if !blocked {
                    self.post_at_once(organisation).await?;
                }
                self.look_again(organisation, customer, blocked).await?;
                return Ok(answer(true));
            }
        }
    }

    /// Has the invoices read again that waited for actions which a run has found to be solved (EX-37).
    pub(crate) async fn look_again_for(&self, run: &Run<'_, Q>) {
        for customer in run.solved.take() {
            let looked = self.look_again(run.organisation(), &customer, false).await;
            if let Err(error) = looked {
                // The next full sweep finds them.
                let error = host::telemetry::chain(&error);
                tracing::warn!(error, "invoices that waited for an action were not asked for");
            }
        }
    }

    /// Has the invoices read again that waited for an action that is solved. The next full sweep finds those
    /// that are not asked for here: an invoice that is held back is never settled.
    async fn look_again(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
        blocked: bool,
    ) -> Result<(), RunError> {
        let Some(changes) = self.changes.as_ref().filter(|_| !blocked) else { return Ok(()) };
        let waiting = self.tables.invoices_waiting_for(organisation, customer).await?;
        let looks = InvoiceChanges {
            organisation,
            cause: Cause::Manual,
            accepted_at: self.clock.now(),
            not_before: None,
            invoices: waiting.into_iter().map(|id| InvoiceChange::new(id, None)).collect(),
        };
        let messages = looks.pack();
        if messages.is_empty() {
            return Ok(());
        }
        Ok(changes.send(&messages, Duration::ZERO).await?)
    }

    /// Switches uploading on again. The attempts of the last 30 days still count (AMB-12): how many they are, and
    /// whether it was off, so that the log has a row of it.
    pub(crate) async fn enable(
        &self,
        organisation: OrganisationId,
        said: &Said,
    ) -> Result<(u32, bool), RunError> {
        let mut races = Races::default();
        loop {
            let caps = self.tables.caps(organisation).await?;
            let now = self.clock.now();
            let attempts = caps.attempts(now);
            if caps.disabled.is_none() {
                return Ok((attempts, false));
            }
            let because = self.because("console");
            let on = caps.on();
            let written = self.tables.write_caps(&caps, &on, &said.by, &said.why, because).await;
            if races.won(written)?.is_some() {
                return Ok((attempts, true));
            }
        }
    }
}

fn answer(row: Upload, recorded: bool) -> PaymentAnswer {
    PaymentAnswer {
        payment: row.receipt.id,
        state: row.state.code(),
        reason: row.reason,
        why: row.why,
        recorded,
    }
}
