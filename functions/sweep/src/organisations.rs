//! Several organisations at once, the one that has waited longest first: none that fails, hangs or is slow
//! keeps the others back, and what the end of an invocation cuts off is first in the next one.

use std::future::Future;
use std::time::Duration;

use commands::reply::{ConnectionHealth, OrganisationSweep};
use futures_util::StreamExt as _;
use host::counters::Counters as _;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{DailyWork, StartDecision, SweepKind, SweepState, Trigger};
use payments::{OrganisationId, Settings};
use queue::Changes;
use table::WriteError;

use crate::answer::{failed, not_reached};
use crate::error::RunError;
use crate::tally::Tally;
use crate::wanted::Wanted;
use crate::{HandleError, Sweeper};

/// Organisations that are worked on at the same time. Each has limits of its own at Xero, and each has one page
/// of a list in memory.
const AT_ONCE: usize = 8;

/// Rows that are read at the same time to know who has waited longest.
const READS_AT_ONCE: usize = 32;

/// How long before the invocation's end an organisation that hangs is given up, so that there is an answer
/// about the others.
const ANSWER: SignedDuration = SignedDuration::from_secs(2);

/// How long before the invocation's end no other organisation is begun: what is begun has time for a page of each
/// list, and is not cut off between them.
const BEGUN: SignedDuration = SignedDuration::from_secs(80);

/// What became of the look at an organisation.
type Looked<T> = Option<Result<T, HandleError>>;

