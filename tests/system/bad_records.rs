//! One organisation has an invoice that cannot be read, a payment that cannot be sent and messages that make no
//! sense. Everything else of it goes on in the same run, so does the other organisation, and the pages name each of
//! the three (AMB-30, FAULT-32).

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use local::Stack;
use local::engines::queues;
use local::simulator::SAMPLE_ORGANISATION;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};
use xero_simulator::{InvoiceKind, NewInvoice, NewOrganisation, NewPayment};

use crate::world::{Row, World};

/// Books in dinars, which have three decimals where Xero keeps two.
const DINARS: Uuid = uuid!("00000000-0000-4000-8000-00000000d1a2");

/// An organisation with its hands: the business, the bookkeeper, and operators at its pages.
struct Books<'a> {
    world: &'a World,
    id: Uuid,
    currency: &'static str,
    contact: Uuid,
    odd_contact: Uuid,
}

impl<'a> Books<'a> {
    async fn of(world: &'a World, id: Uuid, currency: &'static str) -> Result<Self> {
        let contact = world.xero()?.add_contact(id, "Harbour Ferries Pty Ltd")?;
        let odd_contact = world.xero()?.add_contact(id, "Odd Quarries Pty Ltd")?;
        let books = Self { world, id, currency, contact, odd_contact };
        for (customer, contact) in [("C-1", contact), ("C-2", odd_contact)] {
            let members = json!({"customer": customer, "xero_contact_id": contact});
            books.report("customer", members).await?;
        }
        Ok(books)
    }

    async fn report(&self, kind: &str, members: Value) -> Result<()> {
        let mut message =
            json!({"version": 1, "type": kind, "organisation": self.id, "revision": 1});
        for (name, value) in members.as_object().context("an object")? {
            message[name] = value.clone();
        }
        self.world.report(&message).await
    }

    /// An invoice of 300 on both sides; Xero's in the currency of the books, unless another is said.
    async fn invoice(&self, number: &str, currency: Option<&str>) -> Result<Uuid> {
        let members = json!({
            "number": number, "total": {"amount": "300.00", "currency": self.currency},
            "contact": {"company": "Harbour Ferries Pty Ltd"},
            "issued_on": "2026-10-01", "due_on": "2099-12-31",
        });
        self.report("invoice", members).await?;
        let wanted = NewInvoice {
            organisation: self.id,
            number: format!("CM-{number}"),
            contact_name: String::new(),
            total: "300.00".parse()?,
            currency: currency.unwrap_or(self.currency).to_owned(),
            date: "2026-10-01".parse()?,
            due_date: "2099-12-31".parse()?,
            kind: InvoiceKind::Accrec,
        };
        let contact = if currency.is_some() { self.odd_contact } else { self.contact };
        self.world.xero()?.add_invoice_to(contact, wanted)
    }

    /// A payment that the business has taken: by card for this invoice, or by BPAY for none.
    async fn takes(&self, id: &str, amount: &str, invoice: Option<&str>) -> Result<()> {
        let parts = invoice.map(|number| json!([{"invoice": number, "amount": amount}]));
        let mut members = json!({
            "id": id, "amount": {"amount": amount, "currency": self.currency},
            "date": "2026-10-20", "method": if invoice.is_some() { "card" } else { "bpay" },
            "customer": "C-1", "transaction_id": format!("T-{id}"), "status": "confirmed",
            "reference": id,
            "approved": true, "entered_at": "2026-10-20T09:00:00Z",
            "allocations": parts.unwrap_or(json!([])),
        });
        if invoice.is_some() {
            members["channel"] = json!("pay_now");
        }
        self.report("payment", members).await
    }

    /// A person records a payment in Xero.
    fn bookkeeper_records(&self, invoice: Uuid, amount: &str) -> Result<()> {
        let (date, reference) = ("2026-10-05".parse()?, "counter".to_owned());
        self.world
            .xero()?
            .add_payment(invoice, NewPayment { date, amount: amount.parse()?, reference })?;
        Ok(())
    }

    /// The payments in Xero that bear our stamp, by the word of the business for them.
    fn gone_up(&self) -> Result<Vec<String>> {
        let references = self.world.xero()?.live_references(self.id);
        let word =
            |text: &String| text.split(' ').find(|word| word.starts_with("P-")).map(str::to_owned);
        let mut gone: Vec<_> = references.keys().filter_map(word).collect();
        gone.sort();
        Ok(gone)
    }

