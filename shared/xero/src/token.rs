//! Access tokens. By client credentials (facts.md 2.1) they are got once, kept until shortly before they
//! expire, and never asked for by two at the same time; those of users' grants come from `user_tokens`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::grant::{Grants, NoGrants, Pair, Pairs};
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::error::{Outage, ReadError, Refusal};
use crate::http::{Failed, Http, HttpResponse};
use crate::limits::{LimitProblem, retry_after};
use crate::user_tokens::Granted;

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
    /// Which of the tokens that this process got, or of those of its grant.
    serial: u64,
    got_at: Timestamp,
    /// Not used from this moment on.
    ends_at: Timestamp,
}

impl Token {
    /// The one of a pair. `None` if it cannot be sent.
    pub(crate) fn of(pair: &Pair) -> Option<Self> {
        let ends_at = pair.access_until.checked_sub(EXPIRY_MARGIN).ok()?;
        let header = header(&pair.access_token)?;
        Some(Self { header, serial: pair.generation, got_at: pair.got_at, ends_at })
    }
}

/// Where tokens come from: from the grants, if there are any; else for the app's own credentials.
pub(crate) struct Tokens<G = NoGrants> {
    app: AppTokens,
    grants: Option<Granted<G>>,
}

impl Tokens {
    pub(crate) fn new(url: Url, scopes: String, credentials: Credentials) -> Self {
        Self { app: AppTokens::new(url, scopes, credentials), grants: None }
    }
}

impl<G> Tokens<G> {
    pub(crate) fn with_grants<H>(self, grants: Option<Granted<H>>) -> Tokens<H> {
        Tokens { app: self.app, grants }
    }

    pub(crate) fn looking_again_after(self, pause: Duration) -> Self {
        let grants = self.grants.map(|grants| grants.looking_again_after(pause));
        Self { app: self.app, grants }
    }

    /// The permissions that a token of our own is asked for.
    pub(crate) fn scopes(&self) -> &str {
        &self.app.scopes
    }

    /// Our app at Xero.
    pub(crate) async fn client_id(&self) -> String {
        self.app.state.lock().await.credentials.client_id.clone()
    }

    /// The stores of the grants, if there are any.
    pub(crate) fn stores(&self) -> Option<&G> {
        self.grants.as_ref().map(Granted::stores)
    }

    /// Takes other credentials. Returns whether they are other ones than before; if so, the
    /// current token is forgotten.
    pub(crate) async fn replace(&self, credentials: Credentials) -> bool {
        self.app.replace(credentials).await
    }

    /// Asks the identity service for what the form says, in the name of our app.
    pub(crate) async fn ask(
        &self,
        http: &Http,
        form: &[(&str, &str)],
    ) -> Result<Received, ReadError> {
        self.app.asker().await.ask(http, form).await
    }
}

impl<G: Grants + Pairs> Tokens<G> {
    /// The current token for an organisation, or a new one.
    pub(crate) async fn current(
        &self,
        http: &Http,
        organisation: OrganisationId,
    ) -> Result<Token, ReadError> {
        self.token(http, organisation, None).await
    }

    /// A token other than this one, which Xero refused.
    pub(crate) async fn instead_of(
        &self,
        http: &Http,
        organisation: OrganisationId,
        bad: &Token,
    ) -> Result<Token, ReadError> {
        self.token(http, organisation, Some(bad.serial)).await
    }

    async fn token(
        &self,
        http: &Http,
        organisation: OrganisationId,
        bad: Option<u64>,
    ) -> Result<Token, ReadError> {
        match &self.grants {
            None => self.app.token(http, bad).await,
            Some(grants) => {
                let asker = self.app.asker().await;
                // In a box: renewing is rare and a large future, which every call would carry otherwise.
                Box::pin(grants.token(http, &asker, organisation, bad)).await
            }
        }
    }
}

/// Gets tokens for the app's own credentials, and keeps the current one.
struct AppTokens {
    url: Url,
    scopes: String,
    state: Mutex<State>,
    /// How many requests for a token have ended. A caller that waited while one ran sees it move, and
    /// takes its outcome instead of asking again.
    ended: AtomicU64,
}

struct State {
    credentials: Credentials,
    token: Option<Token>,
    /// Why the last request brought no token.
    failure: Option<ReadError>,
}

impl AppTokens {
    fn new(url: Url, scopes: String, credentials: Credentials) -> Self {
        let state = State { credentials, token: None, failure: None };
        Self { url, scopes, state: Mutex::new(state), ended: AtomicU64::new(0) }
    }

    async fn replace(&self, credentials: Credentials) -> bool {
        let mut state = self.state.lock().await;
        if state.credentials.same_as(&credentials) {
            return false;
        }
        *state = State { credentials, token: None, failure: None };
        true
    }

    async fn asker(&self) -> Asker {
        Asker { url: self.url.clone(), credentials: self.state.lock().await.credentials.clone() }
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
        let asker = Asker { url: self.url.clone(), credentials: credentials.clone() };
        let received = asker.ask(http, &form).await?;
        received.token(serial).ok_or(Outage::Unreadable.into())
    }
}

/// The identity service, asked in the name of our app.
pub(crate) struct Asker {
    url: Url,
    credentials: Credentials,
}

impl Asker {
    /// Asks, and once more if the connection failed: also for a refresh, whose token works for half an hour
    /// after it was used (facts.md 2.2).
    pub(crate) async fn ask(
        &self,
        http: &Http,
        form: &[(&str, &str)],
    ) -> Result<Received, ReadError> {
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
        tracing::debug!(status = answer.status, "asked for an access token");
        match answer.status {
            200 => Received::read(&answer).ok_or(Outage::Unreadable.into()),
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

/// What the identity service gives.
pub(crate) struct Received {
    pub(crate) access_token: SecretString,
    /// Only for a user's authorisation.
    pub(crate) refresh_token: Option<SecretString>,
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
            got_at: answer.started_at,
            access_until: answer.started_at.checked_add(lifetime).ok()?,
        })
    }

    fn token(&self, serial: u64) -> Option<Token> {
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
