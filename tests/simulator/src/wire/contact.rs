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
    merged_to_contact: Option<Uuid>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<String>,
    email_address: String,
    bank_account_details: &'static str,
    addresses: [(); 0],
    phones: [(); 0],
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    contact_groups: [(); 0],
    is_supplier: bool,
    is_customer: bool,
    contact_persons: [(); 0],
    has_attachments: bool,
    has_validation_errors: bool,
}

impl ContactListed {
    /// With what Xero knows of its documents: whether there are bills of it, and sales invoices.
    pub(crate) fn new(contact: &Contact, is_supplier: bool, is_customer: bool) -> Self {
        Self {
            id: contact.id,
            contact_status: contact.status(),
            merged_to_contact: contact.merged_into,
            name: contact.name.clone(),
            account_number: contact.account_number.clone(),
            email_address: contact.email.clone().unwrap_or_default(),
            bank_account_details: "",
            addresses: [],
            phones: [],
            updated_date_utc: ms_date(contact.updated),
            contact_groups: [],
            is_supplier,
            is_customer,
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
