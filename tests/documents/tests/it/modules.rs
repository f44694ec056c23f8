//! The files of a crate: no loop of imports, and names that are nouns.

use documents::imports::{by_crate, circle};
use documents::repository::documents;
use documents::type_name::definitions;

/// Names that several crates give to a type of their own.
const SHARED_NAMES: &[&str] = &[
    // Each function has one, and no function knows another one.
    "Answer",
    "EventError",
    "HandleError",
    "Reply",
    // Still to be named apart.
    "Facts",
    "Kind",
    "Message",
    "ReadError",
    "State",
];
/// Modules that end in "ing" and are nouns.
const NOUNS: &[&str] = &["acting", "matching", "renumbering"];

#[test]
fn files_of_a_crate_do_not_import_each_other_in_a_loop() {
    let crates = by_crate(&documents());
    assert!(crates.len() > 10, "only {} crates were found: is the reader broken?", crates.len());
    let wrong: Vec<_> = crates
        .iter()
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

#[test]
fn a_public_type_name_has_one_meaning_over_all_crates() {
    let documents: Vec<_> = documents()
        .into_iter()
        .filter(|document| document.path.contains("/src/"))
        .filter(|document| {
            ["functions/", "shared/"].iter().any(|top| document.path.starts_with(top))
        })
        .collect();
    let found = definitions(&documents);
    assert!(found.len() > 300, "only {} types were found: is the reader broken?", found.len());
    let wrong: Vec<_> = found
        .iter()
        .filter(|(name, files)| files.len() > 1 && !SHARED_NAMES.contains(&name.as_str()))
        .map(|(name, files)| {
            format!("{name}: {}", Vec::from_iter(files.iter().cloned()).join(", "))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\nGive each type a name of its own.\n", wrong.join("\n"));
    let several = |name: &&&str| found.get(**name).is_some_and(|files| files.len() > 1);
    let apart: Vec<_> = SHARED_NAMES.iter().filter(|name| !several(name)).collect();
    assert!(apart.is_empty(), "{apart:?} have one meaning by now: take them off the list");
}
