//! What a person may order from a page: the table of commands, and who orders it and why as it was typed.

pub use commands::Kind as Order;
use commands::text::TEXT_CHARS_MAX;
use commands::{Attribution, AttributionError};

/// The order of this code, if a page has a button for it.
pub fn from_code(code: &str) -> Option<Order> {
    Order::from_code(code).filter(|order| order.spec().label.is_some())
}

/// Who wants it, and why, as a person has typed it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// The missing part of what a person has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("Enter {0}, at most {max} characters, then press the button again. Nothing was changed.", max = TEXT_CHARS_MAX)]
pub struct NotSaid(&'static str);

impl Said {
    /// The attribution that was typed.
    ///
    /// # Errors
    /// The part that is missing, or too long.
    pub fn attribution(&self) -> Result<Attribution, NotSaid> {
        Attribution::new(&self.by, &self.why).map_err(|error| {
            NotSaid(match error {
                AttributionError::By => "your name",
                AttributionError::Reason => "a reason",
                AttributionError::Both => "your name and a reason",
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_why_are_asked_for_in_plain_words() {
        let said = |by: &str, why: &str| {
            Said { by: by.to_owned(), why: why.to_owned() }.attribution().map(|_| ())
        };
        assert_eq!(said("Ada", "a payment is missing"), Ok(()));
        assert!(said("", "w").unwrap_err().to_string().contains("Enter your name,"));
        assert!(said("Ada", "").unwrap_err().to_string().contains("Enter a reason,"));
        assert!(said("Ada", &"x".repeat(TEXT_CHARS_MAX)).is_ok());
        assert!(said("Ada", &"x".repeat(TEXT_CHARS_MAX + 1)).is_err());
        assert!(said("A\u{7}da", "w").is_err());
    }

    #[test]
    fn what_cannot_be_undone_asks_first() {
        let asks = [
            Order::ApproveMassChange,
            Order::EnableUploads,
            Order::Solve,
            Order::Replay,
            Order::Restore,
            Order::Redrive,
            Order::Discard,
            Order::AnnounceAgain,
            Order::SignUp,
        ];
        for order in asks {
            assert!(order.confirmation().is_some(), "{order}");
        }
    }
}
