//! The table of certification names for each point tests that exist and cite it.

use documents::citation::rules_in;
use documents::repository::{Document, document};

const TABLE: &str = "functions/connect/certification.md";
/// How many points Xero's certification has.
const POINTS: u32 = 30;
/// How a row begins whose point the code does not fulfil yet.
const PENDING: &str = "not yet: ";

/// The rows, each with its point and what is said about it.
fn rows(table: &Document) -> Vec<(String, String)> {
    let rows = table.lines().filter_map(|(_, line)| line.strip_prefix("| XC-"));
    let rows = rows.map(|line| line.trim_end_matches(" |").split_once(" | ").unwrap());
    rows.map(|(number, text)| (format!("XC-{number}"), text.to_owned())).collect()
}

/// The tests that a row names, each with its file.
fn tests(text: &str) -> Vec<(String, String)> {
    let mut file = String::new();
    let mut tests = Vec::new();
    for part in text.split(", ") {
        let name = match part.split_once("](") {
            Some((_, linked)) => {
                let (path, name) = linked.split_once(") ").unwrap();
                file = path.to_owned();
                name
            }
            None => part,
        };
        tests.push((file.clone(), name.trim_matches('`').to_owned()));
    }
    tests
}

/// The path from the root of one that leads from the table's folder.
fn from_root(path: &str) -> String {
    let mut folders: Vec<_> = TABLE.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(folders.pop()),
            _ => folders.push(part),
        }
    }
    folders.join("/")
}

/// What is wrong with a test that is to show this point.
fn problem(point: &str, path: &str, name: &str) -> Option<String> {
    let page = document(&from_root(path));
    let defined = [format!("fn {name}("), format!("def {name}(")];
    let Some(at) = defined.iter().find_map(|text| page.text.find(text.as_str())) else {
        return Some(format!("{path} has no test {name}"));
    };
    // The id stands in the first lines of the test.
    let head: Vec<_> = page.text[at..].lines().take(4).collect();
    let cites = head.iter().any(|line| rules_in(line).iter().any(|id| id == point));
    (!cites).then(|| format!("{name} of {path} does not cite {point}"))
}

#[test]
fn each_point_of_certification_has_its_test() {
    let rows = rows(&document(TABLE));
    let points: Vec<_> = rows.iter().map(|(point, _)| point.clone()).collect();
    let wanted: Vec<_> = (1..=POINTS).map(|number| format!("XC-{number:02}")).collect();
    assert_eq!(points, wanted, "{TABLE} has one row for each point");
    let mut wrong = Vec::new();
    for (point, text) in rows.iter().filter(|(_, text)| !text.starts_with(PENDING)) {
        let named = tests(text);
        wrong.extend(named.iter().filter_map(|(path, name)| problem(point, path, name)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_row_that_names_another_test_is_noticed() {
    let [(path, name)] = &tests("[guarded.rs](tests/it/guarded.rs) `no_such_test`")[..] else {
        panic!()
    };
    assert!(problem("XC-01", path, name).unwrap().contains("no_such_test"));
    let other = "a_stranger_with_the_address_can_connect_nothing";
    assert!(problem("XC-02", path, other).unwrap().contains("does not cite XC-02"));
    assert_eq!(problem("XC-01", path, other), None);
}
