//! The organisations: most are small, some are large, and a few are broken.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::budget::Budget;
use payments::sweep::{SweepKind, SweepState};
use payments::upload::Night;
use payments::{OrganisationId, Settings};
use uuid::Uuid;

/// Where they are.
const ZONES: [&str; 4] =
    ["Australia/Sydney", "Europe/London", "America/New_York", "Pacific/Auckland"];

/// One organisation, with the rows that decide about it.
#[derive(Debug)]
pub struct Member {
    /// Its settings, of which its time zone counts here.
    pub settings: Settings,
    /// Whether each of its runs takes long.
    pub is_large: bool,
    /// Whether each of its runs fails.
    pub is_broken: bool,
    /// The row of its sweep.
    pub sweep: SweepState,
    /// The row of its full sweep.
    pub open: SweepState,
    /// The row of its certificate.
    pub certificate: SweepState,
    /// The row of its customer sync.
    pub customers: SweepState,
    /// For when its last digest was.
    pub digest_for: Option<Timestamp>,
    /// The row of its calls.
    pub budget: Budget,
    /// The last night that was begun.
    pub night: Option<Night>,
    /// The last business day that was closed.
    pub closed: Option<Date>,
    /// The last day of its log that was sealed.
    pub sealed: Option<Date>,
}

/// How many organisations of each kind there are.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// All of them.
    pub all: u32,
    /// Of these, large ones.
    pub large: u32,
    /// Of these, broken ones.
    pub broken: u32,
}

impl Fleet {
    /// The organisations, in the order of the table. Work due before this moment is done.
    #[must_use]
    pub fn members(self, begin: Timestamp) -> Vec<Member> {
        let zones: Vec<TimeZone> =
            ZONES.iter().filter_map(|name| TimeZone::get(name).ok()).collect();
        let member = |number: u32| {
            let organisation = OrganisationId::new(Uuid::from_u128(u128::from(number) + 1));
            let zone = zones.get(number as usize % zones.len().max(1));
            let done = |kind| SweepState {
                last_attempt_at: Some(begin),
                ..SweepState::new(organisation, kind)
            };
            Member {
                settings: Settings::new(organisation, zone.cloned().unwrap_or(TimeZone::UTC)),
                is_large: number < self.large,
                is_broken: number >= self.all - self.broken,
                sweep: SweepState::new(organisation, SweepKind::Changes),
                open: done(SweepKind::Open),
                certificate: done(SweepKind::Certificate),
                customers: SweepState::new(organisation, SweepKind::Customers),
                digest_for: Some(begin),
                budget: Budget::unused(organisation),
                night: None,
                closed: None,
                sealed: None,
            }
        };
        (0..self.all).map(member).collect()
    }

    /// How many are healthy.
    #[must_use]
    pub const fn healthy(self) -> u32 {
        self.all - self.broken
    }
}
