//! What each reason means and what would change it. Every match here names every reason, so that a new one
//! does not compile before its remedy is written.

use super::reason_text::{ReasonText, words};
use super::state::{Failure, Kept, State};
use super::upload_reasons::{of_hold, of_off, of_skip, of_stage, of_turn};
use crate::reason::{Held, Ignored};

impl State {
    /// The rules, the sentence and the remedy that belong to it.
    pub fn words(self) -> ReasonText {
        match self {
            Self::Applied => words(
                &["CM-07", "CM-34"],
                "It is here as a copy of the payment in Xero.",
                "It follows Xero: a change or a deletion there changes or deletes the copy.",
            ),
            Self::Adopted => words(
                &["CM-33", "CM-35"],
                "It was entered by hand, and was found to be the same as a payment in Xero.",
                "It follows Xero: a change there changes it here, too. Deleted there, it is deleted here, or waits for its night again if it is money that goes up.",
            ),
            Self::Unchanged => words(
                &["CM-32"],
                "It was here already, as the copy of an earlier Xero payment of the same amount and date.",
                "It follows Xero: a change or a deletion there changes or deletes the copy.",
            ),
            Self::Held(held) => of_held(held),
            Self::HeldForApproval => words(
                &["CM-37"],
                "So many payments would have been removed or altered within an hour that changes of its \
                 invoice wait until a person has looked.",
                "An operator approves the mass change; the invoice is then read again.",
            ),
            Self::Protected(kept) => of_kept(kept),
            Self::Ignored(ignored) => of_ignored(ignored),
            Self::Removed => words(
                &["CM-37", "CM-23"],
                "It was here and was removed; everything it was is kept.",
                "It is recorded in Xero again, the business's own system applies it to the invoice again, or an \
                 operator restores it.",
            ),
            Self::Waiting(turn) => of_turn(turn),
            Self::Planned(stage) => of_stage(stage),
            Self::Uploaded => words(
                &["EX-23", "AMB-26"],
                "All of it is in Xero, put there by us and proven by Xero's ids.",
                "Nothing: it is never uploaded again and never deleted by the mirror.",
            ),
            Self::PartlyUploaded { .. } => words(
                &["AMB-26"],
                "Some of its parts are in Xero and others are not.",
                "The reason that holds another part back is said with it; an operator releases it to try them \
                 again.",
            ),
            Self::Skipped(skip) => of_skip(skip),
            Self::Blocked(hold) => of_hold(hold),
            Self::Disabled(off) => of_off(off),
            Self::Failed(failure) => of_failure(failure),
        }
    }
}

fn of_held(held: Held) -> ReasonText {
    match held {
        Held::FutureDated => words(
            &["CM-40", "AMB-20"],
            "It is in Xero and dated more days ahead than the organisation accepts.",
            "Its day comes into range, its date is changed in Xero, or `forward_days` of the organisation is \
             raised or taken away.",
        ),
        Held::MultiInvoice => words(
            &["CM-28", "CM-36", "AMB-02"],
            "It is in Xero and equals a part of a local payment over several invoices, which is left alone; \
             it is not copied, so that the money is not here twice.",
            "The local payment is changed in the business's own system so that its part no longer equals it.",
        ),
        Held::BlockedByAction => words(
            &["EX-28", "EX-27", "AMB-15"],
            "It is in Xero, and something about the invoice's customer has to be solved first; everything of \
             that customer waits.",
            "The action about the customer is solved; the invoice is then read again at once.",
        ),
        Held::UploadUnderWay => words(
            &["AMB-05"],
            "It is our own upload, seen in Xero before the upload has taken note of it.",
            "The upload finds it by its stamp and links it, at the latest in its next run.",
        ),
    }
}

