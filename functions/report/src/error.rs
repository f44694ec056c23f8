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
    /// The seal could not be kept as a file.
    #[error(transparent)]
    Archive(#[from] archive::ArchiveError),
    /// There is no time left.
    #[error("the time was over")]
    OutOfTime,
}

/// The words of a failure, with its causes.
pub(crate) fn words(error: &SealError) -> String {
    telemetry::chain(error)
}

/// Why a report could not be made, or not be counted again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error(transparent)]
    Archive(#[from] archive::ArchiveError),
    #[error("the report could not be written")]
    Json(#[from] serde_json::Error),
    #[error("the workbook could not be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    #[error(
        "the log of {day} is not sealed yet, and reports rest on seals: a day is sealed three to nine hours after its end in UTC"
    )]
    NotSealed { day: jiff::civil::Date },
    #[error("the organisation has no settings")]
    NoSettings,
    #[error("it is no period such as weekly-2026-11-23-2026-11-29 or custom-2026-11-01-2026-11-20")]
    NoPeriod,
    #[error("the time was over")]
    OutOfTime,
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    telemetry::chain(error)
}
