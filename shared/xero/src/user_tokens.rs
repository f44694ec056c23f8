//! Access tokens of what users have granted (X-14, facts.md 2.2): taken from the store of secrets, or
//! renewed by the one whose turn it is.
//!
//! The order of the steps is what keeps a grant alive: the lease; the old pair out of the store; Xero; the
//! new pair into the store; the grant's row; and only then the first call. A process that ends before the new pair
//! is saved leaves the old one, with which the next one renews for half an hour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use payments::grant::{Grant, GrantEnd, GrantError, Grants, Pair, Pairs, TokenAction};
use payments::{GrantId, OrganisationId};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{AccessRefusal, Outage, ReadError};
use crate::http::Http;
use crate::identity_service::{Asker, INVALID_GRANT, Received, Token};

/// The pause before a grant is looked at again that another process renews. That takes a second.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How often. After that the work comes again, rather than that it waits for a process that may be dead.
const POLLS_MAX: u32 = 40;
/// The longest that a request to the identity service may be on its way. With less left of the lease it
/// is not sent: it could meet that of the next one.
const SENDING_MAX: SignedDuration = SignedDuration::from_secs(25);

/// The grants, and what this process knows of them.
pub(crate) struct Granted<G> {
    stores: G,
    pause: Duration,
    places: Mutex<BTreeMap<OrganisationId, GrantId>>,
    /// Each behind a lock of its own: who waits for one grant does not hold up the others.
    held: Mutex<BTreeMap<GrantId, Arc<tokio::sync::Mutex<CachedToken>>>>,
}

#[derive(Default)]
struct CachedToken {
    pair: Option<Pair>,
    /// Xero has given it, and the store would not take it. Nothing is called with it.
    unsaved: Option<Pair>,
    /// Why renewing failed, and until when it is not tried again.
    failure: Option<(Timestamp, ReadError)>,
}

impl CachedToken {
    fn token(&self, spent: Option<u64>, now: Timestamp) -> Option<Token> {
        let is_new = |pair: &&Pair| spent.is_none_or(|spent| pair.generation > spent);
        let pair = self.pair.as_ref().filter(is_new)?;
        (pair.got_at <= now && pair.serves(now)).then(|| Token::of(pair))?
    }
}

/// What the holder of a lease found instead of a pair.
enum TokenProblem {
    Dead(GrantEnd),
    Read(ReadError),
}

impl From<ReadError> for TokenProblem {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<GrantError> for TokenProblem {
    fn from(error: GrantError) -> Self {
        Self::Read(store_failed(&error))
    }
}

/// One who needs a token.
struct Need<'a> {
    http: &'a Http,
    asker: &'a Asker,
}

/// What became of renewing.
enum Renewed {
    Token(Token),
    /// Another process has written the grant meanwhile: the lease was over. It is not known which of the pairs Xero takes
    /// for the last one, and the other one works for half an hour only: there has to be a new one after this one.
    Overtaken(u64),
}

impl<G> Granted<G> {
    pub(crate) fn new(stores: G) -> Self {
        Self { stores, pause: LOOK_AGAIN_AFTER, places: Mutex::default(), held: Mutex::default() }
    }

    pub(crate) fn with_retry_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    pub(crate) fn stores(&self) -> &G {
        &self.stores
    }

    fn place(&self, organisation: OrganisationId) -> Option<GrantId> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(&organisation).copied()
    }

    fn held(&self, id: GrantId) -> Arc<tokio::sync::Mutex<CachedToken>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(id).or_default().clone()
    }
}

impl<G: Grants + Pairs> Granted<G> {
    /// A token for this organisation, other than the one that is spent.
    pub(crate) async fn token(
        &self,
        http: &Http,
        asker: &Asker,
        organisation: OrganisationId,
        spent: Option<u64>,
    ) -> Result<Token, ReadError> {
        let need = Need { http, asker };
        let mut id = match self.place(organisation) {
            Some(id) => id,
            None => self.grant_of(organisation).await?.id,
        };
        // The second time, if it has been moved to another grant.
        for _ in 0..2 {
            let held = self.held(id);
            let mut held = held.lock().await;
            if let Some(token) = held.token(spent, http.now()) {
                return Ok(token);
            }
            let grant = self.grant_of(organisation).await?;
            if grant.id == id {
                return self.take_or_renew(&need, &mut held, grant, spent).await;
            }
            id = grant.id;
        }
        Err(Outage::Renewing.into())
    }

