//! The night whose upload comes next, and its hour: what fits into a night is a question about that hour, and not
//! about the moment at which a person looks.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::caps::Caps;
use super::night::Night;
use super::settings::UploadSettings;

/// The upload that comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NextUpload {
    /// Of which night.
    pub night: Night,
    /// When it is due; now, if it is due already.
    pub at: Timestamp,
}

impl NextUpload {
    /// Of tonight, or of the night after it if `tonight_over` says that everything that fits has gone.
    pub fn of(
        uploading: &UploadSettings,
        zone: &TimeZone,
        tonight_over: bool,
        now: Timestamp,
    ) -> Self {
        let tonight = Night::of(now, zone);
        let night = if tonight_over { tonight.plus(1) } else { tonight };
        let at = night.due(uploading.due_at, zone).map_or(now, |due| due.max(now));
        Self { night, at }
    }

    /// So many payments still fit into it, by what is known now.
    pub fn left(&self, caps: &Caps, nightly_max: u32) -> u32 {
        caps.left(self.night, nightly_max, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::{NIGHTLY_MAX, SendMode, UploadStart};

    #[test]
    fn at_one_in_the_afternoon_all_of_tonight_is_free() {
        // EX-31, AMB-11: 20 hours after last night are over at ten, and not at one.
        let zone = TimeZone::get("Australia/Sydney").unwrap();
        let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let start = UploadStart::Day(jiff::civil::date(2026, 1, 1));
        let uploading = UploadSettings::new(start, account);
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let last_night: Timestamp = "2026-11-24T11:00:00Z".parse().unwrap();
        let sending = SendMode::Nightly(Night::of(last_night, &zone));
        let caps = Caps::unused(organisation).reserve(200, sending, NIGHTLY_MAX, last_night);
        let caps = caps.caps.unwrap();
        let one_pm: Timestamp = "2026-11-25T02:00:00Z".parse().unwrap();
        assert_eq!(caps.left(Night::of(one_pm, &zone), NIGHTLY_MAX, one_pm), 0);
        let next = NextUpload::of(&uploading, &zone, false, one_pm);
        assert_eq!(next.at, "2026-11-25T11:00:00Z".parse().unwrap());
        assert_eq!(
            (next.night.to_string().as_str(), next.left(&caps, NIGHTLY_MAX)),
            ("2026-11-25", 200)
        );
        // In the morning last night is over: the next one is tonight's all the same.
        let morning: Timestamp = "2026-11-24T21:00:00Z".parse().unwrap();
        assert_eq!(NextUpload::of(&uploading, &zone, true, morning), next);
    }
}
