//! S3 in a folder of this machine, for the length of a test.

use std::path::{Path, PathBuf};

use aws_sdk_s3::config::BehaviorVersion;
use axum::body::Body;
use axum::extract::Request;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use crate::http;

/// The bucket that is there.
pub const BUCKET: &str = "reports";

/// A folder with a bucket in it, behind S3's own interface. It goes when this goes.
#[derive(Debug)]
pub struct S3Folder {
    root: PathBuf,
    /// A client of the ordinary kind.
    pub client: aws_sdk_s3::Client,
}

impl S3Folder {
    /// Serves a new folder.
    pub async fn serve() -> Self {
        let root = std::env::temp_dir().join(format!("paymirror-s3-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(root.join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&root).unwrap());
        let credentials = http::credentials();
        let secret = credentials.secret_access_key().to_owned();
        builder.set_auth(SimpleAuth::from_single(credentials.access_key_id(), secret));
        let service = builder.build();
        let (listener, url) = http::listener().await;
        let router = axum::Router::new().fallback(move |request: Request| {
            let service = service.clone();
            async move {
                let request = request.map(s3s::Body::http_body_unsync);
                service.call(request).await.unwrap().map(Body::new)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(http::region())
            .credentials_provider(credentials)
            .http_client(http::aws())
            .endpoint_url(url)
            .force_path_style(true)
            .build();
        Self { root, client: aws_sdk_s3::Client::from_conf(config) }
    }

    /// Where the file of a key lies.
    pub fn file(&self, key: &str) -> PathBuf {
        self.root.join(BUCKET).join(Path::new(key))
    }
}

impl Drop for S3Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
