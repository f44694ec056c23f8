//! The `schedules` queue: the work of a schedule, one message for each organisation.

mod sqs;
mod task;

pub use sqs::SchedulesQueue;
pub use task::{ScheduleTask, ScheduledWork};
