//! The file that lets the books survive a restart.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{books::Books, random::Random, webhooks::Outbox, world::World};

/// Raised when the file's shape changes; a file of a version that is not known is refused, not
/// guessed at.
const VERSION: u32 = 2;
/// The oldest version that is still understood. Version 1 knew neither bank transactions nor what
/// kind an account is or whether a contact is in use; `books` reads both shapes.
const OLDEST_VERSION: u32 = 1;

#[derive(Serialize)]
struct Saving<'a> {
    version: u32,
    ids: &'a Random,
    books: &'a Books,
    webhook: &'a Outbox,
}

/// The content of the file.
#[derive(Default, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    pub(crate) ids: Option<Random>,
    pub(crate) books: Books,
    pub(crate) webhook: Outbox,
}

/// Reads the file; a missing one is an empty one.
pub(crate) fn load(path: &Path) -> anyhow::Result<Saved> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Saved::default()),
        Err(error) => return Err(error).context(format!("reading {}", path.display())),
    };
    let mut saved: Saved =
        serde_json::from_str(&text).with_context(|| format!("understanding {}", path.display()))?;
    anyhow::ensure!(
        (OLDEST_VERSION..=VERSION).contains(&saved.version),
        "{} has version {}, this simulator knows versions {OLDEST_VERSION} to {VERSION}",
        path.display(),
        saved.version
    );
    saved.books.reindex();
    Ok(saved)
}

/// Writes the file as a whole: a reader, or a crash, finds the old one or the new one.
pub(crate) fn save(path: &Path, world: &World) -> anyhow::Result<()> {
    let saving =
        Saving { version: VERSION, ids: &world.ids, books: &world.books, webhook: &world.outbox };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let draft = path.with_extension("new");
    // Not synced to the disk: it is to survive the end of this process, not of the machine.
    fs::write(&draft, serde_json::to_vec(&saving)?)
        .with_context(|| format!("writing {}", draft.display()))?;
    fs::rename(&draft, path).with_context(|| format!("replacing {}", path.display()))
}
