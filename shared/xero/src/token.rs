//! Access tokens. By client credentials (facts.md 2.1) they are got once, kept until shortly before they
//! expire, and never asked for by two at the same time; those of users' grants come from `user_tokens`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use payments::OrganisationId;
use payments::grant::{Grants, NoGrants, Pairs};
use tokio::sync::Mutex;
use url::Url;

use crate::error::{Outage, ReadError};
use crate::http::Http;
use crate::identity_service::{Asker, Credentials, Received, Token};
use crate::user_tokens::Granted;

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

    pub(crate) fn with_retry_pause(self, pause: Duration) -> Self {
        let grants = self.grants.map(|grants| grants.with_retry_pause(pause));
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

    /// Takes back what a refresh token stands for.
    pub(crate) async fn revoke(&self, http: &Http, form: &[(&str, &str)]) -> Result<(), ReadError> {
        let mut asker = self.app.asker().await;
        // InvoiceContext `connect/token`.
        asker.url = asker.url.join("revocation").map_err(|_| Outage::Unreadable)?;
        asker.post(http, form).await.map(|_| ())
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
