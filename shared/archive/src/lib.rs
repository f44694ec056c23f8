#![doc = include_str!("../README.md")]

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;

/// How long a link works. With it goes the right to read this one file, so that it is short.
pub const LINK_LIFETIME: Duration = Duration::from_secs(900);

/// The bucket did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the archive could not {doing} {key}: {said}")]
pub struct ArchiveError {
    doing: &'static str,
    key: String,
    said: String,
}

impl ArchiveError {
    fn new(doing: &'static str, key: &str, error: impl Error) -> Self {
        Self { doing, key: key.to_owned(), said: DisplayErrorContext(error).to_string() }
    }
}

/// A file to be kept.
#[derive(Clone, Debug)]
pub struct ArchiveFile {
    /// Its name behind the folder.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The bucket.
#[derive(Clone, Debug)]
pub struct Archive {
    client: Client,
    bucket: String,
}

impl Archive {
    /// The bucket of this name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Keeps a file in a folder. Keeping it again adds a version.
    ///
    /// # Errors
    /// The bucket does not take it.
    pub async fn put(&self, folder: &str, file: ArchiveFile) -> Result<(), ArchiveError> {
        let key = format!("{folder}/{}", file.name);
        let request = self.client.put_object().bucket(&self.bucket).key(&key);
        let request = request.content_type(file.media_type).body(ByteStream::from(file.bytes));
        request.send().await.map_err(|error| ArchiveError::new("keep", &key, error))?;
        Ok(())
    }

    /// The contents of a file; `None` if there is none.
    ///
    /// # Errors
    /// The bucket does not answer.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let answer = match answer {
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => {
                return Ok(None);
            }
            answer => answer.map_err(|error| ArchiveError::new("read", key, error))?,
        };
        let bytes = answer.body.collect().await;
        bytes
            .map(|bytes| Some(bytes.into_bytes().to_vec()))
            .map_err(|error| ArchiveError::new("read", key, error))
    }

    /// A link to a file, for a browser; it stops to work after [`LINK_LIFETIME`].
    ///
    /// # Errors
    /// There are no credentials to sign it with.
    pub async fn link(&self, key: &str) -> Result<String, ArchiveError> {
        let lifetime = PresigningConfig::expires_in(LINK_LIFETIME)
            .map_err(|error| ArchiveError::new("link to", key, error))?;
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let signed = request.presigned(lifetime).await;
        let signed = signed.map_err(|error| ArchiveError::new("link to", key, error))?;
        Ok(signed.uri().to_owned())
    }
}
