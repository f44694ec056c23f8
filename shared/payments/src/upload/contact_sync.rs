//! The link between a customer and its contact in Xero (EX-21, EX-36), and the kinds of actions (EX-27).

use jiff::Timestamp;

use crate::ids::XeroContactId;
use crate::reason::codes;

codes! {
    /// How a customer's contact in Xero was found.
    FoundBy {
        /// The business names it.
        Report = "report",
        /// Its account number is the customer's id.
        AccountNumber = "account_number",
        /// It is the one in use with the customer's name.
        Name = "name",
        /// It is the one in use with the customer's e-mail address.
        Email = "email",
        /// A person has picked it, or has decided that the customer needs none for now.
        Person = "person",
    }
    /// What kind of action is open about a customer. The solution depends on it (EX-38).
    ActionKind {
        /// No contact in Xero is the customer's.
        NoContact = "no_contact",
        /// Several may be, or the only one may be another customer's.
        SeveralContacts = "several_contacts",
        /// Its contact is archived, or not in Xero (EX-37).
        ContactUnusable = "contact_unusable",
        /// The contact with its account number has another name.
        NameDiffers = "name_differs",
        /// By a merge in Xero, its contact is another customer's as well (EX-37).
        MergedAway = "merged_away",
        /// What a person has written down.
        Other = "other",
    }
}

impl ActionKind {
    /// Whether the customer sync opens it, and a person's word about it stands.
    pub const fn is_of_sync(self) -> bool {
        matches!(
            self,
            Self::NoContact | Self::SeveralContacts | Self::NameDiffers | Self::MergedAway
        )
    }

    /// Whether a report that names another contact solves it.
    pub const fn waits_for_contact(self) -> bool {
        self.is_of_sync()
    }
}

/// What the customer sync knows of a customer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContactSync {
    /// How the contact was found; `None` before the first sync.
    pub found_by: Option<FoundBy>,
    /// The contact that the business named when a person picked another one.
    pub passed_over: Option<XeroContactId>,
    /// The kind of the open action, if the sync opened it.
    pub action: Option<ActionKind>,
    /// The contacts that may be the customer's: of that action.
    pub candidates: Vec<XeroContactId>,
    /// When it was last compared with Xero's contacts (EX-21).
    pub synced_at: Option<Timestamp>,
    /// Whether it is to be compared again: it is new, or was reported otherwise.
    pub is_due: bool,
}
