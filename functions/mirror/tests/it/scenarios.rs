//! The stories of `tests/scenarios/mirroring`, played through the function: a message comes in, Xero is read, and the
//! tables say what the story says. The domain plays each step, too, and both must come to the same end.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::{Change, InvoiceKind, PaymentId, Snapshot, StoredInvoice, Verdict, XeroPayment};
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};
use scenarios::mirror::check::{changed_parts, differences};
use scenarios::mirror::format::{Scenario, Step};
use scenarios::mirror::world::{Played, World as Story};
use scenarios::mirror::{files, read};
use serde_json::{Value, json};
use table::ChangeContext;

use crate::world::{World, now, record, set_now};
use crate::xero::Reply;

/// Stories whose steps the function does not take one by one, and why.
const DOMAIN_ONLY: &[(&str, &str)] = &[
    (
        "number-changed-and-payments-protected.json",
        "AMB-33: the function takes an uploaded payment along to the other number; see `renumbering`",
    ),
    (
        "cm-47-another-organisation.json",
        "the answer to a call for one organisation is never of another",
    ),
    ("v19-an-old-read-comes-late.json", "a read begins when the function is called"),
];

fn xero_date(at: Timestamp) -> String {
    format!("/Date({}+0000)/", at.as_millisecond())
}

fn xero_day(day: Date) -> String {
    xero_date(day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp())
}

/// A number with its digits as they are.
fn number(amount: &payments::Money) -> Value {
    serde_json::from_str(&amount.amount().to_string()).unwrap()
}

fn payment(payment: &XeroPayment) -> Value {
    json!({
        "PaymentID": payment.id.to_string(),
        "Date": xero_day(payment.date),
        "Amount": number(&payment.amount),
        "Reference": payment.reference,
        "PaymentType": payment.kind.code(),
        "Status": if payment.deleted { "DELETED" } else { "AUTHORISED" },
    })
}

/// Xero's answer that shows this.
fn answer(shown: &Snapshot) -> String {
    let invoice = json!({
        "Type": if shown.kind == InvoiceKind::Sales { "ACCREC" } else { "ACCPAY" },
        "InvoiceID": shown.invoice.to_string(),
        "InvoiceNumber": shown.number,
        "Status": shown.status.code(),
        "Contact": {"Name": shown.contact_name},
        "Date": shown.issued_on.map(xero_day),
        "DueDate": shown.due_on.map(xero_day),
        "CurrencyCode": shown.figures.total.currency().to_string(),
        "Total": number(&shown.figures.total),
        "AmountPaid": number(&shown.figures.paid),
        "AmountCredited": number(&shown.figures.credited),
        "AmountDue": number(&shown.figures.due),
        "Payments": shown.payments.iter().map(payment).collect::<Vec<_>>(),
        "CreditNotes": [],
        "UpdatedDateUTC": xero_date(shown.updated_at),
    });
    json!({"Status": "OK", "Invoices": [invoice]}).to_string()
}

/// The function, and the story as the domain plays it.
struct Stage {
    world: World,
    story: Story,
    /// Payments of which there is a tombstone.
    removed: BTreeSet<String>,
}

impl Stage {
    async fn new(scenario: &Scenario) -> Self {
        let story = Story::given(&scenario.given);
        let stage = Self { world: World::new().await, story, removed: BTreeSet::new() };
        for invoice in stage.story.invoices() {
            stage.becomes(invoice).await;
        }
        stage
    }

    async fn stored(&self, like: &StoredInvoice) -> StoredInvoice {
        self.world.tables.invoice(like.organisation, &like.number).await.unwrap()
    }

    /// The tables hold this, from any writer.
    async fn becomes(&self, wanted: &StoredInvoice) {
        let stored = self.stored(wanted).await;
        if !changed_parts(&stored, wanted).is_empty() {
            let wanted = StoredInvoice { revision: stored.revision, ..wanted.clone() };
            let change = Change { after: wanted, tombstones: Vec::new(), decisions: Vec::new() };
            let because = ChangeContext { cause: "intake", event_at: None, now: now() };
            self.world.tables.write_invoice(&stored, &change, because).await.unwrap();
        }
    }

    async fn deliver(&self, shown: &Snapshot) {
        let message = Message::Invoices(InvoiceChanges {
            organisation: self.story.settings.organisation,
            cause: Cause::Webhook,
            accepted_at: now(),
            not_before: None,
            invoices: vec![InvoiceChange::new(shown.invoice, None)],
        });
        let again = self.world.deliver(&[record("m", message)]).await;
        assert!(again.is_empty(), "{again:?}");
    }

    /// Plays a step; every difference between what must be so and what the tables say.
    async fn play(&mut self, step: &Step) -> Vec<String> {
        let played = self.story.play(step);
        set_now(played.now);
        self.becomes(&played.before).await;
        self.world.tables.store_settings(&self.story.settings).await.unwrap();
        let reply = Reply::status(200, answer(&played.snapshot));
        self.world.xero.always(reply);

        self.deliver(&played.snapshot).await;

        let after = self.stored(&played.after).await;
        let mut found: Vec<_> = changed_parts(&played.after, &after)
            .into_iter()
            .map(|part| format!("the domain and the function differ: {part}"))
            .collect();
        found.extend(self.new_tombstones(&played).await);
        let played = Played { after, ..played };
        found.extend(differences(&played, &step.then));
        self.world.proxy.heal();
        self.deliver(&played.snapshot).await;
        let writes = self.world.proxy.calls();
        if writes.iter().any(|call| call.operation == "TransactWriteItems") {
            found.push("judged again, it is written once more".to_owned());
        }
        found
    }

    async fn new_tombstones(&mut self, played: &Played) -> Option<String> {
        let rows = self.world.rows("tombstones").await;
        let all: BTreeSet<_> = rows.into_iter().map(|row| row["payment_id"].clone()).collect();
        let new: Vec<_> = all.difference(&self.removed).cloned().collect();
        let wanted: Vec<PaymentId> = match &played.verdict {
            Verdict::Changed(change) => {
                change.tombstones.iter().map(|tombstone| tombstone.payment.id.clone()).collect()
            }
            _ => Vec::new(),
        };
        self.removed = all.clone();
        let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
        let same =
            new.iter().all(|id| wanted.contains(id)) && wanted.iter().all(|id| all.contains(id));
        (!same).then(|| format!("tombstones of {new:?} instead of {wanted:?}"))
    }
}

#[tokio::test]
async fn every_scenario_comes_true_through_the_function() {
    let mut failures = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if DOMAIN_ONLY.iter().any(|(only, _)| *only == name) {
            continue;
        }
        let scenario = read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut stage = Stage::new(&scenario).await;
        for (number, step) in (1..).zip(&scenario.steps) {
            let differences = stage.play(step).await;
            failures
                .extend(differences.iter().map(|text| format!("{name}, step {number}: {text}")));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}
