//! Ways to an invoice other than by its id: an organisation may have a hundred thousand of them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Invoice;

/// Invoices by number and by contact. It follows from the invoices and is not saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_number: BTreeMap<String, BTreeSet<Uuid>>,
    by_contact: BTreeMap<Uuid, BTreeSet<Uuid>>,
}

impl Index {
    pub(super) fn of<'a>(invoices: impl Iterator<Item = &'a Invoice>) -> Self {
        let mut index = Self::default();
        invoices.for_each(|invoice| index.add(invoice));
        index
    }

    pub(super) fn add(&mut self, invoice: &Invoice) {
        self.by_number.entry(invoice.number.clone()).or_default().insert(invoice.id);
        self.by_contact.entry(invoice.contact).or_default().insert(invoice.id);
    }

    /// `was` is the number that the invoice had before.
    pub(super) fn renumber(&mut self, invoice: &Invoice, was: &str) {
        if let Some(ids) = self.by_number.get_mut(was) {
            ids.remove(&invoice.id);
        }
        self.by_number.entry(invoice.number.clone()).or_default().insert(invoice.id);
    }

    /// Bills may share a number.
    pub(super) fn numbered(&self, number: &str) -> impl Iterator<Item = Uuid> {
        self.by_number.get(number).into_iter().flatten().copied()
    }

    pub(super) fn of_contact(&self, contact: Uuid) -> impl Iterator<Item = Uuid> {
        self.by_contact.get(&contact).into_iter().flatten().copied()
    }
}
