//! Composition of the `sweep` function.

use std::time::Duration;

use host::function::{Call, Error, Start, run};
use invoker::LambdaInvoker;
use serde_json::Value;
use sweep::Sweeper;

/// Longest a call to AWS may take, its retries included.
const AWS_CALL_MAX: Duration = Duration::from_secs(15);
/// Longest wait for `operations`, which executes commands of the version before: its own time-out.
const OPERATIONS_MAX: Duration = Duration::from_secs(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(
        AWS_CALL_MAX,
        async |Start { env, aws, clock }| {
            let name = env.optional("OPERATIONS_FUNCTION")?;
            let operations = LambdaInvoker::new(&aws, name, OPERATIONS_MAX);
            Ok::<_, Error>((Sweeper::from_env(&env, &aws, clock).await?, operations))
        },
        async |(sweeper, operations), call: Call<Value>| {
            sweeper.answer(&call.event, call.deadline, operations).await
        },
    )
    .await
}
