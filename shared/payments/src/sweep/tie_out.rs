//! Whether the open invoices of Xero and what is stored of them agree: the full sweep.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ids::{InvoiceNumber, XeroInvoiceId};
use crate::invoice::InvoiceStatus;
use crate::money::Money;
use crate::reason::codes;
use crate::rules_version;
use crate::settings::Settings;
use crate::stored::{Settled, StoredInvoice};

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

/// The stored side of an invoice, as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Its local number.
    pub number: InvoiceNumber,
    /// Whether the business's own system has reported it.
    pub is_local: bool,
    /// Whether local facts and the last read of Xero have been brought together.
    pub is_settled: bool,
    /// Under which settings it was settled, in short; `None` if it is not, or if that is not known.
    pub judging: Option<String>,
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

impl Standing {
    /// Whether something of it may still be to be done though nothing about it changes in Xero: it is open there or a
    /// draft, was never read, is not brought together, or a day will come. Only these can be found by [`review`], and
    /// the full sweep of a night looks at no others.
    pub fn is_unsettled(&self) -> bool {
        self.review_on.is_some()
            || match &self.xero {
                None => self.is_local,
                Some(xero) => !self.is_settled || !xero.status.is_final(),
            }
    }
}

impl From<&StoredInvoice> for Standing {
    fn from(invoice: &StoredInvoice) -> Self {
        let settled = invoice.settled.as_ref();
        let judging = settled.and_then(|settled| Settled::judging(&settled.fingerprint));
        Self {
            number: invoice.number.clone(),
            is_local: invoice.local.is_some(),
            is_settled: settled.is_some(),
            judging: judging.map(str::to_owned),
            review_on: settled.and_then(|settled| settled.review_on),
            xero: invoice.xero.as_ref().map(|xero| XeroStanding {
                invoice: xero.invoice,
                status: xero.status,
                paid: xero.figures.paid,
                credited: xero.figures.credited,
                updated_at: xero.version.updated_at,
            }),
        }
    }
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
        /// The settings, or the rules, under which it was judged have changed (CM-41, AMB-35).
        SettingsChanged = "settings_changed",
        /// It was asked for by its id, and Xero's answer does not have it.
        NotShown = "not_shown",
        /// What the business's own system said last has not been brought together with Xero yet.
        NotSettled = "not_settled",
    }
}

