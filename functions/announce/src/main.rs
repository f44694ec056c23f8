//! Composition of the `announce` function.

use std::time::Duration;

use announce::Announcer;
use host::function::{Call, Error, Start, run};
use invoker::LambdaInvoker;
use serde_json::Value;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(10);
/// Longest wait for `operations`, which executes commands of the version before: as long as this function may take.
const OPERATIONS_MAX: Duration = Duration::from_secs(58);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| {
            let name = env.optional("OPERATIONS_FUNCTION")?;
            let operations = LambdaInvoker::new(&aws, name, OPERATIONS_MAX);
            Ok::<_, Error>((Announcer::from_env(&env, &aws, clock)?, operations))
        },
        async |(announcer, operations), call: Call<Value>| {
            Box::pin(announcer.answer(&call.event, operations)).await
        },
    )
    .await
}
