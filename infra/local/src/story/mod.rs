//! The story that `cargo run` plays: what happens to payments, step by step, each one checked in
//! the tables. It uses new invoice numbers every time, so it can be played again and again.

mod bills;
mod business;
mod forged_delivery;
mod invocation;
mod money;
mod narrator;
mod night;
mod orders;
mod sweep;
mod xero;

use std::time::Instant;

use anyhow::Context as _;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice, NewPayment, Simulator};

use self::{
    business::{Business, Paid},
    money::{CURRENCY, amount},
    narrator::{Seen, Teller},
    night::NightScene,
};
use crate::{
    Stack,
    engines::queues,
    setup::TIME_ZONE,
    simulator::SAMPLE_ORGANISATION,
    table_queries::{self, Look},
};

/// Whose invoices these are.
const CONTACT: &str = "Rubble Quarries Pty Ltd";
/// The first invoice number, where there are none.
const FIRST_NUMBER: u64 = 10_001;

/// What the story is about: three new invoices, the same in both systems.
struct Scene<'a> {
    look: Look<'a>,
    xero: &'a Simulator,
    business: Business<'a>,
    /// The first of the three numbers.
    first: u64,
    today: Date,
    now: Timestamp,
}

/// Plays the story. The answer is whether everything came true.
///
/// # Errors
///
/// The story cannot be played: a part does not answer, or refuses what it must take.
pub(crate) async fn play(stack: &Stack) -> anyhow::Result<bool> {
    let began = Instant::now();
    let organisation = stack.xero().tenant_id.as_str();
    let look = Look { dynamodb: stack.dynamodb(), organisation };
    let known = look.invoices().await?;
    let now = stack.clock().now();
    let scene = Scene {
        look,
        xero: stack.simulator()?,
        business: Business { sqs: stack.sqs(), organisation },
        first: known.last().map_or(FIRST_NUMBER, |last| last.number.saturating_add(1)),
        today: now.to_zoned(TimeZone::get(TIME_ZONE)?).date(),
        now,
    };
    println!("\nA short story. Most steps wait for the window that gathers changes into one read.");
    let mut teller = Teller::new(stack.window());
    scene.business_sends(&mut teller).await?;
    let invoices = scene.invoices_in_xero()?;
    let recorded = scene.payment_recorded(&mut teller, invoices[0]).await?;
    scene.payment_matched(&mut teller, invoices[1]).await?;
    let edited = scene.payment_edited(&mut teller, recorded).await?;
    scene.payment_deleted(&mut teller, edited).await?;
    scene.forged(&mut teller, stack).await?;
    scene.intent_to_receive(&mut teller).await;
    let [.., last] = scene.numbers();
    println!("\nThe night. Every evening the payments that the business has taken go up to Xero.");
    NightScene::new(stack, last.saturating_add(1), scene.today)?.play(&mut teller).await?;
    println!(
        "\nThe sweep. Webhooks are only for speed; this is the guarantee that nothing is missed."
    );
    sweep::play(stack, &mut teller, (invoices[2], last), scene.paid(30)).await?;
    sweep::check(stack, &mut teller).await?;
    println!("\nAn order. How far it is paid follows from the facts about its money.");
    orders::play(&scene, &mut teller).await?;
    Ok(teller.end(began))
}

