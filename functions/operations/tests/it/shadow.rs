//! Shadow: a month typed by two hands, through the functions that are deployed. The business reports through `intake`,
//! Xero is swept, the mirror reads, the evening is that of `upload`, and the switch is an order (CM-02, CM-03, CM-30).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use harness::FlakyUploads;
use harness::dynamodb::Row;
use host::clock::Clock;
use intake::Intake;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::upload::{UploadSettings, UploadStart};
use payments::{Settings, XeroAccountId};
use queue::fakes::{RecordedChanges, RecordedUploads};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use upload::Uploader;
use uuid::Uuid;
use worlds::sweep::World;
use xero::Config;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    title: String,
    rules: Vec<String>,
    invoices: Vec<String>,
    business: Vec<Typed>,
    xero: Vec<Typed>,
    deleted_in_xero: Vec<String>,
    differs: Vec<Planted>,
    mended: Mended,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    payment: Option<String>,
    #[serde(rename = "as")]
    xero: Option<String>,
    invoice: String,
    amount: String,
    day: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    kind: String,
    payment: Option<String>,
    xero: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mended {
    refunded: Vec<String>,
    business: Vec<Typed>,
    deleted_in_xero: Vec<String>,
    xero: Vec<Typed>,
}

/// Both hands, and the world in which they type.
struct Hands {
    world: World,
    invoices: BTreeMap<String, Uuid>,
    xero: BTreeMap<String, Uuid>,
    typed: BTreeMap<String, Typed>,
}

impl Hands {
    /// April in Sydney: the organisation is set up to mirror and to upload, and is in shadow.
    async fn new() -> Self {
        let world = World::new().await;
        world.clock.set("2026-04-01T01:00:00Z".parse().unwrap());
        let books = world.simulator.organisation(world.tenant).unwrap();
        let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
        let start = UploadStart::Day("2025-12-31".parse().unwrap());
        let upload = UploadSettings::new(start, XeroAccountId::new(bank));
        let settings = Settings { upload: Some(upload), ..harness::settings(world.organisation()) };
        world.tables.store_settings(&settings).await.unwrap();
        let hands = Self {
            world,
            invoices: BTreeMap::new(),
            xero: BTreeMap::new(),
            typed: BTreeMap::new(),
        };
        hands.order("enter_shadow").await.unwrap();
        hands
    }

    async fn order(&self, command: &str) -> Result<Value, String> {
        let fields = json!({"organisation": self.world.tenant});
        let attribution = json!({"by": "Ada", "reason": "we change over"});
        let request = json!({"command": {command: fields}, "attribution": attribution});
        self.world.command(request).await
    }

    async fn take_in(&self, mut message: Value) {
        message["version"] = json!(1);
        message["organisation"] = json!(self.world.tenant);
        let clock = Clock::new(self.world.time());
        let (changes, uploads) = (RecordedChanges::new(), RecordedUploads::new());
        let intake = Intake::new(self.world.tables.clone(), &changes, &uploads, clock);
        let mut record = SqsMessage::default();
        record.message_id = Some("m".to_owned());
        record.body = Some(message.to_string());
        let mut event = SqsEvent::default();
        event.records = vec![record];
        let deadline = self.world.now() + SignedDuration::from_mins(1);
        intake.handle(event, deadline).await.unwrap();
        let parked = self.world.rows("parked").await;
        assert!(parked.is_empty(), "{parked:?}");
    }

    async fn invoice(&mut self, number: &str) {
        let id = self.world.both(number).await;
        self.invoices.insert(number.to_owned(), id);
    }

    /// The business's hand.
    async fn business(&mut self, typed: &Typed, revision: u64, status: &str) {
        let id = typed.payment.clone().unwrap();
        let message = json!({
            "type": "payment", "id": id, "revision": revision, "date": typed.day,
            "amount": {"amount": typed.amount, "currency": "AUD"}, "method": "direct_debit",
            "transaction_id": format!("T-{id}"), "status": status, "settled": true,
            "entered_at": format!("{}T02:00:00Z", typed.day),
            "allocations": [{"invoice": typed.invoice, "amount": typed.amount}],
        });
        self.take_in(message).await;
        self.typed.insert(id, typed.clone());
    }

