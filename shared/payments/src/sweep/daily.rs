//! Daily work, by the clock of each organisation (CC-22).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::reason::codes;
use crate::settings::Settings;

codes! {
    /// The work of a day.
    DailyWork {
        /// The comparison of what is open.
        FullSweep = "full_sweep",
        /// The certificate.
        Certificate = "certificate",
        /// What operators read in the morning.
        Digest = "digest",
    }
}

/// The times at which an organisation has the work of its day, where they are not the stack's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DailyTimes {
    /// Of the comparison of what is open.
    pub full_sweep: Option<Time>,
    /// Of the certificate.
    pub certificate: Option<Time>,
    /// Of what operators read in the morning.
    pub digest: Option<Time>,
}

impl DailyTimes {
    /// The time of its own that an organisation has for this work.
    pub const fn of(self, work: DailyWork) -> Option<Time> {
        match work {
            DailyWork::FullSweep => self.full_sweep,
            DailyWork::Certificate => self.certificate,
            DailyWork::Digest => self.digest,
        }
    }
}

/// The stack's daily schedules: at which times they come, by the clock of which zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DailySchedules {
    /// The IANA name of the zone.
    pub zone: String,
    /// All three times.
    pub times: DailyTimes,
}

impl DailySchedules {
    /// When the stack's schedule of this work last came; `None` if nothing says when it does.
    pub fn due(&self, work: DailyWork, now: Timestamp) -> Option<Timestamp> {
        last_due(self.times.of(work)?, &TimeZone::get(&self.zone).ok()?, now)
    }

    /// The day of a moment, by the stack's clock.
    pub fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)).date()
    }

    /// When this work was last due by an organisation's own clock; `None` if the stack's schedule comes at that very
    /// time, or nothing says when it is due.
    pub fn own_due(
        &self,
        work: DailyWork,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if follows(work, settings, Some(&self.zone)) {
            return None;
        }
        let time = settings.daily.of(work).or(self.times.of(work))?;
        last_due(time, &settings.zone, now)
    }
}

/// Whether a daily schedule by the clock of this zone is about an organisation. One in another zone, or with a time of
/// its own, has its own day; a schedule without a zone is about all of them.
pub fn follows(work: DailyWork, settings: &Settings, zone: Option<&str>) -> bool {
    let is_its_clock = |zone| settings.zone.iana_name() == Some(zone);
    zone.is_none_or(|zone| is_its_clock(zone) && settings.daily.of(work).is_none())
}

/// When a clock last showed this time: today, or yesterday.
fn last_due(time: Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    let at = |day: jiff::civil::Date| {
        Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
    };
    at(today).filter(|due| *due <= now).or_else(|| at(today.yesterday().ok()?))
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use uuid::Uuid;

    use super::*;
    use crate::ids::OrganisationId;

    fn schedules() -> DailySchedules {
        let times = DailyTimes {
            full_sweep: Some(time(4, 30, 0, 0)),
            certificate: Some(time(6, 0, 0, 0)),
            digest: Some(time(7, 0, 0, 0)),
        };
        DailySchedules { zone: "Australia/Sydney".to_owned(), times }
    }

    fn settings(zone: &str) -> Settings {
        Settings::new(OrganisationId::new(Uuid::from_u128(1)), TimeZone::get(zone).unwrap())
    }

    fn due(settings: &Settings, work: DailyWork, now: &str) -> Option<String> {
        let due = schedules().own_due(work, settings, now.parse().unwrap())?;
        Some(due.to_string())
    }

    #[test]
    fn each_organisation_has_its_day_by_its_own_clock() {
        // CC-22
        let london = settings("Europe/London");
        let certificate = |now| due(&london, DailyWork::Certificate, now);
        // In summer six in the morning is five by Greenwich.
        assert_eq!(certificate("2026-07-10T04:59:59Z").unwrap(), "2026-07-09T05:00:00Z");
        assert_eq!(certificate("2026-07-10T05:00:00Z").unwrap(), "2026-07-10T05:00:00Z");
        assert_eq!(certificate("2026-12-10T05:30:00Z").unwrap(), "2026-12-09T06:00:00Z");
        assert_eq!(
            due(&london, DailyWork::Digest, "2026-12-10T08:00:00Z").unwrap(),
            "2026-12-10T07:00:00Z"
        );
    }

    #[test]
    fn where_the_stacks_schedule_comes_at_that_time_nothing_is_due_by_itself() {
        let mut sydney = settings("Australia/Sydney");
        let now = "2026-12-10T08:00:00Z";
        for work in DailyWork::ALL {
            assert_eq!(due(&sydney, *work, now), None);
            assert!(follows(*work, &sydney, Some("Australia/Sydney")));
            assert!(follows(*work, &sydney, None), "a person asks for all of them");
        }
        sydney.daily.digest = Some(time(9, 15, 0, 0));
        assert_eq!(due(&sydney, DailyWork::Digest, now).unwrap(), "2026-12-09T22:15:00Z");
        assert!(!follows(DailyWork::Digest, &sydney, Some("Australia/Sydney")));
        assert!(!follows(
            DailyWork::FullSweep,
            &settings("Europe/London"),
            Some("Australia/Sydney")
        ));
    }
}
