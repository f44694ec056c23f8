//! What the README promises: permissions, variables, metrics; and how the function starts.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use harness::ScriptedServer;
use host::clock::Clock;
use host::connection::ConnectionError;
use host::env::Environment;
use mirror::{Mirror, StartError};
use serde_json::{Value, json};

use crate::world::{
    World, advance, at, at_most_two_minutes, events, now, organisation, paid, record,
};
use crate::xero::Reply;

const README: &str = include_str!("../../README.md");

/// Table or index, and the actions that a call takes there.
fn actions(operation: &str, body: &str) -> Vec<(String, &'static str)> {
    let body: Value = serde_json::from_str(body).unwrap();
    let on = |body: &Value| {
        let table = body["TableName"].as_str().unwrap();
        match body["IndexName"].as_str() {
            Some(index) => format!("{table}/index/{index}"),
            None => table.to_owned(),
        }
    };
    match operation.split(' ').next().unwrap_or_default() {
        "GetItem" => vec![(on(&body), "GetItem")],
        "Query" => vec![(on(&body), "Query")],
        "PutItem" => vec![(on(&body), "PutItem")],
        "UpdateItem" => vec![(on(&body), "UpdateItem")],
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            tables.map(|table| (table.clone(), "BatchGetItem")).collect()
        }
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().unwrap();
            let action = |item: &Value| match (item.get("Put"), item.get("Delete")) {
                (Some(put), _) => (on(put), "PutItem"),
                (_, Some(delete)) => (on(delete), "DeleteItem"),
                _ => panic!("{item}"),
            };
            items.iter().map(action).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_function_needs_the_permissions_of_the_readme_and_no_others() {
    // FAULT-30: least privilege.
    let (world, records) = crate::crashes::eventful().await;
    world.proxy.heal();
    world.drain(records).await;
    // What does not happen there: a held payment is let go, and something does not agree.
    let mut let_in = crate::world::paper(1, vec![paid(11, 2, 100), paid(12, 2, 200)]);
    let_in.updated_at = at(100);
    "Somebody else".clone_into(&mut let_in.contact);
    world.xero.put(organisation(), crate::world::invoice(1), let_in);
    world.deliver(&[record("m", events(&[1], Some(at(100))))]).await;
    // An invoice says who owes it.
    world.owed_by(5, "K-1").await;
    let mut owed = crate::world::paper(5, vec![paid(51, 2, 500)]);
    owed.updated_at = at(150);
    world.xero.put(organisation(), crate::world::invoice(5), owed);
    world.deliver(&[record("m", events(&[5], Some(at(150))))]).await;
    // And a mass change, with a brake so tight that two payments are one.
    world.set_up(organisation(), |settings| settings.mass_change_max = Some(1)).await;
    let mut gone = crate::world::paper(1, vec![]);
    gone.updated_at = at(200);
    world.xero.put(organisation(), crate::world::invoice(1), gone);
    world.deliver(&[record("m", events(&[1], Some(at(200))))]).await;

    let mut needed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for call in world.proxy.calls() {
        for (table, action) in actions(&call.operation, &call.body) {
            needed.entry(table).or_default().insert(action);
        }
    }
    let section = README.split("## Permissions").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut promised: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let mut names = row.split('`').skip(1).step_by(2);
        promised.insert(names.next().unwrap().to_owned(), names.collect());
    }
    assert_eq!(promised, needed);
}

#[test]
fn the_readme_names_every_variable_and_every_metric() {
    let named = |source: &'static str, before: &str| -> Vec<&str> {
        let parts = source.split(before).skip(1);
        parts.filter_map(|part| part.split('"').nth(1)).collect()
    };
    let counters = include_str!("../../src/tally.rs").split("metric \"").skip(1);
    let mut names: Vec<&str> = counters.filter_map(|rest| rest.split('"').next()).collect();
    let connection = include_str!("../../../../shared/host/src/connection.rs");
    for source in [include_str!("../../src/lib.rs"), connection] {
        for method in ["env.optional(", "env.required(", "env.secret(", "env.parsed(", "url("] {
            let is_variable =
                |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            names.extend(named(source, method).into_iter().filter(is_variable));
        }
    }
    assert!(names.len() > 18, "{names:?}");
    for name in names {
        assert!(README.contains(&format!("`{name}`")), "{name} is not in the README");
    }
}

/// The environment of a function that starts, without these variables and with those.
pub fn environment(changes: &[(&'static str, &'static str)]) -> Environment {
    let mut variables = BTreeMap::from([
        ("CHANGES_QUEUE_URL", "http://127.0.0.1:1/000000000000/changes"),
        ("XERO_CLIENT_ID", "id"),
        ("XERO_CLIENT_SECRET", "secret-canary"),
    ]);
    variables.extend(changes.iter().copied());
    Environment::given(variables)
}

pub fn aws(url: &str) -> host::SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    host::SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-southeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(url)
        .build()
}

