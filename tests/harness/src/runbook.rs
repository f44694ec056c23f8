//! The commands of `infra/runbook.md`, which each function must understand.

use serde_json::Value;

const RUNBOOK: &str = include_str!("../../../infra/runbook.md");
const ID: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

/// The lines behind `cargo run -- command` that the runbook gives, word for word, with ids in the places of names.
pub fn commands() -> Vec<Vec<String>> {
    let text = RUNBOOK.replace("\\\n", " ");
    let found = text.split("cargo run -- command ").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?;
        // The sentence about it, which has no name of a command.
        (!line.contains('`')).then(|| words(line))
    });
    let found: Vec<_> = found.collect();
    assert!(!found.is_empty(), "the runbook gives no command");
    found
}

/// The words of a line as a shell has them: only double quotes hold several together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (position, part) in line.split('"').enumerate() {
        if position % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(|word| match word {
                "ORG" | "GRANT" => ID.to_owned(),
                word => word.to_owned(),
            }));
        }
    }
    words
}

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
