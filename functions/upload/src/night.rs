//! One night of one organisation: its lease, its rounds, its report.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use payments::upload::{
    Certain, Forecast, Hold, Line, Night, NightReport, NightState, Route, SendMode, Totals, Upload,
    UploadDecision, UploadState,
};
use queue::{UploadTask, Uploads};
use table::{Races, WriteError};

use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::reservation::SlotRequest;
use crate::resumption::{after_limit, standing};
use crate::run::{Move, PAGE, Run, Stop, delay};

/// How much later than the invocation's end a lease ends: no run begins while another may write.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// Most rounds that a night asks for by itself; later ones come by the hourly catch-up. Two looks after
/// each of several interruptions fit.
const ROUNDS_MAX: u32 = 24;
/// The pause of a night in seconds that Xero's trouble has ended.
const OUTAGE_PAUSE: u16 = 300;
/// How far a schedule's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How late a schedule may come: that is how long EventBridge tries.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Earlier nights that a new one closes.
const CLOSED_NIGHTS: usize = 7;

/// What became of the request to run a night.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was run; the report says how far.
    Ran(Box<NightReport>),
    /// It is over: nothing was done.
    AlreadyRun(Box<NightReport>),
    /// Another run is at it.
    Running,
    /// The organisation is in shadow: the report of its day is made, and nothing else is done (CM-30).
    InShadow,
    /// Its time has not come, or is long past.
    NotNow(&'static str),
}

/// The attempt of a run to have a night for itself.
enum Claim {
    /// It has it.
    Taken(NightReport),
    /// Another run is at it, or it is over.
    Refused(Outcome),
}

