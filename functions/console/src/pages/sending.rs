//! The orders about a payment on its way to Xero, where they would change something.

use payments::upload::{Hold, Skip, Upload, UploadState, obey};
use serde_json::{Value, json};

use super::Stage;
use crate::order::Order;
use crate::view::Button;

/// The buttons that make sense for this payment, if the role may press them. `more` says which page is shown
/// afterwards.
pub(super) fn orders(stage: &Stage<'_>, upload: &Upload, more: &Value) -> Vec<Button> {
    let orders = [
        (Order::Hold, payments::upload::Order::Hold),
        (Order::Release, payments::upload::Order::Release),
        (Order::DoNotSend, payments::upload::Order::DoNotSend),
    ];
    let sensible = orders.into_iter().filter(|(_, order)| {
        // The function that carries it out asks the same.
        let would = obey(upload, *order, "", "", stage.now);
        !is_so_already(upload, *order) && matches!(would, Ok(Some(_)))
    });
    let payment = upload.receipt.id.as_str();
    sensible.filter_map(|(order, _)| order_about(stage, order, payment, more)).collect()
}

/// A button for an order about this payment.
pub(super) fn order_about(
    stage: &Stage<'_>,
    order: Order,
    payment: &str,
    more: &Value,
) -> Option<Button> {
    let mut about = json!({ "payment": payment });
    if let (Some(about), Value::Object(more)) = (about.as_object_mut(), more) {
        about.extend(more.clone());
    }
    stage.order_about(order, payment, about)
}

/// Another person's word would change who has said so, and nothing else.
fn is_so_already(upload: &Upload, order: payments::upload::Order) -> bool {
    match order {
        payments::upload::Order::Hold => upload.hold() == Some(Hold::HeldByPerson),
        payments::upload::Order::DoNotSend => {
            upload.state == UploadState::Skipped && upload.reason == Skip::DoNotSend.code()
        }
        payments::upload::Order::Release => false,
    }
}
