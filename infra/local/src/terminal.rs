//! What a person sees.

use std::fmt::Display;
use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use crate::Step;

#[expect(
    clippy::disallowed_methods,
    reason = "a convention of all terminals, and no setting of ours"
)]
fn is_colourless() -> bool {
    std::env::var_os("NO_COLOR").is_some()
}

/// A text in a colour, or otherwise marked: only for a person at a terminal who has not asked for none (`NO_COLOR`).
fn marked(mark: u8, text: impl Display) -> String {
    let is_plain = !stdout().is_terminal() || is_colourless();
    if is_plain { text.to_string() } else { format!("\u{1b}[{mark}m{text}\u{1b}[0m") }
}

/// A text that stands out.
pub(crate) fn bold(text: impl Display) -> String {
    marked(1, text)
}

/// A text that stands back.
pub(crate) fn dim(text: impl Display) -> String {
    marked(2, text)
}

/// A sign that it is as expected.
pub(crate) fn tick() -> String {
    marked(32, "✔")
}

/// A sign that it is not.
pub(crate) fn cross() -> String {
    marked(31, "✖")
}

/// Prints a step of starting.
pub(crate) fn step(step: &Step) {
    let Step { what, detail, took } = step;
    println!("  {what:<18} {:>6}  {detail}", milliseconds(*took));
}

/// `12 ms`.
pub(crate) fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// `350 ms` or `2.1 s`, without a float.
pub(crate) fn duration(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        return milliseconds(took);
    }
    let tenths = took.as_millis().div_ceil(100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(milliseconds(Duration::from_micros(12_900)), "12 ms");
        assert_eq!(duration(Duration::from_micros(12_900)), "12 ms");
        assert_eq!(duration(Duration::from_millis(2_001)), "2.1 s");
        assert_eq!(duration(Duration::from_secs(12)), "12.0 s");
    }
}