impl<Q: Uploads> Run<'_, Q> {
    /// Runs the night, or resumes it.
    pub(crate) async fn night(&self, scheduled_at: Timestamp) -> Result<Outcome, RunError> {
        let now = self.now();
        if scheduled_at.duration_since(now) > SKEW {
            return Ok(Outcome::NotNow("its scheduled_time lies in the future"));
        }
        if now.duration_since(scheduled_at) > LATE_MAX {
            return Ok(Outcome::NotNow(
                "its scheduled_time is more than a day ago; the payments go in the next night",
            ));
        }
        let report = match self.take(scheduled_at).await? {
            Claim::Taken(report) => report,
            Claim::Refused(outcome) => return Ok(outcome),
        };
        match Box::pin(self.work()).await.or_else(|error| self.limited(error).map(Some)) {
            Ok(stop) => {
                Box::pin(self.end(report, stop)).await.map(|report| Outcome::Ran(Box::new(report)))
            }
            Err(error) => {
                let rounds = report.rounds;
                self.give_up(report).await;
                if error.is_xeros() {
                    self.round_later(scheduled_at, rounds, OUTAGE_PAUSE).await?;
                }
                Err(error)
            }
        }
    }

    /// Leaves a task to resume the night. A night has so many tasks; after them the hourly look resumes it.
    async fn round_later(
        &self,
        scheduled_at: Timestamp,
        round: u32,
        pause: u16,
    ) -> Result<(), RunError> {
        if round < ROUNDS_MAX {
            let organisation = self.organisation();
            let task = UploadTask::Night { organisation, scheduled_at, round };
            self.uploads.send(&task, pause).await?;
        }
        Ok(())
    }

    /// Whether a finished night is not over after all: the index lags, and may not have shown its run what was
    /// unknown.
    async fn has_left_something(&self) -> Result<bool, RunError> {
        Ok(standing(self.tables, self.organisation(), self.now()).await?.night)
    }

    /// Takes the night for this run alone.
    async fn take(&self, scheduled_at: Timestamp) -> Result<Claim, RunError> {
        let mut races = Races::default();
        loop {
            let now = self.now();
            let known = self.tables.night(self.organisation(), self.night).await?;
            let mut report = match known {
                None => NightReport::begun(self.organisation(), self.night, scheduled_at, now),
                Some(report)
                    if report.state == NightState::Finished
                        && !self.has_left_something().await? =>
                {
                    return Ok(Claim::Refused(Outcome::AlreadyRun(Box::new(report))));
                }
                Some(report) if report.lease_until.is_some_and(|until| until > now) => {
                    return Ok(Claim::Refused(Outcome::Running));
                }
                Some(report) => report,
            };
            report.state = NightState::Running;
            report.lease_until = self.deadline.saturating_add(LEASE_MARGIN).ok();
            report.rounds = report.rounds.saturating_add(1);
            if let Some(stored) = races.won(self.tables.store_night(&report).await)? {
                return Ok(Claim::Taken(stored));
            }
        }
    }

    /// Looks for unknown parts first, then for what was deleted in Xero, then sends payments that wait.
    async fn work(&self) -> Result<Option<Stop>, RunError> {
        self.close_earlier_nights().await?;
        self.follow_start().await?;
        let mut ready = Box::pin(self.resume()).await?;
        ready.extend(Box::pin(self.look()).await?);
        ready.extend(Box::pin(self.follow_deleted()).await?);
        let (to_weigh, waiting): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(Upload::needs_new_plan);
        if let Some(stop) = Box::pin(self.send_all(to_weigh)).await? {
            return Ok(Some(stop));
        }
        self.watch().await?;
        let stop = Box::pin(self.send_waiting(waiting)).await?;
        if matches!(stop, None | Some(Stop::Disabled)) {
            if let Some(stop) = Box::pin(self.allocate_credits()).await? {
                return Ok(Some(stop));
            }
            Box::pin(self.flag_entered_since()).await?;
        }
        self.close_settled_pairs().await?;
        Ok(stop)
    }

    /// `back` waits again since a moment ago, so that its line may not show it yet.
    async fn send_waiting(&self, back: Vec<Upload>) -> Result<Option<Stop>, RunError> {
        let known = EvaluationContext::default();
        self.review_contacts(&known).await?;
        let mut cursor = None;
        let mut others = self.whole_line(Line::Held).await?;
        others.retain(|row| row.hold().is_some_and(Hold::is_judged_anew));
        others.extend(self.whole_line(Line::Direct).await?);
        let back_ids: BTreeSet<_> = back.iter().map(|row| row.receipt.id.clone()).collect();
        let is_back = |row: &Upload| back_ids.contains(&row.receipt.id);
        others.retain(|row| !is_back(row));
        others.extend(back.iter().cloned());
        let mut disabled = false;
        loop {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let caps = self.caps().await?;
            disabled |= caps.disabled.is_some();
            let left = caps.left(self.night, self.uploading.nightly_max, self.now());
            let left = if disabled { 0 } else { usize::try_from(left).unwrap_or(0) };
            let mut candidates = std::mem::take(&mut others);
            let mut more = false;
            if left > 0 {
                let most = PAGE.min(left);
                let (page, next) = self.line(Line::Waiting, cursor, most).await?;
                candidates.extend(page.into_iter().filter(|row| !is_back(row)));
                more = next.is_some();
                cursor = next;
            }
            if !candidates.is_empty() {
                candidates.sort_by_key(turn);
                let sent = Box::pin(self.send_candidates(candidates, left, &known)).await?;
                disabled |= sent == Some(Stop::Disabled);
                if let Some(stop) = sent.filter(|stop| *stop != Stop::Disabled) {
                    return Ok(Some(stop));
                }
            }
            if !more || left == 0 {
                return Ok(disabled.then_some(Stop::Disabled));
            }
        }
    }

    /// Judges candidates, the oldest first, stores what does not go, and sends what fits.
    async fn send_candidates(
        &self,
        candidates: Vec<Upload>,
        left: usize,
        known: &EvaluationContext,
    ) -> Result<Option<Stop>, RunError> {
        let candidates = self.with_credit_lines(candidates);
        let judged = Box::pin(self.judge(&candidates, known)).await?;
        let credits = credits_of(&candidates);
        self.keep_contacts(&judged.contacts).await?;
        let sorted = self.sort(candidates, judged.judgements, left);
        self.tell_held(&sorted.stay).await?;
        self.write(sorted.stay).await?;
        Box::pin(self.write_found(sorted.found)).await?;
        let direct = Box::pin(self.reserve(sorted.direct, SendMode::Direct)).await?;
        let nightly = Box::pin(self.reserve(sorted.nightly, SendMode::Nightly(self.night))).await?;
        let mut rows = direct.rows;
        rows.extend(nightly.rows);
        rows.extend(self.reserve_uncounted(sorted.uncounted).await?);
        let stop = Box::pin(self.send_all(rows)).await?;
        self.follow_credit_lines(&credits).await?;
        Ok(stop.or(nightly.stop))
    }

    pub(crate) fn sort(
        &self,
        candidates: Vec<Upload>,
        judged: Vec<UploadDecision>,
        left: usize,
    ) -> Sorted {
        let mut sorted = Sorted::default();
        for (row, decision) in candidates.into_iter().zip(judged) {
            match decision {
                UploadDecision::Found(certain) => {
                    let mut row = Move::of(row);
                    row.freed = row.after.found(&certain, Some(self.night), self.now());
                    sorted.found.push((row, certain));
                }
                UploadDecision::Send(parts) if !parts.is_empty() => {
                    let mut row = Move::of(row);
                    let is_held = row.after.state == UploadState::Held;
                    if is_held && row.after.release_hold(self.now()).is_err() {
                        continue;
                    }
                    sorted.send(SlotRequest { row, parts }, left);
                }
                stays => sorted.stay.push(self.stay(row, stays)),
            }
        }
        sorted
    }

    /// A row that does not go now, with the reason that it has from now on. A night that finds it as the one before has
    /// nothing to write.
    fn stay(&self, row: Upload, decision: UploadDecision) -> Move {
        let (night, now) = (Some(self.night), self.now());
        let mut row = Move::of(row);
        match decision {
            UploadDecision::Skip(skip, why) => row.after.skip(skip, why, night, now),
            UploadDecision::Hold(hold, why) => {
                let is_known = row.before.hold() == Some(hold) && row.before.why == why;
                if !is_known {
                    row.after.put_on_hold(hold, why, night, now);
                }
            }
            UploadDecision::Suspect(suspicion) => {
                if row.before.suspicion.as_ref() != Some(&suspicion) {
                    row.freed = row.after.suspect(suspicion, night, now);
                }
            }
            // All of it is in Xero, or is given back.
            UploadDecision::Send(_) | UploadDecision::Found(_) => {}
        }
        row
    }

    /// What an earlier night left open is followed from here on; its report is closed.
    async fn close_earlier_nights(&self) -> Result<(), RunError> {
        for report in self.tables.nights(self.organisation(), CLOSED_NIGHTS).await? {
            let now = self.now();
            let at_work = report.lease_until.is_some_and(|until| until > now);
            if report.night < self.night && report.state != NightState::Finished && !at_work {
                let closed = NightReport {
                    state: NightState::Finished,
                    finished_at: Some(now),
                    lease_until: None,
                    totals: self.totals(report.night).await?,
                    ..report
                };
                match self.tables.store_night(&closed).await {
                    Ok(_) | Err(WriteError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    async fn totals(&self, night: Night) -> Result<Totals, RunError> {
        let rows = self.tables.uploads_of_night(self.organisation(), night).await?;
        Ok(Totals::of(&rows))
    }

    /// Payments that the night dealt with, and those on hold that are as the one before left them.
    async fn totals_with_held(&self) -> Result<Totals, RunError> {
        let mut rows = self.tables.uploads_of_night(self.organisation(), self.night).await?;
        let held = self.whole_line(Line::Held).await?;
        rows.extend(held.into_iter().filter(|row| row.night != Some(self.night)));
        Ok(Totals::of(&rows))
    }

    /// Writes the report, gives the night free, and sees to it that it goes on if it is not over.
    async fn end(
        &self,
        mut report: NightReport,
        stop: Option<Stop>,
    ) -> Result<NightReport, RunError> {
        let now = self.now();
        self.let_go().await?;
        let next = self.next().await?;
        let look_at = next.look;
        let caps = self.caps().await?;
        let goes_on = match &stop {
            Some(Stop::OutOfTime) => Some(now),
            Some(Stop::Limited(until)) => Some(after_limit(*until, now)),
            // Every hour, by the catch-up: a person has to act first.
            Some(Stop::NotAuthorised) => None,
            Some(Stop::Disabled) | None => look_at,
        };
        report.state = match &stop {
            Some(Stop::OutOfTime | Stop::Limited(_) | Stop::NotAuthorised) => NightState::Running,
            Some(Stop::Disabled) | None if look_at.is_some() => NightState::WaitingForProof,
            Some(Stop::Disabled) | None => NightState::Finished,
        };
        report.stopped = stop.as_ref().map(Stop::why);
        report.finished_at = (report.state == NightState::Finished).then_some(now);
        report.lease_until = None;
        report.calls = report.calls.saturating_add(self.spent().calls);
        report.totals = self.totals_with_held().await?;
        self.tell_counts(true).await?;
        report.carried = self.tables.line_count(self.organisation(), Line::Waiting).await?;
        let sent = caps.used_in(self.night);
        let max = self.uploading.nightly_max;
        report.forecast = Some(Forecast::after(&caps, self.night, sent, report.carried, max, now));
        if let Some(at) = goes_on {
            self.round_later(report.scheduled_at, report.rounds, delay(at, now)).await?;
        }
        if let Some(at) = next.post.filter(|_| stop.is_none()) {
            self.post_again(at).await?;
        }
        match self.tables.store_night(&report).await {
            Ok(stored) => report = stored,
            // Our lease was over, and another run has the night now. It will write the report.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(report)
    }

    /// Gives the night free after a failure, so that it need not wait for the lease to end.
    async fn give_up(&self, report: NightReport) {
        let report = NightReport {
            lease_until: None,
            calls: report.calls.saturating_add(self.spent().calls),
            stopped: Some("the run failed; it is tried again".to_owned()),
            ..report
        };
        if let Err(error) = self.tables.store_night(&report).await {
            let chain = host::telemetry::chain(&error);
            tracing::error!(night = %self.night, error = chain, "the night could not be given free");
        }
    }
}

/// Candidates, by the decision about each.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// They do not go now.
    pub(crate) stay: Vec<Move>,
    /// Xero holds their money already.
    pub(crate) found: Vec<(Move, Vec<Certain>)>,
    /// They go in this night.
    pub(crate) nightly: Vec<SlotRequest>,
    /// They go at once.
    pub(crate) direct: Vec<SlotRequest>,
    /// They go at once, and are no attempts: invoices of the provider.
    pub(crate) uncounted: Vec<SlotRequest>,
}

impl Sorted {
    /// A payment that goes: in this night, while it has slots `left`; at once, if its route is no nightly one.
    fn send(&mut self, request: SlotRequest, left: usize) {
        let route = request.row.after.route();
        let is_nightly = route.is_ok_and(Route::is_nightly);
        let is_counted = route.is_ok_and(Route::is_counted);
        match (is_nightly, is_counted) {
            (true, _) if self.nightly.len() < left => self.nightly.push(request),
            (true, _) => self.stay.push(request.row),
            (false, true) => self.direct.push(request),
            (false, false) => self.uncounted.push(request),
        }
    }
}

/// The credit invoices among these rows.
pub(crate) fn credits_of(rows: &[Upload]) -> Vec<Upload> {
    rows.iter().filter(|row| row.route() == Ok(Route::ProviderCredit)).cloned().collect()
}

/// Who is planned first: payments that name their invoices, so that no older one without a name takes
/// those away (EX-01); then the oldest.
pub(crate) fn turn(row: &Upload) -> (bool, String) {
    (row.route().is_ok_and(Route::is_nightly), row.order())
}
