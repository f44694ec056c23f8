//! The ledger: nothing is sent twice, and every move is explained (N5, FAULT-24 to FAULT-26).

mod examples;
mod honest;
mod moves;
