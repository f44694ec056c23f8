//! Stories that a customer can read, and the runner that holds the domain to them. The files are in the folders of this
//! crate, and its README says how they are written. The functions' tests play the same files.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a scenario that cannot be read has failed; its fields are explained in the README"
)]

pub mod mirror;
