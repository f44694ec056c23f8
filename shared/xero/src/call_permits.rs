//! Between Xero's answers and the budget of calls: each in the words of the other.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::budget::{CallBudget, CallPermit, Denied, Exhausted, Purpose, Word};

use crate::error::ReadError;
use crate::http::HttpResponse;
use crate::limit_problem::LimitProblem;
use crate::limits::{Limits, retry_after};

/// How long to wait when the count of calls cannot be kept.
const UNCOUNTED_PAUSE: Duration = Duration::from_secs(30);

/// The budget of a single process without competitors: a tool, or a test.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl CallBudget for Unmetered {
    async fn enter(
        &self,
        organisation: OrganisationId,
        _: Purpose,
        _: Timestamp,
    ) -> Result<CallPermit, Denied> {
        Ok(CallPermit { organisation, number: 0 })
    }

    async fn leave(&self, _: CallPermit, _: Word, _: Timestamp) {}
}

/// A call that the budget denies, in the words of an answer that does.
pub(crate) fn denial(organisation: OrganisationId, denied: Denied, now: Timestamp) -> ReadError {
    match denied {
        Denied::Wait(wait) => {
            let problem = match wait.exhausted {
                Exhausted::Minute => LimitProblem::Minute,
                Exhausted::Day => LimitProblem::Day,
                Exhausted::Concurrent => LimitProblem::Concurrent,
                Exhausted::AppMinute => LimitProblem::AppMinute,
            };
            // A moment that has passed gives a negative duration, which does not convert.
            let after = Duration::try_from(wait.until.duration_since(now)).unwrap_or_default();
            ReadError::Limited { problem, after: Some(after) }
        }
        Denied::Unknown(error) => {
            tracing::error!(
                xero.organisation_id = %organisation,
                error = %error,
                "Xero was not called: the count of calls cannot be kept"
            );
            ReadError::Limited { problem: LimitProblem::Uncounted, after: Some(UNCOUNTED_PAUSE) }
        }
    }
}

/// What an answer says of the limits, for the budget.
pub(crate) fn word(answer: &HttpResponse) -> Word {
    let limits = Limits::read(&answer.headers);
    let turned_away = (answer.status == 429).then(|| {
        let exhausted = match LimitProblem::read(&answer.headers) {
            LimitProblem::Day => Exhausted::Day,
            LimitProblem::Concurrent => Exhausted::Concurrent,
            LimitProblem::AppMinute => Exhausted::AppMinute,
            LimitProblem::Minute | LimitProblem::Uncounted => Exhausted::Minute,
        };
        let after = retry_after(&answer.headers);
        (exhausted, after.and_then(|after| SignedDuration::try_from(after).ok()))
    });
    Word {
        day_left: limits.day_remaining,
        minute_left: limits.minute_remaining,
        app_minute_left: limits.app_minute_remaining,
        turned_away,
        bytes: u64::try_from(answer.body.len()).unwrap_or(u64::MAX),
    }
}
