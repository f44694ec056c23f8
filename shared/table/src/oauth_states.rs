//! Users on their way to Xero and back: rows of the table `grants`, found by the key of a secret text. Each is deleted
//! by itself some time after its end.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use payments::oauth_state::{Choice, Invitation, PendingAuthorisation, REMEMBERED, until};

use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::GRANTS;
use crate::tables::Tables;

/// The rows that are marked when their text was used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OneTime {
    /// An operator's link.
    Link,
    /// The state that travels to Xero and back.
    State,
}

impl OneTime {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::State => "state",
        }
    }
}

impl Tables {
    /// Keeps an invitation under the key of its link.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_link(&self, key: &str, link: &Invitation) -> Result<(), WriteError> {
        let row = begun(format!("link/{key}"), link.until)
            .text("comes_of_it", link.grant)
            .text_if("for_organisation", link.organisation)
            .text("scopes", &link.scopes)
            .text("by", &link.by)
            .text("why", &link.why);
        self.put_row(GRANTS, row.finish()).await
    }

    /// The invitation of this link, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn link(&self, key: &str) -> Result<Option<Invitation>, ReadError> {
        let Some(item) = self.one(GRANTS, &[("grant", format!("link/{key}"))]).await? else {
            return Ok(None);
        };
        let row = Reader::new(GRANTS, &item);
        Ok(Some(Invitation {
            grant: row.parsed("comes_of_it")?,
            organisation: row.parsed_if("for_organisation")?,
            scopes: row.text("scopes")?.to_owned(),
            until: row.parsed("until")?,
            used: row.has("used_at"),
            by: row.text("by")?.to_owned(),
            why: row.text("why")?.to_owned(),
        }))
    }

    /// Keeps a visit under the key of its state.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_visit(
        &self,
        key: &str,
        visit: &PendingAuthorisation,
    ) -> Result<(), WriteError> {
        let row = begun(format!("state/{key}"), visit.until)
            .text("comes_of_it", visit.grant)
            .text("redirect", &visit.redirect)
            .text_if("browser", visit.browser.as_ref())
            .text_if("for_organisation", visit.organisation)
            .text("by", &visit.by)
            .text("why", &visit.why);
        self.put_row(GRANTS, row.finish()).await
    }

    /// The visit of this state, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn visit(&self, key: &str) -> Result<Option<PendingAuthorisation>, ReadError> {
        let Some(item) = self.one(GRANTS, &[("grant", format!("state/{key}"))]).await? else {
            return Ok(None);
        };
        let row = Reader::new(GRANTS, &item);
        Ok(Some(PendingAuthorisation {
            grant: row.parsed("comes_of_it")?,
            redirect: row.text("redirect")?.to_owned(),
            until: row.parsed("until")?,
            browser: row.text_if("browser")?.map(str::to_owned),
            organisation: row.parsed_if("for_organisation")?,
            used: row.has("used_at"),
            by: row.text("by")?.to_owned(),
            why: row.text("why")?.to_owned(),
        }))
    }

    /// Marks a link or a state as used. Of two calls at once only one succeeds, and no later one does.
    ///
    /// # Errors
    /// `Unavailable`. Whether it is marked is not known.
    pub async fn use_up(
        &self,
        what: OneTime,
        key: &str,
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let update = Update::builder()
            .table_name(self.name(GRANTS))
            .key("grant", AttributeValue::S(format!("{}/{key}", what.prefix())))
            .update_expression("SET used_at = :now")
            .condition_expression("attribute_exists(comes_of_it) AND attribute_not_exists(used_at)")
            .expression_attribute_values(":now", AttributeValue::S(instant(now)))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let rows = vec![TransactWriteItem::builder().update(update).build()];
        match self.commit(GRANTS, rows).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Keeps what a user may choose from, under the key of the browser's cookie.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_choice(&self, key: &str, choice: &Choice) -> Result<(), WriteError> {
        let offered = choice.offered.iter().map(|(organisation, name)| {
            let pair = [organisation.to_string(), name.clone()];
            AttributeValue::L(pair.into_iter().map(AttributeValue::S).collect())
        });
        let row = begun(format!("choice/{key}"), choice.until)
            .text("comes_of_it", choice.grant)
            .value("offered", AttributeValue::L(offered.collect()))
            .text_if("for_organisation", choice.organisation)
            .text("by", &choice.by)
            .text("why", &choice.why);
        self.put_row(GRANTS, row.finish()).await
    }

    /// What the user of this browser may choose from, if anything.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn choice(&self, key: &str) -> Result<Option<Choice>, ReadError> {
        let Some(item) = self.one(GRANTS, &[("grant", format!("choice/{key}"))]).await? else {
            return Ok(None);
        };
        let row = Reader::new(GRANTS, &item);
        Ok(Some(Choice {
            grant: row.parsed("comes_of_it")?,
            offered: offered(&item),
            organisation: row.parsed_if("for_organisation")?,
            until: row.parsed("until")?,
            by: row.text("by")?.to_owned(),
            why: row.text("why")?.to_owned(),
        }))
    }
}

/// Pairs of an organisation and its name. One that makes no sense is no organisation that can be chosen.
fn offered(item: &Item) -> Vec<(payments::OrganisationId, String)> {
    let list = item.get("offered").and_then(|value| value.as_l().ok());
    let pair = |value: &AttributeValue| match value.as_l().ok()?.as_slice() {
        [AttributeValue::S(id), AttributeValue::S(name)] => Some((id.parse().ok()?, name.clone())),
        _ => None,
    };
    list.map(|list| list.iter().filter_map(pair).collect()).unwrap_or_default()
}

/// A row that ends at a moment. DynamoDB deletes it a day later, so that until then a late user can be given the reason.
fn begun(key: String, ends: Timestamp) -> Writer {
    Writer::default()
        .text("grant", key)
        .instant("until", ends)
        .number("expires_at", until(ends, REMEMBERED).as_second())
}
