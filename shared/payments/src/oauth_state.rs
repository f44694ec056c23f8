//! A visit: a user of Xero is on the way to let us in, from the moment when the user gets the address
//! until the user comes back with a code.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::ids::GrantId;

/// How long a visit may take. The user's code is good for five minutes (facts.md 2.2).
pub const VISIT_MAX: SignedDuration = SignedDuration::from_mins(10);

/// One way to Xero and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PendingAuthorisation {
    /// The grant that comes of it.
    pub grant: GrantId,
    /// Where the user comes back to. Xero wants to hear it again with the code.
    pub redirect: String,
    /// Until when.
    pub until: Timestamp,
}

impl PendingAuthorisation {
    /// One that begins now.
    pub fn new(grant: GrantId, redirect: String, now: Timestamp) -> Self {
        let until = now.saturating_add(VISIT_MAX).unwrap_or(Timestamp::MAX);
        Self { grant, redirect, until }
    }

    /// Whether the visit has taken too long.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }
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
        let visit =
            PendingAuthorisation::new(GrantId::new(Uuid::nil()), "https://a.b/c".to_owned(), now);
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
