//! Failures between us and DynamoDB.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

/// A read that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// DynamoDB did not answer, or refused. The same read may succeed later.
    #[error("reading table {table} failed")]
    Unavailable {
        /// Which table.
        table: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row holds something that we do not write. A person has to mend it.
    #[error("table {table} holds a row whose attribute `{attribute}` {problem}")]
    Unreadable {
        /// Which table.
        table: &'static str,
        /// Which attribute.
        attribute: String,
        /// The problem.
        problem: String,
    },
}

impl ReadError {
    pub(crate) fn unavailable<E, R>(table: &'static str, source: SdkError<E, R>) -> Self
    where
        SdkError<E, R>: std::error::Error + Send + Sync + 'static,
    {
        Self::Unavailable { table, source: Box::new(source) }
    }
}

/// A write that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another writer has written the same thing since it was read. Read it again and decide again.
    #[error("the row has changed since it was read")]
    Conflict,
    /// Another writer has won every time, this often.
    #[error("lost the race for the same rows {0} times in a row")]
    LostRaces(u32),
    /// DynamoDB did not answer, or refused. Whether the write took place is not known; writing
    /// again is safe after reading again.
    #[error("writing table {table} failed")]
    Unavailable {
        /// Which table.
        table: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A request could not even be built: a mistake of ours.
    #[error("a write could not be built")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl WriteError {
    pub(crate) fn unavailable<E, R>(table: &'static str, source: SdkError<E, R>) -> Self
    where
        SdkError<E, R>: std::error::Error + Send + Sync + 'static,
    {
        Self::Unavailable { table, source: Box::new(source) }
    }

    /// Distinguishes a lost race from a failure. A transaction on the same rows by another writer shows up
    /// as `TransactionConflict`, a newer revision as `ConditionalCheckFailed`.
    pub(crate) fn of_transaction(
        table: &'static str,
        source: SdkError<TransactWriteItemsError>,
    ) -> Self {
        let lost = match source.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().iter().any(|reason| {
                    matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
                })
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => true,
            _ => false,
        };
        if lost { Self::Conflict } else { Self::unavailable(table, source) }
    }
}
