#![doc = include_str!("../README.md")]
#![allow(
    clippy::as_conversions,
    reason = "small numbers of organisations, copies and messages; none is money"
)]

mod closes;
mod costs;
mod deliveries;
mod fleet;
mod flood;
mod listeners;
mod meter;
mod model;
mod past;
mod report;
mod run;
mod runs;
mod seals;
mod template;
mod world;

pub use costs::costs;
pub use fleet::{Fleet, Member};
pub use meter::Meter;
pub use model::simulate;
pub use past::FullSweep;
pub use report::Report;
pub use template::{Function, Listener, Product};
pub use world::{Loop, Plan};
