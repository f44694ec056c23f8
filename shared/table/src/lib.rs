#![doc = include_str!("../README.md")]

mod activity;
mod attributes;
mod error;
mod invoices;
mod rows;
pub mod schema;
mod tables;
mod warnings;

pub use attributes::instant;
pub use error::{ReadError, WriteError};
pub use invoices::Because;
pub use rows::invoice_key;
pub use tables::{Noted, Parked, Tables};
