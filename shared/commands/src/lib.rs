#![doc = include_str!("../README.md")]

mod attribution;
mod command;
pub mod earlier;
mod field;
mod form;
mod payload;
pub mod reply;
mod request;
mod role;
pub mod text;

pub use attribution::{Attribution, AttributionError};
pub use command::{Command, Kind, Reply, Spec};
pub use field::{Field, FieldError, FieldKind};
pub use payload::{
    Accept, AdjustRecord, AssignDiscrepancies, Authorise, CloseDays, CloseDiscrepancies, Configure,
    Connect, ContainLeak, DaysOf, MessageOfQueue, NoteDiscrepancies, OnCustomer, OnDiscrepancies,
    OnOrganisation, OnPayment, OnQueue, PeriodOf, PickContact, PreviewPlan, Replay, Republish,
    Restore, SecretText, SetAccount, SignUp, SyncNow,
};
pub use request::{FUNCTION, Request, RequestError};
pub use role::Role;
