//! `cargo run -- connect`: a user of Xero grants organisations, tried on this machine. The two orders
//! are those that an operator gives the function `sweep`; in between, a browser goes to Xero and comes back.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use axum::{Router, extract::RawQuery, routing::get};
use host::{clock::Clock, env::Environment, grants::GrantSecrets};
use jiff::SignedDuration;
use queue::{AllQueues, ChangesQueue};
use serde_json::{Value, json};
use sweep::Sweeper;
use table::Tables;
use tokio::{net::TcpListener, sync::mpsc};
use url::{Url, form_urlencoded};
use xero::{Config, LOGIN_URL};

use crate::{
    clients::Clients,
    engines::queues,
    external_endpoints::Elsewhere,
    functions::{client, letters},
    ports::Ports,
    simulator::sample_xero,
};

/// Where the browser comes back to. An app at Xero itself has to name this address as one of its own.
const BACK: &str = "http://localhost:9500/back";
/// The same, to listen on.
const LISTENS_ON: &str = "127.0.0.1:9500";
/// Folder of the tokens inside the data directory. The functions here are let in by a custom connection and
/// do not read it.
const FOLDER: &str = "grants";
/// How long an order may take.
const ORDER_MAX: SignedDuration = SignedDuration::from_mins(1);

/// Sends a user to the Xero that runs, or to the one that the environment points to, and makes a grant of
/// the code that comes back.
///
/// # Errors
///
/// The port is in use, nothing runs, the user does not agree, or Xero does not.
pub(crate) async fn run(ports: Ports, data: &Path) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind(LISTENS_ON).await.context(LISTENS_ON)?;
    let (said, mut back) = mpsc::channel(1);
    let answer = move |RawQuery(query): RawQuery| async move {
        // A browser may ask twice; the first time counts.
        let _ = said.try_send(query.unwrap_or_default());
        "Thank you. You can close this page."
    };
    let app = Router::new().route("/back", get(answer));
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let clock = Clock::system();
    let sweeper = sweeper(ports, data, &clock).await.context("does `cargo run` stay up?")?;
    let order = async |event: Value| -> anyhow::Result<Value> {
        let deadline = clock.now().saturating_add(ORDER_MAX)?;
        Ok(serde_json::to_value(sweeper.handle(&event, deadline).await?)?)
    };

    let who = json!({"redirect_uri": BACK, "by": "local", "why": "tried on this machine"});
    let authorise = order(json!({"authorise": who})).await?;
    let url = authorise["authorise"]["url"].as_str().context("no address in the answer")?;
    println!("Open this in a browser, within ten minutes:\n\n  {url}\n");
    let query = back.recv().await.context("the listener has ended")?;
    serving.abort();

    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    };
    let (Some(code), Some(state)) = (value("code"), value("state")) else {
        bail!("the user did not agree: {}", value("error").unwrap_or_default());
    };
    let brought =
        json!({"code": code, "state": state, "by": "local", "why": "the user has agreed"});
    let connect = order(json!({"connect": brought})).await?;
    println!("{}", serde_json::to_string_pretty(&connect["connect"])?);
    println!("\nThe tokens are in {}.", data.join(FOLDER).display());
    Ok(ExitCode::SUCCESS)
}

async fn sweeper(
    ports: Ports,
    data: &Path,
    clock: &Clock,
) -> anyhow::Result<Sweeper<ChangesQueue, AllQueues>> {
    let here = |port| format!("http://127.0.0.1:{port}");
    let Elsewhere { dynamodb_url, sqs_url, xero } = Elsewhere::from_env(&Environment::process())?;
    let login: Url = match xero {
        Some(_) => LOGIN_URL.parse()?,
        None => format!("{}/identity/connect/authorize", here(ports.simulator)).parse()?,
    };
    let xero = xero.unwrap_or_else(|| sample_xero(&here(ports.simulator)));
    let dynamodb_url = dynamodb_url.unwrap_or_else(|| here(ports.dynamodb));
    let clients = Clients::new(&dynamodb_url, &sqs_url.unwrap_or_else(|| here(ports.sqs))).await;
    let changes_url = queues::url(&clients.sqs, queues::CHANGES).await?;
    let sweeper = Sweeper::new(
        client(&xero, Config::default(), clock)?,
        Tables::new(clients.dynamodb.clone(), String::new()),
        ChangesQueue::new(clients.sqs.clone(), changes_url),
        letters(&clients).await?,
        clock.clone(),
    );
    Ok(sweeper.with_grants(GrantSecrets::in_folder(data.join(FOLDER)), login))
}
