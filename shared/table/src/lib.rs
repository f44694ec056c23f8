#![doc = include_str!("../README.md")]

mod activity;
mod activity_log;
mod allocations;
mod amounts;
mod attributes;
mod audit;
mod batches;
mod budgets;
mod canonical;
mod caps;
mod certificates;
mod change_context;
mod close_rows;
mod closes;
mod connections;
mod contact_discrepancies;
mod customers;
mod digests;
mod disconnections;
mod discrepancy_work;
mod error;
mod failed_runs;
mod grants;
mod held_uploads;
mod history;
mod imports;
mod invoice_summaries;
mod invoices;
mod latest;
mod links;
mod log_replay;
mod mass_changes;
mod messages;
mod meter;
mod nights;
mod notes;
mod notices;
mod oauth_states;
mod order_discrepancies;
mod order_facts;
mod orders;
mod organisations;
mod parked;
mod payment_facts;
mod queue_positions;
mod races;
mod receipts;
mod rows;
pub mod schema;
mod seals;
mod search;
mod settings;
pub mod stream;
pub mod stream_batch;
mod sweeps;
mod sync_runs;
mod tables;
mod upload_rows;
mod upload_watch;
mod uploads;
mod warnings;

pub use activity_log::{ActivityRow, Ordered};
pub use amounts::{
    ACTIVITY_DAYS_MAX, ACTIVITY_ROWS_MAX, AmountsFound, CANDIDATES_MAX, Candidate, LINE_ROWS_MAX,
    Searched,
};
pub use attributes::instant;
pub use audit::AuditEntry;
pub use batches::NamedParts;
pub use budgets::Budgets;
pub use certificates::LastCertificate;
pub use change_context::ChangeContext;
pub use closes::{ClosedDay, LateFact};
pub use connections::{CONNECTION_LOST, ConnectionRow};
pub use contact_discrepancies::{ContactBecause, DiscrepancySubject, OpenDiscrepancy, contact_key};
pub use customers::{ACTIONS_COUNTED_MAX, OpenActions};
pub use digests::OpenDiscrepancies;
pub use discrepancy_work::{
    DiscrepancyPlace, WorkContext, WorkFailure, discrepancy_name, named_discrepancy,
};
pub use error::{ReadError, WriteError};
pub use held_uploads::{HELD_COUNTED_MAX, HeldUploads};
pub use history::{HISTORY_PAGE_MAX, HistoryPage};
pub use imports::ImportError;
pub use invoice_summaries::{Misplaced, StandingsPage};
pub use latest::{Listed, Newest, UnreadableRow};
pub use log_replay::LogPage;
pub use messages::{MessageRow, MessagesOfKind};
pub use notes::IgnoredEvent;
pub use notices::NoticeSettings;
pub use oauth_states::OneTime;
pub use order_discrepancies::{Judged, order_key, payment_key};
pub use orders::{OrderLink, StoredOrder};
pub use organisations::{NameOf, OrganisationRow};
pub use parked::{DISCARDED, PARKED_BYTES_MAX, PARKED_MAX, Parked, ParkedRow, in_parts};
pub use payment_facts::{PARKED_ROWS_MAX, PaymentFacts, WHOLE_INVOICES_MAX};
pub use queue_positions::PLACES_MAX;
pub use races::{RACES_MAX, Races};
pub use rows::invoice_key;
pub use seals::LogChecksums;
pub use search::SearchResult;
pub use settings::Enabled;
pub use tables::Tables;
pub use uploads::{
    Cursor, FoundUploads, LinePage, UPLOADS_PER_TRANSACTION_MAX, UPLOADS_WITH_CAPS_MAX,
};
