//! Why something could not be read, by what the caller can do about it.
//!
//! No text in here names a person, an amount, a token, or anything else out of an answer.

use std::fmt;
use std::time::Duration;

use payments::codes;
use payments::grant::GrantEnd;

use crate::limit_problem::LimitProblem;

/// Why Xero's side of an invoice is not known. None of these is evidence that anything was
/// deleted (rules A1.1, guard 2).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// Xero does not let us in, and a fresh token did not help. A person has to act.
    #[error("Xero does not let us in: {0}")]
    NotAuthorised(AccessRefusal),
    /// There was no answer, or one that says or shows that Xero is in trouble.
    #[error("Xero cannot be read at the moment: {cause}")]
    Unavailable {
        /// What happened instead of an answer.
        cause: Outage,
        /// How long Xero asks to be left alone, if it says so.
        after: Option<Duration>,
    },
    /// A call limit is used up.
    #[error("a call limit of Xero is used up: {problem}")]
    Limited {
        /// Which one.
        problem: LimitProblem,
        /// How long to wait; `None` when Xero does not say, as with too many calls at once.
        after: Option<Duration>,
    },
    /// Xero says of the one thing asked for that it does not exist in this organisation. It may
    /// have been written a moment ago and not be readable yet; it never means "no payments".
    #[error("Xero does not know it in this organisation")]
    NotFound,
    /// Xero refuses the request itself.
    #[error("Xero refuses the request (status {status})")]
    Invalid {
        /// The status of the answer.
        status: u16,
    },
    /// The answer is about the right thing, but a member is missing or not what it should be.
    #[error("`{field}` is missing or not what it should be")]
    Schema {
        /// Xero's name of the member.
        field: &'static str,
    },
    /// The answer is longer than [`crate::RESPONSE_BYTES_MAX`], or has more than
    /// [`crate::PAGES_MAX`] pages.
    #[error("the answer is too long")]
    TooLong,
}

impl ReadError {
    /// How it is shown to an operator (rules A7.3).
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NotAuthorised(_) => ErrorClass::Authentication,
            Self::Unavailable { .. } => ErrorClass::Timeout,
            Self::Limited { .. } => ErrorClass::Limit,
            Self::NotFound | Self::Invalid { .. } => ErrorClass::Validation,
            Self::Schema { .. } | Self::TooLong => ErrorClass::Schema,
        }
    }

    /// The permission that a user has to consent to before this can be read. Everything else that Xero allows us
    /// goes on (XC-12).
    pub const fn missing_scope(&self) -> Option<&'static str> {
        match self {
            Self::NotAuthorised(AccessRefusal::Scope(scope)) => Some(*scope),
            _ => None,
        }
    }

    /// Whether the same read can succeed later.
    ///
    /// `NotFound` is tried again because an event may arrive before its invoice can be read.
    pub fn retry(&self) -> Retry {
        match *self {
            Self::Unavailable { after, .. } => Retry::Later { after, counts_as_failure: true },
            Self::Limited { after, .. } => Retry::Later { after, counts_as_failure: false },
            Self::NotFound => Retry::Later { after: None, counts_as_failure: true },
            Self::NotAuthorised(_) | Self::Invalid { .. } | Self::Schema { .. } | Self::TooLong => {
                Retry::Never
            }
        }
    }
}

codes! {
    /// The classes of rules A7.3.
    ErrorClass {
        /// Credentials, consent or a permission.
        Authentication = "Authentication",
        /// Xero did not answer, or not sensibly.
        Timeout = "Timeout",
        /// A call limit.
        Limit = "Limit",
        /// Xero refuses what was asked.
        Validation = "Validation",
        /// An answer whose shape we do not know.
        Schema = "Schema",
    }
}

/// What to do with work that could not be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// Give it back to the queue.
    Later {
        /// Not before this time has passed. `None`: the caller's own pause.
        after: Option<Duration>,
        /// Whether it uses up one of the tries. Waiting for a call limit does not: nothing is
        /// wrong with the work, and it must not end among the dead letters.
        counts_as_failure: bool,
    },
    /// Park it with its reason. Trying again would give the same answer.
    Never,
}

/// Why Xero does not let us in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessRefusal {
    /// The identity service refuses client, secret or scopes; the word is OAuth's own.
    Client(&'static str),
    /// Two tokens in a row were refused: consent was withdrawn, or the clock is wrong.
    Token,
    /// No user has granted us this organisation.
    NotConnected,
    /// A user's grant is of no use any more: the user has to authorise again.
    Lost(GrantEnd),
    /// 401, of a token that is good: the user has not consented to this permission, or not for this app.
    Scope(&'static str),
    /// 403. Either this permission is missing, or the organisation is not connected (any more).
    Permission(&'static str),
}

impl fmt::Display for AccessRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(code) => write!(f, "the identity service answers {code}"),
            Self::NotConnected => f.write_str("the organisation hangs on no grant"),
            Self::Lost(why) => write!(f, "its grant is lost ({why})"),
            Self::Token => f.write_str("a fresh token was refused"),
            Self::Scope(scope) => write!(f, "the permission {scope} was not granted"),
            Self::Permission(scope) => {
                write!(f, "{scope} is missing, or the organisation is not connected")
            }
        }
    }
}

/// What happened instead of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outage {
    /// No connection, which includes names that are not found and certificates that do not fit.
    Connect,
    /// The time limit passed.
    TimedOut,
    /// The connection ended in the middle.
    Cut,
    /// A status that says so, a redirect among them: those are never followed.
    Status(u16),
    /// Status 200 with something that cannot be Xero's answer: HTML, XML, half of a document,
    /// another invoice than the one that was asked for.
    Unreadable,
    /// The tokens of a grant, or its row, cannot be read or kept.
    Grant,
    /// The grant is being renewed by another process, or could not be renewed a moment ago.
    Renewing,
    /// A list changed so often while its pages were read that rows may be missing.
    Shifting,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Cut => f.write_str("the connection ended in the middle of the answer"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Unreadable => f.write_str("the answer is unreadable"),
            Self::Grant => f.write_str("the grant or its tokens cannot be read or kept"),
            Self::Renewing => f.write_str("the grant is being renewed"),
            Self::Shifting => f.write_str("the list changed while its pages were read"),
        }
    }
}

impl From<Outage> for ReadError {
    fn from(cause: Outage) -> Self {
        Self::Unavailable { cause, after: None }
    }
}
