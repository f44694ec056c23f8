//! Each hour a connection by grants is looked at: its name, its permissions, its end (XC-04 to XC-12).

use jiff::SignedDuration;
use payments::connection::HealthIssue;
use payments::grant::Grants as _;
use payments::upload::UploadSettings;
use queue::SchedulesQueue;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault};

use crate::authorisation::Users;

impl Users {
    /// A user lets us in, for reading alone or for everything.
    async fn grant(&self, read_only: bool) {
        let (code, state) =
            self.agree(&self.authorise(json!({"read_only": read_only})).await).await;
        self.connect(&code, &state).await.unwrap();
    }

    /// The hourly look at the connection.
    async fn check(&self) -> Value {
        self.world.clock.advance(SignedDuration::from_hours(1));
        self.invoke(json!({"check": true})).await.unwrap()["connections"][0].clone()
    }

    async fn uploads(&self) {
        let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let upload = UploadSettings::new("2026-03-01".parse().unwrap(), account);
        self.world.settings(|settings| settings.upload = Some(upload)).await;
    }
}

fn issues(connection: &Value) -> Vec<&str> {
    let all = connection["troubles"].as_array().unwrap().iter();
    all.map(|issue| issue["what"].as_str().unwrap()).filter(|what| *what != "STALE").collect()
}

#[tokio::test]
async fn a_permission_that_was_not_granted_is_named_once_and_the_rest_goes_on() {
    // XC-11, XC-12, ST-19
    let users = Users::new().await;
    users.grant(true).await;
    assert_eq!(
        issues(&users.check().await),
        Vec::<&str>::new(),
        "reading is all that is switched on"
    );

    users.uploads().await;
    for _ in 0..2 {
        let connection = users.check().await;
        assert_eq!(issues(&connection), ["MISSING_SCOPE"]);
        assert_eq!(connection["status"], "Error", "not disconnected");
        assert_eq!(connection["troubles"][0]["class"], "Authentication");
        let cure = connection["troubles"][0]["cure"].as_str().unwrap();
        assert!(cure.contains("Connect to Xero") && !cure.contains("secret"), "{cure}");
    }
    let rows = users.world.rows("messages").await;
    let rows: Vec<_> = rows.iter().filter(|row| row["kind"] == "MISSING_SCOPE").collect();
    let [rows] = rows[..] else { panic!("once: {rows:?}") };
    assert!(rows["why"].contains("accounting.payments"), "{rows:?}");
    assert!(rows["why"].contains("accounting.contacts.read"), "{rows:?}");
    users.world.sweep().await;

    // The same user agrees to all: nothing else is added or removed.
    users.grant(false).await;
    assert_eq!(issues(&users.check().await), Vec::<&str>::new());
}

#[tokio::test]
async fn an_answer_of_a_missing_permission_renews_no_token_and_loses_no_connection() {
    // XC-12
    let users = Users::new().await;
    users.grant(false).await;
    users.check().await;
    users.codes_used();
    let body = r#"{"Status":401,"Detail":"AuthorizationUnsuccessful"}"#.to_owned();
    let refused = Effect::Status { status: 401, headers: vec![], body };
    users.world.simulator.inject(Fault::on("GET", "/Organisation", refused));
    let answer = users.invoke(json!({"check": true})).await.unwrap()["connections"][0].clone();
    assert_eq!(
        (issues(&answer), answer["status"].as_str()),
        (vec!["MISSING_SCOPE"], Some("Error"))
    );
    assert_eq!(users.codes_used(), 0, "no token is renewed");
    let rows = users.world.rows("messages").await;
    assert!(rows.iter().any(|row| row["why"].contains("accounting.settings.read")), "{rows:?}");
}

#[tokio::test]
async fn the_cure_of_a_lost_grant_is_to_connect_again() {
    // XC-08
    let users = Users::new().await;
    users.grant(false).await;
    users.check().await;
    users.world.simulator.revoke_authorisations(users.world.tenant);
    let connection = users.check().await;
    assert_eq!(
        (issues(&connection), connection["status"].as_str()),
        (vec!["REFUSED"], Some("Disconnected"))
    );
    let cure = connection["troubles"][0]["cure"].as_str().unwrap();
    assert_ne!(cure, HealthIssue::Refused.remedy());
    for row in users.world.rows("messages").await {
        assert!(!row["why"].contains("secret"), "{row:?}");
    }
    let row = &users.world.rows("connections").await[0];
    assert!(
        row["troubles"].contains("Connect to Xero") && !row["troubles"].contains("secret"),
        "{row:?}"
    );
}

#[tokio::test]
async fn another_name_in_xero_is_seen_within_the_hour_and_logged_once() {
    // XC-04
    let users = Users::new().await;
    users.grant(false).await;
    users.check().await;
    let name = |row: &harness::dynamodb::Row| row["xero_name"].clone();
    let own = users.world.tenant.to_string();
    let row = || async {
        let rows = users.world.rows("organisations").await;
        rows.into_iter().find(|row| row["organisation"] == own).unwrap()
    };
    assert_eq!(name(&row().await), "Demo Company (AU)");
    users.world.simulator.rename_organisation(users.world.tenant, "Harbour & <b>Sons</b>").unwrap();
    for _ in 0..2 {
        users.check().await;
        assert_eq!(name(&row().await), "Harbour & <b>Sons</b>");
    }
    let log = users.world.rows("activity").await;
    let log: Vec<_> = log.iter().filter(|row| row["action"] == "organisation_renamed").collect();
    let [renamed] = log[..] else { panic!("{log:?}") };
    let names = (renamed["before"].as_str(), renamed["after"].as_str());
    assert_eq!(names, ("Demo Company (AU)", "Harbour & <b>Sons</b>"));
}

