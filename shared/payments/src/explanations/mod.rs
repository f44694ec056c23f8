//! Why a payment is where it is, in words that a person can act on.
//!
//! Nothing is decided here. What the tables hold about a payment goes in, and out comes its one state
//! (rules A7.4), the rule it follows, the values that were compared and what would change it. Every page and
//! every answer to a question is made here, so that all explain the same payment in the same way.
//!
//! Reading order: [`Search`] (what was typed), [`Facts`] (what is stored), [`State`] (the one state),
//! [`ReasonText`] (each reason's rule, sentence and remedy), [`explain`], [`Outlook`] (which night), [`InvoiceView`]
//! (an invoice with its balances), [`XeroLinks`].

mod amount;
mod balances;
mod classification;
mod comparison;
mod explanation;
mod facts;
mod forecast;
mod invoice_context;
mod invoice_lines;
mod invoice_view;
mod links;
mod notes;
mod parts;
mod reason_text;
mod reasons;
mod search;
mod state;
mod state_words;
mod upload_reasons;

pub use balances::Agreement;
pub use comparison::{Compared, Side};
pub use explanation::{Context, Explanation, History, explain};
pub use facts::{Facts, ParkedReport, RemovedRow, Row, Subject};
pub use forecast::{Outlook, QueuePosition};
pub use invoice_context::InvoiceContext;
pub use invoice_lines::{PaymentLine, RemovedLine};
pub use invoice_view::{InvoiceView, Overdue};
pub use links::{Link, NEEDS_LOGIN, XERO_SUPPORT, XeroLinks};
pub use notes::Remark;
pub use parts::PartLine;
pub use reason_text::ReasonText;
pub use search::{SEARCH_CHARS_MAX, Search, SearchTerm};
pub use state::{Direction, Failure, Kept, Off, Stage, State, Turn};
