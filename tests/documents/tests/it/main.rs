//! The documents against the code.

mod rules;
mod words;
