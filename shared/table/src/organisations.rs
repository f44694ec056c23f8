//! The organisations for those who choose one, with what is shown of them besides their settings.

use payments::{OrganisationId, Settings};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::newest::Newest;
use crate::schema::ORGANISATIONS;
use crate::settings::read_settings;
use crate::tables::Tables;

/// An organisation's row: its settings, and names for people.
#[derive(Debug)]
pub struct OrganisationRow {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// Its settings, or what is wrong with the row.
    pub settings: Result<Settings, ReadError>,
    /// What the organisation is called (`name`).
    pub name: Option<String>,
    /// Whom to ask when a connection is lost (`administrator_contact`; CC-19).
    pub administrator: Option<String>,
    /// Who delivers the bank's receipts (`bank_feed_name`; CC-10).
    pub bank_feed: Option<String>,
    /// Who takes payments by card (`payment_gateway_name`; CC-10).
    pub payment_gateway: Option<String>,
}

impl Tables {
    /// One organisation's row; `None` if it is not set up here.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn organisation(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<OrganisationRow>, ReadError> {
        let key = [("organisation", organisation.to_string())];
        self.one(ORGANISATIONS, &key).await?.as_ref().map(read).transpose()
    }

    /// The organisations that are set up here, in the order of their ids, at most `max`.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn organisations(&self, max: usize) -> Result<Newest<OrganisationRow>, ReadError> {
        let page = self
            .client()
            .scan()
            .table_name(self.name(ORGANISATIONS))
            .limit(i32::try_from(max).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ORGANISATIONS, error))?;
        let more = page.last_evaluated_key.is_some();
        let rows = page.items.unwrap_or_default();
        let mut rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| row.organisation);
        Ok(Newest { rows, more })
    }
}

fn read(item: &Item) -> Result<OrganisationRow, ReadError> {
    let row = Reader::new(ORGANISATIONS, item);
    let organisation = row.parsed("organisation")?;
    let text = |name| Ok::<_, ReadError>(row.text_if(name)?.map(str::to_owned));
    Ok(OrganisationRow {
        organisation,
        settings: read_settings(organisation, item),
        name: text("name")?,
        administrator: text("administrator_contact")?,
        bank_feed: text("bank_feed_name")?,
        payment_gateway: text("payment_gateway_name")?,
    })
}
