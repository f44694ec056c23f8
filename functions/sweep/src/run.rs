//! One run over one organisation: it takes the sweep for itself, works, and leaves its row.

use access::Xero;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{
    Concern, Seen, StartDecision, SweepState, SyncKind, SyncRun, SyncRunId, SyncState, concern,
};
use payments::{OrganisationId, Settings, XeroInvoiceId};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, Message};
use table::{Races, Tables};

use crate::error::RunError;
use crate::wanted::{Target, Wanted};

/// How much later than the invocation's end a lease ends: no run begins while another may still write.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// How much time a page may take: a call to Xero, and putting on the queue what it showed.
const STEP: SignedDuration = SignedDuration::from_secs(40);

/// What one organisation is swept with.
pub(crate) struct Run<'a, C> {
    pub(crate) xero: &'a Xero,
    /// Reads what customers have left of credit: with the permissions of the mirror (XC-10).
    pub(crate) credits: &'a Xero,
    pub(crate) tables: &'a Tables,
    pub(crate) changes: &'a C,
    pub(crate) clock: &'a host::clock::Clock,
    pub(crate) settings: &'a Settings,
    /// When the invocation has to be over.
    pub(crate) deadline: Timestamp,
}

/// The rows that a run has in hand.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) state: SweepState,
    pub(crate) run: SyncRun,
}

/// Why a run ended before it was through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// The invocation is nearly over.
    OutOfTime,
    /// Xero wants no more calls until then, if it says when.
    Limited(Option<Timestamp>),
}

/// What became of the wish to run.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was run; its row says how far, and what went wrong.
    Ran(Box<SyncRun>, Option<Timestamp>),
    /// It was not: nothing was asked of Xero. This is the run that is at it, or was last.
    NotRun(StartDecision, Option<Box<SyncRun>>),
}

/// The invoices that a run has put on the queue, with the stamp that a read has to show.
pub(crate) type Queued = BTreeMap<XeroInvoiceId, Option<Timestamp>>;

/// The attempt of a run to have a sweep for itself.
enum Claim {
    /// It has it.
    Taken(Box<Work>),
    /// Another run is at it, or has just done it.
    Refused(Outcome),
}

