#![doc = include_str!("../README.md")]

mod builder;
pub mod cli;
pub mod clients;
pub mod clock;
mod connect;
pub mod elsewhere;
pub mod engines;
mod functions;
mod half;
mod hints;
mod interrupt;
pub mod lambda;
mod lineage;
pub mod logs;
mod look;
mod next_night;
pub mod ports;
mod prepare;
pub mod simulator;
mod stack;
mod story;
mod terminal;
#[cfg(test)]
mod testing;
pub mod travel;
mod widgets;

pub use builder::{Builder, Parts, Step};
pub use stack::Stack;
