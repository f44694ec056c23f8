//! Everything between the environment and the handler, so that the Lambda function and the local
//! stack run the same code.

use std::time::Duration;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use host::secrets::{Secret, SecretsManager};
use jiff::Timestamp;
use queue::{Changes, ChangesQueue};
use secrecy::SecretString;
use xero::WebhookKeys;

use crate::handler::{Handled, Unavailability, handle};
use crate::keys::{ActiveKeys, Keys};
use crate::refusals::Refusals;
use crate::report;

/// Longest time to an answer. Xero waits 5 seconds; the rest is for the way and for a
/// cold start. A delivery that is not done by then is answered 503 and comes again.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(3_500);
/// Longest time for one call to AWS with its retries: leaves time to say what went wrong.
pub const AWS_CALL_MAX: Duration = Duration::from_millis(3_000);

const QUEUE_URL: &str = "CHANGES_QUEUE_URL";
const KEYS: &str = "XERO_WEBHOOK_KEYS";
const SECRET_ARN: &str = "XERO_WEBHOOK_SECRET_ARN";

/// The function, ready to be called.
#[derive(Debug)]
pub struct Webhook<K = ActiveKeys, C = ChangesQueue> {
    keys: K,
    changes: C,
    metrics: Metrics,
    refusals: Refusals,
    answer_within: Duration,
}

impl Webhook {
    /// As the environment says. Keys in Secrets Manager are read at once, because a Lambda
    /// function has its full processor only while it starts; failing that, they are read with
    /// the first request.
    ///
    /// # Errors
    ///
    /// When a variable is missing or unusable.
    pub async fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        now: Timestamp,
    ) -> Result<Self, EnvError> {
        let url = env.url(QUEUE_URL, None)?;
        let fixed = env.list(KEYS)?;
        let arn = env.optional(SECRET_ARN)?;
        let metrics = Metrics::from_env(env, "webhook")?;
        let keys = match (fixed.is_empty(), arn) {
            (false, Some(_)) => {
                return Err(EnvError::new(
                    KEYS,
                    "and XERO_WEBHOOK_SECRET_ARN must not both be set",
                ));
            }
            (true, None) => {
                return Err(EnvError::new(KEYS, "or XERO_WEBHOOK_SECRET_ARN must be set"));
            }
            (false, None) => {
                let keys = fixed.into_iter().map(SecretString::from).collect();
                ActiveKeys::Fixed(WebhookKeys::new(keys))
            }
            (true, Some(arn)) => ActiveKeys::Stored(Secret::stored(SecretsManager::new(aws), arn)),
        };
        if let Err(error) = keys.current(now).await {
            tracing::warn!(error = %error, "starting without signing keys");
        }
        let queue = ChangesQueue::new(aws_sdk_sqs::Client::new(aws), url.into());
        Ok(Self::new(keys, queue, metrics))
    }
}

impl<K: Keys, C: Changes> Webhook<K, C> {
    /// Of these parts.
    pub fn new(keys: K, changes: C, metrics: Metrics) -> Self {
        Self { keys, changes, metrics, refusals: Refusals::default(), answer_within: ANSWER_WITHIN }
    }

    /// With another limit than [`ANSWER_WITHIN`].
    #[must_use]
    pub fn answering_within(mut self, limit: Duration) -> Self {
        self.answer_within = limit;
        self
    }

    /// Answers one request. Never fails: every failure is an answer, too.
    pub async fn handle(
        &self,
        request: &LambdaFunctionUrlRequest,
        now: Timestamp,
    ) -> LambdaFunctionUrlResponse {
        let case = handle(request, &self.keys, &self.changes, now);
        let handled = tokio::time::timeout(self.answer_within, case)
            .await
            .unwrap_or_else(|_| Handled::trouble(Unavailability::Late, 0));
        if let Some(refused) = self.refusals.of(handled.answer, now) {
            report::log(&handled, refused);
            self.metrics.report(now, &report::numbers(&handled, refused));
        }
        handled.answer.response()
    }
}