    async fn grant_of(&self, organisation: OrganisationId) -> Result<Grant, ReadError> {
        let found = self.stores.grant_of(organisation).await;
        let found = found.map_err(|error| store_failed(&error))?;
        let grant = found.ok_or(ReadError::NotAuthorised(AccessRefusal::NotConnected))?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(organisation, grant.id);
        Ok(grant)
    }

    async fn take_or_renew(
        &self,
        need: &Need<'_>,
        held: &mut CachedToken,
        mut grant: Grant,
        mut spent: Option<u64>,
    ) -> Result<Token, ReadError> {
        for _ in 0..POLLS_MAX {
            let now = need.http.now();
            match grant.turn(spent, now) {
                TokenAction::Dead(dead) => {
                    return Err(ReadError::NotAuthorised(AccessRefusal::Lost(dead.why)));
                }
                TokenAction::Paused(until) => return Err(held.paused(until, now)),
                TokenAction::Take => match self.stores.pair(grant.id).await {
                    Err(error) => return Err(store_failed(&error)),
                    Ok(None) => {
                        return Err(self.mark_revoked(&grant, GrantEnd::SecretMissing, now).await);
                    }
                    Ok(Some(pair)) if pair.generation >= grant.generation => {
                        return held.keep(pair);
                    }
                    // The store of secrets still shows the pair before.
                    Ok(Some(_)) => tokio::time::sleep(self.pause).await,
                },
                TokenAction::Wait(_) => tokio::time::sleep(self.pause).await,
                TokenAction::Renew(leased) => {
                    match self.stores.store_grant(&grant, leased, now).await {
                        Ok(leased) => match self.renew(need, held, &leased, spent).await? {
                            Renewed::Token(token) => return Ok(token),
                            Renewed::Overtaken(generation) => spent = spent.max(Some(generation)),
                        },
                        // Another process was quicker.
                        Err(GrantError::Changed) => {}
                        Err(error) => return Err(store_failed(&error)),
                    }
                }
            }
            grant = self.stores.grant(grant.id).await.map_err(|error| store_failed(&error))?;
        }
        let left = grant.lease.map(|until| until.duration_since(need.http.now()));
        let after = left.and_then(|left| Duration::try_from(left).ok());
        Err(ReadError::Unavailable { cause: Outage::Renewing, after })
    }

    /// By the holder of the lease, who ends it in any case.
    async fn renew(
        &self,
        need: &Need<'_>,
        held: &mut CachedToken,
        grant: &Grant,
        spent: Option<u64>,
    ) -> Result<Renewed, ReadError> {
        let renewed = self.next_pair(need, held, grant, spent).await;
        let now = need.http.now();
        match renewed {
            Ok(pair) => {
                match self.stores.store_grant(grant, grant.saved(&pair), now).await {
                    Ok(_) => {}
                    Err(GrantError::Changed) => {
                        tracing::warn!(grant = %grant.id, "a grant was renewed twice at once");
                        return Ok(Renewed::Overtaken(pair.generation));
                    }
                    // The pair is in the store of secrets, so it may be used: the holder of the next lease
                    // will find it there.
                    Err(error) => {
                        tracing::warn!(grant = %grant.id, error = %error, "a renewed grant's row was not written");
                    }
                }
                tracing::info!(grant = %grant.id, generation = pair.generation, "grant renewed");
                held.keep(pair).map(Renewed::Token)
            }
            Err(TokenProblem::Dead(why)) => Err(self.mark_revoked(grant, why, now).await),
            Err(TokenProblem::Read(error)) => {
                let failed = grant.failed(now);
                held.failure = failed.failing.map(|failing| (failing.until, error));
                if let Err(error) = self.stores.store_grant(grant, failed, now).await {
                    tracing::warn!(grant = %grant.id, error = %error, "the lease of a grant was not ended");
                }
                Err(error)
            }
        }
    }

