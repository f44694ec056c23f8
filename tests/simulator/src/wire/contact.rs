//! A contact, in its list and where a document names it.

use serde::Serialize;
use uuid::Uuid;

use super::ms_date;
use crate::books::Contact;

/// The contact of a document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContactOut {
    #[serde(rename = "ContactID")]
    id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phones: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_groups: Option<[(); 0]>,
    contact_persons: [(); 0],
    has_validation_errors: bool,
}

impl ContactOut {
    /// `full` adds the lists of what a contact has, which are always empty here.
    pub(super) fn new(id: Uuid, name: &str, full: bool) -> Self {
        Self {
            id,
            name: name.to_owned(),
            addresses: full.then_some([]),
            phones: full.then_some([]),
            contact_groups: full.then_some([]),
            contact_persons: [],
            has_validation_errors: false,
        }
    }
}

/// A contact as `GET /Contacts` shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContactListed {
    #[serde(rename = "ContactID")]
    id: Uuid,
    contact_status: &'static str,
    #[serde(rename = "MergedToContactID", skip_serializing_if = "Option::is_none")]
    merged_to: Option<Uuid>,
    name: String,
    email_address: &'static str,
    bank_account_details: &'static str,
    addresses: [(); 0],
    phones: [(); 0],
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    contact_groups: [(); 0],
    contact_persons: [(); 0],
    has_attachments: bool,
    has_validation_errors: bool,
}

impl From<&Contact> for ContactListed {
    fn from(contact: &Contact) -> Self {
        Self {
            id: contact.id,
            contact_status: contact.status(),
            merged_to: contact.merged_to,
            name: contact.name.clone(),
            email_address: "",
            bank_account_details: "",
            addresses: [],
            phones: [],
            updated_date_utc: ms_date(contact.updated),
            contact_groups: [],
            contact_persons: [],
            has_attachments: false,
            has_validation_errors: false,
        }
    }
}

/// The contact as the sender named it.
#[derive(Debug, Serialize)]
pub(crate) struct ContactNamed {
    #[serde(rename = "ContactID", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(rename = "Name", skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}
