//! Composition of the functions `console`, `operate` and `administer`.

use std::time::Duration;

use console::Console;
use host::function::{Call, Error, Start, run};
use serde_json::Value;

/// Longest a call to DynamoDB may take, its retries included: a person looks at an empty page meanwhile.
const AWS_CALL_MAX: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| Console::from_env(&env, &aws, clock),
        async |console, call: Call<Value>| {
            Ok::<_, Error>(console.handle(&call.event, &call.invocation).await)
        },
    )
    .await
}
