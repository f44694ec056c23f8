//! Grants: what a user of Xero has allowed our app to do, for one or more organisations, and who
//! may renew it when.
//!
//! Xero gives a pair of tokens: one to call with, for half an hour, and one to get the next pair with. Each
//! pair replaces the one before, whose second token is good for [`GRACE`] more, in case that the answer with
//! the new one was lost. So a pair that is not kept is the end of the connection, half an hour later.
//!
//! That is why only one process at a time renews a grant, by a [`Grant::lease`]; and why the new pair is in
//! the store of secrets, under its generation, before it is used and before the grant's row says so. A
//! process that dies in between leaves a pair that no row names, and the old one, which still works.

use std::collections::BTreeSet;
use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::ids::{GrantId, OrganisationId};
use crate::reason::codes;

/// How long the second token of a replaced pair goes on working (facts.md 2.2).
pub const GRACE: SignedDuration = SignedDuration::from_mins(30);
/// How long a pair lives that is not renewed (facts.md 2.2).
pub const UNUSED_MAX: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long one may take to renew a grant: two calls to the identity service, and two to the store of
/// secrets. It is short compared with [`GRACE`], since a process may die with the lease.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// A token to call with is not used so shortly before its end: longer than a call takes.
pub const ACCESS_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// When operators are warned that an unused grant dies: so many days before, and again.
pub const WARNING_DAYS: [u32; 3] = [14, 7, 1];

/// The pause after a first failure, which doubles with each further one.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest of them: of [`GRACE`], several tries remain.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// After so many doublings it is longer than that.
const DOUBLINGS_MAX: u32 = 6;

codes! {
    /// Why a grant is dead: only a user of Xero can bring it back.
    GrantEnd {
        /// Xero does not know the token any more: it was revoked, not used for 60 days, or replaced too
        /// long ago.
        InvalidGrant = "invalid_grant",
        /// A person has taken back every token, since some may have leaked (XC-30).
        Leaked = "leaked",
        /// The store has no secret for it.
        SecretMissing = "secret_missing",
    }
    /// What a message to operators about a grant says.
    GrantMessage {
        /// It is dead, and nothing reaches Xero until a user authorises again.
        Lost = "CONNECTION_LOST",
        /// It will die if nothing uses it.
        Expires = "CONNECTION_EXPIRES",
    }
}

/// A pair of tokens. It shows neither of them, however it is printed (N9).
#[derive(Clone, Debug)]
pub struct Pair {
    /// Which of the pairs of its grant, counted from 1.
    pub generation: u64,
    /// What calls are made with.
    pub access_token: SecretString,
    /// Until when.
    pub access_until: Timestamp,
    /// When Xero was asked for it.
    pub got_at: Timestamp,
    /// What the next pair is got with.
    pub refresh_token: SecretString,
}

impl Pair {
    /// Whether calls can be made with it now.
    pub fn serves(&self, now: Timestamp) -> bool {
        serves(self.access_until, now)
    }
}

/// Renewing failed, for the time being.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failing {
    /// Since when it fails. The pair that was lost with the first failure, if one was, can be replaced
    /// until [`GRACE`] after that.
    pub since: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// No try is made before.
    pub until: Timestamp,
}

/// A grant is of no use any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dead {
    /// When this was found out.
    pub at: Timestamp,
    /// Why.
    pub why: GrantEnd,
}

/// One authorisation by a user of Xero, as everybody sees it. Its tokens are elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Which one. It stays the same when the user authorises again.
    pub id: GrantId,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// Which pair is in force at the least: the store of secrets may be one ahead, never behind.
    pub generation: u64,
    /// Until when this pair can be called with.
    pub access_until: Timestamp,
    /// When Xero was asked for it.
    pub refreshed_at: Timestamp,
    /// A process is renewing it, and has until then.
    pub lease: Option<Timestamp>,
    /// Renewing it fails.
    pub failing: Option<Failing>,
    /// It is of no use any more.
    pub dead: Option<Dead>,
    /// For how many days before its end a warning was given.
    pub warned: Option<u32>,
    /// The organisations that hang on it.
    pub organisations: BTreeSet<OrganisationId>,
    /// The permissions that the user has consented to (XC-11); none if that was not written down.
    pub scopes: BTreeSet<String>,
}

/// The step of a caller that needs a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenAction {
    /// Take the pair that is in the store of secrets.
    Take,
    /// Store this, which gives the lease, and then renew.
    Renew(Grant),
    /// Look again: another process is at it, until then at the latest.
    Wait(Timestamp),
    /// Come again at this moment: it has failed lately.
    Paused(Timestamp),
    /// Nothing. No call is of any use.
    Dead(Dead),
}

