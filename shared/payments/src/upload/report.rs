//! What a night did, for those who look in the morning.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::forecast::Forecast;
use super::ledger::Upload;
use super::night::Night;
use super::part::UploadState;
use crate::ids::OrganisationId;
use crate::reason::codes;

codes! {
    /// How far a night has come.
    NightState {
        /// A run is at it, or was interrupted.
        Running = "running",
        /// Everything is sent that fits, and something is still not known.
        WaitingForProof = "waiting_for_proof",
        /// It is over.
        Finished = "finished",
    }
}

/// The row of one night.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NightReport {
    /// Whose night.
    pub organisation: OrganisationId,
    /// Which.
    pub night: Night,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// How far it has come.
    pub state: NightState,
    /// The time that its schedule carried.
    pub scheduled_at: Timestamp,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Until when a run has it for itself.
    pub lease_until: Option<Timestamp>,
    /// How many invocations it has taken.
    pub rounds: u32,
    /// How many calls of Xero's API it has taken.
    pub calls: u32,
    /// What became of the payments that it dealt with.
    pub totals: Totals,
    /// How many still wait.
    pub carried: u32,
    /// The forecast, if it goes on as tonight.
    pub forecast: Option<Forecast>,
    /// Why nothing went, if something stood in the way of all of them.
    pub stopped: Option<String>,
}

/// How many payments came to which end, and why.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// By state.
    pub by_state: BTreeMap<&'static str, u32>,
    /// How many were held or skipped, by reason.
    pub by_reason: BTreeMap<String, u32>,
}

impl Totals {
    /// Counts the payments that a night dealt with.
    pub fn of<'a>(uploads: impl IntoIterator<Item = &'a Upload>) -> Self {
        let mut totals = Self::default();
        for upload in uploads {
            let state = totals.by_state.entry(upload.state.code()).or_default();
            *state = state.saturating_add(1);
            if matches!(upload.state, UploadState::Held | UploadState::Skipped) {
                let reason = totals.by_reason.entry(upload.reason.clone()).or_default();
                *reason = reason.saturating_add(1);
            }
        }
        totals
    }

    /// How many are in a state.
    pub fn in_state(&self, state: UploadState) -> u32 {
        self.by_state.get(state.code()).copied().unwrap_or(0)
    }

    /// How many were sent: everything that has, or may have, come into being in Xero, and what it refused.
    pub fn sent(&self) -> u32 {
        [
            UploadState::Sent,
            UploadState::Unknown,
            UploadState::Uploaded,
            UploadState::PartlyUploaded,
            UploadState::Refused,
        ]
        .into_iter()
        .map(|state| self.in_state(state))
        .fold(0, u32::saturating_add)
    }
}

impl NightReport {
    /// The row of a night that begins.
    pub fn begun(
        organisation: OrganisationId,
        night: Night,
        scheduled_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            organisation,
            night,
            revision: 0,
            state: NightState::Running,
            scheduled_at,
            started_at: now,
            finished_at: None,
            lease_until: None,
            rounds: 0,
            calls: 0,
            totals: Totals::default(),
            carried: 0,
            forecast: None,
            stopped: None,
        }
    }
}
