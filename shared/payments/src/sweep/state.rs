//! What one sweep of an organisation leaves for the next, and who may sweep.

use jiff::{SignedDuration, Timestamp};

use super::cursor::{self, ListPosition, Progress};
use super::daily::DailyWork;
use super::rotation::Rotation;
use super::run::{SyncRunId, SyncState, Trigger};
use crate::ids::{InvoiceNumber, OrganisationId};
use crate::reason::codes;
use crate::settings::Settings;

/// After a person has asked for a run, so much time passes before another one is begun for a person
/// (CC-15). Counted from the beginning and again from the end.
pub const COOL_DOWN: SignedDuration = SignedDuration::from_secs(60);

/// How long after its last success a sweep of the night or of the morning is made up for.
const MADE_UP_AFTER: SignedDuration = SignedDuration::from_hours(25);

/// How often what an organisation that only uploads has in Xero is certified: nothing else says that its
/// connection is in use (AMB-37, CC-23).
const CERTIFIED_WITHIN: SignedDuration = SignedDuration::from_hours(12);

codes! {
    /// The sweeps of an organisation. They do not wait for each other.
    SweepKind {
        /// Of what changed.
        Changes = "changes",
        /// Of what is open.
        Open = "open_invoices",
        /// Whether every change of a payment is accounted for.
        Certificate = "certificate",
        /// Of Xero's contacts, for the business's customers (EX-36).
        Customers = "customers",
        /// Of the credit that Xero's contacts have left (ST-25). Its row says when it was read last.
        Credits = "credits",
    }
}

impl SweepKind {
    /// The work of a day that this sweep is.
    pub const fn daily(self) -> Option<DailyWork> {
        match self {
            Self::Changes | Self::Customers | Self::Credits => None,
            Self::Open => Some(DailyWork::FullSweep),
            Self::Certificate => Some(DailyWork::Certificate),
        }
    }
}

/// Whether a run may begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartDecision {
    /// It may.
    Go,
    /// Another one is at it.
    Running,
    /// A person has asked a moment ago.
    Cooling,
    /// What the same schedule asked for has been done: it came twice.
    Done,
}

/// How far an unfinished full sweep has come: first through Xero's open invoices, then through what is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenWalk {
    /// When it began.
    pub begun_at: Timestamp,
    /// Under which settings, in short ([`Settings::going_through`]).
    pub judging: String,
    /// From where Xero's list is read on; `None` once it was read to its end.
    pub xero: Option<ListPosition>,
    /// The number up to which the stored invoices were compared.
    pub after: Option<InvoiceNumber>,
    /// How many parts of what was seen are stored in rows of their own.
    pub parts: u32,
    /// Stored invoices that Xero does not have.
    pub awaiting: u32,
}

impl OpenWalk {
    /// One that begins.
    pub fn begun(settings: &Settings, now: Timestamp) -> Self {
        Self {
            begun_at: now,
            judging: settings.going_through(),
            xero: Some(ListPosition::from(Timestamp::UNIX_EPOCH)),
            after: None,
            parts: 0,
            awaiting: 0,
        }
    }
}

