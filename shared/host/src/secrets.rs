//! Secrets: read once, kept in memory for minutes, read again when they turn out to be old. A few are
//! deleted, too.
//!
//! A value is never in `Debug`, in an error or in a log line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// How long a value is used before it is read again.
pub const KEEP: Duration = Duration::from_secs(5 * 60);
/// How long a value is used in all while it cannot be read again: better an old key for an hour
/// than no payments because another service is down.
pub const KEEP_AT_WORST: Duration = Duration::from_secs(60 * 60);
/// Reads on demand, and tries after a failed one, are at least this far apart: a stranger who
/// sends wrong signatures must not decide how often we ask.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// A secret cannot be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SecretError {
    /// The store did not give it.
    #[error("secret {id} could not be read: {problem}")]
    Unavailable {
        /// Which secret.
        id: String,
        /// What the store said.
        problem: String,
    },
    /// The store has no such secret, or no value of it.
    #[error("secret {id} does not exist")]
    Missing {
        /// Which secret.
        id: String,
    },
    /// The store did not take it.
    #[error("secret {id} could not be written: {problem}")]
    NotWritten {
        /// Which secret.
        id: String,
        /// What the store said.
        problem: String,
    },
    /// A read failed less than [`ASK_AGAIN_AFTER`] ago, and it is too soon to ask again.
    #[error("secret {id} could not be read a moment ago")]
    UnavailableLately {
        /// Which secret.
        id: String,
    },
    /// The value is not a JSON object, or lacks a field.
    #[error("the secret must be a JSON object in which {field} is {expected}")]
    Shape {
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// Where secrets are kept.
pub trait SecretStore {
    /// Reads the current value.
    ///
    /// # Errors
    ///
    /// [`SecretError::Unavailable`] or [`SecretError::Missing`], which MUST NOT contain the value.
    async fn read(&self, id: &str) -> Result<SecretString, SecretError>;
}

/// For how many days Secrets Manager can bring a retired secret back: the fewest that it takes.
const RECOVERY_DAYS: i64 = 7;

/// AWS Secrets Manager. Needs `secretsmanager:GetSecretValue`, and `secretsmanager:DeleteSecret` to retire and to delete.
#[derive(Clone, Debug)]
pub struct SecretsManager(Client);

impl SecretsManager {
    /// With the SDK's configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// Whether a secret has a value, which is not read. Needs `secretsmanager:DescribeSecret` and nothing else.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`].
    pub async fn has_value(&self, id: &str) -> Result<bool, SecretError> {
        let answer = self.0.describe_secret().secret_id(id).send().await;
        match answer {
            Ok(described) => {
                Ok(described.version_ids_to_stages().is_some_and(|all| !all.is_empty()))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_resource_not_found_exception()) =>
            {
                Ok(false)
            }
            Err(error) => {
                let problem = error.code().map_or_else(|| error.to_string(), str::to_owned);
                Err(SecretError::Unavailable { id: id.to_owned(), problem })
            }
        }
    }
}

impl SecretStore for SecretsManager {
    async fn read(&self, id: &str) -> Result<SecretString, SecretError> {
        let unavailable = |problem| SecretError::Unavailable { id: id.to_owned(), problem };
        let answer = self.0.get_secret_value().secret_id(id).send().await;
        let output = answer.map_err(|error| {
            let missing =
                error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception());
            if missing {
                return SecretError::Missing { id: id.to_owned() };
            }
            // The code, or the kind of failure. The message may quote what was asked.
            unavailable(error.code().map_or_else(|| error.to_string(), str::to_owned))
        })?;
        let text = output.secret_string;
        text.map(SecretString::from).ok_or_else(|| unavailable("it is not text".to_owned()))
    }
}

impl SecretsManager {
    /// Has a secret deleted in a week, until when a person can bring it back. One that is not there, or that waits for its
    /// end, is deleted already.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`]. Whether it is there is not known.
    pub async fn retire(&self, id: &str) -> Result<(), SecretError> {
        let delete = self.0.delete_secret().secret_id(id).recovery_window_in_days(RECOVERY_DAYS);
        gone(id, delete.send().await)
    }

