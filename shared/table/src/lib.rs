#![doc = include_str!("../README.md")]

mod acceptances;
mod activity;
mod activity_log;
mod allocations;
mod amounts;
mod announcing;
mod attributes;
mod batches;
mod brakes;
mod budgets;
mod caps;
mod certificates;
mod connections;
mod contact_discrepancies;
mod customers;
mod error;
mod explaining;
mod failed_runs;
mod finding;
mod grants;
mod held_uploads;
mod history;
mod imports;
mod invoices;
mod lines;
mod links;
mod messages;
mod meter;
mod mornings;
mod newest;
mod nights;
mod orders;
mod organisations;
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
mod upload_watch;
mod uploads;
mod visits;
mod warnings;

pub use activity_log::{ActivityRow, Ordered};
pub use amounts::{
    ACTIVITY_DAYS_MAX, ACTIVITY_ROWS_MAX, AmountsFound, CANDIDATES_MAX, Candidate, LINE_ROWS_MAX,
    Searched,
};
pub use announcing::LogPage;
pub use attributes::instant;
pub use batches::NamedParts;
pub use budgets::Budgets;
pub use certificates::LastCertificate;
pub use connections::{CONNECTION_LOST, ConnectionRow};
pub use contact_discrepancies::{ContactBecause, OpenDiscrepancy, Place, contact_key};
pub use customers::{ACTIONS_COUNTED_MAX, OpenActions};
pub use error::{ReadError, WriteError};
pub use explaining::{Known, PARKED_ROWS_MAX, WHOLE_INVOICES_MAX};
pub use finding::Found;
pub use held_uploads::{HELD_COUNTED_MAX, HeldUploads};
pub use history::{HISTORY_PAGE_MAX, HistoryPage};
pub use imports::ImportError;
pub use invoices::Because;
pub use lines::PLACES_MAX;
pub use messages::{MessageRow, MessagesOfKind};
pub use mornings::OpenDiscrepancies;
pub use newest::{Listed, Newest, Unreadable};
pub use orders::Order;
pub use organisations::{NameOf, OrganisationRow};
pub use parked::{DISCARDED, PARKED_BYTES_MAX, PARKED_MAX, ParkedRow, in_parts};
pub use rows::invoice_key;
pub use settings::Enabled;
pub use standings::StandingsPage;
pub use tables::{Noted, Parked, Tables};
pub use uploads::{
    Cursor, FoundUploads, LinePage, UPLOADS_PER_TRANSACTION_MAX, UPLOADS_WITH_CAPS_MAX,
};
