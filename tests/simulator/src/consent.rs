//! A user consents: by the simulator's controls, or at the address that a browser would open.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::Response,
};
use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use crate::{
    Simulator,
    authorisation::{Consent, OFFLINE},
    query::Query,
    reply::Reply,
    world::World,
};

/// Users, and what they allow.
impl Simulator {
    /// A user allows an app what it asks for. Returns the code that the user's browser would bring
    /// back, good for five minutes and once.
    ///
    /// # Errors
    ///
    /// When there is no such app, or it may not have one of the scopes or organisations.
    pub fn consent(&self, consent: Consent) -> anyhow::Result<String> {
        self.with(|world, now| consented(world, consent, now))
    }

    /// The user who has authorised is removed from this organisation, or disconnects the app: everything
    /// that was authorised for it ends at once.
    pub fn revoke_authorisations(&self, organisation: Uuid) {
        self.with(|world, now| {
            for id in world.authorisations.revoke(organisation) {
                world.tokens.revoke(id, now);
            }
        });
    }

    /// How many pairs of tokens were given for a refresh token.
    #[must_use]
    pub fn refreshes(&self) -> u32 {
        self.with(|world, _| world.authorisations.refreshed)
    }
}

fn consented(world: &mut World, consent: Consent, now: Timestamp) -> anyhow::Result<String> {
    let client = world.clients.iter().find(|client| client.id == consent.client_id);
    let Some(client) = client else {
        anyhow::bail!("there is no app {}", consent.client_id);
    };
    let allowed = |scope: &String| scope == OFFLINE || client.scopes.contains(scope);
    anyhow::ensure!(consent.scopes.iter().all(allowed), "the app may not have one of the scopes");
    let known = world.organisations_of(&consent.client_id);
    let are_known = consent.organisations.iter().all(|id| known.contains(id));
    anyhow::ensure!(are_known, "the app cannot be connected to one of the organisations");
    let World { authorisations, noise, .. } = world;
    Ok(authorisations.consent(consent, noise, now))
}

/// `GET /identity/connect/authorize`: the user agrees at once, for all organisations, and the browser is
/// sent back with the code and with the state as it came.
pub(crate) async fn authorize(
    State(simulator): State<Simulator>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let query = Query::parse(&query.unwrap_or_default());
    let reply = simulator.with(|world, now| agreed(world, &query, now));
    reply
        .unwrap_or_else(|problem| Reply::text(400, &format!("unauthorized: {problem}")))
        .into_response()
}

fn agreed(world: &mut World, query: &Query, now: Timestamp) -> anyhow::Result<Reply> {
    let value = |name: &str| {
        query.value(name).ok_or_else(|| anyhow::anyhow!("{name} is missing")).map(str::to_owned)
    };
    anyhow::ensure!(value("response_type")? == "code", "response_type is not code");
    let consent = Consent {
        client_id: value("client_id")?,
        redirect_uri: value("redirect_uri")?,
        scopes: value("scope")?.split_whitespace().map(str::to_owned).collect(),
        organisations: world.organisations_of(&value("client_id")?),
    };
    let mut address = Url::parse(&consent.redirect_uri)?;
    let code = consented(world, consent, now)?;
    address.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = query.value("state") {
        address.query_pairs_mut().append_pair("state", state);
    }
    let mut reply = Reply::text(302, "");
    reply.headers.push(("Location".to_owned(), address.into()));
    Ok(reply)
}
