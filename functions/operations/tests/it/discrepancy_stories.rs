//! Stories about discrepancies that a customer can read, in `tests/scenarios/discrepancies`: each goes through the
//! functions that are deployed. The business reports through `intake`, the hourly check is that of `sweep`, and people press
//! the buttons of the operators' pages, which `operations` obeys (SP-12, SP-18, SP-19, SP-22, SP-23, SP-24, SP-26, SP-36, AMB-31).

use std::path::Path;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use console::roles::Role;
use console::{Console, Reply};
use harness::dynamodb::{Row, having};
use host::clock::Clock;
use host::invocation::Invocation;
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use operations::InProcess;
use queue::fakes::{RecordedChanges, RecordedUploads};
use serde::Deserialize;
use serde_json::{Value, json};

use worlds::sweep::World;

const NUMBER: &str = "10031";
const NAME: &str = "10031/OVERPAID#";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    title: String,
    rules: Vec<String>,
    /// The total of the invoice.
    invoice: String,
    story: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Hours, minutes and seconds since the first step.
    at: Option<String>,
    reported: Option<Report>,
    checked: Option<bool>,
    ordered: Option<Order>,
    /// What the customer has answered to the notice.
    answered: Option<String>,
    then: Option<Then>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    payment: String,
    amount: String,
    receipt: Option<String>,
    #[serde(default)]
    cancelled: bool,
}

#[derive(Deserialize)]
struct Order {
    button: String,
    by: String,
    why: String,
    /// What is typed into the other fields of the page.
    #[serde(flatten)]
    typed: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    state: String,
    owner: String,
    /// What the log has about it since the `then` before, in order.
    log: Vec<String>,
    /// Words of its page.
    #[serde(default)]
    page: Vec<String>,
    /// The invoices in the list of breaches.
    breaches: Option<Vec<String>>,
}

#[tokio::test]
async fn each_story_about_a_discrepancy_comes_true_through_the_functions() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scenarios/discrepancies");
    let mut files: Vec<_> = std::fs::read_dir(Path::new(folder)).unwrap().collect();
    files.sort_by_key(|file| file.as_ref().unwrap().path());
    assert!(files.len() >= 2);
    for file in files {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let story: Story = serde_json::from_str(&text).unwrap();
        assert!(!story.title.is_empty() && !story.rules.is_empty(), "{}", path.display());
        Player::new(&story).await.play(&story.story, &path).await;
    }
}

struct Player {
    world: World,
    began: Timestamp,
    revision: u64,
}

impl Player {
    async fn new(story: &Story) -> Self {
        let world = World::new().await;
        let player = Self { began: world.now(), world, revision: 0 };
        player
            .take_in(json!({"type": "invoice", "number": NUMBER, "revision": 1,
                "total": {"amount": story.invoice, "currency": "AUD"}, "customer": "C-1",
                "contact": {"company": "Ada Ltd"}, "issued_on": "2026-03-01", "due_on": "2026-12-01"}))
            .await;
        player.world.invoice(&format!("CM-{NUMBER}"));
        player.world.sweep().await;
        player.world.work_off().await;
        Self { began: player.world.now(), ..player }
    }

    async fn play(mut self, steps: &[Step], path: &Path) {
        let mut known = self.log().await.len();
        for (number, step) in steps.iter().enumerate() {
            let name = format!("{}, step {}", path.display(), number + 1);
            if let Some(at) = &step.at {
                self.world.clock.set(self.began + since(at));
            }
            if let Some(report) = &step.reported {
                self.report(report).await;
            }
            if step.checked == Some(true) {
                let check = json!({"scheduled_time": self.world.now(), "check": true});
                self.world.invoke(check.clone()).await.unwrap();
                // A schedule that comes twice says nothing twice.
                self.world.invoke(check).await.unwrap();
            }
            if let Some(order) = &step.ordered {
                let said = self.press(order).await;
                assert!(said.contains("Done. "), "{name}: {said}");
            }
            if let Some(answer) = &step.answered {
                self.answer(answer).await;
            }
            if let Some(then) = &step.then {
                known = self.check(then, known, &name).await;
            }
        }
    }

    async fn check(&self, then: &Then, known: usize, name: &str) -> usize {
        let rows = self.world.rows("discrepancies").await;
        let [row] = having(&rows, &[("kind", "OVERPAID")])[..] else { panic!("{name}: {rows:?}") };
        let owner = row.get("owner").map(String::as_str).unwrap_or_default();
        assert_eq!(
            (row["state"].as_str(), owner),
            (then.state.as_str(), then.owner.as_str()),
            "{name}"
        );
        let log = self.log().await;
        assert_eq!(log[known..], then.log, "{name}");
        let page = self.page(json!({"place": NAME})).await;
        for words in &then.page {
            assert!(page.contains(words.as_str()), "{name}: {words}: {page}");
        }
        if let Some(breaches) = &then.breaches {
            let list = self.page(json!({"only": "breached"})).await;
            let is_there = list.contains(&format!("invoice {NUMBER}"));
            assert_eq!(is_there, breaches.iter().any(|number| number == NUMBER), "{name}: {list}");
        }
        log.len()
    }

