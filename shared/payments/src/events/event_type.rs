//! The declaration of every event: its name, the rows of the activity log that it announces, and its content. Its schema
//! in `infra/events` describes it for readers.

use crate::activity_kind::{Logged, Occurrence};
use crate::decision::Action;
use crate::reason::codes;
use crate::upload::UploadState;

codes! {
    /// What an announcement is about. The code is the `detail-type` of the event; it is part of the contract.
    Kind {
        /// A record is to be adjusted by the business's own system, which owns it (SP-24).
        AdjustmentRequested = "adjustment.requested",
        /// A business day was closed (SP-13).
        CloseCompleted = "close.completed",
        /// A closed day is closed again: a fact about it has come late (SP-13).
        CloseReopened = "close.reopened",
        /// A connection works, with failures, and was as it should be before (CC-04).
        ConnectionDegraded = "connection.degraded",
        /// A person has disconnected an organisation from Xero (XC-05).
        ConnectionDisconnected = "connection.disconnected",
        /// Xero no longer lets us in, or has switched its webhook off (CC-03).
        ConnectionLost = "connection.lost",
        /// A connection is better than it was (CC-02, X-14).
        ConnectionRestored = "connection.restored",
        /// Everything about a customer waits (EX-28).
        CustomerBlocked = "customer.blocked",
        /// A customer's payments go on.
        CustomerUnblocked = "customer.unblocked",
        /// What operators read in the morning (CC-20).
        DigestReady = "digest.ready",
        /// Something has not agreed for more than 48 hours (SP-19).
        DiscrepancyBreached = "discrepancy.breached",
        /// The facts agree again (SP-19), or a person has accepted them (AMB-31).
        DiscrepancyClosed = "discrepancy.closed",
        /// Something does not agree, or does not agree again (SP-21).
        DiscrepancyOpened = "discrepancy.opened",
        /// Something has not agreed for 24 hours, or for 40 (SP-19).
        DiscrepancyReminded = "discrepancy.reminded",
        /// An invoice bears another number in Xero.
        InvoiceNumberChanged = "invoice.number_changed",
        /// A day of the activity log was sealed (SP-29).
        LogSealed = "log.sealed",
        /// A mass change goes on.
        MassChangeApproved = "mass_change.approved",
        /// A mass change waits for a person.
        MassChangeStopped = "mass_change.stopped",
        /// A notice to a customer is drafted; the business's own system sends it (SP-23).
        NoticeDrafted = "notice.drafted",
        /// All that is to be paid for an order is here (SP-05).
        OrderCompleted = "order.completed",
        /// The payment of an order has come further, or less far, than before (SP-07).
        OrderProgressChanged = "order.progress_changed",
        /// A Xero payment is known, and not copied for now (CM-28, CM-40).
        PaymentHeld = "payment.held",
        /// A payment of the business's own is the same as one in Xero, and follows it (CM-32, CM-33).
        PaymentMatched = "payment.matched",
        /// A Xero payment was copied, or its copy was made equal to it again (CM-07, CM-08).
        PaymentMirrored = "payment.mirrored",
        /// Some of a payment is in Xero, the rest was refused.
        PaymentPartlyUploaded = "payment.partly_uploaded",
        /// An uploaded payment stands on an invoice in Xero, with Xero's id (AMB-05).
        PaymentPlaced = "payment.placed",
        /// Xero refused an upload.
        PaymentRefused = "payment.refused",
        /// A held Xero payment is held no longer.
        PaymentReleased = "payment.released",
        /// A payment was taken off an invoice (CM-09, CM-37).
        PaymentRemoved = "payment.removed",
        /// A person has brought a removed payment back.
        PaymentRestored = "payment.restored",
        /// An upload waits for a condition other than its night (EX-28).
        PaymentUploadHeld = "payment.upload_held",
        /// A payment does not go to Xero (EX-02, EX-09, EX-33).
        PaymentUploadSkipped = "payment.upload_skipped",
        /// A payment was sent, and its outcome is unknown. Xero is asked before it is sent again.
        PaymentUploadUnknown = "payment.upload_unknown",
        /// All of a payment is in Xero, proven by Xero's ids (EX-23).
        PaymentUploaded = "payment.uploaded",
        /// A report of a payment raised a warning (CM-03, CM-04, SP-11).
        PaymentWarned = "payment.warned",
        /// An invoice of the payment provider waits for something (EX-19).
        ProviderInvoiceHeld = "provider_invoice.held",
        /// Xero refused it.
        ProviderInvoiceRefused = "provider_invoice.refused",
        /// It does not go to Xero (EX-14).
        ProviderInvoiceSkipped = "provider_invoice.skipped",
        /// It was sent, and its outcome is unknown.
        ProviderInvoiceUnknown = "provider_invoice.unknown",
        /// It is a bill in Xero (EX-12).
        ProviderInvoiceUploaded = "provider_invoice.uploaded",
        /// A report was counted again from the log, and is another one (SP-33).
        ReportDiffers = "report.differs",
        /// A report of a period is stored (SP-30).
        ReportStored = "report.stored",
        /// The nightly upload is off (EX-32).
        UploadDisabled = "upload.disabled",
        /// The nightly upload is on again (AMB-12).
        UploadEnabled = "upload.enabled",
    }
}

