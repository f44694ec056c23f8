//! Every scenario in `tests/scenarios/mirroring` comes true.
//!
//! What Xero shows goes in, what must become of the local payments is compared exactly.
//! `tests/scenarios/README.md` describes how the files are written.

use std::collections::BTreeSet;

use scenarios::mirror;

/// The rules about mirroring that one look at one invoice decides. The others of their families
/// are about reading, queues, timing or pages, and are tested there.
const RULES: &[&str] = &[
    "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "V13", "V14", "V15",
    "V16", "V17", "V18", "V19", "V20", "V21", "CM-01", "CM-05", "CM-06", "CM-07", "CM-08", "CM-09",
    "CM-10", "CM-12", "CM-13", "CM-14", "CM-15", "CM-16", "CM-17", "CM-18", "CM-19", "CM-20",
    "CM-22", "CM-23", "CM-24", "CM-25", "CM-26", "CM-27", "CM-28", "CM-29", "CM-31", "CM-32",
    "CM-33", "CM-34", "CM-35", "CM-36", "CM-37", "CM-38", "CM-39", "CM-40", "CM-41", "CM-45",
    "CM-47", "CM-48", "ST-01", "ST-03", "ST-04", "ST-05", "ST-06", "ST-07", "ST-08", "ST-09",
    "ST-10", "ST-11", "SP-03", "SP-18", "A7.2", "A7.4", "AMB-01", "AMB-02", "AMB-03", "AMB-08",
    "AMB-18", "AMB-19", "AMB-20", "AMB-25",
];

#[test]
fn every_scenario_comes_true() {
    let mut failures = Vec::new();
    let mut played = 0;
    for path in mirror::files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match mirror::read(&path) {
            Ok(scenario) => {
                let differences = mirror::play(&scenario);
                if !differences.is_empty() {
                    let text = differences.join("\n    ");
                    failures.push(format!("{name}: {}\n    {text}", scenario.title));
                }
            }
            Err(error) => failures.push(format!("{name} cannot be read: {error}")),
        }
        played += 1;
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(played, std::fs::read_dir(mirror::folder()).unwrap().count());
    assert!(played > 0);
}

#[test]
fn every_rule_about_mirroring_has_a_scenario() {
    let covered: BTreeSet<String> = mirror::files()
        .iter()
        .filter_map(|path| mirror::read(path).ok())
        .flat_map(|scenario| scenario.rules)
        .collect();
    let missing: Vec<_> = RULES.iter().filter(|rule| !covered.contains(**rule)).collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
}

#[test]
fn an_expectation_that_is_misspelt_is_an_error_and_not_ignored() {
    let text = r#"{"rules": ["V1"], "title": "t", "steps": [{"now": "2026-03-02T00:00:00Z",
        "xero": {}, "then": {"outcome": "unchanged", "heldd": []}}]}"#;
    let error = serde_json::from_str::<mirror::format::Scenario>(text).unwrap_err();
    assert!(error.to_string().contains("heldd"), "{error}");
}

#[test]
fn an_expectation_that_does_not_come_true_is_told_in_words() {
    let text = r#"{"rules": ["V1"], "title": "t",
        "given": {"invoice": {"number": "10234", "total": "100.00"}},
        "steps": [{"now": "2026-03-02T00:00:00Z",
            "xero": {"payments": [{"id": "x1", "date": "2026-03-02", "amount": "40.00"}]},
            "then": {"outcome": "changed", "payments": [], "deleted": ["a"]}}]}"#;
    let differences = mirror::play(&serde_json::from_str(text).unwrap());
    assert_eq!(differences.len(), 2, "{differences:#?}");
    assert!(differences[0].starts_with("step 1: payments: missing [], not expected ["));
    assert!(differences[1].starts_with("step 1: deleted: missing ["));
}
