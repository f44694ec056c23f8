//! Composition of the `intake` function.

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use host::env::Environment;
use intake::Intake;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let intake = Intake::from_env(&env, &aws, host::clock::Clock::system()).await?;
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let deadline = Timestamp::from_millisecond(event.context.deadline.try_into()?)?;
        Ok::<_, Error>(intake.handle(event.payload, deadline).await?)
    }))
    .await
}
