//! What a row of the activity log can say was done: the closed list of all of it, so that every reader
//! of the log (announcements, reports) has to choose what a new kind of row means to it.

use std::fmt;

use crate::decision::Action;
use crate::reason::codes;
use crate::upload::UploadState;

/// The codes of the ledger's moves begin with this.
const UPLOAD_PREFIX: &str = "upload_";

codes! {
    /// What happened to an organisation as a whole, to a customer, or to a report.
    Occurrence {
        /// A person has had the decisions of some hours announced again.
        AnnouncedAgain = "announced_again",
        /// A user was asked to let us in.
        Authorising = "authorising",
        /// The caps were changed by a person, and uploading is as it was.
        CapsChanged = "caps_changed",
        /// A business day was closed (SP-13).
        CloseCompleted = "close_completed",
        /// A person has had business days closed, or one of them again (SP-13).
        CloseOrdered = "close_ordered",
        /// A closed day is closed again: a fact about it has come late.
        CloseReopened = "close_reopened",
        /// A user has let us in, for an organisation.
        Connected = "connected",
        /// A connection works, with failures, and was as it should be before (CC-04).
        ConnectionDegraded = "connection_degraded",
        /// Xero no longer lets us in, or has switched its webhook off (CC-03).
        ConnectionLost = "connection_lost",
        /// A user has authorised again, or a connection is better than it was (CC-02).
        ConnectionRestored = "connection_restored",
        /// A customer's contact was merged into another one in Xero, which is its contact from then on (EX-37).
        ContactFollowed = "contact_followed",
        /// A customer's contact in Xero was found (EX-36).
        ContactFound = "contact_found",
        /// Something about a customer has to be solved first (EX-28).
        CustomerBlocked = "customer_blocked",
        /// It was solved.
        CustomerUnblocked = "customer_unblocked",
        /// A dead letter was taken out of its queue, and is parked.
        Discarded = "discarded",
        /// A person has disconnected an organisation from Xero (XC-05).
        Disconnected = "disconnected",
        /// A day of this log was sealed (SP-29).
        LogSealed = "log_sealed",
        /// A person let a mass change through.
        MassChangeApproved = "mass_change_approved",
        /// Too many payments would be removed or altered: it waits for a person.
        MassChangeStopped = "mass_change_stopped",
        /// All that is to be paid for an order is here (SP-05).
        OrderCompleted = "order_completed",
        /// The payment of an order has come further, or less far, than before (SP-07).
        OrderProgressChanged = "order_progress_changed",
        /// The business has reported an order, or a change of one (SP-02).
        OrderRecorded = "order_recorded",
        /// An organisation has another name in Xero than before (XC-04).
        OrganisationRenamed = "organisation_renamed",
        /// A person has ordered something on the operators' pages, or was refused it (ST-22).
        Ordered = "ordered",
        /// A dead letter is on its way again.
        Redriven = "redriven",
        /// What operators read in the morning (CC-20).
        MorningDigest = "morning_digest",
        /// A report was counted again from the log, and is the same (SP-33).
        ReportRecounted = "report_recounted",
        /// A report was counted again from the log, and is another one (SP-33).
        ReportDiffers = "report_differs",
        /// A person has ordered a report (SP-27).
        ReportOrdered = "report_ordered",
        /// A report of a period is stored (SP-30).
        ReportStored = "report_stored",
        /// A parked entry is on its way again.
        Replayed = "replayed",
        /// Everything is decided from now on, and nothing is done (CM-30).
        ShadowEntered = "shadow_entered",
        /// Decisions are carried out from now on (CM-30).
        ShadowLeft = "shadow_left",
        /// An organisation is mirrored from now on.
        SignedUp = "signed_up",
        /// The nightly upload has switched itself off (EX-32), or was switched off.
        UploadingDisabled = "uploading_disabled",
        /// A person has switched it on again (AMB-12).
        UploadingEnabled = "uploading_enabled",
        /// A report raised a warning.
        Warned = "warned",
    }
}

/// What a row of the activity log says was done.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Logged {
    /// A decision about an invoice and its payments.
    Decided(Action),
    /// The change of a row in the ledger of uploads: its new state, or its new reason.
    Upload(UploadState),
    /// Anything else.
    Happened(Occurrence),
}

impl Logged {
    /// All that a row can say.
    pub fn all() -> impl Iterator<Item = Self> {
        let decided = Action::ALL.iter().copied().map(Self::Decided);
        let uploads = UploadState::ALL.iter().copied().map(Self::Upload);
        decided.chain(uploads).chain(Occurrence::ALL.iter().copied().map(Self::Happened))
    }

    /// What a code of the log means.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.strip_prefix(UPLOAD_PREFIX) {
            Some(state) => UploadState::from_code(state).map(Self::Upload),
            None => Action::from_code(code)
                .map(Self::Decided)
                .or_else(|| Occurrence::from_code(code).map(Self::Happened)),
        }
    }
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided(action) => action.fmt(f),
            Self::Upload(state) => write!(f, "{UPLOAD_PREFIX}{state}"),
            Self::Happened(occurrence) => occurrence.fmt(f),
        }
    }
}

impl From<Action> for Logged {
    fn from(action: Action) -> Self {
        Self::Decided(action)
    }
}

impl From<UploadState> for Logged {
    fn from(state: UploadState) -> Self {
        Self::Upload(state)
    }
}

impl From<Occurrence> for Logged {
    fn from(occurrence: Occurrence) -> Self {
        Self::Happened(occurrence)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_means_one_thing_and_is_read_back() {
        let all: Vec<_> = Logged::all().collect();
        let codes: BTreeSet<_> = all.iter().map(Logged::to_string).collect();
        assert_eq!(codes.len(), all.len(), "two things have one code");
        for logged in all {
            assert_eq!(Logged::from_code(&logged.to_string()), Some(logged));
        }
        for unknown in ["", "upload_", "upload_imported", "Imported", "paid"] {
            assert_eq!(Logged::from_code(unknown), None, "{unknown}");
        }
    }
}
