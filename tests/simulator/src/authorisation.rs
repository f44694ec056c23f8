//! What users allow an app: authorisations, the codes that stand for them, and the refresh tokens that
//! keep them alive (facts.md 2.2).
//!
//! A refresh token that was replaced works for half an hour more. Xero does not say what becomes of the one
//! that it was replaced by, when it is used within that time: here that one is replaced, too.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use crate::{clock::after, random::Random};

/// How long a code is good for; and only once.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long a refresh token is good for that is not used.
const UNUSED_LIFETIME: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long one is good for that was used.
const GRACE: SignedDuration = SignedDuration::from_mins(30);
/// The scope without which there is no refresh token.
pub(crate) const OFFLINE: &str = "offline_access";

/// What a user consents to, in the place of a browser.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The app that asks.
    pub client_id: String,
    /// Where the code is sent to. It becomes one of the app's own addresses.
    pub redirect_uri: String,
    /// What it asks for, `offline_access` among it if the authorisation is to last.
    pub scopes: Vec<String>,
    /// The organisations that the user chooses.
    pub organisations: Vec<Uuid>,
    /// The user. Without one, it is a user who has never consented before.
    #[serde(default)]
    pub user: Option<String>,
}

#[derive(Debug)]
struct Code {
    client: String,
    user: String,
    redirect: String,
    scopes: Vec<String>,
    organisations: Vec<Uuid>,
    expires: Timestamp,
}

#[derive(Debug)]
struct Authorisation {
    client: String,
    user: String,
    scopes: Vec<String>,
    revoked: bool,
}

/// An app may reach an organisation in the name of a user. Xero keeps one for each of the three, whatever number of
/// times the user consents.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) id: Uuid,
    pub(crate) organisation: Uuid,
    /// The consent by which it was made or renewed last.
    pub(crate) event: Uuid,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    client: String,
    user: String,
}

#[derive(Debug)]
struct RefreshToken {
    of: Uuid,
    issued: Timestamp,
    replaced: Option<Timestamp>,
}

impl Connection {
    /// The one of a custom connection, which was authorised once and for all.
    pub(crate) fn of_app(organisation: Uuid, since: Timestamp) -> Self {
        Self {
            // Any id will do as long as it stays the same.
            id: Uuid::from_u128(!organisation.as_u128()),
            organisation,
            event: Uuid::from_u128(1),
            created: since,
            updated: since,
            client: String::new(),
            user: String::new(),
        }
    }
}

/// A pair of tokens is to be made for this.
#[derive(Debug)]
pub(crate) struct Authorised {
    pub(crate) id: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) refresh_token: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Authorisations {
    /// The addresses of the apps that may use the code flow.
    redirects: BTreeMap<String, Vec<String>>,
    codes: BTreeMap<String, Code>,
    given: BTreeMap<Uuid, Authorisation>,
    connections: Vec<Connection>,
    tokens: BTreeMap<String, RefreshToken>,
    pub(crate) refreshed: u32,
}

impl Authorisations {
    pub(crate) fn has_redirect(&self, client: &str) -> bool {
        self.redirects.contains_key(client)
    }

    pub(crate) fn consent(
        &mut self,
        consent: Consent,
        noise: &mut Random,
        now: Timestamp,
    ) -> String {
        let Consent { client_id, redirect_uri, scopes, organisations, user } = consent;
        let user = user.unwrap_or_else(|| noise.uuid().to_string());
        let redirects = self.redirects.entry(client_id.clone()).or_default();
        if !redirects.contains(&redirect_uri) {
            redirects.push(redirect_uri.clone());
        }
        let text = format!("code-{}", noise.uuid().simple());
        let expires = after(now, CODE_LIFETIME);
        let (client, redirect) = (client_id, redirect_uri);
        let code = Code { client, user, redirect, scopes, organisations, expires };
        self.codes.insert(text.clone(), code);
        text
    }

