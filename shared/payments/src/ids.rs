//! Ids. Each outside id is its own type, so that two of them can never be swapped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not the id it was taken for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// Xero's ids are UUIDs; this text is not one.
    #[error("{what} must be a UUID")]
    NotUuid {
        /// Which id was expected.
        what: &'static str,
    },
    /// Ids of the business's own system are texts of 1 to 100 printable characters.
    #[error("{what} must have 1 to {max} characters, none of them a control character", max = TEXT_ID_CHARS_MAX)]
    NotText {
        /// Which id was expected.
        what: &'static str,
    },
}

/// Longest id or number the business's own system may use, in characters. With the ids of one
/// key together they stay far below DynamoDB's 1,024 bytes for a sort key.
pub const TEXT_ID_CHARS_MAX: usize = 100;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an id that has already been read as a UUID.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotUuid { what: $what })
            }
        }
    )*};
}

uuid_ids! {
    /// A grant: one user's authorisation of our app at Xero. The id is ours.
    GrantId, "a grant id";
    /// A Xero organisation, which Xero's API calls a tenant.
    OrganisationId, "an organisation id";
    /// Xero's `AccountID`.
    XeroAccountId, "a Xero account id";
    /// Xero's `ContactID`.
    XeroContactId, "a Xero contact id";
    /// Xero's `CreditNoteID`, `PrepaymentID` or `OverpaymentID`.
    XeroCreditId, "a Xero credit's id";
    /// Xero's `InvoiceID`.
    XeroInvoiceId, "a Xero invoice id";
    /// Xero's `PaymentID`.
    XeroPaymentId, "a Xero payment id";
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text, exactly as the business's own system writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let chars = text.chars().count();
                if chars == 0 || chars > TEXT_ID_CHARS_MAX || text.chars().any(char::is_control) {
                    return Err(IdError::NotText { what: $what });
                }
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

text_ids! {
    /// A customer of the business, as its own system names it.
    CustomerId, "a customer id";
    /// An invoice number of the business's own system, for example `10234` (in Xero: `CM-10234`).
    InvoiceNumber, "an invoice number";
    /// An order of a customer, as the business's own system names it.
    OrderId, "an order id";
    /// A payment of the business's own system: its own id, or `xero-…` for a copy that we made.
    PaymentId, "a payment id";
}

/// What every id of a copy begins with. The business's own ids must not.
pub const COPY_PREFIX: &str = "xero-";

/// What the name of a provider's invoice begins with in the ledger of uploads, where payments have their
/// ids. The business's own ids must not.
pub const PROVIDER_INVOICE_PREFIX: &str = "provider-invoice-";
/// Longest id of a provider's invoice, in characters: with the prefix it is as long as any id may be.
pub const PROVIDER_INVOICE_ID_CHARS_MAX: usize = TEXT_ID_CHARS_MAX - PROVIDER_INVOICE_PREFIX.len();

/// What the name of a provider's credit invoice begins with in the ledger of uploads. The business's own ids must
/// not.
pub const PROVIDER_CREDIT_PREFIX: &str = "provider-credit-";
/// What the name of an allocation of a credit invoice begins with there. The business's own ids must not.
pub const CREDIT_ALLOCATION_PREFIX: &str = "provider-allocation-";
/// Longest id of a provider's credit invoice, in characters: with the prefix of an allocation and its number it is as
/// long as any id may be.
pub const PROVIDER_CREDIT_ID_CHARS_MAX: usize =
    TEXT_ID_CHARS_MAX - CREDIT_ALLOCATION_PREFIX.len() - "-9999999999".len();

impl PaymentId {
    /// The id of the copy of a Xero payment. `attempt` is 0 unless that id is already taken by a
    /// copy which has since been linked to another Xero payment.
    pub fn of_copy(xero: XeroPaymentId, attempt: u32) -> Self {
        match attempt {
            0 => Self(format!("{COPY_PREFIX}{xero}")),
            n => Self(format!("{COPY_PREFIX}{xero}-{n}")),
        }
    }

    /// Whether we gave this id, to a copy of a Xero payment.
    pub fn is_copy(&self) -> bool {
        self.0.starts_with(COPY_PREFIX)
    }

    /// The name of a provider's invoice in the ledger of uploads (EX-12).
    ///
    /// # Errors
    /// If its id is empty, has more than [`PROVIDER_INVOICE_ID_CHARS_MAX`] characters or a control
    /// character among them.
    pub fn of_provider_invoice(id: &str) -> Result<Self, IdError> {
        if id.is_empty() {
            return Err(IdError::NotText { what: "the id of a provider's invoice" });
        }
        Self::try_from(format!("{PROVIDER_INVOICE_PREFIX}{id}"))
    }

    /// The name of a provider's credit invoice in the ledger of uploads (EX-15a).
    ///
    /// # Errors
    /// If its id is empty, has more than [`PROVIDER_CREDIT_ID_CHARS_MAX`] characters or a control character among
    /// them.
    pub fn of_provider_credit(id: &str) -> Result<Self, IdError> {
        let length = id.chars().count();
        if length == 0 || length > PROVIDER_CREDIT_ID_CHARS_MAX {
            return Err(IdError::NotText { what: "the id of a provider's credit invoice" });
        }
        Self::try_from(format!("{PROVIDER_CREDIT_PREFIX}{id}"))
    }

    /// The name of the nth allocation of this credit invoice in the ledger; `None` if it is no credit invoice's.
    pub fn of_credit_allocation(&self, number: u32) -> Option<Self> {
        let credit = self.0.strip_prefix(PROVIDER_CREDIT_PREFIX)?;
        Self::try_from(format!("{CREDIT_ALLOCATION_PREFIX}{credit}-{number}")).ok()
    }

    /// Whether it is the name of a provider's credit invoice in the ledger.
    pub fn is_provider_credit(&self) -> bool {
        self.0.starts_with(PROVIDER_CREDIT_PREFIX)
    }

    /// Whether it is the name of an allocation of a credit invoice in the ledger.
    pub fn is_credit_allocation(&self) -> bool {
        self.0.starts_with(CREDIT_ALLOCATION_PREFIX)
    }

    /// Whether it is the name of a provider's invoice in the ledger.
    pub fn is_provider_invoice(&self) -> bool {
        self.0.starts_with(PROVIDER_INVOICE_PREFIX)
    }
}