/// The row of one sweep of an organisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SweepState {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Which sweep.
    pub kind: SweepKind,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// When the last whole read of what changed began.
    pub cursor: Option<Timestamp>,
    /// How far the read has come that is not whole yet.
    pub progress: Option<Progress>,
    /// How far the full sweep has come that is not through yet.
    pub walk: Option<OpenWalk>,
    /// The settings, in short, under which what is stored was last gone through (AMB-35). Of the full sweep.
    pub judging: Option<String>,
    /// How many invoices of the business's own system Xero does not have, as the last full sweep found
    /// (AMB-39). Of the full sweep.
    pub awaiting: u32,
    /// How far everything else has been gone through. Of the full sweep.
    pub rotation: Option<Rotation>,
    /// The run that is at it, or was last.
    pub run: Option<SyncRunId>,
    /// Until when that run has it for itself; `None` once it has ended.
    pub lease_until: Option<Timestamp>,
    /// Until when no other person's wish is followed.
    pub cools_until: Option<Timestamp>,
    /// The latest scheduled time for which everything was done.
    pub scheduled_at: Option<Timestamp>,
    /// When something was tried last (AMB-07).
    pub last_attempt_at: Option<Timestamp>,
    /// What came of it.
    pub last_attempt: Option<SyncState>,
    /// When a whole read last had everything that it found on the queue, if Last Sync had to wait for that to be
    /// imported (CC-05). Of the sweep of what changed.
    pub queued_at: Option<Timestamp>,
    /// "Last Sync": when everything was last brought up to date, which is when what was found was imported (AMB-07,
    /// CC-05, CC-14).
    pub last_success_at: Option<Timestamp>,
}

impl SweepState {
    /// A sweep that has never been made.
    pub const fn new(organisation: OrganisationId, kind: SweepKind) -> Self {
        Self {
            organisation,
            kind,
            revision: 0,
            cursor: None,
            progress: None,
            walk: None,
            judging: None,
            awaiting: 0,
            rotation: None,
            run: None,
            lease_until: None,
            cools_until: None,
            scheduled_at: None,
            last_attempt_at: None,
            last_attempt: None,
            queued_at: None,
            last_success_at: None,
        }
    }

    /// Whether a run may begin now: of two at once only one does.
    pub fn may_start(
        &self,
        trigger: Trigger,
        scheduled_at: Option<Timestamp>,
        now: Timestamp,
    ) -> StartDecision {
        if self.lease_until.is_some_and(|until| until > now) {
            return StartDecision::Running;
        }
        match trigger {
            Trigger::Manual if self.cools_until.is_some_and(|until| until > now) => {
                StartDecision::Cooling
            }
            Trigger::Schedule if scheduled_at.is_some() && self.is_done_for(scheduled_at) => {
                StartDecision::Done
            }
            Trigger::Manual | Trigger::Schedule | Trigger::Queue => StartDecision::Go,
        }
    }

    /// Whether what was asked for then is done: by that schedule, or by a whole read that began later. So a message
    /// that waited long behind others asks nothing of Xero (CC-22).
    fn is_done_for(&self, scheduled_at: Option<Timestamp>) -> bool {
        self.scheduled_at >= scheduled_at || self.cursor > scheduled_at
    }

    /// The run before, if it has never ended: its process did.
    pub fn interrupted(&self) -> Option<&SyncRunId> {
        self.lease_until.and(self.run.as_ref())
    }

    /// Whether the next schedule of what changed makes up for this sweep of the night or of the morning: its
    /// last run was not through, or the schedule's own invocation never came to it; or it was due by the organisation's
    /// own clock then, and was not tried since (CC-22).
    pub fn is_due(&self, settings: &Settings, own_due: Option<Timestamp>, now: Timestamp) -> bool {
        if own_due.is_some_and(|due| self.last_attempt_at < Some(due)) {
            return true;
        }
        let late = |after| self.last_success_at.is_some_and(|at| now.duration_since(at) > after);
        match self.kind {
            SweepKind::Changes | SweepKind::Customers | SweepKind::Credits => false,
            SweepKind::Certificate if !settings.mirror_enabled => {
                self.last_success_at.is_none() || late(CERTIFIED_WITHIN)
            }
            SweepKind::Certificate => self.is_to_be_made_up_for(now) || late(MADE_UP_AFTER),
            SweepKind::Open => {
                self.is_to_be_made_up_for(now)
                    || late(MADE_UP_AFTER)
                    || self.is_to_be_judged_again(settings)
            }
        }
    }

