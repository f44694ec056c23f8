//! The settings that a report is made with. They are kept with it: a report that is counted again later is counted by the same.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use payments::close::CloseSettings;
use payments::upload::UploadSettings;
use payments::{OrganisationId, Settings};

/// What of an organisation's settings decides on the figures of a period.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Its time zone.
    pub zone: TimeZone,
    /// When its business days are closed.
    pub close_at: Time,
    /// Its holidays.
    pub holidays: BTreeSet<Date>,
    /// When the night's upload is due.
    pub due_at: Time,
}

impl From<&Settings> for Basis {
    fn from(settings: &Settings) -> Self {
        let due_at = settings.upload.as_ref().map(|upload| upload.due_at);
        Self {
            zone: settings.zone.clone(),
            close_at: settings.close.at,
            holidays: settings.close.holidays.clone(),
            due_at: due_at.unwrap_or(UploadSettings::DUE_AT),
        }
    }
}

impl Basis {
    /// Settings by which payments are judged like this.
    pub(crate) fn settings(&self, organisation: OrganisationId) -> Settings {
        let close = CloseSettings {
            at: self.close_at,
            holidays: self.holidays.clone(),
            ..CloseSettings::default()
        };
        Settings { close, ..Settings::new(organisation, self.zone.clone()) }
    }
}