impl Scene<'_> {
    fn typed_in(&self) -> String {
        format!("P-{}", self.first.saturating_add(1))
    }

    async fn business_sends(&self, teller: &mut Teller) -> anyhow::Result<()> {
        let [one, two, three] = self.numbers();
        teller.begin(
            "The business's own system sends three invoices, and a payment that a person typed in.",
            &format!("invoices {one}, {two} and {three}; on {two} a payment of 80.00 {CURRENCY}"),
        );
        let due = self.due()?;
        let mut messages: Vec<_> = self
            .numbers()
            .into_iter()
            .map(|number| self.business.invoice(number, CONTACT, total(), self.today, due))
            .collect();
        let id = self.typed_in();
        let paid =
            Paid { id: id.clone(), amount: amount(80), date: self.today, entered_at: self.now };
        messages.push(self.business.typed_in(&paid, two));
        let sent = Instant::now();
        self.business.send(&messages).await?;
        teller
            .look(sent, async || {
                let known = self.look.invoices().await?;
                let known = known.iter().filter(|invoice| invoice.number >= self.first).count();
                let payments = self.look.payments(two).await?;
                let expected = known == 3 && payments.iter().any(|payment| payment.id == id);
                let payments = table_queries::describe(&payments);
                Ok(Seen::when(expected, format!("{known} invoices; on {two}: {payments}")))
            })
            .await
    }

    /// The same invoices in Xero, as the bookkeeper has entered them there.
    fn invoices_in_xero(&self) -> anyhow::Result<Vec<Uuid>> {
        let due_date = self.due()?;
        let enter = |number| {
            self.xero.add_invoice(NewInvoice {
                organisation: SAMPLE_ORGANISATION,
                number: format!("CM-{number}"),
                contact_name: CONTACT.to_owned(),
                total: total(),
                currency: CURRENCY.to_owned(),
                date: self.today,
                due_date,
                kind: InvoiceKind::Accrec,
            })
        };
        self.numbers().into_iter().map(enter).collect()
    }

    async fn payment_recorded(&self, teller: &mut Teller, invoice: Uuid) -> anyhow::Result<Uuid> {
        let [one, ..] = self.numbers();
        teller.begin(
            &format!("A person records a payment of 46.00 {CURRENCY} in Xero, on CM-{one}."),
            &format!("the payment on {one}, as a copy"),
        );
        let event = Instant::now();
        let payment = self.xero.add_payment(invoice, self.paid(46))?;
        self.look_for_copy(teller, event, payment, amount(46), 0).await?;
        Ok(payment)
    }

    async fn payment_matched(&self, teller: &mut Teller, invoice: Uuid) -> anyhow::Result<()> {
        let [_, two, _] = self.numbers();
        teller.begin(
            &format!("The payment that was typed in for {two} is recorded in Xero as well."),
            "no second payment: the two are known to be the same",
        );
        let event = Instant::now();
        let payment = self.xero.add_payment(invoice, self.paid(80))?.to_string();
        teller
            .look(event, async || {
                let payments = self.look.payments(two).await?;
                let same = |found: &table_queries::Payment| {
                    found.id == self.typed_in() && found.xero_id.as_deref() == Some(&payment)
                };
                let expected = payments.len() == 1 && payments.iter().all(same);
                Ok(Seen::when(
                    expected,
                    format!("on {two}: {}", table_queries::describe(&payments)),
                ))
            })
            .await
    }

    async fn payment_edited(&self, teller: &mut Teller, payment: Uuid) -> anyhow::Result<Uuid> {
        let [one, ..] = self.numbers();
        teller.begin(
            "It was 64.00: it is edited in Xero, which deletes it there and records another one.",
            &format!("64.00 {CURRENCY} on {one}; the 46.00 are kept among the tombstones"),
        );
        let event = Instant::now();
        let payment = self.xero.edit_payment(payment, self.paid(64))?;
        self.look_for_copy(teller, event, payment, amount(64), 1).await?;
        Ok(payment)
    }

    async fn payment_deleted(&self, teller: &mut Teller, payment: Uuid) -> anyhow::Result<()> {
        let [one, ..] = self.numbers();
        teller.begin(
            "It is deleted in Xero.",
            &format!("no payment on {one}; both are kept among the tombstones"),
        );
        let event = Instant::now();
        self.xero.delete_payment(payment)?;
        teller
            .look(event, async || {
                let payments = self.look.payments(one).await?;
                let tombstones = self.look.tombstones(one).await?;
                let expected = payments.is_empty() && tombstones.len() == 2;
                Ok(Seen::when(expected, on(one, &payments, &tombstones)))
            })
            .await
    }

    async fn forged(&self, teller: &mut Teller, stack: &Stack) -> anyhow::Result<()> {
        teller.begin(
            "A stranger sends a delivery of Xero's, with one character changed.",
            "401, and nothing more in the queue",
        );
        let deliveries = self.xero.deliveries();
        let good = deliveries.iter().rfind(|delivery| delivery.succeeded());
        let good = good.context("Xero has delivered nothing")?;
        let http = reqwest::Client::new();
        let before = stack.depth(queues::CHANGES).await?.total();
        let event = Instant::now();
        let mut found = Vec::new();
        let mut refused = true;
        for forgery in forged_delivery::forgeries(good) {
            let status = forgery.post(&http, &stack.webhook_url()).await?;
            refused &= status == 401;
            found.push(format!("{}: {status}", forgery.what));
        }
        // An accepted delivery is in the queue before it is answered, so there is nothing to wait for.
        let after = stack.depth(queues::CHANGES).await?.total();
        found.push(format!("messages in the queue: {before} before, {after} after"));
        teller.judge(event, Seen::when(refused && after <= before, found.join("; ")));
        Ok(())
    }

    async fn intent_to_receive(&self, teller: &mut Teller) {
        teller.begin(
            "Xero tests the endpoint, as it does when the webhook is set up (intent to receive).",
            "200 for what is signed well, 401 for near misses, and no body in any answer",
        );
        let event = Instant::now();
        let outcome = self.xero.intent_to_receive().await;
        let statuses: Vec<_> = outcome
            .probes
            .iter()
            .map(|probe| probe.status.map_or("none".to_owned(), |status| status.to_string()))
            .collect();
        let mut found = statuses.join(", ");
        for problem in &outcome.problems {
            found = format!("{found}; {problem}");
        }
        teller.judge(event, Seen::when(outcome.passed, found));
    }

    /// Looks for one payment on the first invoice, a copy of `payment`, and so many tombstones.
    async fn look_for_copy(
        &self,
        teller: &mut Teller,
        event: Instant,
        payment: Uuid,
        amount: Decimal,
        removed: usize,
    ) -> anyhow::Result<()> {
        let [one, ..] = self.numbers();
        let payment = payment.to_string();
        teller
            .look(event, async || {
                let payments = self.look.payments(one).await?;
                let tombstones = self.look.tombstones(one).await?;
                let copy = |found: &table_queries::Payment| {
                    found.origin == "xero"
                        && found.amount == amount
                        && found.xero_id.as_deref() == Some(&payment)
                };
                let expected =
                    payments.len() == 1 && payments.iter().all(copy) && tombstones.len() == removed;
                Ok(Seen::when(expected, on(one, &payments, &tombstones)))
            })
            .await
    }

    fn numbers(&self) -> [u64; 3] {
        [0, 1, 2].map(|offset| self.first.saturating_add(offset))
    }

    fn due(&self) -> anyhow::Result<Date> {
        Ok(self.today.checked_add(30.days())?)
    }

    fn paid(&self, dollars: i64) -> NewPayment {
        NewPayment {
            date: self.today,
            amount: amount(dollars),
            reference: format!("BPAY {}", self.first),
        }
    }
}

fn on(
    invoice: u64,
    payments: &[table_queries::Payment],
    tombstones: &[table_queries::Payment],
) -> String {
    let mut found = format!("on {invoice}: {}", table_queries::describe(payments));
    if !tombstones.is_empty() {
        found = format!("{found}; removed: {}", table_queries::describe(tombstones));
    }
    found
}

fn total() -> Decimal {
    amount(115)
}
