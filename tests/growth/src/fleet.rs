//! The organisations: most are small, some are large, and a few are broken.

use jiff::tz::TimeZone;
use payments::OrganisationId;
use payments::budget::Budget;
use payments::sweep::{SweepKind, SweepState};
use payments::upload::Night;
use uuid::Uuid;

/// Where they are.
const ZONES: [&str; 4] =
    ["Australia/Sydney", "Europe/London", "America/New_York", "Pacific/Auckland"];

/// One organisation, with the rows that decide about it.
#[derive(Debug)]
pub struct Member {
    /// Its time zone, by which its night begins.
    pub zone: TimeZone,
    /// Whether each of its runs takes long.
    pub is_large: bool,
    /// Whether each of its runs fails.
    pub is_broken: bool,
    /// The row of its sweep.
    pub sweep: SweepState,
    /// The row of its calls.
    pub budget: Budget,
    /// The last night that was begun.
    pub night: Option<Night>,
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
    /// The organisations, in the order of the table.
    #[must_use]
    pub fn members(self) -> Vec<Member> {
        let zones: Vec<TimeZone> =
            ZONES.iter().filter_map(|name| TimeZone::get(name).ok()).collect();
        let member = |number: u32| {
            let organisation = OrganisationId::new(Uuid::from_u128(u128::from(number) + 1));
            let zone = zones.get(number as usize % zones.len().max(1));
            Member {
                zone: zone.cloned().unwrap_or(TimeZone::UTC),
                is_large: number < self.large,
                is_broken: number >= self.all - self.broken,
                sweep: SweepState::new(organisation, SweepKind::Changes),
                budget: Budget::unused(organisation),
                night: None,
            }
        };
        (0..self.all).map(member).collect()
    }
}
