//! Xero with two organisations on one grant, the tables, the store of secrets: fresh for each test.

use std::sync::Arc;

use harness::CrashPoint;
use harness::dynamodb::Row;
use jiff::SignedDuration;
use payments::grant::{Grant, Grants as _, Stores};
use payments::{GrantId, OrganisationId};
use table::Tables;
use uuid::Uuid;
use xero::{Client, Config, LOGIN_URL, Organisation, ReadError, SCOPE_OFFLINE, Unmetered};
use xero_simulator::{Consent, DEFAULT_CLIENT_ID, Limits, NewOrganisation, Options};

use super::safe::Safe;

pub const START: &str = "2026-10-05T03:41:25Z";
const BACK: &str = "http://localhost:9000/back";

/// A process: what it knows of tokens is its own.
pub type Process = Client<Unmetered, Stores<Tables, Safe>>;

pub struct World {
    common: harness::World,
    pub safe: Safe,
    organisations: [Uuid; 2],
}

impl std::ops::Deref for World {
    type Target = harness::World;

    fn deref(&self) -> &harness::World {
        &self.common
    }
}

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// The only grant.
pub fn grant_id() -> GrantId {
    GrantId::new(Uuid::from_u128(7))
}

impl World {
    /// One in which no user has authorised anything.
    pub async fn new() -> Self {
        let options = Options { seed: Some(1), limits: Limits::NONE, ..Options::default() };
        let at = START.parse().unwrap();
        let common = harness::World::new(at, NewOrganisation::default(), options).await;
        let other = common.simulator.add_organisation(NewOrganisation::default()).unwrap();
        let organisations = [common.tenant, other];
        Self { common, safe: Safe::default(), organisations }
    }

    /// One in which a user has connected both organisations, and half an hour has passed: the access token
    /// is over, the refresh token is not.
    pub async fn connected() -> Self {
        let world = Self::new().await;
        world.connect().await;
        world.clock.advance(minutes(30));
        world
    }

    /// A user authorises, for the first time or again.
    pub async fn connect(&self) -> Grant {
        let process = self.process();
        let code = self.code(&process).await;
        let redirect = BACK.parse().unwrap();
        process.connect(grant_id(), &code.into(), &redirect).await.unwrap().grant
    }

    /// What a user comes back with who was sent to Xero.
    async fn code(&self, process: &Process) -> String {
        let (login, back) = (LOGIN_URL.parse().unwrap(), BACK.parse().unwrap());
        let url = process.authorise_url(&login, &back, "state", None).await;
        let scopes = url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
        assert!(scopes.contains(SCOPE_OFFLINE));
        let consent = Consent {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            redirect_uri: BACK.to_owned(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            organisations: self.organisations.to_vec(),
            user: None,
        };
        self.simulator.consent(consent).unwrap()
    }

    /// One of the two.
    pub fn organisation(&self, n: usize) -> OrganisationId {
        OrganisationId::new(self.organisations[n % 2])
    }

    pub fn process(&self) -> Process {
        let client = self.client(&self.xero.url, Config::default());
        let grants = self.tables_of_a_process();
        client.with_grants(Some(Stores { grants, pairs: self.safe.clone() }))
    }

    /// A new process calls Xero for an organisation.
    pub async fn call(&self, organisation: usize) -> Result<Organisation, ReadError> {
        self.process().organisation(self.organisation(organisation)).await
    }

    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.common.end_with(crash_point);
        self.safe.end_with(crash_point);
    }

    pub async fn grant(&self) -> Grant {
        self.tables.grant(grant_id()).await.unwrap()
    }

    /// The grant's messages to the operators.
    pub async fn messages(&self) -> Vec<Row> {
        self.rows("messages").await
    }

    /// How often the identity service was asked since the last time.
    pub fn asked_for_tokens(&self) -> usize {
        self.xero.take_calls().iter().filter(|call| call.ends_with("/connect/token")).count()
    }
}
