//! The brake on mass changes: more payments removed or altered within an hour than an organisation thinks
//! possible are not changed until a person has looked.
//!
//! A mistake in Xero, an integration gone wrong, a wrong organisation connected: in each case, the copies
//! here are still what they were when a person notices.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::change::Change;
use crate::decision::{Action, Decision};
use crate::ids::{InvoiceNumber, OrganisationId};
pub use crate::settings::MASS_CHANGE_MAX;
/// Most invoices that are listed by name.
pub const LISTED_MAX: usize = 500;

const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// How long an approval lasts: what has to be done is done by then.
const APPROVAL_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// What one organisation's copies have lost lately, and whether the brake is on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brake {
    /// Whose.
    pub organisation: OrganisationId,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// Payments that were removed or altered within the last hour, and when.
    pub changed: Vec<(Timestamp, u32)>,
    /// Since when the brake is on.
    pub on_since: Option<Timestamp>,
    /// Until when a person lets everything through.
    pub approved_until: Option<Timestamp>,
    /// The invoices that wait, the first [`LISTED_MAX`], with the number of payments concerned.
    pub waiting: BTreeMap<InvoiceNumber, u32>,
}

/// Whether changes may be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Braked {
    /// They may. The brake as it is then.
    No(Brake),
    /// They wait. The brake as it is then.
    Yes(Brake),
}

impl Brake {
    /// Of an organisation of which nothing was removed yet.
    pub const fn off(organisation: OrganisationId) -> Self {
        Self {
            organisation,
            revision: 0,
            changed: Vec::new(),
            on_since: None,
            approved_until: None,
            waiting: BTreeMap::new(),
        }
    }

    /// Asks for changes of payments on these invoices, all of which are made or none. `max` is how many
    /// there may be within an hour.
    pub fn ask(&self, wanted: &BTreeMap<InvoiceNumber, u32>, max: u32, now: Timestamp) -> Braked {
        let mut brake = self.clone();
        let begin = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        brake.changed.retain(|(at, _)| *at > begin);
        let count = wanted.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
        let lately = brake.changed.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        let approved = brake.approved_until.is_some_and(|until| until > now);
        let too_many = lately.saturating_add(count) > max;
        if !approved && (brake.on_since.is_some() || too_many) {
            brake.on_since.get_or_insert(now);
            for (number, count) in wanted {
                if brake.waiting.len() < LISTED_MAX || brake.waiting.contains_key(number) {
                    brake.waiting.insert(number.clone(), *count);
                }
            }
            return Braked::Yes(brake);
        }
        match brake.changed.iter_mut().find(|(at, _)| *at == now) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => brake.changed.push((now, count)),
        }
        Braked::No(brake)
    }

    /// A person has looked: for a day everything goes through, and what waits is to be looked at again.
    #[must_use]
    pub fn approve(&self, now: Timestamp) -> Self {
        Self {
            on_since: None,
            approved_until: Some(now.saturating_add(APPROVAL_LASTS).unwrap_or(Timestamp::MAX)),
            waiting: BTreeMap::new(),
            ..self.clone()
        }
    }
}

/// The rule by which a report takes the place of a copy.
pub(crate) const REPLACED_BY_REPORT: &str = "AMB-27";

impl Change {
    /// How many payments it removes or alters. A copy whose place a report takes is no loss.
    pub fn losses(&self) -> u32 {
        let altered = |decision: &&Decision| {
            matches!(decision.action, Action::Deleted | Action::Updated)
                && decision.rule != REPLACED_BY_REPORT
        };
        u32::try_from(self.decisions.iter().filter(altered).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn wanted(counts: &[u32]) -> BTreeMap<InvoiceNumber, u32> {
        let number = |n: usize| format!("{}", 10_000 + n).parse().unwrap();
        counts.iter().enumerate().map(|(n, count)| (number(n), *count)).collect()
    }

    fn start() -> Timestamp {
        "2026-10-05T03:41:25Z".parse().unwrap()
    }

    fn off() -> Brake {
        Brake::off(OrganisationId::new(Uuid::from_u128(1)))
    }

    fn go(brake: &Brake, count: u32, at: Timestamp) -> Brake {
        match brake.ask(&wanted(&[count]), 10, at) {
            Braked::No(brake) => brake,
            Braked::Yes(brake) => panic!("{brake:?}"),
        }
    }

    fn stops(brake: &Brake, counts: &[u32], at: Timestamp) -> Brake {
        match brake.ask(&wanted(counts), 10, at) {
            Braked::Yes(brake) => brake,
            Braked::No(brake) => panic!("{brake:?}"),
        }
    }

    #[test]
    fn exactly_as_many_as_are_allowed_go_and_one_more_stops_before_the_first() {
        assert_eq!(go(&off(), 10, start()).changed, [(start(), 10)]);
        let on = stops(&off(), &[9, 2], start());
        assert_eq!((on.on_since, on.changed.len()), (Some(start()), 0));
        assert_eq!(on.waiting, wanted(&[9, 2]));
    }

    #[test]
    fn what_was_changed_within_the_hour_counts_and_what_is_older_does_not() {
        let brake = go(&go(&off(), 6, start()), 4, start() + SignedDuration::from_mins(59));
        stops(&brake, &[1], start() + SignedDuration::from_mins(59));
        go(&brake, 6, start() + SignedDuration::from_mins(60));
        stops(&brake, &[7], start() + SignedDuration::from_mins(60));
    }

    #[test]
    fn once_it_is_on_everything_waits_until_a_person_approves() {
        let on = stops(&off(), &[11], start());
        let later = start() + SignedDuration::from_hours(30);
        let still = stops(&on, &[1], later);
        assert_eq!(still.on_since, Some(start()));

        let approved = still.approve(later);
        assert!(approved.waiting.is_empty() && approved.on_since.is_none());
        let through = go(&approved, 5_000, later + SignedDuration::from_hours(23));
        stops(&through, &[11], later + SignedDuration::from_hours(24));
    }
}
