//! CC-22: each organisation has its night and its morning by its own clock.

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::sweep::{DailySchedules, DailyTimes};
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::NewOrganisation;

use crate::world::{HALF_AN_HOUR, World};

const SYDNEY: &str = "Australia/Sydney";

/// Three organisations: by the stack's clock, by another one, and with a time of its own.
struct Three {
    world: World,
    london: Uuid,
    late: Uuid,
}

impl Three {
    async fn new() -> Self {
        let world = World::new().await;
        let add = || world.simulator.add_organisation(NewOrganisation::default()).unwrap();
        let (london, late) = (add(), add());
        let zone = TimeZone::get("Europe/London").unwrap();
        world.settings_of(OrganisationId::new(london), |settings| settings.zone = zone).await;
        let at = Some(time(9, 15, 0, 0));
        let times = DailyTimes { full_sweep: at, certificate: at, digest: at };
        world.settings_of(OrganisationId::new(late), |settings| settings.daily = times).await;
        Self { world, london, late }
    }

    async fn invoke(&self, event: Value) {
        let times = DailyTimes {
            full_sweep: Some(time(4, 30, 0, 0)),
            certificate: Some(time(5, 30, 0, 0)),
            digest: Some(time(6, 30, 0, 0)),
        };
        let daily = DailySchedules { zone: SYDNEY.to_owned(), times };
        let deadline = self.world.now() + SignedDuration::from_mins(5);
        let sweeper = self.world.sweeper().with_daily_schedules(daily);
        sweeper.handle(&event, deadline).await.unwrap();
    }

    /// A day of the stack's schedules: each half hour, and what comes once a day.
    async fn day(&self) {
        let begin = self.world.now();
        for half_hours in 0..48 {
            let now = begin + HALF_AN_HOUR * half_hours;
            self.world.clock.set(now);
            let clock = now.to_zoned(TimeZone::get(SYDNEY).unwrap()).strftime("%H:%M").to_string();
            for (at, what) in [("04:30", "full"), ("05:30", "certify"), ("06:30", "digest")] {
                if clock == at {
                    let mut event = json!({"scheduled_time": now, "fan_out": true, "zone": SYDNEY});
                    event[what] = json!(true);
                    self.invoke(event).await;
                }
            }
            self.invoke(json!({"scheduled_time": now, "fan_out": true})).await;
        }
    }

    /// When an organisation's work of this kind was done.
    async fn done(&self, tenant: Uuid, kind: &str) -> Vec<String> {
        let rows = self.world.rows("sync_runs").await;
        let whose = tenant.to_string();
        let of = rows.iter().filter(|row| row["organisation"] == whose && row["kind"] == kind);
        let mut times: Vec<_> = of.map(|row| minute(&row["started_at"])).collect();
        times.sort();
        times
    }

    async fn digests(&self, tenant: Uuid) -> Vec<String> {
        let (rows, whose) = (self.world.rows("activity").await, tenant.to_string());
        let digest = |row: &&harness::dynamodb::Row| {
            row["organisation"] == whose && row.get("action").is_some_and(|a| a == "morning_digest")
        };
        let mut times: Vec<_> = rows.iter().filter(digest).map(|row| minute(&row["at"])).collect();
        times.sort();
        times
    }
}

fn minute(at: &str) -> String {
    let at: Timestamp = at.split('#').next().unwrap().parse().unwrap();
    at.strftime("%dT%H:%M").to_string()
}

#[tokio::test]
async fn the_full_sweep_the_certificate_and_the_digest_come_by_each_organisations_own_clock() {
    let three = Three::new().await;
    // From noon on 2 March in Sydney. There 04:30 is 17:30 by Greenwich, in London it is itself.
    three.day().await;
    for (tenant, full, certificate, digest) in [
        (three.world.tenant, "02T17:30", "02T18:30", "02T19:30"),
        // Work that was due before it was set up comes with the first sweep.
        (three.london, "02T04:30", "02T05:30", "02T06:30"),
        // A quarter past nine in Sydney, with the next half hour.
        (three.late, "02T22:30", "02T22:30", "02T22:15"),
    ] {
        let seen = (
            three.done(tenant, "full_sweep").await,
            three.done(tenant, "certificate").await,
            three.digests(tenant).await,
        );
        let last = |times: &[String]| times.last().cloned().unwrap_or_default();
        assert_eq!(
            (last(&seen.0), last(&seen.1), last(&seen.2)),
            (full.into(), certificate.into(), digest.into()),
            "{seen:?}"
        );
        assert!([&seen.0, &seen.1, &seen.2].iter().all(|times| times.len() <= 2), "{seen:?}");
    }
}
