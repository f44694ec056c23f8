//! What a person does with credit notes, prepayments and overpayments.

use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Simulator,
    books::{
        BankTransactionDraft, ContactChoice, CreditDocument, CreditKind, Line, NewCredit,
        NewPayment, NewSupplierCredit,
    },
};

/// Credit notes, prepayments and overpayments.
impl Simulator {
    /// Records a credit note, a prepayment or an overpayment of a contact by hand.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the contact does not exist.
    pub fn add_credit(&self, contact: Uuid, wanted: NewCredit) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.of_contact(contact)?;
            world.changed = true;
            if wanted.kind == CreditKind::CreditNote {
                let currency = books.currency.clone();
                return Ok(books.write_credit_note(
                    contact,
                    currency,
                    wanted,
                    &mut world.ids,
                    now,
                )?);
            }
            let line = Line {
                id: world.ids.uuid(),
                description: "Money in advance".to_owned(),
                quantity: Decimal::ONE,
                unit_amount: wanted.amount,
                amount: wanted.amount,
                tax: Decimal::ZERO,
                account_code: match wanted.kind {
                    CreditKind::Overpayment => String::new(),
                    _ => "200".to_owned(),
                },
                tax_type: None,
            };
            let draft = BankTransactionDraft {
                kind: wanted.kind,
                contact: ContactChoice::Known(contact),
                account: books.bank_account().map_or(Uuid::nil(), |account| account.id),
                date: wanted.date,
                reference: wanted.reference,
                currency: None,
                line_amounts: "NoTax".to_owned(),
                lines: vec![line],
                reconciled: false,
            };
            let id = books.add_bank_transaction(draft, &mut world.ids, now)?;
            Ok(books.bank_transactions[&id].prepayment)
        })
    }

    /// Records a supplier's credit note by hand, approved.
    ///
    /// # Errors
    ///
    /// When Xero would refuse it, or the contact does not exist.
    pub fn add_supplier_credit(
        &self,
        contact: Uuid,
        wanted: NewSupplierCredit,
    ) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let draft = wanted.draft(contact, &mut world.ids);
            let books = world.books.of_contact(contact)?;
            world.changed = true;
            Ok(books.add_credit_note_of(draft, &mut world.ids, now)?)
        })
    }

    /// A credit note, prepayment or overpayment as it is now.
    #[must_use]
    pub fn credit(&self, id: Uuid) -> Option<CreditDocument> {
        self.with(|world, _| world.books.of_credit(id).ok()?.credit(id).ok().cloned())
    }

    /// Applies a part of a credit to an invoice of its contact; the id of the allocation.
    ///
    /// # Errors
    ///
    /// When less is left or due, the invoice is not open, or one of the two does not exist.
    pub fn allocate(
        &self,
        credit: Uuid,
        invoice: Uuid,
        amount: Decimal,
        date: Date,
    ) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.of_credit(credit)?;
            let organisation = books.id;
            let (id, change) =
                books.allocate(credit, invoice, (amount, date), &mut world.ids, now)?;
            world.record(organisation, change);
            Ok(id)
        })
    }

    /// Takes an allocation back.
    ///
    /// # Errors
    ///
    /// When it does not exist.
    pub fn deallocate(&self, credit: Uuid, allocation: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            let books = world.books.of_credit(credit)?;
            let organisation = books.id;
            let change = books.deallocate(credit, allocation, now)?;
            world.record(organisation, change);
            Ok(())
        })
    }

    /// Voids a credit, and with it the bank transaction that made it.
    ///
    /// # Errors
    ///
    /// When something of it is applied or paid back, or it does not exist.
    pub fn void_credit(&self, credit: Uuid) -> anyhow::Result<()> {
        self.with(|world, now| {
            world.books.of_credit(credit)?.void_credit(credit, now)?;
            world.changed = true;
            Ok(())
        })
    }

    /// Pays a part of a credit back. The payment shows in no invoice, and no event announces it;
    /// it is taken back as any payment is.
    ///
    /// # Errors
    ///
    /// When less is left, or the credit does not exist.
    pub fn refund(&self, credit: Uuid, wanted: NewPayment) -> anyhow::Result<Uuid> {
        self.with(|world, now| {
            let books = world.books.of_credit(credit)?;
            let money = (wanted.amount, wanted.date);
            let id = books.refund(credit, money, wanted.reference, &mut world.ids, now)?;
            world.changed = true;
            Ok(id)
        })
    }
}
