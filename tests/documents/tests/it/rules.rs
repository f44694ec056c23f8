//! Every id that is cited is defined, and every id that is defined is shown by a test.

use std::collections::{BTreeMap, BTreeSet};

use documents::citation::{Citation, citations, outdated};
use documents::definition::{Definitions, FACTS, RULES};
use documents::link;
use documents::repository::documents;

/// Every citation outside of the two pages of definitions, by its id.
fn cited() -> BTreeMap<String, Vec<Citation>> {
    let mut cited: BTreeMap<String, Vec<Citation>> = BTreeMap::new();
    for document in documents() {
        if document.path != RULES && document.path != FACTS {
            for citation in citations(&document) {
                cited.entry(citation.id.clone()).or_default().push(citation);
            }
        }
    }
    assert!(cited.len() > 200, "only {} ids were found: is the reader broken?", cited.len());
    cited
}

/// Fails with the list, unless it is empty.
fn none(wrong: &[String], advice: &str) {
    assert!(wrong.is_empty(), "\n{}\n{advice}\n", wrong.join("\n"));
}

#[test]
fn every_id_that_is_cited_is_defined() {
    let definitions = Definitions::read();
    let mut wrong = Vec::new();
    for (id, places) in cited() {
        if !definitions.places.contains_key(&id) {
            wrong.extend(
                places.iter().map(|place| format!("{id} is not defined: {}", place.place())),
            );
        }
    }
    none(
        &wrong,
        &format!(
            "Define each in {RULES} (rules) or {FACTS} (facts about Xero), or correct the citation."
        ),
    );
}

#[test]
fn every_id_that_is_defined_is_cited_by_a_test() {
    let definitions = Definitions::read();
    let cited = cited();
    let mut wrong = Vec::new();
    for (id, places) in &definitions.places {
        let citations = cited.get(id).map_or(&[][..], Vec::as_slice);
        let is_excused = definitions.pending.contains(id) || Definitions::is_chapter(id);
        if !is_excused && !citations.iter().any(|citation| citation.by_test) {
            let elsewhere: Vec<_> = citations.iter().map(Citation::place).collect();
            wrong.push(format!(
                "{id} ({}) is cited by no test, but by {elsewhere:?}",
                places.join(", ")
            ));
        }
    }
    none(
        &wrong,
        &format!(
            "Cite the id in the name or the comment of the test that shows it. If there is no such test, list the id under \
             \"Not yet shown by a test\" in {RULES}; if nothing cites it, delete its definition."
        ),
    );
}

#[test]
fn an_id_leaves_the_list_of_those_not_yet_shown_once_a_test_cites_it() {
    let definitions = Definitions::read();
    let cited = cited();
    let mut wrong = Vec::new();
    for id in &definitions.pending {
        match cited.get(id) {
            _ if !definitions.places.contains_key(id) => wrong.push(format!("{id} is not defined")),
            None => wrong.push(format!("{id} is cited nowhere: delete it")),
            Some(citations) => wrong.extend(
                citations
                    .iter()
                    .filter(|citation| citation.by_test)
                    .map(|citation| format!("{id} is shown by the test at {}", citation.place())),
            ),
        }
    }
    none(&wrong, &format!("Correct the section \"Not yet shown by a test\" of {RULES}."));
}

#[test]
fn every_id_is_defined_once() {
    let definitions = Definitions::read();
    let twice = definitions.places.iter().filter(|(_, places)| places.len() > 1);
    let wrong: Vec<_> = twice.map(|(id, places)| format!("{id}: {}", places.join(", "))).collect();
    none(&wrong, "Keep one definition of each.");
}

#[test]
fn no_citation_has_a_form_that_leads_nowhere() {
    let wrong: Vec<_> = documents().iter().flat_map(outdated).collect();
    none(&wrong, "Cite ids that the repository defines.");
}

#[test]
fn every_link_between_documents_leads_to_a_file() {
    let pages = documents();
    let wrong: Vec<_> = pages.iter().filter(|page| page.is("md")).flat_map(link::broken).collect();
    none(&wrong, "Correct each link.");
}

#[test]
fn every_file_of_the_two_pages_is_in_the_list_of_documents() {
    let paths: BTreeSet<_> = documents().into_iter().map(|document| document.path).collect();
    assert!(paths.contains(RULES) && paths.contains(FACTS) && paths.contains("README.md"));
}
