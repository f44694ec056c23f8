//! What a person sets up in Xero before money moves: contacts, accounts, lock dates.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Account, LockDates, NewAccount, Organisation, Refusal};
use crate::random::Random;

impl Organisation {
    /// Adds a contact.
    pub(crate) fn add_contact(
        &mut self,
        name: String,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Uuid, Refusal> {
        if name.is_empty() {
            return Err(Refusal::because("a contact needs a name"));
        }
        if self.contacts.named(&name).is_some() {
            return Err(Refusal::because(format!(
                "The contact name {name} is already assigned to another contact. The contact name must be unique across all active contacts."
            )));
        }
        let at = self.tick(now);
        let id = ids.uuid();
        self.contacts.add(id, name, at);
        Ok(id)
    }

    /// Takes a contact out of use; what was written for it stays.
    pub(crate) fn archive_contact(&mut self, id: Uuid, now: Timestamp) -> Result<(), Refusal> {
        let at = self.tick(now);
        if self.contacts.archive(id, at) {
            return Ok(());
        }
        Err(Refusal::because(format!("there is no contact {id}")))
    }

    /// Takes an archived contact into use again.
    pub(crate) fn restore_contact(&mut self, id: Uuid, now: Timestamp) -> Result<(), Refusal> {
        let at = self.tick(now);
        if self.contacts.restore(id, at) {
            return Ok(());
        }
        Err(Refusal::because(format!("there is no contact {id}")))
    }

    /// Gives a contact another name, which its documents show; that moves no stamp of theirs.
    pub(crate) fn rename_contact(
        &mut self,
        id: Uuid,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let at = self.tick(now);
        if !self.contacts.rename(id, name, at) {
            return Err(Refusal::because(format!("there is no contact {id}")));
        }
        for invoice in self.invoices.values_mut().filter(|invoice| invoice.contact == id) {
            name.clone_into(&mut invoice.contact_name);
        }
        self.reindex();
        Ok(())
    }

    /// Gives a contact an account number and an e-mail address.
    pub(crate) fn describe_contact(
        &mut self,
        id: Uuid,
        account_number: Option<String>,
        email: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let at = self.tick(now);
        if self.contacts.describe(id, (account_number, email), at) {
            return Ok(());
        }
        Err(Refusal::because(format!("there is no contact {id}")))
    }

    /// Merges a contact into another one, which gets its documents. The documents keep their stamps.
    pub(crate) fn merge_contact(
        &mut self,
        from: Uuid,
        into: Uuid,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let name = match (self.contact(from), self.contact(into)) {
            (Some(_), Some(contact)) if from != into && !contact.archived => contact.name.clone(),
            _ => return Err(Refusal::because("there are no two such contacts in use")),
        };
        let at = self.tick(now);
        self.contacts.merge(from, into, at);
        for invoice in self.invoices.values_mut().filter(|invoice| invoice.contact == from) {
            (invoice.contact, invoice.contact_name) = (into, name.clone());
        }
        for credit in self.credit_documents.values_mut().filter(|credit| credit.contact == from) {
            credit.contact = into;
        }
        let transactions = self.bank_transactions.values_mut();
        transactions.filter(|found| found.contact == from).for_each(|found| found.contact = into);
        self.reindex();
        Ok(())
    }

    /// Opens an account.
    pub(crate) fn add_account(
        &mut self,
        wanted: NewAccount,
        ids: &mut Random,
    ) -> Result<Uuid, Refusal> {
        let taken = |account: &Account| account.code.is_some() && account.code == wanted.code;
        if self.accounts.iter().any(taken) {
            return Err(Refusal::because("Please enter a unique Code."));
        }
        if self.accounts.iter().any(|account| account.name == wanted.name) {
            return Err(Refusal::because("Please enter a unique Name."));
        }
        let id = ids.uuid();
        self.accounts.push(Account {
            id,
            code: wanted.code,
            name: wanted.name,
            kind: wanted.kind,
            payments_enabled: wanted.payments_enabled,
            archived: false,
            currency: wanted.currency,
        });
        Ok(id)
    }

    /// Takes an account out of use; what was booked on it stays.
    pub(crate) fn archive_account(&mut self, id: Uuid) -> Result<(), Refusal> {
        let mut accounts = self.accounts.iter_mut();
        let account = accounts
            .find(|account| account.id == id)
            .ok_or_else(|| Refusal::because(format!("there is no account {id}")))?;
        account.archived = true;
        Ok(())
    }

    /// Gives an account another code.
    pub(crate) fn recode_account(&mut self, id: Uuid, code: &str) -> Result<(), Refusal> {
        let mut accounts = self.accounts.iter_mut();
        let account = accounts
            .find(|account| account.id == id)
            .ok_or_else(|| Refusal::because(format!("there is no account {id}")))?;
        account.code = Some(code.to_owned());
        Ok(())
    }

    /// Sets both lock dates; `None` unlocks.
    pub(crate) fn lock(&mut self, dates: LockDates) {
        self.period_lock_date = dates.period_lock_date;
        self.end_of_year_lock_date = dates.end_of_year_lock_date;
    }
}
