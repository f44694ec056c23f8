//! Tokens may have leaked: the runbook's command is given, and no token works any more (XC-30).

use std::time::Instant;

use jiff::SignedDuration;
use payments::grant::{Grants as _, Pair, Pairs as _};
use payments::upload::UploadSettings;
use payments::{GrantId, OrganisationId, Settings};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use xero_simulator::{Consent, Effect, Fault, NewOrganisation};

use crate::authorisation::Users;

const ORGANISATIONS: usize = 100;
const PER_USER: usize = 5;

/// A hundred organisations, five of each user, all signed up, three of five with uploads. The tokens, as a thief has them.
async fn hundred(users: &Users) -> Vec<Pair> {
    let world = &users.world;
    let template = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let upload = UploadSettings::new("2026-03-01".parse().unwrap(), account);
    let mut stolen = Vec::new();
    for user in 0..ORGANISATIONS / PER_USER {
        let authorise = users.authorise(json!({})).await;
        let url: url::Url = authorise["url"].as_str().unwrap().parse().unwrap();
        let asked = |name: &str| url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
        let new = || world.simulator.add_organisation(NewOrganisation::default()).unwrap();
        let organisations: Vec<_> = (0..PER_USER).map(|_| new()).collect();
        let code = world.simulator.consent(Consent {
            client_id: asked("client_id"),
            redirect_uri: asked("redirect_uri"),
            scopes: asked("scope").split(' ').map(str::to_owned).collect(),
            organisations: organisations.clone(),
            user: Some(format!("user {user}")),
        });
        users.connect(&code.unwrap(), &asked("state")).await.unwrap();
        let grant: GrantId = authorise["grant"].as_str().unwrap().parse().unwrap();
        stolen.push(users.secrets().pair(grant).await.unwrap().unwrap());
        for (place, id) in organisations.into_iter().enumerate() {
            let upload = (place % 2 == 0).then(|| upload.clone());
            let organisation = OrganisationId::new(id);
            let settings = Settings { organisation, upload, ..template.clone() };
            world.tables.store_settings(&settings).await.unwrap();
        }
    }
    stolen
}

/// The payload that the runbook gives.
fn of_the_runbook() -> Value {
    let mut payloads = harness::runbook::payloads(commands::FUNCTION).into_iter();
    payloads.find(|payload| payload["command"]["contain_leak"].is_object()).expect("it is there")
}

async fn ordered(users: &Users) -> Value {
    let login = users.login();
    let operations = users.world.operations().with_grants(users.secrets(), login);
    let deadline = users.world.now() + SignedDuration::from_mins(5);
    let reply = operations.handle(&of_the_runbook(), deadline).await.unwrap();
    serde_json::to_value(reply).unwrap()
}

#[tokio::test]
async fn one_command_of_the_runbook_makes_every_token_useless_and_stops_every_upload() {
    // XC-30
    let users = Users::new().await;
    let stolen = hundred(&users).await;
    let world = &users.world;
    let down = Effect::Status { status: 503, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("POST", "/connect/revocation", down).times(1));

    let begun = Instant::now();
    let first = ordered(&users).await;
    assert_eq!(first["at_risk"].as_array().unwrap().len(), 1, "{first}");
    let second = ordered(&users).await;
    let seconds = begun.elapsed().as_secs();
    assert!(seconds < 60, "{seconds} seconds until no token works");

    assert_eq!((&first["revoked"], &second["revoked"]), (&json!(19), &json!(1)));
    assert_eq!(second["at_risk"], json!([]));
    let listed = first["organisations"].as_array().unwrap();
    assert!(listed.len() >= ORGANISATIONS, "{}", listed.len());
    assert_eq!(listed.iter().filter(|of| of["uploads_until"].is_string()).count(), 60);
    let message = first["message"].as_str().unwrap();
    assert!(message.contains("api@support.xero.com") && message.contains("24 hours"), "{message}");
    assert!(message.contains("since 2026-11-23"), "{message}");

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for pair in &stolen {
        let url = format!("{}/connections", world.xero_url);
        let token = pair.access_token.expose_secret();
        let answer = http.get(url).bearer_auth(token).send().await.unwrap();
        assert_ne!(answer.status(), 200, "a thief's token");
        assert!(!message.contains(token) && !message.contains(pair.refresh_token.expose_secret()));
    }
    for grant in world.tables.every_grant().await.unwrap() {
        assert!(grant.dead.is_some(), "{grant:?}");
        assert!(users.secrets().pair(grant.id).await.unwrap().is_none());
        for organisation in grant.organisations {
            assert!(world.tables.grant_of(organisation).await.unwrap().unwrap().dead.is_some());
        }
    }
    assert!(world.tables.uploading_organisations().await.unwrap().is_empty());
    let rows = world.rows("messages").await;
    let lost = rows.iter().filter(|row| row["kind"] == "CONNECTION_LOST");
    assert_eq!(lost.count(), ORGANISATIONS, "each organisation has one message");
    let log = world.rows("activity").await;
    let orders: Vec<_> = log
        .iter()
        .filter(|row| row.get("subject").is_some_and(|of| of == "contain_leak"))
        .collect();
    assert!(orders.iter().all(|row| row["by"] == "Wilma" && row["why"] == "a laptop was lost"));
    assert_eq!(orders.len(), 62, "60 organisations, and the command twice");
}
