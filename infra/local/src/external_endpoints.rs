//! Parts that live elsewhere: the variables that point to them, the same as when deployed.

use anyhow::{Context as _, ensure};
use host::env::Environment;
use url::Url;

/// Points to another DynamoDB; the AWS SDK's own name.
pub const DYNAMODB_URL: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// Points to another SQS; the AWS SDK's own name.
pub const SQS_URL: &str = "AWS_ENDPOINT_URL_SQS";
/// Points to another S3; the AWS SDK's own name.
pub const S3_URL: &str = "AWS_ENDPOINT_URL_S3";
/// Points to Xero's Accounting API.
pub const XERO_API_URL: &str = "XERO_API_URL";
/// Points to Xero's identity service.
pub const XERO_IDENTITY_URL: &str = "XERO_IDENTITY_URL";

/// How Xero, or what stands in for it, is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Xero {
    /// The Accounting API, without `/api.xro/2.0`.
    pub api_url: String,
    /// The identity service, without `/connect/token`.
    pub identity_url: String,
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// The organisation.
    pub tenant_id: String,
    /// The keys that deliveries are signed with.
    pub webhook_keys: Vec<String>,
}

/// What lives elsewhere; everything else is started here.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Elsewhere {
    /// Address of another DynamoDB.
    pub dynamodb_url: Option<String>,
    /// Address of another SQS.
    pub sqs_url: Option<String>,
    /// Address of another S3.
    pub s3_url: Option<String>,
    /// Another Xero, so no simulator.
    pub xero: Option<Xero>,
}

impl Elsewhere {
    /// What the environment points to.
    ///
    /// # Errors
    ///
    /// Xero is pointed to, but something that is needed to reach it is missing, or an address is
    /// none; the message names the variable.
    pub fn from_env(env: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            dynamodb_url: address(env, DYNAMODB_URL)?,
            sqs_url: address(env, SQS_URL)?,
            s3_url: address(env, S3_URL)?,
            xero: Xero::from_env(env)?,
        })
    }
}

impl Xero {
    fn from_env(env: &Environment) -> anyhow::Result<Option<Self>> {
        let (api_url, identity_url) =
            match (address(env, XERO_API_URL)?, address(env, XERO_IDENTITY_URL)?) {
                (None, None) => return Ok(None),
                (api, identity) => (
                    api.with_context(|| format!("{XERO_API_URL} is not set"))?,
                    identity.with_context(|| format!("{XERO_IDENTITY_URL} is not set"))?,
                ),
            };
        let webhook_keys = env.list("XERO_WEBHOOK_KEYS")?;
        ensure!(!webhook_keys.is_empty(), "environment variable XERO_WEBHOOK_KEYS must be set");
        Ok(Some(Self {
            api_url,
            identity_url,
            client_id: env.required("XERO_CLIENT_ID")?,
            client_secret: env.required("XERO_CLIENT_SECRET")?,
            tenant_id: env.required("XERO_TENANT_ID")?,
            webhook_keys,
        }))
    }
}

fn address(env: &Environment, name: &str) -> anyhow::Result<Option<String>> {
    if env.optional(name)?.is_none() {
        return Ok(None);
    }
    let url = env.url(name, None)?;
    Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
}

/// Whether tables and queues may be made at `url` where they are missing: everywhere but in AWS
/// itself, where they come from the template.
#[must_use]
pub fn may_create(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| !host.contains("amazonaws.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_means_everything_here() {
        let nothing: [(&str, &str); 0] = [];

        let elsewhere = Elsewhere::from_env(&Environment::given(nothing)).expect("it is complete");

        assert_eq!(elsewhere, Elsewhere::default());
    }

    #[test]
    fn half_a_xero_is_refused_by_name() {
        let env = Environment::given([
            (XERO_API_URL, "https://api.xero.com"),
            (XERO_IDENTITY_URL, "https://identity.xero.com"),
            ("XERO_WEBHOOK_KEYS", "one,two"),
            ("XERO_CLIENT_ID", "id"),
        ]);

        let error = Elsewhere::from_env(&env).expect_err("there is no secret");

        assert!(error.to_string().contains("XERO_CLIENT_SECRET"), "{error}");
    }

    #[test]
    fn nothing_is_made_in_aws_itself() {
        assert!(may_create("http://127.0.0.1:4566"));
        assert!(!may_create("https://dynamodb.ap-southeast-2.amazonaws.com"));
        assert!(!may_create("not an address"));
    }
}
