//! The ledger: nothing is sent twice, and every move is explained (quality N5, scenarios 24 to 26).

mod examples;
mod honest;
mod moves;
