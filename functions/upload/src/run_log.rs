//! What a run did, as its row in the sync log (CC-09).

use std::collections::BTreeMap;

use host::telemetry;
use payments::sweep::{SyncKind, SyncRun, SyncState, Trigger};
use queue::Uploads;

use crate::error::RunError;
use crate::run::Run;

impl<Q: Uploads> Run<'_, Q> {
    /// A run that begins now.
    pub(crate) fn begun(&self, kind: SyncKind, trigger: Trigger) -> SyncRun {
        // Calls that were made before belong to an earlier run.
        let _ = self.xero.take_spent(self.organisation());
        // Nights run one at a time, and so do posts at once: no two rows have the same time.
        SyncRun::begun(self.organisation(), kind, trigger, 0, self.now())
    }

    /// Writes the row of a run that is over: why it stopped, or what went wrong. The work is done either way.
    pub(crate) async fn record(&self, run: SyncRun, ended: Result<Option<String>, &RunError>) {
        let mut run = run;
        let spent = self.spent();
        run.spent(spent.calls, spent.bytes);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for state in self.became.borrow().values() {
            *counts.entry(state.code()).or_default() += 1;
        }
        for (state, count) in counts {
            run.count(state, count);
        }
        let stopped = match ended {
            Ok(stopped) => stopped,
            Err(error) => {
                run.went_wrong(error.class(), telemetry::chain(error));
                None
            }
        };
        if self.refused.get() && run.errors.is_empty() {
            // Its door is closed, though the run ended in good order (AMB-36).
            run.failed("Authentication", 1);
        }
        let mut run = run.over(self.now());
        if stopped.is_some() {
            run.state = SyncState::Stopped;
            run.problem = stopped;
        }
        if let Err(error) = self.tables.record_run(&run).await {
            tracing::error!(
                xero.tenant_id = %self.organisation(),
                error = telemetry::chain(&error),
                "the row of a run could not be written"
            );
        }
    }
}
