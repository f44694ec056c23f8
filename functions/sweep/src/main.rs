//! Composition of the `sweep` function.

use std::time::Duration;

use host::env::Environment;
use host::invoker::LambdaInvoker;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sweep::Sweeper;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(15);
/// Longest wait for `operations`, which executes commands of the version before: its own time-out.
const OPERATIONS_MAX: Duration = Duration::from_secs(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let sweeper = Sweeper::from_env(&env, &aws, host::clock::Clock::system()).await?;
    let operations = LambdaInvoker::from_env(&env, &aws, OPERATIONS_MAX)?;
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let deadline = Timestamp::from_millisecond(event.context.deadline.try_into()?)?;
        Ok::<_, Error>(sweeper.answer(&event.payload, deadline, &operations).await?)
    }))
    .await
}
