//! The brake on mass changes, and the tombstones from which a deleted copy can be brought back.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::mass_change::{Brake, Braked};
use payments::{InvoiceNumber, Occurrence, OrganisationId, Payment, PaymentId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::races::Races;
use crate::rows;
use crate::schema::{ACTIVITY, BRAKES, TOMBSTONES};
use crate::tables::Tables;

/// How often a lost race for the row is run again.
const RACES_MAX: u32 = 16;

impl Tables {
    /// The brake of an organisation.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn brake(&self, organisation: OrganisationId) -> Result<Brake, ReadError> {
        let row = self.one(BRAKES, &[("organisation", organisation.to_string())]).await?;
        row.map_or_else(
            || Ok(Brake::off(organisation)),
            |item| read_brake(organisation, Reader::new(BRAKES, &item)),
        )
    }

    /// Asks for changes of payments on these invoices, and counts them if they may be made. Returns since
    /// when the brake is on, if they may not.
    ///
    /// # Errors
    /// `LostRaces`, `Unavailable`; `Malformed` if the row cannot be read.
    pub async fn ask_for_changes(
        &self,
        organisation: OrganisationId,
        wanted: &BTreeMap<InvoiceNumber, u32>,
        max: u32,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, WriteError> {
        let mut races = Races::up_to(RACES_MAX);
        loop {
            let read = self.brake(organisation).await;
            let before = read.map_err(|error| WriteError::Malformed(Box::new(error)))?;
            let (after, on_since) = match before.ask(wanted, max, now) {
                Braked::No(brake) => (brake, None),
                Braked::Yes(brake) if brake == before => return Ok(brake.on_since),
                Braked::Yes(brake) => {
                    let since = brake.on_since;
                    (brake, since)
                }
            };
            let why =
                format!("more than {max} payments would be removed or altered within an hour");
            let news = (before.on_since.is_none() && on_since.is_some())
                .then(|| log_row(&before, Occurrence::MassChangeStopped, "mirror", &why, now));
            if races.won(self.write_brake(&before, &after, news).await)?.is_some() {
                return Ok(on_since);
            }
        }
    }

    /// A person lets the changes through that wait. Returns the invoices that waited.
    ///
    /// # Errors
    /// `LostRaces`, `Unavailable`; `Malformed` if the row cannot be read.
    pub async fn approve_changes(
        &self,
        organisation: OrganisationId,
        by: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<Vec<InvoiceNumber>, WriteError> {
        let mut races = Races::up_to(RACES_MAX);
        loop {
            let read = self.brake(organisation).await;
            let before = read.map_err(|error| WriteError::Malformed(Box::new(error)))?;
            let log = log_row(&before, Occurrence::MassChangeApproved, by, why, now);
            let written = self.write_brake(&before, &before.approve(now), Some(log)).await;
            if races.won(written)?.is_some() {
                return Ok(before.waiting.into_keys().collect());
            }
        }
    }

    async fn write_brake(
        &self,
        before: &Brake,
        after: &Brake,
        log: Option<Item>,
    ) -> Result<(), WriteError> {
        let row = brake_row(after, before.revision.saturating_add(1));
        let mut rows = vec![self.replace(BRAKES, row, before.revision)?];
        if let Some(log) = log {
            rows.push(self.put(ACTIVITY, log)?);
        }
        self.commit(BRAKES, rows).await
    }

    /// A payment as it was when it was last removed from an invoice; `None` if it never was.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn removed_payment(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        payment: &PaymentId,
    ) -> Result<Option<Payment>, ReadError> {
        let key = rows::invoice_key(organisation, number);
        // In the order of their sort key, which begins with the time of removal.
        let tombstones = self.partition(TOMBSTONES, "invoice", &key).await?;
        let id = AttributeValue::S(payment.to_string());
        let last = tombstones.iter().rev().find(|row| row.get("payment_id") == Some(&id));
        last.map(rows::read_payment).transpose()
    }
}

fn log_row(brake: &Brake, action: Occurrence, by: &str, why: &str, now: Timestamp) -> Item {
    let revision = brake.revision.saturating_add(1);
    Writer::default()
        .text("day", day(brake.organisation, now))
        .text("at", format!("{}#brake#{revision}", instant(now)))
        .text("organisation", brake.organisation)
        .logged(action)
        .text("by", by)
        .text("why", why)
        .finish()
}

fn brake_row(brake: &Brake, revision: u64) -> Item {
    let changed = brake.changed.iter().map(|(at, count)| {
        AttributeValue::M(Writer::default().instant("at", *at).number("count", count).finish())
    });
    let waiting = brake.waiting.iter();
    let waiting = waiting
        .map(|(number, count)| (number.to_string(), AttributeValue::N(count.to_string())))
        .collect();
    Writer::default()
        .text("organisation", brake.organisation)
        .number("revision", revision)
        .text("state", if brake.on_since.is_some() { "on" } else { "off" })
        .value("changed", AttributeValue::L(changed.collect()))
        .instant_if("on_since", brake.on_since)
        .instant_if("approved_until", brake.approved_until)
        .value("waiting", AttributeValue::M(waiting))
        .finish()
}

fn read_brake(organisation: OrganisationId, row: Reader<'_>) -> Result<Brake, ReadError> {
    let changed = |changed: Reader<'_>| Ok((changed.parsed("at")?, changed.number("count")?));
    let waiting = row.numbers("waiting")?.into_iter().map(|(number, count)| {
        let number = number.parse().map_err(|_| row.wrong("waiting", "names no invoice"))?;
        Ok((number, count))
    });
    Ok(Brake {
        organisation,
        revision: row.number("revision")?,
        changed: row.maps("changed")?.into_iter().map(changed).collect::<Result<_, ReadError>>()?,
        on_since: row.parsed_if("on_since")?,
        approved_until: row.parsed_if("approved_until")?,
        waiting: waiting.collect::<Result<_, ReadError>>()?,
    })
}
