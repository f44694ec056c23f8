//! DynamoDB on this machine: the embedded engine behind its own HTTP server.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context as _, anyhow};
use dynoxide::Database;
use tokio::net::TcpListener;

/// File of the tables inside the data directory.
const FILE: &str = "dynamodb.sqlite";

/// Opens the tables under `data`, or in memory, and says whether there were any before.
///
/// # Errors
///
/// The file cannot be opened, or is no database of this engine.
pub(super) fn open(data: Option<&Path>) -> anyhow::Result<(Database, bool)> {
    let Some(data) = data else {
        let database = Database::memory().map_err(|error| anyhow!("no tables: {error}"))?;
        return Ok((database, false));
    };
    let file = data.join(FILE);
    let existed = file.exists();
    let path = file.to_str().with_context(|| format!("{} is not text", file.display()))?;
    let database = Database::new(path)
        .map_err(|error| anyhow!("cannot open the tables in {path}: {error}"))?;
    Ok((database, existed))
}

/// Serves `database` until the runtime that this runs on ends.
pub(super) async fn serve(listener: TcpListener, database: Database, address: SocketAddr) {
    let forever = std::future::pending();
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, forever).await {
        tracing::error!(%address, error, "the DynamoDB engine ended");
    }
}
