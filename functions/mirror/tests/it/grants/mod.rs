//! Several organisations on what a user has granted (X-14, FAULT-29): many processes, each with a client
//! of its own, over the same tables, the same store of secrets and the same Xero, in which anything may fail
//! or end.

mod at_once;
mod interrupted;
mod log_secrecy;
mod lost;
mod safe;
mod world;
