//! Why the function cannot start, and why an invocation failed.

use payments::{GrantId, InvoiceNumber, OrganisationId, PaymentId, RestoreError, WorkError};
use queue::{DeadLetterError, QueueName, SendError};

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
    /// There is nothing from which the payment could be brought back.
    #[error("payment {payment} was never deleted from invoice {invoice}")]
    NoTombstone {
        /// Which payment.
        payment: PaymentId,
        /// From which invoice.
        invoice: InvoiceNumber,
    },
    /// An organisation that is set up already is changed in its row of the table, not by signing up.
    #[error("organisation {0} is set up already: change its row of the table `organisations`")]
    SetUpAlready(OrganisationId),
    /// A precondition fails, so that nothing is switched on (CM-02).
    #[error("nothing is switched on for organisation {organisation}: {problem}")]
    NotReady {
        /// Which organisation.
        organisation: OrganisationId,
        /// Which precondition, and what is wrong.
        problem: String,
    },
    /// The discrepancy cannot be accepted.
    #[error("not accepted: {0}")]
    Discrepancy(WorkError),
    /// The payment cannot be brought back.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The approved invoices could not be put on the queue. They come back by themselves within the hour.
    #[error("approved, but not on the queue yet: {0}")]
    Queue(#[from] SendError),
    /// A message could not be put on its queue again. The messages before it are on the queue; it and the others
    /// are where they were.
    #[error("a message could not be put on its queue again; it is still where it was")]
    NotSent(#[source] SendError),
    /// A dead-letter queue does not answer.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// There is no such message, or it is hidden because another process looks at it.
    #[error(
        "there is no message {message} among the dead letters of `{queue}`, or not at this moment"
    )]
    NoSuchLetter {
        /// The message's id.
        message: String,
        /// Whose dead letters.
        queue: QueueName,
    },
    /// A custom connection has no users who grant anything.
    #[error(
        "we are let in by a custom connection: no user has to be asked (XERO_GRANTS_SECRET_PREFIX)"
    )]
    NoGrants,
    /// The state that came back with a code is none that was given out, or not any more.
    #[error(
        "this state was not given out, was used already, or is over: the code is not used; begin again \
         with `authorise`"
    )]
    NoVisit,
    /// There is nowhere to keep the tokens. Nothing has happened, and the code is still good.
    #[error(
        "there is no place for the tokens of grant {grant}; the code is not used yet: {problem}"
    )]
    NoPlace {
        /// Which grant.
        grant: GrantId,
        /// What the store of secrets said.
        problem: String,
    },
    /// Xero gave no tokens for the code.
    #[error("not connected: {problem}. Begin again with `authorise` and \"grant\": \"{grant}\"")]
    NotConnected {
        /// Which grant.
        grant: GrantId,
        /// Why.
        problem: String,
    },
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
