//! Xero's identity service: tokens by client credentials, by a user's authorisation and by refreshing;
//! and the list of connections.

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, Response, Uri, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    Simulator,
    authorisation::{Authorised, Connection, OFFLINE},
    connection::Scissors,
    faults,
    query::Query,
    reply::Reply,
    tokens::{BadToken, TOKEN_LIFETIME, Token},
    world::World,
};

/// `POST /connect/token`.
pub(crate) async fn token(
    State(simulator): State<Simulator>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let effects = simulator.with(|world, _| {
        world.identity_calls.push("POST /connect/token");
        world.faults.take("POST", "/connect/token")
    });
    let act = || {
        simulator.with(|world, now| match grant(world, &headers, &body, now) {
            Ok(body) => Reply::raw_json(200, body),
            Err(error) => Reply::raw_json(400, json!({ "error": error }).to_string()),
        })
    };
    faults::carry_out(&effects, act).await.finish(&scissors).await
}

/// Gives a token, or one of the errors seen in the field (facts.md 2.1).
fn grant(
    world: &mut World,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<String, &'static str> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_form = text(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let body = std::str::from_utf8(body).map_err(|_| "invalid_request")?;
    if !is_form {
        return Err("invalid_request");
    }
    let form = Query::parse(body);
    let (id, secret) = text(header::AUTHORIZATION).and_then(basic).ok_or("invalid_client")?;
    if id.is_empty() {
        return Err("invalid_request");
    }
    let clients = world.clients.iter();
    let client = clients
        .into_iter()
        .find(|client| client.id == id && client.secret == secret)
        .ok_or("invalid_client")?;
    match form.value("grant_type") {
        Some("client_credentials") => {}
        Some("authorization_code" | "refresh_token") if !world.authorisations.has_redirect(&id) => {
            return Err("unauthorized_client");
        }
        Some("authorization_code") => {
            let code = form.value("code").ok_or("invalid_request")?;
            let redirect = form.value("redirect_uri").ok_or("invalid_request")?;
            let World { authorisations, noise, .. } = world;
            let authorised = authorisations.exchange(&id, code, redirect, noise, now)?;
            return Ok(pair(world, id, authorised, now));
        }
        Some("refresh_token") => {
            let token = form.value("refresh_token").ok_or("invalid_request")?;
            let World { authorisations, noise, .. } = world;
            let authorised = authorisations.refresh(&id, token, noise, now)?;
            return Ok(pair(world, id, authorised, now));
        }
        Some(_) => return Err("unsupported_grant_type"),
        None => return Err("invalid_request"),
    }
    let scopes: Vec<String> = match form.value("scope") {
        Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
        None => client.scopes.clone(),
    };
    if !scopes.iter().all(|scope| client.scopes.contains(scope)) {
        return Err("invalid_scope");
    }
    let scope = scopes.join(" ");
    let client = client.id.clone();
    let token = world.tokens.issue(client, scopes, None, &mut world.noise, now);
    Ok(json!({
        "access_token": token,
        "expires_in": TOKEN_LIFETIME.as_secs(),
        "token_type": "Bearer",
        "scope": scope,
    })
    .to_string())
}

/// A token of an authorisation, and the one to refresh it with if that was asked for.
fn pair(world: &mut World, client: String, authorised: Authorised, now: Timestamp) -> String {
    let Authorised { id, scopes, refresh_token } = authorised;
    let scope = scopes.join(" ");
    let scopes = scopes.into_iter().filter(|scope| scope != OFFLINE).collect();
    let token = world.tokens.issue(client, scopes, Some(id), &mut world.noise, now);
    let mut answer = json!({
        "access_token": token,
        "expires_in": TOKEN_LIFETIME.as_secs(),
        "token_type": "Bearer",
        "scope": scope,
    });
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = refresh_token.into();
    }
    answer.to_string()
}

/// User name and password of an `Authorization: Basic` header.
fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// `GET /connections`.
pub(crate) async fn connections(
    State(simulator): State<Simulator>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    let effects = simulator.with(|world, _| {
        world.identity_calls.push("GET /connections");
        world.faults.take("GET", "/connections")
    });
    let act = || {
        simulator.with(|world, now| {
            let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            match world.tokens.check(header, now) {
                Ok(token) => Reply::raw_json(200, connected(world, &token, &uri)),
                Err(bad) => Reply::raw_json(401, unauthorized(bad, world)),
            }
        })
    };
    faults::carry_out(&effects, act).await.finish(&scissors).await
}

