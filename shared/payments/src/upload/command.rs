//! What a person may order about a payment that has not gone up.

use jiff::Timestamp;

use super::ledger::Upload;
use super::part::UploadState;
use super::route::{Hold, Skip};
use crate::ids::PaymentId;
use crate::reason::codes;

codes! {
    /// An order about one payment.
    Order {
        /// Not now: until it is released.
        Hold = "hold",
        /// It may go: whatever held it or kept it back. What Xero refused is tried again.
        Release = "release",
        /// It shall not go.
        DoNotSend = "do_not_send",
    }
}

/// Why an order is not carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// Something of it is, or may be, in Xero; or it is being sent.
    #[error("payment {payment} is {state}, so that it cannot be ordered to {order}")]
    TooLate {
        /// The payment.
        payment: PaymentId,
        /// Its state.
        state: UploadState,
        /// The order.
        order: Order,
    },
}

/// Carries out an order; `None` if it is so already.
///
/// # Errors
/// `TooLate`.
pub fn obey(
    upload: &Upload,
    order: Order,
    by: &str,
    why: &str,
    now: Timestamp,
) -> Result<Option<Upload>, OrderError> {
    let quiet = matches!(
        upload.state,
        UploadState::Waiting | UploadState::Held | UploadState::Skipped | UploadState::Refused
    );
    // All that is open of such a payment is proven not to be in Xero, and may be tried again.
    let rest = order == Order::Release && upload.state == UploadState::PartlyUploaded;
    if !rest && (!quiet || upload.may_be_in_xero()) {
        return Err(OrderError::TooLate {
            payment: upload.receipt.id.clone(),
            state: upload.state,
            order,
        });
    }
    let mut after = upload.clone();
    let said = format!("{by}: {why}");
    match order {
        Order::Hold => after.put_on_hold(Hold::HeldByPerson, said, None, now),
        Order::DoNotSend => after.skip(Skip::DoNotSend, said, None, now),
        Order::Release if upload.state == UploadState::Waiting => {}
        Order::Release => {
            after.included = true;
            after.wait("released", now);
            after.why = format!("{}; released by {said}", after.why);
        }
    }
    Ok((after != *upload).then_some(after))
}

/// The orders that would change what becomes of a payment, as things are.
pub fn sensible_orders(upload: &Upload, now: Timestamp) -> impl Iterator<Item = Order> {
    Order::ALL.iter().copied().filter(move |order| {
        !is_so_already(upload, *order) && matches!(obey(upload, *order, "", "", now), Ok(Some(_)))
    })
}

/// Another person's word would change who has said so, and nothing else.
fn is_so_already(upload: &Upload, order: Order) -> bool {
    match order {
        Order::Hold => upload.hold() == Some(Hold::HeldByPerson),
        Order::DoNotSend => {
            upload.state == UploadState::Skipped && upload.reason == Skip::DoNotSend.code()
        }
        Order::Release => false,
    }
}
