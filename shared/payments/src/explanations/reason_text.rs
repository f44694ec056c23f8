//! The words that explain a state.

/// The words that explain a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReasonText {
    /// The rules that say so.
    pub rules: &'static [&'static str],
    /// What it means, as a sentence.
    pub says: &'static str,
    /// What would change it, as a sentence.
    pub remedy: &'static str,
}

pub(super) const fn words(
    rules: &'static [&'static str],
    says: &'static str,
    remedy: &'static str,
) -> ReasonText {
    ReasonText { rules, says, remedy }
}
