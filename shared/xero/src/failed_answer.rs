//! What an answer of Xero's that is no success says.

use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};

use crate::error::{AccessRefusal, Outage, ReadError};
use crate::http::HttpResponse;
use crate::limit_problem::LimitProblem;
use crate::limits::retry_after;

/// What an answer other than 200 means (rules A7.3).
pub(crate) fn refusal(answer: &HttpResponse, scope: &'static str) -> ReadError {
    let after = retry_after(&answer.headers);
    match answer.status {
        401 if scope_is_missing(answer) => ReadError::NotAuthorised(AccessRefusal::Scope(scope)),
        401 => ReadError::NotAuthorised(AccessRefusal::Token),
        // A page for people comes from what stands in front of the API, and says nothing of the connection.
        403 if is_page(answer) => {
            ReadError::Unavailable { cause: Outage::Status(answer.status), after }
        }
        403 => ReadError::NotAuthorised(AccessRefusal::Permission(scope)),
        404 => ReadError::NotFound,
        429 => ReadError::Limited { problem: LimitProblem::read(&answer.headers), after },
        status @ (400..=407 | 409..=499) => ReadError::Invalid { status },
        status => ReadError::Unavailable { cause: Outage::Status(status), after },
    }
}

/// Whether another token may help. None does where a permission is missing: each token of the same consent lacks it
/// (XC-12, facts.md 2.2).
pub(crate) fn token_is_bad(answer: &HttpResponse) -> bool {
    answer.status == 401 && !scope_is_missing(answer)
}

/// Whether this 401 is about a permission, and not about the token itself.
fn scope_is_missing(answer: &HttpResponse) -> bool {
    let has = |text: &[u8], word: &str| {
        text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    let header = answer.headers.get(WWW_AUTHENTICATE).map_or(&[][..], |value| value.as_bytes());
    has(header, "insufficient_scope")
        || ["insufficient_scope", "AuthorizationUnsuccessful"]
            .iter()
            .any(|word| has(&answer.body, word))
}

fn is_page(answer: &HttpResponse) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}