/// The connections of a token: id, and the rest as Xero shows it.
fn connections_of(world: &World, token: &Token) -> Vec<Connection> {
    match token.authorised {
        Some(authorisation) => {
            let known = world.authorisations.connections(authorisation).into_iter();
            let shown = world.organisations_of_token(token);
            known.filter(|known| shown.contains(&known.organisation)).collect()
        }
        None => {
            let organisations = world.organisations_of_token(token).into_iter();
            let organisations = organisations.filter_map(|id| world.books.organisations.get(&id));
            organisations.map(|of| Connection::of_app(of.id, of.created)).collect()
        }
    }
}

/// The list of connections, with the names that the organisations have now.
fn connected(world: &World, token: &Token, uri: &Uri) -> String {
    let query = Query::parse(uri.query().unwrap_or_default());
    let asked = query.value("authEventId");
    let moment = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S%.7f").to_string();
    let connections: Vec<_> = connections_of(world, token)
        .into_iter()
        .filter(|known| asked.is_none_or(|id| id == known.event.to_string()))
        .map(|known| {
            let organisation = world.books.organisations.get(&known.organisation);
            json!({
                "id": known.id,
                "authEventId": known.event,
                "tenantId": known.organisation,
                "tenantType": "ORGANISATION",
                "tenantName": organisation.map(|of| of.name.as_str()),
                "createdDateUtc": moment(known.created),
                "updatedDateUtc": moment(known.updated),
            })
        })
        .collect();
    json!(connections).to_string()
}

/// `DELETE /connections/{id}`: this connection ends, and no other one (facts.md 2.2).
pub(crate) async fn disconnect(
    State(simulator): State<Simulator>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let effects = simulator.with(|world, _| world.faults.take("DELETE", "/connections"));
    let act = || {
        simulator.with(|world, now| {
            world.identity_calls.push("DELETE /connections/{id}");
            let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = match world.tokens.check(header, now) {
                Ok(token) => token,
                Err(bad) => return Reply::raw_json(401, unauthorized(bad, world)),
            };
            let ended = token.authorised.is_some_and(|authorisation| {
                let id = Uuid::parse_str(&id).unwrap_or_default();
                world.authorisations.disconnect(authorisation, id)
            });
            if ended { Reply::text(204, "") } else { Reply::not_found() }
        })
    };
    faults::carry_out(&effects, act).await.finish(&scissors).await
}

/// `POST /connect/revocation`: 200 for every token, known or not (RFC 7009, 2.2).
pub(crate) async fn revoke(
    State(simulator): State<Simulator>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let effects = simulator.with(|world, _| world.faults.take("POST", "/connect/revocation"));
    let act = || {
        simulator.with(|world, now| {
            world.identity_calls.push("POST /connect/revocation");
            let basic_header = headers.get(header::AUTHORIZATION);
            let given = basic_header.and_then(|value| value.to_str().ok()).and_then(basic);
            let known = |(id, secret): &(String, String)| {
                world.clients.iter().any(|client| client.id == *id && client.secret == *secret)
            };
            let Some((client, _)) = given.filter(known) else {
                return Reply::raw_json(400, json!({ "error": "invalid_client" }).to_string());
            };
            let form = Query::parse(std::str::from_utf8(&body).unwrap_or_default());
            let Some(token) = form.value("token") else {
                return Reply::raw_json(400, json!({ "error": "invalid_request" }).to_string());
            };
            for ended in world.authorisations.take_back(&client, token) {
                world.tokens.revoke(ended, now);
            }
            Reply::text(200, "")
        })
    };
    faults::carry_out(&effects, act).await.finish(&scissors).await
}

/// The body of a 401, as captured in the field (facts.md 2.2).
pub(crate) fn unauthorized(bad: BadToken, world: &mut World) -> String {
    let detail = match bad {
        BadToken::Expired(at) => {
            format!("TokenExpired: token expired at {}", at.strftime("%m/%d/%Y %H:%M:%S"))
        }
        BadToken::Missing => "AuthenticationUnsuccessful".to_owned(),
    };
    problem(401, "Unauthorized", &detail, world)
}

/// The body of a refusal that comes before the Accounting API is reached.
pub(crate) fn problem(status: u16, title: &str, detail: &str, world: &mut World) -> String {
    json!({
        "Type": null,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": world.noise.uuid(),
        "Extensions": {},
    })
    .to_string()
}
