//! One HTTP exchange: bounded in time and size, no redirects, and what went wrong in our words.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, redirect};

use crate::error::{Outage, ReadError};

/// Longest answer that is read, in bytes. Forty invoices without line items have about 100 KB;
/// this leaves room for thousands of payments and stays far below the memory of a function.
pub const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long it may take to get a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. A function may be frozen between two invocations, and
/// Xero then closes the connection unseen; an old one is not worth the failed request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

const USER_AGENT: &str = concat!("paymirror/", env!("CARGO_PKG_VERSION"));

/// Gives the time. Only the start of a program knows a real one.
pub(crate) type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes HTTP exchanges.
pub(crate) struct Http {
    client: reqwest::Client,
    clock: Clock,
}

/// An answer, with any status.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Empty if the status is not 200 and the body could not be read: the status says enough.
    pub(crate) body: Vec<u8>,
    /// When the request was started.
    pub(crate) started_at: Timestamp,
}

impl Http {
    /// A proxy out of the environment is never used: the client secret would pass through it.
    /// A client of plain addresses alone, as tests and the local stack have them, reads no root certificates of the
    /// machine: it trusts none, and an address with TLS fails.
    pub(crate) fn new(
        timeout: Duration,
        is_plain: bool,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder();
        let builder = if is_plain { builder.tls_certs_only([]) } else { builder };
        let client = builder
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self { client, clock })
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Sends a request: once. Whether it may be sent again, the caller knows.
    pub(crate) async fn attempt(&self, request: RequestBuilder) -> Result<HttpResponse, Failed> {
        let started_at = self.now();
        let mut response = request.send().await.map_err(|error| match outage(&error) {
            Outage::TimedOut => Failed::Otherwise(Outage::TimedOut.into()),
            outage => Failed::NoConnection(outage),
        })?;
        let status = response.status().as_u16();
        let body = match read(&mut response).await {
            Ok(body) => body,
            Err(_) if status != 200 => Vec::new(),
            Err(error) => return Err(Failed::Otherwise(error)),
        };
        Ok(HttpResponse {
            status,
            headers: std::mem::take(response.headers_mut()),
            body,
            started_at,
        })
    }
}

/// Why an attempt brought no answer.
pub(crate) enum Failed {
    /// Nothing of an answer arrived.
    NoConnection(Outage),
    /// It is of no use to try again at once.
    Otherwise(ReadError),
}

impl From<Failed> for ReadError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NoConnection(outage) => outage.into(),
            Failed::Otherwise(error) => error,
        }
    }
}

/// Reads the body as it arrives, and stops where it becomes too long.
async fn read(response: &mut Response) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| outage(&error))? {
        if body.len().saturating_add(chunk.len()) > RESPONSE_BYTES_MAX {
            return Err(ReadError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The library's error in our words. Its own text is dropped because it contains the address.
fn outage(error: &reqwest::Error) -> Outage {
    if error.is_timeout() {
        Outage::TimedOut
    } else if error.is_connect() {
        Outage::Connect
    } else {
        Outage::Cut
    }
}
