//! CC-22: a schedule puts one message for each organisation on a queue, and each message is about one organisation.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::OrganisationId;
use payments::sweep::{DailySchedules, DailyTimes, SweepKind};
use queue::{ScheduleTask, ScheduledWork, SchedulesQueue};
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, NewOrganisation};

use crate::world::{HALF_AN_HOUR, World};

/// A world of so many organisations that mirror, with the queue of schedules.
struct Many {
    world: World,
    tenants: Vec<Uuid>,
    url: String,
}

impl Many {
    async fn of(count: usize) -> Self {
        let world = World::new().await;
        let mut tenants = vec![world.tenant];
        for _ in 1..count {
            let tenant = world.simulator.add_organisation(NewOrganisation::default()).unwrap();
            world.settings_of(OrganisationId::new(tenant), |_| {}).await;
            tenants.push(tenant);
        }
        let created = world.queues.client.create_queue().queue_name("work").send().await.unwrap();
        Self { url: created.queue_url.unwrap(), world, tenants }
    }

    fn queue(&self) -> SchedulesQueue {
        SchedulesQueue::new(self.world.queues.client.clone(), self.url.clone())
    }

    async fn invoke(&self, event: Value) -> Result<Value, String> {
        let deadline = self.world.now() + jiff::SignedDuration::from_mins(5);
        let sweeper = self.world.sweeper().with_schedules(self.queue());
        let answer = sweeper.handle(&event, deadline).await;
        answer.map(|answer| serde_json::to_value(answer).unwrap()).map_err(|e| e.to_string())
    }

    /// The messages on the queue, which is then empty.
    async fn take(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let receive = self.world.queues.client.receive_message().queue_url(&self.url);
            let page = receive.max_number_of_messages(10).send().await.unwrap();
            let messages = page.messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            bodies.extend(messages.into_iter().map(|message| message.body.unwrap()));
        }
    }

    /// Lambda hands over a message.
    async fn deliver(&self, body: &str, receives: u32) -> Result<Value, String> {
        let attributes = json!({"ApproximateReceiveCount": receives.to_string()});
        let record = json!({"messageId": "m", "body": body, "attributes": attributes});
        self.invoke(json!({"Records": [record]})).await
    }
}

fn organisation(body: &str) -> OrganisationId {
    ScheduleTask::from_json(body).unwrap().organisation().unwrap()
}

#[tokio::test]
async fn a_schedule_only_lists_and_each_message_sweeps_one_organisation() {
    let many = Many::of(12).await;
    let at = many.world.now();
    let answer = many.invoke(json!({"scheduled_time": at, "fan_out": true})).await.unwrap();
    assert_eq!(answer, json!({"sweeps": [], "listed": 12}));
    let calls = many.world.rows("sync_runs").await.len();
    assert_eq!(calls, 0, "nothing is asked of Xero");

    let bodies = many.take().await;
    assert_eq!(bodies.len(), 12);
    for body in &bodies {
        let swept = many.deliver(body, 1).await.unwrap();
        assert_eq!(swept["sweeps"].as_array().unwrap().len(), 1, "{swept}");
        assert_eq!(swept["sweeps"][0]["outcome"], "finished");
        assert_eq!(swept["batchItemFailures"], json!([]));
    }
    // Twice, and late: after a newer one.
    let twice = many.deliver(&bodies[0], 2).await.unwrap();
    assert_eq!(twice["sweeps"][0]["outcome"], "already_done");
    many.world.clock.advance(HALF_AN_HOUR);
    many.invoke(json!({"scheduled_time": many.world.now(), "fan_out": true})).await.unwrap();
    let newer = many.take().await;
    many.world.clock.advance(HALF_AN_HOUR);
    many.invoke(json!({"scheduled_time": many.world.now(), "fan_out": true})).await.unwrap();
    let newest = many.take().await;
    many.deliver(&newest[0], 1).await.unwrap();
    let same = organisation(&newest[0]);
    let late = newer.iter().find(|body| organisation(body) == same).unwrap();
    let late = many.deliver(late, 1).await.unwrap();
    assert_eq!(late["sweeps"][0]["outcome"], "already_done", "{late}");
}

