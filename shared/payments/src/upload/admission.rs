//! What becomes of a reported payment: it waits to go up, or it does not go, each with its reason.

use jiff::Timestamp;

use super::ledger::Upload;
use super::part::UploadState;
use super::route::{Hold, Skip, route, taken};
use crate::payment::PaymentStatus;
use crate::recording::{Receipt, Warning, WarningKind};

/// What a report means for the ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admission {
    /// The row to be written; `None` if nothing changes.
    pub upload: Option<Box<Upload>>,
    /// What operators should know.
    pub warning: Option<Warning>,
}

/// Takes a reported payment into the ledger. What is, or may be, in Xero stays as it was sent: a
/// later report that says otherwise raises a warning.
pub fn admit(known: Option<&Upload>, receipt: &Receipt, now: Timestamp) -> Admission {
    let nothing = Admission { upload: None, warning: None };
    let Some(known) = known else {
        let upload = Some(Box::new(judge(Upload::waiting(receipt.clone(), now), now)));
        return Admission { upload, warning: None };
    };
    if known.receipt.revision >= receipt.revision {
        return nothing;
    }
    if known.may_be_in_xero() {
        let mut upload = known.clone();
        let warning = changed_after_upload(known, receipt);
        // The newest revision is remembered, so that the same report warns once.
        upload.receipt.revision = receipt.revision;
        return Admission { upload: Some(Box::new(upload)), warning };
    }
    let mut upload = known.clone();
    upload.receipt = receipt.clone();
    let by_person = known.hold() == Some(Hold::HeldByPerson)
        || (known.state == UploadState::Skipped && known.reason == Skip::DoNotSend.code());
    if !by_person {
        // A slot that it may have is used up for its night; it gets another one.
        upload.reserved_at = None;
        upload.parts.retain(|part| part.tries > 0);
        upload.wait("reported_anew", now);
        upload = judge(upload, now);
    }
    Admission { upload: Some(Box::new(upload)), warning: None }
}

/// What can be told from the payment alone. The settings are asked when its night comes.
fn judge(mut upload: Upload, now: Timestamp) -> Upload {
    if let Err(skip) = route(&upload.receipt) {
        let why = format!("paid by {}", upload.receipt.method);
        upload.skip(skip, why, None, now);
    } else if taken(&upload.receipt).is_none() {
        let skip = match upload.receipt.status {
            PaymentStatus::Refunded => Skip::Refunded,
            _ => Skip::NotApproved,
        };
        let why = format!("it is {}", upload.receipt.status);
        upload.skip(skip, why, None, now);
    }
    upload
}

/// The warning that a report raises which contradicts what went, or may have gone, to Xero.
pub fn changed_after_upload(upload: &Upload, receipt: &Receipt) -> Option<Warning> {
    let sent = &upload.receipt;
    let mut differs = Vec::new();
    if sent.amount != receipt.amount {
        differs.push("its amount");
    }
    if sent.date != receipt.date {
        differs.push("its date");
    }
    if taken(receipt).is_none() {
        differs.push("the money, which was not taken or was given back");
    }
    if !receipt.allocations.is_empty() && sent.allocations != receipt.allocations {
        differs.push("its invoices");
    }
    if differs.is_empty() {
        return None;
    }
    Some(Warning {
        kind: WarningKind::ChangedAfterUpload,
        payment: receipt.id.clone(),
        why: format!("reported otherwise after it was sent to Xero: {}", differs.join(", ")),
    })
}
