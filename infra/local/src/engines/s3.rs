//! S3 on this machine: a folder behind S3's own interface, which verifies signatures, so that links to files expire as on AWS.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use axum::{body::Body, extract::Request, http::Response, http::StatusCode};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::clients::ACCESS_KEY;

/// The bucket of reports.
pub(crate) const REPORTS: &str = "reports";
/// Folder of the buckets inside the data directory.
const FOLDER: &str = "s3";

/// The folder of all buckets; without a data directory it goes with this.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    stays: bool,
}

impl Folder {
    /// Opens the folder under `data`, or a temporary one, with the bucket in it.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub(super) fn open(data: Option<&Path>) -> anyhow::Result<Self> {
        let temporary = || std::env::temp_dir().join(format!("paymirror-s3-{}", Uuid::new_v4()));
        let root = data.map_or_else(temporary, |data| data.join(FOLDER));
        std::fs::create_dir_all(root.join(REPORTS))
            .with_context(|| format!("cannot make the directory {}", root.display()))?;
        Ok(Self { root, stays: data.is_some() })
    }

    /// Serves the folder until the runtime that this runs on ends.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub(super) fn serve(&self, listener: TcpListener) -> anyhow::Result<()> {
        let folder = s3s_fs::FileSystem::new(&self.root);
        let folder =
            folder.map_err(|error| anyhow!("cannot open {}: {error:?}", self.root.display()))?;
        let mut builder = S3ServiceBuilder::new(folder);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, ACCESS_KEY));
        let service = builder.build();
        let app = axum::Router::new().fallback(move |request: Request| {
            let service = service.clone();
            async move {
                match service.call(request.map(s3s::Body::http_body_unsync)).await {
                    Ok(answer) => answer.map(Body::new),
                    Err(error) => {
                        tracing::error!(error = ?error, "the S3 engine does not answer");
                        let mut answer = Response::new(Body::empty());
                        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                        answer
                    }
                }
            }
        });
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the S3 engine ended");
            }
        });
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.stays {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}
