#![doc = include_str!("../README.md")]

mod acceptance;
mod accounts;
mod authorisation;
mod closes;
mod composition;
mod configuration;
mod customer_actions;
mod dead_letters;
mod discrepancy_work;
mod error;
mod leak;
mod mass_change;
mod payment_orders;
mod replay;
mod reports;
mod republication;
mod restoration;
mod shadow;
mod sign_up;
mod tally;
mod upload_switch;

use access::TokenVault;
use bus::Bus;
use commands::reply::{
    AcceptanceReply, ApprovalReply, AuthorisationReply, DeadLettersReply, DiscardReply, GrantReply,
    LogVerificationReply, PlanReply, ReplayReply, RepublicationReply, RestorationReply, SyncReply,
};
use commands::{Attribution, Command, Reply, Request, RequestError, earlier};
use host::clock::Clock;
use host::metrics::Metrics;
use host::telemetry;
use host::webhook_secret::WebhookSecret;
use invoker::{InvokeError, Invoker, LambdaInvoker};
use jiff::{SignedDuration, Timestamp};
use payments::upload::PaymentCommand;
use queue::{Changes, DeadLetters, Letters, Uploads};
use serde_json::Value;
use sweep::Sweeper;
use table::Tables;
use upload::Uploader;
use url::Url;

pub use crate::error::ExecutionError;
use crate::tally::Tally;

/// What a message takes that is sent again, with all its retries; and the answer after the last of them.
const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(40);

/// The function: everything between its environment and its handler.
pub struct Operations<C, U, Q, B> {
    sweeper: Sweeper<C>,
    uploader: Uploader<U, C>,
    tables: Tables,
    /// Where invoices are sent that are to be read again.
    changes: C,
    /// Where `upload` is woken.
    uploads: U,
    /// All queues with their dead letters.
    letters: Q,
    bus: B,
    /// The function that makes reports, if there is one.
    reporter: Option<LambdaInvoker>,
    /// Where the keys are that Xero signs webhooks with, if they are in a secret.
    webhook_secret: Option<WebhookSecret>,
    /// Where users log in at Xero who let us in, if they do.
    login: Option<Url>,
    /// Where the function `connect` is, if there is one.
    connect_url: Option<Url>,
    metrics: Metrics,
    clock: Clock,
}

/// What the function is put together from.
#[allow(missing_docs, reason = "each part is named by its type")]
pub struct Parts<C, U, Q, B> {
    pub sweeper: Sweeper<C>,
    pub uploader: Uploader<U, C>,
    pub tables: Tables,
    pub changes: C,
    pub uploads: U,
    pub letters: Q,
    pub bus: B,
    pub clock: Clock,
}

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Puts the function together from its parts, for a custom connection.
    pub fn new(parts: Parts<C, U, Q, B>) -> Self {
        let Parts { sweeper, uploader, tables, changes, uploads, letters, bus, clock } = parts;
        Self {
            sweeper,
            uploader,
            tables,
            changes,
            uploads,
            letters,
            bus,
            reporter: None,
            webhook_secret: None,
            login: None,
            connect_url: None,
            metrics: Metrics::off(),
            clock,
        }
    }

    /// The same, let in by what users grant: with the tokens in this store, and users who log in at this
    /// address.
    #[must_use]
    pub fn with_grants(self, vault: impl Into<TokenVault>, login: Url) -> Self {
        Self { sweeper: self.sweeper.with_grants(vault), login: Some(login), ..self }
    }

    /// The same, with webhooks whose keys are in this secret.
    #[must_use]
    pub fn with_webhook_secret(self, secret: WebhookSecret) -> Self {
        Self { webhook_secret: Some(secret), ..self }
    }

    /// The same, with a function that makes reports.
    #[must_use]
    pub fn with_reporter(self, reporter: LambdaInvoker) -> Self {
        Self { reporter: Some(reporter), ..self }
    }

    /// Whether there is no time left for another message.
    fn is_short_of_time(&self, deadline: Timestamp) -> bool {
        self.clock.now().saturating_add(CLOSING_TIME).is_ok_and(|end| end > deadline)
    }
}

