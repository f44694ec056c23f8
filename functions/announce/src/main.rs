//! Composition of the `announce` function.

use std::time::Duration;

use announce::Announcer;
use host::function::{Call, Error, Start, run};
use serde_json::Value;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Announcer::from_env(&env, &aws, clock),
        async |announcer, call: Call<Value>| {
            Box::pin(announcer.answer(&call.event, call.deadline)).await
        },
    )
    .await
}
