#![doc = include_str!("../README.md")]

mod builder;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod clock_control;
mod command;
mod connect;
pub mod engines;
pub mod external_endpoints;
mod functions;
mod hints;
mod interrupt;
mod isolated_runtime;
pub mod lambda;
mod lineage;
pub mod logs;
mod next_night;
pub mod ports;
mod setup;
pub mod simulator;
mod stack;
mod story;
mod table_queries;
mod terminal;
#[cfg(test)]
mod test_support;
mod widgets;

pub use builder::{Builder, Parts, Step};
pub use stack::Stack;
