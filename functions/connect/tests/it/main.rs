//! The function `connect` against the simulated Xero and real tables, as a browser meets it.

mod choosing;
mod guarded;
mod walks;
mod world;