impl<C: Changes> Sweeper<C> {
    /// Sweeps these organisations.
    pub(crate) async fn sweeps(
        &self,
        organisations: &[&Settings],
        wanted: &Wanted,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Vec<OrganisationSweep> {
        let waiting = self.longest_waiting(organisations, wanted.target.sweep()).await;
        let mut done = futures_util::stream::iter(waiting)
            .map(|settings| async move {
                let mut tally = Tally::default();
                if deadline.duration_since(self.clock.now()) < BEGUN {
                    return (not_reached(settings.organisation), tally);
                }
                let sweep = self.sweep(settings, wanted, deadline, &mut tally);
                match self.in_time(deadline, sweep).await {
                    Some(answer) => (answer, tally),
                    None => {
                        tally.add_failure();
                        let why = "it did not end in time".to_owned();
                        (failed(settings.organisation, why), tally)
                    }
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut answers = Vec::new();
        while let Some((answer, of_organisation)) = done.next().await {
            tally.absorb(of_organisation);
            answers.push(answer);
        }
        answers
    }

    /// The organisations in which this sweep was tried longest ago, first. By the last attempt and not by the
    /// last success: one that always fails must not always be first.
    pub(crate) async fn longest_waiting<'a>(
        &self,
        organisations: &[&'a Settings],
        kind: SweepKind,
    ) -> Vec<&'a Settings> {
        if organisations.len() < 2 {
            return organisations.to_vec();
        }
        let mut waiting: Vec<(Option<Timestamp>, &Settings)> =
            futures_util::stream::iter(organisations.to_vec())
                .map(|settings| async move {
                    let state = self.tables.sweep(settings.organisation, kind).await;
                    (state.ok().and_then(|state| state.last_attempt_at), settings)
                })
                .buffered(READS_AT_ONCE)
                .collect()
                .await;
        waiting.sort_by_key(|(at, settings)| (*at, settings.organisation));
        waiting.into_iter().map(|(_, settings)| settings).collect()
    }

    /// Those of these organisations whose sweep of the night, or of the morning, is to be made up for.
    pub(crate) async fn due<'a>(
        &self,
        organisations: &[&'a Settings],
        kind: SweepKind,
    ) -> Vec<&'a Settings> {
        let found: Vec<Option<&Settings>> = futures_util::stream::iter(organisations.to_vec())
            .map(|settings| async move {
                let now = self.clock.now();
                let own_due = kind.daily().and_then(|work| self.own_due(work, settings));
                match self.state_of(settings, kind).await {
                    Ok(state) => {
                        let may =
                            state.may_start(Trigger::Schedule, None, now) == StartDecision::Go;
                        (may && state.is_due(settings, own_due, now)).then_some(settings)
                    }
                    Err(error) => {
                        tracing::warn!(
                            xero.tenant_id = %settings.organisation,
                            sweep = kind.code(),
                            error = telemetry::chain(&error),
                            "whether this sweep was finished is not known"
                        );
                        None
                    }
                }
            })
            .buffered(READS_AT_ONCE)
            .collect()
            .await;
        found.into_iter().flatten().collect()
    }

    /// When work of the day was last due by the clock of an organisation for which no daily schedule comes (CC-22).
    fn own_due(&self, work: DailyWork, settings: &Settings) -> Option<Timestamp> {
        self.daily.as_ref()?.own_due(work, settings, self.clock.now())
    }

    /// Writes the digest of each organisation whose morning has come by its own clock. One that fails keeps none of the
    /// others back.
    pub(crate) async fn own_digests(
        &self,
        organisations: &[Settings],
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<(), HandleError> {
        let mut first = Ok(());
        for settings in organisations {
            let Some(due) = self.own_due(DailyWork::Digest, settings) else { continue };
            let done = match self.tables.has_digest(settings.organisation, due).await {
                Ok(true) => Ok(()),
                Ok(false) => {
                    let one = std::slice::from_ref(settings);
                    self.digests(one, due, deadline, tally).await.map(drop)
                }
                Err(error) => Err(HandleError::Tables(telemetry::chain(&error))),
            };
            first = first.and(done);
        }
        first
    }

    /// How far a sweep has come. The first time, it is noted under which settings what is stored is judged, so
    /// that a change of them is noticed (AMB-35).
    async fn state_of(&self, settings: &Settings, kind: SweepKind) -> Result<SweepState, RunError> {
        let state = self.tables.sweep(settings.organisation, kind).await?;
        // A run that is at it relies on its row.
        if kind != SweepKind::Open || state.judging.is_some() || state.lease_until.is_some() {
            return Ok(state);
        }
        let noted = SweepState { judging: Some(settings.going_through()), ..state.clone() };
        match self.tables.store_sweep(&noted, &[]).await {
            Ok(state) => Ok(state),
            // Another run is at it, which notes the same.
            Err(WriteError::Conflict) => Ok(state),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at the connections of these organisations. One that cannot be looked at keeps none of the others
    /// back.
    pub(crate) async fn checks(
        &self,
        organisations: &[Settings],
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<ConnectionHealth>, HandleError> {
        let waiting = self.longest_unchecked(organisations).await;
        let mut done = futures_util::stream::iter(waiting)
            .map(|settings| async move {
                let mut tally = Tally::default();
                let checked = self.look(deadline, self.check(settings, &mut tally)).await;
                (settings.organisation, checked, tally)
            })
            .buffer_unordered(AT_ONCE);
        let mut looks = Looks::default();
        while let Some((organisation, checked, of_organisation)) = done.next().await {
            tally.absorb(of_organisation);
            looks.add(organisation, checked);
        }
        if looks.failed == 0 {
            tally.check_is_complete();
        }
        looks.end().map_err(|(failed, all, first)| HandleError::Checks { failed, all, first })
    }

    /// Writes the digest of each organisation. One whose digest fails does not keep the others back; the schedule
    /// comes again for it.
    pub(crate) async fn digests(
        &self,
        organisations: &[Settings],
        scheduled_at: Timestamp,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<ConnectionHealth>, HandleError> {
        let waiting = self.longest_unchecked(organisations).await;
        let mut done = futures_util::stream::iter(waiting)
            .map(|settings| async move {
                let mut tally = Tally::default();
                let digest = self.digest(settings, scheduled_at, &mut tally);
                let look = self.look(deadline, digest).await;
                (settings.organisation, look, tally)
            })
            .buffer_unordered(AT_ONCE);
        let mut looks = Looks::default();
        while let Some((organisation, look, of_organisation)) = done.next().await {
            tally.absorb(of_organisation);
            looks.add(organisation, look);
        }
        looks.end().map_err(|(failed, all, first)| HandleError::Digests { failed, all, first })
    }

    /// The organisations whose connection was looked at longest ago, first.
    pub(crate) async fn longest_unchecked<'a>(
        &self,
        organisations: &'a [Settings],
    ) -> Vec<&'a Settings> {
        let mut waiting: Vec<(Option<Timestamp>, &Settings)> =
            futures_util::stream::iter(organisations)
                .map(|settings| async move {
                    let row = self.tables.connection(settings.organisation).await;
                    (row.ok().flatten().and_then(|row| row.checked_at), settings)
                })
                .buffered(READS_AT_ONCE)
                .collect()
                .await;
        waiting.sort_by_key(|(at, settings)| (*at, settings.organisation));
        waiting.into_iter().map(|(_, settings)| settings).collect()
    }

    /// A look at an organisation; `None` if there is no time for it.
    async fn look<T>(
        &self,
        deadline: Timestamp,
        look: impl Future<Output = Result<T, HandleError>>,
    ) -> Looked<T> {
        if self.is_short_of_time(deadline) {
            return None;
        }
        self.in_time(deadline, look).await
    }

    /// Returns the result of work that may hang; `None` if it does not end in time.
    async fn in_time<T>(&self, deadline: Timestamp, work: impl Future<Output = T>) -> Option<T> {
        let left = deadline.duration_since(self.clock.now()).saturating_sub(ANSWER);
        tokio::time::timeout(Duration::try_from(left).unwrap_or_default(), work).await.ok()
    }

    /// The organisations that mirror or upload, or the one that is asked for.
    pub(crate) async fn organisations(
        &self,
        only: Option<OrganisationId>,
        tally: &mut Tally,
    ) -> Result<Vec<Settings>, HandleError> {
        let tables = |error: table::ReadError| HandleError::Tables(telemetry::chain(&error));
        if let Some(organisation) = only {
            let settings = self.tables.settings(organisation).await.map_err(tables)?;
            return settings
                .map(Settings::deciding)
                .filter(Settings::is_at_work)
                .map(|settings| vec![settings])
                .ok_or(HandleError::NotMirroring(organisation));
        }
        let mut all = Vec::new();
        for enabled in self.tables.organisations_at_work().await.map_err(tables)? {
            match enabled.settings {
                // A sweep only reads, and asks the mirror to look: in shadow as well (CM-30).
                Ok(settings) => all.push(settings.deciding()),
                // The others must not wait for a person to mend it.
                Err(error) => {
                    tally.add_failure();
                    tracing::error!(
                        xero.tenant_id = enabled.organisation.map(|id| id.to_string()),
                        error = telemetry::chain(&error),
                        "an organisation's settings cannot be read; it is not swept"
                    );
                }
            }
        }
        Ok(all)
    }
}

/// The looks at several organisations.
#[derive(Default)]
struct Looks {
    connections: Vec<ConnectionHealth>,
    failed: usize,
    first: Option<String>,
}

impl Looks {
    fn add(&mut self, organisation: OrganisationId, looked: Looked<ConnectionHealth>) {
        let why = match looked {
            Some(Ok(connection)) => return self.connections.push(connection),
            Some(Err(error)) => telemetry::chain(&error),
            None => "there was no time for it".to_owned(),
        };
        tracing::error!(
            xero.tenant_id = %organisation,
            error = why,
            "an organisation could not be looked at"
        );
        self.failed += 1;
        self.first.get_or_insert(why);
    }

    /// The answers, or how many failed, of how many, and why the first did.
    fn end(self) -> Result<Vec<ConnectionHealth>, (usize, usize, String)> {
        let all = self.failed.saturating_add(self.connections.len());
        match self.first {
            None => Ok(self.connections),
            Some(first) => Err((self.failed, all, first)),
        }
    }
}
