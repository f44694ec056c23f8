//! A DynamoDB of one's own, the console in each of its roles, and a function at the other end that says what
//! the test wants.

use archive::Archive;
use std::cell::{Cell, RefCell};

use aws_sdk_dynamodb::types::AttributeValue;
use console::roles::Role;
use console::{Console, Reply};
use harness::dynamodb::{self, Row};
use host::clock::Clock;
use host::invocation::Invocation;
use invoker::{InvokeError, Invoker};
use jiff::{SignedDuration, Timestamp};
use payments::connection::{AccessMode, ConnectionStatus, Facts, HealthIssue};
use payments::sweep::{SweepKind, SyncKind, SyncRun, SyncRunId, SyncState, Trigger};
use payments::{OrganisationId, Settings};
use serde_json::{Value, json};
use table::Tables;

pub const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";
pub const OTHER: &str = "0c1d2e3f-0000-4000-8000-00000000000b";
/// 22:30 in Sydney on 25 November.
pub const NOW: &str = "2026-11-25T11:30:00Z";
pub const ARN: &str = "arn:aws:lambda:ap-southeast-2:000000000000:function:paymirror-console";

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub fn organisation() -> OrganisationId {
    ORGANISATION.parse().unwrap()
}

/// A function to call: gives the scripted answer, and remembers the event.
#[derive(Default)]
pub struct Scripted {
    pub asked: RefCell<Vec<Value>>,
    pub answer: RefCell<Option<Result<Value, InvokeError>>>,
}

impl Invoker for &Scripted {
    async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        self.asked.borrow_mut().push(event.clone());
        self.answer.take().unwrap_or(Err(InvokeError::NoFunction))
    }
}

/// A command as the pages send it, on the order of Ada.
pub fn command(name: &str, fields: Value) -> Value {
    ordered_for(name, fields, "a payment is missing")
}

/// The same for another reason.
pub fn ordered_for(name: &str, fields: Value, reason: &str) -> Value {
    json!({"command": {name: fields}, "attribution": {"by": "Ada", "reason": reason}})
}

pub struct World {
    pub direct: aws_sdk_dynamodb::Client,
    pub tables: Tables,
    pub scripted: Scripted,
    /// How often the stack looks for what has changed.
    pub sweep_every: SignedDuration,
    /// How Xero lets the stack in.
    pub mode: AccessMode,
    /// The moment at which pages are opened.
    pub clock: Cell<Timestamp>,
    /// Where reports are kept.
    pub archive: Option<Archive>,
}

impl World {
    /// One in which nothing is set up.
    pub async fn empty() -> Self {
        Self::bare(dynoxide::Database::memory().unwrap()).await
    }

    async fn bare(database: dynoxide::Database) -> Self {
        let direct = dynamodb::client(&dynamodb::serve(database).await, 1);
        table::schema::create(&direct, "").await.unwrap();
        let tables = Tables::new(direct.clone(), "");
        let sweep_every = SignedDuration::from_mins(30);
        let (mode, clock) = (AccessMode::CustomConnection, Cell::new(now()));
        Self {
            direct,
            tables,
            scripted: Scripted::default(),
            sweep_every,
            mode,
            clock,
            archive: None,
        }
    }

