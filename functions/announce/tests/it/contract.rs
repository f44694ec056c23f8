//! The contract: a schema and an example for every event, and every event by its schema.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use payments::Logged;
use payments::events::Kind;
use serde_json::{Value, json};

use crate::every_event::Everything;
use crate::world::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/events")
}

fn json_of(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn schema_text(kind: &str) -> Value {
    json_of(&folder().join(format!("{kind}.schema.json")))
}

fn example(kind: &str) -> Value {
    schema_text(kind)["examples"][0].clone()
}

fn schema(kind: &str) -> Validator {
    let schema = schema_text(kind);
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!(schema["title"], kind);
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn readme() -> String {
    std::fs::read_to_string(folder().join("README.md")).unwrap()
}

fn names(folder: &Path, end: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names = files.filter_map(|name| name.to_str()?.strip_suffix(end).map(str::to_owned));
    names.collect()
}

fn kinds() -> BTreeSet<String> {
    Kind::ALL.iter().map(Kind::to_string).collect()
}

#[test]
fn every_event_has_a_schema_and_an_example_and_there_are_no_others() {
    assert_eq!(names(&folder(), ".schema.json"), kinds());
    for kind in kinds() {
        let (text, family) = (schema_text(&kind), kind.split_once('.').unwrap().0);
        for said in ["description", "$comment"] {
            assert!(text[said].as_str().is_some_and(|said| said.len() > 10), "{kind}: no `{said}`");
        }
        assert!(readme().contains(&format!("`{family}.*`")), "README.md lacks `{family}.*`");
        let (schema, example) = (schema(&kind), example(&kind));
        assert!(schema.is_valid(&example), "{kind}: {:?}", schema.validate(&example).err());
    }
}

/// Every payment of the business's own that has gone, or not gone, is announced with its reason (EX-23); the business's
/// own report is not announced back to it. The rows that are no event are a promise to readers, listed in the README.
#[test]
fn the_readme_lists_exactly_the_rows_of_the_log_that_are_no_event_ex_23() {
    let readme = readme();
    let list = readme.split_once("Rows of the log that are no event").unwrap().1;
    let list = list.split("\n\n").nth(1).unwrap();
    let listed: BTreeSet<_> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let quiet = Logged::all().filter(|logged| Kind::of(*logged, false).is_none());
    assert_eq!(listed, quiet.map(|logged| logged.to_string()).collect());
}

/// Every object of every example, and one member too many in it.
#[test]
fn a_member_outside_the_schema_is_refused_wherever_it_stands() {
    for kind in kinds() {
        let (schema, example) = (schema(&kind), example(&kind));
        let objects = example.as_object().unwrap().iter().filter(|(_, value)| value.is_object());
        let places = objects.map(|(name, _)| format!("/{name}")).chain([String::new()]);
        for place in places {
            let mut more = example.clone();
            more.pointer_mut(&place).unwrap()["surprise"] = json!("x");
            assert!(!schema.is_valid(&more), "{kind}: a member more in `{place}`");
        }
    }
}

/// An amount is text with digits, so that no reader makes a float of it (CM-13).
#[test]
fn an_amount_that_is_a_number_is_refused_cm_13() {
    for kind in kinds() {
        for object in ["payment", "provider_invoice"] {
            let mut wrong = example(&kind);
            if let Some(found) = wrong.get_mut(object) {
                found["amount"] = json!(46);
                assert!(!schema(&kind).is_valid(&wrong), "{kind}");
            }
        }
    }
}

#[tokio::test]
async fn every_event_is_sent_and_fits_its_schema() {
    let world = World::new().await;
    Everything(&world).happens().await;
    for (kind, detail) in world.announce().await {
        let schema = schema(&kind);
        assert!(
            schema.is_valid(&detail),
            "{kind}: {:?}\n{detail:#}",
            schema.validate(&detail).err()
        );
    }
    assert_eq!(world.kinds().into_iter().collect::<BTreeSet<_>>(), kinds());
}