    /// Exchanges a code for the first pair. An attempt uses the code up, even in vain.
    pub(crate) fn exchange(
        &mut self,
        client: &str,
        code: &str,
        redirect: &str,
        noise: &mut Random,
        now: Timestamp,
    ) -> Result<Authorised, &'static str> {
        let code = self.codes.remove(code).ok_or("invalid_grant")?;
        if code.client != client || code.redirect != redirect || code.expires <= now {
            return Err("invalid_grant");
        }
        let id = noise.uuid();
        let Code { client, user, scopes, organisations, .. } = code;
        for organisation in organisations {
            self.connected(&client, &user, organisation, id, noise, now);
        }
        self.given.insert(id, Authorisation { client, user, scopes, revoked: false });
        Ok(self.authorised(id, noise, now))
    }

    /// Makes a connection, or renews the one that is there.
    fn connected(
        &mut self,
        client: &str,
        user: &str,
        organisation: Uuid,
        event: Uuid,
        noise: &mut Random,
        now: Timestamp,
    ) {
        let same = |known: &&mut Connection| {
            known.client == client && known.user == user && known.organisation == organisation
        };
        if let Some(known) = self.connections.iter_mut().find(same) {
            (known.event, known.updated) = (event, now);
            return;
        }
        let (client, user) = (client.to_owned(), user.to_owned());
        let id = noise.uuid();
        let made = Connection { id, organisation, event, created: now, updated: now, client, user };
        self.connections.push(made);
    }

    /// What the user behind an authorisation has connected the app with, by any consent.
    pub(crate) fn connections(&self, authorisation: Uuid) -> Vec<Connection> {
        let Some(given) = self.given.get(&authorisation) else { return Vec::new() };
        let of_user =
            |known: &&Connection| known.client == given.client && known.user == given.user;
        self.connections.iter().filter(of_user).cloned().collect()
    }

    /// Ends one connection, and no other one. Says whether the user behind the authorisation had it.
    pub(crate) fn disconnect(&mut self, authorisation: Uuid, connection: Uuid) -> bool {
        let is_theirs = self.connections(authorisation).iter().any(|known| known.id == connection);
        if is_theirs {
            self.connections.retain(|known| known.id != connection);
        }
        is_theirs
    }

    /// Takes a refresh token back: the user behind it has no connection with the app any more, by any consent.
    /// Returns the authorisations that end. An unknown token ends none, and is no error (RFC 7009, 2.2).
    pub(crate) fn take_back(&mut self, client: &str, token: &str) -> Vec<Uuid> {
        let of = self.tokens.get(token).and_then(|token| self.given.get(&token.of));
        let Some(user) = of.filter(|given| given.client == client).map(|of| of.user.clone()) else {
            return Vec::new();
        };
        self.connections.retain(|known| known.client != client || known.user != user);
        let mut ended = Vec::new();
        for (id, given) in &mut self.given {
            if given.client == client && given.user == user {
                given.revoked = true;
                ended.push(*id);
            }
        }
        ended
    }

    /// A refresh token for the next pair.
    pub(crate) fn refresh(
        &mut self,
        client: &str,
        token: &str,
        noise: &mut Random,
        now: Timestamp,
    ) -> Result<Authorised, &'static str> {
        let known = self.tokens.get(token).ok_or("invalid_grant")?;
        let ends = match known.replaced {
            Some(replaced) => after(replaced, GRACE),
            None => after(known.issued, UNUSED_LIFETIME),
        };
        let id = known.of;
        let given = self.given.get(&id).ok_or("invalid_grant")?;
        if given.client != client || given.revoked || ends <= now {
            return Err("invalid_grant");
        }
        for token in self.tokens.values_mut().filter(|token| token.of == id) {
            token.replaced = token.replaced.or(Some(now));
        }
        self.refreshed += 1;
        Ok(self.authorised(id, noise, now))
    }

    fn authorised(&mut self, id: Uuid, noise: &mut Random, now: Timestamp) -> Authorised {
        let scopes = self.given.get(&id).map(|given| given.scopes.clone()).unwrap_or_default();
        let offline = scopes.iter().any(|scope| scope == OFFLINE);
        let refresh_token = offline.then(|| format!("refresh-{}", noise.uuid().simple()));
        if let Some(text) = &refresh_token {
            let token = RefreshToken { of: id, issued: now, replaced: None };
            self.tokens.insert(text.clone(), token);
        }
        Authorised { id, scopes, refresh_token }
    }

    pub(crate) fn revoke(&mut self, organisation: Uuid) -> Vec<Uuid> {
        let of_it = self.connections.iter().filter(|known| known.organisation == organisation);
        let users: Vec<_> = of_it.map(|known| (known.client.clone(), known.user.clone())).collect();
        let is_of = |client: &str, user: &str| {
            users.iter().any(|(of, who)| (of.as_str(), who.as_str()) == (client, user))
        };
        self.connections.retain(|known| !is_of(&known.client, &known.user));
        let mut revoked = Vec::new();
        for (id, given) in &mut self.given {
            if is_of(&given.client, &given.user) {
                given.revoked = true;
                revoked.push(*id);
            }
        }
        revoked
    }
}
