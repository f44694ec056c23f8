//! Every scenario in `tests/scenarios/uploading` comes true.
//!
//! The payments and the open invoices go in; what goes to Xero, and why the rest does not, is
//! compared exactly. `tests/scenarios/README.md` describes how the files are written.

mod format;
mod words;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use format::Scenario;
use world::World;

/// The rules that decide what goes, in which night, to which invoice. U15 and U17 are about a run that
/// dies, or comes twice, and are tested with the function.
const RULES: &[&str] = &[
    "U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8", "U9", "U10", "U11", "U12", "U13", "U14", "U18",
    "EX-01", "EX-02", "EX-03", "EX-04", "EX-05", "EX-06", "EX-07", "EX-08", "EX-09", "EX-10",
    "EX-11", "EX-12", "EX-13", "EX-14", "EX-19", "EX-28", "EX-31", "EX-32", "EX-33", "EX-35",
    "X-15", "A2.1", "A7.4", "AMB-06", "AMB-08", "AMB-10", "AMB-12", "AMB-13", "AMB-14", "AMB-16",
    "AMB-17",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/uploading")
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the folder of scenarios can be read");
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Result<Scenario, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let scenario: Scenario = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if scenario.rules.is_empty() || scenario.nights.is_empty() || scenario.title.is_empty() {
        return Err("a scenario has rules, a title and nights".to_owned());
    }
    Ok(scenario)
}

/// Plays a scenario; the answer lists every difference, night by night.
fn play(scenario: &Scenario) -> Vec<String> {
    let mut world = World::given(&scenario.given);
    let mut differences = Vec::new();
    for night in &scenario.nights {
        world.play(night);
        let found = world.differences(&night.then);
        differences.extend(found.into_iter().map(|text| format!("{}: {text}", night.night)));
    }
    differences
}

#[test]
fn every_scenario_comes_true() {
    let mut failures = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match read(&path) {
            Ok(scenario) => {
                let differences = play(&scenario);
                if !differences.is_empty() {
                    let text = differences.join("\n    ");
                    failures.push(format!("{name}: {}\n    {text}", scenario.title));
                }
            }
            Err(error) => failures.push(format!("{name} cannot be read: {error}")),
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert!(!files().is_empty());
}

#[test]
fn every_rule_about_what_goes_up_has_a_scenario() {
    let covered: BTreeSet<String> = files()
        .iter()
        .filter_map(|path| read(path).ok())
        .flat_map(|scenario| scenario.rules)
        .collect();
    let missing: Vec<_> = RULES.iter().filter(|rule| !covered.contains(**rule)).collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
    let unknown: Vec<_> = covered.iter().filter(|rule| !RULES.contains(&rule.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not among the rules that must be covered");
}

#[test]
fn an_expectation_that_is_misspelt_is_an_error_and_not_ignored() {
    let text = r#"{"rules": ["U1"], "title": "t", "given": {}, "nights": [
        {"night": "2026-03-10", "then": {"payments": [{"id": "a", "sends": ["1.00 on CM-1"]}]}}]}"#;
    let error = serde_json::from_str::<Scenario>(text).unwrap_err();
    assert!(error.to_string().contains("sends"), "{error}");
}

#[test]
fn an_expectation_that_does_not_come_true_is_told_in_words() {
    let text = r#"{"rules": ["U1"], "title": "t",
        "given": {"customers": [{"id": "K", "contact": "c1"}],
            "invoices": [{"number": "CM-1", "issued": "2026-01-10", "due": "100.00"}],
            "payments": [
                {"id": "a", "amount": "100.00", "method": "bpay", "customer": "K"},
                {"id": "b", "amount": "5.00", "method": "batch_debit"}]},
        "nights": [{"night": "2026-03-10", "then": {"carried": 1,
            "payments": [{"id": "a", "send": ["99.00 on CM-1"]}]}}]}"#;
    let differences = play(&serde_json::from_str(text).unwrap());
    assert_eq!(
        differences,
        [
            "2026-03-10: a: expected send 99.00 on CM-1, got send 100.00 on CM-1",
            "2026-03-10: b is not listed: skipped no_customer",
            "2026-03-10: carried: expected 1, got 0",
        ]
    );
}
