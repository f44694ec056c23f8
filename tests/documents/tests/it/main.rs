//! The documents against the code.

mod facts;
mod modules;
mod rules;
mod words;
