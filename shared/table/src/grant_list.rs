//! Every grant that there is, whether organisations hang on it or not (XC-30).

use payments::GrantId;
use payments::grant::Grant;

use crate::attributes::Reader;
use crate::error::ReadError;
use crate::grants::read_grant;
use crate::schema::GRANTS;
use crate::tables::Tables;

impl Tables {
    /// All grants; the other rows of their table are left out.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` for a grant that makes no sense.
    pub async fn every_grant(&self) -> Result<Vec<Grant>, ReadError> {
        let scan = self.client().scan().table_name(self.name(GRANTS)).consistent_read(true);
        let mut pages = scan.into_paginator().send();
        let mut grants = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(GRANTS, error))?;
            for item in page.items() {
                let row = Reader::new(GRANTS, item);
                let id: Option<GrantId> = row.text("grant")?.parse().ok();
                if let Some(id) = id {
                    grants.push(read_grant(id, row)?);
                }
            }
        }
        grants.sort_by_key(|grant| grant.id);
        Ok(grants)
    }
}
