//! Where the log lines of everything in this process go.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::Context as _;
use host::env::Environment;
use lambda_runtime::tracing::subscriber::{EnvFilter, fmt};

/// File of the log lines inside the data directory.
const FILE: &str = "paymirror.log";
/// The embedded engines report every queue that is made, and every condition that does not hold,
/// which is how the functions find out who was first.
const FILTER: &str = "info,rustack_sqs_core=warn,dynoxide=error";

/// Log lines go into a file under `data`, so that the terminal stays readable. Its path is the
/// answer.
///
/// # Errors
///
/// The file cannot be written.
pub fn to_file(data: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot make the directory {}", data.display()))?;
    let path = data.join(FILE);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    let lines = fmt().with_env_filter(filter()?).with_ansi(false).with_writer(Mutex::new(file));
    // A subscriber that is there already stays.
    let _ = lines.try_init();
    Ok(path)
}

/// Log lines go to standard error.
///
/// # Errors
///
/// `RUST_LOG` is not text.
pub fn to_stderr() -> anyhow::Result<()> {
    let lines = fmt().with_env_filter(filter()?).with_writer(std::io::stderr);
    let _ = lines.try_init();
    Ok(())
}

/// What `RUST_LOG` says. Below `info` the SDK prints whole requests; that is for one's own machine
/// only.
fn filter() -> anyhow::Result<EnvFilter> {
    let wanted = Environment::process().optional("RUST_LOG")?;
    Ok(EnvFilter::new(wanted.as_deref().unwrap_or(FILTER)))
}
