//! The orders that a person may give about one payment.

use crate::reason::codes;

codes! {
    /// An order about one payment.
    PaymentCommand {
        /// Not now: until it is released.
        Hold = "hold",
        /// It may go, in spite of what held it or kept it back. What Xero refused is tried again.
        Release = "release",
        /// It shall not go.
        DoNotSend = "do_not_send",
        /// What it was held for is the same payment, entered by another hand (A8.3).
        SamePayment = "same_payment",
        /// What it was held for is another payment: it goes, and this pair is not asked about again (A8.3).
        TwoPayments = "two_payments",
    }
}

/// An order that was given while a payment was on its way to Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenCommand {
    /// The order.
    pub order: PaymentCommand,
    /// Who gave it, and why. For tables, never for logs.
    pub said: String,
}