impl<C: Changes> Run<'_, C> {
    /// Does what is wanted, unless another run is at it or has just done it.
    pub(crate) async fn run(&self, wanted: &Wanted) -> Result<Outcome, RunError> {
        let mut work = match self.take(wanted).await? {
            Claim::Taken(work) => *work,
            Claim::Refused(outcome) => return Ok(outcome),
        };
        let done = match &wanted.target {
            Target::Changes => Box::pin(self.changes(&mut work)).await,
            Target::Open => Box::pin(self.open(&mut work)).await,
            Target::Certificate => Box::pin(self.certify(&mut work)).await,
            Target::Customers => Box::pin(self.customers(&mut work)).await,
            Target::Invoice(number) => self.invoice(number, &mut work).await,
            Target::Window { from, to } => self.window(*from, *to, &mut work).await,
        };
        self.end(work, wanted, done).await
    }

    /// Takes the sweep for this run alone.
    async fn take(&self, wanted: &Wanted) -> Result<Claim, RunError> {
        let mut races = Races::default();
        loop {
            let now = self.now();
            let mut state = self.tables.sweep(self.organisation(), wanted.target.sweep()).await?;
            let start = state.may_start(wanted.trigger(), wanted.scheduled_at, now);
            if start != StartDecision::Go {
                let run = self.run_of(state.run.as_ref()).await?;
                return Ok(Claim::Refused(Outcome::NotRun(start, run.map(Box::new))));
            }
            if let Some(run) = state.interrupted() {
                self.tables.forget_awaited(self.organisation(), run, now).await?;
            }
            let interrupted = self.run_of(state.interrupted()).await?.map(|run| ended(run, now));
            let run = self.begun(wanted, &state, now);
            let lease = self.deadline.saturating_add(LEASE_MARGIN).unwrap_or(self.deadline);
            state.begin(run.id.clone(), wanted.trigger(), lease, now);
            let rows: Vec<&SyncRun> = interrupted.iter().chain([&run]).collect();
            if let Some(state) = races.won(self.tables.store_sweep(&state, &rows).await)? {
                return Ok(Claim::Taken(Box::new(Work { state, run })));
            }
        }
    }

    fn begun(&self, wanted: &Wanted, state: &SweepState, now: Timestamp) -> SyncRun {
        let attribution = wanted.attribution.as_ref();
        let organisation = self.organisation();
        // Calls spent before, for a look at the connection, do not count for this run.
        let _ = self.xero.take_spent(organisation);
        SyncRun {
            by: attribution.map(|attribution| attribution.by().to_owned()),
            why: attribution.map(|attribution| attribution.reason().to_owned()),
            subject: wanted.target.subject(),
            scheduled_at: wanted.scheduled_at,
            ..SyncRun::begun(
                organisation,
                wanted.target.kind(),
                wanted.trigger(),
                state.revision,
                now,
            )
        }
    }

    async fn run_of(&self, run: Option<&SyncRunId>) -> Result<Option<SyncRun>, RunError> {
        match run {
            Some(run) => Ok(self.tables.sync_run(self.organisation(), run).await?),
            None => Ok(None),
        }
    }

    /// Stores what is reached, and notices if another run has taken over.
    pub(crate) async fn store(&self, work: &mut Work) -> Result<(), RunError> {
        work.state = self.tables.store_sweep(&work.state, &[&work.run]).await?;
        Ok(())
    }

    /// Writes how the run ended, and lets go of the sweep.
    async fn end(
        &self,
        mut work: Work,
        wanted: &Wanted,
        done: Result<Option<Stop>, RunError>,
    ) -> Result<Outcome, RunError> {
        let state = match &done {
            Ok(None) => SyncState::Finished,
            Ok(Some(stop)) => {
                note(&mut work.run, stop, wanted.target.is_whole());
                SyncState::Stopped
            }
            // The rows are another run's.
            Err(RunError::Overtaken) => return Err(RunError::Overtaken),
            Err(error) => {
                work.run.went_wrong(error.class(), telemetry::chain(error));
                SyncState::Failed
            }
        };
        let now = self.now();
        work.run.state = state;
        work.run.ended_at = Some(now);
        let (trigger, whole) = (wanted.trigger(), wanted.target.is_whole());
        let last_success_at = work.state.last_success_at;
        work.state.end(state, trigger, wanted.scheduled_at, whole, now);
        let waits = wanted.target == Target::Changes && state == SyncState::Finished;
        if waits {
            work.state.wait_for_import(last_success_at);
        }
        self.store(&mut work).await?;
        if waits {
            // At once, if it found nothing, or if the mirror was quicker.
            self.tables.move_last_sync(self.organisation(), now).await?;
        }
        Ok(Outcome::Ran(Box::new(work.run), work.state.cursor))
    }

    /// Puts invoices that were seen on the queue, each once with the latest stamp.
    pub(crate) async fn queue(
        &self,
        cause: Cause,
        seen: Vec<Seen>,
        queued: &mut Queued,
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let mut passed_over = BTreeSet::new();
        let mut news = BTreeMap::new();
        for seen in seen {
            if queued.get(&seen.invoice).is_some_and(|known| *known >= seen.updated_at) {
                continue;
            }
            let reason = match concern(&seen, self.settings) {
                Concern::Ours => None,
                Concern::OursBefore(reason) => {
                    (!self.was_ours(seen.invoice).await?).then_some(reason)
                }
                Concern::Nobody(reason) => Some(reason),
            };
            match reason {
                None => {
                    let known: &mut Option<Timestamp> = news.entry(seen.invoice).or_default();
                    *known = (*known).max(seen.updated_at);
                }
                Some(reason) if passed_over.insert(seen.invoice) => run.count(reason.code(), 1),
                Some(_) => {}
            }
        }
        self.send(cause, news, queued, run).await
    }

    /// Sends invoices; afterwards they are counted, and known to be on the queue.
    pub(crate) async fn send(
        &self,
        cause: Cause,
        invoices: Queued,
        queued: &mut Queued,
        run: &mut SyncRun,
    ) -> Result<(), RunError> {
        let changes = invoices.iter().map(|(id, event_at)| InvoiceChange::new(*id, *event_at));
        let changes = InvoiceChanges {
            organisation: self.organisation(),
            cause,
            accepted_at: self.now(),
            not_before: None,
            invoices: changes.collect(),
        };
        let mut messages = changes.pack();
        let mut awaited = Vec::new();
        if run.kind == SyncKind::Sweep {
            awaited = self.await_import(&mut messages, queued.len(), run).await?;
        }
        if !messages.is_empty()
            && let Err(error) = self.changes.send(&messages, Duration::ZERO).await
        {
            // The next run sends it again.
            for at in awaited {
                self.tables.imported(self.organisation(), at).await?;
            }
            return Err(error.into());
        }
        let new = invoices.keys().filter(|invoice| !queued.contains_key(invoice)).count();
        run.count("queued", new);
        queued.extend(invoices);
        Ok(())
    }

    /// Gives each message a moment of its own, by which it is known when it is imported, and notes that it is
    /// awaited. `before` invoices are on the queue already.
    async fn await_import(
        &self,
        messages: &mut [Message],
        before: usize,
        run: &SyncRun,
    ) -> Result<Vec<Timestamp>, RunError> {
        let mut awaited = Vec::new();
        for (position, message) in messages.iter_mut().enumerate() {
            let Message::Invoices(changes) = message else { continue };
            let micros = i64::try_from(before.saturating_add(position)).unwrap_or(0);
            let earlier = SignedDuration::from_micros(micros);
            // Earlier and not later: only a read that begins after it settles it.
            let at = changes.accepted_at.saturating_sub(earlier).unwrap_or(changes.accepted_at);
            changes.accepted_at = at;
            self.tables.await_import(self.organisation(), at, &run.id).await?;
            awaited.push(at);
        }
        Ok(awaited)
    }

    /// Whether an invoice is stored here under any number: it has been given another one in Xero.
    pub(crate) async fn was_ours(&self, invoice: XeroInvoiceId) -> Result<bool, RunError> {
        Ok(!self.tables.numbers_of(self.organisation(), invoice).await?.is_empty())
    }

    /// The value of a read, whose cost is added to the run's, also if it failed. A call limit is no failure:
    /// the next run goes on.
    pub(crate) fn counted<T>(
        &self,
        read: Result<T, xero::ReadError>,
        run: &mut SyncRun,
    ) -> Result<Result<T, Stop>, RunError> {
        let spent = self.xero.take_spent(self.organisation());
        run.spent(spent.calls, spent.bytes);
        match read {
            Ok(read) => Ok(Ok(read)),
            Err(xero::ReadError::Limited { after, .. }) => {
                let until = after.and_then(|after| self.now().checked_add(after).ok());
                Ok(Err(Stop::Limited(until)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is no time left for another page.
    pub(crate) fn is_over(&self) -> bool {
        self.now().saturating_add(STEP).is_ok_and(|end| end > self.deadline)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn organisation(&self) -> OrganisationId {
        self.settings.organisation
    }
}

/// A run whose process has ended without a word.
fn ended(run: SyncRun, now: Timestamp) -> SyncRun {
    let state = SyncState::Interrupted;
    let mut run = SyncRun { state, ended_at: Some(now), ..run };
    run.went_wrong("Interrupted", "its process ended in the middle".to_owned());
    run
}

/// A stop, in the words of the run's row.
fn note(run: &mut SyncRun, stop: &Stop, whole: bool) {
    // No later run goes on with the order of a person.
    let then = if whole { "the next run goes on" } else { "ask again" };
    match stop {
        Stop::OutOfTime => run.problem = Some(format!("its time was over; {then}")),
        Stop::Limited(until) => {
            let until = until.map(|until| format!(" until {until:.0}")).unwrap_or_default();
            run.went_wrong("Limit", format!("Xero's call limit{until}; {then}"));
        }
    }
}
