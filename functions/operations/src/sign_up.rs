//! An organisation is mirrored from now on: its readiness first, then its settings, then what there is.

use access::{NotReady, NotSignedUp};
use commands::reply::SyncReply;
use commands::{Attribution, Kind, SignUp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use payments::budget::DAY_MAX;
use payments::mass_change::MASS_CHANGE_MAX;
use payments::{FORWARD_DAYS_MAX, NumberPrefix, Settings};
use queue::Changes;

use crate::{ExecutionError, Operations};

impl<C: Changes, U, Q, B> Operations<C, U, Q, B> {
    /// Switches the mirror on for an organisation that Xero shows us, and puts on the queue what there is:
    /// what changed lately, and all open invoices. The mirror works that off within the budget of calls; how
    /// far it is, the next full sweep says (`not_read_yet`).
    pub(crate) async fn sign_up(
        &self,
        command: &SignUp,
        attribution: &Attribution,
        deadline: Timestamp,
    ) -> Result<SyncReply, ExecutionError> {
        let (settings, now) = (settings(command)?, self.clock.now());
        let organisation = settings.organisation;
        let settings = if command.shadow { settings.in_shadow(now) } else { settings };
        let (secret, by) = (self.webhook_secret.as_ref(), (attribution.by(), attribution.reason()));
        let signed_up = self.sweeper.xero().sign_up(&self.tables, &settings, secret, by, now).await;
        signed_up.map_err(|error| match error {
            NotSignedUp::Already => ExecutionError::SetUpAlready(organisation),
            NotSignedUp::NotReady(NotReady(problem)) => {
                ExecutionError::NotReady { organisation, problem }
            }
            NotSignedUp::Tables(problem) => ExecutionError::Tables(problem),
        })?;
        let (sweeps, connection) =
            self.sweeper.first_runs(&settings.deciding(), attribution, deadline).await?;
        Ok(SyncReply { sweeps, connections: vec![connection], recorded: true })
    }
}

/// The settings that a person gives.
///
/// # Errors
/// The field that makes no sense.
fn settings(command: &SignUp) -> Result<Settings, ExecutionError> {
    let wrong = |what: String| ExecutionError::Field(Kind::SignUp, what);
    let within = |name: &str, fits: bool, what: &str| {
        if fits { Ok(()) } else { Err(wrong(format!("`{name}` {what}"))) }
    };
    let zone = TimeZone::get(&command.time_zone)
        .map_err(|_| wrong("`time_zone` is no IANA time zone such as Australia/Sydney".into()))?;
    let prefix = match &command.prefix {
        None => NumberPrefix::default(),
        Some(prefix) => NumberPrefix::new(prefix.clone())
            .ok_or_else(|| wrong("`prefix` is no usable prefix".into()))?,
    };
    let forward = command.forward_days.is_none_or(|days| days <= FORWARD_DAYS_MAX);
    within("forward_days", forward, &format!("is more than {FORWARD_DAYS_MAX}"))?;
    let calls_per_day = command.calls_per_day.unwrap_or(DAY_MAX);
    let calls = (1..=DAY_MAX).contains(&calls_per_day);
    within("calls_per_day", calls, &format!("is not from 1 to {DAY_MAX}"))?;
    Ok(Settings {
        prefix,
        forward_days: command.forward_days,
        calls_per_day,
        mass_change_max: Some(command.mass_change_max.unwrap_or(MASS_CHANGE_MAX))
            .filter(|max| *max > 0),
        cutover_on: command.cutover_on,
        ..Settings::new(command.organisation, zone)
    })
}
