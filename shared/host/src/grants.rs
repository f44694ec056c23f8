//! The tokens of grants outside the tables: in files on one's own machine, and in the secrets of earlier versions, which are
//! read and deleted. What a grant is, `payments::grant` says; how tokens lie in the table, `access`.

use std::path::PathBuf;

use jiff::Timestamp;
use payments::GrantId;
use payments::grant::{GrantError, Pair, Pairs};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::SdkConfig;
use crate::secrets::{Files, Secret, SecretError, SecretStore as _, SecretsManager};

/// Where the tokens of grants are.
#[derive(Debug)]
pub enum TokenPlace {
    /// In files: on one's own machine.
    Files(GrantFiles),
    /// In the table `grants`, encrypted with the key in this secret; and in those of an earlier version.
    Table(Box<Secret<SecretsManager>>, FormerSecrets),
}

/// Files in a folder, named by the id of the grant; for one's own machine.
#[derive(Clone, Debug)]
pub struct GrantFiles(Files);

impl GrantFiles {
    /// In this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self(Files::new(folder))
    }

    /// Finds out whether tokens can be kept.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub fn is_ready(&self) -> Result<(), SecretError> {
        self.0.make_folder()
    }

    /// Deletes the tokens of a grant that nothing hangs on any more.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub fn delete(&self, grant: GrantId) -> Result<(), SecretError> {
        self.0.delete(&grant.to_string())
    }
}

impl Pairs for GrantFiles {
    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, GrantError> {
        pair_if_there(self.0.read(&grant.to_string()).await).map_err(unavailable)
    }

    async fn generation(&self, grant: GrantId) -> Result<u64, GrantError> {
        Ok(self.pair(grant).await?.map_or(0, |pair| pair.generation))
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), GrantError> {
        self.0.write(&grant.to_string(), &text_of(pair)).map_err(unavailable)
    }
}

/// The secrets of an earlier version, one for each grant: none is written any more.
#[derive(Clone, Debug)]
pub struct FormerSecrets {
    manager: SecretsManager,
    prefix: String,
}

impl FormerSecrets {
    /// Those whose names are `prefix` and the id of the grant.
    pub fn new(aws: &SdkConfig, prefix: String) -> Self {
        Self { manager: SecretsManager::new(aws), prefix }
    }

    /// The pair of a grant, if there is one.
    ///
    /// # Errors
    ///
    /// [`SecretError::Unavailable`], [`SecretError::Shape`].
    pub async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, SecretError> {
        pair_if_there(self.manager.read(&self.name(grant)).await)
    }

    /// Has the secret of a grant deleted in a week.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub async fn retire(&self, grant: GrantId) -> Result<(), SecretError> {
        self.manager.retire(&self.name(grant)).await
    }

    /// Deletes the secret of a grant at once.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub async fn delete(&self, grant: GrantId) -> Result<(), SecretError> {
        self.manager.delete(&self.name(grant)).await
    }

    fn name(&self, grant: GrantId) -> String {
        format!("{}{grant}", self.prefix)
    }
}

/// The texts of which keys are made for the tokens of grants, the newest first: `token_key`, and those in `older_token_keys`,
/// if there are any.
///
/// # Errors
///
/// [`SecretError::Shape`].
pub fn token_keys(secret: &SecretString) -> Result<Vec<SecretString>, SecretError> {
    let wrong = |field, expected| SecretError::Shape { field, expected };
    let object: Map<String, Value> =
        serde_json::from_str(secret.expose_secret()).map_err(|_| wrong("token_key", KEY))?;
    let key = |field, value: Option<&Value>| {
        let text = value.and_then(Value::as_str).filter(|text| text.len() >= KEY_LENGTH_MIN);
        text.map(SecretString::from).ok_or_else(|| wrong(field, KEY))
    };
    let mut keys = vec![key("token_key", object.get("token_key"))?];
    let older = match object.get("older_token_keys") {
        None => &[][..],
        Some(Value::Array(older)) => older.as_slice(),
        Some(_) => return Err(wrong("older_token_keys", "a list of texts")),
    };
    for text in older {
        keys.push(key("older_token_keys", Some(text))?);
    }
    Ok(keys)
}

/// As many letters and digits hold more than the 256 bits of a key.
const KEY_LENGTH_MIN: usize = 44;
const KEY: &str = "a text of 44 characters or more, chosen by chance";

fn pair_if_there(read: Result<SecretString, SecretError>) -> Result<Option<Pair>, SecretError> {
    match read {
        Ok(secret) => pair_in(&secret).map(Some),
        Err(SecretError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unavailable(error: SecretError) -> GrantError {
    GrantError::Unavailable(Box::new(error))
}

/// A pair as text.
pub fn text_of(pair: &Pair) -> SecretString {
    let secret = json!({
        "generation": pair.generation,
        "access_token": pair.access_token.expose_secret(),
        "access_until": pair.access_until.to_string(),
        "got_at": pair.got_at.to_string(),
        "refresh_token": pair.refresh_token.expose_secret(),
    });
    SecretString::from(secret.to_string())
}

/// A pair from its text.
///
/// # Errors
///
/// [`SecretError::Shape`], which does not quote it.
pub fn pair_in(secret: &SecretString) -> Result<Pair, SecretError> {
    let wrong = |field, expected| SecretError::Shape { field, expected };
    let object: Map<String, Value> =
        serde_json::from_str(secret.expose_secret()).map_err(|_| wrong("generation", NUMBER))?;
    let text = |field| {
        let text = object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| wrong(field, "a text"))
    };
    let moment = |field| -> Result<Timestamp, SecretError> {
        text(field)?.parse().map_err(|_| wrong(field, "a moment such as 2026-10-05T03:41:25Z"))
    };
    Ok(Pair {
        generation: object
            .get("generation")
            .and_then(Value::as_u64)
            .ok_or_else(|| wrong("generation", NUMBER))?,
        access_token: text("access_token")?.into(),
        access_until: moment("access_until")?,
        got_at: moment("got_at")?,
        refresh_token: text("refresh_token")?.into(),
    })
}

const NUMBER: &str = "a number";
