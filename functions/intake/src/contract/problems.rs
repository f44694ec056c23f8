//! The problems of a message, all of them at once.

use std::fmt;

use payments::OrganisationId;

/// Longest name or value that a problem quotes, in characters.
const QUOTED_CHARS_MAX: usize = 40;
/// Longest account of all problems, in bytes. With the largest body it stays below the 400 KB
/// that DynamoDB takes in a row.
const ACCOUNT_BYTES_MAX: usize = 64 * 1024;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// A JSON pointer, for example `/total/amount`; empty for the message as a whole.
    pub path: String,
    /// The problem there. May quote a short value, so it is for tables and never for logs.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the message" } else { &self.path };
        write!(f, "{path}: {}", self.what)
    }
}

/// A message that is not taken in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// Whose it is, if that much could be read.
    pub organisation: Option<OrganisationId>,
    /// Everything that is wrong with it; never empty.
    pub problems: Vec<Problem>,
}

impl Invalid {
    /// All problems, one a line.
    pub fn account(&self) -> String {
        let mut account = String::new();
        for (position, problem) in self.problems.iter().enumerate() {
            let line = problem.to_string();
            if account.len() + line.len() > ACCOUNT_BYTES_MAX {
                let left = self.problems.len() - position;
                return account + &format!("… and {left} more\n");
            }
            account = account + &line + "\n";
        }
        account
    }
}

/// Collects problems.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Notes a problem. It has no value, which the caller that looked for one returns.
    pub(super) fn note<T>(&mut self, path: &str, what: impl fmt::Display) -> Option<T> {
        self.0.push(Problem { path: path.to_owned(), what: what.to_string() });
        None
    }

    /// The value, or a note of why there is none.
    pub(super) fn value<T>(
        &mut self,
        path: &str,
        result: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => self.note(path, error),
        }
    }
}

/// A name or value, short enough to be quoted and free of control characters.
pub(super) fn short(text: &str) -> String {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = text.chars().take(QUOTED_CHARS_MAX).map(visible).collect();
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}
