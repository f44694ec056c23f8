//! Where rules and facts are defined: `shared/payments/rules.md` and `shared/xero/facts.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::citation::rules_in;
use crate::repository::{Document, document};

/// The page of the rules.
pub const RULES: &str = "shared/payments/rules.md";
/// The page of the facts about Xero.
pub const FACTS: &str = "shared/xero/facts.md";
/// Heading of the list of ids that code cites and no test shows yet.
const PENDING: &str = "## Not yet shown by a test";

/// What the two pages define.
#[derive(Debug, Default)]
pub struct Definitions {
    /// Each id with the places of its definition.
    pub places: BTreeMap<String, Vec<String>>,
    /// Ids that no test shows yet.
    pub pending: BTreeSet<String>,
}

impl Definitions {
    /// Reads both pages.
    pub fn read() -> Self {
        let mut definitions = Self::default();
        definitions.add(&document(RULES), |id| {
            Some(id).filter(|id| rules_in(id) == [*id]).map(str::to_owned)
        });
        definitions.add(&document(FACTS), |id| {
            if rules_in(id) == [id] {
                return Some(id.to_owned());
            }
            is_section(id).then(|| format!("facts.md {id}"))
        });
        definitions
    }

    /// A definition is a heading that begins with an id, or a row of a table whose first cell is one.
    fn add(&mut self, page: &Document, id_of: impl Fn(&str) -> Option<String>) {
        let mut is_pending = false;
        for (line, text) in page.lines() {
            if text.starts_with("## ") {
                is_pending = text == PENDING;
            }
            if is_pending {
                self.pending.extend(rules_in(text));
                continue;
            }
            let candidate = if let Some(cells) = text.strip_prefix("| ") {
                cells.split(" | ").next()
            } else if text.starts_with('#') {
                text.trim_start_matches('#').split_whitespace().next()
            } else {
                None
            };
            let id = candidate.map(|found| found.trim_end_matches([':', '.']).trim());
            if let Some(id) = id.and_then(&id_of) {
                self.places.entry(id).or_default().push(format!("{}:{line}", page.path));
            }
        }
    }

    /// Whether it is a whole chapter of facts: these need not be cited.
    pub fn is_chapter(id: &str) -> bool {
        id.strip_prefix("facts.md ").is_some_and(|number| !number.contains('.'))
    }
}

/// Whether it numbers a section: `4`, or `4.10`.
fn is_section(text: &str) -> bool {
    let mut parts = text.split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(is_number)
        && parts.next().is_none_or(is_number)
        && parts.next().is_none()
}
