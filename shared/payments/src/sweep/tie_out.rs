//! Whether the open invoices of Xero and what is stored of them agree: the full sweep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ids::{InvoiceNumber, XeroInvoiceId};
use crate::invoice::InvoiceStatus;
use crate::money::Money;
use crate::reason::codes;
use crate::settings::Settings;

/// An open sales invoice as Xero lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenFigures {
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// Its number there.
    pub number: String,
    /// `AmountPaid`.
    pub paid: Money,
    /// `AmountCredited`.
    pub credited: Money,
    /// `UpdatedDateUTC`.
    pub updated_at: Timestamp,
}

/// What is stored of an invoice, as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Its local number.
    pub number: InvoiceNumber,
    /// Whether the business's own system has reported it.
    pub is_local: bool,
    /// Whether local facts and the last read of Xero have been brought together.
    pub is_settled: bool,
    /// The first day on which the same would be judged otherwise: a payment dated in the future comes
    /// into range (AMB-20), or the invoice becomes overdue.
    pub review_on: Option<Date>,
    /// Xero's side, as last read.
    pub xero: Option<XeroStanding>,
}

/// Xero's side of a standing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct XeroStanding {
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// Its status.
    pub status: InvoiceStatus,
    /// `AmountPaid`.
    pub paid: Money,
    /// `AmountCredited`.
    pub credited: Money,
    /// `UpdatedDateUTC`.
    pub updated_at: Timestamp,
}

codes! {
    /// Why an invoice is to be looked at.
    Difference {
        /// It is stored under another number, or another invoice has its number.
        Renumbered = "renumbered",
        /// The business's own system knows it, and it has never been read in Xero.
        NotReadYet = "not_read_yet",
        /// Xero says that another amount was paid.
        PaidDiffers = "paid_differs",
        /// Xero says that another amount was credited.
        CreditedDiffers = "credited_differs",
        /// Xero's stamp is newer: a payment may have taken the place of an equal one.
        NewerInXero = "newer_in_xero",
        /// It was open when it was last read, and is not among the open ones.
        NoLongerOpen = "no_longer_open",
        /// A day has come on which it is judged otherwise (AMB-20).
        DayHasCome = "day_has_come",
        /// What the business's own system said last has not been brought together with Xero yet.
        NotSettled = "not_settled",
    }
}

/// The invoices that do not agree, each once and with the first reason, and the stamp that a read has to
/// show where Xero has just told it. `open` are all open sales invoices of the organisation, and `standings`
/// all that is stored, read after them.
pub fn tie_out(
    open: &[OpenFigures],
    standings: &[Standing],
    settings: &Settings,
    now: Timestamp,
) -> BTreeMap<XeroInvoiceId, (Difference, Option<Timestamp>)> {
    let by_number: BTreeMap<&InvoiceNumber, &Standing> =
        standings.iter().map(|standing| (&standing.number, standing)).collect();
    let mut former: BTreeMap<XeroInvoiceId, BTreeSet<&InvoiceNumber>> = BTreeMap::new();
    for standing in standings {
        if let Some(xero) = &standing.xero {
            former.entry(xero.invoice).or_default().insert(&standing.number);
        }
    }
    let mut found = BTreeMap::new();
    for figures in open {
        let number = settings.prefix.to_local(&figures.number).ok();
        let elsewhere = former
            .get(&figures.invoice)
            .is_some_and(|numbers| numbers.iter().any(|known| Some(*known) != number.as_ref()));
        let standing = number.as_ref().and_then(|number| by_number.get(number).copied());
        let differs = match standing {
            _ if elsewhere => Some(Difference::Renumbered),
            Some(standing) => compare(figures, standing),
            None => None,
        };
        if let Some(difference) = differs {
            found.insert(figures.invoice, (difference, Some(figures.updated_at)));
        }
    }
    let is_open: BTreeSet<XeroInvoiceId> = open.iter().map(|figures| figures.invoice).collect();
    for standing in standings {
        let Some(xero) = &standing.xero else { continue };
        let due = standing.review_on.is_some_and(|day| day <= settings.today(now));
        let reason = if xero.status == InvoiceStatus::Authorised && !is_open.contains(&xero.invoice)
        {
            Difference::NoLongerOpen
        } else if due {
            Difference::DayHasCome
        } else if standing.is_local && !standing.is_settled {
            Difference::NotSettled
        } else {
            continue;
        };
        found.entry(xero.invoice).or_insert((reason, None));
    }
    found
}