fn of_kept(kept: Kept) -> ReasonText {
    match kept {
        Kept::Journaled => words(
            &["CM-27"],
            "It has been journaled, so that it is left as it is, also if Xero shows otherwise.",
            "The journal is reversed in the business's own system; then it follows Xero again.",
        ),
        Kept::Manual => words(
            &["CM-29", "CM-39"],
            "It was entered by hand and equals no payment in Xero in amount and date.",
            "A payment of the same amount and date is recorded on the invoice in Xero.",
        ),
        Kept::MultiInvoice => words(
            &["CM-28", "CM-36"],
            "It is part of one payment over several invoices, which is neither matched nor changed.",
            "It is changed in the business's own system, so that it pays one invoice only.",
        ),
        Kept::DeletedAfterUpload => words(
            &["AMB-08"],
            "We put it into Xero and it was deleted there; the money was taken, so that it stays here and is \
             not uploaded again by itself.",
            "It is recorded in Xero again, of the same amount and date; the mirror then finds the two to be the same.",
        ),
        Kept::TakenBack => words(
            &["AMB-32"],
            "We put it into Xero; then it failed or was refunded, and it was deleted in Xero as well: both sides \
             agree.",
            "Nothing: if money comes again, it is a payment of its own.",
        ),
    }
}

fn of_ignored(ignored: Ignored) -> ReasonText {
    match ignored {
        Ignored::Disabled => words(
            &["CM-01"],
            "The mirror is switched off for this organisation.",
            "`mirror_enabled` of the organisation is set to true; the next sweep then brings everything.",
        ),
        Ignored::Disconnected => words(
            &["XC-06"],
            "The organisation is disconnected from Xero: nothing is copied from there.",
            "An administrator presses Connect to Xero on the page Integrations; what was missed is then read again.",
        ),
        Ignored::Shadow => words(
            &["CM-30"],
            "The organisation is in shadow: what would be done is decided and reported, and nothing is done.",
            "An administrator presses Switch on on the page Shadow, once nothing differs.",
        ),
        Ignored::EmptyNumber => words(
            &["CM-05", "CM-06"],
            "The number of its invoice in Xero is the prefix and nothing else.",
            "The invoice gets a number behind the prefix in Xero.",
        ),
        Ignored::NotCmPrefix => words(
            &["CM-05", "AMB-25"],
            "The number of its invoice in Xero does not begin with the organisation's prefix, upper and lower \
             case included.",
            "The invoice's number is changed in Xero, or `prefix` of the organisation.",
        ),
        Ignored::NotSalesInvoice => words(
            &["AMB-25"],
            "It is on a bill or some other document that is not a sales invoice.",
            "Nothing: only payments of sales invoices are mirrored.",
        ),
        Ignored::NumberUnusable => words(
            &["CM-06"],
            "The number of its invoice in Xero cannot be a local number: too long, or with control characters.",
            "The invoice's number is changed in Xero.",
        ),
        Ignored::OtherTenant => words(
            &["CM-47"],
            "Its Xero organisation is not set up here.",
            "The organisation is signed up.",
        ),
        Ignored::Superseded => words(
            &["CM-06"],
            "Its invoice is voided or deleted in Xero, and another invoice has taken the number since.",
            "Nothing: the invoice that bears the number now is the one that counts.",
        ),
    }
}

fn of_failure(failure: Failure) -> ReasonText {
    match failure {
        Failure::MoneyNotTaken => words(
            &["SP-12", "EX-02"],
            "The money was not taken.",
            "The customer pays again; that is a payment of its own.",
        ),
        Failure::Parked => words(
            &["CM-43"],
            "A report or a read of it could not be processed, and is kept in full for a person.",
            "An operator looks at what is parked, and replays it or has it sent again.",
        ),
        Failure::RefusedByXero => words(
            &["X-17", "A7.3"],
            "Xero refused it, and nothing of it is there.",
            "What Xero complains of is mended, and an operator releases it.",
        ),
        Failure::RowUnreadable => words(
            &["A7.3"],
            "Its row in the ledger says something that this system does not write.",
            "A person looks at the row.",
        ),
    }
}