impl<C: Changes, U: Uploads, Q: Letters + DeadLetters, B: Bus> Operations<C, U, Q, B> {
    /// Executes the command of an event, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`ExecutionError`].
    pub async fn handle(
        &self,
        event: &Value,
        deadline: Timestamp,
    ) -> Result<Reply, ExecutionError> {
        let request = earlier::request(event)?;
        let executed = Box::pin(self.execute(&request, deadline)).await;
        let error = executed.as_ref().err().map(|error| telemetry::chain(error));
        tracing::info!(
            command = request.command().kind().code(),
            recorded = executed.as_ref().is_ok_and(Reply::is_recorded),
            error,
            "command executed"
        );
        self.metrics.report(self.clock.now(), &Tally::of(&executed));
        executed
    }

    async fn execute(
        &self,
        request: &Request,
        deadline: Timestamp,
    ) -> Result<Reply, ExecutionError> {
        let command = request.command();
        let Some(by) = request.attribution() else { return self.look(command, deadline).await };
        Ok(match command {
            Command::SyncNow(wanted) => {
                let sweeps = self.sweeper.sync_now(wanted, by, deadline).await?;
                // The run is a row of `sync_runs`; the pages write who got perhaps another one.
                Reply::SyncNow(SyncReply { sweeps, connections: Vec::new(), recorded: false })
            }
            Command::ApproveMassChange(whose) => {
                let approved = self.approve(whose.organisation, by).await?;
                Reply::ApproveMassChange(ApprovalReply { approved, recorded: true })
            }
            Command::EnableUploads(whose) => {
                Reply::EnableUploads(self.enable_uploads(whose.organisation, by).await?)
            }
            Command::Hold(on) => Reply::Hold(self.order(on, PaymentCommand::Hold, by).await?),
            Command::Release(on) => {
                Reply::Release(self.order(on, PaymentCommand::Release, by).await?)
            }
            Command::DoNotSend(on) => {
                Reply::DoNotSend(self.order(on, PaymentCommand::DoNotSend, by).await?)
            }
            Command::SamePayment(on) => {
                Reply::SamePayment(self.order(on, PaymentCommand::SamePayment, by).await?)
            }
            Command::TwoPayments(on) => {
                Reply::TwoPayments(self.order(on, PaymentCommand::TwoPayments, by).await?)
            }
            Command::OpenAction(on) => Reply::OpenAction(self.open_action(on, by).await?),
            Command::Solve(on) => Reply::Solve(self.solve(on, by).await?),
            Command::PickContact(pick) => Reply::PickContact(self.pick_contact(pick, by).await?),
            Command::Replay(which) => Reply::Replay(self.replayed(which, by, deadline).await?),
            Command::Accept(which) => {
                let accepted = self.accept(which, by).await?;
                Reply::Accept(AcceptanceReply { accepted, recorded: true })
            }
            Command::TakeDiscrepancies(_)
            | Command::AssignDiscrepancies(_)
            | Command::NoteDiscrepancies(_)
            | Command::CloseDiscrepancies(_)
            | Command::AdjustRecord(_)
            | Command::DraftNotice(_) => self.work_on_discrepancies(command, by).await?,
            Command::Restore(which) => {
                self.restore(which, by).await?;
                let restored = which.payment.clone();
                Reply::Restore(RestorationReply { restored, recorded: true })
            }
            Command::Redrive(on) => {
                let redrive = self.redrive(&on.queue, by, deadline).await?;
                let recorded = redrive.redriven > 0;
                Reply::Redrive(DeadLettersReply { redrive, recorded })
            }
            Command::Discard(which) => {
                let discard = self.discard(which, by, deadline).await?;
                Reply::Discard(DiscardReply { discard, recorded: true })
            }
            Command::Close(which) => Reply::Close(self.close(which, by, deadline).await?),
            Command::MakeReport(of) => Reply::MakeReport(self.make_report(of, by).await?),
            Command::AnnounceAgain(which) => {
                let announce_again = self.announce_again(which, Some(by), deadline).await?;
                Reply::AnnounceAgain(RepublicationReply { announce_again, recorded: true })
            }
            Command::Configure(settings) => Reply::Configure(self.configure(settings, by).await?),
            Command::SignUp(settings) => Reply::SignUp(self.sign_up(settings, by, deadline).await?),
            Command::Authorise(way) => {
                let authorise = self.authorise(way, by).await?;
                Reply::Authorise(AuthorisationReply { authorise, recorded: true })
            }
            Command::Disconnect(on) => {
                Reply::Disconnect(self.disconnect(on.organisation, by).await?)
            }
            Command::SetAccount(wanted) => Reply::SetAccount(self.set_account(wanted, by).await?),
            Command::ContainLeak(leak) => Reply::ContainLeak(self.contain_leak(leak, by).await?),
            Command::EnterShadow(on) => {
                Reply::EnterShadow(self.enter_shadow(on.organisation, by).await?)
            }
            Command::SwitchOn(on) => {
                Reply::SwitchOn(self.switch_on(on.organisation, by, deadline).await?)
            }
            Command::Connect(way) => Reply::Connect(self.connected(way, by).await?),
            Command::Rename(_)
            | Command::PreviewReplay(_)
            | Command::PreviewPlan(_)
            | Command::LookAtDeadLetters(_)
            | Command::PreviewAnnounceAgain(_)
            | Command::ListAccounts(_)
            | Command::LookAtShadow(_)
            | Command::VerifyLog(_) => self.look(command, deadline).await?,
        })
    }

