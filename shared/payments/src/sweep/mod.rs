//! The sweep: what Xero's webhooks have missed is found all the same.
//!
//! Read in this order: `seen` (which invoices are concerned), `place` (from where to where is read),
//! `state` (who may sweep, and what is remembered), `daily` (when the work of a day is due), `run` (what a run did), `tie_out` (whether the open
//! invoices agree), `rotation` (when everything else is looked at), `certificate` (whether every change is accounted for), `refund` (money
//! that went back).

mod candidates;
mod certificate;
mod cursor;
mod daily;
mod refund;
mod rotation;
mod run;
mod state;
mod tie_out;

pub use candidates::{Concern, Seen, concern};
pub use certificate::{
    Accounted, CERTIFIED_AFTER, Certificate, CertificateState, LISTED_MAX, Missing, PaymentChange,
    account,
};
pub use cursor::{FIRST_LOOK_BACK, ListPosition, OVERLAP, Progress, SKEW, SweptList, begun_at};
pub use daily::{DailySchedules, DailyTimes, DailyWork, follows};
pub use refund::{Refund, RefundStep};
pub use rotation::{ROTATION_DAYS, Rotation};
pub use run::{Latency, SyncKind, SyncRun, SyncRunId, SyncState, Trigger, VISIBLE_WITHIN};
pub use state::{COOL_DOWN, OpenWalk, StartDecision, SweepKind, SweepState};
pub use tie_out::{
    Difference, OpenFigures, Standing, XeroStanding, compare, compare_settled, review,
};
