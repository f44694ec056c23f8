//! Work that must wait. SQS keeps a message back for 15 minutes at most; the receiver of one
//! that is parked for longer sends it on.

use std::time::Duration;

use jiff::Timestamp;

/// Longest delay that SQS takes.
pub const DELAY_MAX: Duration = Duration::from_secs(900);

/// How long SQS should keep back a message that is parked until `not_before`: whole seconds,
/// rounded up so that it does not arrive early, and [`DELAY_MAX`] at most.
pub fn delay_until(not_before: Option<Timestamp>, now: Timestamp) -> Duration {
    let Some(not_before) = not_before else { return Duration::ZERO };
    // A moment that has passed gives a negative duration, which does not convert.
    let wait = Duration::try_from(not_before.duration_since(now)).unwrap_or_default();
    Duration::from_secs(whole_seconds(wait))
}

/// Whole seconds, rounded up, as SQS takes them.
pub(crate) fn whole_seconds(delay: Duration) -> u64 {
    let delay = delay.min(DELAY_MAX);
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parked_work_does_not_arrive_early_nor_wait_longer_than_sqs_can() {
        let now: Timestamp = "2026-10-05T03:41:25.250Z".parse().unwrap();
        let after = |text: &str| {
            let at: Timestamp = text.parse().unwrap();
            delay_until(Some(at), now).as_secs()
        };
        assert_eq!(delay_until(None, now), Duration::ZERO);
        assert_eq!(after("2026-10-05T03:41:25.250Z"), 0);
        assert_eq!(after("2026-10-05T03:00:00Z"), 0);
        assert_eq!(after("2026-10-05T03:41:25.251Z"), 1);
        assert_eq!(after("2026-10-05T03:41:27Z"), 2);
        assert_eq!(after("2026-10-05T03:56:25.251Z"), 900);
        assert_eq!(after("9999-12-30T22:00:00Z"), 900);
        assert_eq!(
            delay_until(Some(Timestamp::MAX), Timestamp::MIN),
            DELAY_MAX,
            "the longest span there is"
        );
    }
}
