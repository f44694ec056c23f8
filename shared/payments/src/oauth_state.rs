//! A visit: a user of Xero is on the way to let us in, from the moment when the user gets the address
//! until the user comes back with a code; and the link by which an operator invites one.
//!
//! Link, state and cookie are texts of 244 random bits. Only their keys are stored ([`visit_key`]).

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::ids::{GrantId, OrganisationId};

/// How long an operator's link invites a user.
pub const LINK_MAX: SignedDuration = SignedDuration::from_hours(1);
/// How long a user who is back may choose among organisations.
pub const CHOICE_MAX: SignedDuration = SignedDuration::from_mins(30);
/// How long it is remembered after its end that there was one, to say so.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// How long a visit may take. The user's code is good for five minutes (facts.md 2.2).
pub const VISIT_MAX: SignedDuration = SignedDuration::from_mins(10);

/// An invitation by an operator: a user who opens its link may go to Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    /// The grant that comes of it.
    pub grant: GrantId,
    /// The organisation that is to be reached again; `None` for any.
    pub organisation: Option<OrganisationId>,
    /// The permissions that are asked for.
    pub scopes: String,
    /// Until when.
    pub until: Timestamp,
    /// Whether a user has gone to Xero by it.
    pub used: bool,
    /// Who has ordered it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// One way to Xero and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PendingAuthorisation {
    /// The grant that comes of it.
    pub grant: GrantId,
    /// Where the user comes back to. Xero wants to hear it again with the code.
    pub redirect: String,
    /// Until when.
    pub until: Timestamp,
    /// The browser that has to bring the state back, by the key of its cookie; `None` where a person carries it to
    /// a command.
    pub browser: Option<String>,
    /// The organisation that is to be reached again; `None` for any.
    pub organisation: Option<OrganisationId>,
    /// Whether a state was brought back already.
    pub used: bool,
    /// Who has ordered it.
    pub by: String,
    /// Why.
    pub why: String,
}

impl PendingAuthorisation {
    /// Whether the visit has taken too long.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}

/// What a user has let us reach, while the user chooses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The grant that was made.
    pub grant: GrantId,
    /// The organisations, by Xero's name.
    pub offered: Vec<(OrganisationId, String)>,
    /// The organisation that was to be reached again.
    pub organisation: Option<OrganisationId>,
    /// Until when.
    pub until: Timestamp,
    /// Who has ordered it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// So long after a moment.
pub fn until(now: Timestamp, length: SignedDuration) -> Timestamp {
    now.saturating_add(length).unwrap_or(Timestamp::MAX)
}

/// The key by which a visit is found again. The state that travels with the user cannot be derived from
/// it, so that a reader of the table cannot come in the user's place.
pub fn visit_key(state: &SecretString) -> String {
    Sha256::digest(state.expose_secret().as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_visit_is_over_after_ten_minutes_to_the_second() {
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let visit = PendingAuthorisation {
            grant: GrantId::new(Uuid::nil()),
            redirect: "https://a.b/c".to_owned(),
            until: until(now, VISIT_MAX),
            browser: None,
            organisation: None,
            used: false,
            by: "Ada".to_owned(),
            why: "new".to_owned(),
        };
        assert!(!visit.is_over(now + SignedDuration::from_secs(599)));
        assert!(visit.is_over(now + SignedDuration::from_secs(600)));
    }

    #[test]
    fn the_key_does_not_show_the_state() {
        let key = visit_key(&"canary-4711".into());
        assert_eq!(key.len(), 64);
        assert!(!key.contains("4711"));
        assert_ne!(key, visit_key(&"canary-4712".into()));
    }
}
