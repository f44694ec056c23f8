//! A payment on one invoice, as the business's own system has it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ids::{PaymentId, XeroPaymentId};
use crate::invoice::XeroPayment;
use crate::money::Money;
use crate::reason::{Held, codes};
use crate::upload::Stamp;

codes! {
    /// Where a payment was first recorded; fixed at birth (AMB-05).
    Origin {
        /// In the business's own system.
        Local = "local",
        /// In Xero: our row is a copy (CM-10).
        Xero = "xero",
    }
    /// What the mirror may do with a payment.
    Kind {
        /// A copy of a Xero payment, or a hand-entered one that was matched with one: follows Xero.
        Imported = "imported",
        /// Entered in the business's own system and matched with nothing in Xero yet.
        Manual = "manual",
        /// The business's own, put into Xero by us: never deleted by the mirror (AMB-08).
        Uploaded = "uploaded",
    }
    /// What became of the money (SP-03).
    PaymentStatus {
        /// Announced, not yet sure.
        Pending = "pending",
        /// The money was taken. Xero's AUTHORISED (AMB-18).
        Confirmed = "confirmed",
        /// It was not.
        Failed = "failed",
        /// It was given back.
        Refunded = "refunded",
    }
    /// The one state of a payment (rules A7.4).
    State {
        /// A copy made by us, equal to Xero.
        Applied = "applied",
        /// Hand-entered, matched with a Xero payment, equal to it from then on.
        Adopted = "adopted",
        /// Left as it is, for the reason that belongs to it.
        Protected = "protected",
        /// Ours, and in Xero.
        Uploaded = "uploaded",
    }
    /// Why a payment is left as it is.
    Protection {
        /// It has been journaled (CM-27).
        Journaled = "journaled",
        /// Hand-entered, and equal to no Xero payment (CM-29).
        Manual = "manual",
        /// Part of one payment over several invoices (CM-28).
        MultiInvoice = "multi_invoice",
    }
}

impl PaymentStatus {
    /// Whether a payment of this status can be the local side of a Xero payment. Money that did
    /// not come in cannot.
    pub fn can_match(self) -> bool {
        self != Self::Failed
    }

    /// Whether the money is with the business.
    pub fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    /// Whether one status may follow another (SP-03): pending becomes confirmed or failed,
    /// confirmed becomes refunded, and nothing else ever changes.
    pub fn may_become(self, next: Self) -> bool {
        self == next
            || matches!(
                (self, next),
                (Self::Pending, Self::Confirmed | Self::Failed) | (Self::Confirmed, Self::Refunded)
            )
    }
}

/// What a copy says about itself (CM-19).
pub const NOTE_IMPORTED: &str = "Xero payment";
/// What a hand-entered payment says once it is matched (CM-25).
pub const NOTE_MATCHED: &str = "Matched with a Xero payment";
/// What a payment says that we put into Xero.
pub const NOTE_UPLOADED: &str = "Uploaded to Xero";
/// What an upload says that Xero no longer has, after the business reported that the money was not taken, or
/// was given back (AMB-32).
pub const NOTE_TAKEN_BACK: &str = "Deleted in Xero after it failed or was refunded";
/// How a copy was paid, as far as Xero says.
pub const METHOD_XERO: &str = "xero";

/// The part of a payment that was received on one invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payment {
    /// The local id; one payment over several invoices has the same id on each.
    pub id: PaymentId,
    /// The part on this invoice.
    pub amount: Money,
    /// The calendar day.
    pub date: Date,
    /// What the payer wrote.
    pub reference: Option<String>,
    /// Where it was first recorded.
    pub origin: Origin,
    /// What the mirror may do with it.
    pub kind: Kind,
    /// What became of the money.
    pub status: PaymentStatus,
    /// How it was paid: `bpay`, `card`, `bank_transfer`, `paypal`, …; `xero` for a copy.
    pub method: String,
    /// The bank's or gateway's id of the transaction; the PaymentID for a copy (SP-06).
    pub transaction_id: String,
    /// Whether it has been journaled.
    pub journaled: bool,
    /// Whether it is a part of one payment over several invoices.
    pub multi_invoice: bool,
    /// The Xero payment it is the same as.
    pub link: Option<XeroPaymentId>,
    /// What it bears in Xero, if we put it there.
    pub stamp: Option<Stamp>,
    /// When it was first matched; set once (CM-25).
    pub first_match_at: Option<Timestamp>,
    /// The text that is written on it.
    pub note: Option<String>,
    /// When it was entered, or when the copy was made.
    pub created_at: Timestamp,
    /// What the invoice still owed after it, in the order of dates (ST-09).
    pub balance_after: Option<Money>,
    /// Its one state.
    pub state: State,
    /// Why, if it is protected.
    pub protection: Option<Protection>,
    /// The sender's version of it; 0 for what the sender has never mentioned.
    pub revision: u64,
}

