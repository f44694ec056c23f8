//! Every story in `tests/scenarios/two_hands` comes true: a person enters a payment in Xero, and the business reports
//! the same one. Each is played through the whole system (AMB-27, rules A8.3, FAULT-31).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use local::simulator::SAMPLE_ORGANISATION;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, InvoiceKind, NewInvoice, NewPayment, Payment, PaymentStatus};

use crate::bad_records::{evening, invoke};
use crate::world::World;

/// Stories that are played at once.
const AT_ONCE: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    title: String,
    rules: Vec<String>,
    /// `450.00 on 1`: sales invoices of one customer, K, on both sides.
    invoices: Vec<String>,
    story: Vec<Step>,
}

/// What happens, one thing after another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Step {
    /// A person enters a payment in Xero.
    EnteredInXero(Entered),
    /// A person deletes one there, or the one that we have sent for a report.
    DeletedInXero(String),
    /// The business's own system reports a payment, for the first time or again.
    Reported(Reported),
    /// The upload of the next night.
    Night(Night),
    /// The order of a person about a payment that is held: `same_payment p`, `two_payments p`.
    Ordered(String),
    /// What must be so now.
    Then(Then),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entered {
    id: String,
    /// `50.00 on 1`.
    payment: String,
    date: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    id: String,
    /// `pay_now` is posted at once; `bpay` goes in the night.
    method: String,
    amount: String,
    date: String,
    #[serde(default)]
    allocations: Vec<String>,
    status: Option<String>,
    #[serde(default)]
    approved: bool,
    transaction: Option<String>,
}

#[derive(Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Night {
    /// Xero answers.
    Quiet,
    /// The connection breaks before anything has arrived in Xero.
    NothingArrives,
    /// Xero takes everything, and its answers are lost.
    AnswersAreLost,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    /// All payments that count in Xero: `x1: 50.00 on 1`; of those that we have sent, by the name of the report.
    in_xero: Vec<String>,
    /// All payments of the business's own system.
    here: Vec<String>,
    /// What became of each report on its way up.
    reports: BTreeMap<String, String>,
    /// What a person is asked: `POSSIBLE_DUPLICATE on 1`.
    #[serde(default)]
    open: Vec<String>,
    /// Words that the operators' page about a payment holds.
    #[serde(default)]
    page: BTreeMap<String, String>,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two_hands");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_story_of_a_payment_entered_by_two_hands_comes_true() {
    let mut waiting = files();
    assert!(waiting.len() >= 8);
    let (mut playing, mut failures) = (tokio::task::JoinSet::new(), Vec::new());
    loop {
        while playing.len() < AT_ONCE
            && let Some(path) = waiting.pop()
        {
            playing.spawn(async move { (path.clone(), play(&path).await) });
        }
        let Some(played) = playing.join_next().await else { break };
        if let (path, Err(error)) = played.unwrap() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            failures.push(format!("{name}: {error:#}"));
        }
    }
    failures.sort();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

async fn play(path: &Path) -> Result<()> {
    let story: Story = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    ensure!(!story.title.is_empty() && !story.rules.is_empty(), "a story has a title and rules");
    let ends = matches!(story.story.last(), Some(Step::Then(_)));
    ensure!(ends, "a story ends with what must be so");
    let mut play = Play::begun(&story.invoices).await?;
    for (position, step) in story.story.iter().enumerate() {
        let step = play.step(step).await;
        step.with_context(|| format!("{} step {}", story.title, position + 1))?;
    }
    play.world.stack.stop().await;
    Ok(())
}

/// A story in progress.
struct Play {
    world: World,
    invoices: BTreeMap<String, Uuid>,
    entered: BTreeMap<String, Uuid>,
    revisions: BTreeMap<String, u32>,
}

