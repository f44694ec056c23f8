//! The shadow begins, is looked at, and ends by one order, once nothing stands in the way (CM-02, CM-03, CM-30).

use commands::Attribution;
use commands::reply::{ReadinessPoint, ShadowReply};
use jiff::Timestamp;
use payments::shadow::{QUIET_DAYS, Shadow, SwitchFacts, SwitchPoint, points};
use payments::sweep::SweepKind;
use payments::{OrganisationId, Settings};
use queue::{Changes, Uploads};

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// Reports that are read: of the quiet days, and of today.
const REPORTS: u16 = 8;

impl<C: Changes, U: Uploads, Q, B> Operations<C, U, Q, B> {
    /// From now on everything is decided, and nothing is done.
    pub(crate) async fn enter_shadow(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
    ) -> Result<ShadowReply, ExecutionError> {
        let settings = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        if settings.is_none() {
            return Err(ExecutionError::NotInShadow(organisation));
        }
        let said = (attribution.by(), attribution.reason());
        let entered = self.tables.enter_shadow(organisation, said, self.clock.now()).await;
        let recorded = entered.map_err(|error| tables(&error))?;
        let done = if recorded {
            "It is in shadow from now on: nothing is written to Xero, and no payment is changed."
        } else {
            "It was in shadow already."
        };
        Ok(ShadowReply { done: done.to_owned(), recorded, ..ShadowReply::default() })
    }

    /// What differs at this moment, and which points stand in the way.
    pub(crate) async fn look_at_shadow(
        &self,
        organisation: OrganisationId,
        deadline: Timestamp,
    ) -> Result<ShadowReply, ExecutionError> {
        let (settings, shadow) = self.in_shadow(organisation).await?;
        let (points, reply) = Box::pin(self.judge_shadow(&settings, shadow, deadline)).await?;
        let open = points.iter().filter(|point| point.problem.is_some()).count();
        let done = match open {
            0 => "Nothing stands in the way: it can be switched on.".to_owned(),
            open => format!("{open} of {} points stand in the way.", points.len()),
        };
        Ok(ShadowReply { done, ..reply })
    }

    /// Decisions are carried out from now on; everything is read once more for that. Refused while a point fails.
    pub(crate) async fn switch_on(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
        deadline: Timestamp,
    ) -> Result<ShadowReply, ExecutionError> {
        let (settings, shadow) = self.in_shadow(organisation).await?;
        let (points, reply) = Box::pin(self.judge_shadow(&settings, shadow, deadline)).await?;
        let failing = points.iter().find_map(|point| {
            point.problem.as_ref().map(|problem| format!("{}: {problem}", point.asks))
        });
        if let Some(problem) = failing {
            return Err(ExecutionError::NotReady { organisation, problem });
        }
        let said = (attribution.by(), attribution.reason());
        let left = self.tables.leave_shadow(organisation, said, self.clock.now()).await;
        let recorded = left.map_err(|error| tables(&error))?;
        let live = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        if let Some(live) = live.filter(|live| live.mirror_enabled) {
            Box::pin(self.sweeper.first_runs(&live, attribution, deadline)).await?;
        }
        let done = "It is switched on: everything is read once more, and the next night uploads.";
        Ok(ShadowReply { done: done.to_owned(), recorded, ..reply })
    }

    async fn in_shadow(
        &self,
        organisation: OrganisationId,
    ) -> Result<(Settings, Shadow), ExecutionError> {
        let settings = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        let settings = settings.ok_or(ExecutionError::NotInShadow(organisation))?;
        let shadow = settings.shadow.ok_or(ExecutionError::NotInShadow(organisation))?;
        Ok((settings, shadow))
    }

    async fn judge_shadow(
        &self,
        settings: &Settings,
        shadow: Shadow,
        deadline: Timestamp,
    ) -> Result<(Vec<SwitchPoint>, ShadowReply), ExecutionError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        let deciding = settings.clone().deciding();
        let secret = self.webhook_secret.as_ref();
        let ready = self.sweeper.xero().readiness(&deciding, secret, now).await;
        let open = self.tables.sweep(organisation, SweepKind::Open).await;
        let parked = self.tables.count_parked(organisation).await;
        let (of_xero, of_business) = parked.map_err(|error| tables(&error))?;
        let reports = self.tables.shadow_reports(organisation, REPORTS).await;
        let latest = Box::pin(self.uploader.shadow_report(settings, now, deadline)).await?;
        let facts = SwitchFacts {
            not_ready: ready.err().map(|error| error.0),
            all_read_at: open.map_err(|error| tables(&error))?.last_success_at,
            parked: of_xero.saturating_add(of_business),
            reports: reports.map_err(|error| tables(&error))?,
            latest: Some(latest),
        };
        let points = points(settings, shadow, &facts, now);
        let differences = facts.latest.iter().flat_map(|latest| &latest.differences);
        let reply = ShadowReply {
            done: String::new(),
            points: points
                .iter()
                .map(|point| ReadinessPoint {
                    code: point.code.to_owned(),
                    asks: point.asks.to_owned(),
                    problem: point.problem.clone(),
                })
                .collect(),
            differing: facts.latest.as_ref().map(|of| of.differing.clone()).unwrap_or_default(),
            differences: differences
                .map(|one| {
                    let on = one.number.as_ref().map_or("no invoice", |number| number.as_str());
                    format!("{} on {on}: {}", one.kind, one.why)
                })
                .collect(),
            quiet_days: QUIET_DAYS,
            recorded: false,
        };
        Ok((points, reply))
    }
}
