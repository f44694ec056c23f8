//! Where rules and facts are cited.

use crate::repository::Document;

/// Families whose ids are the name, a hyphen and two digits. An invoice number such as `CM-10234` has more of them.
const FAMILIES: &[&str] = &["AMB", "CC", "CM", "EX", "FAULT", "SP", "ST", "X", "XC"];
/// Families that a test's name may cite in small letters: `amb_32_a_refund_reaches_every_invoice`.
const IN_NAMES: &[&str] = &["amb", "cc", "cm", "ex", "sp", "st", "xc"];
/// What stands in front of the number of a fact.
const FACT: &str = "facts.md ";
/// Between the numbers of several facts.
const AND: &[&str] = &[", ", " and ", " to "];
/// Forms of former days, and what to write today.
const OUTDATED: &[(&str, &str)] = &[
    ("xero.md", "facts.md 4.2"),
    ("quality.md", "N5 or FAULT-14"),
    ("cenario 1", "FAULT-14"),
    ("cenario 2", "FAULT-21"),
    ("cenario 3", "FAULT-31"),
    ("cenarios 1", "FAULT-14"),
    ("cenarios 2", "FAULT-21"),
    ("cenarios 3", "FAULT-31"),
];

/// An id where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Citation {
    /// Such as `CM-27`, `A7.3`, `V12`, or `facts.md 4.2`.
    pub id: String,
    /// The file.
    pub path: String,
    /// The line in it.
    pub line: usize,
    /// Whether a test cites it.
    pub by_test: bool,
}

impl Citation {
    /// For a list of what is wrong.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

/// All citations in a file.
pub fn citations(document: &Document) -> Vec<Citation> {
    let tests_from = first_line_of_tests(document);
    let mut found = Vec::new();
    for (line, text) in document.lines() {
        let in_test = tests_from.is_some_and(|from| line >= from);
        let mut ids = rules_in(text);
        if document.is("rs") && text.contains("fn ") {
            ids.extend(rules_in_name(text));
        }
        let facts = facts_in(text);
        for (id, is_fact) in
            ids.into_iter().map(|id| (id, false)).chain(facts.into_iter().map(|id| (id, true)))
        {
            // The simulator shows how Xero is, and nothing about our rules.
            let simulated = document.path.starts_with("tests/simulator/src/");
            let by_test = in_test && (is_fact || id.starts_with("X-") || !simulated);
            found.push(Citation { id, path: document.path.clone(), line, by_test });
        }
    }
    found
}

/// Citations in a form of former days: where they stand, and what to write.
pub fn outdated(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    for (line, text) in document.lines() {
        for (form, today) in OUTDATED {
            if text.contains(form) {
                found.push(format!("{}:{line}: `{form}…`: write {today}", document.path));
            }
        }
    }
    found
}

/// From which line on a file consists of tests.
fn first_line_of_tests(document: &Document) -> Option<usize> {
    let path = &document.path;
    let name = path.rsplit('/').next().unwrap_or(path);
    if document.is("md") {
        return None;
    }
    if path.starts_with("tests/")
        || path.contains("/tests/")
        || name == "tests.rs"
        || name.starts_with("test_")
    {
        return Some(1);
    }
    let lines: Vec<_> = document.text.lines().collect();
    let at = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    at.map(|index| index + 1)
}

/// Ids of rules in a line, in their order.
pub fn rules_in(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = "";
    while let Some(start) = rest.find(is_part) {
        let (skipped, from) = rest.split_at(start);
        if !skipped.is_empty() {
            before = skipped;
        }
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let word = word.trim_end_matches(['.', '-']);
        // `IpAddr::V4` is code.
        if is_rule(word) && !before.ends_with("::") {
            found.push(word.to_owned());
        }
        rest = after;
    }
    found
}

fn is_rule(word: &str) -> bool {
    let digits =
        |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((family, number)) = word.split_once('-') {
        // `EX-15a` to `EX-15d` are parts of one rule.
        let number = number.strip_suffix(['a', 'b', 'c', 'd']).unwrap_or(number);
        return FAMILIES.contains(&family) && number.len() == 2 && digits(number);
    }
    if let Some(number) = word.strip_prefix(['U', 'V']) {
        return digits(number) && number != "0" && !number.starts_with('0');
    }
    if let Some(number) = word.strip_prefix('N') {
        return digits(number) && number.parse().is_ok_and(|number: u8| (1..=10).contains(&number));
    }
    let Some(section) = word.strip_prefix('A') else { return false };
    let mut parts = section.split('.');
    let single = |part: &str| part.len() == 1 && digits(part);
    parts.next().is_some_and(single) && parts.next().is_none_or(single) && parts.next().is_none()
}

/// Ids in the name of a test.
fn rules_in_name(text: &str) -> Vec<String> {
    let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let pairs = words.windows(2).filter(|pair| {
        IN_NAMES.contains(&pair[0])
            && pair[1].len() == 2
            && pair[1].bytes().all(|b| b.is_ascii_digit())
    });
    pairs.map(|pair| format!("{}-{}", pair[0].to_uppercase(), pair[1])).collect()
}

/// Facts about Xero in a line: `facts.md 4.2`, and every further number of a list such as `facts.md 4.3 and 4.5`.
pub fn facts_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(FACT) {
        rest = &rest[at + FACT.len()..];
        while let Some(number) = leading_number(rest) {
            found.push(format!("{FACT}{number}"));
            rest = &rest[number.len()..];
            let Some(next) = AND.iter().find_map(|and| rest.strip_prefix(and)) else { break };
            rest = next;
        }
    }
    found
}

