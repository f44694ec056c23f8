//! Why the function cannot start, and why an invocation failed.

use host::telemetry;
use invoker::InvokeError;
use payments::OrganisationId;
use queue::SendError;

use crate::event::EventError;

/// Why an invocation failed. Lambda tries a schedule's again; what was done is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing we know.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An organisation is not set up here, or what is asked for needs the mirror, which is off.
    #[error("organisation {0} is not set up here, or the mirror is not switched on for it")]
    NotMirroring(OrganisationId),
    /// Messages that are no work of a schedule. SQS keeps them among the dead letters.
    #[error("a message of the queue of schedules cannot be read: {0}")]
    Task(String),
    /// The work of a schedule could not be put on the queue. A message twice does no harm.
    #[error("the organisations are not all on the queue of schedules")]
    NotListed(#[source] SendError),
    /// The organisations could not be read.
    #[error("{0}")]
    Tables(String),
    /// `operations` has not executed a command: its own words, or why it could not be called.
    #[error(transparent)]
    Operations(#[from] InvokeError),
    /// The answer is no JSON.
    #[error("the answer cannot be written")]
    Answer(#[from] serde_json::Error),
    /// Digests that failed; the others were made.
    #[error("{failed} of {all} digests failed: {first}")]
    Digests {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// Why the first of them did.
        first: String,
    },
    /// Looks at connections that failed, or for which there was no time; the others were made.
    #[error("{failed} of {all} checks failed: {first}")]
    Checks {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// Why the first of them did.
        first: String,
    },
    /// Sweeps that failed; the others were made.
    #[error("{failed} of {all} sweeps failed: {first}")]
    Sweeps {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// Why the first of them did.
        first: String,
    },
}

pub(crate) fn tables(error: &dyn std::error::Error) -> HandleError {
    HandleError::Tables(telemetry::chain(error))
}
