//! The ordinary SDK clients, pointed at an engine.

use std::sync::LazyLock;

use archive::Archive;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use host::env::Environment;

use crate::{
    engines::{self, queues::REGION},
    lambda::stream::StreamWriter,
};

/// User name and password of everything local; the engines take any.
pub const ACCESS_KEY: &str = "local";

/// Clients for the two engines.
#[derive(Clone, Debug)]
pub struct Clients {
    /// For the tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For the queues.
    pub sqs: aws_sdk_sqs::Client,
}

/// Client for the bucket of reports at this address.
pub(crate) async fn archive_at(url: &str) -> Archive {
    let config = config(&[url]).await;
    let s3 = aws_sdk_s3::config::Builder::from(&config).endpoint_url(url).force_path_style(true);
    Archive::new(aws_sdk_s3::Client::from_conf(s3.build()), engines::s3::REPORTS)
}

impl Clients {
    /// Clients for the engines at these addresses.
    ///
    /// Credentials and region are taken from the environment only where it has them: the embedded
    /// engines need none, and a profile that is half set up must not be in the way.
    pub async fn new(dynamodb_url: &str, sqs_url: &str) -> Self {
        let config = config(&[dynamodb_url, sqs_url]).await;
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(dynamodb_url);
        let sqs = aws_sdk_sqs::config::Builder::from(&config)
            .endpoint_url(sqs_url)
            .interceptor(crate::lineage::Traced);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
        }
    }

    /// The same clients, whose rows of the log go into a stream as well.
    pub(crate) fn streamed(self, stream: StreamWriter) -> Self {
        let config = self.dynamodb.config().to_builder().interceptor(stream).build();
        Self { dynamodb: aws_sdk_dynamodb::Client::from_conf(config), ..self }
    }
}

/// Where Lambda is, for those who call functions.
pub(crate) async fn lambda_at(url: &str) -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::from(&config(&[url]).await).endpoint_url(url)
}

/// The configuration for services at these addresses.
async fn config(urls: &[&str]) -> SdkConfig {
    let behavior = BehaviorVersion::v2026_01_12();
    let process = Environment::process();
    if process.optional("AWS_ACCESS_KEY_ID").is_ok_and(|key| key.is_some()) {
        let loaded = aws_config::defaults(behavior).load().await;
        let region = loaded.region().cloned().unwrap_or(Region::from_static(REGION));
        return loaded.into_builder().region(region).build();
    }
    let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local");
    // The engines of this machine speak no TLS, so that no certificates need to be read.
    static HTTP: LazyLock<SharedHttpClient> =
        LazyLock::new(|| aws_smithy_http_client::Builder::new().build_http());
    let config = SdkConfig::builder()
        .behavior_version(behavior)
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    let plain = urls.iter().all(|url| url.starts_with("http://"));
    if plain { config.http_client(HTTP.clone()).build() } else { config.build() }
}
