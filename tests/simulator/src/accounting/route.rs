//! What a call is for.

use axum::http::Method;

use crate::books::CreditKind;

/// An endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    Accounts,
    Account(String),
    BankTransactions,
    BankTransaction(String),
    BatchPayments,
    BatchPayment(String),
    Contacts,
    Contact(String),
    Invoices,
    Invoice(String),
    Organisation,
    OrganisationActions,
    Payments,
    Payment(String),
    TaxRates,
    Credits(CreditKind),
    Credit(CreditKind, String),
    Allocations(CreditKind, String),
    Allocation(CreditKind, String, String),
    Unknown,
}

impl Route {
    /// Endpoints are named with a capital in every document; lower case works at Xero too.
    pub(super) fn of(segments: &[&str]) -> Self {
        let name = segments.first().map(|name| name.to_ascii_lowercase());
        match (name.as_deref(), segments) {
            (Some("accounts"), [_]) => Self::Accounts,
            (Some("accounts"), [_, id]) => Self::Account(decoded(id)),
            (Some("banktransactions"), [_]) => Self::BankTransactions,
            (Some("banktransactions"), [_, id]) => Self::BankTransaction(decoded(id)),
            (Some("batchpayments"), [_]) => Self::BatchPayments,
            (Some("batchpayments"), [_, id]) => Self::BatchPayment(decoded(id)),
            (Some("contacts"), [_]) => Self::Contacts,
            (Some("contacts"), [_, id]) => Self::Contact(decoded(id)),
            (Some("organisation" | "organisations"), [_]) => Self::Organisation,
            (Some("organisation" | "organisations"), [_, actions])
                if actions.eq_ignore_ascii_case("actions") =>
            {
                Self::OrganisationActions
            }
            (Some("invoices"), [_]) => Self::Invoices,
            (Some("invoices"), [_, id]) => Self::Invoice(decoded(id)),
            (Some("taxrates"), [_]) => Self::TaxRates,
            (Some("payments"), [_]) => Self::Payments,
            (Some("payments"), [_, id]) => Self::Payment(decoded(id)),
            (Some(name), [_]) if let Some(kind) = credit_kind(name) => Self::Credits(kind),
            (Some(name), [_, id]) if let Some(kind) = credit_kind(name) => {
                Self::Credit(kind, decoded(id))
            }
            (Some(name), [_, id, list]) if list.eq_ignore_ascii_case("allocations") => {
                let kind = credit_kind(name);
                kind.map_or(Self::Unknown, |kind| Self::Allocations(kind, decoded(id)))
            }
            (Some(name), [_, id, list, allocation]) if list.eq_ignore_ascii_case("allocations") => {
                let kind = credit_kind(name);
                kind.map_or(Self::Unknown, |kind| {
                    Self::Allocation(kind, decoded(id), decoded(allocation))
                })
            }
            _ => Self::Unknown,
        }
    }

