//! The one state of a payment (rules A7.4); `classification` says which it is.

use crate::payment::Protection;
use crate::reason::{Held, Ignored, codes};
use crate::upload::{Hold, Skip};

codes! {
    /// Which way a payment goes.
    Direction {
        /// From Xero to here.
        Inbound = "inbound",
        /// From here to Xero.
        Outbound = "outbound",
    }
    /// Why a payment is left as it is, without regard to what Xero shows.
    Kept {
        /// It has been journaled (CM-27).
        Journaled = "journaled",
        /// Hand-entered, and equal to no Xero payment (CM-29).
        Manual = "manual",
        /// Part of one payment over several invoices (CM-28).
        MultiInvoice = "multi_invoice",
        /// We put it into Xero, and it was deleted there; the money was taken (AMB-08).
        DeletedAfterUpload = "deleted_after_upload",
        /// We put it into Xero; the money was not taken or was given back, and Xero has it no longer (AMB-32).
        TakenBack = "taken_back",
    }
    /// What a payment's turn is.
    Turn {
        /// A night with a free slot.
        Night = "night",
        /// At once.
        AtOnce = "at_once",
    }
    /// How far a payment has come that has its slot.
    Stage {
        /// It has a slot, and has not been sent.
        Reserved = "reserved",
        /// It was sent, and the answer is not there yet.
        Sent = "sent",
        /// It was sent, and its outcome is unknown.
        Unknown = "unknown",
    }
    /// Why nothing is uploaded.
    Off {
        /// Uploading has not been set up.
        NotSetUp = "not_set_up",
        /// The organisation's settings say so.
        BySettings = "by_settings",
        /// A person has disconnected the organisation from Xero (XC-06).
        Disconnected = "disconnected",
        /// More than 4,000 attempts in 30 days (EX-32).
        AttemptsUsedUp = "attempts_used_up",
    }
    /// Why something failed.
    Failure {
        /// The money was not taken (SP-12).
        MoneyNotTaken = "money_not_taken",
        /// A report or a read could not be processed, and is kept for a person.
        Parked = "parked",
        /// Xero said no, and nothing of it is there.
        RefusedByXero = "refused_by_xero",
        /// Its row says something that we do not write.
        RowUnreadable = "row_unreadable",
    }
}

/// The one state of a payment: inbound first, outbound after that. `Removed` is an addition to A7.4's
/// list: such a payment is not there any more, and every question about it deserves the same answer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// A copy made by us, equal to Xero.
    Applied,
    /// Hand-entered, matched with a Xero payment, and following it.
    Adopted,
    /// It was here already, as the copy of an earlier Xero payment of the same amount and date (CM-32).
    Unchanged,
    /// Known from Xero, and not copied for now.
    Held(Held),
    /// What Xero shows of its invoice waits until a person has looked at a mass change.
    HeldForApproval,
    /// Left as it is.
    Protected(Kept),
    /// Its invoice is left alone altogether.
    Ignored(Ignored),
    /// It was here, and is not any more.
    Removed,
    /// Its turn comes.
    Waiting(Turn),
    /// It has its slot.
    Planned(Stage),
    /// All of it is in Xero, proven by Xero's ids.
    Uploaded,
    /// Some of it is in Xero (AMB-26).
    PartlyUploaded {
        /// So many parts are.
        placed: usize,
        /// Of so many.
        of: usize,
    },
    /// It does not go to Xero.
    Skipped(Skip),
    /// A condition other than its turn stands in the way.
    Blocked(Hold),
    /// Uploading is off.
    Disabled(Off),
    /// It failed, on its way in or out.
    Failed(Failure),
}

impl State {
    /// Its word in A7.4.
    pub fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Adopted => "adopted",
            Self::Unchanged => "unchanged",
            Self::Held(_) | Self::HeldForApproval => "held",
            Self::Protected(_) => "protected",
            Self::Ignored(_) => "ignored",
            Self::Removed => "removed",
            Self::Waiting(_) => "waiting",
            Self::Planned(_) => "planned",
            Self::Uploaded => "uploaded",
            Self::PartlyUploaded { .. } => "partly_uploaded",
            Self::Skipped(_) => "skipped",
            Self::Blocked(_) => "blocked",
            Self::Disabled(_) => "disabled",
            Self::Failed(_) => "failed",
        }
    }

    /// The reason that belongs to it, if it has one: a code.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Held(held) => Some(held.code()),
            Self::HeldForApproval => Some("MASS_CHANGE"),
            Self::Protected(kept) => Some(kept.code()),
            Self::Ignored(ignored) => Some(ignored.code()),
            Self::Waiting(turn) => Some(turn.code()),
            Self::Planned(stage) => Some(stage.code()),
            Self::Skipped(skip) => Some(skip.code()),
            Self::Blocked(hold) => Some(hold.code()),
            Self::Disabled(off) => Some(off.code()),
            Self::Failed(failure) => Some(failure.code()),
            Self::Applied
            | Self::Adopted
            | Self::Unchanged
            | Self::Removed
            | Self::Uploaded
            | Self::PartlyUploaded { .. } => None,
        }
    }

    /// Which way the payment goes, as far as its state says.
    pub fn direction(self) -> Direction {
        match self {
            Self::Applied
            | Self::Adopted
            | Self::Unchanged
            | Self::Held(_)
            | Self::HeldForApproval
            | Self::Protected(Kept::Journaled | Kept::Manual | Kept::MultiInvoice)
            | Self::Ignored(_)
            | Self::Removed
            | Self::Failed(Failure::MoneyNotTaken | Failure::Parked) => Direction::Inbound,
            Self::Protected(Kept::DeletedAfterUpload | Kept::TakenBack)
            | Self::Waiting(_)
            | Self::Planned(_)
            | Self::Uploaded
            | Self::PartlyUploaded { .. }
            | Self::Skipped(_)
            | Self::Blocked(_)
            | Self::Disabled(_)
            | Self::Failed(Failure::RefusedByXero | Failure::RowUnreadable) => Direction::Outbound,
        }
    }

    /// What a receipt shows (EX-23): synced only if all of it is in both systems (AMB-26).
    pub fn is_synced(self) -> bool {
        matches!(self, Self::Applied | Self::Adopted | Self::Unchanged | Self::Uploaded)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self, self.reason()) {
            (Self::PartlyUploaded { placed, of }, _) => {
                write!(f, "partly uploaded {placed} of {of}")
            }
            (_, Some(reason)) => write!(f, "{} ({reason})", self.code()),
            (_, None) => f.write_str(self.code()),
        }
    }
}

impl From<Protection> for Kept {
    fn from(protection: Protection) -> Self {
        match protection {
            Protection::Journaled => Self::Journaled,
            Protection::Manual => Self::Manual,
            Protection::MultiInvoice => Self::MultiInvoice,
        }
    }
}
