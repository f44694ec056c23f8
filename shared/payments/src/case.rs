//! Who works on a discrepancy, what it comes from, and how far its clock is (SP-19, SP-36).

use jiff::Timestamp;

use crate::reason::codes;

codes! {
    /// How far the 48 hours of a discrepancy are gone.
    ClockStep {
        /// It has been open for 24 hours.
        Day = "24h",
        /// It has been open for 40 hours: 8 are left.
        Late = "40h",
        /// It has been open for more than 48 hours.
        Breach = "48h",
    }
    /// What a discrepancy comes from, as a person has found out (SP-15).
    DiscrepancyCause {
        /// The bank or the gateway kept a fee.
        BankFee = "bank_fee",
        /// The money came in another currency.
        Currency = "currency",
        /// The same money was entered twice.
        EnteredTwice = "entered_twice",
        /// A try failed at the bank or the gateway.
        FailedTry = "failed_try",
        /// The customer has not paid yet.
        NotPaidYet = "not_paid_yet",
        /// The customer paid by another method than the one expected.
        OtherMethod = "other_method",
        /// The customer pays in parts.
        PartPayment = "part_payment",
        /// Money was given back.
        Refund = "refund",
        /// The two sides have it on different days.
        Timing = "timing",
        /// An amount, a name or a number was typed wrong.
        TypingError = "typing_error",
        /// The money stands on another invoice than the one meant.
        WrongInvoice = "wrong_invoice",
        /// Something else, which the note says.
        Other = "other",
    }
    /// How a person has ended a discrepancy.
    Ending {
        /// It may stay as it is (AMB-31).
        Accepted = "accepted",
        /// It was dealt with in a way that the facts do not show (SP-36).
        Closed = "closed",
    }
}

/// The person who works on a discrepancy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The name, as it was typed.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

/// What people and the clock have done with a discrepancy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Case {
    /// Who works on it, if a person does. Kept when it comes back.
    pub owner: Option<Owner>,
    /// What it comes from, once a person has found out.
    pub cause: Option<DiscrepancyCause>,
    /// The last step of its clock that was announced since it is open.
    pub step: Option<ClockStep>,
    /// How many notices to the customer were drafted.
    pub notices: u32,
    /// Counts what was done, so that of two people at once the second one reads again.
    pub writes: u64,
}
