#![doc = include_str!("../README.md")]

mod fleet;
mod meter;
mod model;

pub use fleet::{Fleet, Member};
pub use meter::Meter;
pub use model::{Loop, Report, simulate};
