//! A report that a person orders: of a week, a month, a quarter, or any days (SP-27).

use commands::reply::ReportReply;
use commands::{Attribution, Kind, PeriodOf};
use figures::ReportPeriod;
use payments::Occurrence;
use serde_json::json;
use table::AuditEntry;

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Has a report made, or counted again if it is there. Who orders it is written down first.
    pub(crate) async fn make_report(
        &self,
        of: &PeriodOf,
        by: &Attribution,
    ) -> Result<ReportReply, ExecutionError> {
        let wrong = |words: &str| ExecutionError::Field(Kind::MakeReport, words.to_owned());
        let settings = self.tables.settings(of.organisation).await;
        let settings = settings.map_err(|error| tables(&error))?;
        let settings = settings.ok_or_else(|| wrong("the organisation is not set up here"))?;
        let period = ReportPeriod::of_days(of.first_day, of.last_day).ok_or_else(|| {
            wrong("the last day comes before the first one, or they are more than 367 days")
        })?;
        if settings.today(self.clock.now()) <= period.last {
            return Err(wrong("the last day is not over"));
        }
        let reporter = self.reporter.as_ref().ok_or(invoker::InvokeError::NoFunction)?;
        let report = period.to_string();
        let order = AuditEntry {
            action: Occurrence::ReportOrdered,
            subject: &report,
            reason: "report",
            by: by.by(),
            why: by.reason(),
            at: self.clock.now(),
        };
        let written = self.tables.log_order(Some(of.organisation), &order).await;
        written.map_err(|error| tables(&error))?;
        let wish = json!({"organisation": of.organisation, "period": report, "by": by.by()});
        reporter.start(&json!({ "report": wish })).await?;
        Ok(ReportReply { report, recorded: true })
    }
}
