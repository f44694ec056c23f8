//! The shapes in which Xero writes points in time and calendar days. All of them are read here.
//!
//! | shape | where |
//! |---|---|
//! | `/Date(1541176592690+0000)/`, `/Date(1541176592690)/` | most members of the Accounting API; the slashes may be escaped in JSON |
//! | `2026-10-05T03:41:22.518`, 0 to 7 fraction digits, no zone: UTC | `eventDateUtc`, `DateString` |
//! | `2026-10-05T03:41:22Z` | `UpdatedDateUTCString`, old webhook samples |
//! | `2026-10-05` | requests; accepted in answers |

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Longest text that can be a date: 32 characters are `9999-12-31T23:59:59.999999999+00:00`.
const DATE_CHARS_MAX: usize = 40;

/// Reads a point in time. Without a zone it is UTC, as the members' names say.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    if text.len() > DATE_CHARS_MAX {
        return None;
    }
    if let Some((instant, _)) = milliseconds(text) {
        return Some(instant);
    }
    if !is_iso(text) {
        return None;
    }
    if let Some(civil) = civil(text) {
        return TimeZone::UTC.to_timestamp(civil).ok();
    }
    text.parse().ok()
}

/// Reads a calendar day. Xero sends the organisation's local day as midnight UTC, so the day in
/// UTC is taken and never converted to a zone (XeroAPI/xero-php-oauth2#294). A text with an
/// offset other than zero would have two readings and is refused.
pub(crate) fn day(text: &str) -> Option<Date> {
    if text.len() > DATE_CHARS_MAX {
        return None;
    }
    if let Some((instant, is_utc)) = milliseconds(text) {
        return is_utc.then(|| TimeZone::UTC.to_datetime(instant).date());
    }
    if !is_iso(text) {
        return None;
    }
    let local = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text);
    civil(local).map(DateTime::date)
}

/// Reads a date and time, or a date, without a zone. The parser alone would pass over an offset.
fn civil(text: &str) -> Option<DateTime> {
    let time = text.get(10..)?;
    if time.contains(['+', '-', 'Z']) { None } else { text.parse().ok() }
}

/// Reads `/Date(…)/`, and says whether the offset in it, which does not change the instant, is
/// zero or absent.
fn milliseconds(text: &str) -> Option<(Timestamp, bool)> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let (number, offset) = match inner.rfind(['+', '-']) {
        Some(at) if at > 0 => inner.split_at(at),
        _ => (inner, "+0000"),
    };
    let digits = offset.get(1..)?;
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if number.starts_with('+') {
        return None;
    }
    let instant =
        Timestamp::from_duration(SignedDuration::from_millis(number.parse().ok()?)).ok()?;
    Some((instant, digits == "0000"))
}

