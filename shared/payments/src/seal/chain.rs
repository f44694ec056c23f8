//! The seal of a day, chained to the one of the day before.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::checksum::{Checksum, feed};
use crate::ids::OrganisationId;
use crate::reason::codes;

/// What a seal covers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// How many rows the day has.
    pub rows: u64,
    /// The checksums of its pages, in the order of the keys.
    pub pages: Vec<Checksum>,
    /// How many rows of the day before came after its seal.
    pub late: u64,
    /// The checksums of the pages with these.
    pub late_pages: Vec<Checksum>,
}

/// The seal of one organisation's day in UTC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seal {
    /// Whose log.
    pub organisation: OrganisationId,
    /// The day in UTC.
    pub day: Date,
    /// The checksum of the seal of the day before; none of the first one.
    pub previous: Option<Checksum>,
    /// What it covers.
    pub contents: Contents,
    /// The checksum over all of this.
    pub checksum: Checksum,
}

codes! {
    /// The problem of a seal itself.
    SealFault {
        /// The day has no seal, and a later one has.
        Missing = "seal_missing",
        /// Its checksum is not the one of what it says, or a page of it is another one or gone.
        Altered = "seal_altered",
        /// It does not follow the seal of the day before.
        Unchained = "seal_unchained",
    }
}

impl Seal {
    /// Seals what a day holds.
    pub fn new(
        organisation: OrganisationId,
        day: Date,
        previous: Option<Checksum>,
        contents: Contents,
    ) -> Self {
        let checksum = checksum(organisation, day, previous, &contents);
        Self { organisation, day, previous, contents, checksum }
    }

    /// Whether its checksum is the one of what it says.
    pub fn is_intact(&self) -> bool {
        checksum(self.organisation, self.day, self.previous, &self.contents) == self.checksum
    }
}

/// The problem of a day's seal by itself and by the one of the day before; the first seal of all has none
/// before it.
pub fn fault_of(seal: &Seal, before: Option<&Seal>) -> Option<SealFault> {
    if !seal.is_intact() {
        return Some(SealFault::Altered);
    }
    (seal.previous != before.map(|before| before.checksum)).then_some(SealFault::Unchained)
}

fn checksum(
    organisation: OrganisationId,
    day: Date,
    previous: Option<Checksum>,
    contents: &Contents,
) -> Checksum {
    let mut hasher = Sha256::new();
    let previous = previous.map_or_else(|| "none".to_owned(), |previous| previous.to_string());
    let head = [
        "paymirror seal 1".to_owned(),
        organisation.to_string(),
        day.to_string(),
        previous,
        contents.rows.to_string(),
        contents.late.to_string(),
        contents.pages.len().to_string(),
        contents.late_pages.len().to_string(),
    ];
    feed(&mut hasher, &head.each_ref().map(String::as_str));
    for page in contents.pages.iter().chain(&contents.late_pages) {
        feed(&mut hasher, &[&page.to_string()]);
    }
    Checksum::of(hasher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{SealPage, SealedRow};

    fn content(text: &str) -> Checksum {
        Checksum::of(Sha256::new_with_prefix(text))
    }

    fn seal(day: &str, previous: Option<Checksum>, pages: &[&str]) -> Seal {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let pages: Vec<_> = pages.iter().map(|page| content(page)).collect();
        let contents = Contents { rows: 2, pages, ..Contents::default() };
        Seal::new(organisation, day.parse().unwrap(), previous, contents)
    }

    /// SP-29: a seal of which anything is altered is no seal any more, and a new checksum breaks the chain behind it.
    #[test]
    fn a_seal_that_was_altered_is_known_by_itself_or_by_the_next_one() {
        let first = seal("2026-11-22", None, &["a"]);
        let second = seal("2026-11-23", Some(first.checksum), &["b", "c"]);
        assert_eq!(fault_of(&first, None), None);
        assert_eq!(fault_of(&second, Some(&first)), None);
        assert_eq!(fault_of(&second, None), Some(SealFault::Unchained));
        let edits: [fn(&mut Seal); 7] = [
            |seal| seal.day = "2026-11-24".parse().unwrap(),
            |seal| seal.previous = None,
            |seal| seal.contents.rows += 1,
            |seal| seal.contents.late += 1,
            |seal| seal.contents.pages.swap(0, 1),
            |seal| seal.contents.late_pages = seal.contents.pages.split_off(1),
            |seal| seal.organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f047".parse().unwrap(),
        ];
        for (position, edit) in edits.iter().enumerate() {
            let mut altered = second.clone();
            edit(&mut altered);
            assert_eq!(fault_of(&altered, Some(&first)), Some(SealFault::Altered), "{position}");
            let next = seal("2026-11-24", Some(second.checksum), &[]);
            let Seal { organisation, day, previous, contents, .. } = altered;
            let forged = Seal::new(organisation, day, previous, contents);
            assert_eq!(fault_of(&next, Some(&forged)), Some(SealFault::Unchained), "{position}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_day_its_keys_and_its_contents() {
        let row = |at: &str, text: &str| SealedRow { at: at.to_owned(), content: content(text) };
        let page = |day: &str, rows: &[SealedRow]| {
            SealPage { log_day: day.parse().unwrap(), rows: rows.to_vec() }.checksum()
        };
        let rows = [row("1", "a"), row("2", "b")];
        let all = [
            page("2026-11-23", &rows),
            page("2026-11-24", &rows),
            page("2026-11-23", &rows[..1]),
            page("2026-11-23", &[row("1", "b"), row("2", "a")]),
            page("2026-11-23", &[row("2", "a"), row("1", "b")]),
            page("2026-11-23", &[]),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
