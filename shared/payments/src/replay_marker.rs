//! The mark on a message that was parked and is on its way again: by it, what is parked once more is the
//! same row and not a second one.

use std::fmt;
use std::str::FromStr;

/// Longest key of a parked row: an instant, and the id of a message or of an invoice.
const KEY_CHARS_MAX: usize = 200;

/// From which row a message was put on its queue again, and for which time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplayMark {
    /// The key of the row, as it stands in `parked_at`.
    pub parked_at: String,
    /// How often it has been replayed with that, from 1.
    pub replays: u32,
}

impl ReplayMark {
    /// The name under which it travels along with a message: it is no part of the message, which goes out
    /// byte for byte as it came.
    pub const ATTRIBUTE: &'static str = "PaymirrorReplay";
}

/// A text that is no mark. Its reader takes the message for a new one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("that is no mark of a replay")]
pub struct NoMark;

impl fmt::Display for ReplayMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.replays, self.parked_at)
    }
}

impl FromStr for ReplayMark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let (replays, parked_at) = text.split_once(' ').ok_or(NoMark)?;
        let replays = replays.parse().ok().filter(|replays| *replays > 0).ok_or(NoMark)?;
        let is_key = parked_at.contains('#')
            && parked_at.chars().count() <= KEY_CHARS_MAX
            && parked_at.chars().all(|c| c.is_ascii_graphic());
        is_key.then(|| Self { parked_at: parked_at.to_owned(), replays }).ok_or(NoMark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_nothing_else_is_one() {
        let mark =
            ReplayMark { parked_at: "2026-03-10T00:59:59.000000Z#m-1".to_owned(), replays: 3 };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        let long = format!("1 2026#{}", "x".repeat(KEY_CHARS_MAX));
        for text in
            ["", "1", "0 2026#m", "-1 2026#m", "1 2026", "1 2026#m m", "1 2026#\u{7f}", &long]
        {
            assert_eq!(text.parse::<ReplayMark>(), Err(NoMark), "{text}");
        }
    }
}
