//! `cargo run -- connect`: a user of Xero connects organisations, tried on this machine. The function `connect` itself
//! answers the browser; the Xero that it leads to is the simulated one, or the one that the environment points to.

use std::{net::SocketAddr, path::Path, process::ExitCode};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Response, StatusCode},
    response::IntoResponse as _,
};
use connect::Connector;
use host::{clock::Clock, env::Environment, grants::GrantFiles};
use payments::{
    GrantId,
    budget::Purpose,
    oauth_state::{Invitation, LINK_MAX, until},
    permission::{self, Feature},
};
use table::Tables;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use url::Url;
use uuid::Uuid;
use xero::{Config, LOGIN_URL};

use crate::{
    clients::Clients,
    external_endpoints::Elsewhere,
    functions::client,
    lambda::{PAYLOAD_BYTES_MAX, function_url},
    ports::Ports,
    simulator::sample_xero,
};

/// Where the function is. An app at Xero itself has to name `callback` below it as one of its own addresses.
const ADDRESS: &str = "http://localhost:9500/";
/// The same, to listen on.
const LISTENS_ON: &str = "127.0.0.1:9500";
/// Folder of the tokens inside the data directory. The other functions here are let in by a custom connection and
/// do not read it.
const FOLDER: &str = "grants";

/// A request, as Lambda hands it over, and where its answer goes.
type Asked = (serde_json::Value, oneshot::Sender<Vec<u8>>);

/// Serves the function `connect`, and prints a link to it; and another one for each line that is typed.
///
/// # Errors
///
/// The port is in use, or nothing runs.
pub(crate) async fn run(ports: Ports, data: &Path) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind(LISTENS_ON).await.context(LISTENS_ON)?;
    let clock = Clock::system();
    let parts = Parts::new(ports, data).await?;
    let connect = parts.function(&clock)?;
    let (asks, mut asked) = mpsc::channel::<Asked>(16);
    let app = Router::new().fallback(answer).with_state(asks);
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    parts.print_link(&clock).await.context("does `cargo run` stay up?")?;
    let mut lines = typed_lines();
    loop {
        tokio::select! {
            Some((event, back)) = asked.recv() => {
                let answer = connect.handle(&serde::Deserialize::deserialize(event)?).await;
                // A browser that has gone needs no answer.
                let _ = back.send(serde_json::to_vec(&answer)?);
            }
            Some(()) = lines.recv() => parts.print_link(&clock).await?,
            else => break,
        }
    }
    serving.abort();
    Ok(ExitCode::SUCCESS)
}

/// Says each time that a person has pressed Enter.
fn typed_lines() -> mpsc::Receiver<()> {
    let (line, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            if line.blocking_send(()).is_err() {
                return;
            }
        }
    });
    lines
}

async fn answer(
    State(asks): State<mpsc::Sender<Asked>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, PAYLOAD_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let event = function_url::event(&parts, &body, caller, host::clock::now());
    let (back, answered) = oneshot::channel();
    let sent = asks.send((event, back)).await.is_ok();
    match answered.await {
        Ok(answer) if sent => function_url::response(&answer),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// What the function is put together from.
struct Parts {
    xero: crate::external_endpoints::Xero,
    login: Url,
    tables: Tables,
    secrets: GrantFiles,
    console: String,
}

impl Parts {
    async fn new(ports: Ports, data: &Path) -> anyhow::Result<Self> {
        let here = |port| format!("http://127.0.0.1:{port}");
        let Elsewhere { dynamodb_url, sqs_url, xero, .. } =
            Elsewhere::from_env(&Environment::process())?;
        let login: Url = match xero {
            Some(_) => LOGIN_URL.parse()?,
            None => format!("{}/identity/connect/authorize", here(ports.simulator)).parse()?,
        };
        let xero = xero.unwrap_or_else(|| sample_xero(&here(ports.simulator)));
        let dynamodb_url = dynamodb_url.unwrap_or_else(|| here(ports.dynamodb));
        let clients =
            Clients::new(&dynamodb_url, &sqs_url.unwrap_or_else(|| here(ports.sqs))).await;
        Ok(Self {
            xero,
            login,
            tables: Tables::new(clients.dynamodb.clone(), String::new()),
            secrets: GrantFiles::new(data.join(FOLDER)),
            console: format!("{}/console", here(ports.webhook)),
        })
    }

    fn function(&self, clock: &Clock) -> anyhow::Result<Connector> {
        let connect = Connector::new(
            client(&self.xero, Config::default(), clock)?,
            self.tables.clone(),
            self.secrets.clone(),
            self.login.clone(),
            ADDRESS.parse()?,
            clock.clone(),
        );
        Ok(connect.with_console(self.console.clone()))
    }

    async fn print_link(&self, clock: &Clock) -> anyhow::Result<()> {
        let client = client(&self.xero, Config::default(), clock)?;
        let xero = access::Xero::with(client, &self.tables, Purpose::Sweep)
            .with_grants(self.secrets.clone(), &self.tables);
        let now = clock.now();
        let invitation = Invitation {
            grant: GrantId::new(Uuid::new_v4()),
            organisation: None,
            scopes: permission::scopes(&[Feature::Mirror].into()),
            until: until(now, LINK_MAX),
            used: false,
            by: "local".to_owned(),
            why: "tried on this machine".to_owned(),
        };
        let link = xero.invite(&self.tables, &ADDRESS.parse()?, &invitation, now).await?;
        println!("Open this in a browser; it works once. Enter makes another one.\n\n  {link}\n");
        Ok(())
    }
}
