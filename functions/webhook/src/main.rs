//! The webhook as a Lambda function.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use host::env::Environment;
use host::{clock, telemetry};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Environment::process();
    telemetry::init(&env)?;
    let webhook = Webhook::from_env(&env, clock::now()).await;
    let webhook = &webhook.inspect_err(|error| tracing::error!(%error, "not started"))?;
    lambda_runtime::run(service_fn(
        move |event: LambdaEvent<LambdaFunctionUrlRequest>| async move {
            Ok::<_, Error>(webhook.handle(&event.payload, clock::now()).await)
        },
    ))
    .await
}
