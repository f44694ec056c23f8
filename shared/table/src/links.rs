//! The way into an organisation's books, as its connection has shown it.

use payments::OrganisationId;
use payments::connection::ConnectionStatus;
use payments::explanations::XeroLinks;

use crate::attributes::Reader;
use crate::error::ReadError;
use crate::schema::CONNECTIONS;
use crate::tables::Tables;

impl Tables {
    /// Makes links into Xero: with the ShortCode that the last check of the connection has read, and to
    /// contacts only while Xero lets us in (EX-22).
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn xero_links(&self, organisation: OrganisationId) -> Result<XeroLinks, ReadError> {
        let key = [("organisation", organisation.to_string())];
        let Some(item) = self.one(CONNECTIONS, &key).await? else {
            return Ok(XeroLinks::default());
        };
        let row = Reader::new(CONNECTIONS, &item);
        // Before the first check the row only says whether webhooks come.
        let status = match row.text_if("status")? {
            None => None,
            Some(_) => Some(row.code("status", ConnectionStatus::from_code)?),
        };
        let connected = status.is_some_and(|status| status != ConnectionStatus::Disconnected);
        Ok(XeroLinks::new(row.text_if("short_code")?, connected))
    }
}
