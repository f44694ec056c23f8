#![doc = include_str!("../README.md")]

mod attribution;
mod command;
mod field;
mod invocation;
mod request;
mod role;
pub mod text;

pub use attribution::{Attribution, AttributionError};
pub use command::{
    Accept, Authorise, Command, Connect, Kind, MessageOfQueue, OnCustomer, OnOrganisation,
    OnPayment, OnQueue, PreviewPlan, Replay, Republish, Restore, Secret, SignUp, Spec, SyncNow,
};
pub use field::{Field, FieldError, FieldKind};
pub use invocation::{Function, invocation};
pub use request::{Request, RequestError};
pub use role::Role;