    /// Whether the last run was not through and no process is at it: the rest of the night is made up for.
    pub fn is_to_be_made_up_for(&self, now: Timestamp) -> bool {
        match self.last_attempt {
            None | Some(SyncState::Finished) => false,
            Some(SyncState::Stopped | SyncState::Failed | SyncState::Interrupted) => true,
            Some(SyncState::Running) => self.lease_until.is_none_or(|until| until <= now),
        }
    }

    /// Gives the sweep to a run until the lease is over.
    pub fn begin(
        &mut self,
        run: SyncRunId,
        trigger: Trigger,
        lease_until: Timestamp,
        now: Timestamp,
    ) {
        self.run = Some(run);
        self.lease_until = Some(lease_until);
        self.last_attempt_at = Some(now);
        self.last_attempt = Some(SyncState::Running);
        self.cool_down(trigger, now);
    }

    /// The run has ended. `whole` says whether it was about everything: an invoice or a window that a
    /// person asked for brings nothing else up to date.
    pub fn end(
        &mut self,
        state: SyncState,
        trigger: Trigger,
        scheduled_at: Option<Timestamp>,
        whole: bool,
        now: Timestamp,
    ) {
        self.lease_until = None;
        self.last_attempt = Some(state);
        self.cool_down(trigger, now);
        if whole && state == SyncState::Finished {
            self.last_success_at = Some(now);
            self.scheduled_at = self.scheduled_at.max(scheduled_at);
        }
    }

    /// What the run that has just ended found is on the queue and not imported yet: Last Sync stays where it was,
    /// and moves when it is (CC-05).
    pub const fn wait_for_import(&mut self, last_success_at: Option<Timestamp>) {
        self.queued_at = self.last_success_at;
        self.last_success_at = last_success_at;
    }

    fn cool_down(&mut self, trigger: Trigger, now: Timestamp) {
        if trigger == Trigger::Manual {
            self.cools_until = now.saturating_add(COOL_DOWN).ok();
        }
    }

    /// From where a read goes on, or begins.
    pub fn next_read(&self, now: Timestamp) -> Progress {
        self.progress.unwrap_or_else(|| Progress::from(cursor::since(self.cursor, now)))
    }

    /// Whether settings have changed by which what is stored is judged, and not everything that they concern
    /// was put on the queue again (AMB-35, CM-41).
    pub fn is_to_be_judged_again(&self, settings: &Settings) -> bool {
        self.judging.as_ref().is_some_and(|judging| *judging != settings.going_through())
    }

    /// The full sweep is through.
    pub fn gone_through(&mut self, walk: OpenWalk) {
        self.judging = Some(walk.judging);
        self.awaiting = walk.awaiting;
        self.walk = None;
    }

    /// The walk through Xero's contacts that was left, or one through what changed of them since the last whole read;
    /// through all of them, the first time.
    pub fn contacts_walk(&self, now: Timestamp) -> OpenWalk {
        let since = match self.cursor {
            Some(cursor) => cursor::since(Some(cursor), now),
            None => Timestamp::UNIX_EPOCH,
        };
        self.walk.clone().unwrap_or(OpenWalk {
            begun_at: cursor::begun_at(now, now, None),
            judging: String::new(),
            xero: Some(ListPosition::from(since)),
            after: None,
            parts: 0,
            awaiting: 0,
        })
    }

