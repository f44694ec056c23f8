//! The digests of all organisations as one: what operators of many read in the morning (CC-20, CC-22).

use std::fmt::Write as _;

use jiff::civil::Date;
use uuid::Uuid;

use crate::ids::OrganisationId;
use crate::morning_close::CloseState;

/// Whose digest it is: no organisation's, but that of all.
pub const ALL_ORGANISATIONS: OrganisationId = OrganisationId::new(Uuid::nil());

/// Longest text of it, in characters: a mail has 256 KB.
pub const JOINT_CHARS_MAX: usize = 60_000;

/// What of it is left for the names of organisations whose digests it has no room for.
const NAMES_CHARS: usize = 10_000;

/// What the digest of one organisation said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastDigest {
    /// Whether all is well.
    pub is_well: bool,
    /// How its closes stand; `None` if it has nothing to close yet, and of a digest of an earlier version.
    pub close: Option<CloseState>,
    /// All of it in words.
    pub text: String,
}

/// The digest of one organisation: the last one that was made by its own clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DigestPart {
    /// What people call the organisation; its id, if it has no name.
    pub name: String,
    /// The digest; `None` if none was made in the last two days.
    pub digest: Option<LastDigest>,
}

impl DigestPart {
    fn is_well(&self) -> bool {
        self.digest.as_ref().is_some_and(|digest| digest.is_well)
    }
}

/// All of them as one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JointDigest {
    /// Whether collection work can begin everywhere without a further look.
    pub is_well: bool,
    /// All of it in words.
    pub text: String,
}

impl JointDigest {
    /// Puts them together: first those with trouble, each with its digest, by name; then the names of all others.
    pub fn of(day: Date, mut parts: Vec<DigestPart>) -> Self {
        parts.sort_by(|a, b| a.name.cmp(&b.name));
        let closes = closes(&parts);
        let (well, troubled): (Vec<_>, Vec<_>) = parts.into_iter().partition(DigestPart::is_well);
        let mut text = match troubled.len() {
            0 => format!("{day}: all is well in {} organisations\n", well.len()),
            some => format!("{day}: look at {some} of {} organisations\n", some + well.len()),
        };
        text.push_str(&closes);
        let mut rest = Vec::new();
        for part in &troubled {
            let digest = part.digest.as_ref().map_or("no digest was made\n", |digest| &digest.text);
            let digest = format!("\n{}\n{digest}", part.name);
            if text.len() + digest.len() + NAMES_CHARS > JOINT_CHARS_MAX {
                rest.push(part.name.as_str());
            } else {
                text.push_str(&digest);
            }
        }
        names(&mut text, "Look at these as well", &rest);
        let well: Vec<_> = well.iter().map(|part| part.name.as_str()).collect();
        names(&mut text, "All is well", &well);
        Self { is_well: troubled.is_empty(), text }
    }
}

/// How many have closed their days, are late, or have differences (SP-13); nothing while none has anything to close.
fn closes(parts: &[DigestPart]) -> String {
    let states = || parts.iter().filter_map(|part| part.digest.as_ref()?.close);
    let count = |wanted| states().filter(|state| *state == wanted).count();
    let all = states().count();
    if all == 0 {
        return String::new();
    }
    let (late, differ) = (count(CloseState::Late), count(CloseState::Differs));
    let mut line = format!("Closes: {} of {all} closed", all.saturating_sub(late));
    for (some, what) in [(late, "late"), (differ, "with differences")] {
        if some > 0 {
            let _ = write!(line, ", {some} {what}");
        }
    }
    line.push('\n');
    line
}

/// Adds names, as many as there is room for, and how many more there are.
fn names(text: &mut String, what: &str, names: &[&str]) {
    if names.is_empty() {
        return;
    }
    let room = NAMES_CHARS / 2;
    let mut line = format!("\n{what}: ");
    let mut named = 0;
    for name in names {
        if line.len() + name.len() > room {
            break;
        }
        let comma = if named == 0 { "" } else { ", " };
        let _ = write!(line, "{comma}{name}");
        named += 1;
    }
    let more = names.len() - named;
    if more > 0 {
        let _ = write!(line, " and {more} more");
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, digest: Option<(bool, &str)>) -> DigestPart {
        let digest = digest.map(|(is_well, text)| LastDigest {
            is_well,
            close: None,
            text: text.to_owned(),
        });
        DigestPart { name: name.to_owned(), digest }
    }

    fn day() -> Date {
        jiff::civil::date(2026, 11, 25)
    }

    #[test]
    fn those_with_trouble_come_first_and_all_others_are_named() {
        // CC-20, CC-22
        let joint = JointDigest::of(
            day(),
            vec![
                part("Cedar", Some((true, "2026-11-25: all is well\n"))),
                part("Birch", Some((false, "2026-11-24: look here\nConnection: Error\n"))),
                part("Alder", Some((true, "2026-11-25: all is well\n"))),
                part("Aspen", None),
            ],
        );
        assert!(!joint.is_well);
        assert_eq!(
            joint.text,
            "2026-11-25: look at 2 of 4 organisations\n\nAspen\nno digest was made\n\nBirch\n2026-11-24: look \
             here\nConnection: Error\n\nAll is well: Alder, Cedar\n"
        );
    }

    #[test]
    fn a_morning_on_which_all_is_well_is_two_lines() {
        let well = |name| part(name, Some((true, "2026-11-25: all is well\n")));
        let joint = JointDigest::of(day(), vec![well("Birch"), well("Alder")]);
        let text = "2026-11-25: all is well in 2 organisations\n\nAll is well: Alder, Birch\n";
        assert_eq!((joint.is_well, joint.text.as_str()), (true, text));
    }

    #[test]
    fn closes_of_all_are_counted_in_one_line() {
        // SP-13, CC-20
        let with = |name, is_well, close| {
            let text = "2026-11-25: a digest\n".to_owned();
            DigestPart {
                name: String::from(name),
                digest: Some(LastDigest { is_well, close, text }),
            }
        };
        let joint = JointDigest::of(
            day(),
            vec![
                with("Alder", true, Some(CloseState::Closed)),
                with("Birch", false, Some(CloseState::Late)),
                with("Cedar", false, Some(CloseState::Differs)),
                with("Elm", true, None),
                part("Fir", None),
            ],
        );
        let lines: Vec<_> = joint.text.lines().collect();
        assert_eq!(lines[0], "2026-11-25: look at 3 of 5 organisations");
        assert_eq!(lines[1], "Closes: 2 of 3 closed, 1 late, 1 with differences");
    }

    #[test]
    fn five_thousand_with_trouble_fit_and_those_left_out_are_counted() {
        let long = "x".repeat(900);
        let parts = (0..5_000).map(|n| part(&format!("N{n:04}"), Some((n % 2 == 0, &long))));
        let joint = JointDigest::of(day(), parts.collect());
        assert!(joint.text.chars().count() <= JOINT_CHARS_MAX, "{}", joint.text.len());
        assert!(
            joint.text.starts_with("2026-11-25: look at 2500 of 5000 organisations\n\nN0001\n")
        );
        assert!(
            joint.text.contains("\nLook at these as well: N0") && joint.text.ends_with(" more\n")
        );
    }
}
