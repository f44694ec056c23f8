//! What becomes of a reported payment: it waits to go up, or it does not go, each with its reason.

use jiff::Timestamp;

use super::bill::Bill;
use super::ledger::Upload;
use super::part::UploadState;
use super::provider_invoice::ProviderInvoice;
use super::route::{Hold, Skip, route, taken};
use crate::payment::PaymentStatus;
use crate::reports::{Receipt, Refusal, Warning, WarningKind};

/// What a report means for the ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admission {
    /// The row to be written; `None` if nothing changes.
    pub upload: Option<Box<Upload>>,
    /// What operators should know.
    pub warning: Option<Warning>,
}

/// Takes a reported payment into the ledger. A payment that is, or may be, in Xero stays as it was
/// sent: a later report that says otherwise raises a warning.
pub fn admit(known: Option<&Upload>, receipt: &Receipt, now: Timestamp) -> Admission {
    take_in(known, receipt, None, now)
}

/// Takes a provider's invoice into the ledger, in the same way (EX-12).
///
/// # Errors
/// Another report of it carried the same revision. So does a payment of that name, which intake has not let
/// in since there are provider invoices: then a person has to look.
pub fn admit_bill(
    known: Option<&Upload>,
    invoice: &ProviderInvoice,
    now: Timestamp,
) -> Result<Admission, Refusal> {
    let receipt = invoice.receipt(now);
    if let Some(known) = known {
        // Once it may be in Xero the row has what was sent, and the revision of what was reported last.
        let same = known.receipt.amount == receipt.amount
            && known.receipt.date == receipt.date
            && known.bill.as_ref().is_some_and(|bill| bill.says_the_same(&invoice.bill));
        let comparable = !known.may_be_in_xero();
        let reused = known.receipt.revision == receipt.revision && comparable && !same;
        if reused || known.bill.is_none() {
            return Err(Refusal::RevisionReused { revision: receipt.revision });
        }
    }
    Ok(take_in(known, &receipt, Some(&invoice.bill), now))
}

fn take_in(
    known: Option<&Upload>,
    receipt: &Receipt,
    bill: Option<&Bill>,
    now: Timestamp,
) -> Admission {
    let nothing = Admission { upload: None, warning: None };
    let Some(known) = known else {
        let mut new = Upload::waiting(receipt.clone(), bill.cloned(), now);
        judge_report(&mut new, now);
        return Admission { upload: Some(Box::new(new)), warning: None };
    };
    if known.receipt.revision >= receipt.revision {
        return nothing;
    }
    let mut upload = known.clone();
    if known.may_be_in_xero() {
        let warning = differs_from_sent(known, receipt, bill);
        // The newest revision is remembered, so that the same report warns once.
        upload.receipt.revision = receipt.revision;
        follow_application(&mut upload, bill);
        if known.state != UploadState::Uploaded {
            // What of it turns out not to be in Xero is judged by the newest report (AMB-28).
            upload.reported_since = Some(Box::new((receipt.clone(), bill.cloned())));
        }
        let waits = matches!(known.state, UploadState::Waiting | UploadState::Held);
        if waits && known.hold() != Some(Hold::HeldByPerson) {
            upload.back_in_line("reported_anew", now);
        }
        return Admission { upload: Some(Box::new(upload)), warning };
    }
    upload.receipt = receipt.clone();
    upload.bill = bill.cloned();
    let by_person = known.hold() == Some(Hold::HeldByPerson)
        || (known.state == UploadState::Skipped && known.reason == Skip::DoNotSend.code());
    if !by_person {
        // A slot that it may have is used up for its night; it gets another one.
        upload.reserved_at = None;
        upload.withdraw_planned();
        upload.back_in_line("reported_anew", now);
    }
    Admission { upload: Some(Box::new(upload)), warning: None }
}

/// What the provider has applied a credit invoice to may change as long as something of it is left, whether it is in
/// Xero or not (EX-17).
fn follow_application(upload: &mut Upload, reported: Option<&Bill>) {
    let terms = upload.bill.as_mut().and_then(Bill::credit_terms_mut);
    if let (Some(terms), Some(reported)) = (terms, reported.and_then(Bill::credit_terms)) {
        if terms.applied != reported.applied {
            terms.used_up = false;
        }
        terms.applied.clone_from(&reported.applied);
    }
}

/// Judges by the payment alone. The settings are asked when its night comes.
pub(super) fn judge_report(upload: &mut Upload, now: Timestamp) {
    if upload.bill.is_some() {
        return;
    }
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
}

/// The warning that a report raises which contradicts what went, or may have gone, to Xero.
pub fn changed_after_upload(upload: &Upload, receipt: &Receipt) -> Option<Warning> {
    differs_from_sent(upload, receipt, None)
}

fn differs_from_sent(upload: &Upload, receipt: &Receipt, bill: Option<&Bill>) -> Option<Warning> {
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
    let other = |sent: &Bill| bill.is_some_and(|bill| !sent.is_the_same_document(bill));
    if upload.bill.as_ref().is_some_and(other) {
        differs.push("its number, its due date or its fees");
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
