//! The functions of the product, put together for one machine: the only place that knows their
//! crates.

use std::{error::Error, rc::Rc, time::Duration};

use announce::Announcer;
use anyhow::Context as _;
use bus::{Bus, PublishOutcome};
use console::{Console, INVOKED_MAX, roles::Role};
use host::{clock::Clock, invocation::Invocation, metrics::Metrics};
use intake::Intake;
use invoker::LambdaInvoker;
use mirror::Mirror;
use operations::{InProcess, Operations, Parts};
use payments::events::Announcement;
use queue::{AllQueues, ChangesQueue, QueueName, QueueUrls, SchedulesQueue, UploadsQueue};
use reconcile::Reconciler;
use report::Reporter;
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use sweep::Sweeper;
use table::Tables;
use upload::Uploader;
use webhook::{ActiveKeys, Webhook};
use xero::{Config, Credentials, WebhookKeys};

use crate::{
    clients::{self, Clients},
    engines::queues,
    external_endpoints::Xero,
    lambda::{Answer, Call, Failure, Function, Host, Worker, stream::StreamWriter},
};

/// How long a call to Xero may take.
const XERO_TIMEOUT: Duration = Duration::from_secs(20);

/// What the functions are put together from.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) dynamodb_url: String,
    pub(crate) sqs_url: String,
    /// Where reports are kept.
    pub(crate) s3_url: String,
    pub(crate) xero: Xero,
    pub(crate) clock: Clock,
    /// Where functions are called: the console passes commands on.
    pub(crate) invoke_url: String,
    /// Where rows of the log go that are written.
    pub(crate) stream: StreamWriter,
}

/// Where announcements end here: there is no bus, and the log says what would be on it.
pub(crate) struct NoBus;

impl Bus for NoBus {
    async fn send(&self, announcements: &[Announcement]) -> PublishOutcome {
        for announcement in announcements {
            tracing::info!(
                event.id = announcement.detail.id(),
                event.kind = announcement.kind.code(),
                "no event bus locally; event dropped"
            );
        }
        PublishOutcome { done: announcements.len(), ..PublishOutcome::default() }
    }
}

/// Every function, ready to be called.
struct Product {
    webhook: Webhook,
    mirror: Mirror<ChangesQueue>,
    intake: Intake<ChangesQueue, UploadsQueue>,
    upload: Uploader<UploadsQueue>,
    sweep: Sweeper<ChangesQueue>,
    announce: Announcer<NoBus>,
    operations: LocalOperations,
    reconcile: Reconciler,
    report: Reporter,
    console: Console<LambdaInvoker>,
    operate: Console<LambdaInvoker>,
    administer: Console<LambdaInvoker>,
    clock: Clock,
}

/// A host with the functions in it.
///
/// # Errors
///
/// A setting cannot be used, or a queue does not exist.
pub(crate) async fn start(surroundings: Surroundings) -> anyhow::Result<(Host, Worker)> {
    let clock = surroundings.clock.clone();
    Host::start(clock, || async {
        let product = Rc::new(Product::new(surroundings).await?);
        Ok(move |call| {
            let product = Rc::clone(&product);
            async move { product.answer(call).await }
        })
    })
    .await
}

impl Product {
    async fn new(surroundings: Surroundings) -> anyhow::Result<Self> {
        let Surroundings { dynamodb_url, sqs_url, s3_url, xero, clock, invoke_url, stream } =
            surroundings;
        let archive = clients::archive_at(&s3_url).await;
        let clients = Clients::new(&dynamodb_url, &sqs_url).await.streamed(stream);
        let changes_url = queues::url(&clients.sqs, queues::CHANGES).await?;
        let changes = || ChangesQueue::new(clients.sqs.clone(), changes_url.clone());
        let uploads_url = queues::url(&clients.sqs, queues::UPLOADS).await?;
        let uploads = || UploadsQueue::new(clients.sqs.clone(), uploads_url.clone());
        let schedules = queues::url(&clients.sqs, queues::SCHEDULES).await.ok();
        let schedules = schedules.map(|url| SchedulesQueue::new(clients.sqs.clone(), url));
        let keys = xero.webhook_keys.iter().cloned().map(SecretString::from).collect();
        let keys = ActiveKeys::Fixed(WebhookKeys::new(keys));
        let tables = Tables::new(clients.dynamodb.clone(), String::new());
        let lambda = clients::lambda_at(&invoke_url).await;
        let console = |role: Role| {
            let name = role.may(Role::Operator).then(|| Function::Operations.name().to_owned());
            let invoker = LambdaInvoker::new(lambda.clone(), name, INVOKED_MAX);
            Console::new(role, tables.clone(), invoker, clock.clone()).with_archive(archive.clone())
        };
        let sweep = Sweeper::new(
            client(&xero, Config::default(), &clock)?,
            tables.clone(),
            changes(),
            clock.clone(),
        )
        .with_contacts(client(&xero, Config::contacts(), &clock)?);
        let reporter = Some(Function::Report.name().to_owned());
        let reporter = LambdaInvoker::new(lambda.clone(), reporter, INVOKED_MAX);
        let operations = operations(&clients, &xero, &clock).await?.with_reporter(reporter);
        Ok(Self {
            webhook: Webhook::new(keys, changes(), Metrics::off())
                .with_schedules(schedules.clone()),
            mirror: Mirror::new(
                client(&xero, Config::default(), &clock)?,
                tables.clone(),
                changes(),
                clock.clone(),
            ),
            intake: Intake::new(tables.clone(), changes(), uploads(), clock.clone()),
            upload: Uploader::new(
                client(&xero, Config::uploading(), &clock)?,
                tables.clone(),
                uploads(),
                clock.clone(),
            )
            .with_changes(changes()),
            sweep: match schedules {
                Some(schedules) => sweep.with_schedules(schedules),
                None => sweep,
            },
            announce: Announcer::new(NoBus, clock.clone()),
            operations,
            reconcile: Reconciler::new(tables.clone(), clock.clone()),
            report: Reporter::new(tables.clone(), clock.clone()).with_archive(archive.clone()),
            console: console(Role::Viewer),
            operate: console(Role::Operator),
            administer: console(Role::Admin),
            clock,
        })
    }

