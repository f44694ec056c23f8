//! What a stack is started with, and the order in which its parts start.

use std::{
    fmt::Display,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use xero_simulator::{AdvancingClock, Options};

use crate::{
    clients::Clients,
    clock::LocalClock,
    engines::{Engines, RunningEngines, queues},
    external_endpoints::Elsewhere,
    lambda::poller::Mapping,
    ports::Ports,
    setup,
    simulator::{self, RunningSimulator},
    stack::Stack,
};

/// Something that was started, and how long that took.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is.
    pub what: String,
    /// Where it is, or what was found.
    pub detail: String,
    /// How long it took.
    pub took: Duration,
}

/// Which parts are started; the others are taken to run in another process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parts {
    /// DynamoDB and SQS.
    pub engines: bool,
    /// The Xero simulator.
    pub simulator: bool,
    /// Function URL, Invoke API and pollers.
    pub functions: bool,
}

impl Parts {
    /// Everything.
    pub const ALL: Self = Self { engines: true, simulator: true, functions: true };
}

type Report = Arc<dyn Fn(&Step) + Send + Sync>;

/// What a stack is started with. Everything has a default: all parts, in memory, on free ports.
#[derive(Clone)]
pub struct Builder {
    data: Option<PathBuf>,
    ports: Ports,
    parts: Parts,
    elsewhere: Elsewhere,
    visibility: Duration,
    mappings: [Mapping; 4],
    simulator: Options,
    report: Report,
}

impl Builder {
    /// Keeps everything in this directory, which is made when it is missing; without it everything
    /// is in memory.
    #[must_use]
    pub fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Listens on these ports.
    #[must_use]
    pub const fn ports(mut self, ports: Ports) -> Self {
        self.ports = ports;
        self
    }

    /// Starts these parts only.
    #[must_use]
    pub const fn parts(mut self, parts: Parts) -> Self {
        self.parts = parts;
        self
    }

    /// Uses what lives elsewhere instead of starting it.
    #[must_use]
    pub fn elsewhere(mut self, elsewhere: Elsewhere) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// How long a received message stays hidden; after that the work of a killed function comes
    /// back. Whole seconds.
    #[must_use]
    pub const fn visibility(mut self, visibility: Duration) -> Self {
        self.visibility = visibility;
        self
    }

    /// How long messages are gathered before the mirror and the intake are called.
    #[must_use]
    pub const fn windows(mut self, changes: Duration, intake: Duration) -> Self {
        self.mappings[0].window = changes;
        self.mappings[1].window = intake;
        self
    }

    /// Clock, limits, faults and apps of the Xero simulator; the clock is the functions' too.
    #[must_use]
    pub fn simulator(mut self, options: Options) -> Self {
        self.simulator = options;
        self
    }