#[tokio::test]
async fn xero_is_asked_each_hour_until_it_has_confirmed_a_disconnection() {
    // XC-05, XC-06
    let users = Users::new().await;
    users.grant(false).await;
    let world = &users.world;
    let down = Effect::Status { status: 503, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("DELETE", "/connections", down).times(2));
    let wish = json!({"command": {"disconnect": {"organisation": world.tenant}},
        "attribution": {"by": "Ada", "reason": "the customer asked for it"}});
    let operations = world.operations().with_grants(users.secrets(), users.login());
    let deadline = world.now() + SignedDuration::from_mins(5);
    let reply = operations.handle(&wish, deadline).await.unwrap();
    let reply = serde_json::to_value(reply).unwrap();
    assert_eq!(reply["disconnect"]["state"], "disconnecting", "{reply}");

    let created = world.queues.client.create_queue().queue_name("hourly").send().await.unwrap();
    let url = created.queue_url.unwrap();
    let schedules = || SchedulesQueue::new(world.queues.client.clone(), url.clone());
    let sweeper = || world.sweeper().with_grants(users.secrets()).with_schedules(schedules());
    let ended = || async {
        let row = world.tables.organisation(world.organisation()).await.unwrap().unwrap();
        row.ended_in_xero
    };
    let mut listed = Vec::new();
    for hour in 0..3 {
        world.clock.advance(SignedDuration::from_hours(1));
        let deadline = world.now() + SignedDuration::from_mins(5);
        let answer = sweeper().handle(&json!({"check": true, "fan_out": true}), deadline).await;
        listed.push(serde_json::to_value(answer.unwrap()).unwrap()["listed"].clone());
        let page = world.queues.client.receive_message().queue_url(&url).send().await.unwrap();
        for message in page.messages.unwrap_or_default() {
            let record = json!({"messageId": "m", "body": message.body.unwrap(),
                "attributes": {"ApproximateReceiveCount": "1"}});
            sweeper().handle(&json!({"Records": [record]}), deadline).await.unwrap();
            let handle = message.receipt_handle.unwrap();
            let delete = world.queues.client.delete_message().queue_url(&url);
            delete.receipt_handle(handle).send().await.unwrap();
        }
        assert_eq!(ended().await, Some(hour > 0), "hour {hour}");
    }
    assert_eq!(listed, [json!(1), json!(1), json!(0)], "confirmed, and left alone");
    let deletes = world.simulator.identity_calls();
    assert_eq!(deletes.iter().filter(|call| call.starts_with("DELETE")).count(), 1);
    let schedule = json!({"scheduled_time": world.now(), "fan_out": true});
    let answer = sweeper().handle(&schedule, world.now() + SignedDuration::from_mins(5)).await;
    assert_eq!(serde_json::to_value(answer.unwrap()).unwrap()["listed"], 0);
    assert!(world.tables.grant_of(world.organisation()).await.unwrap().is_none());
}

#[tokio::test]
async fn what_happened_while_it_was_disconnected_is_there_after_it_is_connected_again() {
    // XC-06, XC-07
    let users = Users::new().await;
    let world = &users.world;
    let (first, second) = (world.both("10001").await, world.both("10002").await);
    let deleted = world.pay(first, 40_00);
    world.pay(second, 50_00);
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    let said = ("Ada", "a pause");
    world.tables.disconnect(world.organisation(), said, world.now()).await.unwrap();
    world.calls();

    world.clock.advance(SignedDuration::from_hours(72));
    world.simulator.delete_payment(deleted).unwrap();
    world.pay(first, 60_00);
    let change = queue::InvoiceChange::new(payments::XeroInvoiceId::new(first), None);
    let changes = queue::InvoiceChanges {
        organisation: world.organisation(),
        cause: queue::Cause::Webhook,
        accepted_at: world.now(),
        not_before: None,
        invoices: vec![change],
    };
    world.mirror(queue::Message::Invoices(changes)).await;
    world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    world.invoke(json!({"scheduled_time": world.now(), "full": true})).await.unwrap();
    world.invoke(json!({"check": true})).await.unwrap();
    assert_eq!(world.calls(), 0, "Xero is not called");
    let ignored = world.rows("activity").await;
    let ignored = ignored.iter().find(|row| row["action"] == "ignored").unwrap();
    assert_eq!(ignored["reason"], "disconnected");
    assert!(world.rows("messages").await.is_empty(), "nothing warns of what a person has ordered");

    world.tables.reconnect(world.organisation(), said, world.now()).await.unwrap();
    world.sweep().await;
    world.full_sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero(), "nothing is lost, nothing is doubled");
    let tombstones = world.rows("tombstones").await;
    assert_eq!(tombstones.len(), 1, "{tombstones:?}");
}