    /// The bookkeeper's hand.
    fn bookkeeper(&mut self, typed: &Typed) {
        let amount: Decimal = typed.amount.parse().unwrap();
        let cents = i64::try_from(amount.mantissa()).unwrap();
        let id = self.world.pay_on(self.invoices[&typed.invoice], cents, typed.day);
        self.xero.insert(typed.xero.clone().unwrap(), id);
    }

    fn delete(&self, name: &str) {
        self.world.simulator.delete_payment(self.xero[name]).unwrap();
    }

    fn uploader(&self) -> Uploader<FlakyUploads> {
        let client = self.world.client(&self.world.xero.url, Config::uploading());
        let clock = Clock::new(self.world.time());
        Uploader::new(client, self.world.tables.clone(), FlakyUploads::default(), clock)
    }

    async fn upload(&self, event: &Value) -> Value {
        let deadline = self.world.now() + SignedDuration::from_mins(15);
        let answer = Box::pin(self.uploader().handle(event, deadline)).await.unwrap();
        serde_json::to_value(answer).unwrap()
    }

    /// A day: Xero is swept and read, and in the evening the upload is called.
    async fn day(&self) -> Value {
        self.world.sweep().await;
        self.world.full_sweep().await;
        self.world.work_off_once().await;
        let evening = self.evening();
        self.world.clock.set(evening);
        let night = self.upload(&json!({"scheduled_time": evening})).await;
        self.world.clock.set(evening + SignedDuration::from_hours(14));
        night["nights"][0]["outcome"].clone()
    }

    /// Ten in the evening in Sydney.
    fn evening(&self) -> Timestamp {
        let zone = jiff::tz::TimeZone::get("Australia/Sydney").unwrap();
        let today = self.world.now().to_zoned(zone).date();
        today.at(22, 0, 0, 0).in_tz("Australia/Sydney").unwrap().timestamp()
    }

    /// What the last report says: kind, payment, payment in Xero.
    async fn differs(&self) -> BTreeSet<(String, Option<String>, Option<String>)> {
        let reports = self.world.tables.shadow_reports(self.world.organisation(), 1).await.unwrap();
        let id =
            |one: &str| self.xero.iter().find(|(_, id)| id.to_string() == one).unwrap().0.clone();
        reports[0]
            .differences
            .iter()
            .map(|one| {
                let xero = one.xero.map(|xero| id(&xero.to_string()));
                (one.kind.code().to_owned(), one.payment.as_ref().map(ToString::to_string), xero)
            })
            .collect()
    }

    /// Everything that must not change: the payments here, what was removed and held, and Xero's books.
    async fn untouched(&self) -> (Vec<Row>, usize, BTreeSet<(String, String, String)>) {
        let mut payments = self.world.rows("payments").await;
        payments.sort_by_key(|row| (row["invoice"].clone(), row["payment_id"].clone()));
        let others = ["tombstones", "held_payments"];
        let mut count = 0;
        for table in others {
            count += self.world.rows(table).await.len();
        }
        (payments, count, self.world.in_xero())
    }

    /// How often something was written to Xero since this was asked last.
    fn writes(&self) -> usize {
        let calls = self.world.xero.take_calls();
        calls.iter().filter(|call| !call.starts_with("GET") && call.contains("/api.xro/")).count()
    }
}

