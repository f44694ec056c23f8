//! An organisation is mirrored from now on: its readiness first, then its settings, then what there is.

use commands::reply::SyncReply;
use commands::{Attribution, Kind, SignUp};
use host::telemetry;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use payments::budget::DAY_MAX;
use payments::mass_change::MASS_CHANGE_MAX;
use payments::sweep::SweptList;
use payments::{FORWARD_DAYS_MAX, NumberPrefix, Settings};
use queue::Changes;
use table::ChangeContext;

use crate::error::tables;
use crate::{CommandError, Operations};

/// What to do where no key was put into the secret.
const NO_WEBHOOK_KEYS: &str = "no webhook key is stored: at developer.xero.com, My Apps, open the app, then Webhooks, \
    and put its key as {\"webhook_keys\":[\"<key>\"]} into the secret that the stack's output XeroWebhookSecretArn names";

impl<C: Changes, U, Q, B> Operations<C, U, Q, B> {
    /// Switches the mirror on for an organisation that Xero shows us, and puts on the queue what there is:
    /// what changed lately, and all open invoices. The mirror works that off within the budget of calls; how
    /// far it is, the next full sweep says (`not_read_yet`).
    pub(crate) async fn sign_up(
        &self,
        command: &SignUp,
        attribution: &Attribution,
        deadline: Timestamp,
    ) -> Result<SyncReply, CommandError> {
        let settings = settings(command)?;
        let xero = self.sweeper.xero();
        let organisation = settings.organisation;
        let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        if known.is_some() {
            return Err(CommandError::SetUpAlready(organisation));
        }
        // CM-02: refused while a precondition fails, which is named.
        if let Err(error) = xero.organisation(organisation).await {
            let problem = format!("Xero does not show it: {}", telemetry::chain(&error));
            return Err(CommandError::NotReady { organisation, problem });
        }
        if let Some(problem) = self.webhook_keys_missing().await {
            return Err(CommandError::NotReady { organisation, problem });
        }
        // ST-19: what is read all day has to be readable. Nothing has changed since this moment.
        for (what, list) in [("invoices", SweptList::Invoices), ("payments", SweptList::Payments)] {
            let read = xero.changed_since(organisation, list, self.clock.now()).await;
            if let Err(error) = read {
                let problem = format!("{what} cannot be read: {}", telemetry::chain(&error));
                return Err(CommandError::NotReady { organisation, problem });
            }
        }
        let because = ChangeContext { cause: "console", event_at: None, now: self.clock.now() };
        let (by, why) = (attribution.by(), attribution.reason());
        let stored = self.tables.sign_up(&settings, by, why, because).await;
        stored.map_err(|error| tables(&error))?;
        let (sweeps, connection) =
            self.sweeper.first_runs(&settings, attribution, deadline).await?;
        Ok(SyncReply { sweeps, connections: vec![connection], recorded: true })
    }

    /// Why no webhook of Xero's could be verified, if none could: without them, changes come by the sweep alone.
    async fn webhook_keys_missing(&self) -> Option<String> {
        match self.webhook_secret.as_ref()?.has_value().await {
            Ok(true) => None,
            Ok(false) => Some(NO_WEBHOOK_KEYS.to_owned()),
            Err(error) => Some(format!(
                "whether webhook keys are there is not known: {}",
                telemetry::chain(&error)
            )),
        }
    }
}

/// The settings that a person gives.
///
/// # Errors
/// The field that makes no sense.
fn settings(command: &SignUp) -> Result<Settings, CommandError> {
    let wrong = |what: String| CommandError::Field(Kind::SignUp, what);
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
