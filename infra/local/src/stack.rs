//! The whole system, or some of its parts, while it runs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use xero_simulator::Simulator;

use crate::{
    clients::Clients,
    clock::LocalClock,
    clock_control::Companion,
    engines::{
        RunningEngines,
        queues::{self, Depth},
    },
    external_endpoints::Xero,
    lambda::{
        poller::Mapping,
        service::{Functions, RunningFunctions},
    },
    ports::Ports,
    simulator::RunningSimulator,
};

/// How often [`Stack::drained`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The system, running. Parts that are not stopped end when this is dropped, as if they were killed.
#[derive(Debug)]
pub struct Stack {
    pub(crate) ports: Ports,
    pub(crate) mappings: [Mapping; 4],
    pub(crate) clients: Clients,
    pub(crate) clock: LocalClock,
    pub(crate) dynamodb_url: String,
    pub(crate) sqs_url: String,
    pub(crate) s3_url: String,
    pub(crate) xero: Xero,
    pub(crate) functions: Option<RunningFunctions>,
    pub(crate) simulator: Option<RunningSimulator>,
    pub(crate) engines: Option<RunningEngines>,
}

impl Stack {
    /// Client for the tables.
    #[must_use]
    pub const fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.clients.dynamodb
    }

    /// Client for the queues.
    #[must_use]
    pub const fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.clients.sqs
    }

    /// The simulator's controls.
    ///
    /// # Errors
    ///
    /// There is none in this process: Xero is elsewhere.
    pub fn simulator(&self) -> anyhow::Result<&Simulator> {
        let running = self.simulator.as_ref().context("there is no simulator in this process")?;
        Ok(&running.simulator)
    }

    /// Lets the simulator announce changes to `url`, where the functions of another stack listen.
    ///
    /// # Errors
    ///
    /// As [`Self::simulator`].
    pub fn announce_to(&self, url: String) -> anyhow::Result<()> {
        let running = self.simulator.as_ref().context("there is no simulator in this process")?;
        running.announce_to(url);
        Ok(())
    }

    /// The clock of the functions and of the simulator.
    #[must_use]
    pub const fn clock(&self) -> &LocalClock {
        &self.clock
    }

    /// How Xero is reached.
    #[must_use]
    pub const fn xero(&self) -> &Xero {
        &self.xero
    }

    /// Where the DynamoDB API is.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// Where the SQS API is.
    #[must_use]
    pub fn sqs_url(&self) -> &str {
        &self.sqs_url
    }

    /// Where deliveries from Xero go.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        let address = self.functions.as_ref().map(|functions| functions.url.port());
        format!("http://127.0.0.1:{}/webhook", address.unwrap_or(self.ports.webhook))
    }

    /// Where the operators' pages are.
    #[must_use]
    pub fn console_url(&self) -> String {
        let address = self.functions.as_ref().map(|functions| functions.url.port());
        format!("http://127.0.0.1:{}/console", address.unwrap_or(self.ports.webhook))
    }

    /// Where the Invoke API is.
    #[must_use]
    pub fn invoke_url(&self) -> String {
        let address = self.functions.as_ref().map(|functions| functions.invoke.port());
        format!("http://127.0.0.1:{}", address.unwrap_or(self.ports.invoke))
    }

    /// How long changes are gathered before the mirror is called.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.mappings[0].window
    }

    /// Starts the functions again after [`Self::stop_functions`] or [`Self::kill_functions`], on
    /// the same ports.
    ///
    /// # Errors
    ///
    /// They are running, a port is in use, or an engine does not answer.
    pub async fn start_functions(&mut self) -> anyhow::Result<()> {
        if self.functions.is_some() {
            bail!("the functions are running");
        }
        let functions = Functions {
            ports: self.ports,
            dynamodb_url: self.dynamodb_url.clone(),
            sqs_url: self.sqs_url.clone(),
            s3_url: self.s3_url.clone(),
            xero: self.xero.clone(),
            clock: self.clock.clone(),
            companion: Companion::of(&self.xero, self.simulator.is_some())?,
            mappings: self.mappings.to_vec(),
        };
        let running = functions.start().await?;
        // The functions keep their ports after a restart, so that callers find them.
        self.ports.webhook = running.url.port();
        self.ports.invoke = running.invoke.port();
        self.functions = Some(running);
        if let Some(simulator) = &self.simulator {
            simulator.announce_to(self.webhook_url());
        }
        Ok(())
    }

    /// Ends the functions cleanly: a batch that was begun is finished.
    pub async fn stop_functions(&mut self) {
        if let Some(functions) = self.functions.take() {
            functions.stop().await;
        }
    }

    /// Ends the functions as `kill -9` would, in the middle of their work.
    pub async fn kill_functions(&mut self) {
        if let Some(functions) = self.functions.take() {
            functions.kill().await;
        }
    }

    /// Waits until Xero has delivered everything, the queues are empty, and orders are judged. What the upload has put
    /// off, to look at Xero again in some minutes, is not waited for.
    ///
    /// # Errors
    ///
    /// That does not happen `within` this time (the message says what is left), or SQS does not
    /// answer.
    pub async fn drained(&self, within: Duration) -> anyhow::Result<()> {
        let changes = queues::url(self.sqs(), queues::CHANGES).await?;
        let intake = queues::url(self.sqs(), queues::INTAKE).await?;
        let uploads = queues::url(self.sqs(), queues::UPLOADS).await?;
        let until = Instant::now() + within;
        loop {
            // Looked at in the order that work flows, so that nothing slips through behind us.
            let of_intake = queues::depth(self.sqs(), &intake).await?;
            let of_uploads = queues::depth(self.sqs(), &uploads).await?;
            let of_uploads = Depth { delayed: 0, ..of_uploads };
            let undelivered = self.simulator.as_ref().map_or(0, |s| s.simulator.undelivered());
            let of_changes = queues::depth(self.sqs(), &changes).await?;
            let unjudged = self.functions.as_ref().map_or(0, RunningFunctions::unjudged);
            let of_queues = [of_intake, of_uploads, of_changes];
            let is_quiet = undelivered == 0 && unjudged == 0;
            if is_quiet && of_queues.into_iter().all(Depth::is_empty) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!(
                    "not drained within {within:?}: {undelivered} events undelivered, intake \
                     {of_intake:?}, uploads {of_uploads:?}, changes {of_changes:?}, {unjudged} rows \
                     of the log not judged"
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// How many messages a queue holds now, dead-letter queues included.
    ///
    /// # Errors
    ///
    /// There is no such queue, or SQS does not answer.
    pub async fn depth(&self, queue: &str) -> anyhow::Result<Depth> {
        let url = queues::url(self.sqs(), queue).await?;
        queues::depth(self.sqs(), &url).await
    }

    /// Ends everything cleanly. The functions are first: a batch in work still needs the others.
    pub async fn stop(mut self) {
        self.stop_functions().await;
        if let Some(simulator) = self.simulator.take() {
            simulator.stop().await;
        }
        self.clock.save();
        if let Some(engines) = self.engines.take() {
            engines.stop().await;
        }
    }
}
