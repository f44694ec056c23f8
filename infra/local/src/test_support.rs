//! What only the tests of this crate need.

use std::{
    fs,
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// A directory that is removed again.
pub(crate) struct Directory(PathBuf);

/// A new, empty directory.
pub(crate) fn directory(name: &str) -> Directory {
    let path = std::env::temp_dir().join(format!("paymirror-{name}-{}", Uuid::new_v4()));
    fs::create_dir_all(&path).expect("a temporary directory");
    Directory(path)
}

impl Directory {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
