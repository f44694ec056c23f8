//! What a night would do: the same judgement, and nothing written or sent.

use commands::reply::{Disposition, NightPlan, PlannedPayment};
use jiff::Timestamp;
use payments::Money;
use payments::upload::{
    Caps, Hold, Line, Route, Skip, Target, Upload, UploadDecision, applicable_commands,
};
use queue::Uploads;

use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::night::turn;
use crate::run::Run;

/// Most waiting payments in a preview: two nights' worth. Those on hold come on top.
pub(crate) const LISTED_MAX: usize = 400;

impl<Q: Uploads> Run<'_, Q> {
    /// What the night would do if it were run at this moment.
    pub(crate) async fn preview(&self, at: Timestamp, max: usize) -> Result<NightPlan, RunError> {
        let caps = self.caps().await?;
        let left = match &caps.disabled {
            None => caps.left(self.night, self.uploading.nightly_max, at),
            Some(_) => 0,
        };
        let mut rows = self.whole_line(Line::Held).await?;
        rows.retain(|row| row.hold().is_some_and(Hold::is_judged_anew));
        rows.extend(self.whole_line(Line::Direct).await?);
        let mut waiting = Vec::new();
        let mut cursor = None;
        loop {
            let left = max.saturating_sub(waiting.len()).min(LISTED_MAX);
            let page = self.tables.line(self.organisation(), Line::Waiting, cursor, left).await?;
            waiting.extend(page.0);
            cursor = page.1;
            if cursor.is_none() || waiting.len() >= max {
                break;
            }
        }
        let listed = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        rows.extend(waiting);
        rows.sort_by_key(turn);
        let rows = self.with_credit_lines(rows);
        let judged = Box::pin(self.judge(&rows, &EvaluationContext::default())).await?;
        let waiting = self.tables.line_count(self.organisation(), Line::Waiting).await?;
        Ok(self.describe(&caps, left, waiting.saturating_sub(listed), rows, judged.judgements))
    }

    fn describe(
        &self,
        caps: &Caps,
        left: u32,
        behind: u32,
        rows: Vec<Upload>,
        judged: Vec<UploadDecision>,
    ) -> NightPlan {
        let mut slots = left;
        let mut go = 0_u32;
        // Payments too far back in the line to be judged wait in any case.
        let mut wait = behind;
        let payments = rows.into_iter().zip(judged).map(|(row, judgement)| {
            let mut planned = planned_of(&row, self.now());
            match judgement {
                UploadDecision::Skip(skip, why) => {
                    leave(&mut planned, Disposition::Skip, skip.code(), why);
                }
                UploadDecision::Hold(hold, why) => {
                    leave(&mut planned, Disposition::Hold, hold.code(), why);
                }
                UploadDecision::Found(_) => {
                    let why = "a payment in Xero is the same".to_owned();
                    leave(&mut planned, Disposition::Skip, Skip::AlreadyInXero.code(), why);
                }
                UploadDecision::Suspect(suspicion) => {
                    let hold = Hold::PossibleDuplicate.code();
                    leave(&mut planned, Disposition::Hold, hold, suspicion.why);
                }
                UploadDecision::Send(parts) => {
                    planned.parts = parts.iter().map(part).collect();
                    let is_nightly = row.route().is_ok_and(Route::is_nightly);
                    if is_nightly && slots == 0 {
                        planned.would = Disposition::Wait;
                        wait = wait.saturating_add(1);
                    } else {
                        slots = slots.saturating_sub(u32::from(is_nightly));
                        go = go.saturating_add(1);
                    }
                }
            }
            planned
        });
        let payments = payments.collect();
        NightPlan {
            organisation: self.organisation(),
            night: self.night.to_string(),
            would_go: go,
            would_wait: wait,
            slots_left: left,
            attempts: caps.attempts(self.now()),
            disabled: caps.disabled.as_ref().map(|disabled| disabled.why.clone()),
            payments,
        }
    }
}

fn planned_of(row: &Upload, now: Timestamp) -> PlannedPayment {
    PlannedPayment {
        payment: row.receipt.id.clone(),
        amount: row.receipt.amount.to_string(),
        date: row.receipt.date.to_string(),
        route: row.route().ok().map(|route| route.code().to_owned()),
        would: Disposition::Go,
        reason: None,
        why: None,
        orders: applicable_commands(row, now).map(|order| order.code().to_owned()).collect(),
        parts: Vec::new(),
    }
}

fn leave(planned: &mut PlannedPayment, would: Disposition, reason: &str, why: String) {
    planned.would = would;
    planned.reason = Some(reason.to_owned());
    planned.why = Some(why);
}

fn part((target, amount): &(Target, Money)) -> String {
    match target {
        Target::Invoice { number, .. } => format!("{amount} on {number}"),
        Target::Prepayment { .. } => format!("{amount} as a prepayment"),
        Target::Bill { .. } => format!("{amount} as a bill"),
        Target::CreditNote { .. } => format!("{amount} as a credit note"),
        Target::Allocation { .. } => format!("{amount} of a credit note on a bill"),
    }
}
