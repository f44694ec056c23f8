//! Composition of the `announce` function.

use std::time::Duration;

use announce::Announcer;
use host::env::Environment;
use host::invoker::LambdaInvoker;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);
/// Longest wait for `operations`, which executes commands of the version before: as long as this function may take.
const OPERATIONS_MAX: Duration = Duration::from_secs(58);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let announcer = Announcer::from_env(&env, &aws, host::clock::Clock::system())?;
    let operations = LambdaInvoker::from_env(&env, &aws, OPERATIONS_MAX)?;
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        Ok::<_, Error>(Box::pin(announcer.answer(&event.payload, &operations)).await?)
    }))
    .await
}
