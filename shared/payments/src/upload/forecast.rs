//! What operators should expect of the coming nights (AMB-06, AMB-09).

use jiff::{SignedDuration, Timestamp};

use super::caps::{ATTEMPTS_MAX, ATTEMPTS_WINDOW, Caps, NEVER_TRIPS_PER_NIGHT, NIGHTLY_MAX};
use super::next_upload::NextUpload;
use super::night::Night;

/// How many nights ahead are looked at: after that the attempts of the first one have left the window.
const NIGHTS_AHEAD: u32 = 31;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What to expect if it goes on as tonight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Forecast {
    /// How many more nights the payments that wait will take.
    pub nights_to_clear: u32,
    /// The night after which nothing waits any more.
    pub clears_in: Night,
    /// The night in which uploading would switch itself off, if every night sends as many as this one.
    pub trips_in: Option<Night>,
    /// Attempts in the last 30 days.
    pub attempts: u32,
    /// The number a night that would never switch it off.
    pub never_trips_per_night: u32,
}

impl Forecast {
    /// After a night in which `sent` went and `waiting` are left.
    pub fn after(
        caps: &Caps,
        night: Night,
        sent: u32,
        waiting: u32,
        nightly_max: u32,
        now: Timestamp,
    ) -> Self {
        let nights_to_clear = waiting.div_ceil(nightly_max.clamp(1, NIGHTLY_MAX));
        Self {
            nights_to_clear,
            clears_in: night.plus(nights_to_clear),
            trips_in: trips_from(
                caps,
                NextUpload {
                    night: night.plus(1),
                    at: now.checked_add(DAY).unwrap_or(Timestamp::MAX),
                },
                sent,
            ),
            attempts: caps.attempts(now),
            never_trips_per_night: NEVER_TRIPS_PER_NIGHT,
        }
    }
}

/// The night in which uploading switches itself off, if that one and all that follow it send as many as `pace`.
pub fn trips_from(caps: &Caps, next: NextUpload, pace: u32) -> Option<Night> {
    if pace == 0 {
        return None;
    }
    (1..=NIGHTS_AHEAD)
        .find(|&nights| {
            let later = DAY.checked_mul(nights.saturating_sub(1).try_into().unwrap_or(i32::MAX));
            let at = later.and_then(|later| next.at.checked_add(later).ok()).unwrap_or(next.at);
            // Nights exactly 24 hours apart: of the coming ones, the first leaves the window after 30 days.
            let in_window = u32::try_from(ATTEMPTS_WINDOW.as_hours() / 24).unwrap_or(30);
            let coming = pace.saturating_mul(nights.min(in_window));
            caps.attempts(at).saturating_add(coming) > ATTEMPTS_MAX
        })
        .map(|nights| next.night.plus(nights.saturating_sub(1)))
}
