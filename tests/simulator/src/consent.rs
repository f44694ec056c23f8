//! A user consents: by the simulator's controls, or at the address that a browser would open.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Response, header},
};
use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use crate::{
    Simulator,
    authorisation::{Consent, OFFLINE},
    consent_page,
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

    /// The calls to the identity service, by method and route, in their order.
    #[must_use]
    pub fn identity_calls(&self) -> Vec<String> {
        self.with(|world, _| world.identity_calls.iter().map(|call| (*call).to_owned()).collect())
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

/// `GET /identity/connect/authorize`: a browser is shown the page on which a user chooses. For any other caller, a new
/// user agrees at once for all organisations. Either way the browser is sent back with the code, and with the state
/// as it came.
pub(crate) async fn authorize(
    State(simulator): State<Simulator>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let query = Query::parse(&query.unwrap_or_default());
    let accepts = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    let is_browser = accepts.is_some_and(|kinds| kinds.contains("text/html"));
    let reply = simulator.with(|world, now| {
        world.identity_calls.push("GET /identity/connect/authorize");
        let asked = Asked::read(world, &query)?;
        if is_browser {
            return Ok(consent_page::page(world, &asked));
        }
        let organisations = world.organisations_of(&asked.client_id);
        asked.agreed(world, None, organisations, now)
    });
    unless_wrong(reply).into_response()
}

/// Xero shows an error page, and sends the user nowhere.
pub(crate) fn unless_wrong(reply: anyhow::Result<Reply>) -> Reply {
    reply.unwrap_or_else(|problem| Reply::text(400, &format!("unauthorized: {problem}")))
}

/// The question that an app sends a user with.
pub(crate) struct Asked {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
}

impl Asked {
    pub(crate) fn read(world: &World, query: &Query) -> anyhow::Result<Self> {
        let value = |name: &str| {
            let value = query.value(name).map(str::to_owned);
            value.ok_or_else(|| anyhow::anyhow!("{name} is missing"))
        };
        anyhow::ensure!(value("response_type")? == "code", "response_type is not code");
        let asked = Self {
            client_id: value("client_id")?,
            redirect_uri: value("redirect_uri")?,
            scope: value("scope")?,
            state: query.value("state").map(str::to_owned),
        };
        let known = world.clients.iter().any(|client| client.id == asked.client_id);
        anyhow::ensure!(known, "there is no app {}", asked.client_id);
        Url::parse(&asked.redirect_uri)?;
        Ok(asked)
    }

    /// The user allows it for these organisations.
    pub(crate) fn agreed(
        &self,
        world: &mut World,
        user: Option<String>,
        organisations: Vec<Uuid>,
        now: Timestamp,
    ) -> anyhow::Result<Reply> {
        let consent = Consent {
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scope.split_whitespace().map(str::to_owned).collect(),
            organisations,
            user,
        };
        let code = consented(world, consent, now)?;
        self.back(("code", &code))
    }

    /// The browser goes back, with this and the state.
    pub(crate) fn back(&self, (name, value): (&str, &str)) -> anyhow::Result<Reply> {
        let mut address = Url::parse(&self.redirect_uri)?;
        address.query_pairs_mut().append_pair(name, value);
        if let Some(state) = &self.state {
            address.query_pairs_mut().append_pair("state", state);
        }
        let mut reply = Reply::text(302, "");
        reply.headers.push(("Location".to_owned(), address.into()));
        Ok(reply)
    }
}
