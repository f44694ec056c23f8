//! The function against a DynamoDB in memory.

mod scale;
mod seals;
mod world;
