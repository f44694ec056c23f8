//! Several organisations: none is starved, and none that fails, hangs or is slow keeps the others back.

use jiff::SignedDuration;
use payments::OrganisationId;
use payments::sweep::SweepKind;
use payments::upload::UploadSettings;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, NewOrganisation};

use crate::world::{HALF_AN_HOUR, World};

/// A world of so many organisations that mirror.
async fn of(count: usize) -> (World, Vec<Uuid>) {
    let world = World::new().await;
    let mut tenants = vec![world.tenant];
    for _ in 1..count {
        let tenant = world.simulator.add_organisation(NewOrganisation::default()).unwrap();
        world.settings_of(OrganisationId::new(tenant), |_| {}).await;
        tenants.push(tenant);
    }
    (world, tenants)
}

fn with_outcome(answer: &Value, outcome: &str) -> usize {
    let sweeps = answer["sweeps"].as_array().unwrap();
    sweeps.iter().filter(|sweep| sweep["outcome"] == outcome).count()
}

#[tokio::test]
async fn of_a_hundred_slow_organisations_none_is_starved() {
    // performance.md: one invocation has not time enough for all; what it cut off is first in the next one.
    let (world, tenants) = of(100).await;
    let clock = world.clock.clone();
    world.xero.with_each(move || clock.advance(SignedDuration::from_secs(2)));
    for times in 1..=3 {
        let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
        assert!(
            with_outcome(&answer, "stopped") > 0,
            "there was time for all in invocation {times}"
        );
        world.clock.advance(HALF_AN_HOUR);
        // Each of them is swept by one of two invocations, however often that is repeated.
        let two_ago = world.now() - (HALF_AN_HOUR + SignedDuration::from_mins(5)) * 2;
        for tenant in tenants.iter().filter(|_| times > 1) {
            let organisation = OrganisationId::new(*tenant);
            let state = world.tables.sweep(organisation, SweepKind::Changes).await.unwrap();
            assert!(state.last_success_at >= Some(two_ago), "{tenant} waits after {times}");
        }
    }
}

#[tokio::test]
async fn one_that_hangs_and_one_that_fails_keep_none_of_the_others_back() {
    let (world, tenants) = of(12).await;
    let refusing = Effect::Status { status: 503, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Invoices", refusing).times(1));
    let let_go = world.xero.hold(tenants[3]);
    let others = async {
        loop {
            let rows = world.rows("sweeps").await;
            let ended = rows
                .iter()
                .filter(|row| row["sweep"] == "changes" && !row.contains_key("lease_until"));
            if ended.count() == tenants.len() - 1 {
                break let_go.notify_one();
            }
            tokio::task::yield_now().await;
        }
    };
    let scheduled = world.now();

    let (answer, ()) = tokio::join!(world.invoke(json!({"scheduled_time": scheduled})), others);

    let failed = answer.unwrap_err();
    assert!(failed.starts_with("1 of 12 sweeps failed") && failed.contains("503"), "{failed}");
    let again = world.invoke(json!({"scheduled_time": scheduled})).await.unwrap();
    assert_eq!(with_outcome(&again, "already_done"), 11, "{again}");
    assert_eq!(with_outcome(&again, "finished"), 1, "{again}");
}

#[tokio::test]
async fn what_the_nights_invocation_did_not_come_to_is_made_up_for() {
    let (world, tenants) = of(3).await;
    let full = json!({"scheduled_time": world.now(), "full": true});
    world.invoke(full).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    let full = json!({"scheduled_time": world.now(), "full": true});
    let soon = world.now() + SignedDuration::from_secs(39);
    let answer = world.invoke_until(full, soon).await.unwrap();
    assert_eq!(with_outcome(&answer, "stopped"), tenants.len());
    world.clock.advance(SignedDuration::from_mins(90));

    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();

    let kinds = answer["sweeps"].as_array().unwrap().iter().map(|sweep| &sweep["run"]["kind"]);
    assert_eq!(kinds.filter(|kind| **kind == "full_sweep").count(), tenants.len(), "{answer}");
}

/// The organisation only uploads.
async fn uploading_only(world: &World) {
    world
        .settings(|settings| {
            settings.mirror_enabled = false;
            let account = payments::XeroAccountId::new(Uuid::from_u128(9));
            settings.upload = Some(UploadSettings::new("2026-01-01".parse().unwrap(), account));
        })
        .await;
}

#[tokio::test]
async fn an_organisation_that_only_uploads_is_checked_certified_and_synced() {
    // AMB-37, ST-13, CC-12, CC-14, CC-20
    let world = World::new().await;
    uploading_only(&world).await;
    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    assert_eq!(answer["sweeps"][0]["run"]["kind"], "certificate", "{answer}");
    assert_eq!(world.rows("certificates").await[0]["state"], "complete");
    let again = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    assert_eq!(again, json!({"sweeps": []}), "it is fresh");

    let check = json!({"scheduled_time": world.now(), "check": true});
    let checked = world.invoke(check).await.unwrap();
    let troubles = checked["connections"][0]["troubles"].as_array().unwrap();
    assert!(troubles.iter().all(|trouble| trouble["what"] != "STALE"), "{checked}");
    assert!(world.rows("connections").await[0].contains_key("short_code"), "links go on");
    let digest = json!({"scheduled_time": world.now(), "digest": true});
    assert_eq!(world.invoke(digest).await.unwrap()["connections"].as_array().unwrap().len(), 1);

    world.clock.advance(SignedDuration::from_mins(2));
    let synced = world.sync_now(json!({})).await;
    assert_eq!(
        (&synced["outcome"], &synced["run"]["kind"]),
        (&json!("finished"), &json!("certificate"))
    );
    let wish = json!({"organisation": world.tenant, "by": "Ada", "why": "w", "invoice": "CM-1"});
    let refused = world.invoke(json!({"sync_now": wish})).await.unwrap_err();
    assert!(refused.contains("not switched on"), "{refused}");
}
