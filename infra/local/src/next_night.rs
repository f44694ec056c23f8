//! Which night can be played next.

use anyhow::Context as _;
use jiff::{Timestamp, tz::TimeZone};
use payments::{
    OrganisationId,
    upload::{GUARD_WINDOW, Night},
};
use table::Tables;

use crate::Stack;

/// Nights that are looked at before there is something wrong.
const LOOKED_AT_MAX: u32 = 1_000;

/// A night that was not played yet, and that has not come.
#[derive(Clone, Debug)]
pub(crate) struct NextNight {
    /// For when its upload is scheduled.
    pub(crate) scheduled_time: Timestamp,
    zone: TimeZone,
}

impl NextNight {
    /// When it is scheduled, as people say it.
    pub(crate) fn describe(&self) -> String {
        let there = self.scheduled_time.to_zoned(self.zone.clone());
        let zone = self.zone.iana_name().unwrap_or_default();
        let city = zone.rsplit('/').next().unwrap_or_default().replace('_', " ");
        there.strftime(&format!("%H:%M on %-d %B in {city}")).to_string()
    }
}

/// The first night whose upload lies ahead, which was not run, and which is not so close to the one
/// before that it might send less than a night may; `None` if the organisation uploads nothing.
///
/// # Errors
///
/// The tables cannot be read.
pub(crate) async fn next_night(stack: &Stack) -> anyhow::Result<Option<NextNight>> {
    let organisation: OrganisationId = stack.xero().tenant_id.parse()?;
    let tables = Tables::new(stack.dynamodb().clone(), String::new());
    let settings = tables.settings(organisation).await.context("the organisation's settings")?;
    let Some((zone, upload)) = settings.and_then(|known| Some((known.zone, known.upload?))) else {
        return Ok(None);
    };
    let last = tables.nights(organisation, 1).await.context("the nights")?.pop();
    let now = stack.clock().now();
    let mut earliest = now;
    let mut night = Night::of(now, &zone);
    if let Some(last) = last {
        night = night.max(last.night.plus(1));
        let guarded = last.started_at.max(last.scheduled_at).saturating_add(GUARD_WINDOW)?;
        earliest = earliest.max(guarded);
    }
    for _ in 0..LOOKED_AT_MAX {
        let due = night.due(upload.due_at, &zone).context("a night without an evening")?;
        if due > earliest {
            return Ok(Some(NextNight { scheduled_time: due, zone }));
        }
        night = night.plus(1);
    }
    anyhow::bail!("there is no night that has not been played")
}
