//! Every change that an organisation's books allow.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Change, CreditKind, Invoice, InvoiceDraft, InvoiceEdit, InvoiceKind, InvoiceStatus, NewCredit,
    Organisation, Payment, PaymentDraft, PaymentStatus, Refusal,
};
use crate::random::Random;

impl Organisation {
    /// Records a payment.
    pub(crate) fn add_payment(
        &mut self,
        draft: PaymentDraft,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<(Uuid, Change), Refusal> {
        let objections = self.objections_to(&draft, Decimal::ZERO);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let at = self.tick(now);
        let id = ids.uuid();
        let payment = Payment {
            id,
            invoice: draft.invoice,
            credit: None,
            batch: None,
            account: draft.account,
            date: draft.date,
            amount: draft.amount,
            reference: draft.reference,
            reconciled: draft.reconciled,
            status: PaymentStatus::Authorised,
            recorded: at,
            updated: at,
            serial: self.next_serial(),
        };
        self.payments.insert(id, payment);
        let change = self.change(draft.invoice, at, |invoice| invoice.payments.push(id))?;
        Ok((id, change))
    }

    /// Takes a payment back, unless it is a part of a batch, which is deleted as a whole (facts.md 4.3).
    pub(crate) fn delete_payment(
        &mut self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Change>, Refusal> {
        if self.payments.get(&id).is_some_and(|payment| payment.batch.is_some()) {
            return Err(Refusal::because(
                "Payment cannot be deleted because it is part of a batch payment",
            ));
        }
        self.take_payment_back(id, now)
    }

    /// Takes any payment back. That of a refund is no change of an invoice.
    pub(super) fn take_payment_back(
        &mut self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Change>, Refusal> {
        let at = self.tick(now);
        let payment = self
            .payments
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no payment {id}")))?;
        if payment.status == PaymentStatus::Deleted {
            return Err(Refusal::because("Payment has already been deleted"));
        }
        payment.status = PaymentStatus::Deleted;
        payment.updated = at;
        let (document, credit) = (payment.invoice, payment.credit);
        if credit.is_some() {
            self.change_credit(document, at, |credit| credit.refunds.retain(|kept| kept.0 != id))?;
            return Ok(None);
        }
        self.change(document, at, |invoice| invoice.payments.retain(|&kept| kept != id)).map(Some)
    }

    /// Takes a payment back in such a way that its invoice keeps its stamp, as some changes do (facts.md 3.5).
    pub(crate) fn delete_payment_quietly(
        &mut self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.payments.get(&id).map(|payment| payment.invoice);
        let stamp = invoice.and_then(|id| Some(self.invoices.get(&id)?.updated));
        let change = self.delete_payment(id, now)?;
        let invoice = change.and_then(|change| self.invoices.get_mut(&change.invoice));
        if let (Some(invoice), Some(stamp)) = (invoice, stamp) {
            invoice.updated = stamp;
        }
        Ok(())
    }

    /// Matches a payment to a bank line, or unmatches it: the invoice does not change (facts.md 1.6).
    pub(crate) fn set_reconciled(
        &mut self,
        id: Uuid,
        reconciled: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let at = self.tick(now);
        let payment = self
            .payments
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no payment {id}")))?;
        payment.reconciled = reconciled;
        payment.updated = at;
        Ok(())
    }

    /// Puts an invoice into the books.
    pub(crate) fn add_invoice(
        &mut self,
        draft: InvoiceDraft,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let objections = self.objections_to_invoice(&draft);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let (contact, contact_name) = self.take_contact(draft.contact, ids, now);
        let at = self.tick(now);
        let id = ids.uuid();
        let serial = self.next_serial();
        let (tax, total) = InvoiceDraft::totals(&draft.line_amounts, &draft.lines);
        let mut invoice = Invoice {
            id,
            number: draft.number.unwrap_or_else(|| format!("INV-{serial:04}")),
            kind: draft.kind,
            contact,
            contact_name,
            reference: draft.reference,
            currency: draft.currency.unwrap_or_else(|| self.currency.clone()),
            rate: None,
            date: draft.date,
            due_date: draft.due_date.unwrap_or(draft.date),
            line_amounts: draft.line_amounts,
            lines: draft.lines,
            tax,
            total,
            status: draft.status,
            amount_paid: Decimal::ZERO,
            amount_credited: Decimal::ZERO,
            amount_due: total,
            fully_paid_on: None,
            payments: Vec::new(),
            credits: Vec::new(),
            updated: at,
            serial,
        };
        invoice.settle(&[]);
        self.put_invoice(invoice);
        Ok(Change { invoice: id, created: true, at })
    }

    /// Changes an invoice as far as its status allows (facts.md 4.2).
    pub(crate) fn edit_invoice(
        &mut self,
        id: Uuid,
        edit: InvoiceEdit,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        use InvoiceStatus::{Authorised, Deleted, Draft, Paid, Submitted, Voided};
        let invoice = self
            .invoices
            .get(&id)
            .ok_or_else(|| Refusal::because(format!("there is no invoice {id}")))?;
        let status = edit.status.unwrap_or(invoice.status);
        let allowed = match invoice.status {
            Draft | Submitted => matches!(status, Draft | Submitted | Authorised | Deleted),
            Authorised => matches!(status, Authorised | Voided),
            Paid => matches!(status, Authorised | Paid | Voided),
            Deleted | Voided => false,
        };
        if !allowed {
            return Err(Refusal::because("Invoice not of valid status for modification"));
        }
        if invoice.has_money_applied() && (status == Voided || edit.changes_the_money()) {
            return Err(Refusal::because(
                "This document cannot be edited as it has a payment or credit note allocated to it.",
            ));
        }
        let dates = [Some(invoice.date), edit.date];
        let mut objections: Vec<String> =
            dates.into_iter().flatten().filter_map(|date| self.lock_objection(date)).collect();
        if let Some(number) = &edit.number
            && *number != invoice.number
        {
            objections.extend(self.number_objection(invoice.kind, number));
        }
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let at = self.tick(now);
        self.change(id, at, |invoice| {
            invoice.status = status;
            invoice.number = edit.number.unwrap_or_else(|| invoice.number.clone());
            invoice.reference = edit.reference.unwrap_or_else(|| invoice.reference.clone());
            invoice.date = edit.date.unwrap_or(invoice.date);
            invoice.due_date = edit.due_date.unwrap_or(invoice.due_date);
            if let Some(line_amounts) = edit.line_amounts {
                invoice.line_amounts = line_amounts;
            }
            if let Some(lines) = edit.lines {
                invoice.lines = lines;
            }
            (invoice.tax, invoice.total) =
                InvoiceDraft::totals(&invoice.line_amounts, &invoice.lines);
        })
    }

    /// Sets the rate of an invoice in another currency than the books', as its day brings it.
    pub(crate) fn set_rate(
        &mut self,
        id: Uuid,
        rate: Decimal,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if rate <= Decimal::ZERO {
            return Err(Refusal::because(format!("{rate} is no rate")));
        }
        let at = self.tick(now);
        self.change(id, at, |invoice| invoice.rate = Some(rate))
    }

    /// Something about the invoice changes that is no payment, for instance a history note.
    pub(crate) fn touch_invoice(&mut self, id: Uuid, now: Timestamp) -> Result<Change, Refusal> {
        let at = self.tick(now);
        self.change(id, at, |_| {})
    }

    /// Writes a credit note and applies all of it to the invoice.
    pub(crate) fn add_credit_note(
        &mut self,
        invoice: Uuid,
        amount: Decimal,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<(Uuid, Change), Refusal> {
        let found = self
            .invoices
            .get(&invoice)
            .ok_or_else(|| Refusal::because(format!("there is no invoice {invoice}")))?;
        if amount > found.amount_due || found.status != InvoiceStatus::Authorised {
            return Err(Refusal::because(format!(
                "a credit of {amount} cannot be applied where {} is due",
                found.amount_due
            )));
        }
        let (contact, currency, date) = (found.contact, found.currency.clone(), found.date);
        let of_supplier = found.kind == InvoiceKind::Accpay;
        let wanted =
            NewCredit { kind: CreditKind::CreditNote, date, amount, reference: String::new() };
        let id = self.write_credit_note(contact, currency, wanted, ids, now)?;
        self.credit_documents.entry(id).and_modify(|document| document.of_supplier = of_supplier);
        let (_, change) = self.allocate(id, invoice, (amount, date), ids, now)?;
        Ok((id, change))
    }
}