impl Grant {
    /// A grant that no user has authorised yet.
    pub const fn new(id: GrantId) -> Self {
        Self {
            id,
            revision: 0,
            generation: 0,
            access_until: Timestamp::UNIX_EPOCH,
            refreshed_at: Timestamp::UNIX_EPOCH,
            lease: None,
            failing: None,
            dead: None,
            warned: None,
            organisations: BTreeSet::new(),
            scopes: BTreeSet::new(),
        }
    }

    /// The step of a caller that needs a token, and for which the pairs up to `spent` are of no use any
    /// more, since Xero has refused one.
    pub fn turn(&self, spent: Option<u64>, now: Timestamp) -> TokenAction {
        if let Some(dead) = self.dead {
            return TokenAction::Dead(dead);
        }
        let is_spent = spent.is_some_and(|spent| self.generation <= spent);
        if !is_spent && serves(self.access_until, now) {
            return TokenAction::Take;
        }
        match (self.leased_until(now), self.failing.filter(|failing| failing.until > now)) {
            (Some(until), _) => TokenAction::Wait(until),
            (None, Some(failing)) => TokenAction::Paused(failing.until),
            (None, None) => TokenAction::Renew(self.leased(now)),
        }
    }

    /// The same under a lease, in any state: for a caller that brings a pair, and needs none. `None` while
    /// another process has a lease.
    pub fn lease_for_writing(&self, now: Timestamp) -> Option<Self> {
        self.leased_until(now).is_none().then(|| self.leased(now))
    }

    /// A new pair is in the store of secrets: all organisations have it from now on.
    #[must_use]
    pub fn saved(&self, pair: &Pair) -> Self {
        Self {
            generation: pair.generation,
            access_until: pair.access_until,
            refreshed_at: pair.got_at,
            failing: None,
            warned: None,
            ..self.released()
        }
    }

    /// Renewing has failed, and is worth trying again.
    #[must_use]
    pub fn failed(&self, now: Timestamp) -> Self {
        let times = self.failing.map_or(0, |failing| failing.times).saturating_add(1);
        let doublings = times.saturating_sub(1).min(DOUBLINGS_MAX);
        let pause = PAUSE.saturating_mul(1 << doublings).min(PAUSE_MAX);
        let failing = Failing {
            since: self.failing.map_or(now, |failing| failing.since),
            times,
            until: later(now, pause),
        };
        Self { failing: Some(failing), ..self.released() }
    }

    /// The lease is over, and its holder has nothing to say.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { lease: None, ..self.clone() }
    }

    /// It is of no use any more. Found out once: the first reason stays.
    #[must_use]
    pub fn ended(&self, why: GrantEnd, now: Timestamp) -> Self {
        Self { dead: self.dead.or(Some(Dead { at: now, why })), ..self.released() }
    }

    /// A user has authorised, for the first time or again: with this pair, for these organisations.
    #[must_use]
    pub fn authorised(&self, pair: &Pair, organisations: BTreeSet<OrganisationId>) -> Self {
        Self { dead: None, organisations, ..self.saved(pair) }
    }

    /// An organisation does not hang on it any more.
    #[must_use]
    pub fn without(&self, organisation: OrganisationId) -> Self {
        let mut after = self.clone();
        after.organisations.remove(&organisation);
        after
    }

    /// When it dies, if nothing uses it.
    pub fn ends_at(&self) -> Timestamp {
        later(self.refreshed_at, UNUSED_MAX)
    }

    /// The warning that is due: so many days are left, and no such warning was given.
    pub fn warning(&self, now: Timestamp) -> Option<u32> {
        if self.dead.is_some() {
            return None;
        }
        let left = self.ends_at().duration_since(now);
        let within = |days: &u32| left <= SignedDuration::from_hours(i64::from(*days) * 24);
        let days = WARNING_DAYS.into_iter().filter(within).min()?;
        self.warned.is_none_or(|warned| warned > days).then_some(days)
    }

    /// The warning was given.
    #[must_use]
    pub fn warned(&self, days: u32) -> Self {
        Self { warned: Some(days), ..self.clone() }
    }

    /// The message to operators about this step, one for each organisation, and why.
    pub fn message(&self, after: &Self) -> Option<(GrantMessage, String)> {
        if let (None, Some(dead)) = (self.dead, after.dead) {
            let why = format!(
                "Xero does not let us in any more ({}); a user has to authorise again",
                dead.why
            );
            return Some((GrantMessage::Lost, why));
        }
        let days = after.warned.filter(|days| self.warned.is_none_or(|warned| warned > *days))?;
        let why = format!("the connection to Xero is not used, and dies within {days} days");
        Some((GrantMessage::Expires, why))
    }

    fn leased_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.lease.filter(|until| *until > now)
    }

    fn leased(&self, now: Timestamp) -> Self {
        Self { lease: Some(later(now, LEASE)), ..self.clone() }
    }
}

