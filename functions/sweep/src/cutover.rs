//! A cut-over day that was changed: what was reported is gone through again for the warnings that hang on it (CM-03,
//! CM-04, AMB-35).

use payments::{Settings, cutover_moved};
use queue::Changes;

use crate::error::RunError;
use crate::run::{Run, Stop, Work};

/// Receipts that are read at once.
const RECEIPTS_PAGE: i32 = 1_000;

impl<C: Changes> Run<'_, C> {
    /// Raises the warnings that the new day brings, and ends those that it takes away. No call to Xero is made for it.
    pub(crate) async fn follow_cutover(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let judging = work.state.judging.as_deref();
        let earlier = judging.and_then(Settings::cutover_in);
        let Some(earlier) = earlier.filter(|day| *day != self.settings.cutover_on) else {
            return Ok(None);
        };
        let (organisation, mut after) = (self.organisation(), None);
        loop {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let page = self.tables.receipts(organisation, after.as_ref(), RECEIPTS_PAGE).await?;
            for receipt in &page.0 {
                let (raised, over) = cutover_moved(receipt, self.settings, earlier);
                self.tables.warn(organisation, &raised, self.now()).await?;
                for kind in over {
                    self.tables.end_message(organisation, kind.code(), receipt.id.as_str()).await?;
                }
                work.run.count("warnings", raised.len());
            }
            after = page.1;
            if after.is_none() {
                return Ok(None);
            }
        }
    }
}
