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
}

#[derive(Debug)]
struct Code {
    client: String,
    redirect: String,
    scopes: Vec<String>,
    organisations: Vec<Uuid>,
    expires: Timestamp,
}

#[derive(Debug)]
struct Authorisation {
    client: String,
    scopes: Vec<String>,
    organisations: Vec<Uuid>,
    revoked: bool,
}

#[derive(Debug)]
struct RefreshToken {
    of: Uuid,
    issued: Timestamp,
    replaced: Option<Timestamp>,
}

/// A pair of tokens is to be made for this.
#[derive(Debug)]
pub(crate) struct Authorised {
    pub(crate) id: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) organisations: Vec<Uuid>,
    pub(crate) refresh_token: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Authorisations {
    /// The addresses of the apps that may use the code flow.
    redirects: BTreeMap<String, Vec<String>>,
    codes: BTreeMap<String, Code>,
    given: BTreeMap<Uuid, Authorisation>,
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
        let Consent { client_id, redirect_uri, scopes, organisations } = consent;
        let redirects = self.redirects.entry(client_id.clone()).or_default();
        if !redirects.contains(&redirect_uri) {
            redirects.push(redirect_uri.clone());
        }
        let text = format!("code-{}", noise.uuid().simple());
        let expires = after(now, CODE_LIFETIME);
        let (client, redirect) = (client_id, redirect_uri);
        self.codes.insert(text.clone(), Code { client, redirect, scopes, organisations, expires });
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
        let Code { client, scopes, organisations, .. } = code;
        let given = Authorisation { client, scopes, organisations, revoked: false };
        self.given.insert(id, given);
        Ok(self.authorised(id, noise, now))
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
        let (scopes, organisations) = match self.given.get(&id) {
            Some(given) => (given.scopes.clone(), given.organisations.clone()),
            None => Default::default(),
        };
        let offline = scopes.iter().any(|scope| scope == OFFLINE);
        let refresh_token = offline.then(|| format!("refresh-{}", noise.uuid().simple()));
        if let Some(text) = &refresh_token {
            let token = RefreshToken { of: id, issued: now, replaced: None };
            self.tokens.insert(text.clone(), token);
        }
        Authorised { id, scopes, organisations, refresh_token }
    }

    pub(crate) fn revoke(&mut self, organisation: Uuid) -> Vec<Uuid> {
        let of_it = |given: &Authorisation| given.organisations.contains(&organisation);
        let mut revoked = Vec::new();
        for (id, given) in self.given.iter_mut().filter(|(_, given)| of_it(given)) {
            given.revoked = true;
            revoked.push(*id);
        }
        revoked
    }
}