    /// Hears of every step while it starts.
    #[must_use]
    pub fn on_step(mut self, report: impl Fn(&Step) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Starts it; when this returns, everything answers.
    ///
    /// # Errors
    ///
    /// A port is in use, data cannot be read or written, or something elsewhere does not answer.
    pub async fn start(self) -> anyhow::Result<Stack> {
        let clock = self.clock()?;
        let engines = self.start_engines().await?;
        let simulator = self.start_simulator(&clock).await?;
        let of_engines = engines.as_ref();
        let dynamodb_url = self.elsewhere.dynamodb_url.clone();
        let dynamodb_url = dynamodb_url
            .unwrap_or_else(|| url(of_engines.and_then(|e| e.dynamodb), self.ports.dynamodb));
        let sqs_url = self.elsewhere.sqs_url.clone();
        let sqs_url =
            sqs_url.unwrap_or_else(|| url(of_engines.and_then(|e| e.sqs), self.ports.sqs));
        let s3_url = self.elsewhere.s3_url.clone();
        let s3_url = s3_url.unwrap_or_else(|| url(of_engines.and_then(|e| e.s3), self.ports.s3));
        let xero = self.elsewhere.xero.clone().unwrap_or_else(|| {
            let address = simulator.as_ref().map(|simulator| simulator.address);
            simulator::sample_xero(&url(address, self.ports.simulator))
        });
        let clients = Clients::new(&dynamodb_url, &sqs_url).await;
        let mut stack = Stack {
            ports: self.ports,
            mappings: self.mappings,
            clients,
            clock,
            dynamodb_url,
            sqs_url,
            s3_url,
            xero,
            functions: None,
            simulator,
            engines,
        };
        if self.parts.engines || self.parts.functions {
            self.prepare(&stack).await?;
        }
        if self.parts.functions {
            let started = Instant::now();
            stack.start_functions().await?;
            self.tell(started, "webhook endpoint", stack.webhook_url());
            self.tell(started, "Lambda Invoke API", stack.invoke_url());
            self.tell(started, "operators' console", stack.console_url());
        }
        Ok(stack)
    }

    /// The clock of functions and simulator, as far ahead as it was left.
    fn clock(&self) -> anyhow::Result<LocalClock> {
        let started = Instant::now();
        let given = self.simulator.advancing_clock.clone();
        let advancing =
            given.unwrap_or_else(|| AdvancingClock::over(Arc::clone(&self.simulator.clock)));
        let clock = LocalClock::open(advancing, self.data.as_deref())?;
        if !clock.ahead().is_zero() {
            self.tell(started, "clock", format!("{clock}, since nights were played"));
        }
        Ok(clock)
    }

    async fn start_engines(&self) -> anyhow::Result<Option<RunningEngines>> {
        let engines = Engines {
            data: self.data.clone(),
            dynamodb: self.elsewhere.dynamodb_url.is_none(),
            sqs: self.elsewhere.sqs_url.is_none(),
            s3: self.elsewhere.s3_url.is_none(),
            ports: self.ports,
            visibility: self.visibility,
        };
        if !self.parts.engines || !(engines.dynamodb || engines.sqs || engines.s3) {
            return Ok(None);
        }
        let started = Instant::now();
        let running = engines.start().await?;
        if let Some(address) = running.dynamodb {
            let found = self.found(running.found_tables, "the tables of an earlier run");
            self.tell(started, "DynamoDB", format!("http://{address}{found}"));
        }
        if let Some(address) = running.sqs {
            let messages = match running.found_messages {
                1 => "a message of an earlier run".to_owned(),
                count => format!("{count} messages of an earlier run"),
            };
            let found = self.found(running.found_messages > 0, &messages);
            self.tell(started, "SQS", format!("http://{address}{found}"));
        }
        if let Some(address) = running.s3 {
            self.tell(started, "S3", format!("http://{address}"));
        }
        Ok(Some(running))
    }

    async fn start_simulator(
        &self,
        clock: &LocalClock,
    ) -> anyhow::Result<Option<RunningSimulator>> {
        if !self.parts.simulator || self.elsewhere.xero.is_some() {
            return Ok(None);
        }
        let started = Instant::now();
        let data = self.data.as_deref();
        let advancing_clock = Some(clock.for_simulator());
        let options = Options { advancing_clock, ..self.simulator.clone() };
        let simulator = simulator::start(options, data, self.ports.simulator).await?;
        if !self.parts.functions {
            simulator.announce_to(format!("http://127.0.0.1:{}/webhook", self.ports.webhook));
        }
        let found = self.found(simulator.found_books, "the books of an earlier run");
        self.tell(started, "Xero simulator", format!("http://{}{found}", simulator.address));
        Ok(Some(simulator))
    }

    async fn prepare(&self, stack: &Stack) -> anyhow::Result<()> {
        let started = Instant::now();
        let made = setup::tables(&stack.clients, &stack.dynamodb_url).await;
        made.context(if self.parts.engines {
            "DynamoDB does not answer as it should"
        } else {
            "DynamoDB does not answer as it should; does `cargo run -- engines` run?"
        })?;
        if self.elsewhere.sqs_url.is_some() {
            setup::queues(&stack.clients, &stack.sqs_url, self.visibility).await?;
        }
        let organisation = setup::organisation(&stack.clients, &stack.xero).await?;
        self.tell(started, "tables and queues", organisation);
        Ok(())
    }

    fn found(&self, found: bool, what: &str) -> String {
        match &self.data {
            Some(data) if found => format!(", with {what} in {}", data.display()),
            _ => String::new(),
        }
    }

    fn tell(&self, started: Instant, what: &str, detail: impl Display) {
        let step =
            Step { what: what.to_owned(), detail: detail.to_string(), took: started.elapsed() };
        (self.report)(&step);
    }
}

/// Where a part is: at the address that it was started on, or else where it is by default.
fn url(address: Option<SocketAddr>, port: u16) -> String {
    address
        .map_or_else(|| format!("http://127.0.0.1:{port}"), |address| format!("http://{address}"))
}

impl Stack {
    /// Everything in memory and on free ports, unless the builder is set otherwise.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            data: None,
            ports: Ports::free(),
            parts: Parts::ALL,
            elsewhere: Elsewhere::default(),
            visibility: queues::VISIBILITY_TIMEOUT,
            mappings: [Mapping::CHANGES, Mapping::INTAKE, Mapping::UPLOADS, Mapping::SCHEDULES],
            simulator: Options::default(),
            report: Arc::new(|_| {}),
        }
    }
}
