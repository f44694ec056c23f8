//! Why a run did not come to its end. The next run does the work that is left.

use queue::SendError;
use table::{ImportError, ReadError, WriteError};

/// Why a run ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[source] WriteError),
    #[error("reading from Xero failed")]
    Xero(#[from] xero::ReadError),
    #[error("what changed could not be put on the queue")]
    Send(#[from] SendError),
    #[error("another run has taken over")]
    Overtaken,
}

impl RunError {
    /// The class under which it is counted (A7.3); our classes differ from Xero's.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Xero(error) => error.class().code(),
            Self::Read(_) | Self::Write(_) | Self::Overtaken => "Tables",
            Self::Send(_) => "Queue",
        }
    }
}

impl From<ImportError> for RunError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Read(error) => Self::Read(error),
            ImportError::Write(error) => Self::Write(error),
        }
    }
}

impl From<WriteError> for RunError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict => Self::Overtaken,
            error => Self::Write(error),
        }
    }
}
