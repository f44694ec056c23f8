//! Why a command was not executed.

use commands::{Kind, RequestError};
use host::telemetry;
use payments::upload::CommandError;
use payments::{GrantId, InvoiceNumber, OrganisationId, PaymentId, RestoreError, WorkError};
use queue::{DeadLetterError, QueueName, SendError};

/// Why a command was not executed. Its steps before that stay, and are not done twice.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The event is no command.
    #[error("no command: {0}")]
    Request(#[from] RequestError),
    /// A field of a command makes no sense. The message quotes no values.
    #[error("`{0}` cannot be executed: {1}")]
    Field(Kind, String),
    /// The names that pages show are changed on a page.
    #[error("names are changed on the page Configure")]
    OnAPage,
    /// A sync has failed.
    #[error(transparent)]
    Sweep(#[from] sweep::HandleError),
    /// A plan could not be made, or invoices could not be asked for.
    #[error(transparent)]
    Upload(#[from] upload::HandleError),
    /// Days could not be closed.
    #[error(transparent)]
    Reconcile(#[from] reconcile::HandleError),
    /// The log could not be compared with its seals.
    #[error(transparent)]
    Verification(#[from] report::SealError),
    /// The function that makes reports could not be called.
    #[error("the report could not be ordered")]
    Report(#[from] invoker::InvokeError),
    /// The tables do not answer as they should.
    #[error("{0}")]
    Tables(String),
    /// There is no such payment in the upload ledger.
    #[error("there is no payment {0} in the upload ledger")]
    NoPayment(PaymentId),
    /// The state of the payment does not permit the order.
    #[error("the order is not possible")]
    Order(#[from] CommandError),
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
    /// In shadow nothing is changed (CM-30).
    #[error("organisation {0} is in shadow: no payment is changed until it is switched on")]
    InShadow(OrganisationId),
    /// Only an organisation in shadow is switched on.
    #[error("organisation {0} is not in shadow, or not set up here")]
    NotInShadow(OrganisationId),
    /// The discrepancy cannot be accepted.
    #[error("not accepted: {0}")]
    Accept(WorkError),
    /// The payment cannot be brought back.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The approved invoices could not be put on the queue. They come back by themselves within the hour.
    #[error("approved, but not on the queue yet: {0}")]
    Queue(SendError),
    /// `upload` could not be woken. The order is stored, and the next run obeys it.
    #[error("stored, but not on the queue yet: {0}")]
    NotWoken(SendError),
    /// A message could not be put on its queue again. The messages before it are on the queue; it and the others
    /// are where they were.
    #[error("a message could not be put on its queue again; it is still where it was")]
    NotSent(#[source] SendError),
    /// Nothing was announced, because the command could not be recorded.
    #[error("nothing was announced: {0}")]
    NotAnnounced(String),
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
    /// A custom connection is ended in Xero.
    #[error(
        "we are let in by a custom connection, which is ended in Xero alone: at developer.xero.com, My Apps, open the \
         app and disconnect it. Nothing was changed here"
    )]
    EndedInXero,
    /// There is no function `connect` to which a link could lead.
    #[error("the stack has no function `connect` (CONNECT_URL): say `redirect_uri`")]
    NoConnect,
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
}

pub(crate) fn tables(error: &dyn std::error::Error) -> ExecutionError {
    ExecutionError::Tables(telemetry::chain(error))
}