    async fn answer(&self, call: Call) -> Answer {
        let operations = InProcess { operations: &self.operations, deadline: call.deadline };
        match call.function {
            Function::Webhook => {
                let request = read(&call)?;
                written(&self.webhook.handle(&request, self.clock.now()).await)
            }
            Function::Mirror => {
                let answer = self.mirror.handle(read(&call)?, call.deadline).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Intake => {
                let answer = self.intake.handle(read(&call)?, call.deadline).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Upload => {
                let answer = self.upload.answer(&read(&call)?, call.deadline, &operations).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Sweep => {
                let answer = self.sweep.answer(&read(&call)?, call.deadline, &operations).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Announce => {
                let answer = self.announce.answer(&read(&call)?, &operations).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Operations => {
                let answer = self.operations.handle(&read(&call)?, call.deadline).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Reconcile => {
                let answer = self.reconcile.handle(&read(&call)?, call.deadline).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Report => {
                let answer = self.report.handle(&read(&call)?, call.deadline).await;
                written(&answer.map_err(|error| failure(&error))?)
            }
            Function::Console => page(&self.console, &call).await,
            Function::Operate => page(&self.operate, &call).await,
            Function::Administer => page(&self.administer, &call).await,
        }
    }
}

async fn page(console: &Console<LambdaInvoker>, call: &Call) -> Answer {
    let invocation =
        Invocation { function_arn: call.function.arn(), request_id: call.request_id.to_string() };
    written(&console.handle(&read(call)?, &invocation).await)
}

/// The function that executes commands, on this machine.
pub(crate) type LocalOperations = Operations<ChangesQueue, UploadsQueue, AllQueues, NoBus>;

/// That function, let in by a custom connection.
pub(crate) async fn operations(
    clients: &Clients,
    xero: &Xero,
    clock: &Clock,
) -> anyhow::Result<LocalOperations> {
    let tables = Tables::new(clients.dynamodb.clone(), String::new());
    let changes =
        ChangesQueue::new(clients.sqs.clone(), queues::url(&clients.sqs, queues::CHANGES).await?);
    let uploads =
        UploadsQueue::new(clients.sqs.clone(), queues::url(&clients.sqs, queues::UPLOADS).await?);
    let sweeper = Sweeper::new(
        client(xero, Config::default(), clock)?,
        tables.clone(),
        changes.clone(),
        clock.clone(),
    );
    let uploader = Uploader::new(
        client(xero, Config::uploading(), clock)?,
        tables.clone(),
        uploads.clone(),
        clock.clone(),
    );
    Ok(Operations::new(Parts {
        sweeper,
        uploader: uploader.with_changes(changes.clone()),
        tables,
        changes,
        uploads,
        letters: letters(clients).await?,
        bus: NoBus,
        clock: clock.clone(),
    }))
}

/// All queues with their dead letters.
async fn letters(clients: &Clients) -> anyhow::Result<AllQueues> {
    let mut urls = Vec::new();
    for name in QueueName::ALL.iter().copied() {
        let queue = if name.takes_messages() {
            Some(queues::url(&clients.sqs, name.code()).await?)
        } else {
            None
        };
        let dead_letters = queues::dead_letters_of(name.code());
        let dead_letters = Some(queues::url(&clients.sqs, &dead_letters).await?);
        urls.push((name, QueueUrls { queue, dead_letters }));
    }
    Ok(AllQueues::new(clients.sqs.clone(), urls))
}

/// A client for Xero with the permissions that `defaults` ask for.
pub(crate) fn client(xero: &Xero, defaults: Config, clock: &Clock) -> anyhow::Result<xero::Client> {
    let config = Config {
        api_url: xero.api_url.parse().context("the address of Xero's API")?,
        identity_url: xero
            .identity_url
            .parse()
            .context("the address of Xero's identity service")?,
        timeout: XERO_TIMEOUT,
        ..defaults
    };
    let client_secret = SecretString::from(xero.client_secret.clone());
    let credentials = Credentials { client_id: xero.client_id.clone(), client_secret };
    let clock = clock.clone();
    xero::Client::new(config, credentials, move || clock.now()).context("no client for Xero")
}

/// The event as the type that the function takes, read as Lambda's runtime reads it.
fn read<T: DeserializeOwned>(call: &Call) -> Result<T, Failure> {
    serde_json::from_slice(&call.event).map_err(|error| {
        let message = format!("failed to deserialize the incoming data: {error}");
        Failure::new("lambda_runtime::deserializer::DeserializeError", message)
    })
}

fn written(answer: &impl Serialize) -> Answer {
    serde_json::to_vec(answer).map_err(|error| failure(&error))
}

/// An error of a function with its causes, in the words of Lambda's error JSON.
fn failure<E: Error>(error: &E) -> Failure {
    Failure::new(std::any::type_name::<E>(), host::telemetry::chain(error))
}