    /// Deletes a secret at once. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`]. Whether it is there is not known.
    pub async fn delete(&self, id: &str) -> Result<(), SecretError> {
        let delete = self.0.delete_secret().secret_id(id).force_delete_without_recovery(true);
        gone(id, delete.send().await)
    }
}

/// Whether a secret is gone or waits for its end, by the answer of Secrets Manager.
fn gone<T>(id: &str, answer: Result<T, SdkError<DeleteSecretError>>) -> Result<(), SecretError> {
    let Err(error) = answer else { return Ok(()) };
    let is_gone = error.as_service_error().is_some_and(|error| {
        error.is_resource_not_found_exception() || error.is_invalid_request_exception()
    });
    if is_gone {
        return Ok(());
    }
    let problem = error.code().map_or_else(|| error.to_string(), str::to_owned);
    Err(SecretError::NotWritten { id: id.to_owned(), problem })
}

/// Files in a folder, for one's own machine: nothing protects them but the rights of the folder. Ids are
/// names of files.
#[derive(Clone, Debug)]
pub struct Files(PathBuf);

impl Files {
    /// In this folder, which is made when something is written.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// All of it, or nothing, is there afterwards: written to a second file, which then replaces the old one.
    fn replace(&self, id: &str, value: &str) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let context = self.0.join(format!("{id}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&context)?;
        file.write_all(value.as_bytes())?;
        file.sync_all()?;
        fs::rename(context, self.0.join(id))
    }
}

impl SecretStore for Files {
    async fn read(&self, id: &str) -> Result<SecretString, SecretError> {
        fs::read_to_string(self.0.join(id)).map(SecretString::from).map_err(|error| {
            match error.kind() {
                io::ErrorKind::NotFound => SecretError::Missing { id: id.to_owned() },
                kind => SecretError::Unavailable { id: id.to_owned(), problem: kind.to_string() },
            }
        })
    }
}

impl Files {
    /// Makes the folder, unless it is there.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`]: nothing can be kept there.
    pub fn make_folder(&self) -> Result<(), SecretError> {
        fs::create_dir_all(&self.0).map_err(|error| not_written("the folder", &error))
    }

    /// Replaces the value of a secret. When it returns, the value is kept.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`], which does not contain the value. Whether it is kept is not known.
    pub fn write(&self, id: &str, value: &SecretString) -> Result<(), SecretError> {
        self.replace(id, value.expose_secret()).map_err(|error| not_written(id, &error))
    }

    /// Deletes a secret at once. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub fn delete(&self, id: &str) -> Result<(), SecretError> {
        match fs::remove_file(self.0.join(id)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(not_written(id, &error)),
        }
    }
}

fn not_written(id: &str, error: &io::Error) -> SecretError {
    SecretError::NotWritten { id: id.to_owned(), problem: error.kind().to_string() }
}

/// One secret.
#[derive(Debug)]
pub struct Secret<S = SecretsManager> {
    origin: Origin<S>,
    /// Held while reading, so that of many callers one reads and the others find the value.
    state: Mutex<State>,
}

#[derive(Debug)]
enum Origin<S> {
    Given(SecretString),
    Stored { store: S, id: String },
}

#[derive(Debug, Default)]
struct State {
    held: Option<CachedSecret>,
    /// The last read, and whether it failed.
    asked_at: Option<Timestamp>,
    failed: bool,
}

#[derive(Clone, Debug)]
struct CachedSecret {
    value: SecretString,
    read_at: Timestamp,
}

impl<S: SecretStore> Secret<S> {
    /// A value that stands in the environment itself.
    pub fn given(value: SecretString) -> Self {
        Self { origin: Origin::Given(value), state: Mutex::default() }
    }

