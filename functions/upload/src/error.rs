//! Why a run did not come to its end. The next run finds all work that was not done.

use payments::upload::LedgerError;
use queue::SendError;
use table::{ReadError, WriteError};

/// Why a run ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error("reading from Xero failed")]
    Xero(#[from] xero::ReadError),
    #[error("a move that the ledger does not allow")]
    Ledger(#[from] LedgerError),
    #[error("a task could not be put on the queue")]
    Send(#[from] SendError),
}

impl RunError {
    /// The class under which it is counted (A7.3). Xero's errors have classes of their own.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Xero(error) => error.class().code(),
            Self::Read(_) | Self::Write(_) => "Tables",
            Self::Send(_) => "Queue",
            Self::Ledger(_) => "Upload",
        }
    }

    /// Whether it is Xero's trouble, or ours with Xero: over by itself, or when a person has let us in again. The
    /// hourly look goes on then, and no message of a queue has to be kept for it.
    pub(crate) fn is_xeros(&self) -> bool {
        use xero::ReadError::{Limited, NotAuthorised, Unavailable};
        matches!(self, Self::Xero(Limited { .. } | NotAuthorised(_) | Unavailable { .. }))
    }
}
