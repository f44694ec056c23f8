//! The prose of a file: what people read of it, without code.

use crate::repository::Document;

/// A string of fewer words is a code, not a sentence.
const WORDS_MIN: usize = 3;

/// A piece of prose and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// From 1.
    pub line: usize,
    /// Without code.
    pub text: String,
}

/// The prose of a Markdown page, of a page's template, or of the comments and sentences of a Rust file.
pub fn prose(document: &Document) -> Vec<Piece> {
    if document.is("md") {
        markdown(&document.text)
    } else if document.is("html") {
        html(&document.text)
    } else if document.is("rs") {
        rust(&document.text)
    } else {
        Vec::new()
    }
}

/// Lines outside of blocks of code, without code in backticks and without the targets of links.
fn markdown(text: &str) -> Vec<Piece> {
    let mut in_code = false;
    let mut pieces = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            pieces.push(Piece { line: index + 1, text: without_code(line) });
        }
    }
    pieces
}

/// Without what stands in backticks, and without the targets of links.
fn without_code(line: &str) -> String {
    let outside: Vec<_> = line.split('`').step_by(2).collect();
    let mut kept = String::new();
    for (index, part) in outside.join(" ").split("](").enumerate() {
        let part =
            if index == 0 { part } else { part.split_once(')').map_or("", |(_, after)| after) };
        kept.push_str(part);
        kept.push(' ');
    }
    kept
}

/// Text between tags, without what a template fills in.
fn html(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut kept = String::new();
        let mut depth = 0_usize;
        for sign in line.chars() {
            match sign {
                '<' | '{' => depth += 1,
                '>' | '}' => {
                    depth = depth.saturating_sub(1);
                    kept.push(' ');
                }
                _ if depth == 0 => kept.push(sign),
                _ => {}
            }
        }
        pieces.push(Piece { line: index + 1, text: kept });
    }
    pieces
}

/// Comments and strings of several words.
fn rust(text: &str) -> Vec<Piece> {
    let mut reader = Reader { rest: text, line: 1, pieces: Vec::new() };
    while reader.step() {}
    let mut pieces = reader.pieces;
    for piece in &mut pieces {
        piece.text = without_code(&piece.text);
    }
    pieces
}

/// Reads Rust so far that it can tell comments and strings from code.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    pieces: Vec<Piece>,
}

impl<'a> Reader<'a> {
    /// Takes a comment, a string, or one character; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else { return false };
        if rest.starts_with("//") {
            let comment = self.take(rest.find('\n').unwrap_or(rest.len()));
            let line = self.line;
            let text = comment.trim_start_matches(['/', '!']).to_owned();
            self.pieces.push(Piece { line, text });
        } else if let Some(hashes) = raw_string(rest) {
            let begin = rest.find('"').unwrap_or_default() + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            let length = rest[begin..].find(&end).unwrap_or(rest.len() - begin);
            self.take_string(begin, length, end.len());
        } else if first == '"' {
            self.take_string(1, string_length(&rest[1..]), 1);
        } else if let Some(length) = character_length(rest) {
            self.take(length);
        } else if first.is_alphanumeric() || first == '_' {
            // A whole name, so that the `r` of `for"` opens nothing.
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.take(end);
        } else {
            self.take(first.len_utf8());
        }
        true
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn take_string(&mut self, begin: usize, length: usize, end: usize) {
        let line = self.line;
        let whole = self.take(begin + length + end);
        let inside = whole.get(begin..begin + length).unwrap_or_default();
        // A line that ends in a backslash goes on in the next one.
        let text =
            inside.split_whitespace().filter(|&word| word != "\\").collect::<Vec<_>>().join(" ");
        if text.split(' ').count() >= WORDS_MIN {
            self.pieces.push(Piece { line, text });
        }
    }
}

/// The number of `#` of a raw string at the beginning.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.bytes().take_while(|&b| b == b'#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// Bytes up to the quote that ends the string.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, sign) in text.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a character literal at the beginning; a lifetime is none.
fn character_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escaped) = inside.strip_prefix('\\') {
        return escaped.get(1..)?.find('\'').map(|at| at + 4);
    }
    let sign = inside.chars().next()?;
    inside[sign.len_utf8()..].starts_with('\'').then_some(sign.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece]) -> Vec<(usize, &str)> {
        pieces.iter().map(|piece| (piece.line, piece.text.trim())).collect()
    }

    #[test]
    fn comments_and_sentences_of_rust_are_prose_and_code_is_not() {
        let source = r##"//! About `he` it.
let a = "https://no.sentence"; // after code
let b = '"'; let c: &'static str = "a sentence \
    over two lines";
let d = r#"raw "quoted" text"#; /// the end
"##;
        let expected = [
            (1, "About   it."),
            (2, "after code"),
            (3, "a sentence over two lines"),
            (5, "raw \"quoted\" text"),
            (5, "the end"),
        ];
        assert_eq!(texts(&rust(source)), expected);
    }

    #[test]
    fn blocks_of_code_and_targets_of_links_are_no_prose() {
        let page = "One [word](he/he.md) and `code`.\n```sh\nhe\n```\nEnd";
        assert_eq!(texts(&markdown(page)), [(1, "One [word  and  ."), (5, "End")]);
    }

    #[test]
    fn tags_and_what_a_template_fills_in_are_no_prose() {
        assert_eq!(texts(&html("<p class=he>Read {{ he }} this</p>")), [(1, "Read    this")]);
    }
}