    /// The rows of a table that are this organisation's.
    async fn rows(&self, table: &str) -> Result<Vec<Row>> {
        let mut rows = self.world.rows(table).await?;
        let id = self.id.to_string();
        let keys = |row: &Row| [row.get("organisation").cloned(), row.get("invoice").cloned()];
        rows.retain(|row| keys(row).iter().flatten().any(|key| key.starts_with(&id)));
        Ok(rows)
    }

    async fn page(&self, page: &str, more: Value) -> Result<String> {
        let mut event = json!({"page": page, "organisation": self.id});
        for (name, value) in more.as_object().context("an object")? {
            event[name] = value.clone();
        }
        Ok(invoke(&self.world.stack, "console", &event)
            .await?
            .as_str()
            .context("a page")?
            .to_owned())
    }
}

pub async fn invoke(stack: &Stack, function: &str, event: &Value) -> Result<Value> {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", stack.invoke_url());
    let answer = reqwest::Client::new().post(url).body(event.to_string()).send().await?;
    let failed = answer.headers().contains_key("x-amz-function-error");
    let text = answer.text().await?;
    ensure!(!failed, "{function}: {text}");
    Ok(serde_json::from_str(&text)?)
}

async fn send(stack: &Stack, queue: &str, body: &str) -> Result<()> {
    let url = queues::url(stack.sqs(), queue).await?;
    stack.sqs().send_message().queue_url(url).message_body(body).send().await?;
    Ok(())
}

/// The organisation with the dinars is signed up as an operator does it, and uploads to its bank account.
async fn sign_up_dinars(world: &World) -> Result<()> {
    let organisation = NewOrganisation {
        id: Some(DINARS),
        currency: "KWD".to_owned(),
        ..NewOrganisation::default()
    };
    world.xero()?.add_organisation(organisation)?;
    let wish =
        json!({"organisation": DINARS, "time_zone": "Australia/Sydney", "by": "Ada", "why": "new"});
    invoke(&world.stack, "sweep", &json!({"sign_up": wish})).await?;
    let books = world.xero()?.organisation(DINARS).context("it was just added")?;
    let bank = books.accounts.first().context("it has accounts")?.id;
    let update = world.stack.dynamodb().update_item().table_name("organisations");
    let update = update.key("organisation", AttributeValue::S(DINARS.to_string()));
    let update = update.update_expression(
        "SET upload_enabled = :yes, upload_start = :start, upload_account_id = :bank",
    );
    let update = update.expression_attribute_values(":yes", AttributeValue::Bool(true));
    let update =
        update.expression_attribute_values(":start", AttributeValue::S("2026-07-01".to_owned()));
    let bank = AttributeValue::S(bank.to_string());
    update.expression_attribute_values(":bank", bank).send().await?;
    Ok(())
}

