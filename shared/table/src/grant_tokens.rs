//! The tokens of grants, encrypted: one row for each grant, `tokens/` and its id, in the table `grants`. What is in them
//! and with which key, `access` knows.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use payments::GrantId;

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::schema::GRANTS;
use crate::tables::{Tables, transact};

/// A pair of tokens as it lies in the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncryptedPair {
    /// The version of the form.
    pub version: u64,
    /// Which of the pairs of its grant.
    pub generation: u64,
    /// The name of the key that it was encrypted with.
    pub key: String,
    /// Chosen by chance for this row, in base64.
    pub nonce: String,
    /// The encrypted text, with the tag that proves it, in base64.
    pub text: String,
    /// No secret of an earlier version is left for this grant.
    pub is_only_copy: bool,
}

impl Tables {
    /// The encrypted pair of a grant, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn encrypted_pair(&self, grant: GrantId) -> Result<Option<EncryptedPair>, ReadError> {
        let row = self.one(GRANTS, &[("grant", key_of(grant))]).await?;
        row.map(|item| read(Reader::new(GRANTS, &item))).transpose()
    }

    /// Replaces the encrypted pair of a grant by one of a later generation.
    ///
    /// # Errors
    /// `Conflict` if there is one of this generation or a later one; `Unavailable`.
    pub async fn store_encrypted_pair(
        &self,
        grant: GrantId,
        pair: &EncryptedPair,
    ) -> Result<(), WriteError> {
        let put = Put::builder()
            .table_name(self.name(GRANTS))
            .set_item(Some(row(grant, pair)))
            .condition_expression("attribute_not_exists(generation) OR generation < :generation")
            .expression_attribute_values(":generation", number(pair.generation));
        self.commit(GRANTS, vec![transact(put)?]).await
    }

    /// Notes that no secret of an earlier version is left for a grant.
    ///
    /// # Errors
    /// `Conflict` if the pair was replaced meanwhile; `Unavailable`.
    pub async fn note_only_copy(
        &self,
        grant: GrantId,
        pair: EncryptedPair,
    ) -> Result<(), WriteError> {
        let pair = EncryptedPair { is_only_copy: true, ..pair };
        let put = Put::builder()
            .table_name(self.name(GRANTS))
            .set_item(Some(row(grant, &pair)))
            .condition_expression("generation = :generation")
            .expression_attribute_values(":generation", number(pair.generation));
        self.commit(GRANTS, vec![transact(put)?]).await
    }

    /// Deletes the encrypted pair of a grant. One that is not there is deleted already.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delete_encrypted_pair(&self, grant: GrantId) -> Result<(), WriteError> {
        let delete = Delete::builder()
            .table_name(self.name(GRANTS))
            .key("grant", AttributeValue::S(key_of(grant)))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        self.commit(GRANTS, vec![TransactWriteItem::builder().delete(delete).build()]).await
    }
}

fn key_of(grant: GrantId) -> String {
    format!("tokens/{grant}")
}

fn number(generation: u64) -> AttributeValue {
    AttributeValue::N(generation.to_string())
}

fn row(grant: GrantId, pair: &EncryptedPair) -> Item {
    Writer::default()
        .text("grant", key_of(grant))
        .number("version", pair.version)
        .number("generation", pair.generation)
        .text("encrypted_with", &pair.key)
        .text("nonce", &pair.nonce)
        .text("tokens", &pair.text)
        .flag("is_only_copy", pair.is_only_copy)
        .finish()
}

fn read(row: Reader<'_>) -> Result<EncryptedPair, ReadError> {
    Ok(EncryptedPair {
        version: row.number("version")?,
        generation: row.number("generation")?,
        key: row.text("encrypted_with")?.to_owned(),
        nonce: row.text("nonce")?.to_owned(),
        text: row.text("tokens")?.to_owned(),
        is_only_copy: row.flag("is_only_copy")?,
    })
}
