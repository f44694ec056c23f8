//! What a simulator is started with.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{AdvancingClock, Clock, system_clock};

/// Calls in any rolling 60 s, per app and organisation (facts.md 3.1).
pub const CALLS_PER_MINUTE_MAX: u32 = 60;
/// Calls in flight at once, per app and organisation (facts.md 3.1).
pub const CALLS_CONCURRENT_MAX: u32 = 5;
/// Calls in any rolling 24 h, per app and organisation; 1,000 for a Starter app (facts.md 3.1).
pub const CALLS_PER_DAY_MAX: u32 = 5_000;
/// Calls in any rolling 60 s, per app over all its organisations (facts.md 3.1).
pub const APP_CALLS_PER_MINUTE_MAX: u32 = 10_000;

/// Client id of the app that exists unless [`Options::clients`] says otherwise.
pub const DEFAULT_CLIENT_ID: &str = "SIMULATEDCLIENT";
/// Secret of that app.
pub const DEFAULT_CLIENT_SECRET: &str = "simulated-secret";

/// Every scope that a route of the simulator asks for, and those a payments integration asks for too.
pub const KNOWN_SCOPES: &[&str] = &[
    "accounting.banktransactions",
    "accounting.banktransactions.read",
    "accounting.contacts",
    "accounting.contacts.read",
    "accounting.invoices",
    "accounting.invoices.read",
    "accounting.payments",
    "accounting.payments.read",
    "accounting.settings",
    "accounting.settings.read",
    "accounting.transactions",
    "accounting.transactions.read",
];

/// What a simulator is started with; `Options::default()` behaves as Xero does.
#[derive(Clone)]
pub struct Options {
    /// Where the time comes from.
    pub clock: Clock,
    /// A clock that the controls may advance; it takes the place of `clock`.
    pub advancing_clock: Option<AdvancingClock>,
    /// Makes identifiers the same on every run.
    pub seed: Option<u64>,
    /// Keeps the books, the webhook and its undelivered events over a restart.
    pub state_file: Option<PathBuf>,
    /// The apps that may ask for a token.
    pub clients: Vec<Client>,
    /// The call limits.
    pub limits: Limits,
    /// How long every call of the Accounting API takes.
    pub latency: Duration,
    /// What becomes of the good elements of a batch when another one is bad.
    pub batches: Batches,
    /// What becomes of the `Reference` of a prepayment.
    pub prepayment_references: PrepaymentReferences,
    /// What Xero does now and then.
    pub oddities: Oddities,
}

/// What Xero does now and then, and the simulator only where a test asks for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oddities {
    /// Stamps are whole seconds: what changes within one second, such as the payments of one call,
    /// has one `UpdatedDateUTC`.
    pub equal_stamps: bool,
    /// By how many milliseconds the `eventDateUtc` of an event is later than the `UpdatedDateUTC` of
    /// its invoice.
    pub event_lead_ms: u32,
    /// Slashes in JSON are written `\/` (facts.md 4.1).
    pub escaped_slashes: bool,
    /// Answers come as gzip to those who say that they accept it, and to no others.
    pub gzip: bool,
    /// The answer to a new allocation does not show its id, as in the example of the description (facts.md 4.6).
    pub allocations_without_ids: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: system_clock(),
            advancing_clock: None,
            seed: None,
            state_file: None,
            clients: vec![Client::default()],
            limits: Limits::default(),
            latency: Duration::ZERO,
            batches: Batches::default(),
            prepayment_references: PrepaymentReferences::default(),
            oddities: Oddities::default(),
        }
    }
}

/// An app registered with Xero, used through the client-credentials grant.
#[derive(Clone, Debug)]
pub struct Client {
    /// Client id, the user name of the token request.
    pub id: String,
    /// Client secret, the password of the token request.
    pub secret: String,
    /// What the app may ask for.
    pub scopes: Vec<String>,
    /// Whose books it may see.
    pub organisations: ConnectedTo,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            id: DEFAULT_CLIENT_ID.to_owned(),
            secret: DEFAULT_CLIENT_SECRET.to_owned(),
            scopes: KNOWN_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            organisations: ConnectedTo::All,
        }
    }
}

/// The organisations an app is connected to.
#[derive(Clone, Debug)]
pub enum ConnectedTo {
    /// Every organisation there is, also later ones.
    All,
    /// These; a custom connection has exactly one.
    Only(Vec<Uuid>),
}

/// The call limits; `None` switches one off, and its header with it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// In any rolling 60 s.
    pub per_minute: Option<u32>,
    /// In flight at once.
    pub concurrent: Option<u32>,
    /// In any rolling 24 h.
    pub per_day: Option<u32>,
    /// In any rolling 60 s, over all organisations of the app.
    pub app_per_minute: Option<u32>,
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self =
        Self { per_minute: None, concurrent: None, per_day: None, app_per_minute: None };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_minute: Some(CALLS_PER_MINUTE_MAX),
            concurrent: Some(CALLS_CONCURRENT_MAX),
            per_day: Some(CALLS_PER_DAY_MAX),
            app_per_minute: Some(APP_CALLS_PER_MINUTE_MAX),
        }
    }
}

/// What becomes of the good elements of a summarised batch (`summarizeErrors` not false) when
/// another element is bad. Xero does not document it (facts.md 4.9), so both can be had.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Batches {
    /// One bad element, and nothing is booked.
    #[default]
    AllOrNothing,
    /// The good ones are booked although the answer is a 400 without their identifiers.
    KeepTheGood,
}

/// What becomes of the `Reference` that a bank transaction of type RECEIVE-PREPAYMENT is sent with.
///
/// `xero_accounting.yaml` says that it is "only supported for SPEND and RECEIVE transactions", and
/// yet that both `/BankTransactions` and `/Prepayments` can be filtered by it (its change of
/// 21 July 2026), so both can be had.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PrepaymentReferences {
    /// It is shown in the bank transaction, and found by.
    #[default]
    Kept,
    /// It is taken without a word and is gone.
    Dropped,
}
