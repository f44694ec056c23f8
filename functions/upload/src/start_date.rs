//! A start date that was changed: payments that only the earlier one kept back are judged again (AMB-35).

use payments::OrganisationId;
use payments::upload::{Line, UploadStart, freed_by_start};
use queue::{UploadTask, Uploads};
use table::{ConnectionRow, ReadError, Tables};

use crate::error::RunError;
use crate::resumption::MOMENT;
use crate::run::{Move, Run};

impl<Q: Uploads> Run<'_, Q> {
    /// Puts into their lines again what the start date kept back before it was changed, and notes by which start
    /// date payments are kept back now. If the time is over before that, the next run begins again.
    pub(crate) async fn follow_start(&self) -> Result<(), RunError> {
        let Some(starting) = self.settings.starting() else { return Ok(()) };
        let row = remembered(self.tables, self.organisation()).await?;
        let judged = row.and_then(|row| row.judged_start);
        let is_changed = judged.as_ref().is_some_and(|judged| *judged != starting);
        if is_changed && !self.judge_kept_back().await? {
            return Ok(());
        }
        if judged.as_ref() != Some(&starting) {
            self.tables.judged_by_start(self.organisation(), &starting).await?;
        }
        Ok(())
    }

    /// Whether it came to the end.
    async fn judge_kept_back(&self) -> Result<bool, RunError> {
        let from = match self.uploading.start {
            UploadStart::Day(day) => day,
            UploadStart::Moment(moment) => self.settings.day_of(moment),
        };
        let (mut after, mut is_direct) = (None, false);
        loop {
            if self.is_over() {
                return Ok(false);
            }
            let page = self.tables.kept_back_by_start(self.organisation(), from, after).await?;
            let mut moves = Vec::new();
            for row in page.uploads {
                let freed = freed_by_start(&row, self.settings, self.uploading, self.now());
                let Some(freed) = freed else { continue };
                is_direct |= freed.line() == Some(Line::Direct);
                let mut moved = Move::of(row);
                moved.after = freed;
                moves.push(moved);
            }
            self.write(moves).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if is_direct {
            // Their line lags by a moment, and may not show them to this run.
            let task = UploadTask::Direct { organisation: self.organisation() };
            let pause = u16::try_from(MOMENT.as_secs()).unwrap_or(u16::MAX);
            self.uploads.send(&task, pause).await?;
        }
        Ok(true)
    }
}

/// The row of an organisation's connection. One that cannot be read says nothing, and keeps no payment back.
pub(crate) async fn remembered(
    tables: &Tables,
    organisation: OrganisationId,
) -> Result<Option<ConnectionRow>, ReadError> {
    match tables.connection(organisation).await {
        Err(ReadError::Unreadable { .. }) => Ok(None),
        read => read,
    }
}
