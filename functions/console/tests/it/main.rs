//! The console from outside: events as CloudWatch sends them, pages as it shows them, over an embedded
//! DynamoDB.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod actions;
mod balances;
mod closes;
mod commands;
mod connections;
mod dead_letters;
mod discrepancies;
mod home;
mod hostile;
mod html;
mod integrations;
mod invoice;
mod limits;
mod log_secrecy;
mod logs;
mod orders;
mod refusals;
mod reports;
mod rows_read;
mod samples;
mod speed;
mod tonight;
mod why;
mod widgets;
mod world;
