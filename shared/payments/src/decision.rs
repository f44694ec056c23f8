//! A decision, with the rule it follows: what the activity log is made of.

use crate::discrepancy::DiscrepancyKey;
use crate::ids::{PaymentId, XeroPaymentId};
use crate::reason::codes;

codes! {
    /// The action that was taken.
    Action {
        /// A record is to be adjusted by the side that owns it (SP-24).
        AdjustmentRequested = "adjustment_requested",
        /// A hand-entered payment was matched and follows Xero from now on.
        Adopted = "adopted",
        /// A copy was deleted.
        Deleted = "deleted",
        /// A discrepancy may stay as it is, on the word of a person (AMB-31).
        DiscrepancyAccepted = "discrepancy_accepted",
        /// A person works on a discrepancy from now on (SP-19).
        DiscrepancyAssigned = "discrepancy_assigned",
        /// A discrepancy has been open for more than 48 hours (SP-19).
        DiscrepancyBreached = "discrepancy_breached",
        /// A discrepancy was dealt with, on the word of a person (SP-36).
        DiscrepancyClosed = "discrepancy_closed",
        /// A person has found something out about a discrepancy (SP-36).
        DiscrepancyNoted = "discrepancy_noted",
        /// A discrepancy was found, or came back.
        DiscrepancyRaised = "discrepancy_raised",
        /// A discrepancy has been open for 24 hours, or for 40 (SP-19).
        DiscrepancyReminded = "discrepancy_reminded",
        /// A discrepancy is gone: the facts agree.
        DiscrepancyResolved = "discrepancy_resolved",
        /// A Xero payment is known, and not copied for now.
        Held = "held",
        /// Something was left alone altogether.
        Ignored = "ignored",
        /// A Xero payment was copied.
        Imported = "imported",
        /// The journaled flag of a payment was set or taken back.
        Journaled = "journaled",
        /// A Xero payment was found to be there already.
        Matched = "matched",
        /// A notice to a customer was drafted (SP-23).
        NoticeDrafted = "notice_drafted",
        /// The business's own system has said what became of a notice (SP-26).
        NoticeReported = "notice_reported",
        /// The invoice bears another number in Xero now.
        NumberChanged = "number_changed",
        /// The business's own system described an invoice or a payment.
        Recorded = "recorded",
        /// A held Xero payment is held no longer.
        Released = "released",
        /// A payment that was deleted was brought back by a person.
        Restored = "restored",
        /// A payment was made equal to its original.
        Updated = "updated",
        /// A payment of the business's own was put into Xero by us.
        Uploaded = "uploaded",
    }
}

/// One decision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// The action that was taken.
    pub action: Action,
    /// The rule that says so.
    pub rule: &'static str,
    /// The local payment concerned.
    pub payment: Option<PaymentId>,
    /// The Xero payment concerned.
    pub xero: Option<XeroPaymentId>,
    /// The discrepancy concerned.
    pub discrepancy: Option<DiscrepancyKey>,
    /// The figures and the reason. For tables, never for logs: it holds amounts.
    pub why: String,
}
