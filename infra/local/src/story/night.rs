//! The night: 230 customers have paid by BPAY, and 200 payments a night go up to Xero.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::{SignedDuration, civil::Date};
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::Simulator;

use super::{
    bills::{Bills, CUSTOMERS, PAYMENTS, TOO_MUCH},
    business::Business,
    invocation::invoke,
    money::{CURRENCY, amount},
    narrator::{Seen, Teller},
    xero::{Uploaded, calls_since},
};
use crate::{
    Stack,
    lambda::Function,
    next_night::{NextNight, next_night},
    simulator::SAMPLE_ORGANISATION,
    table_queries::Look,
};

/// How many go in a night.
const NIGHTLY: usize = 200;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Longest that announcements take to be dealt with.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);
/// Most nights in which a backlog of earlier plays is cleared.
const BACKLOG_NIGHTS_MAX: usize = 20;

/// Who pays what, and the means to see it.
pub(super) struct NightScene<'a> {
    stack: &'a Stack,
    look: Look<'a>,
    xero: &'a Simulator,
    business: Business<'a>,
    bills: Bills,
    http: Client,
}

impl<'a> NightScene<'a> {
    /// A scene whose first invoice is `first`.
    pub(super) fn new(stack: &'a Stack, first: u64, today: Date) -> anyhow::Result<Self> {
        let organisation = stack.xero().tenant_id.as_str();
        Ok(Self {
            stack,
            look: Look { dynamodb: stack.dynamodb(), organisation },
            xero: stack.simulator()?,
            business: Business { sqs: stack.sqs(), organisation },
            bills: Bills { first, today, now: stack.clock().now() },
            http: Client::new(),
        })
    }

    /// Plays it.
    pub(super) async fn play(&self, teller: &mut Teller) -> anyhow::Result<()> {
        self.clear_backlog().await?;
        self.payments_wait(teller).await?;
        let first = self.next_night().await?;
        self.first_night(teller, &first).await?;
        self.same_night_again(teller, &first).await?;
        let second = self.next_night().await?;
        self.preview(teller, &second).await?;
        self.second_night(teller, &second).await?;
        self.own_announcements(teller).await
    }

    async fn payments_wait(&self, teller: &mut Teller) -> anyhow::Result<()> {
        teller.begin(
            &format!(
                "{CUSTOMERS} customers have paid by BPAY, {PAYMENTS} payments in ten days. The \
                 business's own system reports them; it knows who paid, not what for."
            ),
            &format!("{PAYMENTS} payments wait for the night"),
        );
        let event = Instant::now();
        let add = |name: &String| self.xero.add_contact(SAMPLE_ORGANISATION, name);
        let contacts: Vec<Uuid> =
            self.bills.customers().iter().map(add).collect::<Result<_, _>>()?;
        self.business.send(&self.bills.reports(&self.business, &contacts)).await?;
        for (contact, invoice) in contacts.iter().zip(self.bills.in_xero()) {
            self.xero.add_invoice_to(*contact, invoice)?;
        }
        teller
            .look_within(SETTLED_WITHIN, event, async || {
                let waiting = self.waiting().await?;
                let expected = waiting == PAYMENTS;
                Ok(Seen::when(expected, format!("{waiting} payments wait in the table `uploads`")))
            })
            .await?;
        // Xero's announcements of the new invoices are dealt with before the clock is put forward,
        // so that nothing is cut off by the jump.
        self.stack.drained(SETTLED_WITHIN).await
    }

    async fn first_night(&self, teller: &mut Teller, night: &NextNight) -> anyhow::Result<()> {
        let carried = PAYMENTS - NIGHTLY;
        teller.begin(
            &format!(
                "It is {} (the clock is put forward): the upload is called.",
                night.describe()
            ),
            &format!(
                "the {NIGHTLY} oldest in Xero, {TOO_MUCH}.00 {CURRENCY} that the first customer \
                 paid too much as a prepayment; {carried} wait for the next night"
            ),
        );
        let event = Instant::now();
        let before = self.xero.meter(SAMPLE_ORGANISATION);
        self.run(night).await?;
        let took = calls_since(&before, &self.xero.meter(SAMPLE_ORGANISATION));
        let uploaded = self.uploaded();
        let (payments, waiting) = (uploaded.payments(), self.waiting().await?);
        let prepaid = uploaded.prepaid(self.xero);
        let expected = uploaded.is_exactly(&self.bills.payers(NIGHTLY))
            && waiting == carried
            && prepaid == amount(TOO_MUCH);
        let found = format!(
            "{payments} in Xero{}, {prepaid} {CURRENCY} as a prepayment; {waiting} wait; {took}",
            wrong(&uploaded)
        );
        teller.judge(event, Seen::when(expected, found));
        Ok(())
    }

    async fn same_night_again(&self, teller: &mut Teller, night: &NextNight) -> anyhow::Result<()> {
        teller.begin("The same night is called once more.", "it was played: nothing happens");
        let event = Instant::now();
        let answer = self.run(night).await?;
        let outcome = text(&answer["nights"][0]["outcome"]);
        let uploaded = self.uploaded();
        let (payments, waiting) = (uploaded.payments(), self.waiting().await?);
        let expected = outcome == "already_run"
            && uploaded.is_exactly(&self.bills.payers(NIGHTLY))
            && waiting == PAYMENTS - NIGHTLY;
        let found = format!("{outcome}; {payments} in Xero{}, {waiting} wait", wrong(&uploaded));
        teller.judge(event, Seen::when(expected, found));
        Ok(())
    }

