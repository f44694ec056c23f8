#![doc = include_str!("../README.md")]
#![allow(
    clippy::as_conversions,
    reason = "small numbers of organisations, copies and messages; none is money"
)]

mod closes;
mod costs;
mod fleet;
mod flood;
mod meter;
mod model;
mod past;
mod report;
mod runs;
mod template;

pub use costs::costs;
pub use fleet::{Fleet, Member};
pub use meter::Meter;
pub use model::{Loop, Plan, simulate};
pub use past::FullSweep;
pub use report::Report;
pub use template::{Function, Product};
