//! Words that make prose hard to read, and where they stand.
//!
//! A sentence names its subject first: "the process that renews a grant", not "whoever renews a grant"; "no call", not
//! "nobody calls"; "the reason is stored", not "what is stored is the reason". A process is "it".

use crate::prose::prose;
use crate::repository::Document;

/// Words to leave out, in small letters.
const WORDS: &[&str] = &[
    "anew",
    "beside",
    "besides",
    "he",
    "him",
    "himself",
    "his",
    "nobody",
    "somebody",
    "tell",
    "tells",
    "told",
    "whatever",
    "whichever",
    "whoever",
    "whomever",
];
/// A sentence does not begin with "What" and one of these.
const AFTER_WHAT: &[&str] =
    &["are", "can", "cannot", "comes", "goes", "had", "has", "is", "stays", "was", "were"];

/// The count of one file.
#[derive(Debug, Default)]
pub struct Count {
    /// The file.
    pub path: String,
    /// Words of prose.
    pub words: usize,
    /// Each of the words above, with its line and the words around it.
    pub found: Vec<String>,
}

/// Counts a file.
pub fn count(document: &Document) -> Count {
    let mut count = Count { path: document.path.clone(), ..Count::default() };
    for piece in prose(document) {
        // The end of a sentence is a word of its own, so that its beginning can be seen.
        let spaced = piece.text.replace('?', " ? ").replace(['.', ':', ';', '|', '!', '('], " . ");
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '.' | '?' | '-' | '_');
        let all: Vec<&str> =
            spaced.split(|c| !is_part(c)).filter(|word| !word.is_empty()).collect();
        count.words += all.iter().filter(|word| !is_end(word)).count();
        for (index, &word) in all.iter().enumerate() {
            let begins = index == 0 || is_end(all[index - 1]);
            let after = all.get(index + 1).copied().unwrap_or_default();
            let is_question = all[index..].iter().find(|word| is_end(word)) == Some(&"?");
            let is_subject = word == "What" && AFTER_WHAT.contains(&after);
            if begins && is_subject && !is_question || WORDS.contains(&word.to_lowercase().as_str())
            {
                let around = all[index.saturating_sub(4)..all.len().min(index + 4)].join(" ");
                count.found.push(format!("{}:{}: {word}: … {around} …", document.path, piece.line));
            }
        }
    }
    count
}

/// Whether it ends a sentence.
fn is_end(word: &str) -> bool {
    matches!(word, "." | "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_where_it_stands_and_questions_are_not() {
        let text = "Whoever asks is told `he`.\nWhat is stored: nothing. It says what is stored. What a day.\nWhat is it?\n";
        let document = Document { path: "README.md".into(), text: text.into() };
        let count = count(&document);
        assert_eq!(count.words, 19);
        let lines: Vec<_> = count.found.iter().map(|found| &found[..18]).collect();
        assert_eq!(lines, ["README.md:1: Whoev", "README.md:1: told:", "README.md:2: What:"]);
    }
}
