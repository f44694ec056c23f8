//! An organisation is mirrored from now on: its readiness first, then its settings, then what there is.

use access::{NotReady, NotSignedUp};
use jiff::Timestamp;
use payments::Settings;
use queue::Changes;

use crate::answer::Answer;
use crate::tally::Tally;
use crate::wanted::{Said, Target, Wanted};
use crate::{HandleError, Sweeper};

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
        let (secret, now) = (self.webhook_secret.as_ref(), self.clock.now());
        let by = (said.by.as_str(), said.why.as_str());
        let signed_up = self.xero.sign_up(&self.tables, &settings, secret, by, now).await;
        signed_up.map_err(|error| match error {
            NotSignedUp::Already => HandleError::SetUpAlready(organisation),
            NotSignedUp::NotReady(NotReady(problem)) => {
                HandleError::NotReady { organisation, problem }
            }
            NotSignedUp::Tables(problem) => HandleError::Tables(problem),
        })?;
        let mut sweeps = Vec::new();
        for target in [Target::Open, Target::Changes] {
            let wanted = Wanted { target, scheduled_at: None, said: Some(said.clone()) };
            sweeps.push(self.sweep(&settings, &wanted, deadline, tally).await);
        }
        let connection = self.check(&settings, tally).await?;
        Ok(Answer { connections: vec![connection], ..Answer::of(sweeps) })
    }
}
