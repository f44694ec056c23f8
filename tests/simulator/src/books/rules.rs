//! What Xero refuses, in its own words where they are known.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    ContactChoice, InvoiceDraft, InvoiceKind, InvoiceStatus, Line, Organisation, PaymentDraft,
};

/// `InvoiceNumber` and `Reference` hold no more characters than this (facts.md 4.2, 4.3).
pub(super) const TEXT_LENGTH_MAX: usize = 255;
/// Money has two decimals (facts.md 4.1).
pub(super) const MONEY_DECIMALS: u32 = 2;

impl Organisation {
    /// What stands in the way of this payment, if `claimed` were booked on its invoice before it.
    pub(crate) fn objections_to(&self, draft: &PaymentDraft, claimed: Decimal) -> Vec<String> {
        let mut objections = Vec::new();
        let mut object = |message: &str| objections.push(message.to_owned());
        let Some(invoice) = self.invoices.get(&draft.invoice) else {
            object("Invoice could not be found");
            return objections;
        };
        if self.contact(invoice.contact).is_some_and(|contact| contact.archived) {
            object("The Contact with the specified contact details has been archived");
        }
        match self.account(draft.account) {
            None => object("Account could not be found"),
            Some(account) if account.archived => object("Account has been archived"),
            Some(account) if !account.is_bank() && !account.payments_enabled => {
                object("Account is not valid for payments");
            }
            Some(_) => {}
        }
        if draft.amount <= Decimal::ZERO {
            object("Payment amount must be greater than zero");
        }
        if draft.amount.normalize().scale() > MONEY_DECIMALS {
            object("Payment amount must not have more than 2 decimal places");
        }
        let due = invoice.amount_due - claimed;
        if invoice.status != InvoiceStatus::Authorised || due <= Decimal::ZERO {
            object("Payments can only be made against Authorised documents");
        }
        if draft.amount > due {
            object("Payment amount exceeds the amount outstanding on this document");
        }
        if draft.reference.chars().count() > TEXT_LENGTH_MAX {
            object("Reference cannot be longer than 255 characters");
        }
        objections.extend(self.lock_objection(draft.date));
        objections
    }

    /// Xero refuses what is dated on or before a lock date (facts.md 4.2).
    pub(crate) fn lock_objection(&self, date: Date) -> Option<String> {
        let locks = [self.period_lock_date, self.end_of_year_lock_date];
        let lock = locks.into_iter().flatten().max()?;
        (date <= lock).then(|| {
            format!("The document date cannot be on or before the period lock date, currently set to {lock}")
        })
    }

    pub(super) fn objections_to_invoice(&self, draft: &InvoiceDraft) -> Vec<String> {
        let mut objections = Vec::new();
        if let Some(number) = &draft.number {
            objections.extend(self.number_objection(draft.kind, number));
        }
        objections.extend(self.contact_objection(&draft.contact));
        if draft.lines.is_empty() {
            objections.push("One or more line items must be specified".to_owned());
        }
        if InvoiceDraft::totals(&draft.line_amounts, &draft.lines).1 < Decimal::ZERO {
            objections.push(
                "The total for this document must be greater than or equal to zero".to_owned(),
            );
        }
        if draft.status == InvoiceStatus::Authorised && draft.due_date.is_none() {
            objections.push("Due Date cannot be empty".to_owned());
        }
        // Of sales that are made here, most tests name no account, and nothing depends on it.
        if draft.kind == InvoiceKind::Accpay && draft.status == InvoiceStatus::Authorised {
            let lines = draft.lines.iter();
            objections.extend(lines.filter_map(|line| self.line_objection(line)));
        }
        objections.extend(self.lock_objection(draft.date));
        objections
    }

    /// The objection to a line of an approved document: its account, or its tax type.
    pub(super) fn line_objection(&self, line: &Line) -> Option<String> {
        let code = &line.account_code;
        self.account_objection(code).or_else(|| self.tax_objection(line.tax_type.as_deref(), code))
    }

    /// An approved document is booked by line, each on an account that takes it (facts.md 4.2).
    fn account_objection(&self, code: &str) -> Option<String> {
        if code.is_empty() {
            return Some("Account code must be specified".to_owned());
        }
        let mut accounts = self.accounts.iter();
        let known = accounts.find(|account| account.code.as_deref() == Some(code));
        // Money cannot be booked from a bank account to itself or to another one as a line.
        let usable = known.is_some_and(|account| !account.is_bank() && !account.archived);
        (!usable).then(|| format!("Account code '{code}' is not a valid code for this document."))
    }

    /// A document needs a contact that exists and is in use.
    pub(super) fn contact_objection(&self, choice: &ContactChoice) -> Option<String> {
        let message = match choice {
            ContactChoice::Missing => {
                "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber"
            }
            ContactChoice::Named(_) => return None,
            ContactChoice::Known(id) => match self.contact(*id) {
                None => "Contact could not be found",
                Some(contact) if contact.archived => {
                    "The Contact with the specified contact details has been archived. The contact must be un-archived before creating new invoices or credit notes."
                }
                Some(_) => return None,
            },
        };
        Some(message.to_owned())
    }

    /// Numbers of sales are unique, numbers of bills are not (facts.md 4.2). A deleted or voided
    /// sale leaves its number to another.
    pub(super) fn number_objection(&self, kind: InvoiceKind, number: &str) -> Option<String> {
        let taken = kind == InvoiceKind::Accrec
            && self
                .invoices_numbered(number)
                .any(|invoice| invoice.kind == kind && !invoice.is_dead());
        if taken {
            return Some("Invoice # must be unique.".to_owned());
        }
        (number.chars().count() > TEXT_LENGTH_MAX)
            .then(|| "Invoice # cannot be longer than 255 characters".to_owned())
    }
}
