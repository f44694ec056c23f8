//! The names of public types.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::Document;
use crate::rust::{block, each_level, macro_calls, name, tokens};

/// What begins the definition of a type.
const KINDS: &[&str] = &["enum", "struct", "trait", "type", "union"];

/// Every name of a public type, with the files that define it.
pub fn definitions(documents: &[Document]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for document in documents.iter().filter(|document| document.is("rs")) {
        for name in defined(document) {
            found.entry(name).or_default().insert(document.path.clone());
        }
    }
    found
}

fn defined(document: &Document) -> BTreeSet<String> {
    let tokens = tokens(&document.path, &document.text);
    let mut names = BTreeSet::new();
    each_level(&tokens, &mut |level| {
        for three in level.windows(3) {
            let is_public = name(&three[0]).is_some_and(|word| word == "pub");
            let is_type = name(&three[1]).is_some_and(|word| KINDS.contains(&word.as_str()));
            if is_public && is_type {
                names.extend(name(&three[2]));
            }
        }
    });
    // `codes!` defines public enums: each is a name and its members in braces.
    for (_, given) in macro_calls(&tokens).iter().filter(|(name, _)| name == "codes") {
        for two in given.windows(2).filter(|two| block(&two[1]).is_some()) {
            names.extend(name(&two[0]));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_are_found_those_of_codes_included() {
        let text = "pub struct A { pub kind: B }\npub(crate) enum Private {}\nstruct C;\npub type D = u8;\n\
                    codes! { /// Doc.\n E { One = \"one\", } }\n#[cfg(test)]\nmod tests { pub struct T; }\n";
        let document = Document { path: "shared/x/src/a.rs".into(), text: text.into() };
        let names: Vec<_> = definitions(&[document]).into_keys().collect();
        assert_eq!(names, ["A", "D", "E"]);
    }
}
