//! `infra/ci/facts/code.json`, which the checks of the template rely on, against the code.

use std::collections::BTreeSet;

use documents::log_line::LogLines;
use documents::repository::{Document, document, documents};
use documents::rust::{each_level, is, name, texts, tokens};
use serde_json::Value;

/// How the table crate calls DynamoDB, by a method of the client or by a part of a transaction, and the permission that
/// it takes.
const CALLS: &[(&str, &str, &str)] = &[
    ("get_item", "Get", "GetItem"),
    ("query", "", "Query"),
    ("scan", "", "Scan"),
    ("put_item", "Put", "PutItem"),
    ("update_item", "Update", "UpdateItem"),
    ("delete_item", "Delete", "DeleteItem"),
    ("", "ConditionCheck", "ConditionCheckItem"),
    ("batch_get_item", "", "BatchGetItem"),
    ("batch_write_item", "", "BatchWriteItem"),
    ("execute_statement", "", "PartiQL"),
    ("execute_transaction", "", "PartiQL"),
    ("batch_execute_statement", "", "PartiQL"),
];

fn facts() -> Value {
    serde_json::from_str(&document("infra/ci/facts/code.json").text).unwrap()
}

fn list(facts: &Value, pointer: &str) -> BTreeSet<String> {
    let found = facts.pointer(pointer).and_then(Value::as_array);
    let found = found.unwrap_or_else(|| panic!("infra/ci/facts/code.json has no {pointer}"));
    found.iter().map(|each| each.as_str().unwrap().to_owned()).collect()
}

fn sources(folders: &[&str]) -> Vec<Document> {
    let is_ours = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    let found: Vec<_> = documents()
        .into_iter()
        .filter(|document| document.is("rs") && document.path.contains("/src/"))
        .filter(|document| is_ours(&document.path))
        .collect();
    assert!(!found.is_empty(), "{folders:?} hold no source");
    found
}

#[test]
fn what_saved_queries_name_is_logged() {
    let mut logged = LogLines::default();
    for source in sources(&["functions/", "shared/"]) {
        logged.add(&tokens(&source.path, &source.text));
    }
    let facts = facts();
    let fields = list(&facts, "/queries/fields");
    let missing: Vec<_> = fields.difference(&logged.fields).collect();
    assert!(missing.is_empty(), "saved queries name fields that no line has: {missing:?}");
    let messages = list(&facts, "/queries/messages");
    let missing: Vec<_> = messages.difference(&logged.messages).collect();
    assert!(missing.is_empty(), "saved queries name messages that no line has: {missing:?}");
}

#[test]
fn variables_of_the_template_are_read_by_the_crate_or_by_host() {
    let facts = facts();
    let crates = facts["environment"].as_object().unwrap();
    for folder in crates.keys() {
        let code = sources(&[&format!("{folder}/"), "shared/host/"]);
        let texts: BTreeSet<_> =
            code.iter().flat_map(|source| texts(&tokens(&source.path, &source.text))).collect();
        let pointer = format!("/environment/{}", folder.replace('/', "~1"));
        let variables = list(&facts, &pointer);
        let missing: Vec<_> = variables.difference(&texts).collect();
        assert!(missing.is_empty(), "{folder} does not read {missing:?}, which the template sets");
    }
}

#[test]
fn calls_of_dynamodb_are_those_of_the_table_crate() {
    let mut called = BTreeSet::new();
    for source in sources(&["shared/table/"]) {
        each_level(&tokens(&source.path, &source.text), &mut |level| {
            for at in 1..level.len() {
                let Some(word) = name(&level[at]) else { continue };
                let is_method = is(&level[at - 1], '.');
                let is_built =
                    level.get(at + 3).and_then(name).is_some_and(|next| next == "builder");
                let known = CALLS.iter().filter(|(method, part, _)| {
                    (is_method && word == *method) || (is_built && word == *part)
                });
                called.extend(known.map(|(_, _, permission)| (*permission).to_owned()));
            }
        });
    }
    assert_eq!(list(&facts(), "/dynamodb_calls"), called, "left: infra/ci/facts/code.json");
}
