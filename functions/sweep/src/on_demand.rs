//! Runs that a person orders: what changed, at once (ST-18, CC-12), and everything there is after a sign-up.

use commands::reply::{ConnectionHealth, OrganisationSweep};
use commands::text::validate;
use commands::{Attribution, SyncNow};
use jiff::Timestamp;
use payments::Settings;
use queue::Changes;

use crate::event::EventError;
use crate::wanted::{Target, Wanted};
use crate::{HandleError, Sweeper, target_of};

impl<C: Changes> Sweeper<C> {
    /// Sweeps an organisation at once. A person reads the answer, also about what failed.
    ///
    /// # Errors
    /// The command makes no sense, or the organisation does not mirror.
    pub async fn sync_now(
        &self,
        command: &SyncNow,
        attribution: &Attribution,
        deadline: Timestamp,
    ) -> Result<Vec<OrganisationSweep>, HandleError> {
        let (organisation, target) = (command.organisation, target(command)?);
        self.counted(async |tally| {
            let mut sweeps = Vec::new();
            for settings in self.organisations(Some(organisation), tally).await? {
                let target =
                    target_of(&target, &settings).ok_or(HandleError::NotMirroring(organisation))?;
                let wanted = ordered(target, attribution);
                sweeps.push(self.sweep(&settings, &wanted, deadline, tally).await);
            }
            Ok(sweeps)
        })
        .await
    }

    /// The first runs of an organisation that is mirrored from now on: all open invoices and what changed lately are put
    /// on the queue, and the health of the connection is evaluated.
    ///
    /// # Errors
    /// The tables do not answer.
    pub async fn first_runs(
        &self,
        settings: &Settings,
        attribution: &Attribution,
        deadline: Timestamp,
    ) -> Result<(Vec<OrganisationSweep>, ConnectionHealth), HandleError> {
        self.counted(async |tally| {
            let mut sweeps = Vec::new();
            for target in [Target::Open, Target::Changes] {
                let wanted = ordered(target, attribution);
                sweeps.push(self.sweep(settings, &wanted, deadline, tally).await);
            }
            Ok((sweeps, self.check(settings, tally).await?))
        })
        .await
    }
}

fn ordered(target: Target, attribution: &Attribution) -> Wanted {
    Wanted { target, scheduled_at: None, attribution: Some(attribution.clone()) }
}

/// The invoices that are read.
///
/// # Errors
/// The part of the command that makes no sense.
fn target(command: &SyncNow) -> Result<Target, EventError> {
    match (&command.invoice, command.from, command.to) {
        (None, None, None) => Ok(Target::Changes),
        (Some(number), None, None) => {
            Ok(Target::Invoice(validate("invoice", number).map_err(EventError)?))
        }
        (None, Some(from), Some(to)) if from <= to => Ok(Target::Window { from, to }),
        (None, Some(_), Some(_)) => Err(says("`from` must not be later than `to`")),
        (None, ..) => Err(says("`from` and `to` go together")),
        (Some(_), ..) => Err(says("it asks for several things at once")),
    }
}

fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_asks_for_everything_for_an_invoice_or_for_a_window() {
        let read = |invoice: Option<&str>, from: Option<&str>, to: Option<&str>| {
            let moment = |at: Option<&str>| at.map(|at| at.parse().unwrap());
            let command = SyncNow {
                organisation: "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap(),
                invoice: invoice.map(str::to_owned),
                from: moment(from),
                to: moment(to),
            };
            target(&command).map_err(|error| error.to_string())
        };
        let (first, last) = (Some("2026-10-01T00:00:00Z"), Some("2026-10-02T00:00:00Z"));
        assert_eq!(read(None, None, None), Ok(Target::Changes));
        let invoice = read(Some(" CM-10234 "), None, None);
        assert_eq!(invoice, Ok(Target::Invoice("CM-10234".to_owned())));
        assert!(matches!(read(None, first, last), Ok(Target::Window { .. })));
        for (invoice, from, to, words) in [
            (None, first, None, "go together"),
            (None, last, first, "later"),
            (Some("CM-1"), first, None, "several things"),
            (Some(""), None, None, "`invoice`"),
        ] {
            let refusal = read(invoice, from, to).unwrap_err();
            assert!(refusal.contains(words), "{refusal}");
        }
    }
}