fn compare(figures: &OpenFigures, standing: &Standing) -> Option<Difference> {
    let Some(known) = &standing.xero else {
        return standing.is_local.then_some(Difference::NotReadYet);
    };
    if known.invoice != figures.invoice {
        Some(Difference::Renumbered)
    } else if known.paid != figures.paid {
        Some(Difference::PaidDiffers)
    } else if known.credited != figures.credited {
        Some(Difference::CreditedDiffers)
    } else if known.updated_at < figures.updated_at {
        Some(Difference::NewerInXero)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::number::NumberPrefix;

    const NOW: &str = "2026-10-05T16:00:00Z";

    fn settings() -> Settings {
        Settings {
            organisation: crate::OrganisationId::new(Uuid::from_u128(1)),
            mirror_enabled: true,
            prefix: NumberPrefix::default(),
            zone: jiff::tz::TimeZone::get("Australia/Sydney").unwrap(),
            forward_days: Some(0),
            calls_per_day: crate::budget::DAY_MAX,
            mass_change_max: None,
            cutover_on: None,
            upload: None,
        }
    }

    fn aud(dollars: i64) -> Money {
        Money::new(Decimal::new(dollars * 100, 2), "AUD".parse().unwrap()).unwrap()
    }

    fn id(n: u128) -> XeroInvoiceId {
        XeroInvoiceId::new(Uuid::from_u128(n))
    }

    fn stamp() -> Timestamp {
        "2026-10-01T00:00:00Z".parse().unwrap()
    }

    fn open(n: u128) -> OpenFigures {
        OpenFigures {
            invoice: id(n),
            number: format!("CM-{n}"),
            paid: aud(10),
            credited: aud(0),
            updated_at: stamp(),
        }
    }

    /// What is stored agrees with `open(n)`.
    fn stored(n: u128) -> Standing {
        Standing {
            number: n.to_string().parse().unwrap(),
            is_local: true,
            is_settled: true,
            review_on: None,
            xero: Some(XeroStanding {
                invoice: id(n),
                status: InvoiceStatus::Authorised,
                paid: aud(10),
                credited: aud(0),
                updated_at: stamp(),
            }),
        }
    }

    fn differences(
        open: &[OpenFigures],
        standings: &[Standing],
    ) -> Vec<(XeroInvoiceId, Difference)> {
        let found = tie_out(open, standings, &settings(), NOW.parse().unwrap());
        found.into_iter().map(|(invoice, (difference, _))| (invoice, difference)).collect()
    }

    #[test]
    fn what_agrees_is_left_alone() {
        assert_eq!(differences(&[open(1), open(2)], &[stored(1), stored(2)]), []);
        // Ours by its prefix, but the business's own system does not know it.
        assert_eq!(differences(&[open(3)], &[]), []);
    }

    #[test]
    fn every_difference_is_found_and_named() {
        let later = stamp() + jiff::SignedDuration::from_secs(1);
        let not_read = Standing { xero: None, is_settled: false, ..stored(1) };
        let not_settled = Standing { is_settled: false, ..stored(1) };
        for (figures, standing, expected) in [
            (OpenFigures { paid: aud(11), ..open(1) }, stored(1), Difference::PaidDiffers),
            (OpenFigures { credited: aud(1), ..open(1) }, stored(1), Difference::CreditedDiffers),
            (OpenFigures { updated_at: later, ..open(1) }, stored(1), Difference::NewerInXero),
            (
                OpenFigures { number: "INV-1".to_owned(), ..open(1) },
                stored(1),
                Difference::Renumbered,
            ),
            (
                OpenFigures { number: "CM-2".to_owned(), ..open(1) },
                stored(1),
                Difference::Renumbered,
            ),
            (open(1), not_read, Difference::NotReadYet),
            (open(1), not_settled, Difference::NotSettled),
        ] {
            assert_eq!(differences(&[figures], &[standing]), [(id(1), expected)]);
        }
        assert_eq!(differences(&[], &[stored(1)]), [(id(1), Difference::NoLongerOpen)]);
    }

    #[test]
    fn a_held_payment_is_judged_again_when_its_day_has_come_where_the_business_is() {
        // AMB-20; it is the 6th in Sydney
        let review = |day: &str| Standing { review_on: Some(day.parse().unwrap()), ..stored(1) };
        let due = differences(&[open(1)], &[review("2026-10-06")]);
        assert_eq!(due, [(id(1), Difference::DayHasCome)]);
        assert_eq!(differences(&[open(1)], &[review("2026-10-07")]), []);
    }
}