/// 22:00 in Sydney, tomorrow.
pub fn evening(stack: &Stack) -> Result<Timestamp> {
    let zone = TimeZone::get("Australia/Sydney")?;
    let day = stack.clock().now().to_zoned(zone.clone()).date();
    Ok(day.checked_add(1.days())?.at(22, 0, 0, 0).to_zoned(zone)?.timestamp())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_bad_records_of_one_organisation_stop_nothing_else_and_the_pages_name_them()
-> Result<()> {
    // AMB-30, FAULT-32
    let world = World::quick().await?;
    sign_up_dinars(&world).await?;
    let bad = Books::of(&world, DINARS, "KWD").await?;
    let good = Books::of(&world, SAMPLE_ORGANISATION, "AUD").await?;
    let unreadable = three_bad_records(&bad).await?;
    // And what is good, of both, in the same lists, bundles and batches.
    for books in [&bad, &good] {
        let paid = books.invoice("11", None).await?;
        books.invoice("12", None).await?;
        books.takes("P-night", "20.00", None).await?;
        books.takes("P-card", "30.00", Some("12")).await?;
        world.settled().await?;
        books.bookkeeper_records(paid, "40.00")?;
    }
    bad.takes("P-third-card", "5.005", Some("12")).await?;
    bad.bookkeeper_records(unreadable, "50.00")?;
    world.settled().await?;
    for books in [&bad, &good] {
        assert_eq!(books.gone_up()?, ["P-card"], "the direct post of {}", books.currency);
    }

    every_run_ends_well(&world).await?;

    for books in [&bad, &good] {
        assert_eq!(books.gone_up()?, ["P-card", "P-night"], "of {}", books.currency);
        let here = books.rows("payments").await?;
        let here = here.iter().filter(|row| row.contains_key("xero_payment_id"));
        let mut here: Vec<_> = here.map(|row| row["amount"].as_str()).collect();
        here.sort_unstable();
        assert_eq!(here, ["20", "30", "40"], "of {}", books.currency);
    }
    let certificate = good.rows("certificates").await?;
    assert_eq!(certificate[0]["state"], "complete", "{certificate:?}");
    // The amount that the invoice owes is unknown, so its payment is the one not accounted for.
    let certificate = bad.rows("certificates").await?;
    assert_eq!((&*certificate[0]["applied"], &*certificate[0]["missing"]), ("2", "1"));
    assert!(certificate[0]["missing_payments"].contains("CM-13"), "{certificate:?}");
    the_pages_name(&bad, unreadable).await?;
    let quiet = good.page("messages", json!({})).await? + &good.page("tonight", json!({})).await?;
    for name in ["CM-13", "P-third", "P-poison"] {
        assert!(!quiet.contains(name), "{name} is none of the other organisation's: {quiet}");
    }
    world.stack.stop().await;
    Ok(())
}

/// No such currency, a third decimal, and what is no report, on each queue; Xero's id of the invoice.
async fn three_bad_records(bad: &Books<'_>) -> Result<Uuid> {
    let unreadable = bad.invoice("13", Some("QQQ")).await?;
    bad.takes("P-third", "10.125", None).await?;
    bad.report("payment", json!({"id": "P-poison", "amount": 10.5})).await?;
    for queue in [queues::INTAKE, queues::CHANGES, queues::UPLOADS] {
        send(&bad.world.stack, queue, "{\"kind\":").await?;
    }
    Ok(unreadable)
}

/// The night, both sweeps and the certificate of both organisations.
async fn every_run_ends_well(world: &World) -> Result<()> {
    let ends_well = |answer: &Value, list: &str| -> Result<()> {
        let each = answer[list].as_array().context("a list")?;
        ensure!(each.len() == 2, "{answer}");
        ensure!(each.iter().all(|one| one["outcome"] == "finished"), "{answer}");
        Ok(())
    };
    let night = json!({"scheduled_time": evening(&world.stack)?});
    ends_well(&invoke(&world.stack, "upload", &night).await?, "nights")?;
    world.settled().await?;
    for kind in ["full", "changes", "certify"] {
        let mut event = json!({"scheduled_time": world.stack.clock().now()});
        if kind != "changes" {
            event[kind] = json!(true);
        }
        ends_well(&invoke(&world.stack, "sweep", &event).await?, "sweeps")?;
        world.settled().await?;
    }
    invoke(&world.stack, "sweep", &json!({"check": true})).await?;
    for queue in [queues::INTAKE, queues::CHANGES, queues::UPLOADS] {
        let dead = world.stack.depth(&queues::dead_letters_of(queue)).await?;
        ensure!(dead.is_empty(), "{queue}: {dead:?}");
    }
    Ok(())
}

/// What operators read of the three, each with its true reason.
async fn the_pages_name(bad: &Books<'_>, unreadable: Uuid) -> Result<()> {
    let holds = |page: &str, words: &[&str]| {
        let missing: Vec<_> = words.iter().filter(|word| !page.contains(**word)).collect();
        assert!(missing.is_empty(), "{missing:?} in {page}");
    };
    let parked = bad.page("parked", json!({})).await?;
    holds(
        &parked,
        &[&unreadable.to_string(), "`CurrencyCode` is missing or not what it should be"],
    );
    holds(&parked, &["payment P-poison", "/amount: must be an object, not a number"]);
    holds(&parked, &["Of no organisation that is known", "the message: is not JSON"]);
    holds(&parked, &["not_a_message", "not_a_task"]);
    let messages = bad.page("messages", json!({})).await?;
    holds(
        &messages,
        &["invoice CM-13 in Xero: it cannot be read: `CurrencyCode`", "AMOUNT_NOT_REPRESENTABLE"],
    );
    let tonight = bad.page("tonight", json!({})).await?;
    holds(&tonight, &["P-third", "10.125 KWD has more than the 2 decimals that Xero keeps"]);
    holds(&tonight, &["P-third-card", "5.005 KWD has more than the 2 decimals"]);
    let why = bad.page("why", json!({"search": "P-third"})).await?;
    holds(&why, &["AMOUNT_NOT_REPRESENTABLE", "reported with two decimals"]);
    let status = bad.page("integrations", json!({})).await?;
    holds(&status, &["Error", "(Validation)", "could not be taken in; they are parked"]);
    Ok(())
}
