//! Where the tokens of grants lie: in the table `grants`, one encrypted row for each, with the key in one secret
//! (infra/decisions/0028); or in files, on one's own machine.
//!
//! An earlier version had a secret for each grant. It is what counts until the first renewal has written the row; then it is
//! deleted, with a week in which it can be brought back.

use std::sync::Arc;

use host::clock::Clock;
use host::grants::{FormerSecrets, GrantFiles};
use host::secrets::{Secret, SecretError, SecretsManager};
use host::telemetry;
use payments::GrantId;
use payments::grant::{GrantError, Pair, Pairs};
use secrecy::ExposeSecret as _;
use table::{EncryptedPair, Tables, WriteError};

use crate::token_cipher::{CipherError, TokenCipher};

/// Keeps the tokens of grants.
#[derive(Clone, Debug)]
pub struct TokenVault(Place);

#[derive(Clone, Debug)]
enum Place {
    Files(GrantFiles),
    Table(Arc<TokenTable>),
}

#[derive(Debug)]
struct TokenTable {
    tables: Tables,
    key: Secret<SecretsManager>,
    former: FormerSecrets,
    clock: Clock,
}

/// The vault did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key, a file or a secret cannot be read or deleted.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A row cannot be read.
    #[error(transparent)]
    Read(#[from] table::ReadError),
    /// A row cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A row does not open, or nothing can be encrypted.
    #[error("{0}")]
    Refused(String),
}

impl From<CipherError> for VaultError {
    fn from(error: CipherError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<VaultError> for GrantError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Write(WriteError::Conflict) => Self::Changed,
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<GrantFiles> for TokenVault {
    fn from(files: GrantFiles) -> Self {
        Self(Place::Files(files))
    }
}

impl TokenVault {
    /// In the table, with the key in this secret, and the secrets that an earlier version has left.
    pub fn in_table(
        tables: &Tables,
        key: Secret<SecretsManager>,
        former: FormerSecrets,
        clock: &Clock,
    ) -> Self {
        let (tables, clock) = (tables.clone(), clock.clone());
        Self(Place::Table(Arc::new(TokenTable { tables, key, former, clock })))
    }

    /// Finds out whether tokens could be kept, before Xero is asked for some.
    ///
    /// # Errors
    /// There is no key, or no folder.
    pub async fn is_ready(&self) -> Result<(), VaultError> {
        match &self.0 {
            Place::Files(files) => Ok(files.is_ready()?),
            Place::Table(table) => table.cipher().await.map(drop),
        }
    }

    /// Deletes the tokens of a grant that nothing hangs on any more.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn delete(&self, grant: GrantId) -> Result<(), VaultError> {
        match &self.0 {
            Place::Files(files) => Ok(files.delete(grant)?),
            Place::Table(table) => {
                table.former.delete(grant).await?;
                Ok(table.tables.delete_encrypted_pair(grant).await?)
            }
        }
    }
}

impl Pairs for TokenVault {
    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, GrantError> {
        match &self.0 {
            Place::Files(files) => files.pair(grant).await,
            Place::Table(table) => Ok(table.pair(grant).await?),
        }
    }

    async fn generation(&self, grant: GrantId) -> Result<u64, GrantError> {
        match &self.0 {
            Place::Files(files) => files.generation(grant).await,
            Place::Table(table) => Ok(table.generation(grant).await?),
        }
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), GrantError> {
        match &self.0 {
            Place::Files(files) => files.store_pair(grant, pair).await,
            Place::Table(table) => Ok(table.store_pair(grant, pair).await?),
        }
    }
}

impl TokenTable {
    /// A secret that holds no key may have been mended since it was read.
    async fn cipher(&self) -> Result<TokenCipher, VaultError> {
        let now = self.clock.now();
        match TokenCipher::new(&self.key.value(now).await?) {
            Ok(cipher) => Ok(cipher),
            Err(error) => match self.key.renewed(now).await? {
                Some(renewed) => Ok(TokenCipher::new(&renewed)?),
                None => Err(error.into()),
            },
        }
    }

    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, VaultError> {
        let Some(row) = self.tables.encrypted_pair(grant).await? else {
            return Ok(self.former.pair(grant).await?);
        };
        let pair = self.decrypted(grant, &row).await?;
        if row.is_only_copy {
            return Ok(Some(pair));
        }
        // A process of the earlier version may have renewed it since.
        let former = self.former.pair(grant).await.unwrap_or_default();
        Ok(former.filter(|former| former.got_at > pair.got_at).or(Some(pair)))
    }

    /// The key may have been replaced since it was read, by which the row was written.
    async fn decrypted(&self, grant: GrantId, row: &EncryptedPair) -> Result<Pair, VaultError> {
        match self.cipher().await?.decrypted(grant, row) {
            Err(unknown @ CipherError::UnknownKey { .. }) => {
                match self.key.renewed(self.clock.now()).await? {
                    Some(renewed) => Ok(TokenCipher::new(&renewed)?.decrypted(grant, row)?),
                    None => Err(unknown.into()),
                }
            }
            pair => Ok(pair?),
        }
    }

    /// Of a row that does not open, too: a user who authorises again replaces it.
    async fn generation(&self, grant: GrantId) -> Result<u64, VaultError> {
        match self.tables.encrypted_pair(grant).await? {
            Some(row) => Ok(row.generation),
            None => {
                let former = self.former.pair(grant).await?;
                Ok(former.map_or(0, |pair| pair.generation))
            }
        }
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), VaultError> {
        let before = self.tables.encrypted_pair(grant).await?;
        let mut row = self.cipher().await?.encrypted(grant, pair)?;
        row.is_only_copy = before.is_some_and(|before| before.is_only_copy);
        self.tables.store_encrypted_pair(grant, &row).await?;
        // The pair is kept also if this fails; the next renewal tries it again.
        if !row.is_only_copy
            && let Err(error) = self.retire_former(grant, pair).await
        {
            let error = telemetry::chain(&error);
            tracing::warn!(%grant, error, "the secret of an earlier version is still there");
        }
        Ok(())
    }

    /// Has the secret of an earlier version deleted, once the row is proven to give the pair back.
    async fn retire_former(&self, grant: GrantId, pair: &Pair) -> Result<(), VaultError> {
        let row = self.tables.encrypted_pair(grant).await?;
        let row = row.filter(|row| row.generation == pair.generation);
        let Some(row) = row else { return Ok(()) };
        let kept = self.decrypted(grant, &row).await?;
        if kept.refresh_token.expose_secret() != pair.refresh_token.expose_secret() {
            return Err(CipherError::Refused { grant }.into());
        }
        self.former.retire(grant).await?;
        match self.tables.note_only_copy(grant, row).await {
            // Renewed meanwhile, by a process that comes to the same.
            Err(WriteError::Conflict) => Ok(()),
            noted => Ok(noted?),
        }
    }
}
