//! Who orders something, and why.

use serde::{Deserialize, Serialize};

use crate::text;

/// Who orders something, and why, in that person's own words: each 1 to 200 characters of text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Wire")]
pub struct Attribution {
    by: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    by: String,
    reason: String,
}

/// The part of an attribution that is missing or too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttributionError {
    /// Who.
    #[error("`by` must have 1 to {max} characters", max = text::TEXT_CHARS_MAX)]
    By,
    /// Why.
    #[error("`reason` must have 1 to {max} characters", max = text::TEXT_CHARS_MAX)]
    Reason,
    /// Both.
    #[error("`by` and `reason` must have 1 to {max} characters", max = text::TEXT_CHARS_MAX)]
    Both,
}

impl Attribution {
    /// Checks both texts, and takes the blanks around them away.
    ///
    /// # Errors
    /// The part that is missing, too long, or holds a control character.
    pub fn new(by: &str, reason: &str) -> Result<Self, AttributionError> {
        match (text::validate("by", by), text::validate("reason", reason)) {
            (Ok(by), Ok(reason)) => Ok(Self { by, reason }),
            (Err(_), Ok(_)) => Err(AttributionError::By),
            (Ok(_), Err(_)) => Err(AttributionError::Reason),
            (Err(_), Err(_)) => Err(AttributionError::Both),
        }
    }

    /// Who.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl TryFrom<Wire> for Attribution {
    type Error = AttributionError;

    fn try_from(wire: Wire) -> Result<Self, AttributionError> {
        Self::new(&wire.by, &wire.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_asked_for() {
        // ST-22
        let said = |by, reason| Attribution::new(by, reason).map(|said| said.by);
        assert_eq!(said(" Ada ", "a payment is missing"), Ok("Ada".to_owned()));
        assert_eq!(said("", "w"), Err(AttributionError::By));
        assert_eq!(said("Ada", " "), Err(AttributionError::Reason));
        assert_eq!(said("A\u{7}da", "\n"), Err(AttributionError::Both));
        let wire = serde_json::json!({"by": "Ada", "reason": "x".repeat(201)});
        let error = Attribution::deserialize(wire).unwrap_err();
        assert_eq!(text::redact(&error), "`reason` must have 1 to 200 characters");
    }
}
