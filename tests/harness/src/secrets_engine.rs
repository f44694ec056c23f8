//! What Secrets Manager does with the secrets that are read and deleted: an engine of its API in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::crash_point::{CrashPoint, CurrentCrashPoint};
use crate::http;

#[derive(Debug)]
struct KeptSecret {
    text: String,
    /// It waits for its end, for so many days.
    ends_in: Option<u64>,
}

#[derive(Clone, Default)]
struct Engine {
    inside: Arc<Mutex<Inside>>,
    crash_point: Arc<CurrentCrashPoint>,
}

#[derive(Debug, Default)]
struct Inside {
    secrets: BTreeMap<String, KeptSecret>,
    calls: BTreeMap<String, usize>,
    refuses: Option<String>,
}

/// Secrets Manager in memory.
#[derive(Clone)]
pub struct SecretsEngine {
    /// Where it is reached.
    pub url: String,
    engine: Engine,
}

impl SecretsEngine {
    pub async fn start() -> Self {
        let engine = Engine::default();
        let (listener, url) = http::listener().await;
        let app = Router::new().fallback(answer).with_state(engine.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, engine }
    }

    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.engine.crash_point.set(crash_point);
    }

    /// A person puts a secret there.
    pub fn put(&self, name: &str, text: impl Into<String>) {
        let kept = KeptSecret { text: text.into(), ends_in: None };
        self.engine.inside.lock().unwrap().secrets.insert(name.to_owned(), kept);
    }

    /// The text of a secret, also of one that waits for its end.
    pub fn text(&self, name: &str) -> Option<String> {
        self.engine.inside.lock().unwrap().secrets.get(name).map(|kept| kept.text.clone())
    }

    /// In how many days a secret that was deleted ends.
    pub fn ends_in(&self, name: &str) -> Option<u64> {
        self.engine.inside.lock().unwrap().secrets.get(name).and_then(|kept| kept.ends_in)
    }

    /// How many secrets are paid for: those that do not wait for their end.
    pub fn count(&self) -> usize {
        let inside = self.engine.inside.lock().unwrap();
        inside.secrets.values().filter(|kept| kept.ends_in.is_none()).count()
    }

    /// How often an operation was called since the last time.
    pub fn take_calls(&self, operation: &str) -> usize {
        self.engine.inside.lock().unwrap().calls.remove(operation).unwrap_or_default()
    }

    /// From now on it refuses this operation, or none.
    pub fn refuse(&self, operation: Option<&str>) {
        self.engine.inside.lock().unwrap().refuses = operation.map(str::to_owned);
    }
}

async fn answer(
    State(engine): State<Engine>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.trim_start_matches("secretsmanager.").to_owned();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let has_effect = operation != "GetSecretValue";
    let done = async { engine.inside.lock().unwrap().execute(operation, &request) };
    engine.crash_point.pass(has_effect, done).await
}

impl Inside {
    fn execute(&mut self, operation: String, request: &Value) -> (StatusCode, String) {
        let name = request["SecretId"].as_str().unwrap_or_default();
        *self.calls.entry(operation.clone()).or_default() += 1;
        if self.refuses.as_ref() == Some(&operation) {
            return refused("AccessDeniedException");
        }
        let Some(kept) = self.secrets.get_mut(name) else {
            return refused("ResourceNotFoundException");
        };
        if kept.ends_in.is_some() {
            return refused("InvalidRequestException");
        }
        let mut answer = json!({"ARN": name, "Name": name});
        match operation.as_str() {
            "GetSecretValue" => answer["SecretString"] = json!(kept.text),
            "DeleteSecret" if request["ForceDeleteWithoutRecovery"] == json!(true) => {
                self.secrets.remove(name);
            }
            "DeleteSecret" => kept.ends_in = request["RecoveryWindowInDays"].as_u64(),
            _ => return refused("InvalidParameterException"),
        }
        (StatusCode::OK, answer.to_string())
    }
}

fn refused(code: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, json!({"__type": code, "Message": "no"}).to_string())
}
