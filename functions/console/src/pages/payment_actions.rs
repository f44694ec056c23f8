//! The orders about payments on their way to Xero, where they would change something.

use payments::upload::{self, Upload, applicable_commands};
use serde_json::{Value, json};

use super::Stage;
use super::next_night::sums;
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

/// A button for an order about several payments at once: those of a list that it would change. Its panel says how many,
/// and their sum.
pub(super) fn order_about_all(
    stage: &Stage<'_>,
    order: upload::PaymentCommand,
    uploads: &[Upload],
) -> Option<Button> {
    let is_sensible =
        |upload: &&Upload| applicable_commands(upload, stage.now).any(|sensible| sensible == order);
    let which: Vec<_> = uploads.iter().filter(is_sensible).collect();
    if which.len() < 2 {
        return None;
    }
    let kind = match order {
        upload::PaymentCommand::Hold => Order::Hold,
        upload::PaymentCommand::Release => Order::Release,
        _ => return None,
    };
    let sum = sums(which.iter().map(|upload| upload.receipt.amount));
    let what = format!("all {} listed here ({sum})", which.len());
    let ids: Vec<_> = which.iter().map(|upload| upload.receipt.id.as_str()).collect();
    let button = stage.order_about(kind, &what, json!({ "payments": ids }))?;
    Some(button.called(format!("{} all {}", kind.label(), which.len())))
}
