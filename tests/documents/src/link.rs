//! Links between documents.

use crate::repository::{Document, root};

/// Links of a Markdown page that lead to no file, each with its line.
pub fn broken(page: &Document) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (line, text) in page.lines() {
        for target in targets(text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !root().join(folder).join(path).exists() {
                found.push(format!("{}:{line}: {target} leads nowhere", page.path));
            }
        }
    }
    found
}

/// What stands between `](` and `)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}
