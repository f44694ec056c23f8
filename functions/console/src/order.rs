//! What a person may order from a page, and the event by which the function that does it is asked.

use std::fmt;

use payments::OrganisationId;
use serde_json::{Value, json};

use crate::rights::Role;

/// Longest name or reason of a person, in characters: the functions that carry out orders take no more.
pub const WORDS_CHARS_MAX: usize = 200;

/// The function that carries an order out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// Syncs, replays, approves, signs up.
    Sweep,
    /// Holds and releases payments, switches the nights on.
    Upload,
}

/// An order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Everything that changed since the last time, at once (ST-18, CC-12).
    SyncNow,
    /// A mass change that was stopped goes through.
    ApproveMassChange,
    /// The nightly upload is switched on again (EX-32).
    EnableUploads,
    /// One payment waits for a person.
    Hold,
    /// One payment goes on.
    Release,
    /// One payment does not go.
    DoNotSend,
    /// What a replay would do.
    PreviewReplay,
    /// What is parked is done again.
    Replay,
    /// The names that pages show are changed: of the organisation, its administrator, its third parties.
    Rename,
    /// An organisation is mirrored from now on.
    SignUp,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 10] = [
        Self::SyncNow,
        Self::ApproveMassChange,
        Self::EnableUploads,
        Self::Hold,
        Self::Release,
        Self::DoNotSend,
        Self::PreviewReplay,
        Self::Replay,
        Self::Rename,
        Self::SignUp,
    ];

    /// Its code in events and in the activity log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SyncNow => "sync_now",
            Self::ApproveMassChange => "approve_mass_change",
            Self::EnableUploads => "enable_uploads",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::DoNotSend => "do_not_send",
            Self::PreviewReplay => "preview_replay",
            Self::Replay => "replay",
            Self::Rename => "rename",
            Self::SignUp => "sign_up",
        }
    }

    /// The order of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.code() == code)
    }

    /// What stands on its button.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SyncNow => "Sync now",
            Self::ApproveMassChange => "Approve the mass change",
            Self::EnableUploads => "Switch uploading on",
            Self::Hold => "Hold",
            Self::Release => "Release",
            Self::DoNotSend => "Do not send",
            Self::PreviewReplay => "Preview the replay",
            Self::Replay => "Replay",
            Self::Rename => "Save the names",
            Self::SignUp => "Sign up",
        }
    }

    /// The least role that may give it (ST-22).
    pub const fn least_role(self) -> Role {
        match self {
            Self::Rename | Self::SignUp => Role::Admin,
            _ => Role::Operator,
        }
    }

    /// What is asked before it is given, if it cannot be undone.
    pub const fn confirmation(self) -> Option<&'static str> {
        match self {
            Self::ApproveMassChange => Some(
                "For a day, every removal and change of payments goes through. What is removed is kept \
                 among the tombstones. Go on?",
            ),
            Self::EnableUploads => Some(
                "The next night posts payments to Xero again. Posting cannot be undone. Go on?",
            ),
            Self::Release => Some("The next run may post this payment to Xero. Go on?"),
            Self::Replay => Some("These rows are taken out and done again. Go on?"),
            Self::SignUp => Some("Everything open in Xero is read and mirrored. Go on?"),
            _ => None,
        }
    }

    /// Whether it only looks, and changes nothing: such an order needs no reason and leaves no row.
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::PreviewReplay)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Who wants it, and why, in that person's own words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What is missing of what a person has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("please say {0}: 1 to {max} characters, and nothing was done", max = WORDS_CHARS_MAX)]
pub struct NotSaid(&'static str);

impl Said {
    /// Whether everything is said.
    ///
    /// # Errors
    /// What is missing, or too long.
    pub fn check(&self) -> Result<(), NotSaid> {
        let fits = |text: &str| {
            !text.is_empty()
                && text.chars().count() <= WORDS_CHARS_MAX
                && !text.chars().any(char::is_control)
        };
        match (fits(&self.by), fits(&self.why)) {
            (true, true) => Ok(()),
            (false, true) => Err(NotSaid("who you are, under \u{201c}Your name\u{201d}")),
            (true, false) => Err(NotSaid("why, under \u{201c}Why\u{201d}")),
            (false, false) => Err(NotSaid("who you are and why")),
        }
    }
}

/// What an order is about, besides the organisation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// Which payment.
    pub payment: Option<String>,
    /// Which parked row, by its key.
    pub parked_at: Option<String>,
    /// Which parked rows, by their reason.
    pub reason: Option<String>,
    /// The time zone of an organisation that signs up.
    pub time_zone: Option<String>,
}

