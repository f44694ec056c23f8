//! Composition of the functions `console`, `operate` and `administer`.

use std::time::Duration;

use console::Console;
use host::env::Environment;
use host::invocation::Invocation;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

/// Longest a call to DynamoDB may take, its retries included: a person looks at an empty page meanwhile.
const AWS_CALL_MAX: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    host::telemetry::init(&env)?;
    let aws = host::aws_config(AWS_CALL_MAX).await;
    let console = Console::from_env(&env, &aws, host::clock::Clock::system())?;
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let invocation = Invocation::of(&event.context);
        Ok::<_, Error>(console.handle(&event.payload, &invocation).await)
    }))
    .await
}