fn story() -> Story {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/scenarios/shadow/a-month-typed-by-two-hands.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_month_typed_by_two_hands_is_reported_and_switched_on() {
    // CM-02, CM-03, CM-30
    let story = story();
    assert!(!story.title.is_empty() && story.rules.contains(&"CM-30".to_owned()));
    let mut hands = Hands::new().await;
    for number in &story.invoices {
        hands.invoice(number).await;
    }
    for typed in &story.business {
        hands.business(typed, 1, "confirmed").await;
    }
    for typed in &story.xero {
        hands.bookkeeper(typed);
    }
    // The report of the first day sees all; then a payment is deleted in Xero.
    assert_eq!(hands.day().await, "in_shadow");
    let planned: BTreeSet<_> = story
        .differs
        .iter()
        .map(|one| (one.kind.clone(), one.payment.clone(), one.xero.clone()))
        .collect();
    let mut before: BTreeSet<_> = planned.clone();
    before.retain(|(kind, ..)| kind != "deleted_in_xero");
    assert_eq!(hands.differs().await, before);
    for name in &story.deleted_in_xero {
        hands.delete(name);
    }
    let untouched = hands.untouched().await;
    assert_eq!((untouched.0.len(), untouched.1), (story.business.len(), 0));

    assert_eq!(hands.day().await, "in_shadow");
    assert_eq!(hands.differs().await, planned);
    assert_eq!(hands.untouched().await, untouched);
    assert_eq!(hands.writes(), 0);
    let refused = hands.order("switch_on").await.unwrap_err();
    assert!(
        refused.contains("Nothing differs between the two systems: 8 payments differ"),
        "{refused}"
    );

    for id in &story.mended.refunded {
        let typed = hands.typed[id].clone();
        hands.business(&typed, 2, "refunded").await;
    }
    for typed in &story.mended.business {
        hands.business(typed, 1, "confirmed").await;
    }
    for name in &story.mended.deleted_in_xero {
        hands.delete(name);
    }
    for typed in &story.mended.xero {
        hands.bookkeeper(typed);
    }
    let untouched = hands.untouched().await;
    hands.day().await;
    assert_eq!(hands.differs().await, BTreeSet::new());
    let refused = hands.order("switch_on").await.unwrap_err();
    assert!(refused.contains("Nothing has differed for three days: 8 differed on"), "{refused}");
    hands.day().await;
    hands.day().await;
    let look = hands.order("look_at_shadow").await.unwrap();
    assert_eq!(look["done"], "Nothing stands in the way: it can be switched on.", "{look}");
    assert_eq!(hands.untouched().await, untouched);
    assert_eq!(hands.writes(), 0);

    let switched = hands.order("switch_on").await.unwrap();
    assert_eq!(switched["recorded"], true, "{switched}");
    assert_eq!(hands.day().await, "finished");
    // The first live night doubles nothing: Xero is as it was, and each payment here is the one there.
    assert_eq!(hands.world.in_xero(), untouched.2);
    assert_eq!(hands.writes(), 0);
    let payments = hands.world.rows("payments").await;
    assert_eq!(payments.len(), untouched.0.len());
    let linked = payments.iter().filter(|row| row.contains_key("xero_payment_id")).count();
    assert_eq!(linked, untouched.2.len());
    let log = hands.world.rows("activity").await;
    for action in ["shadow_entered", "shadow_left"] {
        assert!(log.iter().any(|row| row["action"] == action && row["by"] == "Ada"), "{action}");
    }
}

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, max: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % max
    }
}

