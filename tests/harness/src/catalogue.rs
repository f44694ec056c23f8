//! The catalogue of metrics, `infra/metrics.md`, which must list what the functions write.

use std::collections::BTreeMap;

const CATALOGUE: &str = include_str!("../../../infra/metrics.md");

/// Fails unless the catalogue lists these numbers with these units for a function, and no others.
pub fn assert_lists(function: &str, written: &[(&'static str, &'static str)]) {
    let written: BTreeMap<&str, &str> = written.iter().copied().collect();
    let listed = listed(function);
    assert_eq!(listed, written, "left: infra/metrics.md, right: what {function} writes");
}

/// The numbers that stand under the heading with the function's name, with CloudWatch's word for their unit.
fn listed(function: &str) -> BTreeMap<&'static str, &'static str> {
    let mut sections =
        CATALOGUE.split("\n## ").map(|section| section.split_once('\n').unwrap_or((section, "")));
    let found = sections.find(|(heading, _)| heading.split(", ").any(|name| name == function));
    let (_, text) =
        found.unwrap_or_else(|| panic!("infra/metrics.md has no heading with {function}"));
    text.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let mut cells = line.split(" | ");
            let name = cells.next().unwrap().trim_end_matches('`');
            let unit = match cells.next().unwrap() {
                "count" => "Count",
                "ms" => "Milliseconds",
                unit => panic!("{name} has the unknown unit {unit}"),
            };
            (name, unit)
        })
        .collect()
}
