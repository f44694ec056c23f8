//! The wish that an organisation is mirrored from now on: its settings, as a person gives them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::budget::DAY_MAX;
use payments::mass_change::MASS_CHANGE_MAX;
use payments::{FORWARD_DAYS_MAX, NumberPrefix, OrganisationId, Settings};
use serde::Deserialize;

use crate::event::{Asked, EventError, said, says};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireSignUp {
    organisation: OrganisationId,
    time_zone: String,
    prefix: Option<String>,
    forward_days: Option<u16>,
    cutover_on: Option<Date>,
    calls_per_day: Option<u32>,
    mass_change_max: Option<u32>,
    by: String,
    why: String,
}

impl WireSignUp {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let within = |name: &str, fits: bool, what: &str| {
            if fits { Ok(()) } else { Err(says(&format!("`{name}` {what}"))) }
        };
        let zone = TimeZone::get(&self.time_zone)
            .map_err(|_| says("`time_zone` is no IANA time zone such as Australia/Sydney"))?;
        let prefix = match self.prefix {
            None => NumberPrefix::default(),
            Some(prefix) => {
                NumberPrefix::new(prefix).ok_or_else(|| says("`prefix` is no usable prefix"))?
            }
        };
        let forward = self.forward_days.is_none_or(|days| days <= FORWARD_DAYS_MAX);
        within("forward_days", forward, &format!("is more than {FORWARD_DAYS_MAX}"))?;
        let calls_per_day = self.calls_per_day.unwrap_or(DAY_MAX);
        let calls = (1..=DAY_MAX).contains(&calls_per_day);
        within("calls_per_day", calls, &format!("is not from 1 to {DAY_MAX}"))?;
        let settings = Settings {
            prefix,
            forward_days: self.forward_days,
            calls_per_day,
            mass_change_max: Some(self.mass_change_max.unwrap_or(MASS_CHANGE_MAX))
                .filter(|max| *max > 0),
            cutover_on: self.cutover_on,
            ..Settings::new(self.organisation, zone)
        };
        let said = said(&self.by, &self.why)?;
        Ok(Asked::SignUp { settings: Box::new(settings), said })
    }
}