impl About {
    /// In one word, for the activity log.
    pub fn subject(&self) -> Option<&str> {
        let parts = [&self.payment, &self.parked_at, &self.reason, &self.time_zone];
        parts.into_iter().find_map(|part| part.as_deref())
    }
}

/// An order about one payment that names none, or a sign-up without a time zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("please say which {0}; nothing was done")]
pub struct Incomplete(pub &'static str);

/// The function to ask, and the event to ask it by; `None` if the console does it itself.
///
/// # Errors
/// What the order lacks.
pub fn event(
    order: Order,
    organisation: OrganisationId,
    about: &About,
    said: &Said,
) -> Result<Option<(Function, Value)>, Incomplete> {
    let (by, why) = (said.by.as_str(), said.why.as_str());
    let wish = json!({"organisation": organisation, "by": by, "why": why});
    let with = |more: Value| {
        let mut wish = wish.clone();
        if let (Some(wish), Value::Object(more)) = (wish.as_object_mut(), more) {
            wish.extend(more);
        }
        wish
    };
    let payment = || about.payment.as_deref().ok_or(Incomplete("payment"));
    Ok(Some(match order {
        Order::SyncNow => (Function::Sweep, json!({ "sync_now": wish })),
        Order::ApproveMassChange => (Function::Sweep, json!({ "approve_mass_change": wish })),
        Order::PreviewReplay | Order::Replay => {
            let mut which = serde_json::Map::new();
            for (name, value) in [("parked_at", &about.parked_at), ("reason", &about.reason)] {
                which.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
            }
            let preview = order == Order::PreviewReplay;
            // A look needs no words, and the function wants some.
            let said =
                |text: &str| if text.is_empty() { "a look".to_owned() } else { text.to_owned() };
            let mut replay = with(json!({"which": which, "preview": preview}));
            if preview {
                replay["by"] = json!(said(by));
                replay["why"] = json!(said(why));
            }
            (Function::Sweep, json!({ "replay": replay }))
        }
        Order::SignUp => {
            let zone = about.time_zone.as_deref().ok_or(Incomplete("time zone"))?;
            (Function::Sweep, json!({ "sign_up": with(json!({"time_zone": zone})) }))
        }
        Order::EnableUploads => (Function::Upload, with(json!({"enable_uploads": true}))),
        Order::Hold | Order::Release | Order::DoNotSend => {
            let order = order.code();
            (Function::Upload, with(json!({"payment": payment()?, "order": order})))
        }
        Order::Rename => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_why_are_asked_for_in_plain_words() {
        let said = |by: &str, why: &str| Said { by: by.to_owned(), why: why.to_owned() }.check();
        assert_eq!(said("Ada", "a payment is missing"), Ok(()));
        assert!(said("", "w").unwrap_err().to_string().contains("who you are, under"));
        assert!(said("Ada", "").unwrap_err().to_string().contains("say why"));
        assert!(said("Ada", &"x".repeat(WORDS_CHARS_MAX)).is_ok());
        assert!(said("Ada", &"x".repeat(WORDS_CHARS_MAX + 1)).is_err());
        assert!(said("A\u{7}da", "w").is_err());
    }

    #[test]
    fn an_order_about_a_payment_names_it() {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let said = Said { by: "Ada".to_owned(), why: "w".to_owned() };
        for order in [Order::Hold, Order::Release, Order::DoNotSend] {
            let none = event(order, organisation, &About::default(), &said).unwrap_err();
            assert!(none.to_string().contains("which payment"));
            let about = About { payment: Some("P-1".to_owned()), ..About::default() };
            let (function, event) = event(order, organisation, &about, &said).unwrap().unwrap();
            assert_eq!(function, Function::Upload);
            assert_eq!(
                event,
                json!({"organisation": organisation, "payment": "P-1", "order": order.code(),
                       "by": "Ada", "why": "w"})
            );
        }
    }

    #[test]
    fn what_cannot_be_undone_asks_first() {
        for order in [Order::ApproveMassChange, Order::EnableUploads, Order::Replay, Order::SignUp]
        {
            assert!(order.confirmation().is_some(), "{order}");
        }
    }
}
