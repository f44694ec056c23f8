//! The console from outside: events as CloudWatch sends them, pages as it shows them, over an embedded
//! DynamoDB.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod actions;
mod books;
mod bounded;
mod connections;
mod dead_letters;
mod discrepancies;
mod hostile;
mod html;
mod integrations;
mod invoice;
mod limits;
mod logs;
mod ordered;
mod orders;
mod refused;
mod shown;
mod silence;
mod speed;
mod tonight;
mod why;
mod world;
