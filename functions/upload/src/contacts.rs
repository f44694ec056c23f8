//! The contacts in Xero that payments rest on: merged ones are followed, and an action is opened about a customer
//! whose contact is archived (EX-37).

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{
    ContactStanding, Hold, Planner, Route, Upload, UploadDecision, blocked, record_contact,
};
use payments::{CustomerId, PaymentId, XeroContactId};
use queue::Uploads;
use table::Races;

use crate::error::RunError;
use crate::evaluation_context::{Customers, EvaluationContext, FoundContact, customer_of};
use crate::run::Run;

/// Most open actions whose contacts are looked at in one run.
const ACTIONS_MAX: usize = 1_000;

impl<Q: Uploads> Run<'_, Q> {
    /// Reads contacts that this run has not read yet, and those that they were merged into.
    async fn read_contacts(
        &self,
        known: &EvaluationContext,
        wanted: &BTreeSet<XeroContactId>,
    ) -> Result<(), RunError> {
        loop {
            let asked = known.contacts.borrow().not_asked(wanted);
            if asked.is_empty() {
                return Ok(());
            }
            let read = self.xero.contacts(self.organisation(), &asked).await?;
            known.contacts.borrow_mut().take(asked, read.contacts, read.unreadable);
        }
    }

    /// Asks for the contacts of payments that a night spreads, before it is planned with them, and follows those
    /// that were merged. `customers` is what is known of them afterwards. One call for each 50 contacts, and one
    /// more if any of them was merged.
    pub(crate) async fn follow_contacts(
        &self,
        known: &EvaluationContext,
        rows: &[&Upload],
        customers: &mut Customers,
    ) -> Result<Vec<FoundContact>, RunError> {
        let is_spread = |row: &&&Upload| {
            row.route().is_ok_and(Route::is_nightly)
                && row.to_place().is_ok_and(|left| left.is_positive())
        };
        let of_row = |row: &&Upload| {
            let customer = customer_of(row, &customers.known)?;
            Some((customer.id.clone(), customer.contact?))
        };
        let contacts: BTreeMap<_, _> = rows.iter().filter(is_spread).filter_map(of_row).collect();
        self.read_contacts(known, &contacts.values().copied().collect()).await?;
        let mut found = Vec::new();
        for (customer, asked) in contacts {
            let Some(standing) = known.contacts.borrow().standing(asked) else { continue };
            if let ContactStanding::Unreadable(why) = &standing {
                customers.unreadable.insert(customer, why.clone());
                continue;
            }
            found.extend(self.note(customers, customer, asked, standing));
        }
        Ok(found)
    }

    /// How the contact is that stands for the provider, if any of these is an invoice of the provider.
    pub(crate) async fn merchant(
        &self,
        known: &EvaluationContext,
        rows: &[Upload],
    ) -> Result<Option<ContactStanding>, RunError> {
        let Some(merchant) = self.uploading.merchant_contact else { return Ok(None) };
        if !rows.iter().any(|row| row.bill.is_some()) {
            return Ok(None);
        }
        self.read_contacts(known, &BTreeSet::from([merchant])).await?;
        Ok(known.contacts.borrow().standing(merchant))
    }

    /// Updates a customer in `customers` by its contact in Xero; returns the change to be stored, if any.
    fn note(
        &self,
        customers: &mut Customers,
        customer: CustomerId,
        asked: XeroContactId,
        standing: ContactStanding,
    ) -> Option<FoundContact> {
        let known = customers.known.get_mut(&customer)?;
        *known = record_contact(known, asked, &standing, self.now())?;
        Some(FoundContact { customer, asked, standing })
    }

    /// Of payments that name their invoices, and that Xero has refused or that wait for an action: which of them
    /// rest on a contact that takes nothing, and what becomes of them. What Xero takes needs no such look, so that an ordinary post
    /// costs no call for it.
    pub(crate) async fn on_unusable_contacts(
        &self,
        known: &EvaluationContext,
        rows: &[&Upload],
        planner: &Planner<'_>,
        customers: &mut Customers,
    ) -> Result<(BTreeMap<PaymentId, UploadDecision>, Vec<FoundContact>), RunError> {
        let is_doubtful =
            |row: &&&Upload| row.needs_new_plan() || row.hold() == Some(Hold::BlockedByAction);
        let doubtful: Vec<_> = rows
            .iter()
            .filter(is_doubtful)
            .flat_map(|row| planner.contacts_named(row).into_iter().map(move |of| (*row, of)))
            .collect();
        self.read_contacts(known, &doubtful.iter().map(|(_, contact)| *contact).collect()).await?;
        let (mut held, mut found) = (BTreeMap::new(), Vec::new());
        for (row, contact) in doubtful {
            let Some(standing) = known.contacts.borrow().standing(contact) else { continue };
            let ContactStanding::Unusable { why, .. } = &standing else { continue };
            let why = format!("{why}; restore it in Xero");
            let customer = row.receipt.customer.clone();
            if let Some(customer) = &customer {
                found.extend(self.note(customers, customer.clone(), contact, standing));
            }
            let action = customer.and_then(|id| customers.known.get(&id)?.blocked.as_deref());
            let judgement = match action {
                Some(action) => blocked(action),
                None => UploadDecision::Hold(Hold::BlockedByAction, why),
            };
            held.insert(row.receipt.id.clone(), judgement);
        }
        Ok((held, found))
    }

    /// Stores what Xero says of customers' contacts: merges, and actions opened and solved.
    pub(crate) async fn keep_contacts(&self, found: &[FoundContact]) -> Result<(), RunError> {
        for found in found {
            self.keep_contact(found).await?;
        }
        Ok(())
    }

    async fn keep_contact(&self, found: &FoundContact) -> Result<(), RunError> {
        let mut races = Races::default();
        loop {
            let known = self.tables.customer(self.organisation(), &found.customer).await?;
            let now = self.now();
            let Some(known) = known else { return Ok(()) };
            let Some(after) = record_contact(&known, found.asked, &found.standing, now) else {
                return Ok(());
            };
            let written = self.tables.store_customer(Some(&known), &after, None, now).await;
            if races.won(written)?.is_some() {
                if known.blocked.is_some() && after.blocked.is_none() {
                    self.solved.borrow_mut().push(found.customer.clone());
                }
                return Ok(());
            }
        }
    }

    /// Looks again at the contacts for which we have opened actions: one that takes documents again, or was merged,
    /// solves its action. No call where there is no such action.
    pub(crate) async fn review_contacts(&self, known: &EvaluationContext) -> Result<(), RunError> {
        let actions = self.tables.open_actions(self.organisation(), ACTIONS_MAX).await?;
        let waiting: Vec<_> = actions
            .rows
            .into_iter()
            .filter_map(|customer| Some((customer.id, customer.unusable_contact?)))
            .collect();
        self.read_contacts(known, &waiting.iter().map(|(_, contact)| *contact).collect()).await?;
        for (customer, asked) in waiting {
            let Some(standing) = known.contacts.borrow().standing(asked) else { continue };
            self.keep_contact(&FoundContact { customer, asked, standing }).await?;
        }
        Ok(())
    }
}