    async fn preview(&self, teller: &mut Teller, night: &NextNight) -> anyhow::Result<()> {
        self.stack.drained(SETTLED_WITHIN).await?;
        let an_hour_before = night.scheduled_time.saturating_sub(HOUR)?;
        let way = an_hour_before.duration_since(self.stack.clock().now());
        self.stack.clock().advance(SignedDuration::from_secs(way.as_secs().max(0)))?;
        let left = PAYMENTS - NIGHTLY;
        teller.begin(
            "The next evening, an hour before. What will the night do? A preview says it, and does \
             nothing.",
            &format!("{left} payments will go, each to the invoice of its customer"),
        );
        let event = Instant::now();
        let wanted = json!({ "preview": true, "scheduled_time": night.scheduled_time });
        let answer = self.call(&wanted).await?;
        let preview = &answer["previews"][0];
        let payments = preview["payments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = payments.iter().filter(|payment| self.bills.has(text(&payment["payment"])));
        let go = ours.filter(|payment| {
            let parts = payment["parts"].as_array().map_or(0, Vec::len);
            payment["would"] == "go" && parts == 1
        });
        let (go, waiting) = (go.count(), self.waiting().await?);
        let found = format!(
            "in the night of {} {go} would go, {} would wait for a later one; {waiting} wait still",
            text(&preview["night"]),
            preview["would_wait"]
        );
        teller.judge(event, Seen::when(go == left && waiting == left, found));
        Ok(())
    }

    async fn second_night(&self, teller: &mut Teller, night: &NextNight) -> anyhow::Result<()> {
        teller.begin(
            &format!("It is {}: the next night.", night.describe()),
            &format!("all {PAYMENTS} in Xero, each once; nothing waits"),
        );
        let event = Instant::now();
        let before = self.xero.meter(SAMPLE_ORGANISATION);
        self.run(night).await?;
        let took = calls_since(&before, &self.xero.meter(SAMPLE_ORGANISATION));
        let uploaded = self.uploaded();
        let (payments, waiting) = (uploaded.payments(), self.waiting().await?);
        let expected = uploaded.is_exactly(&self.bills.payers(PAYMENTS)) && waiting == 0;
        let found = format!("{payments} in Xero{}; {waiting} wait; {took}", wrong(&uploaded));
        teller.judge(event, Seen::when(expected, found));
        Ok(())
    }

    async fn own_announcements(&self, teller: &mut Teller) -> anyhow::Result<()> {
        teller.begin(
            "Xero announces every change to us, those that we made ourselves too.",
            &format!(
                "nothing is taken for news: {PAYMENTS} of the business's own payments, each once and \
                 linked with the one in Xero; none copied"
            ),
        );
        let event = Instant::now();
        self.stack.drained(SETTLED_WITHIN).await?;
        let uploaded = self.uploaded();
        let in_xero: BTreeMap<_, _> = (0..PAYMENTS)
            .filter_map(|index| {
                let payer = self.bills.payer(index);
                Some((self.bills.id(index), uploaded.by_payer.get(&payer)?))
            })
            .collect();
        let (mut linked, mut others) = (BTreeSet::new(), Vec::new());
        for customer in 0..CUSTOMERS {
            let number = self.bills.number(customer);
            for payment in self.look.payments(number).await? {
                let theirs = in_xero.get(&payment.id).map(|ids| ids.as_slice()).unwrap_or_default();
                let theirs = theirs.iter().map(Uuid::to_string);
                let known = theirs.clone().any(|id| payment.xero_id.as_ref() == Some(&id));
                if !(payment.origin == "local" && known && linked.insert(payment.id.clone())) {
                    others.push(format!("on {number}: {}", payment.describe()));
                }
            }
        }
        let linked = linked.len();
        let copies = match others.as_slice() {
            [] => "none copied".to_owned(),
            others => format!("{} others, such as {}", others.len(), others[0]),
        };
        let found = format!("{linked} of the business's own payments, linked with Xero; {copies}");
        teller.judge(event, Seen::when(linked == PAYMENTS && others.is_empty(), found));
        Ok(())
    }

    /// Payments that an earlier play has left waiting would go first: their nights are played.
    async fn clear_backlog(&self) -> anyhow::Result<()> {
        for _ in 0..BACKLOG_NIGHTS_MAX {
            let waiting = self.look.waiting().await?.len();
            if waiting == 0 {
                return Ok(());
            }
            let night = self.next_night().await?;
            println!("\n   {waiting} payments wait from before; a night is played for them first.");
            self.run(&night).await?;
            self.stack.drained(SETTLED_WITHIN).await?;
        }
        Ok(())
    }

    async fn next_night(&self) -> anyhow::Result<NextNight> {
        next_night(self.stack).await?.context("the sample organisation uploads nothing")
    }

    async fn run(&self, night: &NextNight) -> anyhow::Result<Value> {
        self.call(&json!({ "scheduled_time": night.scheduled_time })).await
    }

    /// Calls `upload` as `aws lambda invoke` does.
    async fn call(&self, event: &Value) -> anyhow::Result<Value> {
        invoke(self.stack, &self.http, Function::Upload, event).await
    }

    /// How many of this play's payments wait for a night.
    async fn waiting(&self) -> anyhow::Result<usize> {
        let waiting = self.look.waiting().await?;
        Ok(waiting.iter().filter(|id| self.bills.has(id)).count())
    }

    fn uploaded(&self) -> Uploaded {
        Uploaded::of(self.xero, &self.bills.mark())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What should not be there, in words.
fn wrong(uploaded: &Uploaded) -> String {
    match uploaded.wrong.first() {
        None => String::new(),
        Some(first) => format!(", and {} that are wrong, such as {first}", uploaded.wrong.len()),
    }
}