#[tokio::test]
async fn in_shadow_no_event_order_message_or_webhook_writes_anything() {
    // CM-03, CM-30: over everything that wakes a function.
    let mut hands = Hands::new().await;
    let mut draws = Draws(11);
    for number in 0..12 {
        let number = format!("3{number:04}");
        hands.invoice(&number).await;
        for place in 0..2 {
            let cents = 10_00 + draws.below(90_00);
            let typed = Typed {
                payment: Some(format!("P-{number}-{place}")),
                xero: Some(format!("X-{number}-{place}")),
                invoice: number.clone(),
                amount: Decimal::new(i64::try_from(cents).unwrap(), 2).to_string(),
                day: harness::march(i8::try_from(1 + draws.below(27)).unwrap()),
            };
            // Each hand forgets one in three.
            let (here, there) = (draws.below(3) > 0, draws.below(3) > 0);
            if here || !there {
                hands.business(&typed, 1, "confirmed").await;
            }
            if there {
                hands.bookkeeper(&typed);
            }
        }
    }
    let untouched = hands.untouched().await;
    let world = &hands.world;
    let now = world.now();
    for event in [
        json!({"scheduled_time": now}),
        json!({"scheduled_time": now, "full": true}),
        json!({"scheduled_time": now, "certify": true}),
        json!({"scheduled_time": now, "customers": true}),
        json!({"check": true}),
        json!({"digest": true, "scheduled_time": now}),
    ] {
        // An event that is none is refused: what counts is that none of them writes.
        _ = world.invoke(event).await;
        world.work_off_once().await;
    }
    // The webhook's message, invoice by invoice.
    for id in hands.invoices.values() {
        let change = queue::InvoiceChange::new(payments::XeroInvoiceId::new(*id), None);
        let changes = queue::InvoiceChanges {
            organisation: world.organisation(),
            cause: queue::Cause::Webhook,
            accepted_at: world.now(),
            not_before: None,
            invoices: vec![change],
        };
        for message in changes.pack() {
            world.mirror(message).await;
        }
    }
    let uploads = hands.uploader();
    let task = queue::UploadTask::Direct { organisation: world.organisation() };
    let task = task.to_json().unwrap();
    for event in [
        json!({"scheduled_time": now}),
        json!({"scheduled_time": now, "fan_out": true}),
        json!({"catch_up": true}),
        json!({"Records": [{"messageId": "m", "body": task}]}),
    ] {
        let deadline = world.now() + SignedDuration::from_mins(15);
        _ = Box::pin(uploads.handle(&event, deadline)).await;
    }
    let of_payment = |id: &str| json!({"organisation": world.tenant, "payment": id});
    let whose = json!({"organisation": world.tenant});
    let payment = untouched.0[0]["payment_id"].clone();
    let number = untouched.0[0]["invoice_number"].clone();
    for (command, fields) in [
        ("sync_now", whose.clone()),
        ("approve_mass_change", whose.clone()),
        ("enable_uploads", whose.clone()),
        ("hold", of_payment(&payment)),
        ("release", of_payment(&payment)),
        ("do_not_send", of_payment(&payment)),
        ("same_payment", of_payment(&payment)),
        ("two_payments", of_payment(&payment)),
        ("release", of_payment(&payment)),
        ("preview_plan", whose.clone()),
        ("look_at_shadow", whose.clone()),
        ("close", whose.clone()),
        ("restore", json!({"organisation": world.tenant, "invoice": number, "payment": payment})),
    ] {
        let attribution = json!({"by": "Ada", "reason": "to try"});
        let request = json!({"command": {command: fields}, "attribution": attribution});
        let reply = world.command(request).await;
        if command == "restore" {
            assert!(reply.unwrap_err().contains("is in shadow"));
        }
        world.work_off_once().await;
    }
    assert_eq!(hands.day().await, "in_shadow");
    assert_eq!(hands.untouched().await, untouched);
    assert_eq!(hands.writes(), 0);
    let reports = hands.world.tables.shadow_reports(hands.world.organisation(), 5).await.unwrap();
    assert!(reports[0].would.get("upload_go").is_some_and(|count| *count > 0), "{reports:?}");
    assert!(reports[0].differences_in_all() > 0);
}

#[tokio::test]
async fn what_a_setting_would_change_is_said_before_it_is_saved() {
    // CM-30, AMB-35
    let mut hands = Hands::new().await;
    hands.invoice("20001").await;
    for (id, amount, day) in [
        ("P-1", "10.00", "2026-03-02"),
        ("P-2", "20.00", "2026-03-09"),
        ("P-3", "40.00", "2026-03-16"),
    ] {
        let typed = Typed {
            payment: Some(id.to_owned()),
            xero: None,
            invoice: "20001".to_owned(),
            amount: amount.to_owned(),
            day: day.parse().unwrap(),
        };
        hands.business(&typed, 1, "confirmed").await;
    }
    let before = hands.world.rows("organisations").await;
    let untouched = hands.untouched().await;
    let what_if = async |setting: &str, value: &str| {
        let fields =
            json!({"organisation": hands.world.tenant, "setting": setting, "value": value});
        hands.world.command(json!({"command": {"what_if": fields}})).await
    };
    let effect = what_if("upload_start", "2026-03-10").await.unwrap();
    assert_eq!((&effect["count"], &effect["looked_at"]), (&json!(2), &json!(3)), "{effect}");
    assert_eq!(effect["sums"], json!(["30.00 AUD"]), "{effect}");
    assert_eq!(effect["first"][0]["before"], "goes as DIRECT", "{effect}");
    assert_eq!(effect["first"][0]["after"], "does not go: before_start_date", "{effect}");
    let none = what_if("upload_nightly_max", "100").await.unwrap();
    assert_eq!(none["count"], 0, "{none}");
    let off = what_if("upload_enabled", "false").await.unwrap();
    assert_eq!(off["count"], 3, "{off}");
    for (setting, value) in [("upload_start", "soon"), ("forward_days", "-1"), ("upload_star", "1")]
    {
        let refused = what_if(setting, value).await.unwrap_err();
        assert!(refused.contains(setting), "{refused}");
    }
    assert_eq!(hands.world.rows("organisations").await, before);
    assert_eq!(hands.untouched().await, untouched);
}
