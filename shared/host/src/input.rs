//! Events in which people and schedules say what they want of a function.

/// Longest name or reason of a person, in characters.
pub const WORDS_CHARS_MAX: usize = 200;
/// Longest name of a field that is repeated, in characters.
const NAME_CHARS_MAX: usize = 40;

/// What serde has to say of an event that it cannot read, without the values that it quotes: events name people,
/// and what is said here is logged and shown. Names of fields are no values.
pub fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
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

/// A person's name or reason, without the blanks around it. It stands in the activity log for good.
///
/// # Errors
/// The problem of the field `name`, without its contents.
pub fn words(name: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= WORDS_CHARS_MAX
        && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("`{name}` must have 1 to {WORDS_CHARS_MAX} characters"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(rename = "by")]
        _by: String,
    }

    #[test]
    fn fields_are_named_and_values_never() {
        let of = |text: &str| without_values(&serde_json::from_str::<Wish>(text).unwrap_err());
        assert_eq!(of("{}"), "`by` is missing");
        assert_eq!(of(r#"{"bye": "Barney"}"#), "`bye` is not a field that it knows");
        assert_eq!(of(r#"{"by": 7}"#), "it cannot be read (at column 8)");
        assert!(!of(r#""Barney Rubble""#).contains("Barney"));
        let value = serde_json::json!({"by": 7});
        assert_eq!(without_values(&Wish::deserialize(value).unwrap_err()), "it cannot be read");
        let long = format!(r#"{{"{}": 1}}"#, "x".repeat(400));
        assert!(of(&long).len() < 90);
    }

    #[test]
    fn words_of_people_are_short_and_nothing_but_text() {
        // ST-22
        assert_eq!(words("by", " Ada "), Ok("Ada".to_owned()));
        let longest = "ä".repeat(WORDS_CHARS_MAX);
        assert_eq!(words("why", &longest), Ok(longest.clone()));
        for wrong in ["", "  ", "a\u{0}b", "two\nlines", &format!("{longest}x")] {
            assert_eq!(words("why", wrong), Err("`why` must have 1 to 200 characters".to_owned()));
        }
    }
}
