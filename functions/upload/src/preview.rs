//! What a night would do: the same judgement, and nothing written or sent.

use jiff::Timestamp;
use payments::upload::{
    Caps, Hold, Line, PaymentCommand, Route, Skip, Target, Upload, UploadDecision,
    applicable_commands,
};
use payments::{Money, OrganisationId, PaymentId};
use queue::Uploads;
use serde::Serialize;

use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::night::turn;
use crate::run::Run;

/// Most waiting payments in a preview: two nights' worth. Those on hold come on top.
const LISTED_MAX: usize = 400;

/// The plan of the next night of an organisation.
#[derive(Debug, Serialize)]
pub(crate) struct Preview {
    organisation: OrganisationId,
    night: String,
    /// How many would go.
    would_go: usize,
    /// How many would wait for a later night.
    would_wait: u32,
    /// Slots left in the night.
    slots_left: u32,
    /// Attempts in the last 30 days.
    attempts: u32,
    /// Whether uploading is off, and why.
    disabled: Option<String>,
    payments: Vec<Planned>,
}

#[derive(Debug, Serialize)]
struct Planned {
    payment: PaymentId,
    amount: String,
    date: String,
    route: Option<&'static str>,
    would: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What a person could order about it, and change something by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orders: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

impl<Q: Uploads> Run<'_, Q> {
    /// What the night would do if it were run at this moment.
    pub(crate) async fn preview(&self, at: Timestamp) -> Result<Preview, RunError> {
        let caps = self.caps().await?;
        let left = match &caps.disabled {
            None => caps.left(self.night, self.uploading.nightly_max, at),
            Some(_) => 0,
        };
        let mut rows = self.whole_line(Line::Held).await?;
        rows.retain(|row| row.hold().is_some_and(Hold::is_judged_anew));
        rows.extend(self.whole_line(Line::Direct).await?);
        let waiting =
            self.tables.line(self.organisation(), Line::Waiting, None, LISTED_MAX).await?;
        let listed = u32::try_from(waiting.0.len()).unwrap_or(u32::MAX);
        rows.extend(waiting.0);
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
    ) -> Preview {
        let mut slots = left;
        let mut go = 0;
        // Payments too far back in the line to be judged wait in any case.
        let mut wait = behind;
        let payments = rows.into_iter().zip(judged).map(|(row, judgement)| {
            let mut planned = Planned::of(&row, self.now());
            match judgement {
                UploadDecision::Skip(skip, why) => planned.not("skip", skip.code(), why),
                UploadDecision::Hold(hold, why) => planned.not("hold", hold.code(), why),
                UploadDecision::Found(_) => planned.not(
                    "skip",
                    Skip::AlreadyInXero.code(),
                    "a payment in Xero is the same".to_owned(),
                ),
                UploadDecision::Suspect(suspicion) => {
                    planned.not("hold", Hold::PossibleDuplicate.code(), suspicion.why);
                }
                UploadDecision::Send(parts) => {
                    planned.parts = parts.iter().map(part).collect();
                    let is_nightly = row.route().is_ok_and(Route::is_nightly);
                    if is_nightly && slots == 0 {
                        planned.would = "wait";
                        wait = wait.saturating_add(1);
                    } else {
                        slots = slots.saturating_sub(u32::from(is_nightly));
                        go += 1;
                    }
                }
            }
            planned
        });
        let payments = payments.collect();
        Preview {
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

impl Planned {
    fn of(row: &Upload, now: Timestamp) -> Self {
        Self {
            payment: row.receipt.id.clone(),
            amount: row.receipt.amount.to_string(),
            date: row.receipt.date.to_string(),
            route: row.route().ok().map(Route::code),
            would: "go",
            reason: None,
            why: None,
            orders: applicable_commands(row, now).map(PaymentCommand::code).collect(),
            parts: Vec::new(),
        }
    }

    fn not(&mut self, would: &'static str, reason: &'static str, why: String) {
        self.would = would;
        self.reason = Some(reason);
        self.why = Some(why);
    }
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
