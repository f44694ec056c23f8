//! An organisation is mirrored from now on: its readiness first, then its settings, then what there is.

use host::telemetry;
use jiff::Timestamp;
use payments::Settings;
use payments::sweep::SweptList;
use queue::Changes;
use table::ChangeContext;

use crate::answer::Answer;
use crate::orders::tables;
use crate::tally::Tally;
use crate::wanted::{Said, Target, Wanted};
use crate::{HandleError, Sweeper};

/// What to do where no key was put into the secret.
const NO_WEBHOOK_KEYS: &str = "no webhook key is stored: at developer.xero.com, My Apps, open the app, then Webhooks, \
    and put its key as {\"webhook_keys\":[\"<key>\"]} into the secret that the stack's output XeroWebhookSecretArn names";

impl<C: Changes, Q> Sweeper<C, Q> {
    /// Switches the mirror on for an organisation that Xero shows us, and puts on the queue what there is:
    /// what changed lately, and all open invoices. The mirror works that off within the budget of calls; how
    /// far it is, the next full sweep says (`not_read_yet`).
    pub(crate) async fn sign_up(
        &self,
        settings: Settings,
        said: Said,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let organisation = settings.organisation;
        let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        if known.is_some() {
            return Err(HandleError::SetUpAlready(organisation));
        }
        // CM-02: refused while a precondition fails, which is named.
        if let Err(error) = self.xero.organisation(organisation).await {
            let problem = format!("Xero does not show it: {}", telemetry::chain(&error));
            return Err(HandleError::NotReady { organisation, problem });
        }
        if let Some(problem) = self.webhook_keys_missing().await {
            return Err(HandleError::NotReady { organisation, problem });
        }
        // ST-19: what is read all day has to be readable. Nothing has changed since this moment.
        for (what, list) in [("invoices", SweptList::Invoices), ("payments", SweptList::Payments)] {
            let read = self.xero.changed_since(organisation, list, self.clock.now()).await;
            if let Err(error) = read {
                let problem = format!("{what} cannot be read: {}", telemetry::chain(&error));
                return Err(HandleError::NotReady { organisation, problem });
            }
        }
        let because = ChangeContext { cause: "console", event_at: None, now: self.clock.now() };
        let stored = self.tables.sign_up(&settings, &said.by, &said.why, because).await;
        stored.map_err(|error| tables(&error))?;
        let mut sweeps = Vec::new();
        for target in [Target::Open, Target::Changes] {
            let wanted = Wanted { target, scheduled_at: None, said: Some(said.clone()) };
            sweeps.push(self.sweep(&settings, &wanted, deadline, tally).await);
        }
        let connection = self.check(&settings, tally).await?;
        Ok(Answer { connections: vec![connection], ..Answer::of(sweeps) })
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
