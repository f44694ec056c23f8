//! What a person may order from a page.

use std::fmt;

// The functions that carry out orders take no more.
use host::input::WORDS_CHARS_MAX;

use crate::roles::Role;

/// The function that carries an order out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// Syncs, replays, approves, signs up.
    Sweep,
    /// Holds and releases payments, switches the nights on.
    Upload,
    /// Announces decisions again.
    Announce,
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
    /// One payment is the same as what it is held for (A8.3).
    SamePayment,
    /// One payment is another one than what it is held for (A8.3).
    TwoPayments,
    /// Something about a customer is to be solved first: until then everything about it waits (EX-28).
    OpenAction,
    /// It is solved: what waited goes on.
    Solve,
    /// What a replay would do.
    PreviewReplay,
    /// Parked messages are done again.
    Replay,
    /// Something that does not agree may stay as it is (AMB-31).
    Accept,
    /// A payment that was removed from an invoice comes back.
    Restore,
    /// What the next night would do with each payment.
    PreviewPlan,
    /// The dead-letter queues, or one of them, are looked at.
    LookAtDeadLetters,
    /// The messages of a dead-letter queue go onto its queue again.
    Redrive,
    /// One message is taken out of a dead-letter queue.
    Discard,
    /// Decisions of some hours are announced again.
    AnnounceAgain,
    /// The names that pages show are changed: of the organisation, its administrator, its third parties.
    Rename,
    /// An organisation is mirrored from now on.
    SignUp,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 21] = [
        Self::SyncNow,
        Self::ApproveMassChange,
        Self::EnableUploads,
        Self::Hold,
        Self::Release,
        Self::DoNotSend,
        Self::SamePayment,
        Self::TwoPayments,
        Self::OpenAction,
        Self::Solve,
        Self::PreviewReplay,
        Self::Replay,
        Self::Accept,
        Self::Restore,
        Self::PreviewPlan,
        Self::LookAtDeadLetters,
        Self::Redrive,
        Self::Discard,
        Self::AnnounceAgain,
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
            Self::SamePayment => "same_payment",
            Self::TwoPayments => "two_payments",
            Self::OpenAction => "open_action",
            Self::Solve => "solve",
            Self::PreviewReplay => "preview_replay",
            Self::Replay => "replay",
            Self::Accept => "accept",
            Self::Restore => "restore",
            Self::PreviewPlan => "preview_plan",
            Self::LookAtDeadLetters => "look_at_dead_letters",
            Self::Redrive => "redrive",
            Self::Discard => "discard",
            Self::AnnounceAgain => "announce_again",
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
            Self::SamePayment => "The same payment",
            Self::TwoPayments => "Two payments",
            Self::OpenAction => "Open an action",
            Self::Solve => "Solved",
            Self::PreviewReplay => "Preview the replay",
            Self::Replay => "Replay",
            Self::Accept => "Accept",
            Self::Restore => "Restore",
            Self::PreviewPlan => "Judge it now",
            Self::LookAtDeadLetters => "Look",
            Self::Redrive => "Send them again",
            Self::Discard => "Discard",
            Self::AnnounceAgain => "Announce again",
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

    /// The question before it is given, if it cannot be undone.
    pub const fn confirmation(self) -> Option<&'static str> {
        match self {
            Self::ApproveMassChange => Some(
                "For a day, every removal and change of payments goes through. Removed payments are kept \
                 among the tombstones. Go on?",
            ),
            Self::EnableUploads => Some(
                "The next night posts payments to Xero again. Posting cannot be undone. Go on?",
            ),
            Self::Release => Some("The next run may post this payment to Xero. Go on?"),
            Self::SamePayment => {
                Some("The payment does not go to Xero, since its money is there already. Go on?")
            }
            Self::TwoPayments => Some(
                "The next run may post this payment to Xero in addition to the one that is there. Go on?",
            ),
            Self::Solve => Some(
                "What waits for this customer goes on, and the next run may post it to Xero. Go on?",
            ),
            Self::Replay => Some("These rows are taken out and done again. Go on?"),
            Self::Accept => {
                Some("It counts as closed, and comes back only if its figures change. Go on?")
            }
            Self::Restore => Some(
                "The payment comes back as the business's own, and Xero's next read leaves it alone. Go on?",
            ),
            Self::Redrive => Some(
                "Everything in this dead-letter queue is sent to its queue again, and done again. Go on?",
            ),
            Self::Discard => {
                Some("The message is taken out of the queue and kept among what is parked. Go on?")
            }
            Self::AnnounceAgain => Some(
                "Every decision of these hours is announced once more, under its old id, so that who has it \
                 already drops it. Go on?",
            ),
            Self::SignUp => Some("Everything open in Xero is read and mirrored. Go on?"),
            _ => None,
        }
    }

    /// Whether it only looks, and changes nothing: such an order needs no reason and leaves no row.
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::PreviewReplay | Self::PreviewPlan | Self::LookAtDeadLetters)
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

/// The missing part of what a person has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("please say {0}: 1 to {max} characters, and nothing was done", max = WORDS_CHARS_MAX)]
pub struct NotSaid(&'static str);

impl Said {
    /// Whether everything is said.
    ///
    /// # Errors
    /// The part that is missing, or too long.
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
