#![doc = include_str!("../README.md")]

mod composition;
mod handler;
mod keys;
mod plan;
mod refusals;
mod report;

pub use composition::{ANSWER_WITHIN, AWS_CALL_MAX, Webhook};
pub use handler::{BODY_BYTES_MAX, Handled, Response, Unavailability, handle};
pub use keys::{ActiveKeys, Keys};
pub use plan::{Counts, FOREIGN_RESOURCE_URL, Plan, UNKNOWN_CATEGORY, plan, plan_for_unreadable};