#[tokio::test]
async fn the_one_that_has_waited_longest_is_listed_first_and_a_broken_row_stops_none() {
    let many = Many::of(4).await;
    let at = many.world.now();
    many.invoke(json!({"scheduled_time": at, "fan_out": true})).await.unwrap();
    let bodies = many.take().await;
    for body in &bodies[1..] {
        many.world.clock.advance(jiff::SignedDuration::from_secs(1));
        many.deliver(body, 1).await.unwrap();
    }
    many.world.put("organisations", &[("organisation", "no id"), ("mirror_enabled", "on")]).await;
    many.world.clock.advance(HALF_AN_HOUR);
    let answer =
        many.invoke(json!({"scheduled_time": many.world.now(), "fan_out": true})).await.unwrap();
    assert_eq!(answer["listed"], 4);
    let order: Vec<_> = many.take().await.iter().map(|body| organisation(body)).collect();
    let expected: Vec<_> = bodies.iter().map(|body| organisation(body)).collect();
    assert_eq!(order, expected, "the first was never swept, the others one after the other");
}

#[tokio::test]
async fn a_failing_one_fails_alone_and_is_not_tried_for_ever() {
    let many = Many::of(2).await;
    many.invoke(json!({"scheduled_time": many.world.now(), "fan_out": true})).await.unwrap();
    let bodies = many.take().await;
    let refusing = Effect::Status { status: 503, headers: vec![], body: String::new() };
    many.world.simulator.inject(Fault::on("GET", "/Invoices", refusing.clone()).times(2));
    let failed = many.deliver(&bodies[0], 1).await.unwrap_err();
    assert!(failed.contains("503"), "{failed}");
    let third = many.deliver(&bodies[0], 3).await.unwrap();
    assert_eq!(third["batchItemFailures"], json!([]), "the next schedule does it");
    let other = many.deliver(&bodies[1], 1).await.unwrap();
    assert_eq!(other["sweeps"][0]["outcome"], "finished");
    let named = many.world.rows("sync_runs").await;
    let failures = named.iter().filter(|row| row["state"] == "failed");
    assert!(failures.count() >= 1, "{named:?}");
}

