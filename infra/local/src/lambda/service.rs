//! The function half of the system: the function URL, the Invoke API and the pollers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    Host, Worker, function_url, invoke_api,
    poller::{Mapping, Poller},
    scheduler,
    stream::{StreamDepth, stream},
};
use crate::{
    clients::Clients,
    clock::LocalClock,
    clock_control::{Companion, TimeTravel},
    engines::queues,
    external_endpoints::Xero,
    functions::{self, Surroundings},
    isolated_runtime::Half,
    ports::{Place, Ports},
    widgets,
};

/// How long a batch in work may hold up a clean stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// What the function half is started with.
#[derive(Clone, Debug)]
pub struct Functions {
    /// Where they listen.
    pub ports: Ports,
    /// Where the tables are.
    pub dynamodb_url: String,
    /// Where the queues are.
    pub sqs_url: String,
    /// Where S3 is.
    pub s3_url: String,
    /// How Xero is reached.
    pub xero: Xero,
    /// What time it is.
    pub clock: LocalClock,
    /// Whose clock goes with it.
    pub companion: Companion,
    /// Which queue goes to which function, and how long messages are gathered.
    pub mappings: Vec<Mapping>,
}

/// The function half, running.
#[derive(Debug)]
pub struct RunningFunctions {
    half: Half,
    worker: Worker,
    stop: watch::Sender<bool>,
    pollers: JoinSet<()>,
    waiting: StreamDepth,
    /// Where the function URLs are.
    pub url: SocketAddr,
    /// Where the Invoke API is.
    pub invoke: SocketAddr,
}

struct Started {
    url: SocketAddr,
    invoke: SocketAddr,
    worker: Worker,
    pollers: JoinSet<()>,
    waiting: StreamDepth,
}

impl Functions {
    /// Starts them; when this returns, they answer, and the queues are polled.
    ///
    /// # Errors
    ///
    /// A port is in use, a setting is missing, or a queue does not exist.
    pub async fn start(self) -> anyhow::Result<RunningFunctions> {
        let half = Half::new("functions")?;
        let (stop, stopping) = watch::channel(false);
        let started = half.run(self.serve(stopping)).await?;
        let Started { url, invoke, worker, pollers, waiting } = started;
        Ok(RunningFunctions { half, worker, stop, pollers, waiting, url, invoke })
    }

    async fn serve(self, stopping: watch::Receiver<bool>) -> anyhow::Result<Started> {
        let (url_listener, url) = Place::webhook(self.ports.webhook).listen().await?;
        let (invoke_listener, invoke) = Place::invoke(self.ports.invoke).listen().await?;
        let Self { dynamodb_url, sqs_url, s3_url, xero, clock, companion, .. } = self;
        let travel = TimeTravel::new(clock.clone(), companion);
        travel.follow().await;
        let Clients { dynamodb, sqs } = Clients::new(&dynamodb_url, &sqs_url).await;
        let (stream, reader) = stream();
        let waiting = reader.depth();
        let invoke_url = format!("http://{invoke}");
        let surroundings = Surroundings {
            dynamodb_url,
            sqs_url,
            s3_url,
            xero,
            clock: clock.for_functions(),
            invoke_url,
            stream,
        };
        let (host, worker) = functions::start(surroundings).await?;
        let mut pollers = JoinSet::new();
        for mapping in self.mappings {
            // Engines of an earlier version have none; then a schedule's work is done at once.
            let is_new = mapping.queue == queues::SCHEDULES;
            if is_new && queues::url(&sqs, mapping.queue).await.is_err() {
                continue;
            }
            let poller = poller(mapping, host.clone(), sqs.clone(), clock.clone()).await?;
            pollers.spawn(poller.run(stopping.clone()));
        }
        pollers.spawn(reader.run(host.clone(), dynamodb, clock.now(), stopping.clone()));
        pollers.spawn(scheduler::catch_up(host.clone(), stopping.clone()));
        pollers.spawn(scheduler::sweep(host.clone(), clock.clone(), stopping));
        let pages = widgets::router(host.clone());
        tokio::spawn(serve(url_listener, function_url::router(host.clone()).merge(pages)));
        tokio::spawn(serve(invoke_listener, invoke_api::router(host, Arc::new(travel))));
        Ok(Started { url, invoke, worker, pollers, waiting })
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).await {
        tracing::error!(%error, "a server of the functions ended");
    }
}

async fn poller(
    mapping: Mapping,
    host: Host,
    sqs: Client,
    clock: LocalClock,
) -> anyhow::Result<Poller> {
    let queue_url = queues::url(&sqs, mapping.queue).await?;
    let visibility = visibility(&sqs, &queue_url).await?;
    let recursion = mapping.function.recursion();
    Ok(Poller { mapping, host, sqs, queue_url, clock, visibility, recursion })
}

async fn visibility(sqs: &Client, queue_url: &str) -> anyhow::Result<Duration> {
    let name = QueueAttributeName::VisibilityTimeout;
    let request = sqs.get_queue_attributes().queue_url(queue_url).attribute_names(name.clone());
    let answer = request.send().await.with_context(|| format!("cannot read {queue_url}"))?;
    let text = answer.attributes.and_then(|mut attributes| attributes.remove(&name));
    let seconds = text.with_context(|| format!("{queue_url} has no visibility timeout"))?;
    Ok(Duration::from_secs(seconds.parse()?))
}

impl RunningFunctions {
    /// How many rows of the log are not judged yet.
    pub(crate) fn unjudged(&self) -> usize {
        self.waiting.rows()
    }

    /// Ends them cleanly: the pollers finish the batch they have, and the scheduler its call.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let finished = async { while self.pollers.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_WITHIN, finished).await.is_err() {
            tracing::warn!("a batch was not finished in time; its messages will come again");
        }
        self.kill().await;
    }

    /// Ends them as `kill -9` would: their work is cut off in the middle.
    pub async fn kill(self) {
        // The servers and pollers hold the last hosts, so the functions end with them.
        self.half.end().await;
        self.worker.join().await;
    }
}
