//! The orders about a payment on its way to Xero, where they would change something.

use payments::upload::{self, Upload, applicable_commands};
use serde_json::{Value, json};

use super::Stage;
use crate::order::Order;
use crate::view::Button;

/// The buttons that make sense for this payment, if the role may press them. `more` says which page is shown
/// afterwards.
pub(super) fn orders(stage: &Stage<'_>, upload: &Upload, more: &Value) -> Vec<Button> {
    let payment = upload.receipt.id.as_str();
    let sensible = applicable_commands(upload, stage.now);
    sensible.filter_map(|order| order_about(stage, order, payment, more)).collect()
}

/// A button for an order about this payment.
pub(super) fn order_about(
    stage: &Stage<'_>,
    order: upload::PaymentCommand,
    payment: &str,
    more: &Value,
) -> Option<Button> {
    let mut about = json!({ "payment": payment });
    if let (Some(about), Value::Object(more)) = (about.as_object_mut(), more) {
        about.extend(more.clone());
    }
    let order = match order {
        upload::PaymentCommand::Hold => Order::Hold,
        upload::PaymentCommand::Release => Order::Release,
        upload::PaymentCommand::DoNotSend => Order::DoNotSend,
        upload::PaymentCommand::SamePayment => Order::SamePayment,
        upload::PaymentCommand::TwoPayments => Order::TwoPayments,
    };
    stage.order_about(order, payment, about)
}
