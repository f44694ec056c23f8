//! What an organisation has used of its caps: one row, on which two runs can only meet.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use payments::upload::{ATTEMPTS_MAX, Caps, Disabled, Reservation};
use payments::{Occurrence, OrganisationId};

use crate::activity::{day, event};
use crate::attributes::{Item, Reader, Writer, instant};
use crate::change_context::ChangeContext;
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, CAPS};
use crate::tables::Tables;

impl Tables {
    /// What an organisation has used; nothing yet, if it has no row.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn caps(&self, organisation: OrganisationId) -> Result<Caps, ReadError> {
        let row = self.one(CAPS, &[("organisation", organisation.to_string())]).await?;
        row.map_or_else(
            || Ok(Caps::unused(organisation)),
            |item| read_caps(organisation, Reader::new(CAPS, &item)),
        )
    }

    /// Writes caps on the word of a person, such as uploading being switched on again, with one
    /// activity row. The revision in `after` is still that of the row it replaces.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn write_caps(
        &self,
        before: &Caps,
        after: &Caps,
        by: &str,
        why: &str,
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let log = event(log_row(before, after, why, because).text("by", by), because);
        let rows =
            vec![self.put_caps(before, after, because.now)?, self.put(ACTIVITY, log.finish())?];
        self.commit(CAPS, rows).await
    }

    /// The rows of caps that change along with uploads: two if uploading switches itself off.
    pub(crate) fn caps_rows(
        &self,
        before: &Caps,
        after: &Caps,
        because: ChangeContext,
    ) -> Result<Vec<TransactWriteItem>, WriteError> {
        let mut rows = vec![self.put_caps(before, after, because.now)?];
        if let (None, Some(disabled)) = (&before.disabled, &after.disabled) {
            let log = event(log_row(before, after, &disabled.why, because), because);
            rows.push(self.put(ACTIVITY, log.finish())?);
        }
        Ok(rows)
    }

    fn put_caps(
        &self,
        before: &Caps,
        after: &Caps,
        now: Timestamp,
    ) -> Result<TransactWriteItem, WriteError> {
        let row = caps_row(after, before.revision.saturating_add(1), now);
        self.replace(CAPS, row, before.revision)
    }
}

fn log_row(before: &Caps, after: &Caps, why: &str, because: ChangeContext) -> Writer {
    let action = match (&before.disabled, &after.disabled) {
        (None, Some(_)) => Occurrence::UploadingDisabled,
        (Some(_), None) => Occurrence::UploadingEnabled,
        _ => Occurrence::CapsChanged,
    };
    let revision = before.revision.saturating_add(1);
    Writer::default()
        .text("day", day(after.organisation, because.now))
        .text("at", format!("{}#caps#{revision}", instant(because.now)))
        .text("organisation", after.organisation)
        .text("cause", because.cause)
        .logged(action)
        .text("rule", "EX-32")
        .text("why", why)
}

fn caps_row(caps: &Caps, revision: u64, now: Timestamp) -> Item {
    let reservations = caps.reservations.iter().map(|made| {
        let row = Writer::default()
            .instant("at", made.at)
            .text_if("night", made.night)
            .number("slots", made.slots)
            .number("attempts", made.attempts);
        AttributeValue::M(row.finish())
    });
    let attempts = caps.attempts(now);
    Writer::default()
        .text("organisation", caps.organisation)
        .number("revision", revision)
        .value("reservations", AttributeValue::L(reservations.collect()))
        .instant_if("disabled_at", caps.disabled.as_ref().map(|disabled| disabled.at))
        .text_if("disabled_why", caps.disabled.as_ref().map(|disabled| disabled.why.as_str()))
        .number("warned", caps.warned)
        // For people, who cannot add up a list in the console; never read by us.
        .instant("as_of", now)
        .number("attempts_in_30_days", attempts)
        .number("attempts_left", ATTEMPTS_MAX.saturating_sub(attempts))
        .finish()
}

fn read_caps(organisation: OrganisationId, row: Reader<'_>) -> Result<Caps, ReadError> {
    let reservation = |made: Reader<'_>| {
        Ok(Reservation {
            at: made.parsed("at")?,
            night: made.parsed_if("night")?,
            slots: made.number("slots")?,
            attempts: made.number("attempts")?,
        })
    };
    let disabled = match row.parsed_if("disabled_at")? {
        Some(at) => Some(Disabled { at, why: row.text("disabled_why")?.to_owned() }),
        None => None,
    };
    Ok(Caps {
        organisation,
        revision: row.number("revision")?,
        reservations: row
            .maps("reservations")?
            .into_iter()
            .map(reservation)
            .collect::<Result<_, ReadError>>()?,
        disabled,
        warned: row.number("warned")?,
    })
}
