//! Xero's identity service, asked in the name of our app, and the tokens that it gives.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use payments::grant::Pair;
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::error::{AccessRefusal, Outage, ReadError};
use crate::http::{Failed, Http, HttpResponse};
use crate::limit_problem::LimitProblem;
use crate::limits::retry_after;

/// How long before its end a token is no longer used: longer than a request can take.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Longest lifetime we believe. Xero's is 30 minutes.
const LIFETIME_SECONDS_MAX: u32 = 24 * 60 * 60;

/// What the identity service says of a code or a refresh token that is not good, or not any more.
pub(crate) const INVALID_GRANT: &str = "invalid_grant";

/// What the identity service knows us by.
#[derive(Clone)]
pub struct Credentials {
    /// The id of our app at Xero.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

impl Credentials {
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// A token, ready to be sent.
#[derive(Clone)]
pub(crate) struct Token {
    /// `Bearer …`, marked as secret.
    pub(crate) header: HeaderValue,
    /// Which of the tokens that this process got, or of those of its grant.
    pub(crate) serial: u64,
    pub(crate) got_at: Timestamp,
    /// Not used from this moment on.
    pub(crate) ends_at: Timestamp,
}

impl Token {
    /// The one of a pair. `None` if it cannot be sent.
    pub(crate) fn of(pair: &Pair) -> Option<Self> {
        let ends_at = pair.access_until.checked_sub(EXPIRY_MARGIN).ok()?;
        let header = header(&pair.access_token)?;
        Some(Self { header, serial: pair.generation, got_at: pair.got_at, ends_at })
    }
}

/// The identity service, asked in the name of our app.
pub(crate) struct Asker {
    pub(crate) url: Url,
    pub(crate) credentials: Credentials,
}

impl Asker {
    /// Asks, and once more if the connection failed: also for a refresh, whose token works for half an hour
    /// after it was used (facts.md 2.2).
    pub(crate) async fn ask(
        &self,
        http: &Http,
        form: &[(&str, &str)],
    ) -> Result<Received, ReadError> {
        let answer = self.post(http, form).await?;
        Received::read(&answer).ok_or(Outage::Unreadable.into())
    }

    /// The same for an answer without tokens.
    pub(crate) async fn post(
        &self,
        http: &Http,
        form: &[(&str, &str)],
    ) -> Result<HttpResponse, ReadError> {
        let Credentials { client_id, client_secret } = &self.credentials;
        let request = http
            .client()
            .post(self.url.clone())
            .header(ACCEPT, "application/json")
            .basic_auth(client_id, Some(client_secret.expose_secret()))
            .form(form);
        let again = request.try_clone();
        // Calls to the identity service do not count against the limits of the API.
        let answer = match (http.attempt(request).await, again) {
            (Err(Failed::NoConnection(_)), Some(again)) => http.attempt(again).await?,
            (answer, _) => answer?,
        };
        tracing::debug!(status = answer.status, "asked the identity service");
        match answer.status {
            200 => Ok(answer),
            429 => Err(ReadError::Limited {
                problem: LimitProblem::read(&answer.headers),
                after: retry_after(&answer.headers),
            }),
            400..=499 => {
                Err(ReadError::NotAuthorised(AccessRefusal::Client(problem(&answer.body))))
            }
            status => Err(ReadError::Unavailable {
                cause: Outage::Status(status),
                after: retry_after(&answer.headers),
            }),
        }
    }
}

/// What the identity service gives.
pub(crate) struct Received {
    pub(crate) access_token: SecretString,
    /// Only for a user's authorisation.
    pub(crate) refresh_token: Option<SecretString>,
    /// The permissions that it was given for.
    pub(crate) scopes: Vec<String>,
    pub(crate) got_at: Timestamp,
    pub(crate) access_until: Timestamp,
}

impl Received {
    fn read(answer: &HttpResponse) -> Option<Self> {
        let wire: WireToken = serde_json::from_slice(&answer.body).ok()?;
        let access_token = SecretString::from(wire.access_token);
        header(&access_token)?;
        let lifetime = SignedDuration::from_secs(wire.expires_in.min(LIFETIME_SECONDS_MAX).into());
        Some(Self {
            access_token,
            refresh_token: wire
                .refresh_token
                .filter(|text| !text.is_empty())
                .map(SecretString::from),
            scopes: wire.scope.split_whitespace().map(str::to_owned).collect(),
            got_at: answer.started_at,
            access_until: answer.started_at.checked_add(lifetime).ok()?,
        })
    }

    pub(crate) fn token(&self, serial: u64) -> Option<Token> {
        let ends_at = self.access_until.checked_sub(EXPIRY_MARGIN).ok()?;
        Some(Token { header: header(&self.access_token)?, serial, got_at: self.got_at, ends_at })
    }
}

#[derive(Deserialize)]
struct WireToken {
    access_token: String,
    /// Seconds. Without it the token serves the call at hand and is not kept.
    #[serde(default)]
    expires_in: u32,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct WireRefusal {
    error: String,
}

/// `Bearer …`. `None` for anything that could not be sent, or would be more than one header.
pub(crate) fn header(token: &SecretString) -> Option<HeaderValue> {
    let token = token.expose_secret();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// OAuth's word for the refusal, if it is one of the known ones. All of them are permanent.
fn problem(body: &[u8]) -> &'static str {
    let known = [
        "invalid_client",
        INVALID_GRANT,
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    ];
    let given: Option<WireRefusal> = serde_json::from_slice(body).ok();
    given
        .and_then(|given| known.into_iter().find(|word| *word == given.error))
        .unwrap_or("an unknown refusal")
}
