//! The permissions that Xero's users are asked for (XC-10): which feature needs which scope, for which endpoints.
//!
//! This table is the source: code asks for these, the page of consent shows these words, and the README of `connect`
//! lists the rows.

use std::collections::BTreeSet;

use crate::settings::Settings;

/// The work done for an organisation, as far as Xero's permissions are concerned.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Feature {
    /// Payments in Xero are copied.
    Mirror,
    /// Payments go up to Xero.
    Uploads,
    /// What a customer has paid too much goes up as a prepayment.
    Prepayments,
    /// Invoices of the payment provider go up as bills.
    Bills,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mirror, Self::Uploads, Self::Prepayments, Self::Bills];

    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mirror => "copying payments from Xero",
            Self::Uploads => "recording payments in Xero",
            Self::Prepayments => "recording prepayments in Xero",
            Self::Bills => "recording the payment provider's invoices as bills",
        }
    }

    /// Those that an organisation has switched on.
    pub fn of(settings: &Settings) -> BTreeSet<Self> {
        let upload = settings.upload.as_ref().filter(|upload| upload.enabled);
        let prepays = upload.is_some_and(|upload| upload.prepayment_account.is_some());
        let bills = upload.is_some_and(|upload| upload.merchant_contact.is_some());
        [
            (Self::Mirror, true),
            (Self::Uploads, upload.is_some()),
            (Self::Prepayments, prepays),
            (Self::Bills, bills),
        ]
        .into_iter()
        .filter_map(|(feature, is_on)| is_on.then_some(feature))
        .collect()
    }
}

/// A scope that a feature needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permission {
    /// Xero's name of it.
    pub scope: &'static str,
    /// The feature.
    pub feature: Feature,
    /// The calls that it is needed for.
    pub endpoints: &'static [&'static str],
    /// What it allows, in words for people.
    pub words: &'static str,
}

/// Every permission that is ever asked for.
pub const PERMISSIONS: [Permission; 7] = [
    Permission {
        scope: "accounting.invoices.read",
        feature: Feature::Mirror,
        endpoints: &["GET /Invoices", "GET /Invoices/{id}", "GET /CreditNotes"],
        words: "read invoices, bills and credit notes",
    },
    Permission {
        scope: "accounting.payments.read",
        feature: Feature::Mirror,
        endpoints: &["GET /Payments", "GET /Prepayments", "GET /Overpayments"],
        words: "read payments, prepayments and overpayments",
    },
    Permission {
        scope: "accounting.settings.read",
        feature: Feature::Mirror,
        endpoints: &[
            "GET /Organisation",
            "GET /Organisation/Actions",
            "GET /Accounts",
            "GET /TaxRates",
        ],
        words: "read the organisation's name, currency and time zone",
    },
    Permission {
        scope: "accounting.payments",
        feature: Feature::Uploads,
        endpoints: &["PUT /Payments"],
        words: "record payments",
    },
    Permission {
        scope: "accounting.contacts.read",
        feature: Feature::Uploads,
        endpoints: &["GET /Contacts"],
        words: "read contacts, to find those of customers and to know those that are archived",
    },
    Permission {
        scope: "accounting.banktransactions",
        feature: Feature::Prepayments,
        endpoints: &["GET /BankTransactions", "PUT /BankTransactions"],
        words: "record and read bank transactions, of which prepayments are made",
    },
    Permission {
        scope: "accounting.invoices",
        feature: Feature::Bills,
        endpoints: &["PUT /Invoices"],
        words: "record bills",
    },
];

/// The permissions that these features need, and no more: what may be written may be read as well.
pub fn needed(features: &BTreeSet<Feature>) -> Vec<&'static Permission> {
    let all = || PERMISSIONS.iter().filter(|permission| features.contains(&permission.feature));
    let writes = |scope: &str| all().any(|other| scope.strip_suffix(".read") == Some(other.scope));
    all().filter(|permission| !writes(permission.scope)).collect()
}

/// The same as Xero wants to read it.
pub fn scopes(features: &BTreeSet<Feature>) -> String {
    needed(features).iter().map(|permission| permission.scope).collect::<Vec<_>>().join(" ")
}

/// What these features need, and the user has not consented to (XC-11).
pub fn lacking(
    features: &BTreeSet<Feature>,
    granted: &BTreeSet<String>,
) -> Vec<&'static Permission> {
    let needed = PERMISSIONS.iter().filter(|permission| features.contains(&permission.feature));
    needed.filter(|permission| !is_granted(permission.scope, granted)).collect()
}

fn is_granted(scope: &str, granted: &BTreeSet<String>) -> bool {
    let has = |name: &str| granted.contains(name);
    let (name, reads) = match scope.strip_suffix(".read") {
        Some(name) => (name, true),
        None => (scope, false),
    };
    // The broad scope of apps that were made before the narrow ones (facts.md 2.3).
    let broad = "accounting.transactions";
    let is_in_broad = matches!(
        name,
        "accounting.invoices" | "accounting.payments" | "accounting.banktransactions"
    );
    has(name)
        || (reads && has(scope))
        || (is_in_broad && (has(broad) || (reads && has("accounting.transactions.read"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &str) -> BTreeSet<String> {
        scopes.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn no_more_is_asked_than_what_is_switched_on_needs() {
        // XC-10
        let read = "accounting.invoices.read accounting.payments.read accounting.settings.read";
        assert_eq!(scopes(&[Feature::Mirror].into()), read);
        let uploads = "accounting.invoices.read accounting.settings.read accounting.payments \
                       accounting.contacts.read";
        assert_eq!(scopes(&[Feature::Mirror, Feature::Uploads].into()), uploads);
        let all = scopes(&Feature::ALL.into());
        assert!(all.contains("accounting.banktransactions") && !all.contains("payments.read"));
    }

    #[test]
    fn each_permission_that_is_taken_away_is_lacked_by_its_own_feature() {
        // XC-10, XC-11
        let all = set(&scopes(&Feature::ALL.into()));
        assert!(lacking(&Feature::ALL.into(), &all).is_empty());
        for scope in &all {
            let mut rest = all.clone();
            rest.remove(scope);
            let lacks = lacking(&Feature::ALL.into(), &rest);
            assert!(lacks.iter().any(|permission| permission.scope == scope), "{scope}");
        }
        let broad =
            set("accounting.transactions accounting.settings.read accounting.contacts.read");
        assert!(lacking(&Feature::ALL.into(), &broad).is_empty());
        let reads = set("accounting.transactions.read accounting.settings.read");
        assert!(lacking(&[Feature::Mirror].into(), &reads).is_empty());
        assert_eq!(lacking(&[Feature::Bills].into(), &reads)[0].scope, "accounting.invoices");
    }
}
