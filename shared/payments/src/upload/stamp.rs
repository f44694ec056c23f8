//! How we know again, in Xero, what we put there.
//!
//! Every payment and prepayment that we create carries a stamp in its `Reference`. The stamp says
//! nothing to an outsider. It is made of the ids alone, so that it is the same however often it is
//! made, even after the tables were restored from a backup; and it is bound to what it was made for,
//! so that a payment which a person enters on another invoice with the same reference is not taken
//! for ours.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::ids::{OrganisationId, PaymentId};

/// Longest `Reference`, in characters: what Xero keeps, as far as is known (facts.md 4.3). Counted as
/// .NET counts them, in UTF-16 units: if Xero cut the end off, the stamp would be gone.
pub const REFERENCE_CHARS_MAX: usize = 255;

const PREFIX: &str = "PM-";
/// Digits without the letters that are mistaken for others (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 60 bits name the part of a payment: among a million parts two equal ones are less likely than
/// one in a million.
const NAME_CHARS: usize = 12;
/// 25 bits tie it to its target.
const TIE_CHARS: usize = 5;
const STAMP_CHARS: usize = PREFIX.len() + NAME_CHARS + 1 + TIE_CHARS;

/// What we write into the `Reference` of everything we create, for example
/// `PM-7F3K2Q9XW4ZT-9QK2M`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp(String);

/// A text that is no stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a stamp looks like PM-7F3K2Q9XW4ZT-9QK2M")]
pub struct StampError;

impl Stamp {
    /// The stamp of one part of a payment. `target` is the Xero id of what it is created on: the
    /// invoice, or the contact of a prepayment.
    pub(crate) fn new(
        organisation: OrganisationId,
        payment: &PaymentId,
        part: u32,
        target: impl fmt::Display,
    ) -> Self {
        let name = digits(&format!("{organisation}|{part}|{payment}"), NAME_CHARS);
        let tie = tie(&name, &target);
        Self(format!("{PREFIX}{name}-{tie}"))
    }

    /// Whether it was made for this invoice (or contact).
    pub fn is_for(&self, target: impl fmt::Display) -> bool {
        let rest = self.0.get(PREFIX.len()..).unwrap_or_default();
        rest.split_once('-').is_some_and(|(name, found)| tie(name, &target) == found)
    }

    /// The stamp in a reference, if there is one.
    pub fn find_in(reference: &str) -> Option<Self> {
        reference
            .match_indices(PREFIX)
            .find_map(|(at, _)| reference.get(at..at.checked_add(STAMP_CHARS)?)?.parse().ok())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Stamp {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, StampError> {
        let rest = text.strip_prefix(PREFIX).ok_or(StampError)?;
        let (name, tie) = rest.split_once('-').ok_or(StampError)?;
        let fits = |part: &str, chars| {
            part.len() == chars && part.bytes().all(|byte| DIGITS.contains(&byte))
        };
        let whole = fits(name, NAME_CHARS) && fits(tie, TIE_CHARS);
        if whole { Ok(Self(text.to_owned())) } else { Err(StampError) }
    }
}

fn tie(name: &str, target: &impl fmt::Display) -> String {
    digits(&format!("{name}@{target}"), TIE_CHARS)
}

/// The first digits, in base 32, of a digest of the text.
fn digits(text: &str, chars: usize) -> String {
    let digest = Sha256::digest(format!("paymirror stamp 1|{text}").as_bytes());
    // Five bits of each byte: simpler than packing, and a digest has bytes enough.
    digest
        .iter()
        .take(chars)
        .filter_map(|byte| DIGITS.get(usize::from(byte % 32)).copied().map(char::from))
        .collect()
}

/// The `Reference` of a payment of ours: how it was paid, what the payer wrote, and the stamp. What
/// the payer wrote is cut where it is too long; the stamp never is.
pub fn reference(method: &str, payer: Option<&str>, stamp: &Stamp) -> String {
    let method = method.to_uppercase();
    let head = match payer.map(str::trim).filter(|payer| !payer.is_empty()) {
        // Many payers write the method themselves.
        Some(payer) if payer.to_uppercase().starts_with(&method) => payer.to_owned(),
        Some(payer) => format!("{method} {payer}"),
        None => method,
    };
    stamped(&head, stamp, REFERENCE_CHARS_MAX)
}

/// A text with the stamp behind it, in at most so many characters.
pub(super) fn stamped(head: &str, stamp: &Stamp, chars_max: usize) -> String {
    // A text that looks like a stamp of ours must not stand in front of the true one.
    let head = head.replace(PREFIX, "PM ");
    let room = chars_max.saturating_sub(STAMP_CHARS.saturating_add(1));
    let mut units = 0_usize;
    let fits = |c: &char| {
        units = units.saturating_add(c.len_utf16());
        units <= room
    };
    let head: String = head.chars().take_while(fits).collect();
    format!("{} {stamp}", head.trim_end())
}
