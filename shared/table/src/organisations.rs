//! The organisations to choose from, with their names and settings.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use payments::{Occurrence, OrganisationId, Settings};

use crate::activity::day;
use crate::activity_log::{Ordered, order_row};
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::Newest;
use crate::schema::{ACTIVITY, ORGANISATIONS};
use crate::setting_changes::setting_texts;
use crate::settings::read_settings;
use crate::tables::Tables;

/// The attributes of an organisation's row that are names for people. No decision rests on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameOf {
    /// What the organisation is called.
    Organisation,
    /// Whom to ask when a connection is lost.
    Administrator,
    /// Who delivers the bank's receipts.
    BankFeed,
    /// Who takes payments by card.
    PaymentGateway,
}

impl NameOf {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Organisation => "name",
            Self::Administrator => "administrator_contact",
            Self::BankFeed => "bank_feed_name",
            Self::PaymentGateway => "payment_gateway_name",
        }
    }
}

/// An organisation's row: its settings, and names for people.
#[derive(Debug)]
pub struct OrganisationRow {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// Its settings, or what is wrong with the row.
    pub settings: Result<Settings, ReadError>,
    /// Each setting as a text, as a person types it; empty where nothing is chosen.
    pub texts: BTreeMap<&'static str, String>,
    /// What the organisation is called (`name`).
    pub name: Option<String>,
    /// What Xero calls it (`xero_name`; XC-04).
    pub xero_name: Option<String>,
    /// Whether Xero has confirmed that it is disconnected (`disconnected_in_xero`); `None` if it is not disconnected.
    pub ended_in_xero: Option<bool>,
    /// Whom to ask when a connection is lost (`administrator_contact`; CC-19).
    pub administrator: Option<String>,
    /// Who delivers the bank's receipts (`bank_feed_name`; CC-10).
    pub bank_feed: Option<String>,
    /// Who takes payments by card (`payment_gateway_name`; CC-10).
    pub payment_gateway: Option<String>,
}

impl OrganisationRow {
    /// What pages call it: by the name that people gave it and by Xero's, by its id if it has neither (XC-04).
    pub fn title(&self) -> String {
        match (&self.name, &self.xero_name) {
            (Some(own), Some(xero)) if own != xero => format!("{own} (in Xero: {xero})"),
            (Some(name), _) | (None, Some(name)) => name.clone(),
            (None, None) => self.organisation.to_string(),
        }
    }
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

    /// The organisations that are set up here, in the order of their ids, at most `max`. A row whose key is no
    /// organisation's is passed over: it hides no other.
    ///
    /// # Errors
    /// `Unavailable`.
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
        let mut rows: Vec<_> = rows.iter().filter_map(|row| read(row).ok()).collect();
        rows.sort_by_key(|row| row.organisation);
        Ok(Newest { rows, more })
    }

    /// Xero calls an organisation that is set up here so from now on (XC-04). Another name than before is a row of the
    /// activity log, with both.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_xero_name(
        &self,
        organisation: OrganisationId,
        (before, name): (Option<&str>, &str),
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = Update::builder()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", text(&organisation.to_string()))
            .update_expression("SET xero_name = :name")
            .expression_attribute_values(":name", text(name));
        // Of two looks at once, one writes the row of the log.
        let update = match before {
            None => update.condition_expression(
                "attribute_exists(organisation) AND attribute_not_exists(xero_name)",
            ),
            Some(before) => update
                .condition_expression("xero_name = :before")
                .expression_attribute_values(":before", text(before)),
        };
        let update = update.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let mut rows = vec![TransactWriteItem::builder().update(update).build()];
        if let Some(before) = before {
            let renamed = Occurrence::OrganisationRenamed;
            let log = Writer::default()
                .text("day", day(organisation, now))
                .text("at", format!("{}#{renamed}", instant(now)))
                .text("organisation", organisation)
                .text("cause", "check")
                .logged(renamed)
                .text("rule", "XC-04")
                .text("before", before)
                .text("after", name);
            rows.push(self.put(ACTIVITY, log.finish())?);
        }
        match self.commit(ORGANISATIONS, rows).await {
            Ok(()) | Err(WriteError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives an organisation that is set up here other names for people, together with the row of the activity
    /// log that says who wanted it; an empty name is taken away.
    ///
    /// # Errors
    /// `Conflict` if the organisation is not set up here, or another writer writes at the same time;
    /// `Unavailable`.
    pub async fn rename(
        &self,
        organisation: OrganisationId,
        names: &[(NameOf, &str)],
        ordered: &Ordered<'_>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let mut update = Update::builder()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .condition_expression("attribute_exists(organisation)");
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (place, (name, text)) in names.iter().enumerate() {
            update = update.expression_attribute_names(format!("#n{place}"), name.attribute());
            if text.is_empty() {
                remove.push(format!("#n{place}"));
            } else {
                set.push(format!("#n{place} = :n{place}"));
                let text = AttributeValue::S((*text).to_owned());
                update = update.expression_attribute_values(format!(":n{place}"), text);
            }
        }
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        let expression = format!("{}{}", clause("SET", &set), clause("REMOVE", &remove));
        let update = update
            .update_expression(expression.trim())
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let update = TransactWriteItem::builder().update(update).build();
        let log = self.put(ACTIVITY, order_row(ordered, now))?;
        self.commit(ORGANISATIONS, vec![update, log]).await
    }
}

fn read(item: &Item) -> Result<OrganisationRow, ReadError> {
    let row = Reader::new(ORGANISATIONS, item);
    let organisation = row.parsed("organisation")?;
    // A name that is no text is none: no decision rests on it.
    let text = |name| row.text_if(name).ok().flatten().map(str::to_owned);
    Ok(OrganisationRow {
        organisation,
        settings: read_settings(organisation, item),
        texts: setting_texts(item),
        name: text("name"),
        xero_name: text("xero_name"),
        ended_in_xero: row.has("disconnected_at").then(|| row.has("disconnected_in_xero")),
        administrator: text("administrator_contact"),
        bank_feed: text("bank_feed_name"),
        payment_gateway: text("payment_gateway_name"),
    })
}
