//! Every story in `tests/scenarios/provider_credits` comes true: the business reports what its payment provider has
//! invoiced and given back, and Xero has each of it once. Each is played through intake, upload and the simulated Xero
//! (EX-15a to EX-18).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use host::clock::Clock;
use intake::Intake;
use jiff::SignedDuration;
use queue::fakes::RecordedChanges;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{CreatedKind, Effect, Fault, NewSupplierCredit};

use crate::provider_credits::wake;
use crate::world::{World, march};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    title: String,
    rules: Vec<String>,
    /// The day from which payments go up; long ago if it is left out.
    start: Option<String>,
    story: Vec<Step>,
}

/// What happens, one thing after another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Step {
    /// The business reports an invoice of the provider.
    Invoice(Invoice),
    /// The business reports a credit invoice of the provider, for the first time or again.
    Credit(Credit),
    /// The upload posts what waits.
    Posted(Posted),
    /// A person applies a credit note in Xero: `15.00 of C-1 on F-1`.
    AppliedByHand(String),
    /// A person enters a credit note in Xero: `20.00 as C-1`.
    EnteredByHand(String),
    /// The accounts of kinds of fees from now on.
    Accounts(BTreeMap<String, String>),
    /// The order of a person: `release C-1`.
    Ordered(String),
    /// What must be so now.
    Then(Then),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoice {
    id: String,
    date: String,
    /// `30.00`, or `40.00 rent`.
    fees: Vec<String>,
    /// `credit 4.00`, `debit 1.50`.
    #[serde(default)]
    adjustments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credit {
    id: String,
    date: String,
    amount: String,
    /// `20.00 on F-1`.
    applied: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Posted {
    Quiet,
    /// Xero has the credit notes, and its answers do not come back.
    AnswersAreLost,
    /// The connection breaks before Xero has any credit note.
    NothingArrives,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    /// All bills of ours in Xero: `30.00, 20.00 credited`.
    bills: BTreeMap<String, String>,
    /// All credit notes of ours in Xero: `20.00, 0.00 left`.
    credits: BTreeMap<String, String>,
    /// What became of every report: its state, and the reason if it is held or skipped.
    reports: BTreeMap<String, String>,
    /// The kinds of what a person is asked.
    open: Vec<String>,
}

fn files() -> Vec<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/provider_credits");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What a story plays with.
struct Stage {
    world: World,
    changes: RecordedChanges,
    contact: Uuid,
    revision: u64,
    /// The names in the ledger of what was reported.
    reported: BTreeMap<String, String>,
}

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn fee(words: &str) -> Value {
    let (amount, kind) = words.split_once(' ').unwrap_or((words, "processing"));
    json!({"kind": kind, "amount": amount})
}

impl Stage {
    async fn new(story: &Story) -> Self {
        let world = World::new().await;
        let contact = world.provider(&["processing", "rent"]).await;
        if let Some(start) = &story.start {
            world.change(|uploading| uploading.start = start.parse().unwrap()).await;
        }
        let (changes, reported) = (RecordedChanges::default(), BTreeMap::new());
        Self { world, changes, contact, revision: 0, reported }
    }

    async fn play(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Invoice(invoice) => self.invoice(invoice).await,
            Step::Credit(credit) => self.credit(credit).await,
            Step::Posted(how) => self.post(*how).await,
            Step::AppliedByHand(words) => self.apply_by_hand(words),
            Step::EnteredByHand(words) => {
                let (of, number) = words.split_once(" as ").unwrap();
                let (number, amount) = (number.to_owned(), amount(of));
                let credit = NewSupplierCredit { number, date: march(2), amount };
                self.world.simulator.add_supplier_credit(self.contact, credit).unwrap();
            }
            Step::Accounts(accounts) => {
                let change = |uploading: &mut payments::upload::UploadSettings| {
                    for (kind, code) in accounts {
                        let kind = kind.parse().unwrap();
                        uploading.fee_accounts.get_mut(&kind).unwrap().code.clone_from(code);
                    }
                };
                self.world.change(change).await;
            }
            Step::Ordered(words) => {
                let (order, id) = words.split_once(' ').unwrap();
                let order = json!({"organisation": self.world.organisation(), "order": order,
                    "payment": self.reported[id], "by": "Ana", "why": "a story"});
                self.world.invoke(order).await.unwrap();
            }
            Step::Then(then) => return self.compare(then).await,
        }
        Ok(())
    }

    async fn invoice(&mut self, invoice: &Invoice) {
        let of = |words: &String| amount(words.split(' ').next().unwrap());
        let mut total: Decimal = invoice.fees.iter().map(of).sum();
        let adjustments: Vec<Value> = invoice
            .adjustments
            .iter()
            .map(|words| {
                let (kind, figure) = words.split_once(' ').unwrap();
                total += if kind == "credit" { -amount(figure) } else { amount(figure) };
                json!({"type": kind, "kind": "processing", "amount": figure})
            })
            .collect();
        let mut message = self.message("provider_invoice", &invoice.id, &invoice.date, total);
        message["fees"] = invoice.fees.iter().map(|words| fee(words)).collect();
        if !adjustments.is_empty() {
            message["adjustments"] = adjustments.into();
        }
        self.take_in(&message).await;
        let name = format!("provider-invoice-{}", invoice.id);
        self.reported.insert(invoice.id.clone(), name);
    }

    async fn credit(&mut self, credit: &Credit) {
        let mut message =
            self.message("provider_credit", &credit.id, &credit.date, amount(&credit.amount));
        message["fees"] = json!([fee(&credit.amount)]);
        let part = |words: &String| {
            let (amount, invoice) = words.split_once(" on ").unwrap();
            json!({"invoice": invoice, "amount": amount})
        };
        message["applied"] = credit.applied.iter().map(part).collect();
        self.take_in(&message).await;
        self.reported.insert(credit.id.clone(), format!("provider-credit-{}", credit.id));
    }

    fn message(&mut self, kind: &str, id: &str, date: &str, total: Decimal) -> Value {
        self.revision += 1;
        json!({"version": 1, "type": kind, "organisation": self.world.organisation(), "id": id,
            "revision": self.revision, "number": id, "issued_on": date,
            "total": {"amount": total.to_string(), "currency": "AUD"}})
    }

    /// The business's own system sends a message, and intake takes it in.
    async fn take_in(&self, message: &Value) {
        let (tables, tasks) = (self.world.tables_of_a_process(), self.world.tasks.clone());
        let intake = Intake::new(tables, &self.changes, tasks, Clock::new(self.world.time()));
        let mut record = SqsMessage::default();
        record.message_id = Some("m".to_owned());
        record.body = Some(message.to_string());
        let mut event = SqsEvent::default();
        event.records = vec![record];
        let deadline = self.world.now() + SignedDuration::from_mins(5);
        let answer = intake.handle(event, deadline).await.unwrap();
        assert!(answer.batch_item_failures.is_empty(), "{message}");
    }

    async fn post(&self, how: Posted) {
        let effect = match how {
            Posted::Quiet => {
                wake(&self.world).await;
                self.world.work_off_tasks().await;
                return;
            }
            Posted::AnswersAreLost => Effect::LostAnswer,
            Posted::NothingArrives => Effect::Cut,
        };
        self.world.simulator.inject(Fault::on("PUT", "/CreditNotes", effect).times(3));
        wake(&self.world).await;
    }

    fn apply_by_hand(&self, words: &str) {
        let (of, bill) = words.split_once(" on ").unwrap();
        let (figure, credit) = of.split_once(" of ").unwrap();
        let named = |kind, name: &str| {
            let created = self.world.simulator.meter(self.world.tenant).created;
            let is = |text: &str| text.split(' ').next() == Some(name);
            created.iter().find(|one| one.kind == kind && is(&one.reference)).unwrap().id
        };
        let (credit, bill) =
            (named(CreatedKind::CreditNote, credit), named(CreatedKind::Bill, bill));
        self.world.simulator.allocate(credit, bill, amount(figure), march(2)).unwrap();
    }

    async fn compare(&self, then: &Then) -> Result<(), String> {
        self.world.check().await;
        let simulator = &self.world.simulator;
        let (mut bills, mut credits) = (BTreeMap::new(), BTreeMap::new());
        for one in simulator.meter(self.world.tenant).created {
            let name = one.reference.split(' ').next().unwrap().to_owned();
            let before = match one.kind {
                CreatedKind::Bill => {
                    let bill = simulator.invoice(one.id).unwrap();
                    let words = format!("{:.2}, {:.2} credited", bill.total, bill.amount_credited);
                    bills.insert(name.clone(), words)
                }
                CreatedKind::CreditNote => {
                    let note = simulator.credit(one.id).unwrap();
                    let words = format!("{:.2}, {:.2} left", note.total, note.remaining());
                    credits.insert(name.clone(), words)
                }
                _ => None,
            };
            assert!(before.is_none(), "{name} is twice in Xero");
        }
        let mut reports = BTreeMap::new();
        for (id, name) in &self.reported {
            let row = self.world.row(name).await;
            let says = match row.state.code() {
                state @ ("held" | "skipped") => format!("{state} {}", row.reason),
                state => state.to_owned(),
            };
            reports.insert(id.clone(), says);
        }
        let rows = self.world.rows("discrepancies").await;
        let open = rows.iter().filter(|row| row.contains_key("open_in"));
        let kind = |row: &harness::dynamodb::Row| {
            row["discrepancy"].split('#').next().unwrap_or_default().to_owned()
        };
        let open: Vec<String> = open.map(kind).collect();
        let found = (bills, credits, reports, open);
        let expected = (&then.bills, &then.credits, &then.reports, &then.open);
        if (&found.0, &found.1, &found.2, &found.3) == expected {
            return Ok(());
        }
        Err(format!("expected {expected:?}\n   found {found:?}"))
    }
}

#[tokio::test]
async fn every_story_of_provider_credits_comes_true() {
    let mut failures = Vec::new();
    let files = files();
    assert!(files.len() >= 8);
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let story: Story =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!story.title.is_empty() && !story.rules.is_empty(), "{name}");
        let mut stage = Stage::new(&story).await;
        for (number, step) in (1..).zip(&story.story) {
            if let Err(why) = stage.play(step).await {
                failures.push(format!("{name}, step {number}: {why}"));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
