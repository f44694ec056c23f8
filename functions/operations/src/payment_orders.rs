//! Orders about one payment: it is held, goes on, does not go, or is the same as another one.

use commands::reply::PaymentReply;
use commands::{Attribution, OnPayment};
use payments::upload::{Customer, Line, PaymentCommand, Upload, link_found, obey};
use payments::{DiscrepancyKey, DiscrepancyKind, OrganisationId, accept};
use queue::{UploadTask, Uploads};
use table::{ChangeContext, ContactBecause, Races, WriteError};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U: Uploads, Q, B> Operations<C, U, Q, B> {
    /// Holds, releases or keeps back one payment; the next run obeys.
    pub(crate) async fn order(
        &self,
        on: &OnPayment,
        order: PaymentCommand,
        attribution: &Attribution,
    ) -> Result<PaymentReply, ExecutionError> {
        let OnPayment { organisation, payment } = on;
        let mut races = Races::default();
        loop {
            let known = self.tables.upload(*organisation, payment).await;
            let known = known.map_err(|error| tables(&error))?;
            let Some(known) = known else {
                return Err(ExecutionError::NoPayment(payment.clone()));
            };
            let now = self.clock.now();
            let Some(after) = obey(&known, order, attribution.by(), attribution.reason(), now)?
            else {
                return Ok(reply(known, false));
            };
            let written = self.store_order(&known, &after, order, attribution).await?;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                if let Err(error) = self.close_answered(&known, order).await {
                    // The answer is stored, and the next night closes it.
                    let error = host::telemetry::chain(&error);
                    tracing::warn!(error, "an answered discrepancy could not be closed");
                }
                if after.line() == Some(Line::Direct) {
                    self.post_at_once(*organisation).await?;
                }
                return Ok(reply(after, true));
            }
        }
    }

    /// A person has said whether a payment is what it was held for: nothing of its contact is open about it any
    /// more (A8.3).
    async fn close_answered(
        &self,
        held: &Upload,
        order: PaymentCommand,
    ) -> Result<(), ExecutionError> {
        let answers = matches!(order, PaymentCommand::SamePayment | PaymentCommand::TwoPayments);
        let Some(question) = held.held_on_contact().filter(|_| answers) else { return Ok(()) };
        let organisation = held.receipt.organisation;
        let customer = match &held.receipt.customer {
            Some(id) => {
                let customer = self.tables.customer(organisation, id).await;
                customer.map_err(|error| tables(&error))?
            }
            None => None,
        };
        let former = customer.iter().flat_map(Customer::former_contacts);
        for contact in former.chain([question.contact]) {
            let open = self.tables.contact_discrepancies(organisation, contact).await;
            let open = open.map_err(|error| tables(&error))?;
            if let Some(open) = open.iter().find(|open| open.key == question.key) {
                let now = self.clock.now();
                let because = ContactBecause { cause: "console", rule: "A8.3", now };
                let closed =
                    self.tables.close_contact_discrepancy(organisation, contact, open, because);
                closed.await.map_err(|error| tables(&error))?;
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
        attribution: &Attribution,
    ) -> Result<Result<(), WriteError>, ExecutionError> {
        let because = ChangeContext { cause: "console", event_at: None, now: self.clock.now() };
        let decides = matches!(order, PaymentCommand::SamePayment | PaymentCommand::TwoPayments);
        if let ([part], true) = (before.receipt.allocations.as_slice(), decides) {
            let invoice = self.tables.invoice(before.receipt.organisation, &part.invoice).await;
            let invoice = invoice.map_err(|error| tables(&error))?;
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
                    let words = (attribution.by(), attribution.reason());
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

    pub(crate) async fn post_at_once(
        &self,
        organisation: OrganisationId,
    ) -> Result<(), ExecutionError> {
        let sent = self.uploads.send(&UploadTask::Direct { organisation }, 0).await;
        sent.map_err(ExecutionError::NotWoken)
    }
}

fn reply(row: Upload, recorded: bool) -> PaymentReply {
    PaymentReply {
        payment: row.receipt.id,
        state: row.state.code().to_owned(),
        reason: row.reason,
        why: row.why,
        recorded,
    }
}