/// The content of an event, apart from what every event has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Content {
    pub(super) subject: ContentSubject,
    pub(super) reason: ContentReason,
}

/// The subject of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ContentSubject {
    /// The organisation as a whole.
    Organisation,
    /// An invoice.
    Invoice,
    /// A payment on its invoice, with its ids on both sides.
    PaymentOnBothSides,
    /// A payment on its invoice, with its local id.
    PaymentOnInvoice,
    /// A payment in Xero that has no copy for now.
    HeldPayment,
    /// A payment of the business's own, and its upload.
    OwnPayment,
    /// An invoice of the payment provider.
    ProviderInvoice,
    /// A discrepancy, and the thing that it stands on.
    Discrepancy,
    /// A discrepancy, and the adjustment that is to end it.
    Adjustment,
    /// A discrepancy, and the notice to the customer.
    Notice,
    /// A customer.
    Customer,
    /// An order, with its progress.
    Order,
    /// The close of a day.
    Close,
    /// A report of a period.
    Report,
    /// The seal of a day of the log.
    Seal,
}

/// Whether an event has a `reason`, the code in its row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ContentReason {
    /// Never.
    Absent,
    /// If the row has one.
    Optional,
    /// Always: a row without one is an error.
    Required,
}

impl Kind {
    /// The content of the event.
    pub(super) fn content(self) -> Content {
        use ContentReason::{Absent, Optional, Required};
        use ContentSubject as Subject;
        let (subject, reason) = match self {
            Self::PaymentMirrored | Self::PaymentMatched | Self::PaymentPlaced => {
                (Subject::PaymentOnBothSides, Absent)
            }
            Self::PaymentRemoved | Self::PaymentRestored => (Subject::PaymentOnInvoice, Absent),
            Self::PaymentHeld | Self::PaymentReleased => (Subject::HeldPayment, Required),
            Self::PaymentUploadHeld | Self::PaymentUploadSkipped | Self::PaymentWarned => {
                (Subject::OwnPayment, Required)
            }
            Self::PaymentUploadUnknown
            | Self::PaymentUploaded
            | Self::PaymentPartlyUploaded
            | Self::PaymentRefused => (Subject::OwnPayment, Optional),
            Self::ProviderInvoiceHeld | Self::ProviderInvoiceSkipped => {
                (Subject::ProviderInvoice, Required)
            }
            Self::ProviderInvoiceRefused
            | Self::ProviderInvoiceUnknown
            | Self::ProviderInvoiceUploaded => (Subject::ProviderInvoice, Optional),
            Self::InvoiceNumberChanged => (Subject::Invoice, Absent),
            Self::DiscrepancyOpened | Self::DiscrepancyClosed => (Subject::Discrepancy, Absent),
            Self::DiscrepancyReminded | Self::DiscrepancyBreached => {
                (Subject::Discrepancy, Required)
            }
            Self::AdjustmentRequested => (Subject::Adjustment, Absent),
            Self::NoticeDrafted => (Subject::Notice, Absent),
            Self::CustomerBlocked | Self::CustomerUnblocked => (Subject::Customer, Absent),
            Self::OrderCompleted | Self::OrderProgressChanged => (Subject::Order, Absent),
            Self::CloseCompleted | Self::CloseReopened => (Subject::Close, Absent),
            Self::LogSealed => (Subject::Seal, Absent),
            Self::ReportDiffers => (Subject::Report, Required),
            Self::ReportStored => (Subject::Report, Absent),
            Self::DigestReady | Self::ConnectionDegraded => (Subject::Organisation, Required),
            Self::ConnectionDisconnected | Self::ConnectionLost | Self::ConnectionRestored => {
                (Subject::Organisation, Optional)
            }
            Self::MassChangeApproved
            | Self::MassChangeStopped
            | Self::UploadDisabled
            | Self::UploadEnabled => (Subject::Organisation, Absent),
        };
        Content { subject, reason }
    }

    /// As what a row of the log is announced; `None` for what the business has said or done itself, and for
    /// the steps on the way to something that is announced.
    pub fn of(logged: Logged, is_provider_invoice: bool) -> Option<Self> {
        match logged {
            Logged::Decided(action) => Self::of_decision(action),
            Logged::Upload(state) if is_provider_invoice => Self::of_bill(state),
            Logged::Upload(state) => Self::of_upload(state),
            Logged::Happened(occurrence) => Self::of_occurrence(occurrence),
        }
    }

