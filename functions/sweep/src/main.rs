//! Composition of the `sweep` function.

use std::time::Duration;

use host::function::{Call, Error, Start, run};
use serde_json::Value;
use sweep::Sweeper;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Sweeper::from_env(&env, &aws, clock).await,
        async |sweeper, call: Call<Value>| sweeper.handle(&call.event, call.deadline).await,
    )
    .await
}
