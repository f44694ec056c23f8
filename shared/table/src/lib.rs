#![doc = include_str!("../README.md")]

mod activity;
mod attributes;
mod batches;
mod brakes;
mod budgets;
mod caps;
mod certificates;
mod connections;
mod customers;
mod error;
mod grants;
mod invoices;
mod nights;
mod parked;
mod receipts;
mod rows;
pub mod schema;
mod settings;
mod standings;
mod sweeps;
mod sync_runs;
mod tables;
mod upload_rows;
mod uploads;
mod warnings;

pub use attributes::instant;
pub use batches::NamedParts;
pub use budgets::Budgets;
pub use certificates::LastCertificate;
pub use error::{ReadError, WriteError};
pub use invoices::Because;
pub use parked::{PARKED_MAX, ParkedRow};
pub use rows::invoice_key;
pub use settings::Enabled;
pub use tables::{Noted, Parked, Tables};
pub use uploads::{Cursor, UPLOADS_PER_TRANSACTION_MAX, UPLOADS_WITH_CAPS_MAX};
