//! What a person sees.

use std::time::Duration;

use crate::Step;

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
