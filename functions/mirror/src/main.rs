//! Composition of the `mirror` function.

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use host::function::{Call, Error, Start, run};
use mirror::Mirror;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Mirror::from_env(&env, &aws, clock).await,
        async |mirror, call: Call<SqsEvent>| mirror.handle(call.event, call.deadline).await,
    )
    .await
}