    /// What the meter calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Accounts => "/Accounts",
            Self::Account(_) => "/Accounts/{id}",
            Self::BankTransactions => "/BankTransactions",
            Self::BankTransaction(_) => "/BankTransactions/{id}",
            Self::BatchPayments => "/BatchPayments",
            Self::BatchPayment(_) => "/BatchPayments/{id}",
            Self::Contacts => "/Contacts",
            Self::Contact(_) => "/Contacts/{id}",
            Self::Organisation => "/Organisation",
            Self::OrganisationActions => "/Organisation/Actions",
            Self::Invoices => "/Invoices",
            Self::Invoice(_) => "/Invoices/{id}",
            Self::TaxRates => "/TaxRates",
            Self::Payments => "/Payments",
            Self::Payment(_) => "/Payments/{id}",
            Self::Credits(CreditKind::CreditNote) => "/CreditNotes",
            Self::Credits(CreditKind::Prepayment) => "/Prepayments",
            Self::Credits(CreditKind::Overpayment) => "/Overpayments",
            Self::Credit(CreditKind::CreditNote, _) => "/CreditNotes/{id}",
            Self::Credit(CreditKind::Prepayment, _) => "/Prepayments/{id}",
            Self::Credit(CreditKind::Overpayment, _) => "/Overpayments/{id}",
            Self::Allocations(CreditKind::CreditNote, _) => "/CreditNotes/{id}/Allocations",
            Self::Allocations(CreditKind::Prepayment, _) => "/Prepayments/{id}/Allocations",
            Self::Allocations(CreditKind::Overpayment, _) => "/Overpayments/{id}/Allocations",
            Self::Allocation(CreditKind::CreditNote, ..) => "/CreditNotes/{id}/Allocations/{id}",
            Self::Allocation(CreditKind::Prepayment, ..) => "/Prepayments/{id}/Allocations/{id}",
            Self::Allocation(CreditKind::Overpayment, ..) => "/Overpayments/{id}/Allocations/{id}",
            Self::Unknown => "/(unknown)",
        }
    }

    /// The granular and the broad scope, one of which a token needs (facts.md 2.3).
    fn scopes(&self) -> Option<[&'static str; 2]> {
        match self {
            Self::Accounts
            | Self::Account(_)
            | Self::Organisation
            | Self::OrganisationActions
            | Self::TaxRates => Some(["accounting.settings", "accounting.settings"]),
            Self::BankTransactions | Self::BankTransaction(_) => {
                Some(["accounting.banktransactions", "accounting.transactions"])
            }
            Self::Contacts | Self::Contact(_) => {
                Some(["accounting.contacts", "accounting.contacts"])
            }
            Self::Invoices
            | Self::Invoice(_)
            | Self::Credits(CreditKind::CreditNote)
            | Self::Credit(CreditKind::CreditNote, _)
            | Self::Allocations(CreditKind::CreditNote, _)
            | Self::Allocation(CreditKind::CreditNote, ..) => {
                Some(["accounting.invoices", "accounting.transactions"])
            }
            Self::BatchPayments
            | Self::BatchPayment(_)
            | Self::Payments
            | Self::Payment(_)
            | Self::Credits(_)
            | Self::Credit(..)
            | Self::Allocations(..)
            | Self::Allocation(..) => Some(["accounting.payments", "accounting.transactions"]),
            Self::Unknown => None,
        }
    }

    /// Whether a token with these scopes may do this.
    pub(super) fn is_open_to(&self, method: &Method, granted: &[String]) -> bool {
        let Some(needed) = self.scopes() else {
            return true;
        };
        let reads = method == Method::GET;
        granted.iter().any(|scope| {
            let (name, read_only) = match scope.strip_suffix(".read") {
                Some(name) => (name, true),
                None => (scope.as_str(), false),
            };
            needed.contains(&name) && (reads || !read_only)
        })
    }
}

fn credit_kind(name: &str) -> Option<CreditKind> {
    match name {
        "creditnotes" => Some(CreditKind::CreditNote),
        "prepayments" => Some(CreditKind::Prepayment),
        "overpayments" => Some(CreditKind::Overpayment),
        _ => None,
    }
}

/// A part of a path without its percent signs: invoice numbers may hold anything.
fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let escaped = segment
            .get(index + 1..index + 3)
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        index += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_scope_only_reads() {
        let granted = ["accounting.payments.read".to_owned()];

        assert!(Route::Payments.is_open_to(&Method::GET, &granted));
        assert!(!Route::Payments.is_open_to(&Method::PUT, &granted));
        assert!(!Route::Invoices.is_open_to(&Method::GET, &granted));
        assert!(Route::Payments.is_open_to(&Method::PUT, &["accounting.transactions".to_owned()]));
    }

    #[test]
    fn invoice_numbers_in_paths_are_decoded() {
        assert_eq!(Route::of(&["Invoices", "INV%2F0007%"]), Route::Invoice("INV/0007%".to_owned()));
    }
}
