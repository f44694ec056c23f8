//! The content of a document of the provider: its fees, their kinds, the accounts on which they are booked, and of
//! a credit invoice what it is applied to.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::ids::{PaymentId, XeroAccountId};
use crate::money::{Money, MoneyError};
use crate::reason::codes;

/// Longest name of a fee kind, in characters.
pub const FEE_KIND_CHARS_MAX: usize = 40;

/// What a fee is for, in the provider's words: a lower-case name such as `chargeback`. The business says
/// for each of them where it is booked (EX-19).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FeeKind(String);

/// A text that names no kind of fee.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a fee kind is a lower-case name such as chargeback, with at most {FEE_KIND_CHARS_MAX} letters"
)]
pub struct FeeKindError;

impl FromStr for FeeKind {
    type Err = FeeKindError;

    fn from_str(text: &str) -> Result<Self, FeeKindError> {
        let fits = text.len() <= FEE_KIND_CHARS_MAX
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if fits { Ok(Self(text.to_owned())) } else { Err(FeeKindError) }
    }
}

impl fmt::Display for FeeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One fee of an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fee {
    /// What it is for.
    pub kind: FeeKind,
    /// The provider's own words for it.
    pub description: Option<String>,
    /// How much, taxes included; less than nothing for what the provider has credited on an invoice (EX-15c).
    pub amount: Money,
}

codes! {
    /// How far a bill is approved when it is made (XC-23). Nothing is applied to one that is not approved in Xero.
    BillStatus {
        /// It is payable at once.
        Authorised = "AUTHORISED",
        /// A person in Xero completes and approves it.
        Draft = "DRAFT",
        /// A person in Xero approves it.
        Submitted = "SUBMITTED",
    }
}

/// Where a kind of fee is booked in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeeAccount {
    /// The code of the account, as it was when it was chosen.
    pub code: String,
    /// The id of the account, which binds where its code is another one by now (XC-14). One that was typed has none.
    pub id: Option<XeroAccountId>,
    /// The tax type of the line; Xero's default for the account if it is left out.
    pub tax: Option<String>,
}

/// A part of a credit invoice that the provider has applied to an invoice of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppliedPart {
    /// The provider's invoice, by its name in the ledger.
    pub invoice: PaymentId,
    /// How much.
    pub amount: Money,
}

/// What only a credit invoice has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CreditTerms {
    /// What the provider has applied it to, as it was last reported.
    pub applied: Vec<AppliedPart>,
    /// How many allocations of it the ledger has begun. The next one has the next number.
    pub allocations: u32,
    /// Whether nothing of it is left in Xero: no run asks for it any more.
    pub used_up: bool,
}

/// What a document of the provider becomes in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DocumentForm {
    /// A bill (EX-13).
    Bill,
    /// A credit note (EX-15a, EX-16).
    CreditNote(CreditTerms),
    /// No document, but a part of a credit note that is applied to a bill (EX-17).
    Allocation {
        /// The credit invoice, by its name in the ledger.
        credit: PaymentId,
        /// The bill's number in Xero.
        bill: String,
    },
}

/// A credit invoice that becomes a line of a bill, since it was issued before the start date (EX-15b).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreditLine {
    /// The credit invoice, by its name in the ledger.
    pub credit: PaymentId,
    /// How much of it is applied to the bill.
    pub amount: Money,
    /// The same as lines of the bill: each is less than nothing.
    pub fees: Vec<Fee>,
}

impl CreditLine {
    /// The lines of a part of a credit invoice that begins behind `before`: its fees in their order, the last one
    /// cut.
    ///
    /// # Errors
    /// Two currencies, or an absurd amount.
    pub fn of(
        credit: &PaymentId,
        fees: &[Fee],
        before: Money,
        amount: Money,
    ) -> Result<Self, MoneyError> {
        let mut lines = Vec::new();
        let (mut passed, mut left) = (before, amount);
        for fee in fees {
            let skipped = if passed.amount() < fee.amount.amount() { passed } else { fee.amount };
            passed = passed.minus(skipped)?;
            let open = fee.amount.minus(skipped)?;
            let taken = if left.amount() < open.amount() { left } else { open };
            left = left.minus(taken)?;
            if taken.is_positive() {
                let line =
                    Fee { amount: Money::zero(taken.currency()).minus(taken)?, ..fee.clone() };
                lines.push(line);
            }
        }
        Ok(Self { credit: credit.clone(), amount, fees: lines })
    }
}

/// The content of a document of the provider that it does not have in common with a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bill {
    /// The provider's number.
    pub number: String,
    /// Day on which it is due; the day of issue if the provider names none.
    pub due_on: Option<Date>,
    /// What it consists of: at least one, but for an allocation, which has none.
    pub fees: Vec<Fee>,
    /// What it becomes in Xero.
    pub form: DocumentForm,
}

impl Bill {
    /// What only a credit invoice has.
    pub fn credit_terms(&self) -> Option<&CreditTerms> {
        match &self.form {
            DocumentForm::CreditNote(terms) => Some(terms),
            DocumentForm::Bill | DocumentForm::Allocation { .. } => None,
        }
    }

    /// The same of one that is to be changed.
    pub fn credit_terms_mut(&mut self) -> Option<&mut CreditTerms> {
        match &mut self.form {
            DocumentForm::CreditNote(terms) => Some(terms),
            DocumentForm::Bill | DocumentForm::Allocation { .. } => None,
        }
    }

    /// Whether both were reported with the same content. What the ledger adds is not compared.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let applied = |bill: &Self| bill.credit_terms().map(|terms| terms.applied.clone());
        self.is_the_same_document(other) && applied(self) == applied(other)
    }

    /// Whether the document in Xero would be the same. Where a credit invoice is applied does not stand in it.
    pub(crate) fn is_the_same_document(&self, other: &Self) -> bool {
        (&self.number, self.due_on, &self.fees) == (&other.number, other.due_on, &other.fees)
            && self.credit_terms().is_some() == other.credit_terms().is_some()
    }
}
