//! Several organisations on what a user has granted (X-14, FAULT-29): many processes, each with a client
//! of its own, over the same tables, the same store of secrets and the same Xero, in which anything may fail
//! or end.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod at_once;
#[path = "../it/ear.rs"]
mod ear;
#[path = "../../../../shared/table/tests/it/engine.rs"]
mod engine;
#[path = "../../../../shared/table/tests/it/faults.rs"]
mod faults;
mod interrupted;
mod lost;
mod safe;
mod silence;
mod world;
#[path = "../../../upload/tests/it/xero_proxy.rs"]
mod xero_proxy;
