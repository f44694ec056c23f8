//! What fails of the work on a connection: the last run of each kind of work, and single items (AMB-36, CC-04).

use jiff::Timestamp;

use crate::health_issue::HealthIssue;
use crate::reason::codes;
use crate::sweep::{SyncKind, SyncRun, SyncState};

codes! {
    /// Work in which a run makes up for the one before it: the last run of each decides.
    Work {
        /// Looking for what changed in Xero.
        Sweep = "sweep",
        /// Comparing all open invoices.
        FullSweep = "full_sweep",
        /// Bringing payments from Xero.
        Mirror = "mirror",
        /// Uploading in the night.
        Night = "night",
        /// Posting at once.
        Direct = "direct",
    }
}

impl Work {
    /// The work that a run belongs to. Intake is the business's own system's side, and a certificate has a
    /// trouble of its own.
    pub const fn of(kind: SyncKind) -> Option<Self> {
        match kind {
            SyncKind::Sweep | SyncKind::Invoice | SyncKind::Window => Some(Self::Sweep),
            SyncKind::FullSweep => Some(Self::FullSweep),
            SyncKind::Mirror => Some(Self::Mirror),
            SyncKind::Night => Some(Self::Night),
            SyncKind::Direct => Some(Self::Direct),
            SyncKind::Certificate | SyncKind::Customers | SyncKind::Intake => None,
        }
    }
}

/// A run that failed, and after which no run of the same work was good.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FailedRun {
    /// The class of its error (A7.3).
    pub class: &'static str,
    /// Which work.
    pub work: Work,
    /// When it ended.
    pub at: Timestamp,
}

/// What a run says of its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunSays {
    /// It failed.
    Failed(FailedRun),
    /// The work is well.
    Good,
    /// Nothing: it has not ended, or it only met a limit (A7.3: stays Active).
    Nothing,
}

/// What a run says of its work, and which work that is.
pub fn says(run: &SyncRun) -> Option<(Work, RunSays)> {
    let work = Work::of(run.kind)?;
    let Some(at) = run.ended_at else { return Some((work, RunSays::Nothing)) };
    let class = run.errors.keys().map(|class| class_of(class)).filter(|class| *class != LIMIT);
    let says = match class.min() {
        Some(class) => RunSays::Failed(FailedRun { class, work, at }),
        None if run.state == SyncState::Finished && run.errors.is_empty() => RunSays::Good,
        None => RunSays::Nothing,
    };
    Some((work, says))
}

const LIMIT: &str = "Limit";

/// The class (A7.3) of what a run counted. A table or a queue, not Xero, did not answer in time.
pub fn class_of(counted: &str) -> &'static str {
    match counted {
        "Authentication" => "Authentication",
        "Limit" => LIMIT,
        "Validation" | "Upload" | "Schema" => "Validation",
        _ => "Timeout",
    }
}

/// Everything that fails of a connection's work.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Failures {
    /// The last runs that failed, one of each work at most.
    pub runs: Vec<FailedRun>,
    /// Uploads that Xero has refused, or parts of them.
    pub refused: u32,
    /// Uploads that may or may not be in Xero: their outcome is unknown.
    pub unknown: u32,
    /// Uploads that have a slot or were sent, and stand still.
    pub standing: u32,
    /// What came from Xero and is parked.
    pub parked: u32,
}

impl Failures {
    /// Uploads that fail.
    pub fn uploads(&self) -> u32 {
        self.refused.saturating_add(self.unknown).saturating_add(self.standing)
    }

    /// The class under which a trouble is shown: a failed run brings its own.
    pub fn class(&self, trouble: HealthIssue) -> &'static str {
        let of_run = self.runs.iter().map(|run| run.class).min();
        of_run.filter(|_| trouble == HealthIssue::RunFailed).unwrap_or(trouble.class())
    }

    /// A trouble for people, with the number of what fails.
    pub fn words(&self, trouble: HealthIssue) -> String {
        let words = trouble.words();
        let numbers = match trouble {
            HealthIssue::RunFailed => {
                let run = |run: &FailedRun| format!("{} {}", run.work, run.class);
                self.runs.iter().map(run).collect()
            }
            HealthIssue::ItemsFailing => {
                let of = [
                    (self.refused, "refused"),
                    (self.unknown, "unknown"),
                    (self.standing, "standing still"),
                ];
                let of = of.into_iter().filter(|(count, _)| *count > 0);
                of.map(|(count, what)| format!("{count} {what}")).collect()
            }
            HealthIssue::Parked if self.parked > 0 => vec![self.parked.to_string()],
            _ => Vec::new(),
        };
        if numbers.is_empty() {
            words.to_owned()
        } else {
            format!("{words}: {}", numbers.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Trigger;

    fn run(kind: SyncKind, classes: &[&str]) -> SyncRun {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let mut run = SyncRun::begun(organisation, kind, Trigger::Queue, 7, now);
        for class in classes {
            run.failed(class, 1);
        }
        run.over(now)
    }

    fn class(classes: &[&str]) -> Option<&'static str> {
        match says(&run(SyncKind::Mirror, classes)) {
            Some((_, RunSays::Failed(failed))) => Some(failed.class),
            _ => None,
        }
    }

    #[test]
    fn a_failed_run_has_the_class_of_its_worst_error_and_a_limit_is_none() {
        // AMB-36, A7.3
        assert_eq!(says(&run(SyncKind::Night, &[])), Some((Work::Night, RunSays::Good)));
        assert_eq!(says(&run(SyncKind::Night, &["Limit"])), Some((Work::Night, RunSays::Nothing)));
        assert_eq!(class(&["Limit", "Timeout"]), Some("Timeout"));
        assert_eq!(class(&["Authentication", "Tables"]), Some("Authentication"));
        assert_eq!(class(&["Interrupted"]), Some("Timeout"));
        assert_eq!(class(&["Schema"]), Some("Validation"), "an unknown shape is no outage");
        assert_eq!(says(&run(SyncKind::Intake, &["Tables"])), None, "another side's");
        let stopped = SyncRun { state: SyncState::Stopped, ..run(SyncKind::Night, &[]) };
        assert_eq!(says(&stopped), Some((Work::Night, RunSays::Nothing)));
    }

    #[test]
    fn what_fails_is_said_with_its_number() {
        // AMB-36
        let failures = Failures { refused: 2, standing: 1, parked: 3, ..Failures::default() };
        assert!(
            failures.words(HealthIssue::ItemsFailing).ends_with(": 2 refused, 1 standing still")
        );
        assert!(failures.words(HealthIssue::Parked).ends_with(": 3"));
        let at = Timestamp::UNIX_EPOCH;
        let failed = |class, work| FailedRun { class, work, at };
        let runs = vec![failed("Timeout", Work::Sweep), failed("Authentication", Work::Night)];
        let failures = Failures { runs, ..Failures::default() };
        assert_eq!(failures.class(HealthIssue::RunFailed), "Authentication");
        assert_eq!(failures.class(HealthIssue::Stale), "Timeout");
    }
}
