//! What a person may order about a payment that has not gone up.

use jiff::Timestamp;

use super::ledger::Upload;
use super::part::UploadState;
use super::payment_command::{GivenCommand, PaymentCommand};
use super::route::{Hold, Skip};
use crate::ids::PaymentId;

/// Why an order is not carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// Something of it is, or may be, in Xero; or it is being sent.
    #[error("payment {payment} is {state}, so that it cannot be ordered to {order}")]
    TooLate {
        /// The payment.
        payment: PaymentId,
        /// Its state.
        state: UploadState,
        /// The order.
        order: PaymentCommand,
    },
    /// Whether it is the same as another payment has to be said first.
    #[error(
        "payment {payment} is held as a possible duplicate: order `same_payment` or `two_payments`"
    )]
    Undecided {
        /// The payment.
        payment: PaymentId,
    },
    /// It is held for no payment that it may be the same as.
    #[error(
        "payment {payment} is not held as a possible duplicate, so that it cannot be ordered to {order}"
    )]
    NoSuspicion {
        /// The payment.
        payment: PaymentId,
        /// The order.
        order: PaymentCommand,
    },
}

/// Carries out an order; `None` if it is so already. An order to hold or to keep back a payment that is on its
/// way counts if Xero turns out not to have it (A8.3).
///
/// # Errors
/// `TooLate`, `NoSuspicion`.
pub fn obey(
    upload: &Upload,
    order: PaymentCommand,
    by: &str,
    why: &str,
    now: Timestamp,
) -> Result<Option<Upload>, CommandError> {
    let given = GivenCommand { order, said: format!("{by}: {why}") };
    let mut after = upload.clone();
    if matches!(order, PaymentCommand::SamePayment | PaymentCommand::TwoPayments) {
        if upload.suspicion.is_none() {
            return Err(CommandError::NoSuspicion { payment: upload.receipt.id.clone(), order });
        }
        obey_quiet(&mut after, &given, now);
        return Ok(Some(after));
    }
    let on_its_way =
        matches!(upload.state, UploadState::Sent | UploadState::Unknown | UploadState::Reserved);
    if on_its_way && matches!(order, PaymentCommand::Hold | PaymentCommand::DoNotSend) {
        after.ordered_since = Some(given);
        return Ok((after != *upload).then_some(after));
    }
    if on_its_way && upload.ordered_since.is_some() {
        after.ordered_since = None;
        return Ok(Some(after));
    }
    let quiet = matches!(
        upload.state,
        UploadState::Waiting | UploadState::Held | UploadState::Skipped | UploadState::Refused
    );
    // All that is open of such a payment is proven not to be in Xero, and may be tried again.
    let rest = order == PaymentCommand::Release && upload.state == UploadState::PartlyUploaded;
    if !rest && !quiet {
        return Err(CommandError::TooLate {
            payment: upload.receipt.id.clone(),
            state: upload.state,
            order,
        });
    }
    if order == PaymentCommand::Release && upload.suspicion.is_some() {
        return Err(CommandError::Undecided { payment: upload.receipt.id.clone() });
    }
    obey_quiet(&mut after, &given, now);
    Ok((after != *upload).then_some(after))
}

/// Carries out an order on a payment that is not on its way.
pub(super) fn obey_quiet(upload: &mut Upload, given: &GivenCommand, now: Timestamp) {
    let said = &given.said;
    match given.order {
        PaymentCommand::Hold => upload.put_on_hold(Hold::HeldByPerson, said, None, now),
        PaymentCommand::DoNotSend => upload.skip(Skip::DoNotSend, said, None, now),
        PaymentCommand::Release if upload.state == UploadState::Waiting => {}
        PaymentCommand::Release => {
            upload.included = true;
            upload.back_in_line("released", now);
            upload.why = format!("{}; released by {said}", upload.why);
        }
        PaymentCommand::SamePayment => upload.is_the_same(said, now),
        PaymentCommand::TwoPayments => {
            upload.is_apart(now);
            upload.why = format!("{}; said to be two payments by {said}", upload.why);
        }
    }
}

/// The orders that would change what becomes of a payment, as things are.
pub fn applicable_commands(
    upload: &Upload,
    now: Timestamp,
) -> impl Iterator<Item = PaymentCommand> {
    PaymentCommand::ALL.iter().copied().filter(move |order| {
        !is_so_already(upload, *order) && matches!(obey(upload, *order, "", "", now), Ok(Some(_)))
    })
}

/// Another person's word would change who has said so, and nothing else.
fn is_so_already(upload: &Upload, order: PaymentCommand) -> bool {
    match order {
        PaymentCommand::Hold => upload.hold() == Some(Hold::HeldByPerson),
        PaymentCommand::DoNotSend => {
            upload.state == UploadState::Skipped && upload.reason == Skip::DoNotSend.code()
        }
        PaymentCommand::Release | PaymentCommand::SamePayment | PaymentCommand::TwoPayments => {
            false
        }
    }
}
