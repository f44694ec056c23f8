#![doc = include_str!("../README.md")]

use std::time::Duration;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;

/// Longest wait for a connection. Inside AWS it takes milliseconds.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function is still at work, and goes on.
    #[error("it is still at work, and goes on by itself")]
    StillRunning,
    /// The function said no, or failed: its own words.
    #[error("{0}")]
    Failed(String),
    /// It could not be called.
    #[error("the function could not be called")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This function has no other to call: its role orders nothing.
    #[error("this function calls no other")]
    NoFunction,
}

/// Calls one function.
pub trait Invoker {
    /// Calls it and returns its answer. An implementation calls once and never again: a command may not be
    /// safe to repeat.
    ///
    /// # Errors
    /// [`InvokeError`].
    async fn invoke(&self, event: &Value) -> Result<Value, InvokeError>;
}

/// Calls it through Lambda's API.
#[derive(Clone, Debug)]
pub struct LambdaInvoker {
    client: aws_sdk_lambda::Client,
    /// The function's name; `None` if it must not be called.
    name: Option<String>,
}

impl LambdaInvoker {
    /// Calls the function of this name, if there is one, and waits so long for its answer. The configuration, such as
    /// that of the process, says where Lambda is.
    pub fn new(config: impl Into<Builder>, name: Option<String>, wait: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(wait)
            .operation_attempt_timeout(wait)
            .operation_timeout(wait)
            .build();
        let config =
            config.into().retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: aws_sdk_lambda::Client::from_conf(config), name }
    }
}

impl LambdaInvoker {
    /// Has it do something, and does not wait for it: Lambda keeps the event, and calls the function.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn start(&self, event: &Value) -> Result<(), InvokeError> {
        let name = self.name.as_ref().ok_or(InvokeError::NoFunction)?;
        let request =
            self.client.invoke().function_name(name).invocation_type(InvocationType::Event);
        let answer = request.payload(Blob::new(event.to_string())).send().await;
        answer.map(|_| ()).map_err(|error| InvokeError::Unavailable(Box::new(error)))
    }
}

impl Invoker for LambdaInvoker {
    async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        let name = self.name.as_ref().ok_or(InvokeError::NoFunction)?;
        let request = self.client.invoke().function_name(name);
        let answer = request.payload(Blob::new(event.to_string())).send().await;
        let answer = answer.map_err(|error| match error {
            aws_sdk_lambda::error::SdkError::TimeoutError(_) => InvokeError::StillRunning,
            // The time for the read is the same as that for the whole, and either may be over first.
            aws_sdk_lambda::error::SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                InvokeError::StillRunning
            }
            error => InvokeError::Unavailable(Box::new(error)),
        })?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let said: Value = serde_json::from_slice(&payload)
            .map_err(|error| InvokeError::Unavailable(Box::new(error)))?;
        match answer.function_error {
            None => Ok(said),
            Some(_) => {
                let message = said.get("errorMessage").and_then(Value::as_str);
                Err(InvokeError::Failed(message.unwrap_or("it failed without a word").to_owned()))
            }
        }
    }
}