#[tokio::test]
async fn a_start_that_fails_names_the_variable_and_never_its_value() {
    let start = async |changes: &[(&'static str, &'static str)]| {
        Mirror::from_env(&environment(changes), &aws("http://127.0.0.1:1"), Clock::new(now))
            .await
            .map(|_| ())
    };
    start(&[]).await.unwrap();
    for name in ["CHANGES_QUEUE_URL", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"] {
        let error = match start(&[(name, "")]).await.unwrap_err() {
            StartError::Environment(error)
            | StartError::Connection(ConnectionError::Environment(error)) => error,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(error.name, name);
    }
    let wrong = [
        ("XERO_API_URL", "canary"),
        ("XERO_IDENTITY_URL", "file:///canary"),
        ("XERO_IDS_MAX", "canary"),
    ];
    for (name, value) in wrong {
        let error = start(&[(name, value)]).await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(name) && !text.contains("canary"), "{text}");
    }
    for (name, value) in
        [("XERO_IDS_MAX", "0"), ("XERO_IDS_MAX", "51"), ("XERO_API_URL", "http://a.b")]
    {
        let error = start(&[(name, value)]).await.unwrap_err();
        assert!(matches!(error, StartError::Xero(_)), "{error:?}");
    }
}

/// Secrets Manager, DynamoDB and SQS at one address, as a function sees them.
pub async fn cloud(
    dynamo: String,
    secret: impl Fn() -> &'static str + Clone + Send + Sync + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let http = harness::http::client();
    let app = Router::new().fallback(move |request: Request| {
        let (http, dynamo, secret) = (http.clone(), dynamo.clone(), secret.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let target = parts.headers["x-amz-target"].to_str().unwrap().to_owned();
            let answer: axum::body::Bytes = if target.starts_with("secretsmanager") {
                let secret = json!({"client_id": "id", "client_secret": secret()}).to_string();
                json!({"Name": "xero-api", "SecretString": secret}).to_string().into()
            } else if target.starts_with("AmazonSQS") {
                let request: Value = serde_json::from_slice(&body).unwrap();
                let entries = request["Entries"].as_array().unwrap();
                let done: Vec<_> = entries
                    .iter()
                    .map(|e| json!({"Id": e["Id"], "MessageId": "m", "MD5OfMessageBody": "x"}))
                    .collect();
                json!({"Successful": done, "Failed": []}).to_string().into()
            } else {
                let mut headers = parts.headers.clone();
                headers.remove("host");
                let sent = http.post(&dynamo).headers(headers).body(body).send().await.unwrap();
                sent.bytes().await.unwrap()
            };
            Response::new(Body::from(answer))
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn credentials_that_were_replaced_are_read_again_without_a_restart() {
    // CC-21, A7.3: the secret was rotated at Xero and then here; a function that is running
    // finds out when it is refused.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let rotated = at(50);
    let secret = move || if now() < rotated { "old" } else { "new" };
    let url = cloud(world.proxy.url.clone(), secret).await;
    let (xero, queue): (&'static str, &'static str) =
        (world.xero.url.clone().leak(), format!("{url}/000000000000/changes").leak());
    let variables = environment(&[
        ("XERO_API_SECRET_ARN", "arn:aws:secretsmanager:ap-southeast-2:000000000000:secret:x"),
        ("XERO_API_URL", xero),
        ("XERO_IDENTITY_URL", xero),
        ("CHANGES_QUEUE_URL", queue),
    ]);
    let mirror = Mirror::from_env(&variables, &aws(&url), Clock::new(now)).await.unwrap();
    let refusal = Reply::status(400, r#"{"error":"invalid_client"}"#);
    world.xero.script(move |seen, _| {
        let old = seen.header("authorization") == "Basic aWQ6b2xk"; // id:old
        (seen.path == "/connect/token" && old).then(|| refusal.clone())
    });
    let deliver = async || {
        let mut event = aws_lambda_events::sqs::SqsEvent::default();
        event.records = vec![record("m-1", events(&[1], Some(at(-3))))];
        mirror.handle(event, at_most_two_minutes()).await.unwrap()
    };

    deliver().await;
    assert_eq!(world.stored(1).await.payments.len(), 0);
    advance(std::time::Duration::from_secs(61));
    deliver().await;
    advance(std::time::Duration::from_secs(1));
    let answer = deliver().await;

    assert!(answer.batch_item_failures.is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1);
}

#[tokio::test]
async fn a_message_that_failed_comes_again_in_seconds() {
    // FAULT-33
    let gone = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"gone"}"#;
    let cloud = ScriptedServer::start(move |seen| {
        if seen.header("x-amz-target").starts_with("AmazonSQS") {
            Reply::ok(r#"{"Successful":[{"Id":"0"}],"Failed":[]}"#)
        } else {
            Reply::status(400, gone)
        }
    })
    .await;
    let queue: &'static str = format!("{}/000000000000/changes", cloud.url).leak();
    let variables = environment(&[("CHANGES_QUEUE_URL", queue)]);
    let mirror = Mirror::from_env(&variables, &aws(&cloud.url), Clock::new(now)).await.unwrap();
    let mut event = aws_lambda_events::sqs::SqsEvent::default();
    let mut failing = record("m-1", events(&[1], Some(at(-3))));
    failing.receipt_handle = Some("as it was received".to_owned());
    event.records = vec![failing];

    let answer = mirror.handle(event, at_most_two_minutes()).await.unwrap();

    assert_eq!(answer.batch_item_failures.len(), 1);
    let asked = cloud.seen();
    let asked = asked
        .iter()
        .find(|seen| seen.header("x-amz-target") == "AmazonSQS.ChangeMessageVisibilityBatch");
    let asked: Value = serde_json::from_str(&asked.unwrap().body).unwrap();
    let entry = json!({"Id": "0", "ReceiptHandle": "as it was received", "VisibilityTimeout": 15});
    assert_eq!(asked["Entries"], json!([entry]));
}
