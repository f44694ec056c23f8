//! Which of Xero's call limits was hit.

use payments::codes;
use reqwest::header::HeaderMap;

codes! {
    /// Which limit was hit.
    LimitProblem {
        /// 60 calls a minute for an organisation; also any limit that we do not know.
        Minute = "minute",
        /// 5,000 calls a day for an organisation, or 1,000.
        Day = "day",
        /// Five calls at once for an organisation.
        Concurrent = "concurrent",
        /// 10,000 calls a minute for our app.
        AppMinute = "app-minute",
        /// None of Xero's: our own count of the calls cannot be kept, so that none is made.
        Uncounted = "uncounted",
    }
}

impl LimitProblem {
    /// Reads `X-Rate-Limit-Problem`. Its exact words are undocumented; these are the ones that
    /// captures and other people's code contain.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let word = headers.get("x-rate-limit-problem").and_then(|value| value.to_str().ok());
        match word.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "day" | "daylimit" | "daily" => Self::Day,
            "concurrent" | "concurrency" => Self::Concurrent,
            "appminute" | "app minute" | "app-minute" | "appminlimit" => Self::AppMinute,
            _ => Self::Minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_unknown_limit_problem_is_the_minute() {
        let read = |value| LimitProblem::read(&headers(&[("x-rate-limit-problem", value)]));
        assert_eq!(read("day"), LimitProblem::Day);
        assert_eq!(read("DayLimit"), LimitProblem::Day);
        assert_eq!(read("Concurrent"), LimitProblem::Concurrent);
        assert_eq!(read("appminute"), LimitProblem::AppMinute);
        assert_eq!(read("Minute"), LimitProblem::Minute);
        assert_eq!(read("fortnight"), LimitProblem::Minute);
        assert_eq!(LimitProblem::read(&HeaderMap::new()), LimitProblem::Minute);
    }
}
