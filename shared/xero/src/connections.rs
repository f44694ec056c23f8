//! What a user has connected our app with (facts.md 2.2): the list, and the end of one of them.

use payments::OrganisationId;
use payments::grant::{Grants, Pairs};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Outage, ReadError};
use crate::failed_answer::{refusal, token_is_bad};

/// What the refusal of these calls names in the place of a scope: they need none.
const THE_LIST: &str = "the list of connections";

/// An organisation that a user has connected our app with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserConnection {
    /// Xero's id of the connection, which is another one than that of the organisation.
    pub id: Uuid,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConnection {
    id: Uuid,
    tenant_id: Uuid,
    tenant_type: String,
    #[serde(default)]
    tenant_name: Option<String>,
}

impl<B, G: Grants + Pairs> Client<B, G> {
    /// Everything that the user is connected with by whose grant we reach this organisation.
    ///
    /// # Errors
    /// Whenever that is not known afterwards.
    pub async fn connections(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<UserConnection>, ReadError> {
        let token = self.tokens.current(&self.http, organisation).await?;
        self.listed(token.header).await
    }

    /// Ends a connection, and no other one, in the name of the user by whose grant we reach this organisation. One
    /// that is not there has ended already.
    ///
    /// # Errors
    /// It is not known whether the connection has ended.
    pub async fn end_connection(
        &self,
        organisation: OrganisationId,
        connection: Uuid,
    ) -> Result<(), ReadError> {
        let mut url = self.connections_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&connection.to_string());
        }
        let request = |header| self.http.client().delete(url.clone()).header(AUTHORIZATION, header);
        let token = self.tokens.current(&self.http, organisation).await?;
        let mut answer = self.http.attempt(request(token.header.clone())).await?;
        if token_is_bad(&answer) {
            let token = self.tokens.instead_of(&self.http, organisation, &token).await?;
            answer = self.http.attempt(request(token.header)).await?;
        }
        match answer.status {
            200 | 204 | 404 => Ok(()),
            _ => Err(refusal(&answer, THE_LIST)),
        }
    }

    /// Takes back all that the user has given behind this refresh token: every connection of that user ends.
    ///
    /// # Errors
    /// It is not known whether it was taken back.
    pub async fn revoke(&self, refresh_token: &SecretString) -> Result<(), ReadError> {
        let form = [("token", refresh_token.expose_secret())];
        self.tokens.revoke(&self.http, &form).await
    }

    /// The list that a token shows.
    pub(crate) async fn listed(
        &self,
        token: HeaderValue,
    ) -> Result<Vec<UserConnection>, ReadError> {
        let request = self
            .http
            .client()
            .get(self.connections_url.clone())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, token);
        let answer = self.http.attempt(request).await?;
        if answer.status != 200 {
            return Err(refusal(&answer, THE_LIST));
        }
        let wire: Vec<WireConnection> =
            serde_json::from_slice(&answer.body).map_err(|_| Outage::Unreadable)?;
        let organisations = wire.into_iter().filter(|wire| wire.tenant_type == "ORGANISATION");
        let known = |wire: WireConnection| UserConnection {
            id: wire.id,
            organisation: OrganisationId::new(wire.tenant_id),
            name: wire.tenant_name.unwrap_or_else(|| wire.tenant_id.to_string()),
        };
        Ok(organisations.map(known).collect())
    }
}
