//! The files of a crate: no loop of imports, and names that are nouns.

use documents::imports::{by_crate, circle};
use documents::repository::documents;

/// Crates in which files still import each other in a loop.
const WITH_LOOPS: &[&str] = &["functions/sweep"];
/// Modules that end in "ing" and are nouns.
const NOUNS: &[&str] = &["acting", "matching", "renumbering"];

#[test]
fn files_of_a_crate_do_not_import_each_other_in_a_loop() {
    let crates = by_crate(&documents());
    assert!(crates.len() > 10, "only {} crates were found: is the reader broken?", crates.len());
    let checked = crates.iter().filter(|(folder, _)| !WITH_LOOPS.contains(&folder.as_str()));
    let wrong: Vec<_> = checked
        .map(|(folder, imports)| (folder, circle(imports)))
        .filter(|(_, circle)| !circle.is_empty())
        .map(|(folder, circle)| format!("{folder}: {}", circle.join(", ")))
        .collect();
    assert!(
        wrong.is_empty(),
        "\n{}\nMove the type that the files name into a file that names none of them.\n",
        wrong.join("\n")
    );
}

#[test]
fn no_module_is_named_by_a_participle() {
    let documents = documents();
    let paths = documents.iter().filter(|document| document.is("rs")).map(|found| &found.path);
    let wrong: Vec<_> = paths
        .filter(|path| path.contains("/src/"))
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
            name.ends_with("ing") && !NOUNS.contains(&name)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{wrong:?}\nName a module by a noun.\n");
}
