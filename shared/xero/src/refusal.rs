//! What kind of refusal a text of Xero's is. Its messages have no codes (facts.md 4.9).

use payments::codes;

codes! {
    /// Why Xero refuses a payment, as far as its words show.
    RefusalKind {
        /// More than is due on the invoice.
        ExceedsDue = "exceeds_due",
        /// The invoice is paid, voided, deleted, not approved, or not there.
        NotOpen = "not_open",
        /// Dated in a period that is locked.
        LockedPeriod = "locked_period",
        /// The contact is archived.
        ArchivedContact = "archived_contact",
        /// The bank account, or the account of the line, cannot be used.
        AccountUnusable = "account_unusable",
        /// Anything else, or several reasons at once: a person has to look.
        Other = "other",
    }
}

impl RefusalKind {
    /// Classifies a text by its words: sentences that are divided by `;`, as in
    /// [`WriteOutcome::Refused`](payments::upload::WriteOutcome). Texts that are not known are `Other`, and so
    /// are several reasons at once. Only the two reasons that the ground has moved (A7.3) may come
    /// together, because Xero gives both for an invoice that was paid meanwhile.
    pub fn of(text: &str) -> Self {
        let pieces = text.split(';').map(str::trim).filter(|piece| !piece.is_empty());
        let kinds = pieces.map(Self::of_sentence);
        kinds
            .reduce(|one, other| match (one, other) {
                _ if one == other => one,
                _ if one.is_moved_ground() && other.is_moved_ground() => Self::NotOpen,
                _ => Self::Other,
            })
            .unwrap_or(Self::Other)
    }

    /// Whether the invoice or the contact is not what it was when the payment was planned, so that planning it
    /// again on fresh figures makes sense (A7.3, EX-37). Everything else waits for a person.
    pub const fn is_moved_ground(self) -> bool {
        matches!(self, Self::ExceedsDue | Self::NotOpen | Self::ArchivedContact)
    }

    /// The order matters: a sentence about a locked period may also name the document's status.
    fn of_sentence(text: &str) -> Self {
        let text = text.to_lowercase();
        let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let unusable = [
            "archived",
            "invalid",
            "not valid",
            "not a valid",
            "must be",
            "not found",
            "could not be",
        ];
        let not_open = [
            "authorised",
            "authorized",
            "awaiting payment",
            "paid",
            "void",
            "deleted",
            "draft",
            "not found",
            "could not be found",
        ];
        if any(&["lock date", "locked", "period is closed"]) {
            Self::LockedPeriod
        } else if any(&["exceed", "more than", "greater than"])
            && any(&["outstanding", "amount due", "owing", "amount owed"])
        {
            Self::ExceedsDue
        } else if any(&["contact"]) {
            if any(&["archived"]) { Self::ArchivedContact } else { Self::Other }
        } else if any(&["invoice", "document"]) && any(&not_open) {
            Self::NotOpen
        } else if any(&["account"]) && any(&unusable) {
            Self::AccountUnusable
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_tell_the_kind_and_unknown_ones_ask_for_a_person() {
        // X-17, rules A7.3, facts.md 4.9: sentences as users have reported them, and near ones.
        for (text, kind) in [
            (
                "Payment amount exceeds the amount outstanding on this document",
                RefusalKind::ExceedsDue,
            ),
            ("The payment is more than what is outstanding", RefusalKind::ExceedsDue),
            ("Payments can only be made against Authorised documents", RefusalKind::NotOpen),
            ("Invoice is not awaiting payment", RefusalKind::NotOpen),
            ("Invoice could not be found", RefusalKind::NotOpen),
            ("The invoice has been voided", RefusalKind::NotOpen),
            (
                "The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
                RefusalKind::LockedPeriod,
            ),
            ("The contact with the specified ID is archived", RefusalKind::ArchivedContact),
            ("The contact could not be found", RefusalKind::Other),
            ("Account must be valid.", RefusalKind::AccountUnusable),
            ("Account code '612' is archived", RefusalKind::AccountUnusable),
            ("Account is not valid for payments", RefusalKind::AccountUnusable),
            (
                "Account code '404' is not a valid code for this document.",
                RefusalKind::AccountUnusable,
            ),
            ("Tax rate must be valid.", RefusalKind::Other),
            ("A string that is not known", RefusalKind::Other),
            ("", RefusalKind::Other),
            (" ; ", RefusalKind::Other),
        ] {
            assert_eq!(RefusalKind::of(text), kind, "{text}");
        }
    }

    #[test]
    fn several_reasons_are_planned_anew_only_if_each_of_them_is() {
        let paid = "Payments can only be made against Authorised documents; \
                    Payment amount exceeds the amount outstanding on this document";
        assert!(RefusalKind::of(paid).is_moved_ground());
        let worse = format!("{paid}; Account must be valid.");
        assert_eq!(RefusalKind::of(&worse), RefusalKind::Other);
        let cut = format!("{paid}; Tax ra");
        assert!(!RefusalKind::of(&cut).is_moved_ground());
    }
}
