//! Stories about one invoice: how things stand, what Xero shows, and what must become of the local payments.

pub mod check;
pub mod format;
pub mod world;

use std::path::{Path, PathBuf};

use format::Scenario;
use payments::Verdict;
use world::World;

/// Where the files are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mirroring")
}

/// Every file, in the order of the names.
pub fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the folder of scenarios can be read");
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Reads a file, or says where it is wrong.
pub fn read(path: &Path) -> Result<Scenario, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let scenario: Scenario = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if scenario.rules.is_empty() || scenario.steps.is_empty() || scenario.title.is_empty() {
        return Err("a scenario has rules, a title and steps".to_owned());
    }
    Ok(scenario)
}

/// Plays a scenario; the answer lists every difference, step by step.
pub fn play(scenario: &Scenario) -> Vec<String> {
    let mut world = World::given(&scenario.given);
    let mut differences = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let played = world.play(step);
        let mut found = check::differences(&played, &step.then);
        if let Some(difference) = again(&world, &played) {
            found.push(difference);
        }
        differences.extend(found.into_iter().map(|text| format!("step {}: {text}", index + 1)));
    }
    differences
}

/// In every scenario, judging its result once more changes nothing.
fn again(world: &World, played: &world::Played) -> Option<String> {
    if !matches!(played.verdict, Verdict::Changed(_)) {
        return None;
    }
    let again = payments::mirror(&played.after, &played.snapshot, &world.settings, played.now);
    match again {
        Verdict::Changed(change) => Some(format!(
            "judged again, it changes once more: {:?}",
            check::changed_parts(&played.after, &change.after)
        )),
        _ => None,
    }
}
