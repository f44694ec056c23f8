//! Calls the functions that carry out orders.

use std::time::Duration;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::order::Function;

/// How long a function is waited for. A sync may take minutes, and the person who pressed the button looks at a
/// page that does nothing meanwhile: after this, the page says that it goes on.
pub const WAIT_MAX: Duration = Duration::from_secs(20);
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
    Nobody,
}

/// Calls functions.
pub trait Invoker {
    /// Calls one and returns its answer. An implementation calls once and never again: an order may not be
    /// safe to repeat.
    ///
    /// # Errors
    /// [`InvokeError`].
    async fn invoke(&self, function: Function, event: &Value) -> Result<Value, InvokeError>;
}

/// Calls them through Lambda's API.
#[derive(Clone, Debug)]
pub struct LambdaInvoker {
    client: aws_sdk_lambda::Client,
    names: Names,
}

/// What the functions are called; none for those that must not be called.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The sweep.
    pub sweep: Option<String>,
    /// The upload.
    pub upload: Option<String>,
    /// Who announces decisions.
    pub announce: Option<String>,
}

impl LambdaInvoker {
    /// Calls the functions of these names.
    pub fn new(config: &host::SdkConfig, names: Names) -> Self {
        Self::over(aws_sdk_lambda::config::Builder::from(config), names)
    }

    /// The same over a configuration that says where Lambda is.
    pub fn over(config: aws_sdk_lambda::config::Builder, names: Names) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(WAIT_MAX)
            .operation_attempt_timeout(WAIT_MAX)
            .operation_timeout(WAIT_MAX)
            .build();
        let config = config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: aws_sdk_lambda::Client::from_conf(config), names }
    }
}

impl Invoker for LambdaInvoker {
    async fn invoke(&self, function: Function, event: &Value) -> Result<Value, InvokeError> {
        let name = match function {
            Function::Sweep => &self.names.sweep,
            Function::Upload => &self.names.upload,
            Function::Announce => &self.names.announce,
        };
        let name = name.as_ref().ok_or(InvokeError::Nobody)?;
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