/// Why an open invoice of Xero is to be looked at: it does not agree with what is stored under the number that it
/// bears.
pub fn compare(figures: &OpenFigures, standing: &Standing) -> Option<Difference> {
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

/// Why a settled invoice is to be looked at: Xero, asked for it by its id, shows it otherwise, or not at all. Its change
/// was lost, since all others were read when they came.
pub fn compare_settled(
    figures: Option<&OpenFigures>,
    standing: &Standing,
    settings: &Settings,
) -> Option<Difference> {
    let Some(figures) = figures else { return Some(Difference::NotShown) };
    let is_its_number = settings.prefix.to_local(&figures.number).as_ref() == Ok(&standing.number);
    compare(figures, standing).or((!is_its_number).then_some(Difference::Renumbered))
}

/// Why the Xero invoice of a stored one is to be looked at. `is_open` says whether it was seen among the open ones
/// under its number by the walk through them that began then.
pub fn review(
    standing: &Standing,
    is_open: bool,
    begun_at: Timestamp,
    settings: &Settings,
    now: Timestamp,
) -> Option<Difference> {
    let xero = standing.xero.as_ref()?;
    // Other rules may find something on any open invoice, other settings only on what waits for a day.
    let is_by_other_rules = |by: &String| !by.starts_with(&format!("{} ", rules_version::rules()));
    let may_change = standing.review_on.is_some()
        || (xero.status == InvoiceStatus::Authorised
            && standing.judging.as_ref().is_some_and(is_by_other_rules));
    // An invoice that was read after the walk began may be missing in it.
    if xero.status == InvoiceStatus::Authorised && !is_open && xero.updated_at <= begun_at {
        Some(Difference::NoLongerOpen)
    } else if standing.review_on.is_some_and(|day| day <= settings.today(now)) {
        Some(Difference::DayHasCome)
    } else if may_change && standing.judging.as_ref().is_some_and(|by| *by != settings.judging()) {
        Some(Difference::SettingsChanged)
    } else if standing.is_local && !standing.is_settled {
        Some(Difference::NotSettled)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;

    const NOW: &str = "2026-10-05T16:00:00Z";

    fn settings() -> Settings {
        Settings {
            forward_days: Some(0),
            ..Settings::new(
                crate::OrganisationId::new(Uuid::from_u128(1)),
                jiff::tz::TimeZone::get("Australia/Sydney").unwrap(),
            )
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

    /// The stored side that agrees with `open(n)`.
    fn stored(n: u128) -> Standing {
        Standing {
            number: n.to_string().parse().unwrap(),
            is_local: true,
            is_settled: true,
            judging: Some(settings().judging()),
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

    fn reviewed(standing: &Standing, is_open: bool) -> Option<Difference> {
        let now = NOW.parse().unwrap();
        review(standing, is_open, now, &settings(), now)
    }

    #[test]
    fn what_agrees_is_left_alone() {
        assert_eq!(compare(&open(1), &stored(1)), None);
        assert_eq!(reviewed(&stored(1), true), None);
    }

    #[test]
    fn every_difference_is_found_and_named() {
        let later = stamp() + jiff::SignedDuration::from_secs(1);
        let not_read = Standing { xero: None, is_settled: false, ..stored(1) };
        for (figures, standing, expected) in [
            (OpenFigures { paid: aud(11), ..open(1) }, stored(1), Difference::PaidDiffers),
            (OpenFigures { credited: aud(1), ..open(1) }, stored(1), Difference::CreditedDiffers),
            (OpenFigures { updated_at: later, ..open(1) }, stored(1), Difference::NewerInXero),
            (OpenFigures { invoice: id(2), ..open(1) }, stored(1), Difference::Renumbered),
            (open(1), not_read, Difference::NotReadYet),
        ] {
            assert_eq!(compare(&figures, &standing), Some(expected));
        }
        let not_settled = Standing { is_settled: false, judging: None, ..stored(1) };
        assert_eq!(reviewed(&not_settled, true), Some(Difference::NotSettled));
        assert_eq!(reviewed(&stored(1), false), Some(Difference::NoLongerOpen));
    }

    fn any_standing() -> impl Strategy<Value = Standing> {
        let status = proptest::sample::select(InvoiceStatus::ALL);
        let xero = proptest::option::of((status, -1_i64..2));
        let judging = proptest::option::of(proptest::sample::select(vec![
            settings().judging(),
            "earlier rules forward_days=0".to_owned(),
        ]));
        let day = proptest::option::of(3_i8..9);
        (any::<bool>(), any::<bool>(), judging, day, xero).prop_map(
            |(is_local, is_settled, judging, day, xero)| Standing {
                number: "1".parse().unwrap(),
                is_local,
                is_settled,
                judging: judging.filter(|_| is_settled),
                review_on: day.filter(|_| is_settled).map(|day| jiff::civil::date(2026, 10, day)),
                xero: xero.map(|(status, hours)| XeroStanding {
                    status,
                    updated_at: stamp() + jiff::SignedDuration::from_hours(hours),
                    ..stored(1).xero.unwrap()
                }),
            },
        )
    }

    proptest! {
        #[test]
        fn law_only_what_is_unsettled_can_be_found_without_a_change_in_xero(
            standing in any_standing(), is_open in any::<bool>()
        ) {
            let found = review(&standing, is_open, stamp(), &settings(), NOW.parse().unwrap());
            // Those without a Xero side are looked up by their numbers (AMB-39).
            let is_looked_up = standing.is_local && standing.xero.is_none();
            prop_assert!(standing.is_unsettled() || !(found.is_some() || is_looked_up), "{found:?}");
        }
    }

    #[test]
    fn what_is_paid_and_agrees_is_settled_and_what_xero_shows_otherwise_is_found() {
        let paid = |standing: Standing| Standing {
            xero: standing.xero.map(|xero| XeroStanding { status: InvoiceStatus::Paid, ..xero }),
            ..standing
        };
        let settled = paid(stored(1));
        assert!(!settled.is_unsettled() && stored(1).is_unsettled());
        let find =
            |figures: Option<OpenFigures>| compare_settled(figures.as_ref(), &settled, &settings());
        assert_eq!(find(Some(open(1))), None);
        assert_eq!(find(None), Some(Difference::NotShown));
        let other = OpenFigures { paid: aud(9), ..open(1) };
        assert_eq!(find(Some(other)), Some(Difference::PaidDiffers));
        let other = OpenFigures { number: "CM-2".to_owned(), ..open(1) };
        assert_eq!(find(Some(other)), Some(Difference::Renumbered));
    }

    #[test]
    fn what_was_read_after_the_walk_began_is_not_missed_in_it() {
        let (now, before): (Timestamp, _) =
            (NOW.parse().unwrap(), stamp() - jiff::SignedDuration::from_secs(1));
        assert_eq!(review(&stored(1), false, before, &settings(), now), None);
    }

    #[test]
    fn a_held_payment_is_judged_again_when_its_day_has_come_where_the_business_is() {
        // AMB-20; it is the 6th in Sydney
        let review = |day: &str| Standing { review_on: Some(day.parse().unwrap()), ..stored(1) };
        assert_eq!(reviewed(&review("2026-10-06"), true), Some(Difference::DayHasCome));
        assert_eq!(reviewed(&review("2026-10-07"), true), None);
    }

    #[test]
    fn what_was_judged_under_other_settings_is_judged_again_if_anything_of_it_can_change() {
        // CM-41, AMB-35
        let before = Settings { forward_days: Some(7), ..settings() };
        let other = Standing { judging: Some(before.judging()), ..stored(1) };
        assert_eq!(reviewed(&other, true), None, "it waits for no day");
        let waits = Standing { review_on: Some("2026-10-20".parse().unwrap()), ..other };
        assert_eq!(reviewed(&waits, true), Some(Difference::SettingsChanged));
        let earlier = "forward_days=0 time_zone=Australia/Sydney".to_owned();
        let earlier = Standing { judging: Some(earlier), ..stored(1) };
        assert_eq!(reviewed(&earlier, true), Some(Difference::SettingsChanged), "and other rules");
        let unknown = Standing { judging: None, ..waits };
        assert_eq!(reviewed(&unknown, true), None, "an earlier version did not say");
    }
}
