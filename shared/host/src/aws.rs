//! How the AWS SDK is set up, the same in every function.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// Longest wait for a connection. Inside AWS it takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest wait for one attempt, however long the operation may take: a call that takes longer
/// is lost, and a second one is quick.
const ATTEMPT_TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Pause before the first retry; the SDK doubles it each time and adds chance. Its own second is
/// too long for functions that have to answer within four.
const BACKOFF: Duration = Duration::from_millis(100);

/// The SDK's ordinary configuration, with timeouts such that no operation, its retries included,
/// takes longer than `operation_max`. An attempt gets half of that, so that there is a second one.
///
/// Credentials, region and endpoints come from the environment, as always: `AWS_ENDPOINT_URL`,
/// `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SQS` point the clients elsewhere.
pub async fn aws_config(operation_max: Duration) -> SdkConfig {
    let attempt = (operation_max / 2).min(ATTEMPT_TIMEOUT_MAX);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(attempt))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation_max)
        .build();
    // Pinned: what the SDK does by default changes only when this line does.
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_initial_backoff(BACKOFF))
        .timeout_config(timeouts)
        .load()
        .await
}
