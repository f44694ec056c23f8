//! Which files of a crate import each other.
//!
//! Read from the code: every `use`, with its groups, and every path that begins with `crate` or `super`; tests within the
//! file are left out. What is defined in `lib.rs` or `main.rs` is not followed: the root of a crate names all its files.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenTree};

use crate::repository::Document;
use crate::rust::{each_level, is, name, tokens};

/// The modules of a crate, each with the modules that it imports. A module is named by its path: `upload::part`.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports between the files of each crate, by the crate's folder.
pub fn by_crate(documents: &[Document]) -> BTreeMap<String, Imports> {
    let mut crates: BTreeMap<String, BTreeMap<String, &Document>> = BTreeMap::new();
    for document in documents.iter().filter(|document| document.is("rs")) {
        let Some((folder, file)) = document.path.split_once("/src/") else { continue };
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        crates.entry(folder.to_owned()).or_default().insert(module, document);
    }
    let imports = |files: &BTreeMap<String, &Document>| {
        let of = |(module, document): (&String, &&Document)| {
            let mut found: BTreeSet<_> =
                imported(module, document).iter().filter_map(|path| file_of(path, files)).collect();
            found.remove(module);
            (module.clone(), found)
        };
        files.iter().map(of).collect()
    };
    crates.iter().map(|(folder, files)| (folder.clone(), imports(files))).collect()
}

/// The paths of its own crate that a module names.
fn imported(module: &str, document: &Document) -> Vec<Vec<String>> {
    let is_folder = document.path.ends_with("/mod.rs");
    let mut here: Vec<String> = module.split("::").map(str::to_owned).collect();
    if !is_folder {
        here.pop();
    }
    let mut paths = Vec::new();
    each_level(&tokens(&document.path, &document.text), &mut |level| {
        for (at, token) in level.iter().enumerate() {
            let is_of_macro = at > 0 && is(&level[at - 1], '$');
            match name(token).as_deref() {
                Some("crate") if !is_of_macro => tree(&level[at + 1..], &[], &mut paths),
                // `super` of a file is the module above it, which is `here` already.
                // `pub(super)` names no file.
                Some("super") if level.get(at + 1).is_some_and(|next| is(next, ':')) => {
                    tree(&level[at + 1..], &here, &mut paths);
                }
                Some("self") if is_folder => {
                    let mut inside = Vec::new();
                    tree(&level[at + 1..], &[], &mut inside);
                    paths.extend(inside.into_iter().map(|path| [here.clone(), path].concat()));
                }
                _ => {}
            }
        }
    });
    paths
}

/// Adds the paths that begin here: `::a::B`, or `::a::{B, c::D}`.
fn tree(tokens: &[TokenTree], begun: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = begun.to_vec();
    let mut rest = tokens;
    while let [colon, other, next, more @ ..] = rest
        && is(colon, ':')
        && is(other, ':')
    {
        match next {
            TokenTree::Ident(ident) => {
                path.push(ident.to_string());
                rest = more;
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                for part in inside.split(|token| is(token, ',')) {
                    let Some((first, more)) = part.split_first() else { continue };
                    let mut path = path.clone();
                    path.extend(name(first).filter(|name| name != "self"));
                    tree(more, &path, paths);
                }
                return;
            }
            _ => break,
        }
    }
    if path.len() > begun.len() || !begun.is_empty() {
        paths.push(path);
    }
}

/// The file in which a path leads: the longest beginning of it that is a module.
fn file_of(path: &[String], files: &BTreeMap<String, &Document>) -> Option<String> {
    (1..=path.len())
        .rev()
        .map(|length| path[..length].join("::"))
        .find(|module| files.contains_key(module))
}

/// The modules that import each other in a loop, all of them; empty if there are none.
pub fn circle(imports: &Imports) -> Vec<String> {
    let mut left = imports.clone();
    loop {
        let modules: BTreeSet<String> = left.keys().cloned().collect();
        let used: BTreeSet<String> = left.values().flatten().cloned().collect();
        // What imports nothing that is left, or is imported by nothing that is left, is in no loop.
        let out = |(module, imports): (&String, &BTreeSet<String>)| {
            let others = imports.iter().any(|other| modules.contains(other));
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
            file("b.rs", "use crate::{folder::c::{C, D}, Root};\n"),
            file("folder/c.rs", "use super::d::D;\n"),
            file("folder/d.rs", "fn f() { crate::b::g() }\nuse crate::last::Last;\n"),
            file("last.rs", "struct Last;\n#[cfg(test)]\nmod tests {\nuse crate::a::A;\n}\n"),
        ];
        let imports = &by_crate(&files)["shared/x"];
        assert_eq!(circle(imports), ["b", "folder::c", "folder::d"]);
    }

    #[test]
    fn a_folder_and_the_files_in_it_may_make_a_loop_and_the_root_of_a_crate_does_not() {
        let files = [
            file("lib.rs", "mod pages;\nuse crate::pages::Page;\npub struct Root;\n"),
            file("pages/mod.rs", "mod one;\nuse self::one::One;\npub struct Page;\n"),
            file("pages/one.rs", "use super::Page;\nuse crate::Root;\n"),
            file("other.rs", "macro_rules! m { () => { $crate::pages::Page } }\n"),
        ];
        let imports = &by_crate(&files)["shared/x"];
        assert_eq!(circle(imports), ["pages", "pages::one"]);
        assert_eq!(imports["other"], BTreeSet::new());
    }

    #[test]
    fn a_visibility_is_no_import() {
        let files = [
            file("pages/mod.rs", "use self::one::One;\n"),
            file("pages/one.rs", "pub(super) struct One;\npub(crate) struct Two;\n"),
            file("pages/two.rs", "use super::*;\n"),
        ];
        let imports = &by_crate(&files)["shared/x"];
        assert_eq!(imports["pages::one"], BTreeSet::new());
        assert_eq!(imports["pages::two"], BTreeSet::from(["pages".to_owned()]));
    }
}