impl Play {
    async fn begun(invoices: &[String]) -> Result<Self> {
        let world = World::quick().await?;
        let contact = world.xero()?.add_contact(SAMPLE_ORGANISATION, "Harbour Ferries Pty Ltd")?;
        let mut play = Self {
            world,
            invoices: BTreeMap::new(),
            entered: BTreeMap::new(),
            revisions: BTreeMap::new(),
        };
        let customer = json!({"customer": "K", "xero_contact_id": contact});
        play.report("customer", "K", customer).await?;
        for text in invoices {
            let (total, number) = on(text)?;
            let members = json!({
                "number": number, "total": {"amount": total, "currency": "AUD"},
                "contact": {"company": "Harbour Ferries Pty Ltd"},
                "issued_on": "2026-02-01", "due_on": "2099-12-31",
            });
            play.report("invoice", number, members).await?;
            let wanted = NewInvoice {
                organisation: SAMPLE_ORGANISATION,
                number: format!("CM-{number}"),
                contact_name: String::new(),
                total: total.parse()?,
                currency: "AUD".to_owned(),
                date: "2026-02-01".parse()?,
                due_date: "2099-12-31".parse()?,
                kind: InvoiceKind::Accrec,
            };
            let id = play.world.xero()?.add_invoice_to(contact, wanted)?;
            play.invoices.insert(number.to_owned(), id);
        }
        play.world.settled().await?;
        Ok(play)
    }

