//! The access tokens that the identity service has given out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{clock::after, random::Random};

/// How long a token is good for (facts.md 2.1).
pub(crate) const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(30 * 60);

/// A token that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
    /// The authorisation that it comes from.
    pub(crate) authorised: Option<Uuid>,
    expires: Timestamp,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadToken {
    Missing,
    Expired(Timestamp),
}

/// The tokens given out; several may be live together (facts.md 2.1).
#[derive(Debug, Default)]
pub(crate) struct Tokens(BTreeMap<String, Token>);

impl Tokens {
    pub(crate) fn issue(
        &mut self,
        client: String,
        scopes: Vec<String>,
        authorised: Option<Uuid>,
        noise: &mut Random,
        now: Timestamp,
    ) -> String {
        let text = format!("sim.{}.{}", noise.uuid().simple(), noise.uuid().simple());
        let expires = after(now, TOKEN_LIFETIME);
        // Long dead ones are of no more use, even for saying that they are expired.
        self.0.retain(|_, token| after(token.expires, SignedDuration::from_hours(24)) > now);
        self.0.insert(text.clone(), Token { client, scopes, authorised, expires });
        text
    }

    /// The token behind an `Authorization: Bearer` header.
    pub(crate) fn check(&self, header: Option<&str>, now: Timestamp) -> Result<Token, BadToken> {
        let text =
            header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(BadToken::Missing)?;
        match self.0.get(text.trim()) {
            None => Err(BadToken::Missing),
            Some(token) if token.expires <= now => Err(BadToken::Expired(token.expires)),
            Some(token) => Ok(token.clone()),
        }
    }

    /// Makes the tokens of an authorisation expire now.
    pub(crate) fn revoke(&mut self, authorisation: Uuid, now: Timestamp) {
        let of_it = |token: &&mut Token| token.authorised == Some(authorisation);
        for token in self.0.values_mut().filter(of_it) {
            token.expires = token.expires.min(now);
        }
    }

    /// Makes every token expire now.
    pub(crate) fn revoke_all(&mut self, now: Timestamp) {
        for token in self.0.values_mut() {
            token.expires = token.expires.min(now);
        }
    }
}
