//! One field of a command: its name, its help, and how a text becomes its value.

use serde_json::Value;

/// How a field is written in JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true`, or left out.
    Flag,
    /// Texts; as one text, one on each line.
    List,
}

/// One field of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// Its name in JSON; a command line writes it with hyphens.
    pub name: &'static str,
    /// The word for it in a sentence.
    pub label: &'static str,
    /// What it is, in one line.
    pub help: &'static str,
    /// How it is written.
    pub kind: FieldKind,
    /// Whether the command is nothing without it.
    pub is_required: bool,
    /// Whether a person types it into a page's form, instead of a button that carries it.
    pub is_typed: bool,
}

impl Field {
    pub(crate) const fn text(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { name, label, help, kind: FieldKind::Text, is_required: true, is_typed: false }
    }

    pub(crate) const fn number(name: &'static str, help: &'static str) -> Self {
        Self { kind: FieldKind::Number, is_required: false, ..Self::text(name, name, help) }
    }

    pub(crate) const fn flag(name: &'static str, help: &'static str) -> Self {
        Self { kind: FieldKind::Flag, is_required: false, ..Self::text(name, name, help) }
    }

    pub(crate) const fn list(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { kind: FieldKind::List, ..Self::text(name, label, help) }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }

    pub(crate) const fn typed(self) -> Self {
        Self { is_typed: true, ..self }
    }

    pub(crate) fn value(&self, text: &str) -> Result<Value, FieldError> {
        let wrong = || FieldError::Wrong(format!("`{}` is no whole number", self.name));
        Ok(match self.kind {
            FieldKind::Text => Value::String(text.to_owned()),
            FieldKind::Number => text.parse::<u64>().map_err(|_| wrong())?.into(),
            FieldKind::Flag => (text == "true").into(),
            FieldKind::List => {
                text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
            }
        })
    }
}

/// Why texts make no command.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FieldError {
    /// A field that the command needs.
    #[error("please say which {0}; nothing was done")]
    Missing(&'static str),
    /// A field has a value that makes no sense; the message does not quote it.
    #[error("{0}; nothing was done")]
    Wrong(String),
}
