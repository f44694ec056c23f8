#![doc = include_str!("../README.md")]

mod attribution;
mod checks;
mod command;
mod field;
pub mod legacy;
pub mod reply;
mod request;
mod role;
pub mod text;

pub use attribution::{Attribution, AttributionError};
pub use checks::CommandError;
pub use command::{
    Accept, Authorise, Command, Connect, Kind, MessageOfQueue, OnCustomer, OnOrganisation,
    OnPayment, OnQueue, PreviewPlan, Replay, Republish, Restore, Secret, SignUp, Spec, SyncNow,
};
pub use field::{Field, FieldError, FieldKind};
pub use reply::{CommandResult, Reply};
pub use request::{Request, RequestError};
pub use role::Role;
