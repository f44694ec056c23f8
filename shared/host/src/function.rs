//! The start of a function's process, and each call of it: what every `main` does.

use std::time::Duration;

use jiff::Timestamp;
pub use lambda_runtime::Error;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::env::Environment;
use crate::invocation::Invocation;
use crate::{SdkConfig, telemetry};

/// What a function is put together from.
#[derive(Debug)]
pub struct Start {
    /// The variables of the process.
    pub env: Environment,
    /// The configuration of the AWS SDK.
    pub aws: SdkConfig,
    /// The clock of this machine.
    pub clock: Clock,
}

/// One call of a function.
#[derive(Debug)]
pub struct Call<E> {
    /// What it is called with.
    pub event: E,
    /// When it has to be over.
    pub deadline: Timestamp,
    /// What Lambda says of the call.
    pub invocation: Invocation,
}

impl<E> Call<E> {
    fn of(event: LambdaEvent<E>) -> Result<Self, Error> {
        let LambdaEvent { payload, context, .. } = event;
        Ok(Self {
            event: payload,
            deadline: Timestamp::from_millisecond(context.deadline.try_into()?)?,
            invocation: Invocation::of(&context),
        })
    }
}

/// Starts logging, puts a function together, and answers Lambda's calls until Lambda ends the process. A call of AWS,
/// its retries included, takes `aws_call_max` at most.
///
/// # Errors
/// When the function cannot be put together, or Lambda's runtime does not answer.
pub async fn run<F, E, A, S, H>(
    aws_call_max: Duration,
    start: impl AsyncFnOnce(Start) -> Result<F, S>,
    handle: impl AsyncFn(&F, Call<E>) -> Result<A, H>,
) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    S: Into<Error>,
    H: Into<Error>,
{
    let env = Environment::process();
    telemetry::init(&env)?;
    let aws = crate::aws_config(aws_call_max).await;
    let started = start(Start { env, aws, clock: Clock::system() }).await.map_err(Into::into);
    let function = started.inspect_err(|error| tracing::error!(%error, "not started"))?;
    let (function, handle) = (&function, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        handle(function, Call::of(event)?).await.map_err(Into::into)
    }))
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_deadline_and_its_id() {
        let mut context = lambda_runtime::Context::default();
        context.deadline = 1_791_171_685_123;
        context.request_id = "5e1c".to_owned();
        let call = Call::of(LambdaEvent::new(7_u8, context)).unwrap();
        assert_eq!(call.event, 7);
        assert_eq!(call.deadline.to_string(), "2026-10-05T03:41:25.123Z");
        assert_eq!(call.invocation.request_id, "5e1c");
    }
}
