//! What a close finds that no change of an invoice has shown: it becomes a discrepancy like any other.

use jiff::Timestamp;
use jiff::civil::Date;

use super::cause::CloseCause;
use super::facts::CloseSubject;
use super::judgement::CloseStatus;
use super::result::Item;
use crate::change::Change;
use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};
use crate::ids::PaymentId;
use crate::invoice_discrepancies::{is_unprocessed, overdue_without_xero, raise_one};
use crate::money::Money;
use crate::settings::Settings;
use crate::stored::StoredInvoice;
use crate::upload::Hold;

/// Something that a close has found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// A payment has not come to its end in time (SP-15).
    Unprocessed {
        /// Where it stands.
        subject: CloseSubject,
        /// The payment.
        payment: PaymentId,
        /// Its money.
        amount: Money,
        /// Why.
        cause: CloseCause,
    },
    /// A payment failed, and it is on no invoice that would show it (SP-12).
    Failed {
        /// The payment.
        payment: PaymentId,
        /// Its money.
        amount: Money,
    },
    /// The due date of an invoice has passed (SP-15).
    Overdue(CloseSubject),
    /// What a close has found about a payment on no invoice is over.
    Over {
        /// The payment.
        payment: PaymentId,
        /// The finding.
        key: DiscrepancyKey,
    },
}

impl Finding {
    /// What it is about; `None` of a payment that is on no invoice.
    pub fn subject(&self) -> Option<&CloseSubject> {
        match self {
            Self::Unprocessed { subject, .. } | Self::Overdue(subject) => Some(subject),
            Self::Failed { .. } | Self::Over { .. } => None,
        }
    }

    /// What it means for the discrepancies of a payment that is on no invoice; `None` if it is about an invoice.
    pub fn about_payment(&self) -> Option<(&PaymentId, DiscrepancyKey, Option<String>)> {
        match self {
            Self::Unprocessed { subject: CloseSubject::Payment(_), payment, amount, cause } => {
                let key = DiscrepancyKey::of_invoice(DiscrepancyKind::Unprocessed);
                Some((payment, key, Some(cause.sentence(*amount))))
            }
            Self::Failed { payment, amount } => {
                let key = DiscrepancyKey::of_invoice(DiscrepancyKind::FailedPayment);
                let why = format!(
                    "{amount} failed, and it names no invoice; ask for it again, or accept this"
                );
                Some((payment, key, Some(why)))
            }
            Self::Over { payment, key } => Some((payment, key.clone(), None)),
            Self::Unprocessed { .. } | Self::Overdue(_) => None,
        }
    }
}

impl Item {
    /// What a person has to hear of this row, at the close of that day.
    pub fn findings(&self, day: Date) -> Vec<Finding> {
        let mut found = Vec::new();
        for (name, judged) in &self.listed {
            let Ok(payment) = name.parse::<PaymentId>() else { continue };
            if judged.status != CloseStatus::NotReconciled {
                continue;
            }
            let (amount, subject) = (judged.amount, self.subject.clone());
            match judged.cause {
                Some(cause) if cause.is_unprocessed() && !self.is_doubtful(name) => {
                    found.push(Finding::Unprocessed { subject, payment, amount, cause });
                }
                Some(CloseCause::FailedPayment) if matches!(subject, CloseSubject::Payment(_)) => {
                    found.push(Finding::Failed { payment, amount });
                }
                _ => {}
            }
        }
        let position = self.facts.position.as_ref().map(|position| &position.value);
        let is_due = position.is_some_and(|position| {
            position.left.is_positive() && position.due_on.is_some_and(|due_on| due_on < day)
        });
        if is_due {
            found.push(Finding::Overdue(self.subject.clone()));
        }
        found.extend(self.over(&found));
        found
    }
}

impl Item {
    /// Whether the payment is held since it may be the same as another: that is a discrepancy of its own.
    fn is_doubtful(&self, payment: &str) -> bool {
        let upload = self.facts.payments.get(payment).and_then(|facts| facts.upload.as_ref());
        upload.is_some_and(|upload| upload.value.reason == Hold::PossibleDuplicate.code())
    }
}

/// What only closes open and close, about payments on no invoice.
const OURS: [DiscrepancyKind; 2] = [DiscrepancyKind::FailedPayment, DiscrepancyKind::Unprocessed];

impl Item {
    /// A discrepancy of this payment that is not found any more.
    fn over(&self, found: &[Finding]) -> Vec<Finding> {
        let CloseSubject::Payment(payment) = &self.subject else { return Vec::new() };
        let is_found = |key: &DiscrepancyKey| {
            found.iter().filter_map(Finding::about_payment).any(|(_, found, _)| found == *key)
        };
        let open = self.facts.found.iter().filter(|(_, open)| open.value).map(|(key, _)| key);
        let over = open.filter(|key| OURS.contains(&key.kind) && !is_found(key));
        over.map(|key| Finding::Over { payment: payment.clone(), key: key.clone() }).collect()
    }
}

impl CloseCause {
    /// Whether it says that a payment has not come to its end, so that a person has to look after it (SP-14, SP-15).
    fn is_unprocessed(self) -> bool {
        matches!(
            self,
            Self::Held
                | Self::NightMissed
                | Self::OtherMethod
                | Self::PendingTooLong
                | Self::Refund
                | Self::Refused
        )
    }

    /// The cause and its remedy, for a payment that has not come to its end.
    pub fn sentence(self, amount: Money) -> String {
        match self {
            Self::NightMissed => format!(
                "{amount} waits for a night that is over: see why the upload does not send it"
            ),
            Self::OtherMethod => format!(
                "{amount} was paid in a way that is entered in Xero by hand or by the bank, and is not there: enter it \
                 in Xero, or correct it here"
            ),
            Self::Held => format!(
                "{amount} is held and does not go to Xero: its page Why says what it waits for"
            ),
            Self::Refund => format!(
                "{amount} was given back here, and stands in Xero still: take it back in Xero as well"
            ),
            Self::Refused => format!(
                "{amount} was refused by Xero, or a part of it: its page Why has Xero's own sentence and the remedy"
            ),
            Self::PendingTooLong => format!(
                "{amount} is pending for too long: ask the bank or the gateway, and report what became of it"
            ),
            other => format!("{amount}: {other}"),
        }
    }
}

/// The change of an invoice that a finding asks for, if its stored facts still say so and it is not open already.
pub fn raise(
    stored: &StoredInvoice,
    finding: &Finding,
    settings: &Settings,
    now: Timestamp,
) -> Option<Change> {
    match finding {
        Finding::Unprocessed { payment, amount, cause, .. } => {
            is_unprocessed(stored, payment.as_str()).then_some(())?;
            let key = DiscrepancyKey::about(DiscrepancyKind::Unprocessed, payment);
            raise_one(stored, key, cause.sentence(*amount), now)
        }
        Finding::Overdue(_) => {
            let (key, why) = overdue_without_xero(stored, settings.today(now))?;
            raise_one(stored, key, why, now)
        }
        Finding::Failed { .. } | Finding::Over { .. } => None,
    }
}