    async fn report(&mut self, kind: &str, id: &str, members: Value) -> Result<()> {
        let revision = self.revisions.entry(format!("{kind} {id}")).or_default();
        *revision += 1;
        let mut message = json!({"version": 1, "type": kind,
            "organisation": SAMPLE_ORGANISATION, "revision": revision});
        for (name, value) in members.as_object().context("members")? {
            message[name] = value.clone();
        }
        self.world.report(&message).await
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::EnteredInXero(entered) => {
                let (amount, number) = on(&entered.payment)?;
                let payment = NewPayment {
                    date: entered.date.parse()?,
                    amount: amount.parse()?,
                    reference: String::new(),
                };
                let invoice = *self.invoices.get(number).context("no such invoice")?;
                let id = self.world.xero()?.add_payment(invoice, payment)?;
                self.entered.insert(entered.id.clone(), id);
            }
            Step::DeletedInXero(id) => {
                let ours = || self.standing().ok()?.into_iter().find(|(name, _)| name == id);
                let id = self.entered.get(id).copied().or_else(|| Some(ours()?.1.id));
                let id = id.context("there is nothing of that name in Xero")?;
                self.world.xero()?.delete_payment(id)?;
            }
            Step::Reported(reported) => self.reported(reported).await?,
            Step::Night(night) => self.night(night).await?,
            Step::Ordered(order) => {
                let (order, payment) = order.split_once(' ').context("`same_payment p`")?;
                let event = json!({"organisation": SAMPLE_ORGANISATION, "payment": payment,
                    "order": order, "by": "Wilma", "why": "asked the bookkeeper"});
                invoke(&self.world.stack, "upload", &event).await?;
            }
            Step::Then(then) => self.compare(then).await?,
        }
        self.world.settled().await
    }

    async fn reported(&mut self, reported: &Reported) -> Result<()> {
        let parts: Result<Vec<_>> = reported.allocations.iter().map(|text| on(text)).collect();
        let part = |(amount, number): &(&str, &str)| json!({"invoice": number, "amount": amount});
        let parts: Vec<_> = parts?.iter().map(part).collect();
        let transaction = reported.transaction.clone();
        let mut members = json!({
            "id": reported.id, "reference": reported.id, "customer": "K",
            "amount": {"amount": reported.amount, "currency": "AUD"}, "date": reported.date,
            "method": "bpay", "status": reported.status.as_deref().unwrap_or("confirmed"),
            "transaction_id": transaction.unwrap_or_else(|| format!("T-{}", reported.id)),
            "entered_at": format!("{}T05:00:00Z", reported.date), "allocations": parts,
            "approved": reported.approved || reported.status.is_none(),
        });
        if reported.method == "pay_now" {
            (members["method"], members["channel"]) = (json!("card"), json!("pay_now"));
        }
        self.report("payment", &reported.id, members).await
    }

    /// A night that breaks off breaks off for good: every try of it meets the same.
    async fn night(&self, night: &Night) -> Result<()> {
        let effect = match night {
            Night::Quiet => None,
            Night::NothingArrives => Some(Effect::Cut),
            Night::AnswersAreLost => Some(Effect::LostAnswer),
        };
        if let Some(effect) = effect {
            self.world.xero()?.inject(Fault::on("PUT", "/Payments", effect).times(3));
        }
        let event = json!({"scheduled_time": evening(&self.world.stack)?});
        invoke(&self.world.stack, "upload", &event).await?;
        Ok(())
    }

    async fn compare(&self, then: &Then) -> Result<()> {
        let mut reports = BTreeMap::new();
        for row in self.world.rows("uploads").await? {
            let (state, reason) = (row["state"].as_str(), row["reason"].as_str());
            let words = match state {
                "held" | "skipped" => format!("{state} {reason}"),
                state => state.to_owned(),
            };
            reports.insert(row["payment_id"].clone(), words);
        }
        same("in Xero", &then.in_xero, self.in_xero()?)?;
        same("here", &then.here, self.here().await?)?;
        same("open", &then.open, self.open().await?)?;
        ensure!(then.reports == reports, "reports: expected {:?}, got {reports:?}", then.reports);
        for (payment, words) in &then.page {
            let event =
                json!({"page": "why", "organisation": SAMPLE_ORGANISATION, "search": payment});
            let page = invoke(&self.world.stack, "console", &event).await?;
            let page = page.as_str().context("a page")?;
            ensure!(
                page.contains(words),
                "{words:?} is not on the page of {payment}: {}",
                bare(page)
            );
        }
        Ok(())
    }

    /// The payments that count in Xero, each by the name of the one who brought it.
    fn standing(&self) -> Result<Vec<(String, Payment)>> {
        let books = self.world.xero()?.organisation(SAMPLE_ORGANISATION).context("the books")?;
        let counts = |payment: &Payment| payment.status == PaymentStatus::Authorised;
        let named = |payment: Payment| {
            // The reference of ours holds its stamp and the report's own words.
            let is_reported = |word: &&str| self.revisions.contains_key(&format!("payment {word}"));
            let said = payment.reference.split(' ').find(is_reported).map(str::to_owned);
            let name = self.name_of(&payment.id.to_string()).or(said);
            (name.unwrap_or_default(), payment)
        };
        Ok(books.payments.into_values().filter(counts).map(named).collect())
    }

    fn in_xero(&self) -> Result<Vec<String>> {
        let invoice = |id| self.invoices.iter().find(|(_, known)| **known == id);
        let line = |(name, payment): (String, Payment)| {
            let (number, _) = invoice(payment.invoice).context("an invoice of the story")?;
            Ok(format!("{name}: {:.2} on {number}", payment.amount))
        };
        self.standing()?.into_iter().map(line).collect()
    }

    async fn here(&self) -> Result<Vec<String>> {
        let line = |row: &crate::world::Row| -> Result<String> {
            let amount: rust_decimal::Decimal = row["amount"].parse()?;
            let link = row.get("xero_payment_id").map(String::as_str).unwrap_or_default();
            let name = match (row["payment_id"].as_str(), self.name_of(link)) {
                (id, Some(entered)) if id.starts_with("xero-") => format!("copy of {entered}"),
                (id, Some(entered)) => format!("{id} is {entered}"),
                (id, None) => id.to_owned(),
            };
            Ok(format!("{name}: {amount:.2} on {}", row["invoice_number"]))
        };
        self.world.rows("payments").await?.iter().map(line).collect()
    }

    async fn open(&self) -> Result<Vec<String>> {
        let rows = self.world.rows("discrepancies").await?;
        let open: BTreeSet<_> = rows
            .iter()
            .filter(|row| row["state"] == "open")
            .map(|row| {
                let at = row["invoice"].rsplit('/').next().unwrap_or_default();
                let at = if at.starts_with("contact:") { "K" } else { at };
                format!("{} on {at}", row["kind"])
            })
            .collect();
        Ok(open.into_iter().collect())
    }

    fn name_of(&self, payment: &str) -> Option<String> {
        let found = self.entered.iter().find(|(_, id)| id.to_string() == payment);
        found.map(|(name, _)| name.clone())
    }
}

fn same(what: &str, expected: &[String], mut got: Vec<String>) -> Result<()> {
    let mut expected = expected.to_vec();
    expected.sort();
    got.sort();
    ensure!(expected == got, "{what}: expected {expected:?}, got {got:?}");
    Ok(())
}

/// `50.00 on 1`.
fn on(text: &str) -> Result<(&str, &str)> {
    text.split_once(" on ").with_context(|| format!("{text:?} is not like `50.00 on 1`"))
}

#[test]
fn a_misspelt_story_is_an_error() {
    let text = r#"{"title": "t", "rules": ["AMB-27"], "invoices": [], "story": [{"reportd": {}}]}"#;
    let error = serde_json::from_str::<Story>(text).unwrap_err();
    assert!(error.to_string().contains("reportd"), "{error}");
}

/// A page without its tags.
fn bare(page: &str) -> String {
    let page = page.rsplit("</style>").next().unwrap_or_default();
    page.split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text).collect()
}
