//! The webhook as a Lambda function.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use host::clock;
use host::function::{Call, Error, Start, run};
use webhook::{AWS_CALL_MAX, Webhook};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Webhook::from_env(&env, &aws, clock.now()).await,
        async |webhook, call: Call<LambdaFunctionUrlRequest>| {
            Ok::<_, Error>(webhook.handle(&call.event, clock::now()).await)
        },
    )
    .await
}
