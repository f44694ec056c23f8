//! What a run is to do, for whom.

use commands::Attribution;
use jiff::Timestamp;
use payments::sweep::{SweepKind, SyncKind, Trigger};

/// The invoices or payments that a run looks at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// Everything that changed since the last time.
    Changes,
    /// Every open invoice, and what is stored of it.
    Open,
    /// Whether every change of a payment is accounted for.
    Certificate,
    /// Xero's contacts, for the business's customers.
    Customers,
    /// One invoice, by its number.
    Invoice(String),
    /// What changed between two moments.
    Window { from: Timestamp, to: Timestamp },
}

impl Target {
    /// The sweep that this is a run of.
    pub(crate) const fn sweep(&self) -> SweepKind {
        match self {
            Self::Open => SweepKind::Open,
            Self::Certificate => SweepKind::Certificate,
            Self::Customers => SweepKind::Customers,
            Self::Changes | Self::Invoice(_) | Self::Window { .. } => SweepKind::Changes,
        }
    }

    pub(crate) const fn kind(&self) -> SyncKind {
        match self {
            Self::Changes => SyncKind::Sweep,
            Self::Open => SyncKind::FullSweep,
            Self::Certificate => SyncKind::Certificate,
            Self::Customers => SyncKind::Customers,
            Self::Invoice(_) => SyncKind::Invoice,
            Self::Window { .. } => SyncKind::Window,
        }
    }

    /// Whether success means that everything is up to date.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Changes | Self::Open | Self::Certificate | Self::Customers)
    }

    /// What it is about, if not everything.
    pub(crate) fn subject(&self) -> Option<String> {
        match self {
            Self::Changes | Self::Open | Self::Certificate | Self::Customers => None,
            Self::Invoice(number) => Some(number.clone()),
            Self::Window { from, to } => Some(format!("{from} to {to}")),
        }
    }
}

/// A run that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) target: Target,
    /// The time that its schedule carried, if the clock asks.
    pub(crate) scheduled_at: Option<Timestamp>,
    /// Who orders it, if a person does.
    pub(crate) attribution: Option<Attribution>,
}

impl Wanted {
    pub(crate) const fn trigger(&self) -> Trigger {
        match self.attribution {
            Some(_) => Trigger::Manual,
            None => Trigger::Schedule,
        }
    }
}
