//! What a person does with batch payments.

use anyhow::Context as _;
use uuid::Uuid;

use crate::{
    Simulator,
    books::{BatchPayment, BatchPaymentDraft, NewBatchPayment, PaymentDraft},
};

/// Batch payments.
impl Simulator {
    /// Records one sum of money for several invoices, into the bank account.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the organisation does not exist.
    pub fn add_batch_payment(
        &self,
        organisation: Uuid,
        wanted: NewBatchPayment,
    ) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.organisation(organisation)?;
            let account = books.bank_account().context("the organisation has no bank account")?.id;
            let (date, reference) = (wanted.date, wanted.reference);
            let payment = |(invoice, amount)| PaymentDraft {
                invoice,
                account,
                date,
                amount,
                reference: String::new(),
                reconciled: false,
            };
            let payments = wanted.payments.into_iter().map(payment).collect();
            let draft = BatchPaymentDraft { account, date, reference, payments };
            let (id, changes) = books.add_batch_payment(draft, &mut world.ids, now)?;
            for change in changes {
                world.record(organisation, change);
            }
            Ok(id)
        })
    }

    /// Deletes a batch payment, and all its payments with it.
    ///
    /// # Errors
    ///
    /// When it does not exist or is deleted already.
    pub fn delete_batch_payment(&self, batch: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_batch_payment(batch)?;
            let organisation = books.id;
            for change in books.delete_batch_payment(batch, now)? {
                world.record(organisation, change);
            }
            Ok(())
        })
    }

    /// A batch payment as it is now.
    #[must_use]
    pub fn batch_payment(&self, id: Uuid) -> Option<BatchPayment> {
        self.with(|world, _| {
            world.books.of_batch_payment(id).ok()?.batch_payments.get(&id).cloned()
        })
    }
}
