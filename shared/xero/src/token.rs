//! Access tokens by client credentials (xero.md 2.1): got once, kept until shortly before they
//! expire, and never asked for by two at the same time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::error::{Outage, ReadError, Refusal};
use crate::http::{Answer, Failed, Http};
use crate::limits::{LimitProblem, retry_after};

/// How long before its end a token is no longer used: longer than a request can take.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Longest lifetime we believe. Xero's is 30 minutes.
const LIFETIME_SECONDS_MAX: u32 = 24 * 60 * 60;

/// What the identity service knows us by.
#[derive(Clone)]
pub struct Credentials {
    /// The id of our app at Xero.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

impl Credentials {
    fn same_as(&self, other: &Self) -> bool {
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
    /// Which of the tokens that this process got.
    serial: u64,
    got_at: Timestamp,
    /// Not used from this moment on.
    ends_at: Timestamp,
}

/// Gets tokens and keeps the current one.
pub(crate) struct Tokens {
    url: Url,
    scopes: String,
    state: Mutex<State>,
    /// How many requests for a token have ended. Whoever waited while one ran sees it move, and
    /// takes its outcome instead of asking again.
    ended: AtomicU64,
}

struct State {
    credentials: Credentials,
    token: Option<Token>,
    /// Why the last request brought no token.
    failure: Option<ReadError>,
}

impl Tokens {
    pub(crate) fn new(url: Url, scopes: String, credentials: Credentials) -> Self {
        let state = State { credentials, token: None, failure: None };
        Self { url, scopes, state: Mutex::new(state), ended: AtomicU64::new(0) }
    }

    /// Takes other credentials. Returns whether they are other ones than before; if so, the
    /// current token is forgotten.
    pub(crate) async fn replace(&self, credentials: Credentials) -> bool {
        let mut state = self.state.lock().await;
        if state.credentials.same_as(&credentials) {
            return false;
        }
        *state = State { credentials, token: None, failure: None };
        true
    }

    /// The current token, or a new one.
    pub(crate) async fn current(&self, http: &Http) -> Result<Token, ReadError> {
        self.token(http, None).await
    }

    /// A token other than this one, which Xero refused.
    pub(crate) async fn instead_of(&self, http: &Http, bad: &Token) -> Result<Token, ReadError> {
        self.token(http, Some(bad.serial)).await
    }

    async fn token(&self, http: &Http, bad: Option<u64>) -> Result<Token, ReadError> {
        let ended_before = self.ended.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        let now = http.now();
        if let Some(token) = &state.token
            && bad != Some(token.serial)
            && token.got_at <= now
            && now < token.ends_at
        {
            return Ok(token.clone());
        }
        let serial = self.ended.load(Ordering::SeqCst);
        if let Some(failure) = state.failure
            && serial != ended_before
        {
            return Err(failure);
        }
        let outcome = self.ask(http, &state.credentials, serial).await;
        self.ended.store(serial.wrapping_add(1), Ordering::SeqCst);
        state.token = outcome.as_ref().ok().cloned();
        state.failure = outcome.as_ref().err().copied();
        outcome
    }

    async fn ask(
        &self,
        http: &Http,
        credentials: &Credentials,
        serial: u64,
    ) -> Result<Token, ReadError> {
        let mut form = vec![("grant_type", "client_credentials")];
        if !self.scopes.is_empty() {
            form.push(("scope", self.scopes.as_str()));
        }
        let request = http
            .client()
            .post(self.url.clone())
            .header(ACCEPT, "application/json")
            .basic_auth(&credentials.client_id, Some(credentials.client_secret.expose_secret()))
            .form(&form);
        let again = request.try_clone();
        // Calls to the identity service do not count against the limits of the API.
        let answer = match (http.attempt(request).await, again) {
            (Err(Failed::NoConnection(_)), Some(again)) => http.attempt(again).await?,
            (answer, _) => answer?,
        };
        tracing::debug!(status = answer.status, "asked for an access token");
        match answer.status {
            200 => read_token(&answer, serial).ok_or(Outage::Unreadable.into()),
            429 => Err(ReadError::Limited {
                problem: LimitProblem::read(&answer.headers),
                after: retry_after(&answer.headers),
            }),
            400..=499 => Err(ReadError::NotAuthorised(Refusal::Client(problem(&answer.body)))),
            status => Err(ReadError::Unavailable {
                cause: Outage::Status(status),
                after: retry_after(&answer.headers),
            }),
        }
    }
}

#[derive(Deserialize)]
struct WireToken {
    access_token: String,
    /// Seconds. Without it the token serves the call at hand and is not kept.
    #[serde(default)]
    expires_in: u32,
}

#[derive(Deserialize)]
struct WireRefusal {
    error: String,
}

fn read_token(answer: &Answer, serial: u64) -> Option<Token> {
    let wire: WireToken = serde_json::from_slice(&answer.body).ok()?;
    let token = wire.access_token;
    // Anything else could not be sent, or would be more than one header.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    let lifetime = SignedDuration::from_secs(wire.expires_in.min(LIFETIME_SECONDS_MAX).into());
    let ends_at = answer.started_at.checked_add(lifetime).ok()?;
    let ends_at = ends_at.checked_sub(EXPIRY_MARGIN).ok()?;
    Some(Token { header, serial, got_at: answer.started_at, ends_at })
}

/// OAuth's word for the refusal, if it is one of the known ones. All of them are permanent.
fn problem(body: &[u8]) -> &'static str {
    let known = [
        "invalid_client",
        "invalid_grant",
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
