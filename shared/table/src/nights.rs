//! What each night did: one row a night, for those who look in the morning.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::OrganisationId;
use payments::upload::{Forecast, Night, NightReport, NightState, Totals, UploadState};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::schema::NIGHTS;
use crate::tables::Tables;

impl Tables {
    /// The report of a night; `None` if it has not begun.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn night(
        &self,
        organisation: OrganisationId,
        night: Night,
    ) -> Result<Option<NightReport>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("night", night.to_string())];
        self.one(NIGHTS, &key).await?.as_ref().map(read_night).transpose()
    }

    /// The reports of the last so many nights, the newest first, read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn nights(
        &self,
        organisation: OrganisationId,
        last: usize,
    ) -> Result<Vec<NightReport>, ReadError> {
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(NIGHTS))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::try_from(last).unwrap_or(i32::MAX).max(1))
            .into_paginator()
            .items()
            .send();
        let mut reports = Vec::new();
        while reports.len() < last {
            let Some(row) = rows.next().await else { break };
            let row = row.map_err(|error| ReadError::unavailable(NIGHTS, error))?;
            // One that cannot be read is the concern of its own night.
            reports.extend(read_night(&row).ok());
        }
        Ok(reports)
    }

    /// Stores the report of a night on condition that its revision still is the one that was read
    /// (0: that there is none), and returns it with the revision that it has now.
    ///
    /// # Errors
    /// `Conflict`: another run has written it. `Unavailable`.
    pub async fn store_night(&self, report: &NightReport) -> Result<NightReport, WriteError> {
        let revision = report.revision.saturating_add(1);
        let stored = NightReport { revision, ..report.clone() };
        let row = self.replace(NIGHTS, night_row(&stored), report.revision)?;
        self.commit(NIGHTS, vec![row]).await?;
        Ok(stored)
    }
}

fn night_row(report: &NightReport) -> Item {
    let mut row = Writer::default()
        .text("organisation", report.organisation)
        .text("night", report.night)
        .number("revision", report.revision)
        .text("state", report.state)
        .instant("scheduled_at", report.scheduled_at)
        .instant("started_at", report.started_at)
        .instant_if("finished_at", report.finished_at)
        .instant_if("lease_until", report.lease_until)
        .number("rounds", report.rounds)
        .number("calls", report.calls)
        .number("carried", report.carried)
        .text_if("stopped", report.stopped.as_deref());
    for (state, count) in &report.totals.by_state {
        row = row.number(state, count);
    }
    let reasons = report.totals.by_reason.iter();
    let reasons =
        reasons.map(|(reason, count)| (reason.clone(), AttributeValue::N(count.to_string())));
    row = row.value("reasons", AttributeValue::M(reasons.collect()));
    match &report.forecast {
        None => row,
        Some(forecast) => row
            .number("nights_to_clear", forecast.nights_to_clear)
            .text("clears_in", forecast.clears_in)
            .text_if("trips_in", forecast.trips_in)
            .number("attempts_in_30_days", forecast.attempts)
            .number("never_trips_per_night", forecast.never_trips_per_night),
    }
    .finish()
}

fn read_night(item: &Item) -> Result<NightReport, ReadError> {
    let row = Reader::new(NIGHTS, item);
    let forecast = match row.parsed_if("clears_in")? {
        None => None,
        Some(clears_in) => Some(Forecast {
            nights_to_clear: row.number("nights_to_clear")?,
            clears_in,
            trips_in: row.parsed_if("trips_in")?,
            attempts: row.number("attempts_in_30_days")?,
            never_trips_per_night: row.number("never_trips_per_night")?,
        }),
    };
    Ok(NightReport {
        organisation: row.parsed("organisation")?,
        night: row.parsed("night")?,
        revision: row.number("revision")?,
        state: row.code("state", NightState::from_code)?,
        scheduled_at: row.parsed("scheduled_at")?,
        started_at: row.parsed("started_at")?,
        finished_at: row.parsed_if("finished_at")?,
        lease_until: row.parsed_if("lease_until")?,
        rounds: row.number("rounds")?,
        calls: row.number("calls")?,
        totals: Totals { by_state: read_states(row)?, by_reason: row.numbers("reasons")? },
        carried: row.number("carried")?,
        forecast,
        stopped: row.text_if("stopped")?.map(str::to_owned),
    })
}

fn read_states(row: Reader<'_>) -> Result<BTreeMap<&'static str, u32>, ReadError> {
    let mut by_state = BTreeMap::new();
    for state in UploadState::ALL {
        if let Some(count) = row.number_if(state.code())? {
            by_state.insert(state.code(), count);
        }
    }
    Ok(by_state)
}
