//! Why a day could not be sealed.

use host::telemetry;
use table::{ReadError, WriteError};

/// Why a day could not be sealed, or not be verified.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A table did not answer, or holds what we do not write.
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    /// The seal could not be stored.
    #[error("writing failed")]
    Write(#[from] WriteError),
    /// There is no time left.
    #[error("the time was over")]
    OutOfTime,
}

/// The words of a failure, with its causes.
pub(crate) fn words(error: &SealError) -> String {
    telemetry::chain(error)
}
