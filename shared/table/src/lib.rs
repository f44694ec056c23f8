#![doc = include_str!("../README.md")]

mod activity;
mod amounts;
mod attributes;
mod batches;
mod brakes;
mod budgets;
mod caps;
mod certificates;
mod connections;
mod customers;
mod error;
mod explaining;
mod finding;
mod grants;
mod history;
mod invoices;
mod lines;
mod links;
mod meter;
mod mornings;
mod nights;
mod orders;
mod parked;
mod receipts;
mod rows;
pub mod schema;
mod settings;
mod standings;
pub mod stream;
mod sweeps;
mod sync_runs;
mod tables;
mod upload_rows;
mod uploads;
mod visits;
mod warnings;

pub use amounts::{
    ACTIVITY_DAYS_MAX, ACTIVITY_ROWS_MAX, AmountsFound, CANDIDATES_MAX, Candidate, LINE_ROWS_MAX,
    Searched,
};
pub use attributes::instant;
pub use batches::NamedParts;
pub use budgets::Budgets;
pub use certificates::LastCertificate;
pub use error::{ReadError, WriteError};
pub use explaining::{Known, PARKED_ROWS_MAX, WHOLE_INVOICES_MAX};
pub use finding::Found;
pub use history::{Entry, HISTORY_PAGE_MAX, HistoryPage};
pub use invoices::Because;
pub use lines::PLACES_MAX;
pub use mornings::OpenDiscrepancies;
pub use orders::Order;
pub use parked::{DISCARDED, PARKED_BYTES_MAX, PARKED_MAX, ParkedRow, in_parts};
pub use rows::invoice_key;
pub use settings::Enabled;
pub use tables::{Noted, Parked, Tables};
pub use uploads::{Cursor, UPLOADS_PER_TRANSACTION_MAX, UPLOADS_WITH_CAPS_MAX};
