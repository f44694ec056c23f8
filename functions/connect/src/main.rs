//! Composition of the `connect` function.

use std::time::Duration;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use connect::Connector;
use host::clock::Clock;
use host::env::Environment;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let connect = Connector::from_env(&env, &aws, Clock::system()).await?;
    run(service_fn(async |event: LambdaEvent<LambdaFunctionUrlRequest>| {
        Ok::<_, Error>(Box::pin(connect.handle(&event.payload)).await)
    }))
    .await
}
