#![doc = include_str!("../README.md")]

mod attribution;
mod command;
mod field;
mod form;
mod invocation;
mod payload;
mod request;
mod role;
pub mod text;

pub use attribution::{Attribution, AttributionError};
pub use command::{Command, Kind, Spec};
pub use field::{Field, FieldError, FieldKind};
pub use invocation::{Function, invocation};
pub use payload::{
    Accept, Authorise, Connect, MessageOfQueue, OnCustomer, OnOrganisation, OnPayment, OnQueue,
    PreviewPlan, Replay, Republish, Restore, Secret, SignUp, SyncNow,
};
pub use request::{Request, RequestError};
pub use role::Role;
