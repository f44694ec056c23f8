//! What a person sets up in Xero before money moves: contacts, accounts, lock dates.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Simulator,
    books::{Contact, LockDates, NewAccount},
    world::World,
};

/// Contacts, accounts and lock dates.
impl Simulator {
    /// Adds a contact.
    ///
    /// # Errors
    ///
    /// When a contact in use has this name, or the organisation does not exist.
    pub fn add_contact(&self, organisation: Uuid, name: &str) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let World { books, ids, changed, .. } = world;
            let books = books.organisation(organisation)?;
            let id = books.add_contact(name.to_owned(), ids, now)?;
            *changed = true;
            Ok(id)
        })
    }

    /// Archives a contact: nothing new can be written for it, nor paid to it.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn archive_contact(&self, contact: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_contact(contact)?.archive_contact(contact, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Takes an archived contact into use again.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn restore_contact(&self, contact: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_contact(contact)?.restore_contact(contact, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Gives a contact another name.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn rename_contact(&self, contact: Uuid, name: &str) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_contact(contact)?.rename_contact(contact, name, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Gives a contact an account number and an e-mail address.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn describe_contact(
        &self,
        contact: Uuid,
        account_number: Option<&str>,
        email: Option<&str>,
    ) -> anyhow::Result<()> {
        self.with(|world, now| {
            let (number, email) = (account_number.map(str::to_owned), email.map(str::to_owned));
            let books = world.books.of_contact(contact)?;
            books.describe_contact(contact, number, email, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Merges a contact into another one: it is archived, and the other one has its documents.
    ///
    /// # Errors
    ///
    /// When one of them does not exist, or the other one is archived.
    pub fn merge_contact(&self, from: Uuid, into: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_contact(from)?.merge_contact(from, into, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Sets the rate of an invoice in another currency than the books'.
    ///
    /// # Errors
    ///
    /// When it does not exist, or the rate is none.
    pub fn set_rate(&self, invoice: Uuid, rate: Decimal) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_invoice(invoice)?;
            let organisation = books.id;
            let change = books.set_rate(invoice, rate, now)?;
            world.record(organisation, change);
            Ok(())
        })
    }

    /// A contact as it is now.
    #[must_use]
    pub fn contact(&self, id: Uuid) -> Option<Contact> {
        self.with(|world, _| world.books.of_contact(id).ok()?.contact(id).cloned())
    }

    /// Opens an account.
    ///
    /// # Errors
    ///
    /// When its code or name is taken, or the organisation does not exist.
    pub fn add_account(&self, organisation: Uuid, wanted: NewAccount) -> anyhow::Result<Uuid> {
        self.with(|world, _| {
            let World { books, ids, changed, .. } = world;
            let id = books.organisation(organisation)?.add_account(wanted, ids)?;
            *changed = true;
            Ok(id)
        })
    }

    /// Archives an account: nothing new can be booked on it.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn archive_account(&self, organisation: Uuid, account: Uuid) -> anyhow::Result<()> {
        self.with(|world, _| {
            world.books.organisation(organisation)?.archive_account(account)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Gives an account another code.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn recode_account(
        &self,
        organisation: Uuid,
        account: Uuid,
        code: &str,
    ) -> anyhow::Result<()> {
        self.with(|world, _| {
            world.books.organisation(organisation)?.recode_account(account, code)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Archives a tax rate: no line can have it any more.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn archive_tax_rate(&self, organisation: Uuid, tax_type: &str) -> anyhow::Result<()> {
        self.with(|world, _| {
            world.books.organisation(organisation)?.archive_tax_rate(tax_type)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Sets both lock dates; one that is left out unlocks.
    ///
    /// # Errors
    ///
    /// When the organisation does not exist.
    pub fn set_lock_dates(&self, organisation: Uuid, dates: LockDates) -> anyhow::Result<()> {
        self.with(|world, _| {
            world.books.organisation(organisation)?.lock(dates);
            world.changed = true;
            Ok(())
        })
    }

    /// Gives the organisation another name.
    ///
    /// # Errors
    ///
    /// When the organisation does not exist.
    pub fn rename_organisation(&self, organisation: Uuid, name: &str) -> anyhow::Result<()> {
        self.with(|world, _| {
            name.clone_into(&mut world.books.organisation(organisation)?.name);
            world.changed = true;
            Ok(())
        })
    }

    /// Forbids the user who authorised the app an action in the organisation, by the name that
    /// `/Organisation/Actions` has for it.
    ///
    /// # Errors
    ///
    /// When the organisation does not exist.
    pub fn forbid_action(&self, organisation: Uuid, action: &str) -> anyhow::Result<()> {
        self.with(|world, _| {
            world.books.organisation(organisation)?.forbidden_actions.insert(action.to_owned());
            world.changed = true;
            Ok(())
        })
    }
}
