//! Messages as text, and back. The text is a contract: see the README.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::message::{InvoiceChanges, Message, Noted, UnreadablePart};

/// The version of the messages that this crate writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Longest account of a problem, in characters. It goes into logs, and may quote the text.
const ACCOUNT_CHARS_MAX: usize = 200;

/// A text that is not a message we know. Its receiver parks it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or without a version and a kind.
    #[error("not a message: {0}")]
    NotAMessage(String),
    /// Written by a version of this crate that we are not.
    #[error("message version {0} is not known here (this is version {VERSION})")]
    UnknownVersion(u64),
    /// A kind of message that this version does not have.
    #[error("message kind {0:?} is not known here")]
    UnknownKind(String),
    /// The kind is known, but something in the message is wrong.
    #[error("{kind} message: {problem}")]
    Malformed {
        /// Which kind of message it wanted to be.
        kind: &'static str,
        /// The problem, and its place.
        problem: String,
    },
}

#[derive(Deserialize)]
struct Head {
    version: u64,
    kind: String,
}

#[derive(Serialize)]
pub(crate) struct Envelope<'a, B> {
    version: u32,
    kind: &'static str,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B> Envelope<'a, B> {
    /// A body of that kind, in this crate's version.
    pub(crate) const fn new(kind: &'static str, body: &'a B) -> Self {
        Self { version: VERSION, kind, body }
    }
}

const INVOICES: &str = "invoices";
const UNREADABLE: &str = "unreadable";
const NOTED: &str = "noted";

impl Message {
    /// The kind, as it stands in the text.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invoices(_) => INVOICES,
            Self::Unreadable(_) => UNREADABLE,
            Self::Noted(_) => NOTED,
        }
    }

    /// The message as a JSON text of ASCII characters only.
    ///
    /// # Errors
    ///
    /// None that is known; `serde_json` could fail in principle, and nothing here hides that.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let kind = self.kind();
        let text = match self {
            Self::Invoices(body) => serde_json::to_string(&Envelope::new(kind, body)),
            Self::Unreadable(body) => serde_json::to_string(&Envelope::new(kind, body)),
            Self::Noted(body) => serde_json::to_string(&Envelope::new(kind, body)),
        }?;
        Ok(ascii(text))
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with any text that is not a message of this version.
    pub fn from_json(text: &str) -> Result<Self, DecodeError> {
        match kind_of(text)?.as_str() {
            INVOICES => body::<InvoiceChanges>(INVOICES, text).map(Self::Invoices),
            UNREADABLE => {
                let part: UnreadablePart = body(UNREADABLE, text)?;
                check(&part).map_err(|problem| malformed(UNREADABLE, problem.to_owned()))?;
                Ok(Self::Unreadable(part))
            }
            NOTED => body::<Noted>(NOTED, text).map(Self::Noted),
            other => Err(unknown_kind(other)),
        }
    }
}

/// The kind of a message of this version.
pub(crate) fn kind_of(text: &str) -> Result<String, DecodeError> {
    let head: Head =
        serde_json::from_str(text).map_err(|error| DecodeError::NotAMessage(account(&error)))?;
    if head.version != u64::from(VERSION) {
        return Err(DecodeError::UnknownVersion(head.version));
    }
    Ok(head.kind)
}

pub(crate) fn unknown_kind(kind: &str) -> DecodeError {
    DecodeError::UnknownKind(kind.chars().take(ACCOUNT_CHARS_MAX).collect())
}

pub(crate) fn body<'a, B: Deserialize<'a>>(
    kind: &'static str,
    text: &'a str,
) -> Result<B, DecodeError> {
    serde_json::from_str(text).map_err(|error| malformed(kind, account(&error)))
}

const fn malformed(kind: &'static str, problem: String) -> DecodeError {
    DecodeError::Malformed { kind, problem }
}

