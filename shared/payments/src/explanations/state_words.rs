//! The state of a payment in a few words for people; its code stays for the log.

use super::state::{Kept, Stage, State};

impl State {
    /// A few words that begin a sentence of their own.
    pub fn headline(self) -> String {
        let words = match self {
            Self::Applied => "Copied from Xero",
            Self::Adopted => "Matched with a payment in Xero",
            Self::Unchanged => "Here already",
            Self::Held(_) => "In Xero, and not copied yet",
            Self::HeldForApproval => "In Xero, and waits for a person",
            Self::Protected(Kept::DeletedAfterUpload) => "Deleted in Xero after our upload",
            Self::Protected(_) => "Left as it is",
            Self::Ignored(_) => "Left alone",
            Self::Removed => "Removed here",
            Self::Waiting(_) => "Waiting for its turn",
            Self::Planned(Stage::Unknown) => "Sent, not confirmed",
            Self::Planned(_) => "On its way to Xero",
            Self::Uploaded => "In Xero",
            Self::PartlyUploaded { placed, of } => {
                return format!("In Xero in part: {placed} of {of}");
            }
            Self::Skipped(_) => "Not sent",
            Self::Blocked(_) => "On hold",
            Self::Disabled(_) => "Uploads are off",
            Self::Failed(failure) if failure.code() == "refused_by_xero" => "Refused by Xero",
            Self::Failed(_) => "Failed",
        };
        words.to_owned()
    }
}
