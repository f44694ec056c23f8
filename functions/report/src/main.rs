//! Composition of the `report` function.

use std::time::Duration;

use host::function::{Call, Error, Start, run};
use report::Reporter;
use serde_json::Value;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Reporter::from_env(&env, &aws, clock),
        async |reportr, call: Call<Value>| {
            Box::pin(reportr.handle(&call.event, call.deadline)).await
        },
    )
    .await
}
