//! Xero's call limits, as its answers state them.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::error::ReadError;
use crate::limit_problem::LimitProblem;

/// Longest wait we believe. The longest window is the day's; 77,000 seconds have been seen.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The window of the minute limits. It rolls, so after this time all calls are free again.
const MINUTE: Duration = Duration::from_secs(60);

/// The rest of the call limits after an answer. Answers that the edge makes lack them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// Calls left for this organisation today (`X-DayLimit-Remaining`).
    pub day_remaining: Option<u32>,
    /// Calls left for this organisation in this minute (`X-MinLimit-Remaining`).
    pub minute_remaining: Option<u32>,
    /// Calls left for our app over all organisations in this minute (`X-AppMinLimit-Remaining`).
    pub app_minute_remaining: Option<u32>,
}

impl Limits {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        Self {
            day_remaining: number(headers, "x-daylimit-remaining"),
            minute_remaining: number(headers, "x-minlimit-remaining"),
            app_minute_remaining: number(headers, "x-appminlimit-remaining"),
        }
    }

    /// Why no further call may be made, if something is used up.
    pub(crate) fn exhausted(self) -> Option<ReadError> {
        let limited = |problem, after| Some(ReadError::Limited { problem, after });
        if self.day_remaining == Some(0) {
            limited(LimitProblem::Day, None)
        } else if self.minute_remaining == Some(0) {
            limited(LimitProblem::Minute, Some(MINUTE))
        } else if self.app_minute_remaining == Some(0) {
            limited(LimitProblem::AppMinute, Some(MINUTE))
        } else {
            None
        }
    }
}

/// Reads `Retry-After`: whole seconds. More than a day is taken as a day.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or(RETRY_AFTER_MAX, Duration::from_secs).min(RETRY_AFTER_MAX))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_whole_seconds_and_never_more_than_a_day() {
        let read = |value| retry_after(&headers(&[("retry-after", value)]));
        assert_eq!(read("27"), Some(Duration::from_secs(27)));
        assert_eq!(read("66975"), Some(Duration::from_secs(66_975)));
        for long in ["86401", "18446744073709551615", "99999999999999999999999"] {
            assert_eq!(read(long), Some(RETRY_AFTER_MAX), "{long}");
        }
        for other in ["", "-1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_left_is_read_and_a_zero_stops_further_calls() {
        //
        let limits = Limits::read(&headers(&[
            ("X-DayLimit-Remaining", "4998"),
            ("X-MinLimit-Remaining", "0"),
            ("X-AppMinLimit-Remaining", "many"),
        ]));
        assert_eq!((limits.day_remaining, limits.minute_remaining), (Some(4_998), Some(0)));
        assert_eq!(limits.app_minute_remaining, None);
        assert!(matches!(
            limits.exhausted(),
            Some(ReadError::Limited { problem: LimitProblem::Minute, after: Some(_) })
        ));
        assert_eq!(Limits::default().exhausted(), None);
    }
}