    pub fn with_archive(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// One with an organisation.
    pub async fn new() -> Self {
        let world = Self::empty().await;
        world.settings(ORGANISATION).await;
        world
    }

    /// One whose rows can also be put past DynamoDB's interface.
    pub async fn over(database: dynoxide::Database) -> Self {
        let world = Self::bare(database).await;
        world.settings(ORGANISATION).await;
        world.is_well().await;
        world
    }

    /// All is well: checked and swept a quarter of an hour ago.
    async fn is_well(&self) {
        self.checked(&[], &Facts::default(), ago(15)).await;
        self.swept(ago(15), ago(15), SyncState::Finished).await;
    }

    pub async fn settings(&self, organisation: &str) {
        let settings = Settings {
            mass_change_max: None,
            ..Settings::new(
                organisation.parse().unwrap(),
                jiff::tz::TimeZone::get("Australia/Sydney").unwrap(),
            )
        };
        self.tables.store_settings(&settings).await.unwrap();
    }

    /// The reply that CloudWatch shows to a person of this role.
    pub async fn reply(&self, role: Role, event: Value) -> Reply {
        let moment = self.clock.get();
        let clock = Clock::new(move || moment);
        let console = Console::new(role, self.tables.clone(), &self.scripted, clock)
            .sweeping_every(self.sweep_every)
            .let_in_by(self.mode);
        let console = match &self.archive {
            Some(archive) => console.with_archive(archive.clone()),
            None => console,
        };
        let invocation = Invocation {
            function_arn: ARN.replace("console", role.function()),
            request_id: "5e1c-request".to_owned(),
        };
        console.handle(&event, &invocation).await
    }

    pub async fn page(&self, role: Role, event: Value) -> String {
        match self.reply(role, event).await {
            Reply::Html(html) => html,
            Reply::Described { markdown } => panic!("{markdown}"),
        }
    }

    /// A page for a person who may do everything.
    pub async fn look(&self, page: &str) -> String {
        self.page(Role::Admin, json!({"page": page})).await
    }

    /// A button pressed by Ada, who says why.
    pub async fn press(&self, role: Role, event: Value) -> String {
        self.press_as(role, event, "Ada", "a payment is missing").await
    }

    pub async fn press_as(&self, role: Role, mut event: Value, by: &str, why: &str) -> String {
        event["organisation"] = json!(ORGANISATION);
        event["widgetContext"] = json!({"forms": {"all": {"pm_by": by, "pm_why": why}}});
        self.page(role, event).await
    }

    /// Pages are opened at this moment from now on.
    pub fn set_clock(&self, moment: &str) {
        self.clock.set(moment.parse().unwrap());
    }

    pub fn answers(&self, answer: Result<Value, InvokeError>) {
        self.scripted.answer.replace(Some(answer));
    }

    pub fn asked(&self) -> Vec<Value> {
        self.scripted.asked.take()
    }

    pub async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.direct, table).await
    }

    /// A row as another writer may have left it; texts that begin with `#` are numbers.
    pub async fn put(&self, table: &str, attributes: &[(&str, &str)]) {
        let mut put = self.direct.put_item().table_name(table);
        for (name, value) in attributes {
            put = put.item(*name, attribute(value));
        }
        put.send().await.unwrap();
    }

    pub async fn set(&self, organisation: &str, attribute_name: &str, value: &str) {
        self.set_row("organisations", &[("organisation", organisation)], attribute_name, value)
            .await;
    }

    /// Changes one attribute of a row that is there.
    pub async fn set_row(&self, table: &str, key: &[(&str, &str)], name: &str, value: &str) {
        let mut update = self.direct.update_item().table_name(table);
        for (name, value) in key {
            update = update.key(*name, attribute(value));
        }
        let update = update.update_expression("SET #name = :value");
        let update = update.expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", attribute(value)).send().await.unwrap();
    }

    /// The hourly check has found this.
    pub async fn checked(&self, troubles: &[HealthIssue], facts: &Facts, at: Timestamp) {
        let judged = (ConnectionStatus::Error, troubles.to_vec());
        let code = Some("!mBdtL");
        self.tables
            .store_connection(organisation(), &judged, facts, code, false, at)
            .await
            .unwrap();
    }

    /// A sweep of what changed that has succeeded then, and was tried again since.
    pub async fn swept(&self, success: Timestamp, attempt: Timestamp, state: SyncState) {
        let kind = SweepKind::Changes;
        let mut sweep = self.tables.sweep(organisation(), kind).await.unwrap();
        sweep.last_success_at = Some(success);
        sweep.scheduled_at = Some(success);
        sweep.last_attempt_at = Some(attempt);
        sweep.last_attempt = Some(state);
        self.tables.store_sweep(&sweep, &[]).await.unwrap();
    }

    /// A run, as its row stands in the log.
    pub async fn ran(&self, started_at: Timestamp, change: impl FnOnce(&mut SyncRun)) {
        let mut run = SyncRun {
            organisation: organisation(),
            id: SyncRunId::new(started_at, SyncKind::Sweep, 1),
            kind: SyncKind::Sweep,
            trigger: Trigger::Schedule,
            by: None,
            why: None,
            subject: None,
            state: SyncState::Finished,
            scheduled_at: Some(started_at),
            started_at,
            ended_at: Some(started_at + SignedDuration::from_secs(3)),
            counts: [("queued".to_owned(), 7)].into(),
            errors: Default::default(),
            problem: None,
            calls: 2,
            bytes: 4_711,
            latency: None,
        };
        change(&mut run);
        let kind = SweepKind::Open;
        let sweep = self.tables.sweep(organisation(), kind).await.unwrap();
        self.tables.store_sweep(&sweep, &[&run]).await.unwrap();
    }
}

fn attribute(value: &str) -> AttributeValue {
    match value.strip_prefix('#') {
        Some(number) => AttributeValue::N(number.to_owned()),
        None => AttributeValue::S(value.to_owned()),
    }
}

/// All is well: checked and swept a quarter of an hour ago.
pub async fn well() -> World {
    let world = World::new().await;
    world.is_well().await;
    world
}
