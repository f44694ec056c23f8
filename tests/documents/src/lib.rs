//! Reads the repository's own files: the rules that they cite and define, their links, and the words of their prose.

pub mod citation;
pub mod definition;
pub mod imports;
pub mod link;
pub mod log_line;
pub mod prose;
pub mod repository;
pub mod rust;
pub mod type_name;
pub mod vocabulary;