/// Whether the text has the characters and the beginning of an ISO date. Keeps out the forms that
/// the parser would take as well: zone names in brackets, lower case, spaces, no hyphens.
fn is_iso(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && bytes.get(10).is_none_or(|b| *b == b'T')
        && bytes.iter().all(|b| b.is_ascii_digit() || b"-:T.Z+".contains(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Option<String> {
        instant(text).map(|instant| instant.to_string())
    }

    fn on(text: &str) -> Option<String> {
        day(text).map(|day| day.to_string())
    }

    #[test]
    fn every_shape_of_an_instant_is_utc() {
        for (text, expected) in [
            ("/Date(1573755038314)/", "2019-11-14T18:10:38.314Z"),
            ("/Date(1573755038314+0000)/", "2019-11-14T18:10:38.314Z"),
            // The offset is only a remark: the milliseconds are UTC already.
            ("/Date(1573755038314+1300)/", "2019-11-14T18:10:38.314Z"),
            ("/Date(-1)/", "1969-12-31T23:59:59.999Z"),
            ("/Date(-62135596800000+0000)/", "0001-01-01T00:00:00Z"),
            ("2026-10-05T03:41:22", "2026-10-05T03:41:22Z"),
            ("2026-10-05T03:41:22.5", "2026-10-05T03:41:22.5Z"),
            ("2026-10-05T03:41:22.518", "2026-10-05T03:41:22.518Z"),
            ("2026-10-05T03:41:22.5181234", "2026-10-05T03:41:22.5181234Z"),
            ("2026-10-05T03:41:22Z", "2026-10-05T03:41:22Z"),
            ("2026-10-05T03:41:22.5181234Z", "2026-10-05T03:41:22.5181234Z"),
            ("2026-10-05T16:41:22+13:00", "2026-10-05T03:41:22Z"),
            ("2026-10-05", "2026-10-05T00:00:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_calendar_day_is_never_shifted_by_a_zone() {
        // CM-12; facts.md 5.15
        for (text, expected) in [
            ("/Date(1539993600000+0000)/", "2018-10-20"),
            ("/Date(1540079999999)/", "2018-10-20"),
            ("/Date(-1)/", "1969-12-31"),
            ("/Date(-86400000+0000)/", "1969-12-31"),
            ("2018-10-20T00:00:00", "2018-10-20"),
            ("2018-10-20T23:59:59.9999999", "2018-10-20"),
            ("2018-10-20T00:00:00Z", "2018-10-20"),
            ("2018-10-20T00:00:00+00:00", "2018-10-20"),
            ("2018-10-20", "2018-10-20"),
            ("2028-02-29", "2028-02-29"),
        ] {
            assert_eq!(on(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_day_with_an_offset_has_two_readings_and_is_refused() {
        for text in ["/Date(1539993600000+1300)/", "2018-10-20T00:00:00+13:00"] {
            assert_eq!(on(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "/Date()/",
            "/Date(+1)/",
            "/Date(1+)/",
            "/Date(1+000)/",
            "/Date(1+00000)/",
            "/Date(1.5)/",
            "/Date(99999999999999999999)/",
            "/Date(9223372036854775807)/",
            "Date(1)",
            "/Date(1)/ ",
            "1539993600000",
            "20181020",
            "2018-13-01",
            "2018-02-30",
            "18-10-20",
            "2018-10-20 00:00:00",
            "2018-10-20t00:00:00z",
            "2018-10-20T",
            "2018-10-20T00:00:00[Europe/Paris]",
            "2018-10-20T00:00:00.1234567890123Z",
            "2018-10-20T00:00:00+99:00",
            "2018-10-20T00:00:00+00:00Z",
            "20/10/2018",
            "-009999-01-01",
        ] {
            assert_eq!((at(text), on(text)), (None, None), "{text:?}");
        }
    }

    #[test]
    fn escaped_slashes_are_json_and_are_gone_when_a_date_is_read() {
        let text: String = serde_json::from_str(r#""\/Date(1539993600000+0000)\/""#).unwrap();
        assert_eq!(on(&text).as_deref(), Some("2018-10-20"));
    }

    proptest! {
        #[test]
        fn law_milliseconds_survive_the_round_trip(ms in -62_135_596_800_000_i64..253_402_207_200_000) {
            let expected = Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(instant(&format!("/Date({ms}+0000)/")), Some(expected));
            prop_assert_eq!(instant(&format!("/Date({ms})/")), Some(expected));
            prop_assert_eq!(instant(&expected.to_string()), Some(expected));
            prop_assert_eq!(instant(expected.to_string().trim_end_matches('Z')), Some(expected));
        }

        #[test]
        fn law_all_shapes_of_a_day_agree(days in -700_000_i64..2_900_000) {
            let midnight = Timestamp::from_second(days * 86_400).unwrap();
            let expected = TimeZone::UTC.to_datetime(midnight).date();
            let ms = midnight.as_millisecond();
            prop_assert_eq!(day(&format!("/Date({ms}+0000)/")), Some(expected));
            prop_assert_eq!(day(&expected.to_string()), Some(expected));
            prop_assert_eq!(day(&format!("{expected}T00:00:00")), Some(expected));
            prop_assert_eq!(day(&format!("{expected}T00:00:00Z")), Some(expected));
        }

        #[test]
        fn law_no_text_panics(text in "\\PC*", nearly in "/Date\\([-+0-9.]{0,24}\\)/|[-0-9T:.Z+]{0,40}") {
            for text in [text, nearly] {
                let _ = (instant(&text), day(&text));
            }
        }
    }
}
