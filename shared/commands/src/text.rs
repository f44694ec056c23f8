//! Texts that people type, and what an error may repeat of an event.

/// Longest name or reason of a person, in characters.
pub const TEXT_CHARS_MAX: usize = 200;
/// Longest name of a field that is repeated, in characters.
const NAME_CHARS_MAX: usize = 40;

/// A person's name or reason, without the blanks around it. It stays in the activity log for good.
///
/// # Errors
/// The problem of the field `name`, without its contents.
pub fn validate(name: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if !text.is_empty() && fits(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{name}` must have 1 to {TEXT_CHARS_MAX} characters"))
    }
}

/// Whether a text is short enough and holds no control character.
pub fn fits(text: &str) -> bool {
    text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
}

/// The message of serde about an event that it cannot read, without the values that it quotes: events name
/// people, and the message is logged and shown. Names of fields, and sentences that begin with one, are no values.
pub fn redact(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with('`') {
        return text.split(" at line ").next().unwrap_or_default().to_owned();
    }
    for (begins, says) in
        [("unknown field", "is not a field that it knows"), ("missing field", "is missing")]
    {
        if let Some((_, rest)) = text.split_once(" `").filter(|_| text.starts_with(begins)) {
            let name: String =
                rest.chars().take_while(|c| *c != '`').take(NAME_CHARS_MAX).collect();
            return format!("`{name}` {says}");
        }
    }
    match error.line() {
        // It was not read from a text.
        0 => "it cannot be read".to_owned(),
        _ => format!("it cannot be read (at column {})", error.column()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Event {
        #[serde(rename = "by")]
        _by: String,
    }

    #[test]
    fn fields_are_named_and_values_never() {
        let of = |text: &str| redact(&serde_json::from_str::<Event>(text).unwrap_err());
        assert_eq!(of("{}"), "`by` is missing");
        assert_eq!(of(r#"{"bye": "Barney"}"#), "`bye` is not a field that it knows");
        assert_eq!(of(r#"{"by": 7}"#), "it cannot be read (at column 8)");
        assert!(!of(r#""Barney Rubble""#).contains("Barney"));
        let value = serde_json::json!({"by": 7});
        assert_eq!(redact(&Event::deserialize(value).unwrap_err()), "it cannot be read");
        let long = format!(r#"{{"{}": 1}}"#, "x".repeat(400));
        assert!(of(&long).len() < 90);
    }

    #[test]
    fn texts_of_people_are_short_and_nothing_but_text() {
        // ST-22
        assert_eq!(validate("by", " Ada "), Ok("Ada".to_owned()));
        let longest = "ä".repeat(TEXT_CHARS_MAX);
        assert_eq!(validate("why", &longest), Ok(longest.clone()));
        for wrong in ["", "  ", "a\u{0}b", "two\nlines", &format!("{longest}x")] {
            assert_eq!(
                validate("why", wrong),
                Err("`why` must have 1 to 200 characters".to_owned())
            );
        }
    }
}
