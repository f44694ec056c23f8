//! The parts of a payment on its way to Xero, each with its own fate (AMB-26).

use super::links::{Link, XeroLinks};
use crate::money::Money;
use crate::upload::{Part, PartState, Placed, Target, Upload};

/// One part of a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartLine {
    /// Counts the parts, from 1.
    pub number: u32,
    /// What it is made on, in words.
    pub on: String,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub state: PartState,
    /// Whether it is in Xero no longer, although it was.
    pub is_gone: bool,
    /// What Xero said against it.
    pub refusal: Option<String>,
    /// Where it is in Xero, or the invoice that it is to be made on.
    pub link: Option<Link>,
}

impl PartLine {
    /// The parts of a payment; `is_gone` says that what was in Xero of it is there no longer.
    pub(super) fn all(upload: &Upload, is_gone: bool, links: &XeroLinks) -> Vec<Self> {
        upload.parts.iter().map(|part| Self::of(part, is_gone, links)).collect()
    }

    fn of(part: &Part, is_gone: bool, links: &XeroLinks) -> Self {
        let (on, target) = match &part.target {
            Target::Invoice { id, number } => {
                (format!("invoice {number}"), Some(links.invoice(*id, number)))
            }
            Target::Prepayment { contact } => {
                ("a prepayment of the customer".to_owned(), links.contact(*contact))
            }
            Target::CreditNote { contact } => {
                ("a credit note of the payment provider".to_owned(), links.contact(*contact))
            }
            Target::Allocation { bill, .. } => {
                ("a bill, from a credit note".to_owned(), Some(links.bill(*bill)))
            }
            Target::Bill { contact } => {
                ("a bill of the payment provider".to_owned(), links.contact(*contact))
            }
        };
        let placed = part.placed.and_then(|placed| match placed {
            Placed::Payment(id) => Some(links.payment(id)),
            Placed::Prepayment { transaction, .. } => Some(links.bank_transaction(transaction)),
            Placed::Bill(id) => Some(links.bill(id)),
            Placed::CreditNote(id) => Some(links.credit_note(id)),
            // It has no page of its own.
            Placed::Allocation(_) => None,
        });
        Self {
            number: part.number,
            on,
            amount: part.amount,
            state: part.state,
            is_gone: is_gone && part.state == PartState::Done,
            refusal: part.refusal.clone(),
            link: placed.or(target),
        }
    }

    /// What it is, in words.
    pub fn says(&self) -> String {
        let state = match self.state {
            _ if self.is_gone => "was in Xero, and was deleted there",
            PartState::Planned => "to be sent",
            PartState::Sent => "sent, not answered yet",
            PartState::Unknown => "sent, and not known what came of it",
            PartState::Done => "in Xero",
            PartState::Refused => "refused by Xero",
            PartState::Withdrawn => "not in Xero, and not sent any more",
        };
        let refusal = self.refusal.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
        format!("{} on {}: {state}{refusal}", self.amount, self.on)
    }
}
