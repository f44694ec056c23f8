//! CC-22: a schedule leaves a task for each night, and a night begins by the clock of its organisation.

use jiff::SignedDuration;
use payments::{OrganisationId, Settings};
use queue::UploadTask;
use serde_json::json;
use uuid::Uuid;

use crate::world::{World, evening};

#[tokio::test]
async fn a_night_begins_by_the_clock_of_its_organisation() {
    let world = World::new().await;
    let here = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let zone = here.zone.iana_name().unwrap().to_owned();
    let london = OrganisationId::new(Uuid::from_u128(7));
    let settings = Settings {
        organisation: london,
        zone: jiff::tz::TimeZone::get("Europe/London").unwrap(),
        ..here
    };
    world.tables.store_settings(&settings).await.unwrap();

    // London's own night of yesterday is over.
    let event = json!({"scheduled_time": evening(), "fan_out": true, "zone": zone});
    world.clock.set(evening());
    let left = world.invoke(event.clone()).await.unwrap();
    let tasks: Vec<UploadTask> = world.tasks.take().into_iter().map(|(task, _)| task).collect();
    assert!(tasks.iter().any(|task| task.organisation() == world.organisation()), "{left}");
    let nights = world.rows("nights").await;
    assert!(nights.is_empty(), "the schedule itself runs none");

    // An hour later its evening has not come; at ten by its own clock the hourly look begins its night.
    let look = json!({"catch_up": true, "fan_out": true});
    world.clock.set("2026-03-02T22:10:00Z".parse().unwrap());
    world.invoke(look).await.unwrap();
    let tasks: Vec<UploadTask> = world.tasks.take().into_iter().map(|(task, _)| task).collect();
    let night = tasks.iter().find(|task| task.organisation() == london).unwrap();
    let UploadTask::Night { scheduled_at, round: 0, .. } = night else { panic!("{night:?}") };
    assert_eq!(scheduled_at.to_string(), "2026-03-02T22:00:00Z");

    // An operator's call without the wish runs the night at once, as before.
    let answer = world.night(evening() + SignedDuration::from_hours(11)).await;
    assert!(answer.is_object(), "{answer}");
}
