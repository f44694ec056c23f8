//! The page of discrepancies: one of them by `place`, or all that are open.

use super::{PageError, Stage, discrepancies, one_discrepancy};

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    if stage.show.filter.place.is_empty() {
        discrepancies::show(stage).await
    } else {
        one_discrepancy::show(stage).await
    }
}
