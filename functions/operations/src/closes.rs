//! Business days are closed on the order of a person: those that are due, or one of them again (SP-13).

use commands::reply::CloseReply;
use commands::{Attribution, Close, Kind};
use jiff::Timestamp;
use payments::Occurrence;
use reconcile::{CloseWish, Reconciler};
use table::AuditEntry;

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// The object of an order that names no day.
const ALL_DUE: &str = "what is due";

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Closes days as the schedule does it. Who orders it is written down first: an order that is cut off was given all the
    /// same.
    pub(crate) async fn close(
        &self,
        which: &Close,
        by: &Attribution,
        deadline: Timestamp,
    ) -> Result<CloseReply, ExecutionError> {
        let settings = self.tables.settings(which.organisation).await;
        if settings.map_err(|error| tables(&error))?.is_none() {
            let words = "the organisation is not set up here".to_owned();
            return Err(ExecutionError::Field(Kind::Close, words));
        }
        let subject = which.day.map_or_else(|| ALL_DUE.to_owned(), |day| day.to_string());
        let order = AuditEntry {
            action: Occurrence::CloseOrdered,
            subject: &subject,
            reason: "close",
            by: by.by(),
            why: by.reason(),
            at: self.clock.now(),
        };
        let written = self.tables.log_order(Some(which.organisation), &order).await;
        written.map_err(|error| tables(&error))?;
        let reconciler = Reconciler::new(self.tables.clone(), self.clock.clone());
        let wish = CloseWish::of(which.organisation, which.day);
        let closes = reconciler.close(&wish, deadline).await?;
        Ok(CloseReply { closes, recorded: true })
    }
}
