//! Composition of the `intake` function.

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use host::function::{Call, Error, Start, run};
use intake::Intake;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Intake::from_env(&env, &aws, clock).await,
        async |intake, call: Call<SqsEvent>| {
            // On the heap: the compiler works out nested futures as one, and gives up at some depth.
            Box::pin(intake.handle(call.event, call.deadline)).await
        },
    )
    .await
}
