//! In which night a payment that waits is to be expected.

use std::fmt;

use jiff::Timestamp;

use crate::settings::Settings;
use crate::upload::{ATTEMPTS_MAX, Caps, NIGHTLY_MAX, NextUpload, Night};

/// Where a payment stands in the line of those that wait for a night, from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueuePosition {
    /// There.
    At(u32),
    /// Behind at least so many; further ones were not counted.
    Behind(u32),
}

/// What to expect of a payment that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outlook {
    /// Where it stands.
    pub place: QueuePosition,
    /// Its night, or the earliest one that it can be.
    pub night: Night,
    /// Whether that is the one which is to come first.
    pub is_next: bool,
    /// Whether so many would go before it that uploading may switch itself off first (EX-32).
    pub may_trip: bool,
}

impl Outlook {
    /// Of a payment at that place. `night_over` says that the upload of this night is finished; none if
    /// uploading is not set up.
    pub fn of(
        place: QueuePosition,
        caps: &Caps,
        settings: &Settings,
        night_over: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let uploading = settings.upload.as_ref()?;
        let nightly_max = uploading.nightly_max.clamp(1, NIGHTLY_MAX);
        let next = NextUpload::of(uploading, &settings.zone, night_over, now);
        let (first, left) = (next.night, next.left(caps, nightly_max));
        let at = match place {
            QueuePosition::At(at) => at.max(1),
            QueuePosition::Behind(many) => many.saturating_add(1),
        };
        let nights = at.saturating_sub(left).div_ceil(nightly_max);
        let attempts_left = ATTEMPTS_MAX.saturating_sub(caps.attempts(next.at));
        Some(Self {
            place,
            night: first.plus(nights),
            is_next: nights == 0,
            may_trip: at > attempts_left,
        })
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let night = self.night.date().strftime("%-d %B %Y");
        match (self.place, self.is_next) {
            (QueuePosition::At(at), true) => {
                write!(f, "the next upload, place {at}: night of {night}")?
            }
            (QueuePosition::At(at), false) => write!(f, "place {at} in line: night of {night}")?,
            (QueuePosition::Behind(many), _) => {
                write!(f, "behind more than {many} others: not before the night of {night}")?;
            }
        }
        if self.may_trip {
            write!(f, ", unless {ATTEMPTS_MAX} attempts in 30 days are reached before")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use uuid::Uuid;

    use super::*;
    use crate::ids::OrganisationId;
    use crate::upload::{SendMode, UploadSettings};

    fn settings(nightly_max: u32) -> Settings {
        let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let uploading = UploadSettings::new("2026-03-10".parse().unwrap(), account);
        Settings {
            forward_days: Some(7),
            mass_change_max: None,
            upload: Some(UploadSettings { nightly_max, ..uploading }),
            ..Settings::new(
                OrganisationId::new(Uuid::from_u128(1)),
                TimeZone::get("Australia/Sydney").unwrap(),
            )
        }
    }

    /// Nine in the evening of 29 November in Sydney.
    fn evening() -> Timestamp {
        "2026-11-29T10:00:00Z".parse().unwrap()
    }

    fn unused() -> Caps {
        Caps::unused(OrganisationId::new(Uuid::from_u128(1)))
    }

    fn outlook(place: u32, caps: &Caps, night_over: bool) -> String {
        let place = QueuePosition::At(place);
        Outlook::of(place, caps, &settings(200), night_over, evening()).unwrap().to_string()
    }

    #[test]
    fn the_two_hundredth_goes_tonight_and_the_next_one_tomorrow() {
        // EX-31, AMB-06
        let tonight = "the next upload, place 200: night of 29 November 2026";
        assert_eq!(outlook(200, &unused(), false), tonight);
        assert_eq!(outlook(201, &unused(), false), "place 201 in line: night of 30 November 2026");
        assert_eq!(outlook(401, &unused(), false), "place 401 in line: night of 1 December 2026");
    }

    #[test]
    fn what_tonight_has_used_is_not_promised_again() {
        // EX-31
        let night = Night::of(evening(), &settings(200).zone);
        let used = unused().reserve(150, SendMode::Nightly(night), 200, evening()).caps.unwrap();
        assert!(outlook(50, &used, false).ends_with("night of 29 November 2026"));
        assert!(outlook(51, &used, false).ends_with("night of 30 November 2026"));
        assert!(outlook(200, &used, true).ends_with("place 200: night of 30 November 2026"));
    }

    #[test]
    fn a_place_that_was_not_counted_out_is_told_as_such() {
        let outlook =
            Outlook::of(QueuePosition::Behind(1_000), &unused(), &settings(100), false, evening());
        assert_eq!(
            outlook.unwrap().to_string(),
            "behind more than 1000 others: not before the night of 9 December 2026"
        );
    }

    #[test]
    fn a_line_that_may_switch_uploading_off_says_so() {
        // EX-32, AMB-09
        assert!(!outlook(4_000, &unused(), false).contains("unless"));
        assert!(
            outlook(4_001, &unused(), false)
                .ends_with(", unless 4000 attempts in 30 days are reached before")
        );
    }
}
