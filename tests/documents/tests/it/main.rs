//! The documents against the code.

mod modules;
mod rules;
mod words;