    /// The pair to go on with: it is in the store of secrets.
    async fn next_pair(
        &self,
        need: &Need<'_>,
        held: &mut CachedToken,
        grant: &Grant,
        spent: Option<u64>,
    ) -> Result<Pair, TokenProblem> {
        let stored = self.stores.pair(grant.id).await?;
        let mut pair = stored.ok_or(TokenProblem::Dead(GrantEnd::SecretMissing))?;
        if let Some(unsaved) = held.unsaved.clone() {
            pair = self.save(held, grant.id, unsaved).await?;
        }
        if pair.generation < grant.generation {
            return Err(ReadError::from(Outage::Grant).into());
        }
        let is_new = |pair: &Pair| spent.is_none_or(|spent| pair.generation > spent);
        // The holder of the lease before has saved a pair and ended.
        if is_new(&pair) && pair.serves(need.http.now()) {
            return Ok(pair);
        }
        let received = match refresh(need, grant, &pair.refresh_token).await {
            Err(error) if is_invalid_grant(&error) => {
                // Another process may have renewed it, in spite of the lease.
                let again = self.stores.pair(grant.id).await?;
                let newer = again.filter(|again| again.generation > pair.generation);
                pair = newer.ok_or(TokenProblem::Dead(GrantEnd::InvalidGrant))?;
                if is_new(&pair) && pair.serves(need.http.now()) {
                    return Ok(pair);
                }
                match refresh(need, grant, &pair.refresh_token).await {
                    Err(error) if is_invalid_grant(&error) => {
                        return Err(TokenProblem::Dead(GrantEnd::InvalidGrant));
                    }
                    received => received?,
                }
            }
            received => received?,
        };
        let next = Pair {
            generation: pair.generation.saturating_add(1),
            access_token: received.access_token,
            access_until: received.access_until,
            got_at: received.got_at,
            refresh_token: received.refresh_token.unwrap_or_else(|| pair.refresh_token.clone()),
        };
        Ok(self.save(held, grant.id, next).await?)
    }

    /// Keeps the next pair. If there is one of its generation already, which the lease should have
    /// prevented, then that one stays.
    async fn save(
        &self,
        held: &mut CachedToken,
        grant: GrantId,
        next: Pair,
    ) -> Result<Pair, GrantError> {
        held.unsaved = Some(next.clone());
        let later = |there: &Pair| there.generation >= next.generation;
        let kept = match self.stores.pair(grant).await?.filter(later) {
            Some(there) => there,
            None => match self.stores.store_pair(grant, &next).await {
                Ok(()) => next,
                // It came between the two.
                Err(GrantError::Changed) => {
                    let there = self.stores.pair(grant).await?;
                    there.filter(later).ok_or(GrantError::Changed)?
                }
                Err(error) => return Err(error),
            },
        };
        held.unsaved = None;
        Ok(kept)
    }

    /// Writes down that a grant is dead. Only the first one does, and so one message is raised.
    async fn mark_revoked(&self, grant: &Grant, why: GrantEnd, now: Timestamp) -> ReadError {
        tracing::error!(grant = %grant.id, why = why.code(), "a grant is lost: a user has to authorise again");
        if let Err(error) = self.stores.store_grant(grant, grant.ended(why, now), now).await {
            tracing::warn!(grant = %grant.id, error = %error, "that a grant is lost was not written down");
        }
        ReadError::NotAuthorised(AccessRefusal::Lost(why))
    }
}

impl CachedToken {
    fn keep(&mut self, pair: Pair) -> Result<Token, ReadError> {
        let token = Token::of(&pair).ok_or(Outage::Grant)?;
        (self.pair, self.failure) = (Some(pair), None);
        Ok(token)
    }

    /// Why renewing failed, as far as this process knows.
    fn paused(&self, until: Timestamp, now: Timestamp) -> ReadError {
        let ours = self.failure.filter(|(ours, _)| *ours == until).map(|(_, error)| error);
        ours.unwrap_or_else(|| {
            let after = Duration::try_from(until.duration_since(now)).ok();
            ReadError::Unavailable { cause: Outage::Renewing, after }
        })
    }
}

async fn refresh(
    need: &Need<'_>,
    grant: &Grant,
    refresh_token: &SecretString,
) -> Result<Received, ReadError> {
    let left = grant.lease.map(|until| until.duration_since(need.http.now()));
    if left.is_none_or(|left| left < SENDING_MAX) {
        return Err(Outage::Renewing.into());
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
    need.asker.ask(need.http, &form).await
}

fn is_invalid_grant(error: &ReadError) -> bool {
    *error == ReadError::NotAuthorised(AccessRefusal::Client(INVALID_GRANT))
}

/// In the words of a read. What the store says of it goes into the log.
pub(crate) fn store_failed(error: &GrantError) -> ReadError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(error = %error, cause = cause.as_deref(), "a store of grants failed");
    match error {
        GrantError::Changed => Outage::Renewing.into(),
        GrantError::Unavailable(_) => Outage::Grant.into(),
    }
}
