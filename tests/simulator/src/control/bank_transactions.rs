//! What a person does to bank transactions, and what a test asks about money that came in.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    Simulator,
    books::{BankTransaction, BankTransactionStatus, PaymentStatus},
};

/// Bank transactions.
impl Simulator {
    /// A bank transaction as it is now.
    #[must_use]
    pub fn bank_transaction(&self, id: Uuid) -> Option<BankTransaction> {
        self.with(|world, _| {
            world.books.of_bank_transaction(id).ok()?.bank_transactions.get(&id).cloned()
        })
    }

    /// Deletes a bank transaction, which stays in the list; its prepayment is voided.
    ///
    /// # Errors
    ///
    /// When it does not exist, or is deleted or voided already.
    pub fn delete_bank_transaction(&self, id: Uuid) -> anyhow::Result<()> {
        self.end_bank_transaction(id, BankTransactionStatus::Deleted)
    }

    /// Voids a bank transaction, which stays in the list; its prepayment is voided.
    ///
    /// # Errors
    ///
    /// When it does not exist, or is deleted or voided already.
    pub fn void_bank_transaction(&self, id: Uuid) -> anyhow::Result<()> {
        self.end_bank_transaction(id, BankTransactionStatus::Voided)
    }

    fn end_bank_transaction(&self, id: Uuid, status: BankTransactionStatus) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_bank_transaction(id)?.end_bank_transaction(id, status, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Every payment and bank transaction that counts, by its reference; those without one are left
    /// out. An upload that went up once has one of each.
    #[must_use]
    pub fn live_references(&self, organisation: Uuid) -> BTreeMap<String, Vec<Uuid>> {
        self.with(|world, _| {
            let mut live: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
            let Some(books) = world.books.organisations.get(&organisation) else {
                return live;
            };
            let payments = books.payments.values();
            let payments = payments
                .filter(|payment| payment.status == PaymentStatus::Authorised)
                .map(|payment| (&payment.reference, payment.id));
            let transactions = books.bank_transactions.values();
            let transactions = transactions
                .filter(|transaction| transaction.status == BankTransactionStatus::Authorised)
                .map(|transaction| (&transaction.reference, transaction.id));
            for (reference, id) in payments.chain(transactions) {
                if !reference.is_empty() {
                    live.entry(reference.clone()).or_default().push(id);
                }
            }
            live
        })
    }
}
