//! Rust sources as the compiler's tokens: texts, comments and macros cannot be taken for code.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens of a source file, its tests left out.
///
/// # Panics
/// When it is no Rust.
pub fn tokens(path: &str, text: &str) -> Vec<TokenTree> {
    let stream: TokenStream =
        text.parse().unwrap_or_else(|error| panic!("{path} is no Rust: {error}"));
    without_tests(&Vec::from_iter(stream))
}

fn without_tests(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((first, more)) = rest.split_first() {
        rest = match more.first() {
            Some(TokenTree::Group(attribute)) if is(first, '#') && is_test(attribute) => {
                behind_item(&more[1..])
            }
            _ => {
                kept.push(first.clone());
                more
            }
        };
    }
    kept
}

fn is_test(attribute: &Group) -> bool {
    let text: String = attribute.stream().into_iter().map(|token| token.to_string()).collect();
    text == "cfg(test)"
}

/// What follows an item: it ends with a block or a semicolon.
fn behind_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let ends = |token: &TokenTree| is(token, ';') || block(token).is_some();
    let end = tokens.iter().position(ends).map_or(tokens.len(), |end| end + 1);
    &tokens[end..]
}

/// Whether a token is this sign.
pub fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// The name that a token is.
pub fn name(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

/// What stands in the braces that a token is.
pub fn block(token: &TokenTree) -> Option<Vec<TokenTree>> {
    within(token, Delimiter::Brace)
}

/// What stands in the parentheses that a token is.
pub fn parentheses(token: &TokenTree) -> Option<Vec<TokenTree>> {
    within(token, Delimiter::Parenthesis)
}

fn within(token: &TokenTree, delimiter: Delimiter) -> Option<Vec<TokenTree>> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}

/// Calls `see` with the tokens of every level: those of the file, then those within each pair of brackets.
pub fn each_level(tokens: &[TokenTree], see: &mut impl FnMut(&[TokenTree])) {
    see(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            each_level(&without_tests(&Vec::from_iter(group.stream())), see);
        }
    }
}

/// The text of a literal; one with escapes is given as it is written.
pub fn text(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    let written = literal.to_string();
    let text = written.strip_prefix('"')?.strip_suffix('"')?;
    // A line that goes on in the next one.
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    Some(parts.fold(first, |text, part| text + part.trim_start()))
}

/// Every text in these tokens.
pub fn texts(tokens: &[TokenTree]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_level(tokens, &mut |level| found.extend(level.iter().filter_map(text)));
    found
}

/// Every call of a macro: its name, and what it is given.
pub fn macro_calls(tokens: &[TokenTree]) -> Vec<(String, Vec<TokenTree>)> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for three in level.windows(3) {
            if let (Some(name), true, TokenTree::Group(given)) =
                (name(&three[0]), is(&three[1], '!'), &three[2])
            {
                found.push((name, given.stream().into_iter().collect()));
            }
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        // "comment" info!("no")
        fn f() { tracing::info!(a.b = 1, "one \
            line"); }
        #[cfg(test)]
        use crate::not_seen;
        #[cfg(test)]
        mod tests { fn g() { let x = "test"; } }
        struct Last;
    "#;

    #[test]
    fn comments_and_tests_are_no_code() {
        let tokens = tokens("x.rs", SOURCE);
        assert_eq!(texts(&tokens), BTreeSet::from(["one line".to_owned()]));
        assert_eq!(
            tokens.iter().filter_map(name).collect::<Vec<_>>(),
            ["fn", "f", "struct", "Last"]
        );
        let calls = macro_calls(&tokens);
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].0, "info");
    }
}
