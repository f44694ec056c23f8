//! The answer of the function to its caller.

use payments::OrganisationId;
use payments::upload::{NightReport, UploadState};
use serde::Serialize;

use crate::night::Outcome;

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// For how many nights a schedule has left a task.
    HandedOut {
        /// How many.
        handed_out: usize,
    },
    /// What became of the nights that were asked for.
    Nights {
        /// One for each organisation.
        nights: Vec<NightAnswer>,
    },
    /// Which messages of the queue are to come again.
    Batch(aws_lambda_events::sqs::SqsBatchResponse),
}

/// What became of the night of one organisation. Counts only: no names, no amounts.
#[derive(Debug, Serialize)]
pub struct NightAnswer {
    organisation: OrganisationId,
    night: String,
    /// `finished`, `running`, `waiting_for_proof`, `already_run`, `in_shadow`, `another_run_is_at_it`, `not_now` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportAnswer>,
}

/// The night's report in short; the table `nights` has it in full.
#[derive(Debug, Serialize)]
struct ReportAnswer {
    uploaded: u32,
    partly_uploaded: u32,
    refused: u32,
    unknown: u32,
    held: u32,
    skipped: u32,
    carried: u32,
    calls: u32,
    clears_in: Option<String>,
    limit_reached_in: Option<String>,
}

impl NightAnswer {
    pub(crate) fn new(organisation: OrganisationId, night: String, outcome: Outcome) -> Self {
        let (outcome, why, report) = match outcome {
            Outcome::Ran(report) => (report.state.code(), report.stopped.clone(), Some(report)),
            Outcome::AlreadyRun(report) => ("already_run", None, Some(report)),
            Outcome::Running => ("another_run_is_at_it", None, None),
            Outcome::InShadow => ("in_shadow", None, None),
            Outcome::NotNow(why) => ("not_now", Some(why.to_owned()), None),
        };
        let report = report.map(|report| ReportAnswer::from(&*report));
        Self { organisation, night, outcome, why, report }
    }

    pub(crate) fn failed(organisation: OrganisationId, night: String, why: String) -> Self {
        Self { organisation, night, outcome: "failed", why: Some(why), report: None }
    }
}

impl From<&NightReport> for ReportAnswer {
    fn from(report: &NightReport) -> Self {
        let count = |state| report.totals.in_state(state);
        let forecast = report.forecast.as_ref();
        Self {
            uploaded: count(UploadState::Uploaded),
            partly_uploaded: count(UploadState::PartlyUploaded),
            refused: count(UploadState::Refused),
            unknown: count(UploadState::Unknown),
            held: count(UploadState::Held),
            skipped: count(UploadState::Skipped),
            carried: report.carried,
            calls: report.calls,
            clears_in: forecast.map(|forecast| forecast.clears_in.to_string()),
            limit_reached_in: forecast
                .and_then(|forecast| forecast.trips_in)
                .map(|night| night.to_string()),
        }
    }
}
