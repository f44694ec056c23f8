//! The text files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Where sources and documents are.
const FOLDERS: &[&str] = &["functions", "infra", "shared", "tests"];
/// Files at the root that people read.
const AT_THE_ROOT: &[&str] = &["README.md", "template.yaml"];
/// What is text, by the end of a file's name.
const TEXT: &[&str] = &["html", "js", "json", "md", "py", "rs", "toml", "yaml"];
/// Folders that are made and not written.
const GENERATED: &[&str] = &["target", "__pycache__", "snapshots"];
/// This crate: its examples cite rules that do not exist.
const OURS: &str = "tests/documents/";

/// A text file.
#[derive(Debug)]
pub struct Document {
    /// From the root, with slashes.
    pub path: String,
    /// Its contents.
    pub text: String,
}

impl Document {
    /// Whether its name ends so.
    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// The lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One file, by its path from the root.
pub fn document(path: &str) -> Document {
    let text = fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
    Document { path: path.to_owned(), text }
}

/// All text files but those of this crate.
pub fn documents() -> Vec<Document> {
    let mut paths: Vec<String> = AT_THE_ROOT.iter().map(|&name| name.to_owned()).collect();
    for folder in FOLDERS {
        collect(folder, &mut paths);
    }
    paths.sort();
    paths.retain(|path| !path.starts_with(OURS));
    paths.iter().map(|path| document(path)).collect()
}

fn collect(folder: &str, paths: &mut Vec<String>) {
    let entries = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder} cannot be listed: {error}"));
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if !GENERATED.contains(&name.as_str()) && !name.starts_with('.') {
                collect(&path, paths);
            }
        } else if TEXT.iter().any(|&end| Path::new(&name).extension().is_some_and(|e| e == end)) {
            paths.push(path);
        }
    }
}
