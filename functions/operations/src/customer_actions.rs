//! An action about a customer is opened, or solved (EX-28).

use commands::reply::CustomerReply;
use commands::{Attribution, Kind, OnCustomer, PickContact};
use payments::upload::{record_action, record_pick};
use queue::{Changes, Uploads};
use table::Races;

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C: Changes, U: Uploads, Q, B> Operations<C, U, Q, B> {
    /// Opens an action about a customer, so that everything about it waits. The reason is what has to be solved.
    pub(crate) async fn open_action(
        &self,
        on: &OnCustomer,
        attribution: &Attribution,
    ) -> Result<CustomerReply, ExecutionError> {
        self.set_action(on, true, attribution).await
    }

    /// Solves it: what waits for it goes in the next run (U14), and its invoices are read again at once (AMB-15). Solving
    /// it again asks again for what may not have been asked for the first time.
    pub(crate) async fn solve(
        &self,
        on: &OnCustomer,
        attribution: &Attribution,
    ) -> Result<CustomerReply, ExecutionError> {
        let reply = self.set_action(on, false, attribution).await?;
        if reply.changed {
            self.post_at_once(on.organisation).await?;
        }
        self.uploader.look_again(on.organisation, &on.customer).await?;
        Ok(reply)
    }

    /// Links a customer with the contact that a person has picked, as far as the last sync knows it to be in use. What
    /// waited goes on as if the action were solved (EX-38).
    pub(crate) async fn pick_contact(
        &self,
        pick: &PickContact,
        attribution: &Attribution,
    ) -> Result<CustomerReply, ExecutionError> {
        let PickContact { organisation, customer, contact } = pick;
        let refused = |what: &str| ExecutionError::Field(Kind::PickContact, what.to_owned());
        let found = self.tables.contacts(*organisation, &[*contact]).await;
        match found.map_err(|error| tables(&error))?.get(contact) {
            None => {
                return Err(refused(
                    "`contact` is none of those that the last customer sync has read",
                ));
            }
            Some(stored) if !stored.record.contact.is_active => {
                return Err(refused(
                    "`contact` is archived in Xero, as the last customer sync has read",
                ));
            }
            Some(_) => {}
        }
        let mut races = Races::default();
        let reply = loop {
            let known = self.tables.customer(*organisation, customer).await;
            let known = known.map_err(|error| tables(&error))?;
            let known = known
                .ok_or_else(|| refused("`customer` is none that the business has reported"))?;
            let now = self.clock.now();
            let was_blocked = known.blocked.is_some();
            let reply = |changed| CustomerReply {
                customer: customer.clone(),
                blocked: false,
                changed,
                was_blocked,
                reported: known.revision > 0,
                recorded: changed,
            };
            let Some(after) = record_pick(&known, *contact) else { break reply(false) };
            let why = Some((attribution.by(), attribution.reason()));
            let written = self.tables.store_customer(Some(&known), &after, why, now).await;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                break reply(true);
            }
        };
        if reply.changed {
            self.post_at_once(*organisation).await?;
        }
        self.uploader.look_again(*organisation, customer).await?;
        Ok(reply)
    }

    async fn set_action(
        &self,
        on: &OnCustomer,
        blocked: bool,
        attribution: &Attribution,
    ) -> Result<CustomerReply, ExecutionError> {
        let OnCustomer { organisation, customer } = on;
        let to_solve = blocked.then_some(attribution.reason());
        let mut races = Races::default();
        loop {
            let known = self.tables.customer(*organisation, customer).await;
            let known = known.map_err(|error| tables(&error))?;
            let now = self.clock.now();
            let reply = |changed| CustomerReply {
                customer: customer.clone(),
                blocked,
                changed,
                was_blocked: known.as_ref().is_some_and(|known| known.blocked.is_some()),
                reported: known.as_ref().is_some_and(|known| known.revision > 0),
                recorded: changed,
            };
            let whose = (*organisation, customer);
            let Some(after) = record_action(known.as_ref(), whose, to_solve, now) else {
                return Ok(reply(false));
            };
            let why = Some((attribution.by(), attribution.reason()));
            let written = self.tables.store_customer(known.as_ref(), &after, why, now).await;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(reply(true));
            }
        }
    }
}
