//! The daily close (SP-13): after the close of business, the day's payments are compared with what they are for.
//!
//! A close is a pure function of the rows of the activity log: the same rows, in any order, give the same close, on any
//! later day. Read `calendar.rs` first (which instants belong to a day), then `facts.rs` (what the rows of the log say of
//! each invoice and payment), `judgement.rs` (what reconciles, what is in transit, and what does not reconcile) and
//! `result.rs` (the day as a whole).

mod calendar;
mod cause;
mod facts;
mod findings;
mod judgement;
mod position;
mod result;

pub use calendar::{Calendar, CloseSettings, GRACE, HOLIDAYS_MAX, OVERDUE_AFTER};
pub use cause::{CauseClass, CloseCause};
pub use facts::{
    CloseSubject, DayFacts, PaymentMovement, PaymentRecord, Register, SubjectFacts, UploadFact,
    happened_at, payment_name,
};
pub use findings::{Finding, raise};
pub use judgement::{CloseStatus, Judge, JudgedPayment, PENDING_CLOSES_MAX};
pub use position::{InvoicePosition, position};
pub(crate) use result::add_to;
pub use result::{
    CauseSums, Close, Item, StandingPayment, Sum, Sums, close, items, standing_payments,
};
