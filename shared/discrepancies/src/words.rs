//! The words of a notice: a template and the facts in, a subject and a text out (SP-23).

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value};
use payments::{NoticeFacts, NoticeKind};

/// Longest notice, in characters.
pub const NOTICE_CHARS_MAX: usize = 4_000;

/// Steps that filling in a template may take: loops end.
const FUEL: u64 = 20_000;

/// Everything that a template may name.
const FACTS: [&str; 9] =
    ["amount", "business", "due_on", "invoice", "method", "name", "paid_on", "received", "total"];

/// A business's own templates, by kind; where there is none, the ones of this crate are taken.
pub type Words = BTreeMap<NoticeKind, String>;

/// A subject and a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filled {
    /// The first line.
    pub subject: String,
    /// The rest.
    pub text: String,
}

/// Why a template cannot be filled in. Quotes neither the template nor the facts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WordsError {
    /// The template is wrong in that line.
    #[error("line {line} of the template: {what}")]
    Template {
        /// Counted from 1; 0 if it is not known.
        line: usize,
        /// The problem with it.
        what: String,
    },
    /// There would be nothing to read.
    #[error("the template has no text behind its first line")]
    Empty,
    /// Too long to be read.
    #[error("the notice would be longer than {NOTICE_CHARS_MAX} characters")]
    TooLong,
}

/// The template of this crate.
pub const fn default_words(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::FailedPayment => include_str!("../words/failed_payment.txt"),
        NoticeKind::MissingPayment => include_str!("../words/missing_payment.txt"),
        NoticeKind::Overpaid => include_str!("../words/overpaid.txt"),
        NoticeKind::Underpaid => include_str!("../words/underpaid.txt"),
    }
}

/// Fills in the business's own words, or the ones of this crate where it has none or they cannot be filled in; with
/// what is wrong with its own.
///
/// # Errors
/// [`WordsError`] of the words of this crate.
pub fn draft(
    kind: NoticeKind,
    words: &Words,
    facts: &NoticeFacts,
) -> Result<(Filled, Option<WordsError>), WordsError> {
    let own = words.get(&kind).map(|own| fill(own, facts));
    match own {
        Some(Ok(filled)) => Ok((filled, None)),
        Some(Err(wrong)) => Ok((fill(default_words(kind), facts)?, Some(wrong))),
        None => Ok((fill(default_words(kind), facts)?, None)),
    }
}

/// Fills in a template.
///
/// # Errors
/// [`WordsError`].
pub fn fill(template: &str, facts: &NoticeFacts) -> Result<Filled, WordsError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let known: BTreeMap<&str, String> = FACTS
        .into_iter()
        .map(|name| (name, facts.get(name).cloned().unwrap_or_default()))
        .collect();
    let filled = environment.render_str(template, Value::from(known)).map_err(|error| {
        // The error's own detail may quote the template's surroundings, but never a fact.
        WordsError::Template { line: error.line().unwrap_or(0), what: error.kind().to_string() }
    })?;
    if filled.chars().count() > NOTICE_CHARS_MAX {
        return Err(WordsError::TooLong);
    }
    let (subject, text) = filled.trim().split_once('\n').ok_or(WordsError::Empty)?;
    Ok(Filled { subject: subject.trim().to_owned(), text: text.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> NoticeFacts {
        NoticeFacts::from([
            ("invoice", "20002".to_owned()),
            ("name", "Ada & Co <Ltd>".to_owned()),
            ("total", "115.00 AUD".to_owned()),
            ("received", "195.00 AUD".to_owned()),
            ("amount", "80.00 AUD".to_owned()),
            ("due_on", "2026-11-30".to_owned()),
            ("paid_on", "2026-11-20".to_owned()),
        ])
    }

    #[test]
    fn each_kind_has_words_with_clear_steps_and_no_gaps() {
        // SP-23
        for (kind, step) in [
            (NoticeKind::Overpaid, "1. We pay 80.00 AUD back to you."),
            (NoticeKind::Underpaid, "1. Pay 80.00 AUD, and name invoice 20002"),
            (NoticeKind::MissingPayment, "1. Pay 80.00 AUD, and name invoice 20002"),
            (NoticeKind::FailedPayment, "2. Pay 80.00 AUD again"),
        ] {
            let (filled, wrong) = draft(kind, &Words::new(), &facts()).unwrap();
            assert_eq!(wrong, None);
            assert!(filled.subject.starts_with("Invoice 20002: "), "{}", filled.subject);
            assert!(filled.text.contains(step), "{}", filled.text);
            // A text is no page: nothing is escaped.
            assert!(filled.text.contains("Dear Ada & Co <Ltd>,"), "{}", filled.text);
            assert!(!filled.text.contains("{{") && !filled.text.contains(" ,"), "{}", filled.text);
        }
        let mut unnamed = facts();
        unnamed.remove("name");
        let (filled, _) = draft(NoticeKind::Overpaid, &Words::new(), &unnamed).unwrap();
        assert!(filled.text.contains("Dear customer,"), "{}", filled.text);
    }

    #[test]
    fn a_business_says_it_in_its_own_words_and_wrong_ones_are_never_sent() {
        // SP-23
        let own = |words: &str| Words::from([(NoticeKind::Overpaid, words.to_owned())]);
        let draft = |words: &Words| draft(NoticeKind::Overpaid, words, &facts()).unwrap();
        let (filled, wrong) = draft(&own("Hello {{ name }}\nYou get {{ amount }} back."));
        assert_eq!((filled.text.as_str(), wrong), ("You get 80.00 AUD back.", None));
        for (words, what) in [
            ("Hello\n{{ amuont }}", "line 2 of the template: undefined value"),
            ("Hello\n{{ amount", "line 2 of the template: syntax error"),
            ("Hello\n{% for i in range(100000) %}x{% endfor %}", "line 2 of the template: "),
            ("Hello", "no text"),
            (&format!("Hello\n{}", "x".repeat(NOTICE_CHARS_MAX)), "longer than 4000"),
        ] {
            let (filled, wrong) = draft(&own(words));
            assert!(filled.text.contains("1. We pay 80.00 AUD back"), "{words}");
            let wrong = wrong.unwrap().to_string();
            assert!(wrong.contains(what) && !wrong.contains("Ada"), "{wrong}");
        }
    }
}
