//! Composition of the `reconcile` function.

use std::time::Duration;

use host::function::{Call, Error, Start, run};
use reconcile::Reconciler;
use serde_json::Value;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Reconciler::from_env(&env, &aws, clock),
        async |reconciler, call: Call<Value>| {
            Box::pin(reconciler.answer(&call.event, call.deadline)).await
        },
    )
    .await
}
