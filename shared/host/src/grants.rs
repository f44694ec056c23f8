//! The tokens of grants: one secret for each, in AWS Secrets Manager, or a file on one's own machine. What
//! a grant is, `payments::grant` says.

use std::path::PathBuf;

use jiff::Timestamp;
use payments::GrantId;
use payments::grant::{GrantError, Pair, Pairs};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::SdkConfig;
use crate::secrets::{Files, SecretError, SecretStore as _, SecretWriter as _, SecretsManager};

/// Where the tokens of grants are.
#[derive(Clone, Debug)]
pub struct GrantSecrets {
    place: SecretLocation,
    prefix: String,
}

#[derive(Clone, Debug)]
enum SecretLocation {
    Manager(SecretsManager),
    Files(Files),
}

impl GrantSecrets {
    /// Secrets of AWS Secrets Manager whose names are `prefix` and the id of the grant.
    pub fn in_aws(aws: &SdkConfig, prefix: String) -> Self {
        Self { place: SecretLocation::Manager(SecretsManager::new(aws)), prefix }
    }

    /// Files in this folder, named by the id of the grant; for one's own machine.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { place: SecretLocation::Files(Files::new(folder)), prefix: String::new() }
    }

    /// Makes a place for the tokens of a grant, before Xero is asked for them. One that is there stays as it
    /// is.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotMade`].
    pub async fn make(&self, grant: GrantId) -> Result<(), SecretError> {
        let name = self.name(grant);
        match &self.place {
            SecretLocation::Manager(manager) => manager.make(&name).await,
            SecretLocation::Files(files) => files.make(&name).await,
        }
    }

    /// Deletes the tokens of a grant that nothing hangs on any more.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotWritten`].
    pub async fn delete(&self, grant: GrantId) -> Result<(), SecretError> {
        let name = self.name(grant);
        match &self.place {
            SecretLocation::Manager(manager) => manager.delete(&name).await,
            SecretLocation::Files(files) => files.delete(&name).await,
        }
    }

    fn name(&self, grant: GrantId) -> String {
        format!("{}{grant}", self.prefix)
    }
}

impl Pairs for GrantSecrets {
    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, GrantError> {
        let name = self.name(grant);
        let read = match &self.place {
            SecretLocation::Manager(manager) => manager.read(&name).await,
            SecretLocation::Files(files) => files.read(&name).await,
        };
        match read {
            Ok(secret) => pair_in(&secret).map(Some).map_err(unavailable),
            Err(SecretError::Missing { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), GrantError> {
        let (name, secret) = (self.name(grant), secret_of(pair));
        let written = match &self.place {
            SecretLocation::Manager(manager) => manager.write(&name, &secret).await,
            SecretLocation::Files(files) => files.write(&name, &secret).await,
        };
        written.map_err(unavailable)
    }
}

fn unavailable(error: SecretError) -> GrantError {
    GrantError::Unavailable(Box::new(error))
}

fn secret_of(pair: &Pair) -> SecretString {
    let secret = json!({
        "generation": pair.generation,
        "access_token": pair.access_token.expose_secret(),
        "access_until": pair.access_until.to_string(),
        "got_at": pair.got_at.to_string(),
        "refresh_token": pair.refresh_token.expose_secret(),
    });
    SecretString::from(secret.to_string())
}

fn pair_in(secret: &SecretString) -> Result<Pair, SecretError> {
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