    /// What the log has about the discrepancy, in order.
    async fn log(&self) -> Vec<String> {
        let rows = self.world.rows("activity").await;
        let mut rows: Vec<&Row> = having(&rows, &[("discrepancy", "OVERPAID")]);
        rows.sort_by_key(|row| row["at"].clone());
        rows.into_iter().map(|row| row["action"].clone()).collect()
    }

    /// The business's own system sends a message.
    async fn take_in(&self, mut message: Value) {
        message["version"] = json!(1);
        message["organisation"] = json!(self.world.tenant);
        let clock = self.world.clock.clone();
        let clock = Clock::new(move || clock.now());
        let (changes, uploads) = (RecordedChanges::new(), RecordedUploads::new());
        let intake = Intake::new(self.world.tables.clone(), &changes, &uploads, clock);
        let mut record = SqsMessage::default();
        record.message_id = Some("m".to_owned());
        record.body = Some(message.to_string());
        let sent_at = self.world.now().as_millisecond().to_string();
        record.attributes.insert("SentTimestamp".to_owned(), sent_at);
        let mut event = SqsEvent::default();
        event.records = vec![record];
        let deadline = self.world.now() + SignedDuration::from_mins(1);
        let answer = intake.handle(event, deadline).await.unwrap();
        assert_eq!(answer.batch_item_failures.len(), 0);
        let parked = self.world.rows("parked").await;
        assert!(parked.is_empty(), "{parked:?}");
    }

    async fn report(&mut self, report: &Report) {
        self.revision += 1;
        let amount = json!({"amount": report.amount, "currency": "AUD"});
        let parts = match report.cancelled {
            true => json!([]),
            false => json!([{"invoice": NUMBER, "amount": report.amount}]),
        };
        let mut message = json!({"type": "payment", "id": report.payment, "amount": amount,
            "revision": self.revision, "date": "2026-03-02", "method": "bank_transfer",
            "transaction_id": format!("T-{}", report.payment), "status": "confirmed",
            "entered_at": self.world.now().to_string(), "allocations": parts});
        if let Some(number) = &report.receipt {
            message["document"] = json!({"number": number, "total": report.amount});
        }
        self.take_in(message).await;
    }

    /// The customer has answered the last notice, and is satisfied.
    async fn answer(&self, answer: &str) {
        let notices = self.world.rows("notices").await;
        let now = self.world.now().to_string();
        self.take_in(json!({"type": "notice", "notice": notices[0]["notice"], "revision": 1,
            "sent_at": now, "answered_at": now, "answer": answer, "satisfied": true}))
            .await;
    }

    /// A person presses a button of the discrepancy's page.
    async fn press(&self, order: &Order) -> String {
        let rows = self.world.rows("discrepancies").await;
        let [row] = having(&rows, &[("kind", "OVERPAID")])[..] else { panic!("{rows:?}") };
        let mut event = json!({"place": NAME, "order": order.button, "seen": row["detail"]});
        if order.button == "accept" {
            event["invoice"] = json!(NUMBER);
            event["discrepancy"] = json!("OVERPAID#");
        } else {
            event["discrepancies"] = json!([NAME]);
        }
        let mut forms = json!({"pm_by": order.by, "pm_why": order.why});
        for (name, text) in &order.typed {
            forms[format!("pm_{name}")] = json!(text);
        }
        event["widgetContext"] = json!({"forms": {"all": forms}});
        self.page(event).await
    }

    async fn page(&self, mut event: Value) -> String {
        event["page"] = json!("discrepancies");
        event["organisation"] = json!(self.world.tenant);
        let clock = self.world.clock.clone();
        let operations = self.world.operations();
        let deadline = self.world.now() + SignedDuration::from_mins(1);
        let invoker = InProcess { operations: &operations, deadline };
        let clock = Clock::new(move || clock.now());
        let console = Console::new(Role::Operator, self.world.tables.clone(), invoker, clock);
        let invocation = Invocation { function_arn: "arn".to_owned(), request_id: "r".to_owned() };
        match console.handle(&event, &invocation).await {
            Reply::Html(html) => text(&html),
            Reply::Described { markdown } => panic!("{markdown}"),
        }
    }
}

/// What a page says, without its marks.
fn text(html: &str) -> String {
    let mut said = String::new();
    for part in html.split('<') {
        said.push(' ');
        said.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn since(text: &str) -> SignedDuration {
    let parts: Vec<i64> = text.split(':').map(|part| part.parse().unwrap()).collect();
    let [hours, minutes, seconds] = parts[..] else { panic!("{text}") };
    SignedDuration::from_secs(hours * 3_600 + minutes * 60 + seconds)
}