/// A store of grants or of their secrets did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Another process has written the grant since it was read.
    #[error("the grant has changed since it was read")]
    Changed,
    /// The store did not answer, or not sensibly. Whether a write took place is not known.
    #[error("a grant cannot be read or written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps the rows of grants.
pub trait Grants {
    /// The grant that an organisation hangs on, if it does.
    ///
    /// # Errors
    /// `Unavailable`.
    fn grant_of(
        &self,
        organisation: OrganisationId,
    ) -> impl Future<Output = Result<Option<Grant>, GrantError>> + Send;

    /// A grant. One that does not exist is [`Grant::new`].
    ///
    /// # Errors
    /// `Unavailable`.
    fn grant(&self, id: GrantId) -> impl Future<Output = Result<Grant, GrantError>> + Send;

    /// Stores what became of a grant, and returns it with its new revision. An implementation MUST refuse
    /// if the row's revision is not the one that was read, and MUST keep what [`Grant::message`] says
    /// together with the row, or neither.
    ///
    /// # Errors
    /// `Changed`, `Unavailable`.
    fn store_grant(
        &self,
        before: &Grant,
        after: Grant,
        now: Timestamp,
    ) -> impl Future<Output = Result<Grant, GrantError>> + Send;
}

/// Keeps the tokens of grants: one pair for each, for all organisations that hang on it.
pub trait Pairs {
    /// The pair of a grant, if there is one. An implementation MUST read what was written last, or an
    /// older one whole.
    ///
    /// # Errors
    /// `Unavailable`, which MUST NOT contain a token.
    fn pair(&self, grant: GrantId)
    -> impl Future<Output = Result<Option<Pair>, GrantError>> + Send;

    /// Which pair of a grant is kept, 0 if none is. An implementation may know it of a pair that it cannot read.
    ///
    /// # Errors
    /// `Unavailable`.
    fn generation(&self, grant: GrantId) -> impl Future<Output = Result<u64, GrantError>> + Send;

    /// Replaces the pair of a grant. When it returns, the pair outlives this process.
    ///
    /// # Errors
    /// `Changed`, if there is one of this generation or a later one: an implementation may refuse to replace it.
    /// `Unavailable`, which MUST NOT contain a token.
    fn store_pair(
        &self,
        grant: GrantId,
        pair: &Pair,
    ) -> impl Future<Output = Result<(), GrantError>> + Send;
}

/// The two stores together.
#[derive(Clone, Debug)]
pub struct Stores<R, S> {
    /// Of the rows.
    pub grants: R,
    /// Of the secrets.
    pub pairs: S,
}

impl<R: Grants + Sync, S: Sync> Grants for Stores<R, S> {
    async fn grant_of(&self, organisation: OrganisationId) -> Result<Option<Grant>, GrantError> {
        self.grants.grant_of(organisation).await
    }

    async fn grant(&self, id: GrantId) -> Result<Grant, GrantError> {
        self.grants.grant(id).await
    }

    async fn store_grant(
        &self,
        before: &Grant,
        after: Grant,
        now: Timestamp,
    ) -> Result<Grant, GrantError> {
        self.grants.store_grant(before, after, now).await
    }
}

impl<R: Sync, S: Pairs + Sync> Pairs for Stores<R, S> {
    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, GrantError> {
        self.pairs.pair(grant).await
    }

    async fn generation(&self, grant: GrantId) -> Result<u64, GrantError> {
        self.pairs.generation(grant).await
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), GrantError> {
        self.pairs.store_pair(grant, pair).await
    }
}

/// The stores of an app that has no grants: one with a custom connection. There is no such value.
#[derive(Clone, Copy, Debug)]
pub enum NoGrants {}

impl Grants for NoGrants {
    async fn grant_of(&self, _: OrganisationId) -> Result<Option<Grant>, GrantError> {
        match *self {}
    }

    async fn grant(&self, _: GrantId) -> Result<Grant, GrantError> {
        match *self {}
    }

    async fn store_grant(&self, _: &Grant, _: Grant, _: Timestamp) -> Result<Grant, GrantError> {
        match *self {}
    }
}

impl Pairs for NoGrants {
    async fn pair(&self, _: GrantId) -> Result<Option<Pair>, GrantError> {
        match *self {}
    }

    async fn generation(&self, _: GrantId) -> Result<u64, GrantError> {
        match *self {}
    }

    async fn store_pair(&self, _: GrantId, _: &Pair) -> Result<(), GrantError> {
        match *self {}
    }
}

fn serves(access_until: Timestamp, now: Timestamp) -> bool {
    later(now, ACCESS_MARGIN) < access_until
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