/// The number of a section at the beginning: `4`, or `4.10`.
fn leading_number(text: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let chapter = digits(text);
    if chapter == 0 {
        return None;
    }
    let section = text[chapter..].strip_prefix('.').map_or(0, digits);
    Some(&text[..if section == 0 { chapter } else { chapter + 1 + section }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_among_words_and_signs() {
        let line = "// (CM-27, AMB-03; A7.3): `EX-15a`, V20: N10. FAULT-04 to FAULT-11, A1, A1.1's";
        let ids = [
            "CM-27", "AMB-03", "A7.3", "EX-15a", "V20", "N10", "FAULT-04", "FAULT-11", "A1", "A1.1",
        ];
        assert_eq!(rules_in(line), ids);
    }

    #[test]
    fn invoice_numbers_and_code_are_no_ids() {
        let line = "CM-1 CM-10234 INV-10 P-1 UTF-8 IpAddr::V4(x) V0 N11 v20 A12 A1.2.3 CM-271";
        assert_eq!(rules_in(line), Vec::<String>::new());
    }

    #[test]
    fn an_id_is_found_in_the_name_of_a_test() {
        assert_eq!(
            rules_in_name("async fn amb_32_a_refund_of_2026_sp_19() {"),
            ["AMB-32", "SP-19"]
        );
    }

    #[test]
    fn facts_come_alone_and_in_lists() {
        let line =
            "(facts.md 4.3 and 4.5, FAULT-25), facts.md 4.10. facts.md 2 and 4, facts.md then";
        let ids = ["facts.md 4.3", "facts.md 4.5", "facts.md 4.10", "facts.md 2", "facts.md 4"];
        assert_eq!(facts_in(line), ids);
    }

    #[test]
    fn what_follows_the_module_of_tests_is_a_test_and_what_precedes_it_is_not() {
        let text = "// CM-01\n#[cfg(test)]\nmod tests;\n// CM-02\n#[cfg(test)]\nmod tests {\n// CM-03\n}\n";
        let document = Document { path: "shared/a/src/a.rs".into(), text: text.into() };
        let by_test: Vec<_> = citations(&document).into_iter().map(|found| found.by_test).collect();
        assert_eq!(by_test, [false, false, true]);
    }
}