impl Payment {
    /// The copy of a Xero payment (CM-07, CM-34).
    pub fn copy_of(xero: &XeroPayment, id: PaymentId, now: Timestamp) -> Self {
        Self {
            id,
            amount: xero.amount,
            date: xero.date,
            reference: xero.reference.clone(),
            origin: Origin::Xero,
            kind: Kind::Imported,
            status: PaymentStatus::Confirmed,
            method: METHOD_XERO.to_owned(),
            transaction_id: xero.id.to_string(),
            journaled: false,
            multi_invoice: false,
            link: Some(xero.id),
            stamp: None,
            first_match_at: Some(now),
            note: Some(NOTE_IMPORTED.to_owned()),
            created_at: now,
            balance_after: None,
            state: State::Applied,
            protection: None,
            revision: 0,
        }
    }

    /// The match key: amount and date, and nothing else (CM-45).
    pub fn equals(&self, xero: &XeroPayment) -> bool {
        self.amount == xero.amount && self.date == xero.date
    }

    /// Whether it is changed and deleted along with its original in Xero: imported, and not
    /// protected (CM-27, CM-28).
    pub(crate) fn follows_xero(&self) -> bool {
        self.kind == Kind::Imported && !self.journaled && !self.multi_invoice
    }

    /// It turns out to be a Xero payment, and follows it from now on (CM-33). The first match is noted once
    /// (CM-25).
    pub(crate) fn adopt(&mut self, xero: XeroPaymentId, now: Timestamp) {
        self.kind = Kind::Imported;
        self.link = Some(xero);
        if self.status == PaymentStatus::Pending {
            self.status = PaymentStatus::Confirmed;
        }
        if self.first_match_at.is_none() {
            self.first_match_at = Some(now);
            self.note = Some(match self.note.take() {
                Some(note) => format!("{note}; {NOTE_MATCHED}"),
                None => NOTE_MATCHED.to_owned(),
            });
        }
        self.settle_state();
    }

    /// Whether it is an upload of money that did not come in, or that was given back: once Xero no longer has
    /// it, both sides agree (AMB-32).
    pub(crate) fn is_taken_back(&self) -> bool {
        self.kind == Kind::Uploaded && !self.status.counts() && !self.journaled
    }

    /// Whether Xero no longer has it, after its money failed or was given back: both sides agree (AMB-32).
    pub(crate) fn is_gone_on_both_sides(&self) -> bool {
        self.note.as_deref() == Some(NOTE_TAKEN_BACK)
    }

    /// Sets the state that follows from the other fields.
    pub(crate) fn settle_state(&mut self) {
        let protection = if self.journaled {
            Some(Protection::Journaled)
        } else if self.multi_invoice && self.kind != Kind::Uploaded {
            Some(Protection::MultiInvoice)
        } else if self.kind == Kind::Manual {
            Some(Protection::Manual)
        } else {
            None
        };
        self.protection = protection;
        self.state = match (protection, self.kind, self.origin) {
            (Some(_), _, _) => State::Protected,
            (None, Kind::Uploaded, _) => State::Uploaded,
            (None, Kind::Imported, Origin::Xero) => State::Applied,
            (None, Kind::Imported | Kind::Manual, _) => State::Adopted,
        };
    }
}

/// A Xero payment that is there, and has no local copy, for a reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldPayment {
    /// The payment in Xero.
    pub payment: XeroPayment,
    /// Why it has no copy.
    pub reason: Held,
    /// The first day on which it will be judged otherwise, if the calendar decides.
    pub until: Option<Date>,
    /// Since when.
    pub held_at: Timestamp,
}

/// A payment that was removed, with everything it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// The payment as it last was.
    pub payment: Payment,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// By what: `mirror` or `intake`.
    pub removed_by: &'static str,
    /// Why, in a sentence.
    pub why: String,
    /// The read that showed it gone, if it was a read.
    pub snapshot: Option<crate::invoice::Version>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_changes_only_along_the_four_legal_ways() {
        // SP-03
        use PaymentStatus::{Confirmed, Failed, Pending, Refunded};
        let legal = [(Pending, Confirmed), (Pending, Failed), (Confirmed, Refunded)];
        for &from in PaymentStatus::ALL {
            for &to in PaymentStatus::ALL {
                let expected = from == to || legal.contains(&(from, to));
                assert_eq!(from.may_become(to), expected, "{from} to {to}");
            }
        }
    }
}
