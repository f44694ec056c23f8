//! Which invoices the rows of Xero's lists are about, and whether they concern us.

use jiff::Timestamp;

use crate::ids::XeroInvoiceId;
use crate::invoice::InvoiceKind;
use crate::reason::Ignored;
use crate::settings::Settings;

/// An invoice that a row of one of Xero's lists names: its own row, or that of a payment on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// What kind of document it is.
    pub kind: InvoiceKind,
    /// Its number in Xero; `None` where the row does not say.
    pub number: Option<String>,
    /// Xero's `UpdatedDateUTC` of the invoice; `None` if only a payment of it was seen. The stamp of a
    /// payment is no measure for its invoice: a payment may be deleted, or matched to a bank line,
    /// without a new stamp on the invoice, and every read of that would seem too old.
    pub updated_at: Option<Timestamp>,
}

/// Whether an invoice that was seen is to be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Concern {
    /// It bears our prefix, or its number is not known.
    Ours,
    /// A sales invoice with a number that is not ours: to be looked at if it was ours before, since
    /// its number may have been changed in Xero.
    OursBefore(Ignored),
    /// None of ours, with any number.
    Nobody(Ignored),
}

/// Judges an invoice that was seen. Never by its status: a voided invoice, or a deleted payment, is what
/// nothing else would show.
pub fn concern(seen: &Seen, settings: &Settings) -> Concern {
    if seen.kind != InvoiceKind::Sales {
        return Concern::Nobody(Ignored::NotSalesInvoice);
    }
    match seen.number.as_deref().map(|number| settings.prefix.to_local(number)) {
        None | Some(Ok(_)) => Concern::Ours,
        Some(Err(reason)) => Concern::OursBefore(reason),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn settings() -> Settings {
        Settings {
            ..Settings::new(crate::OrganisationId::new(Uuid::from_u128(1)), jiff::tz::TimeZone::UTC)
        }
    }

    fn seen(kind: InvoiceKind, number: Option<&str>) -> Concern {
        let seen = Seen {
            invoice: XeroInvoiceId::new(Uuid::from_u128(2)),
            kind,
            number: number.map(str::to_owned),
            updated_at: None,
        };
        concern(&seen, &settings())
    }

    #[test]
    fn sales_invoices_with_our_prefix_or_an_unknown_number_are_ours() {
        assert_eq!(seen(InvoiceKind::Sales, Some("CM-10234")), Concern::Ours);
        assert_eq!(seen(InvoiceKind::Sales, None), Concern::Ours);
    }

    #[test]
    fn a_number_that_is_not_ours_may_have_been_ours_before() {
        for (number, reason) in [
            ("INV-1", Ignored::NotCmPrefix),
            ("CM-", Ignored::EmptyNumber),
            ("", Ignored::NotCmPrefix),
        ] {
            assert_eq!(seen(InvoiceKind::Sales, Some(number)), Concern::OursBefore(reason));
        }
    }

    #[test]
    fn bills_concern_nobody() {
        for kind in [InvoiceKind::Bill, InvoiceKind::Other] {
            let concern = seen(kind, Some("CM-10234"));
            assert_eq!(concern, Concern::Nobody(Ignored::NotSalesInvoice));
        }
    }
}
