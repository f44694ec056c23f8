//! How an invoice number of the business's own system is written in Xero.

use std::fmt;

use crate::ids::InvoiceNumber;
use crate::reason::Ignored;

/// What stands in front of a local number in Xero: `CM-` unless the organisation's settings say
/// otherwise. Compared exactly, upper and lower case and spaces included.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NumberPrefix(String);

/// Longest prefix, in characters.
pub const PREFIX_CHARS_MAX: usize = 20;

impl NumberPrefix {
    /// A prefix; the empty one makes every sales invoice eligible. `None` if it is too long.
    pub fn new(prefix: impl Into<String>) -> Option<Self> {
        let prefix = prefix.into();
        let fits =
            prefix.chars().count() <= PREFIX_CHARS_MAX && !prefix.chars().any(char::is_control);
        fits.then_some(Self(prefix))
    }

    /// The number under which Xero knows a local invoice.
    pub fn to_xero(&self, local: &InvoiceNumber) -> String {
        format!("{}{local}", self.0)
    }

    /// The local number of a Xero invoice.
    ///
    /// # Errors
    /// Why the invoice is not one of ours.
    pub fn to_local(&self, xero: &str) -> Result<InvoiceNumber, Ignored> {
        let rest = xero.strip_prefix(self.0.as_str()).ok_or(Ignored::NotCmPrefix)?;
        if rest.is_empty() {
            return Err(Ignored::EmptyNumber);
        }
        rest.parse().map_err(|_| Ignored::NumberUnusable)
    }
}

impl Default for NumberPrefix {
    fn default() -> Self {
        Self("CM-".to_owned())
    }
}

impl fmt::Display for NumberPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_number_carries_the_prefix_in_xero_exactly() {
        // CM-06, CM-16
        let prefix = NumberPrefix::default();
        let local: InvoiceNumber = "10234".parse().unwrap();
        assert_eq!(prefix.to_xero(&local), "CM-10234");
        assert_eq!(prefix.to_local("CM-10234"), Ok(local));
    }

    #[test]
    fn other_numbers_are_not_eligible() {
        // CM-05, AMB-25, V14
        let prefix = NumberPrefix::default();
        for number in ["INV-9", "cm-9", "Cm-9", " CM-9", "CM9", "", "10234", "CM–9"] {
            assert_eq!(prefix.to_local(number), Err(Ignored::NotCmPrefix), "{number:?}");
        }
        assert_eq!(prefix.to_local("CM-"), Err(Ignored::EmptyNumber));
        assert_eq!(prefix.to_local("CM-1\n2"), Err(Ignored::NumberUnusable));
    }

    #[test]
    fn the_prefix_is_a_setting() {
        // AMB-25
        let prefix = NumberPrefix::new("ACME/").unwrap();
        assert_eq!(prefix.to_local("ACME/7").unwrap().as_str(), "7");
        assert_eq!(prefix.to_local("CM-7"), Err(Ignored::NotCmPrefix));
        assert_eq!(NumberPrefix::new("").unwrap().to_local("7").unwrap().as_str(), "7");
        assert!(NumberPrefix::new("x".repeat(21)).is_none());
    }
}