/// `delivery` becomes part of a key, and the numbers say when a body is whole again.
fn check(part: &UnreadablePart) -> Result<(), &'static str> {
    let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if part.delivery.len() != 64 || !part.delivery.bytes().all(hex) {
        return Err("delivery must be 64 lower-case hexadecimal digits");
    }
    if part.part == 0 || part.part > part.parts {
        return Err("part must be between 1 and parts");
    }
    Ok(())
}

/// One line, of bounded length: a text that is not a message can be anything.
fn account(error: &serde_json::Error) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    error.to_string().chars().take(ACCOUNT_CHARS_MAX).map(plain).collect()
}

/// Outside ASCII, JSON may escape every character, and SQS refuses some (U+FFFE, U+FFFF). A
/// refused message would be refused for ever, so none of them is left. Such characters can only
/// stand inside a JSON string, where the escape means the same.
fn ascii(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    #[test]
    fn the_contract_is_this_text() {
        let text = r#"{"version":1,"kind":"invoices","organisation":"8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","cause":"webhook","accepted_at":"2026-10-05T03:41:25Z","invoices":[{"id":"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","event_at":"2026-10-05T03:41:22.518Z"}]}"#;
        let message = Message::from_json(text).unwrap();
        assert_eq!(message.to_json().unwrap(), text);
        let Message::Invoices(changes) = message else { panic!("not invoices") };
        assert_eq!(changes.invoices.len(), 1);
        assert_eq!((changes.invoices[0].stale_reads, changes.invoices[0].failures), (0, 0));
    }

    #[test]
    fn other_versions_and_kinds_are_named() {
        let error = |text: &str| Message::from_json(text).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"version":2,"kind":"invoices"}"#),
            "message version 2 is not known here (this is version 1)"
        );
        assert_eq!(
            error(r#"{"version":1,"kind":"in\nvoice"}"#),
            "message kind \"in\\nvoice\" is not known here"
        );
        assert!(error("{}").contains("missing field `version`"));
        assert!(error("[]").starts_with("not a message"));
        assert!(error("").starts_with("not a message"));
        assert!(error(r#"{"version":1,"version":1,"kind":"noted"}"#).contains("duplicate field"));
    }

    #[test]
    fn what_is_wrong_with_a_field_is_named() {
        let error = |rest: &str| {
            let head = format!(r#"{{"version":1,"organisation":"{ORGANISATION}","#);
            Message::from_json(&format!("{head}{rest}}}")).unwrap_err().to_string()
        };
        let missing = error(r#""kind":"invoices","cause":"webhook","invoices":[]"#);
        assert!(missing.starts_with("invoices message: missing field `accepted_at`"), "{missing}");
        let cause = error(
            r#""kind":"invoices","cause":"rumour","accepted_at":"2026-10-05T00:00:00Z","invoices":[]"#,
        );
        assert!(cause.contains("unknown variant `rumour`"), "{cause}");
        let part = |delivery: &str, part: u32, bytes: &str| {
            error(&format!(
                r#""kind":"unreadable","delivery":"{delivery}","received_at":"2026-10-05T00:00:00Z","part":{part},"parts":2,"problem":"","bytes":"{bytes}""#
            ))
        };
        assert!(part(&"a".repeat(64), 3, "").contains("part must be between 1 and parts"));
        assert!(part(&"a".repeat(64), 0, "").contains("part must be between 1 and parts"));
        assert!(part("../../x", 1, "").contains("64 lower-case hexadecimal digits"));
        let bytes = part(&"a".repeat(64), 1, "secret!");
        assert!(bytes.contains("bytes must be base64") && !bytes.contains("secret"), "{bytes}");
    }

    #[test]
    fn an_account_is_one_short_line() {
        let kind = "x".repeat(10_000);
        let text = format!(r#"{{"version":1,"kind":"{kind}"}}"#);
        assert!(Message::from_json(&text).unwrap_err().to_string().len() < 300);
        let text = format!(r#"{{"version":"{kind}\n\r\u001b[31m","kind":"x"}}"#);
        let error = Message::from_json(&text).unwrap_err().to_string();
        assert!(error.len() < 300 && !error.contains(char::is_control), "{error}");
    }
}
