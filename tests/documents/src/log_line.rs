//! The lines that the code can log: the names of their fields, and their messages.

use std::collections::BTreeSet;

use proc_macro2::TokenTree;

use crate::rust::{is, macro_calls, name, text};

/// What stands in lines of the log.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct LogLines {
    /// The names of fields.
    pub fields: BTreeSet<String>,
    /// The messages; places to be filled are in braces.
    pub messages: BTreeSet<String>,
}

impl LogLines {
    /// Adds the lines of a source file.
    pub fn add(&mut self, tokens: &[TokenTree]) {
        for (name, given) in macro_calls(tokens) {
            match name.as_str() {
                "trace" | "debug" | "info" | "warn" | "error" => self.line(&given),
                "counters" => self.counters(&given),
                _ => {}
            }
        }
    }

    /// A call such as `info!(a.b = 1, %error, "done")`.
    fn line(&mut self, given: &[TokenTree]) {
        for part in given.split(|token| is(token, ',')) {
            if let Some(message) = part.first().and_then(text) {
                self.messages.insert(message);
                continue;
            }
            let field = part.iter().skip_while(|token| is(token, '%') || is(token, '?'));
            self.fields.insert(dotted(field));
        }
    }

    /// A declaration of counters, with `logged as "done"` and `log a.b` in it.
    fn counters(&mut self, given: &[TokenTree]) {
        for (at, token) in given.iter().enumerate() {
            match (name(token).as_deref(), given.get(at + 1)) {
                (Some("as"), Some(next)) => self.messages.extend(text(next)),
                (Some("log"), Some(_)) => {
                    self.fields.insert(dotted(given[at + 1..].iter()));
                }
                (None, _) => {
                    if let Some(inner) = crate::rust::block(token) {
                        self.counters(&inner);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The name with dots with which tokens begin.
fn dotted<'a>(tokens: impl Iterator<Item = &'a TokenTree>) -> String {
    let mut found = String::new();
    for token in tokens {
        match name(token) {
            Some(word) if found.is_empty() || found.ends_with('.') => found.push_str(&word),
            None if is(token, '.') && !found.is_empty() => found.push('.'),
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::tokens;

    #[test]
    fn fields_and_messages_are_those_of_lines_and_of_counters() {
        let source = r#"
            fn f() {
                tracing::warn!(xero.tenant_id = %a.b(c, d), error, ?why, "lost {it}");
                println!("no line");
            }
            host::counters! {
                /// Doc.
                struct Tally, logged as "done" {
                    a: u32, log runs.failed, metric "A";
                    b: Longest, log lag_ms when c = Longest::if_any;
                }
            }
        "#;
        let mut lines = LogLines::default();
        lines.add(&tokens("x.rs", source));
        let set =
            |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(lines.fields, set(&["error", "lag_ms", "runs.failed", "why", "xero.tenant_id"]));
        assert_eq!(lines.messages, set(&["done", "lost {it}"]));
    }
}
