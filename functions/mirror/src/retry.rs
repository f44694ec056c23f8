//! What becomes of an invoice that could not be brought up to date this time. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use queue::{Cause, InvoiceChange};
use xero::{ErrorClass, Invoices, LimitProblem, ReadError, Retry};

/// How far `UpdatedDateUTC` of a read may lie before the event's own time and still be the read
/// that the event announced. Xero documents no relation between the two clocks. Wide enough for an
/// event that is stamped when it is made and not when the invoice was saved; a stale read that it
/// lets pass is one of a second change within these seconds, which has an event of its own.
const EVENT_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// How long to wait before reading again what is older than its webhook's event. One more look, because
/// a read can lag behind a write (facts.md 5.24). If that shows nothing newer either, the event was about
/// something that does not move the invoice's stamp (facts.md 3.5), and ends: the sweep sees every stamp
/// that does move.
const STALE_EVENT_PAUSES: [Duration; 1] = [Duration::from_secs(60)];

/// How long to wait before reading again what is older than the invoice's own stamp, as the sweep has seen
/// it. Such a read is stale for certain, and no other sweep comes for it, so that it is parked in the end.
const STALE_READ_PAUSES: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// First pause after a failure; it doubles with each one, up to [`queue::DELAY_MAX`].
const FAILURE_PAUSE_FIRST: Duration = Duration::from_secs(5);

/// Failures after which an invoice is parked: a whole day of them and a little more, as long as Xero itself would
/// repeat a webhook.
const FAILURES_MAX: u32 = 104;

/// Failures after which an invoice that Xero says it does not have is parked: a quarter of an hour
/// for a write to become readable.
const NOT_FOUND_MAX: u32 = 8;

/// What to do with an invoice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disposition {
    /// Its event is satisfied.
    Done,
    /// Look again, not before the pause is over.
    Later(InvoiceChange, Duration),
    /// Keep it for a person, with this reason.
    Park(&'static str),
}

/// Judges a read that succeeded. `latest` is the newest version of the invoice that we know of. What
/// `cause` brought says which clock the event's time is of: the webhook's, or the invoice's own.
pub(crate) fn after_read(change: InvoiceChange, cause: Cause, latest: Timestamp) -> Disposition {
    let fresh = change
        .event_at
        .is_none_or(|event_at| latest.saturating_add(EVENT_TOLERANCE).is_ok_and(|t| t >= event_at));
    if fresh {
        return Disposition::Done;
    }
    let tried = usize::try_from(change.stale_reads).unwrap_or(usize::MAX);
    let (pauses, end): (&[Duration], Disposition) = match cause {
        Cause::Sweep => (&STALE_READ_PAUSES, Disposition::Park("stale_read")),
        Cause::Webhook | Cause::Intake | Cause::Manual => (&STALE_EVENT_PAUSES, Disposition::Done),
    };
    match pauses.get(tried) {
        Some(&pause) => {
            let change = InvoiceChange { stale_reads: change.stale_reads + 1, ..change };
            Disposition::Later(change, pause)
        }
        None => end,
    }
}

/// Judges a read that failed (rules A7.3). Waiting for a call limit never counts as a failure, so
/// that it can never end in parking.
pub(crate) fn after_failure(change: InvoiceChange, error: &ReadError) -> Disposition {
    if let ReadError::Limited { problem, after } = *error {
        return Disposition::Later(change, limit_pause(problem, after));
    }
    match error.retry() {
        Retry::Later { after, counts_as_failure: false } => {
            Disposition::Later(change, after.unwrap_or(FAILURE_PAUSE_FIRST))
        }
        Retry::Later { after, counts_as_failure: true } => {
            let max =
                if matches!(error, ReadError::NotFound) { NOT_FOUND_MAX } else { FAILURES_MAX };
            count(change, after.unwrap_or_else(|| pause_after(change.failures)), max, error)
        }
        // Credentials are mended by people, without anything having to be sent again.
        Retry::Never if error.class() == ErrorClass::Authentication => {
            count(change, queue::DELAY_MAX, FAILURES_MAX, error)
        }
        Retry::Never => Disposition::Park(error.class().code()),
    }
}

/// How long to wait for a call limit.
fn limit_pause(problem: LimitProblem, after: Option<Duration>) -> Duration {
    after.unwrap_or(match problem {
        // Xero does not say when, and it does not come back in seconds.
        LimitProblem::Day => queue::DELAY_MAX,
        LimitProblem::Minute
        | LimitProblem::Concurrent
        | LimitProblem::AppMinute
        | LimitProblem::Uncounted => FAILURE_PAUSE_FIRST,
    })
}

