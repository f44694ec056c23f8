//! Composition of the `reconcile` function.

use std::time::Duration;

use host::env::Environment;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile::Reconciler;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let reconciler = Reconciler::from_env(&env, &aws, host::clock::Clock::system())?;
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let deadline = Timestamp::from_millisecond(event.context.deadline.try_into()?)?;
        Ok::<_, Error>(Box::pin(reconciler.handle(&event.payload, deadline)).await?)
    }))
    .await
}
