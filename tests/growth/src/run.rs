//! A run of one organisation.

use jiff::Timestamp;
use payments::sweep::{DailyWork, SweepKind, SyncKind};
use queue::ScheduledWork;

/// The kinds of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Sweep,
    Check,
    Open,
    Certificate,
    Digest,
    Customers,
    Night,
}

impl Kind {
    pub(crate) const fn of(work: DailyWork) -> Self {
        match work {
            DailyWork::FullSweep => Self::Open,
            DailyWork::Certificate => Self::Certificate,
            DailyWork::Digest => Self::Digest,
        }
    }

    pub(crate) const fn daily(self) -> Option<DailyWork> {
        match self {
            Self::Open => Some(DailyWork::FullSweep),
            Self::Certificate => Some(DailyWork::Certificate),
            Self::Digest => Some(DailyWork::Digest),
            Self::Sweep | Self::Check | Self::Customers | Self::Night => None,
        }
    }

    /// The work of its messages. Nights have a queue of their own.
    pub(crate) const fn work(self) -> ScheduledWork {
        match self {
            Self::Sweep | Self::Night => ScheduledWork::Changes,
            Self::Check => ScheduledWork::Check,
            Self::Customers => ScheduledWork::Customers,
            Self::Open => ScheduledWork::Open,
            Self::Certificate => ScheduledWork::Certificate,
            Self::Digest => ScheduledWork::Digest,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Check => "check",
            Self::Open => "full sweep",
            Self::Certificate => "certificate",
            Self::Digest => "digest",
            Self::Customers => "customer sync",
            Self::Night => "night",
        }
    }

    /// The sweep that it is, if it is one.
    pub(crate) const fn sweep(self) -> Option<(SweepKind, SyncKind)> {
        match self {
            Self::Sweep => Some((SweepKind::Changes, SyncKind::Sweep)),
            Self::Open => Some((SweepKind::Open, SyncKind::FullSweep)),
            Self::Certificate => Some((SweepKind::Certificate, SyncKind::Certificate)),
            Self::Customers => Some((SweepKind::Customers, SyncKind::Customers)),
            Self::Check | Self::Digest | Self::Night => None,
        }
    }
}

/// A run that goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) kind: Kind,
    pub(crate) member: usize,
    pub(crate) due: Timestamp,
    pub(crate) calls: u32,
    pub(crate) pause: i64,
    pub(crate) begun: Timestamp,
    /// When its invocation began.
    pub(crate) invoked: Timestamp,
    /// Whether it is, or follows, a sweep of what changed.
    pub(crate) is_of_sweep: bool,
}

impl Run {
    pub(crate) const fn new(kind: Kind, member: usize, due: Timestamp, now: Timestamp) -> Self {
        let is_of_sweep = matches!(kind, Kind::Sweep);
        Self { kind, member, due, calls: 0, pause: 0, begun: now, invoked: now, is_of_sweep }
    }
}
