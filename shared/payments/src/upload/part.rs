//! What a payment consists of on its way to Xero, and the states of both.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::stamp::Stamp;
use crate::ids::{XeroContactId, XeroCreditId, XeroInvoiceId, XeroPaymentId};
use crate::money::{Money, MoneyError};
use crate::reason::codes;

/// Most parts of one payment, as many as it may have allocations.
pub const PARTS_MAX: usize = 200;
/// How long after sending a read of Xero is evidence that nothing came of it: our time-out, and the
/// longest that Xero may go on working. A request that shows no effect until then is taken to have none
/// (assumption A1).
pub const SURE_AFTER: SignedDuration = SignedDuration::from_mins(15);
codes! {
    /// The one state of a payment on its way to Xero (rules A7.4).
    UploadState {
        /// Its turn comes.
        Waiting = "waiting",
        /// It waits for something else first; every night judges it again.
        Held = "held",
        /// It does not go.
        Skipped = "skipped",
        /// It has a slot, and has not been sent.
        Reserved = "reserved",
        /// It was sent, and the answer is not there yet.
        Sent = "sent",
        /// It was sent, and its outcome is unknown.
        Unknown = "unknown",
        /// All of it is in Xero, proven by Xero's ids.
        Uploaded = "uploaded",
        /// Some of it is in Xero; the rest was refused.
        PartlyUploaded = "partly_uploaded",
        /// Xero refused it; nothing of it is there.
        Refused = "refused",
    }
    /// Where a payment stands in line: what a run asks for, oldest first.
    Line {
        /// Waits for a night.
        Waiting = "waiting",
        /// Waits to be posted at once.
        Direct = "direct",
        /// Waits for something else.
        Held = "held",
        /// Does not go.
        Skipped = "skipped",
        /// Does not go, since a person has said that money in Xero is the same: until that is deleted there.
        Same = "same",
        /// Has a slot; or parts of it were refused, and that is not weighed yet.
        Reserved = "reserved",
        /// Was sent.
        Sent = "sent",
        /// Was sent, and is not known.
        Unknown = "unknown",
        /// A credit note that is in Xero, and of which something is left for the next bill (EX-17).
        Credit = "credit",
        /// The rest of it was refused.
        PartlyUploaded = "partly_uploaded",
        /// Was refused.
        Refused = "refused",
    }
    /// The state of one part.
    PartState {
        /// To be sent.
        Planned = "planned",
        /// Sent, not answered yet.
        Sent = "sent",
        /// Sent, and not known what came of it.
        Unknown = "unknown",
        /// In Xero, proven by Xero's id.
        Done = "done",
        /// Refused by Xero, and not there.
        Refused = "refused",
        /// Sent, proven not to be in Xero, and not sent any more: what it was sent for is planned otherwise.
        Withdrawn = "withdrawn",
    }
}

impl PartState {
    /// Whether it is one of the parts that make up its payment.
    pub fn stands(self) -> bool {
        !matches!(self, Self::Refused | Self::Withdrawn)
    }
}

/// What a part is created on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A payment on an invoice.
    Invoice {
        /// Which.
        id: XeroInvoiceId,
        /// Its number in Xero.
        number: String,
    },
    /// A prepayment of a contact.
    Prepayment {
        /// Whose.
        contact: XeroContactId,
    },
    /// A credit note of the contact that stands for the payment provider (EX-15a).
    CreditNote {
        /// That contact.
        contact: XeroContactId,
    },
    /// A part of a credit note on a bill (EX-17).
    Allocation {
        /// The credit note.
        note: XeroCreditId,
        /// The bill.
        bill: XeroInvoiceId,
    },
    /// A bill of the contact that stands for the payment provider (EX-13).
    Bill {
        /// That contact.
        contact: XeroContactId,
    },
}

/// The proof that a part is in Xero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placed {
    /// Xero's `PaymentID`.
    Payment(XeroPaymentId),
    /// Xero's `BankTransactionID` and `PrepaymentID`.
    Prepayment {
        /// The bank transaction that made it.
        transaction: Uuid,
        /// The prepayment itself; left out by some answers.
        prepayment: Option<Uuid>,
    },
    /// Xero's `InvoiceID` of a bill.
    Bill(XeroInvoiceId),
    /// Xero's `CreditNoteID`.
    CreditNote(XeroCreditId),
    /// Xero's `AllocationID`.
    Allocation(Uuid),
}

/// One part of a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// Counts the parts of the payment, from 1; never used again once anything may have come of it.
    pub number: u32,
    /// What it is created on.
    pub target: Target,
    /// How much.
    pub amount: Money,
    /// How it is known again.
    pub stamp: Stamp,
    /// Its state.
    pub state: PartState,
    /// With how many keys it has been sent.
    pub tries: u32,
    /// The `Idempotency-Key` that it was last sent with.
    pub key: Option<String>,
    /// When it was last sent.
    pub sent_at: Option<Timestamp>,
    /// How many reads, late enough, have not shown it since.
    pub absences: u32,
    /// When the last of them was made.
    pub looked_at: Option<Timestamp>,
    /// What Xero said against it.
    pub refusal: Option<String>,
    /// The proof that it is in Xero.
    pub placed: Option<Placed>,
}

impl Part {
    /// Whether it would create the same.
    pub(super) fn is_same(&self, target: &Target, amount: Money) -> bool {
        let same = match (&self.target, target) {
            (Target::Invoice { id, .. }, Target::Invoice { id: other, .. }) => id == other,
            (one, other) => one == other,
        };
        same && self.amount == amount
    }
}

/// The evidence about a part after it was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WriteOutcome {
    /// It is in Xero.
    Placed(Placed),
    /// Xero says that it is not, and why.
    Refused(String),
    /// The call was turned away before anything could happen: a limit, no permission, or another element that
    /// Xero refused the whole call for.
    TurnedAway,
    /// There was no answer, or it does not say.
    Unclear,
}

/// What it means that a read did not show a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Absence {
    /// The read was too early to say anything.
    TooEarly,
    /// One more read is needed.
    LookAgain,
    /// It is not in Xero. It is planned again, or refused if that is what Xero had said.
    NotThere,
}

/// A move that is not legal: a mistake of ours, found before it can do harm.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// The row's state does not allow it.
    #[error("a payment that is {from} cannot be {what}")]
    State {
        /// The state.
        from: UploadState,
        /// The move.
        what: &'static str,
    },
    /// The parts would be more, or less, than the payment.
    #[error("the parts of a payment must add up to what is left of it")]
    Sum,
    /// Two currencies, or an absurd amount.
    #[error("the parts of a payment cannot be added up")]
    Money(#[from] MoneyError),
    /// There is no such part.
    #[error("the payment has no part {0}")]
    NoPart(u32),
    /// The payment goes no way.
    #[error("the payment has no route")]
    NoRoute,
}
