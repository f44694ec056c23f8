//! Calling a function as `aws lambda invoke` does.

use anyhow::{Context as _, ensure};
use reqwest::Client;
use serde_json::Value;

use crate::{Stack, lambda::Function};

/// Calls a function through the Invoke API.
///
/// # Errors
///
/// It does not answer, or fails.
pub(super) async fn invoke(
    stack: &Stack,
    http: &Client,
    function: Function,
    event: &Value,
) -> anyhow::Result<Value> {
    let (url, name) = (stack.invoke_url(), function.name());
    let url = format!("{url}/2015-03-31/functions/{name}/invocations");
    let answer = http.post(url).body(event.to_string()).send().await;
    let answer = answer.context("the Invoke API does not answer")?;
    let failed = answer.headers().contains_key("x-amz-function-error");
    let text = answer.error_for_status()?.text().await?;
    ensure!(!failed, "{name} failed: {text}");
    Ok(serde_json::from_str(&text)?)
}
