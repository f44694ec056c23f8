//! Users on their way to Xero and back: one row of the table `grants` for each, until the user is back.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use payments::PendingAuthorisation;

use crate::attributes::{Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::schema::GRANTS;
use crate::tables::Tables;

impl Tables {
    /// Keeps a visit under the key of its state.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_visit(
        &self,
        key: &str,
        visit: &PendingAuthorisation,
        by: &str,
        why: &str,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("grant", place(key))
            .text("comes_of_it", visit.grant)
            .text("redirect", &visit.redirect)
            .instant("until", visit.until)
            .text("by", by)
            .text("why", why);
        self.put_row(GRANTS, row.finish()).await
    }

    /// The visit of this state, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn visit(&self, key: &str) -> Result<Option<PendingAuthorisation>, ReadError> {
        let Some(item) = self.one(GRANTS, &[("grant", place(key))]).await? else { return Ok(None) };
        let row = Reader::new(GRANTS, &item);
        Ok(Some(PendingAuthorisation {
            grant: row.parsed("comes_of_it")?,
            redirect: row.text("redirect")?.to_owned(),
            until: row.parsed("until")?,
        }))
    }

    /// Ends a visit. Of two calls at once only one succeeds, and no later one does.
    ///
    /// # Errors
    /// `Unavailable`. Whether it is ended is not known.
    pub async fn end_visit(&self, key: &str) -> Result<bool, WriteError> {
        let delete = Delete::builder()
            .table_name(self.name(GRANTS))
            .key("grant", AttributeValue::S(place(key)))
            .condition_expression("attribute_exists(comes_of_it)")
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let rows = vec![TransactWriteItem::builder().delete(delete).build()];
        match self.commit(GRANTS, rows).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The key, which differs from those of grants and of organisations.
fn place(key: &str) -> String {
    format!("state/{key}")
}