    /// A command that only looks: it leaves no row, and needs no attribution.
    async fn look(&self, command: &Command, deadline: Timestamp) -> Result<Reply, ExecutionError> {
        Ok(match command {
            Command::PreviewReplay(which) => {
                let replay = self.replay(which, None, deadline).await?;
                Reply::PreviewReplay(ReplayReply { replay, recorded: false })
            }
            Command::PreviewPlan(which) => {
                let previews = self.uploader.preview(which, deadline).await?;
                Reply::PreviewPlan(PlanReply { previews, recorded: false })
            }
            Command::LookAtDeadLetters(on) => {
                let redrive = self.look_at(&on.queue, deadline).await?;
                Reply::LookAtDeadLetters(DeadLettersReply { redrive, recorded: false })
            }
            Command::PreviewAnnounceAgain(which) => {
                let announce_again = self.announce_again(which, None, deadline).await?;
                let reply = RepublicationReply { announce_again, recorded: false };
                Reply::PreviewAnnounceAgain(reply)
            }
            Command::LookAtShadow(on) => {
                Reply::LookAtShadow(self.look_at_shadow(on.organisation, deadline).await?)
            }
            Command::VerifyLog(days) => {
                let range = (days.from_day, days.to_day);
                let (tables, clock) = (&self.tables, &self.clock);
                let verify =
                    report::verify(tables, days.organisation, range, clock, deadline).await?;
                Reply::VerifyLog(LogVerificationReply { verify, recorded: false })
            }
            Command::ListAccounts(of) => {
                Reply::ListAccounts(self.list_accounts(of.organisation).await?)
            }
            Command::Rename(_) => return Err(ExecutionError::OnAPage),
            _ => return Err(RequestError::Unattributed.into()),
        })
    }

    async fn replayed(
        &self,
        which: &commands::Replay,
        by: &Attribution,
        deadline: Timestamp,
    ) -> Result<ReplayReply, ExecutionError> {
        let replay = self.replay(which, Some(by), deadline).await?;
        let recorded = replay.replayed > 0;
        Ok(ReplayReply { replay, recorded })
    }

    async fn connected(
        &self,
        way: &commands::Connect,
        by: &Attribution,
    ) -> Result<GrantReply, ExecutionError> {
        let connect = self.connect(way, by).await?;
        let recorded = !connect.signed_up.is_empty() || !connect.may_be_signed_up.is_empty();
        Ok(GrantReply { connect, recorded })
    }
}

/// The function in the same process, as another function calls it.
pub struct InProcess<'a, C, U, Q, B> {
    /// The function.
    pub operations: &'a Operations<C, U, Q, B>,
    /// When it has to be over.
    pub deadline: Timestamp,
}

impl<C: Changes, U: Uploads, Q: Letters + DeadLetters, B: Bus> Invoker
    for InProcess<'_, C, U, Q, B>
{
    async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        let reply = self.operations.handle(event, self.deadline).await;
        let reply = reply.map_err(|error| InvokeError::Failed(telemetry::chain(&error)))?;
        serde_json::to_value(reply).map_err(|error| InvokeError::Unavailable(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads(commands::FUNCTION) {
            if let Err(error) = earlier::request(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