    fn of_decision(action: Action) -> Option<Self> {
        Some(match action {
            Action::Imported | Action::Updated => Self::PaymentMirrored,
            Action::Adopted | Action::Matched => Self::PaymentMatched,
            Action::Deleted => Self::PaymentRemoved,
            Action::Held => Self::PaymentHeld,
            Action::Released => Self::PaymentReleased,
            Action::Restored => Self::PaymentRestored,
            Action::Uploaded => Self::PaymentPlaced,
            Action::DiscrepancyRaised => Self::DiscrepancyOpened,
            Action::DiscrepancyAccepted
            | Action::DiscrepancyClosed
            | Action::DiscrepancyResolved => Self::DiscrepancyClosed,
            Action::DiscrepancyReminded => Self::DiscrepancyReminded,
            Action::DiscrepancyBreached => Self::DiscrepancyBreached,
            Action::AdjustmentRequested => Self::AdjustmentRequested,
            Action::NoticeDrafted => Self::NoticeDrafted,
            Action::NumberChanged => Self::InvoiceNumberChanged,
            // The business has said so itself; of what is ignored, nothing is here at all. Who works on what stands
            // with the discrepancy.
            Action::DiscrepancyAssigned
            | Action::DiscrepancyNoted
            | Action::Ignored
            | Action::Journaled
            | Action::NoticeReported
            | Action::Recorded => return None,
        })
    }

    fn of_upload(state: UploadState) -> Option<Self> {
        Some(match state {
            UploadState::Held => Self::PaymentUploadHeld,
            UploadState::Skipped => Self::PaymentUploadSkipped,
            UploadState::Unknown => Self::PaymentUploadUnknown,
            UploadState::Uploaded => Self::PaymentUploaded,
            UploadState::PartlyUploaded => Self::PaymentPartlyUploaded,
            UploadState::Refused => Self::PaymentRefused,
            // On the way: what comes of it is announced.
            UploadState::Waiting | UploadState::Reserved | UploadState::Sent => return None,
        })
    }

    /// An invoice of the provider is no payment of anybody, so that it has names of its own.
    fn of_bill(state: UploadState) -> Option<Self> {
        Some(match state {
            UploadState::Held => Self::ProviderInvoiceHeld,
            UploadState::Skipped => Self::ProviderInvoiceSkipped,
            UploadState::Unknown => Self::ProviderInvoiceUnknown,
            UploadState::Uploaded => Self::ProviderInvoiceUploaded,
            // One bill or none: a part of it would be as wrong as nothing.
            UploadState::PartlyUploaded | UploadState::Refused => Self::ProviderInvoiceRefused,
            UploadState::Waiting | UploadState::Reserved | UploadState::Sent => return None,
        })
    }

    fn of_occurrence(occurrence: Occurrence) -> Option<Self> {
        Some(match occurrence {
            Occurrence::CloseCompleted => Self::CloseCompleted,
            Occurrence::CloseReopened => Self::CloseReopened,
            Occurrence::ConnectionDegraded => Self::ConnectionDegraded,
            Occurrence::Disconnected => Self::ConnectionDisconnected,
            Occurrence::ConnectionLost => Self::ConnectionLost,
            Occurrence::ConnectionRestored => Self::ConnectionRestored,
            Occurrence::CustomerBlocked => Self::CustomerBlocked,
            Occurrence::CustomerUnblocked => Self::CustomerUnblocked,
            Occurrence::LogSealed => Self::LogSealed,
            Occurrence::MassChangeApproved => Self::MassChangeApproved,
            Occurrence::MassChangeStopped => Self::MassChangeStopped,
            Occurrence::MorningDigest => Self::DigestReady,
            Occurrence::OrderCompleted => Self::OrderCompleted,
            Occurrence::OrderProgressChanged => Self::OrderProgressChanged,
            Occurrence::ReportDiffers => Self::ReportDiffers,
            Occurrence::ReportStored => Self::ReportStored,
            Occurrence::UploadingDisabled => Self::UploadDisabled,
            Occurrence::UploadingEnabled => Self::UploadEnabled,
            Occurrence::Warned => Self::PaymentWarned,
            // Acts of an operator that end nothing which was announced, a contact that was found or merged, which changes
            // nothing for a payment, and
            // what the business has said itself.
            Occurrence::AnnouncedAgain
            | Occurrence::Authorising
            | Occurrence::CapsChanged
            | Occurrence::CloseOrdered
            | Occurrence::Connected
            | Occurrence::ContactFollowed
            | Occurrence::ContactFound
            | Occurrence::Discarded
            | Occurrence::OrderRecorded
            | Occurrence::Ordered
            | Occurrence::OrganisationRenamed
            | Occurrence::Redriven
            | Occurrence::Replayed
            | Occurrence::ReportOrdered
            | Occurrence::ReportRecounted
            | Occurrence::ShadowEntered
            | Occurrence::ShadowLeft
            | Occurrence::SignedUp => return None,
        })
    }
}
