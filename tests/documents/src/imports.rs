//! Which files of a crate import each other.
//!
//! Read from the text: `use crate::a::…` and `use super::a::…` of each file, tests within the file left out. An item that is
//! imported from a folder's `mod.rs` or from `lib.rs` is not followed, nor is a path within the code.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::Document;

/// The modules of a crate, each with the modules that it imports. A module is named by its path: `upload::part`.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports between the files of each crate, by the crate's folder.
pub fn by_crate(documents: &[Document]) -> BTreeMap<String, Imports> {
    let mut crates: BTreeMap<String, BTreeMap<String, &Document>> = BTreeMap::new();
    for document in documents.iter().filter(|document| document.is("rs")) {
        let Some((folder, file)) = document.path.split_once("/src/") else { continue };
        let module = file.trim_end_matches(".rs").replace('/', "::");
        crates.entry(folder.to_owned()).or_default().insert(module, document);
    }
    let imports = |files: &BTreeMap<String, &Document>| {
        let of = |(module, document): (&String, &&Document)| {
            let found = imported(module, &document.text);
            (module.clone(), found.into_iter().filter_map(|path| file_of(&path, files)).collect())
        };
        files.iter().map(of).collect()
    };
    crates.iter().map(|(folder, files)| (folder.clone(), imports(files))).collect()
}

/// The paths that a module imports from its own crate.
fn imported(module: &str, text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut paths = Vec::new();
    for line in code.lines() {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        let Some(path) = line.strip_prefix("use ") else { continue };
        let path = path.split(['{', ';']).next().unwrap_or_default();
        if let Some(path) = path.strip_prefix("crate::") {
            paths.push(path.to_owned());
        } else if let Some(path) = path.strip_prefix("super::") {
            paths.push(if parent.is_empty() {
                path.to_owned()
            } else {
                format!("{parent}::{path}")
            });
        }
    }
    paths
}

/// The file in which a path leads: the longest beginning of it that is a module.
fn file_of(path: &str, files: &BTreeMap<String, &Document>) -> Option<String> {
    let mut path = path.trim_end_matches("::");
    loop {
        if files.contains_key(path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// The modules that import each other in a loop, all of them; empty if there are none.
pub fn circle(imports: &Imports) -> Vec<String> {
    let mut left = imports.clone();
    loop {
        let modules: BTreeSet<String> = left.keys().cloned().collect();
        let used: BTreeSet<String> = left.values().flatten().cloned().collect();
        // What imports nothing that is left, or is imported by nothing that is left, is in no loop.
        let out = |(module, imports): (&String, &BTreeSet<String>)| {
            let others = imports.iter().any(|other| other != module && modules.contains(other));
            (!others || !used.contains(module)).then(|| module.clone())
        };
        let gone: Vec<String> = left.iter().filter_map(out).collect();
        if gone.is_empty() {
            return left.into_keys().collect();
        }
        left.retain(|module, _| !gone.contains(module));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Document {
        Document { path: format!("shared/x/src/{path}"), text: text.to_owned() }
    }

    #[test]
    fn a_loop_is_found_and_what_leads_to_it_or_from_it_is_not_in_it() {
        let files = [
            file("a.rs", "use crate::b::B;\n"),
            file("b.rs", "use crate::folder::c::{\n    C, D,\n};\n"),
            file("folder/c.rs", "use super::d::D;\n"),
            file("folder/d.rs", "use crate::b;\nuse crate::last::Last;\n"),
            file("last.rs", "struct Last;\n#[cfg(test)]\nmod tests {\nuse crate::a::A;\n}\n"),
        ];
        let imports = &by_crate(&files)["shared/x"];
        assert_eq!(circle(imports), ["b", "folder::c", "folder::d"]);
    }
}