    /// A value in a store, under its ARN or name.
    pub fn stored(store: S, id: String) -> Self {
        Self { origin: Origin::Stored { store, id }, state: Mutex::default() }
    }

    /// The value, at most [`KEEP`] old; at most [`KEEP_AT_WORST`] while the store does not answer.
    ///
    /// # Errors
    ///
    /// When there is no such value.
    pub async fn value(&self, now: Timestamp) -> Result<SecretString, SecretError> {
        let (store, id) = match &self.origin {
            Origin::Given(value) => return Ok(value.clone()),
            Origin::Stored { store, id } => (store, id),
        };
        let mut state = self.state.lock().await;
        if let Some(held) = state.held_within(KEEP, now) {
            return Ok(held.value);
        }
        let at_worst = state.held_within(KEEP_AT_WORST, now);
        match at_worst {
            Some(held) if state.failed && state.asked_lately(now) => Ok(held.value),
            Some(held) => state.read(store, id, now).await.or_else(|error| {
                tracing::warn!(error = %error, "using the secret as it was read earlier");
                Ok(held.value)
            }),
            None => state.read(store, id, now).await,
        }
    }

    /// The value as it is in the store at this moment, for a caller whose value has turned out
    /// to be wrong. `None` if the one it has is less than [`ASK_AGAIN_AFTER`] old, or cannot change.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or has not answered lately.
    pub async fn renewed(&self, now: Timestamp) -> Result<Option<SecretString>, SecretError> {
        let Origin::Stored { store, id } = &self.origin else { return Ok(None) };
        let mut state = self.state.lock().await;
        if state.asked_lately(now) {
            let failed = SecretError::UnavailableLately { id: id.clone() };
            return if state.failed { Err(failed) } else { Ok(None) };
        }
        state.read(store, id, now).await.map(Some)
    }
}

impl State {
    async fn read<S: SecretStore>(
        &mut self,
        store: &S,
        id: &str,
        now: Timestamp,
    ) -> Result<SecretString, SecretError> {
        self.asked_at = Some(now);
        // Until the answer is here: the caller may run out of time and drop this future.
        self.failed = true;
        let value = store.read(id).await?;
        self.failed = false;
        self.held = Some(CachedSecret { value: value.clone(), read_at: now });
        Ok(value)
    }

    fn held_within(&self, span: Duration, now: Timestamp) -> Option<CachedSecret> {
        self.held.clone().filter(|held| within(held.read_at, span, now))
    }

    fn asked_lately(&self, now: Timestamp) -> bool {
        self.asked_at.is_some_and(|asked_at| within(asked_at, ASK_AGAIN_AFTER, now))
    }
}

/// Whether `now` is less than `span` after `then`. A clock that was set back makes everything
/// old, so that it costs a read and not hours with an old key.
fn within(then: Timestamp, span: Duration, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(then)).is_ok_and(|age| age < span)
}

/// A text in a secret that is a JSON object.
///
/// # Errors
///
/// When there is no such text.
pub fn text(secret: &SecretString, field: &'static str) -> Result<SecretString, SecretError> {
    match object(secret).and_then(|mut object| object.remove(field)) {
        Some(Value::String(text)) => Ok(SecretString::from(text)),
        _ => Err(SecretError::Shape { field, expected: "a text" }),
    }
}

/// A list of texts in a secret that is a JSON object.
///
/// # Errors
///
/// When there is no such list, or something else than a text is in it.
pub fn texts(secret: &SecretString, field: &'static str) -> Result<Vec<SecretString>, SecretError> {
    let shape = || SecretError::Shape { field, expected: "a list of texts" };
    let Some(Value::Array(items)) = object(secret).and_then(|mut object| object.remove(field))
    else {
        return Err(shape());
    };
    let text = |item| match item {
        Value::String(text) => Ok(SecretString::from(text)),
        _ => Err(shape()),
    };
    items.into_iter().map(text).collect()
}

fn object(secret: &SecretString) -> Option<Map<String, Value>> {
    serde_json::from_str(secret.expose_secret()).ok()
}
