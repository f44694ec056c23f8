//! How a user connects us with organisations (facts.md 2.2): the address to which the user is sent, and the exchange
//! of the code that comes back.

use payments::GrantId;
use payments::grant::{Grant, GrantError, Grants, Pair, Pairs};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::client::Client;
use crate::connections::UserConnection;
use crate::error::{Outage, ReadError};
use crate::identity_service::header;
use crate::user_tokens::store_failed;

/// Where users log in.
pub const LOGIN_URL: &str = "https://login.xero.com/identity/connect/authorize";
/// The permission to go on while the user is away: without it there is no second token.
pub const SCOPE_OFFLINE: &str = "offline_access";

/// What came of a user's authorisation.
#[derive(Clone, Debug)]
pub struct Consented {
    /// The grant, with the organisations and the permissions that it has now.
    pub grant: Grant,
    /// What the user is connected with, by Xero's names.
    pub connections: Vec<UserConnection>,
}

/// Why a user's authorisation came to nothing. The user has to be asked again.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Xero does not take the code, or did not answer.
    #[error("Xero gave no tokens")]
    Xero(#[from] ReadError),
    /// Grants are not what this client is let in by.
    #[error("this client has no grants")]
    NoGrants,
    /// The grant is being renewed at this moment. Nothing was done; the code may still be good.
    #[error("the grant is being renewed at this moment")]
    Busy,
    /// The user has chosen no organisation, or the authorisation would end with the visit.
    #[error("the authorisation is for no organisation, or without {SCOPE_OFFLINE}")]
    Nothing,
}

impl<B, G: Grants + Pairs> Client<B, G> {
    /// The address to which a user is sent, to allow us what this client asks for, or `scopes`. The user comes
    /// back to `redirect`, with a code and with `state`, by which the visit is known again: to be compared
    /// before the code is used.
    pub async fn authorise_url(
        &self,
        login: &Url,
        redirect: &Url,
        state: &str,
        scopes: Option<&str>,
    ) -> Url {
        let mut url = login.clone();
        let scopes = format!("{SCOPE_OFFLINE} {}", scopes.unwrap_or(self.tokens.scopes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.tokens.client_id().await)
            .append_pair("redirect_uri", redirect.as_str())
            .append_pair("scope", scopes.trim_end())
            .append_pair("state", state);
        url
    }

    /// Makes a grant of the code that a user has brought back, or brings a dead one back to life. All of
    /// its organisations have the new tokens together.
    ///
    /// # Errors
    /// [`ConnectError`]. The code is used up, but for `NoGrants` and `Busy`.
    pub async fn connect(
        &self,
        grant: GrantId,
        code: &SecretString,
        redirect: &Url,
    ) -> Result<Consented, ConnectError> {
        let stores = self.tokens.stores().ok_or(ConnectError::NoGrants)?;
        let before = stores.grant(grant).await.map_err(of_store)?;
        let now = self.http.now();
        let leased = before.lease_for_writing(now).ok_or(ConnectError::Busy)?;
        let leased = stores.store_grant(&before, leased, now).await.map_err(of_store)?;
        match self.authorised(stores, &leased, code, redirect).await {
            Ok(Consented { grant, connections }) => {
                let stored = stores.store_grant(&leased, grant, now).await;
                Ok(Consented { grant: stored.map_err(of_store)?, connections })
            }
            Err(error) => {
                if let Err(error) = stores.store_grant(&leased, leased.released(), now).await {
                    tracing::warn!(%grant, error = %error, "the lease of a grant was not ended");
                }
                Err(error)
            }
        }
    }

    async fn authorised(
        &self,
        stores: &G,
        grant: &Grant,
        code: &SecretString,
        redirect: &Url,
    ) -> Result<Consented, ConnectError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect.as_str()),
        ];
        let mut received = self.tokens.ask(&self.http, &form).await?;
        let token =
            header(&received.access_token).ok_or(Outage::Unreadable).map_err(ReadError::from)?;
        let connections = self.listed(token).await?;
        let refresh_token = received.refresh_token.take().filter(|_| !connections.is_empty());
        let stored = stores.generation(grant.id).await.map_err(of_store)?;
        let generation = stored.max(grant.generation);
        let pair = Pair {
            generation: generation.saturating_add(1),
            access_token: received.access_token,
            access_until: received.access_until,
            got_at: received.got_at,
            refresh_token: refresh_token.ok_or(ConnectError::Nothing)?,
        };
        stores.store_pair(grant.id, &pair).await.map_err(of_store)?;
        let organisations = connections.iter().map(|known| known.organisation).collect();
        let scopes = received.scopes.into_iter().filter(|scope| scope != SCOPE_OFFLINE).collect();
        let grant = Grant { scopes, ..grant.authorised(&pair, organisations) };
        Ok(Consented { grant, connections })
    }
}

fn of_store(error: GrantError) -> ConnectError {
    match error {
        GrantError::Changed => ConnectError::Busy,
        error @ GrantError::Unavailable(_) => ConnectError::Xero(store_failed(&error)),
    }
}