#[tokio::test]
async fn what_a_schedule_asks_for_is_what_the_messages_do() {
    let many = Many::of(2).await;
    let at = many.world.now();
    for (event, kind) in [
        (json!({"scheduled_time": at, "full": true, "fan_out": true}), "full_sweep"),
        (json!({"scheduled_time": at, "certify": true, "fan_out": true}), "certificate"),
    ] {
        many.invoke(event).await.unwrap();
        for body in many.take().await {
            let swept = many.deliver(&body, 1).await.unwrap();
            assert_eq!(swept["sweeps"][0]["run"]["kind"], kind, "{swept}");
        }
    }
    for event in [
        json!({"scheduled_time": at, "check": true, "fan_out": true}),
        json!({"scheduled_time": at, "digest": true, "fan_out": true}),
    ] {
        many.invoke(event).await.unwrap();
        let bodies = many.take().await;
        assert_eq!(bodies.len(), many.tenants.len());
        for body in bodies {
            let looked = many.deliver(&body, 1).await.unwrap();
            assert_eq!(looked["connections"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_where_it_stopped_and_one_that_is_switched_off_is_passed_over() {
    let many = Many::of(3).await;
    let at = many.world.now();
    let (_, next) = many.world.tables.organisations_at_work_after(None, 1).await.unwrap();
    let work = ScheduledWork::Changes;
    let rest = ScheduleTask::List { work, scheduled_at: at, after: next.unwrap(), zone: None };
    many.deliver(&rest.to_json().unwrap(), 1).await.unwrap();
    let bodies = many.take().await;
    assert_eq!(bodies.len(), 2);
    let off = organisation(&bodies[0]);
    many.world.settings_of(off, |settings| settings.mirror_enabled = false).await;
    let passed = many.deliver(&bodies[0], 1).await.unwrap();
    assert_eq!(passed, json!({"sweeps": [], "batchItemFailures": []}));
    let state = many.world.tables.sweep(off, SweepKind::Changes).await.unwrap();
    assert_eq!(state.last_attempt_at, None);
}

#[tokio::test]
async fn operators_of_many_organisations_read_one_digest_and_those_with_trouble_come_first() {
    // CC-20, CC-22: each organisation has its part by its own clock, and one row has them all.
    let many = Many::of(3).await;
    let world = &many.world;
    let names = [("Cedar", many.tenants[0]), ("Birch", many.tenants[1])];
    for (name, tenant) in names {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let row = world.direct.update_item().table_name("organisations");
        let row = row.key("organisation", text(&tenant.to_string()));
        let row = row.update_expression("SET #name = :name");
        let row = row.expression_attribute_names("#name", "name");
        row.expression_attribute_values(":name", text(name)).send().await.unwrap();
    }
    let london = |settings: &mut payments::Settings| {
        settings.zone = jiff::tz::TimeZone::get("Europe/London").unwrap();
    };
    world.settings_of(OrganisationId::new(many.tenants[1]), london).await;
    for tenant in &many.tenants {
        let event = json!({"scheduled_time": world.now(), "organisation": tenant});
        many.invoke(event).await.unwrap();
    }
    world.work_off().await;
    // A customer of Birch waits for a person.
    let id: payments::CustomerId = "K-1".parse().unwrap();
    let whose = (OrganisationId::new(many.tenants[1]), &id);
    let open = payments::upload::record_action(None, whose, Some("two"), world.now()).unwrap();
    world.tables.store_customer(None, &open, Some(("Wilma", "two")), world.now()).await.unwrap();

    // The morning of London comes first here, and then that of Sydney, where the third one has none.
    for (at, tenant) in [("2026-03-03T06:30:00Z", 1), ("2026-03-03T19:30:00Z", 0)] {
        if tenant == 0 {
            // Cedar's business day ends, and is closed (SP-13). The others have not closed any day yet.
            world.clock.set("2026-03-03T07:20:00Z".parse().unwrap());
            let close = json!({"close": {"organisation": many.tenants[0]}});
            let said = json!({"by": "Ada", "reason": "the schedule was off"});
            let event = json!({"command": close, "attribution": said});
            let deadline = world.now() + jiff::SignedDuration::from_mins(5);
            world.operations().handle(&event, deadline).await.unwrap();
        }
        let at: jiff::Timestamp = at.parse().unwrap();
        world.clock.set(at);
        let event = json!({"scheduled_time": at, "organisation": many.tenants[tenant]});
        many.invoke(event).await.unwrap();
        let event =
            json!({"scheduled_time": at, "digest": true, "organisation": many.tenants[tenant]});
        many.invoke(event).await.unwrap();
    }
    let listing = async |after: i64| {
        world.clock.set("2026-03-03T19:30:00Z".parse().unwrap());
        world.clock.advance(jiff::SignedDuration::from_mins(after));
        let sweeper = world.sweeper().with_schedules(many.queue());
        let sweeper = sweeper.with_daily_schedules(mornings());
        let event = json!({"scheduled_time": world.now(), "fan_out": true});
        sweeper.handle(&event, world.now() + jiff::SignedDuration::from_mins(5)).await.unwrap();
        let rows = world.rows("activity").await;
        let all = payments::joint_digest::ALL_ORGANISATIONS.to_string();
        let of_all = rows.into_iter().filter(|row| row["organisation"] == all);
        of_all.map(|row| (row["reason"].clone(), row["why"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(listing(10).await, [], "those of its zone are not made yet");
    for after in [30, 60] {
        let [(verdict, text)] = &listing(after).await[..] else { panic!() };
        assert_eq!(verdict, "look");
        let closes = "2026-03-04: look at 2 of 3 organisations\nCloses: 1 of 1 closed\n\n";
        assert!(text.starts_with(closes), "{text}");
        let third = format!("\n{}\nno digest was made\n", many.tenants[2]);
        assert!(text.contains(&third), "{text}");
        assert!(text.contains("\nBirch\n2026-03-03: look here"), "{text}");
        assert!(text.ends_with("\nAll is well: Cedar\n"), "{text}");
    }
}

fn mornings() -> DailySchedules {
    let at = |hour| Some(jiff::civil::time(hour, 30, 0, 0));
    let times = DailyTimes { full_sweep: at(4), certificate: at(5), digest: at(6) };
    DailySchedules { zone: "Australia/Sydney".to_owned(), times }
}
