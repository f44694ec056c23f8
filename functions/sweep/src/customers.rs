//! The customer sync: Xero's contacts are read, all of them the first time and what changed afterwards, and each customer
//! of the business is compared with them (EX-20, EX-21, EX-36, EX-37).

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use payments::sweep::SyncRun;
use payments::upload::{
    ContactMatch, ContactRecord, ContactStanding, Customer, Directory, match_customers,
    record_verdict,
};
use payments::{CustomerId, XeroContactId};
use queue::Changes;
use table::{StoredContact, WriteError};

use crate::changes::cause;
use crate::error::RunError;
use crate::run::{Queued, Run, Stop, Work};
use crate::unreadable::{SCHEMA, named};

/// Customers that are written at the same time.
const WRITES_AT_ONCE: usize = 32;

/// Customers that are decided between two looks at the clock.
const DECIDED_AT_ONCE: usize = 500;

impl<C: Changes> Run<'_, C> {
    /// Reads the contacts that changed, and compares the customers with all of them if anything is new on either side.
    pub(crate) async fn customers(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        if let Some(stop) = self.read_contacts(work).await? {
            return Ok(Some(stop));
        }
        let judging = self.matching_settings();
        let is_news = work.state.judging.as_ref() != Some(&judging)
            || self.tables.has_unsynced_customers(self.organisation()).await?;
        if is_news {
            if let Some(stop) = self.compare_customers(work).await? {
                return Ok(Some(stop));
            }
            // A customer that another process has written in between is compared the next time.
            work.state.judging = Some(judging).filter(|_| work.run.counted("overtaken") == 0);
        }
        self.contact_credits(work).await
    }

    /// The settings by which customers are compared, in short: if they change, all are compared again.
    fn matching_settings(&self) -> String {
        format!("merchant_contact_id={:?}", self.merchant())
    }

    fn merchant(&self) -> Option<XeroContactId> {
        self.settings.upload.as_ref()?.merchant_contact
    }

    /// Stores the contacts that changed, page by page. That customers are to be compared stands in the sweep's row before
    /// a page is stored, so that a run that dies in between is made up for.
    async fn read_contacts(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let mut walk = work.state.contacts_walk(self.now());
        while let Some(place) = walk.xero {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let read = self.xero.contacts_page(self.organisation(), place).await;
            let page = match self.counted(read, &mut work.run)? {
                Ok(page) => page,
                Err(stop) => return Ok(Some(stop)),
            };
            work.run.count("contacts", page.rows.len());
            work.run.count("unreadable", page.unreadable.len());
            for row in page.unreadable {
                let ((subject, why), whose) = (named(&row), self.organisation());
                self.tables.raise_message(whose, SCHEMA, &subject, &why, self.now()).await?;
            }
            let changed = self.changed(page.rows.into_iter().map(|(_, record)| record)).await?;
            walk.xero = page.next;
            if !changed.is_empty() && work.state.judging.take().is_some() {
                self.store(work).await?;
            }
            self.tables.store_contacts(self.organisation(), &changed).await?;
            if walk.xero.is_some() {
                work.state.walk = Some(walk.clone());
                self.store(work).await?;
            }
        }
        work.state.walk = None;
        work.state.read_whole(walk.begun_at);
        Ok(None)
    }

    /// Those of these contacts that are not stored as they are.
    async fn changed(
        &self,
        read: impl Iterator<Item = ContactRecord>,
    ) -> Result<Vec<StoredContact>, RunError> {
        let read: Vec<_> = read.collect();
        let ids: Vec<_> = read.iter().map(|record| record.contact.id).collect();
        let known = self.tables.contacts(self.organisation(), &ids).await?;
        let is_new = |record: &ContactRecord| {
            known.get(&record.contact.id).is_none_or(|known| known.record != *record)
        };
        let of = |record: ContactRecord| {
            let known = known.get(&record.contact.id);
            let is_unknown = known.is_some_and(|known| known.is_unknown);
            let credit = known.map(|known| known.credit.clone()).unwrap_or_default();
            StoredContact { record, is_unknown, credit }
        };
        Ok(read.into_iter().filter(is_new).map(of).collect())
    }

    /// Compares every customer with every contact, and stores what that changes.
    async fn compare_customers(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let (customers, unreadable) = self.tables.all_customers(self.organisation()).await?;
        work.run.count("unreadable_customers", unreadable);
        work.run.count("customers", customers.len());
        let contacts = self.tables.all_contacts(self.organisation()).await?;
        let records: Vec<_> = contacts.iter().map(|stored| stored.record.clone()).collect();
        let mut directory = Directory::new(&records, self.merchant());
        if let Some(stop) = self.ask_for(&customers, &mut directory, work).await? {
            return Ok(Some(stop));
        }
        let verdicts = match_customers(&customers, &directory);
        for some in verdicts.chunks(DECIDED_AT_ONCE) {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            self.keep_customers(some, &mut work.run).await?;
        }
        self.list_unknown(&verdicts, contacts, &mut work.run).await?;
        Ok(None)
    }

    /// Asks Xero for the contacts that customers have and the lists have not shown: they may be newer than the read.
    async fn ask_for(
        &self,
        customers: &[Customer],
        directory: &mut Directory,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        // Of one that is known not to be there, nothing is asked again.
        let is_open = |customer: &&Customer| customer.unusable_contact != customer.contact;
        let wanted: BTreeSet<_> =
            customers.iter().filter(is_open).filter_map(|customer| customer.contact).collect();
        loop {
            let asked = directory.unknown(&wanted);
            if asked.is_empty() {
                return Ok(None);
            }
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let read = self.xero.contacts(self.organisation(), &asked).await;
            match self.counted(read, &mut work.run)? {
                Ok(found) => directory.take(&asked, found.contacts, found.unreadable),
                Err(stop) => return Ok(Some(stop)),
            }
        }
    }

    async fn keep_customers(
        &self,
        verdicts: &[(&Customer, ContactMatch)],
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let now = self.now();
        let news = verdicts
            .iter()
            .filter_map(|(known, verdict)| Some((*known, record_verdict(known, verdict, now)?)));
        let news: Vec<_> = news.collect();
        let mut written = futures_util::stream::iter(&news)
            .map(|(known, after)| async move {
                (*known, after, self.tables.store_customer(Some(known), after, None, now).await)
            })
            .buffer_unordered(WRITES_AT_ONCE);
        let mut solved = Vec::new();
        while let Some((known, after, written)) = written.next().await {
            match written {
                Ok(()) => {
                    count(known, after, run);
                    let is_solved = known.blocked.is_some() && after.blocked.is_none();
                    solved.extend(is_solved.then(|| known.id.clone()));
                }
                // It was reported in between, and is due; or a person has solved its action.
                Err(WriteError::Conflict) => run.count("overtaken", 1),
                Err(error) => return Err(error.into()),
            }
        }
        drop(written);
        self.look_again(&solved, run).await
    }

    /// Has the invoices read again that waited for actions which the facts have solved (AMB-15). The next full sweep finds
    /// those that are not asked for here: an invoice that is held back is never settled.
    async fn look_again(&self, solved: &[CustomerId], run: &mut SyncRun) -> Result<(), RunError> {
        for customer in solved {
            let waiting = self.tables.invoices_waiting_for(self.organisation(), customer).await?;
            let invoices: Queued = waiting.into_iter().map(|id| (id, None)).collect();
            self.send(cause(run), invoices, &mut Queued::new(), run).await?;
        }
        Ok(())
    }

    /// Marks the contacts that no customer is linked with, and takes the mark off the others (CC-06).
    async fn list_unknown(
        &self,
        verdicts: &[(&Customer, ContactMatch)],
        contacts: Vec<StoredContact>,
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let linked: BTreeSet<_> =
            verdicts.iter().filter_map(|(_, verdict)| contact_of(verdict)).collect();
        let is_unknown = |record: &ContactRecord| {
            let id = record.contact.id;
            record.may_be_customer() && !linked.contains(&id) && self.merchant() != Some(id)
        };
        let mut marked = Vec::new();
        for stored in contacts {
            let is_unknown = is_unknown(&stored.record);
            run.count("unknown_contacts", usize::from(is_unknown));
            if is_unknown != stored.is_unknown {
                marked.push(StoredContact { is_unknown, ..stored });
            }
        }
        Ok(self.tables.store_contacts(self.organisation(), &marked).await?)
    }
}

/// The contact that a verdict links a customer with, also one that takes nothing.
const fn contact_of(verdict: &ContactMatch) -> Option<XeroContactId> {
    match verdict {
        ContactMatch::Linked { contact, .. } => Some(*contact),
        ContactMatch::Unusable { standing: ContactStanding::Unusable { contact, .. }, .. } => {
            Some(*contact)
        }
        _ => None,
    }
}

/// Counts what became of a customer.
fn count(known: &Customer, after: &Customer, run: &mut SyncRun) {
    let is_found = known.contact.is_none() && after.contact.is_some();
    run.count("linked", usize::from(is_found));
    run.count("merged", usize::from(known.merged != after.merged));
    run.count("actions_opened", usize::from(known.blocked.is_none() && after.blocked.is_some()));
    run.count("actions_solved", usize::from(known.blocked.is_some() && after.blocked.is_none()));
}
