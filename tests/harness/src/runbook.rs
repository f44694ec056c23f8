//! The commands of `infra/runbook.md`, which each function must understand.

use serde_json::Value;

const RUNBOOK: &str = include_str!("../../../infra/runbook.md");
const ID: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

/// The payloads that the runbook gives to a function, with ids in the places of names such as ORG.
pub fn payloads(function: &str) -> Vec<Value> {
    let text = RUNBOOK.replace("\\\n", " ");
    let call = format!("--function-name paymirror-{function} ");
    let found = text.split(&call).skip(1).filter_map(|rest| {
        let payload = rest.split_once("--payload '")?.1.split_once('\'')?.0;
        let payload = payload
            .replace("\"ORG\"", &format!("\"{ID}\""))
            .replace("\"GRANT\"", &format!("\"{ID}\""));
        Some(serde_json::from_str(&payload).unwrap_or_else(|error| panic!("{payload}: {error}")))
    });
    let found: Vec<_> = found.collect();
    assert!(!found.is_empty(), "the runbook gives no payload to {function}");
    found
}