    /// A page is on the queue, and the read is not over.
    pub const fn reached(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// The read that began then is whole, and everything that it showed is on the queue. The cursor never
    /// goes back.
    pub fn read_whole(&mut self, begun_at: Timestamp) {
        self.progress = None;
        self.cursor = self.cursor.max(Some(begun_at));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sweep::SyncKind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn begun(trigger: Trigger) -> SweepState {
        let organisation = OrganisationId::new(Uuid::from_u128(1));
        let mut state = SweepState::new(organisation, SweepKind::Changes);
        let run = SyncRunId::new(at(0), SyncKind::Sweep, 1);
        state.begin(run, trigger, at(900), at(0));
        state
    }

    #[test]
    fn of_two_runs_one_begins_until_the_lease_is_over() {
        let state = begun(Trigger::Schedule);
        for trigger in Trigger::ALL {
            assert_eq!(state.may_start(*trigger, None, at(899)), StartDecision::Running);
            assert_eq!(state.may_start(*trigger, None, at(900)), StartDecision::Go);
        }
        assert!(state.interrupted().is_some(), "no process has ended it");
    }

    #[test]
    fn a_person_may_ask_once_a_minute() {
        // CC-15
        let mut state = begun(Trigger::Manual);
        state.end(SyncState::Finished, Trigger::Manual, None, true, at(30));
        assert_eq!(state.may_start(Trigger::Manual, None, at(89)), StartDecision::Cooling);
        assert_eq!(state.may_start(Trigger::Manual, None, at(90)), StartDecision::Go);
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(60)), at(60)), StartDecision::Go);
        let mut state = begun(Trigger::Schedule);
        state.end(SyncState::Finished, Trigger::Schedule, Some(at(0)), true, at(30));
        assert_eq!(state.may_start(Trigger::Manual, None, at(31)), StartDecision::Go);
    }

    #[test]
    fn a_schedule_that_comes_twice_is_followed_once_and_again_if_it_failed() {
        let mut state = begun(Trigger::Schedule);
        state.end(SyncState::Failed, Trigger::Schedule, Some(at(0)), true, at(30));
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(0)), at(60)), StartDecision::Go);
        state.end(SyncState::Finished, Trigger::Schedule, Some(at(0)), true, at(70));
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(0)), at(80)), StartDecision::Done);
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(1800)), at(1800)), StartDecision::Go);
    }

    #[test]
    fn a_schedule_that_comes_late_finds_a_later_read_and_is_done() {
        // CC-22
        let mut state = begun(Trigger::Manual);
        state.read_whole(at(10));
        state.end(SyncState::Finished, Trigger::Manual, None, true, at(30));
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(9)), at(100)), StartDecision::Done);
        assert_eq!(state.may_start(Trigger::Schedule, Some(at(11)), at(100)), StartDecision::Go);
    }

    #[test]
    fn last_sync_moves_on_success_only_and_only_if_it_was_about_everything() {
        // AMB-07, CC-14
        for (state, whole, moved) in [
            (SyncState::Finished, true, true),
            (SyncState::Finished, false, false),
            (SyncState::Stopped, true, false),
            (SyncState::Failed, true, false),
        ] {
            let mut sweep = begun(Trigger::Manual);
            sweep.end(state, Trigger::Manual, None, whole, at(30));
            assert_eq!(sweep.last_success_at.is_some(), moved, "{state} {whole}");
            assert_eq!(sweep.last_attempt, Some(state));
            assert_eq!(sweep.last_attempt_at, Some(at(0)));
        }
    }

    #[test]
    fn what_was_not_finished_is_to_be_made_up_for_unless_somebody_is_at_it() {
        let mut state = begun(Trigger::Schedule);
        assert!(!state.is_to_be_made_up_for(at(899)));
        assert!(state.is_to_be_made_up_for(at(900)), "its process ended");
        for (end, due) in
            [(SyncState::Stopped, true), (SyncState::Failed, true), (SyncState::Finished, false)]
        {
            state.end(end, Trigger::Schedule, None, true, at(30));
            assert_eq!(state.is_to_be_made_up_for(at(31)), due, "{end}");
        }
        let never = SweepState::new(state.organisation, SweepKind::Open);
        assert!(!never.is_to_be_made_up_for(at(0)), "its night will come");
    }

    #[test]
    fn the_cursor_never_goes_back() {
        let mut state = begun(Trigger::Schedule);
        state.read_whole(at(100));
        state.read_whole(at(50));
        assert_eq!(state.cursor, Some(at(100)));
        assert_eq!(state.next_read(at(500)).since, at(100) - super::super::OVERLAP);
    }
}
