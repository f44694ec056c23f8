//! The surroundings of every function that calls Xero, fresh for each test: a clock, a Xero with books, and the tables, each
//! with a proxy in front.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use payments::{Money, OrganisationId, Settings};
use rust_decimal::Decimal;
use table::Tables;
use uuid::Uuid;
use xero::{Config, Credentials};
use xero_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, ManualClock, NewOrganisation, Options, Simulator,
};

use crate::crash_point::CrashPoint;
use crate::dynamodb::{self, Row};
use crate::dynamodb_proxy::DynamoDbProxy;
use crate::http;
use crate::xero_proxy::XeroProxy;

/// A day of March 2026, in which most tests play.
pub fn march(day: i8) -> Date {
    date(2026, 3, day)
}

/// So many cents of Australian dollars.
pub fn aud(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
}

/// An organisation in Sydney that mirrors payments of the next seven days, however many change at once. What a test
/// chooses otherwise it says by `..settings(organisation)`.
pub fn settings(organisation: OrganisationId) -> Settings {
    Settings {
        forward_days: Some(7),
        mass_change_max: None,
        ..Settings::new(organisation, TimeZone::get("Australia/Sydney").unwrap())
    }
}

/// Clock, Xero and tables.
pub struct World {
    pub clock: ManualClock,
    pub simulator: Simulator,
    /// The first organisation in Xero.
    pub tenant: Uuid,
    /// Xero, past the proxy.
    pub xero_url: String,
    pub xero: XeroProxy,
    pub proxy: DynamoDbProxy,
    /// DynamoDB, past the proxy.
    pub direct: Client,
    /// The tables, past the proxy.
    pub tables: Tables,
}

impl World {
    /// One in which Xero has an organisation with these books, and all tables are empty.
    pub async fn new(at: Timestamp, books: NewOrganisation, options: Options) -> Self {
        let clock = ManualClock::new(at);
        let simulator = Simulator::new(Options { clock: clock.clock(), ..options }).unwrap();
        let tenant = simulator.add_organisation(books).unwrap();
        let (listener, xero_url) = http::listener().await;
        drop(simulator.clone().serve(listener));
        let engine = dynamodb::start().await;
        let direct = dynamodb::client(&engine, 1);
        table::schema::create(&direct, "").await.unwrap();
        Self {
            clock,
            simulator,
            tenant,
            xero: XeroProxy::start(xero_url.clone()).await,
            xero_url,
            proxy: DynamoDbProxy::start(engine).await,
            tables: Tables::new(direct.clone(), ""),
            direct,
        }
    }

    pub fn organisation(&self) -> OrganisationId {
        OrganisationId::new(self.tenant)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock, as a function takes it.
    pub fn time(&self) -> impl Fn() -> Timestamp + Clone + Send + Sync + use<> {
        let clock = self.clock.clone();
        move || clock.now()
    }

    /// The tables as a new process has them, through the proxy; no call is tried twice.
    pub fn tables_of_a_process(&self) -> Tables {
        Tables::new(dynamodb::client(&self.proxy.url, 1), "")
    }

    /// A client of Xero at this address, as a new process has it.
    pub fn client(&self, url: &str, config: Config) -> xero::Client {
        let url: url::Url = url.parse().unwrap();
        let config = Config { api_url: url.clone(), identity_url: url, ..config };
        let credentials = Credentials {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.into(),
        };
        xero::Client::new(config, credentials, self.time()).unwrap()
    }

    /// From now on, calls to Xero and to DynamoDB count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.xero.end_with(crash_point);
        self.proxy.end_with(crash_point);
    }

    /// All rows of a table.
    pub async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.direct, table).await
    }
}