/// Why the organisation is not to be called again in this batch, if so: a used-up limit, a closed
/// door or an outage do not get better by knocking again.
pub(crate) fn blocking_error(read: &Invoices) -> Option<ReadError> {
    let refused = read
        .failed
        .iter()
        .map(|(_, error)| *error)
        .find(|error| matches!(error, ReadError::Limited { .. } | ReadError::NotAuthorised(_)));
    let outage = || {
        let outage = |error: &ReadError| matches!(error, ReadError::Unavailable { .. });
        let all = read.found.is_empty() && read.failed.iter().all(|(_, error)| outage(error));
        read.failed.first().filter(|_| all).map(|(_, error)| *error)
    };
    refused.or_else(outage)
}

fn count(change: InvoiceChange, pause: Duration, max: u32, error: &ReadError) -> Disposition {
    let failures = change.failures.saturating_add(1);
    if failures >= max {
        return Disposition::Park(error.class().code());
    }
    Disposition::Later(InvoiceChange { failures, ..change }, pause)
}

fn pause_after(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures);
    FAILURE_PAUSE_FIRST.saturating_mul(factor).min(queue::DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xero::Outage;

    fn change(event_at: &str) -> InvoiceChange {
        let id = "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10".parse().unwrap();
        InvoiceChange::new(id, Some(event_at.parse().unwrap()))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_read_as_new_as_its_event_satisfies_it() {
        let event = change("2026-10-05T03:41:22.518Z");
        let judge = |event, latest| after_read(event, Cause::Webhook, at(latest));
        assert_eq!(judge(event, "2026-10-05T03:41:22.518Z"), Disposition::Done);
        assert_eq!(judge(event, "2026-10-05T03:50:00Z"), Disposition::Done);
        assert_eq!(judge(event, "2026-10-05T03:41:17.518Z"), Disposition::Done, "tolerance");
        let without = InvoiceChange { event_at: None, ..event };
        assert_eq!(judge(without, "1970-01-01T00:00:00Z"), Disposition::Done);
    }

    #[test]
    fn a_stale_read_is_repeated_a_bounded_number_of_times() {
        // FAULT-14.
        let end = |cause| {
            let mut event = change("2026-10-05T03:41:22.518Z");
            let mut pauses = Vec::new();
            loop {
                match after_read(event, cause, at("2026-10-05T03:41:00Z")) {
                    Disposition::Later(next, pause) => {
                        pauses.push(pause.as_secs());
                        event = next;
                    }
                    fate => return (pauses, fate),
                }
            }
        };
        assert_eq!(end(Cause::Webhook), (vec![60], Disposition::Done));
        assert_eq!(end(Cause::Sweep), (vec![30, 120, 600], Disposition::Park("stale_read")));
    }

    #[test]
    fn waiting_for_a_call_limit_never_ends_in_parking() {
        // A7.3, FAULT-18.
        let error = ReadError::Limited {
            problem: LimitProblem::Day,
            after: Some(Duration::from_secs(64_800)),
        };
        let mut event = change("2026-10-05T03:41:22.518Z");
        for _ in 0..10_000 {
            match after_failure(event, &error) {
                Disposition::Later(next, pause) => {
                    assert_eq!(pause.as_secs(), 64_800);
                    assert_eq!(next.failures, 0);
                    event = next;
                }
                fate => panic!("{fate:?}"),
            }
        }
    }

    #[test]
    fn trouble_at_xero_is_waited_out_for_a_day_before_anything_is_parked() {
        // V18, A7.3.
        let error = ReadError::Unavailable { cause: Outage::TimedOut, after: None };
        let mut event = change("2026-10-05T03:41:22.518Z");
        let mut waited = Duration::ZERO;
        while let Disposition::Later(next, pause) = after_failure(event, &error) {
            waited += pause;
            event = next;
        }
        assert_eq!(after_failure(event, &error), Disposition::Park("Timeout"));
        assert!(waited > Duration::from_secs(22 * 3600), "{waited:?}");
        assert!(waited < Duration::from_secs(26 * 3600), "{waited:?}");
    }

    #[test]
    fn what_can_never_be_read_is_parked_at_once_with_its_class() {
        let event = change("2026-10-05T03:41:22.518Z");
        let schema = ReadError::Schema { field: "Total" };
        assert_eq!(after_failure(event, &schema), Disposition::Park("Schema"));
    }
}
