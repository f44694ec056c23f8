//! What to try next: commands that can be pasted as they are.

use std::{cell::RefCell, path::Path, time::Duration};

use anyhow::Context as _;
use jiff::{Unit, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    Stack,
    clients::ACCESS_KEY,
    engines::queues::{ACCOUNT, CHANGES, INTAKE, REGION, dead_letters_of},
    next_night::{NextNight, next_night},
    setup::TIME_ZONE,
    table_queries::{Invoice, Look},
    terminal,
};

/// Time for a change to get through on a slow machine, after the window.
const MARGIN: Duration = Duration::from_secs(1);

/// The invoice that a person makes who starts with nothing.
const FIRST_NUMBER: &str = "20001";

/// What the hints are made from.
struct Hints<'a> {
    stack: &'a Stack,
    organisation: &'a str,
    /// An invoice that is known on both sides and not paid, if there is one.
    invoice: Option<&'a Invoice>,
    /// The lines so far.
    text: RefCell<String>,
}

/// The file in which the hints stand, in the folder in which everything is kept.
const FILE: &str = "try.txt";

/// Says where the pages are, and keeps all else that a person can do now for `cargo run -- try`.
///
/// # Errors
///
/// The tables cannot be read, or the file cannot be written.
pub(crate) async fn print(stack: &Stack, log: &Path, folder: &Path) -> anyhow::Result<()> {
    let text = written(stack, log).await?;
    std::fs::write(folder.join(FILE), text).context("the hints could not be kept")?;
    println!("\nPages  {}", terminal::bold(stack.console_url()));
    println!("Log    {}", log.display());
    println!("Try    cargo run -- try    (in another terminal: what can be done, to paste)");
    println!("Everything stays up until Ctrl-C.");
    Ok(())
}

/// Prints what was kept by the process that serves.
///
/// # Errors
///
/// Nothing was kept in this folder.
pub(crate) fn print_kept(folder: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(folder.join(FILE));
    print!("{}", text.context("nothing is up: start it with `cargo run`, in another terminal")?);
    Ok(())
}

async fn written(stack: &Stack, log: &Path) -> anyhow::Result<String> {
    let organisation = stack.xero().tenant_id.as_str();
    let look = Look { dynamodb: stack.dynamodb(), organisation };
    let invoices = look.invoices().await?;
    let invoice = invoices.iter().rfind(|invoice| invoice.xero_id.is_some() && invoice.is_due);
    let customer = look.customers().await?.pop();
    let night = next_night(stack).await?;
    let hints = Hints { stack, organisation, invoice, text: RefCell::default() };

    hints.say("# The operators' pages, as CloudWatch shows them; open it in a browser");
    hints.say(&stack.console_url());
    hints.say("\n# The AWS CLI works as with AWS");
    hints.say(&format!(
        "export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={ACCESS_KEY} \
         AWS_DEFAULT_REGION={REGION}"
    ));
    match (stack.simulator(), invoice) {
        (Ok(_), Some(invoice)) => hints.in_xero(invoice),
        (Ok(_), None) => hints.with_nothing_there(),
        (Err(_), _) => {}
    }
    hints.tables();
    if let Some(night) = night {
        hints.night(&night, customer.as_deref())?;
    }
    hints.queues();
    hints.functions();
    hints.sync_now();
    if let Some(key) = stack.xero().webhook_keys.first() {
        hints.signed_by_hand(key);
    }
    hints.say("\n# What the functions say");
    hints.say(&format!("tail -f {}", log.display()));
    hints.say(
        "\n# To kill the functions and start them again: end this, and run each in its own terminal",
    );
    hints.say("cargo run -- engines");
    hints.say("cargo run -- functions");
    Ok(hints.text.take())
}

impl Hints<'_> {
    fn say(&self, line: &str) {
        let mut text = self.text.borrow_mut();
        text.push_str(line);
        text.push('\n');
    }

    /// Without the story there is no invoice yet.
    fn with_nothing_there(&self) {
        let controls = format!("{}/_control", self.stack.xero().api_url);
        let wait_s = self.stack.window().saturating_add(MARGIN).as_secs();
        let (organisation, sqs) = (self.organisation, self.stack.sqs_url());
        let reported = json!({
            "version": 1, "type": "invoice", "organisation": organisation, "revision": 1,
            "number": FIRST_NUMBER, "total": { "amount": "110.00", "currency": "AUD" },
            "issued_on": "2026-10-01", "due_on": "2026-12-31",
            "contact": { "company": "Harbour Ferries" },
        });
        let in_xero = json!({
            "organisation": organisation, "number": format!("CM-{FIRST_NUMBER}"),
            "contact_name": "Harbour Ferries", "total": "110.00", "currency": "AUD",
            "date": "2026-10-01", "due_date": "2026-12-31", "kind": "ACCREC",
        });
        self.say("\n# The business's own system reports an invoice, and it is entered in Xero");
        self.say(&format!(
            "aws sqs send-message --endpoint-url {sqs} --queue-url {sqs}/{ACCOUNT}/{INTAKE} \
             --message-body '{reported}'"
        ));
        self.say(&format!(
            "curl -s -X POST {controls}/invoices -H 'content-type: application/json' \
             -d '{in_xero}'"
        ));
        self.say("\n# Record a payment in Xero, and find it in the table after the window");
        self.say(&format!(
            "curl -s -X POST {controls}/invoices/CM-{FIRST_NUMBER}/payments \
             -H 'content-type: application/json' -d '{{\"date\":\"2026-10-05\",\"amount\":\"5.00\"}}'"
        ));
        let key = format!("{organisation}/{FIRST_NUMBER}");
        self.select(&format!("sleep {wait_s}; "), "payments", "invoice", &key);
        self.say("\n# What else can be done in Xero, and how");
        self.say(&format!("curl -s {controls}"));
    }

    fn in_xero(&self, invoice: &Invoice) {
        let controls = format!("{}/_control", self.stack.xero().api_url);
        let number = invoice.number;
        let wait_s = self.stack.window().saturating_add(MARGIN).as_secs();
        self.say("\n# Record a payment in Xero, and find it in the table after the window");
        self.say(&format!(
            "PAYMENT=$(curl -s -X POST {controls}/invoices/CM-{number}/payments \
             -H 'content-type: application/json' \
             -d '{{\"date\":\"2026-10-05\",\"amount\":\"5.00\"}}' | cut -d'\"' -f4)"
        ));
        self.select(&format!("sleep {wait_s}; "), "payments", "invoice", &self.key(invoice));
        self.say("\n# Delete it in Xero: it leaves the table, and is kept among the tombstones");
        self.say(&format!("curl -s -X DELETE {controls}/payments/$PAYMENT"));
        self.select(&format!("sleep {wait_s}; "), "tombstones", "invoice", &self.key(invoice));
        self.say("\n# What else can be done in Xero, and how");
        self.say(&format!("curl -s {controls}"));
    }

    /// What a person does who misses something (ST-18).
    fn sync_now(&self) {
        self.say("\n# Sync Now: what changed in Xero, announced or not, is looked for at once");
        let wish = json!({
            "organisation": self.organisation, "by": "me", "why": "to see what happens",
        });
        self.invoke("sweep", "sync-now.json", &json!({ "sync_now": wish }));
        self.select("", "sync_runs", "organisation", self.organisation);
    }

    fn tables(&self) {
        self.say("\n# The tables; more questions and their answers are in shared/table/README.md");
        self.select("", "invoices", "organisation", self.organisation);
        if let Some(invoice) = self.invoice {
            self.select("", "activity\".\"by_invoice", "invoice", &self.key(invoice));
        }
    }

    /// The rows of a table, or of an index of it, with that key.
    fn select(&self, first: &str, table: &str, key: &str, value: &str) {
        self.query(first, &format!(r#"SELECT * FROM "{table}" WHERE "{key}" = '{value}'"#));
    }

    /// A query in words that a shell hands over unchanged.
    fn query(&self, first: &str, statement: &str) {
        self.say(&format!(
            "{first}aws dynamodb execute-statement --endpoint-url {} --statement \"{}\"",
            self.stack.dynamodb_url(),
            statement.replace('"', "\\\"")
        ));
    }

    fn queues(&self) {
        let url = self.stack.sqs_url();
        self.say("\n# The queues: what waits, and what failed too often");
        self.say(&format!(
            "aws sqs get-queue-attributes --endpoint-url {url} --queue-url \
             {url}/{ACCOUNT}/{CHANGES} --attribute-names All"
        ));
        self.say(&format!(
            "aws sqs receive-message --endpoint-url {url} --queue-url {url}/{ACCOUNT}/{}",
            dead_letters_of(CHANGES)
        ));
    }

    fn functions(&self) {
        let url = self.stack.invoke_url();
        self.say("\n# Call a function with an event of your own: this one reads an invoice again");
        self.say(&format!("aws lambda list-functions --endpoint-url {url}"));
        self.invoke("mirror", "event.json", &self.mirror_event());
    }

    /// The event in a file of its own: versions 1 and 2 of the AWS CLI read `--payload` differently,
    /// but not from a file.
    fn invoke(&self, function: &str, file: &str, event: &Value) {
        self.say(&format!("cat > {file} <<'END'\n{event}\nEND"));
        self.say(&format!(
            "aws lambda invoke --endpoint-url {} --function-name {function} \
             --payload fileb://{file} answer.json && cat answer.json && echo",
            self.stack.invoke_url()
        ));
    }

    fn night(&self, night: &NextNight, customer: Option<&str>) -> anyhow::Result<()> {
        let organisation = self.organisation;
        let payment = customer.map(|customer| self.paid_by_bpay(customer)).transpose()?;
        let scheduled_time = night.scheduled_time;
        self.say("\n# What the next night would do; nothing is written or sent");
        let preview = json!({ "preview": true, "scheduled_time": scheduled_time });
        self.invoke("upload", "preview.json", &preview);
        self.say(&format!(
            "\n# Play it: it is {} then. The clock of this Paymirror is put forward, for good",
            night.describe()
        ));
        self.invoke("upload", "night.json", &json!({ "scheduled_time": scheduled_time }));
        self.say(
            "\n# What the nights did, what waits, and what became of the payment (or of each)",
        );
        self.select("", "nights", "organisation", organisation);
        self.select("", "uploads\".\"by_line", "line", &format!("{organisation}/waiting"));
        let which = payment.map(|id| format!(r#" AND "payment_id" = '{id}'"#)).unwrap_or_default();
        let of =
            format!(r#"SELECT * FROM "uploads" WHERE "organisation" = '{organisation}'{which}"#);
        self.query("", &of);
        Ok(())
    }

    /// A payment that waits for the night, and orders about it. The answer is its id.
    fn paid_by_bpay(&self, customer: &str) -> anyhow::Result<String> {
        let (organisation, sqs) = (self.organisation, self.stack.sqs_url());
        let wait_s = self.stack.window().saturating_add(MARGIN).as_secs();
        let now = self.stack.clock().now().round(Unit::Second)?;
        let id = format!("T-{}", now.as_second());
        let paid = json!({
            "version": 1, "type": "payment", "organisation": organisation, "id": id,
            "revision": 1, "amount": { "amount": "25.00", "currency": "AUD" },
            "date": now.to_zoned(TimeZone::get(TIME_ZONE)?).date(), "method": "bpay",
            "customer": customer, "transaction_id": id, "status": "confirmed", "entered_at": now,
            "allocations": [],
        });
        self.say("\n# A customer pays by BPAY: the payment waits for the night");
        self.say(&format!(
            "aws sqs send-message --endpoint-url {sqs} --queue-url {sqs}/{ACCOUNT}/{INTAKE} \
             --message-body '{paid}'; sleep {wait_s}"
        ));
        self.say("\n# Hold it, and release it again; `do_not_send` is the third order");
        for order in ["hold", "release"] {
            let event = json!({
                "organisation": organisation, "payment": id, "order": order, "by": "me",
                "why": "to see what happens",
            });
            self.invoke("upload", &format!("{order}.json"), &event);
        }
        Ok(id)
    }

    fn signed_by_hand(&self, key: &str) {
        self.say(
            "\n# Post to the webhook as Xero does: sign the very bytes. Change one, and it is 401",
        );
        self.say(&format!("KEY='{key}'"));
        self.say(
            "BODY='{\"events\":[],\"firstEventSequence\": 0,\"lastEventSequence\": 0, \
             \"entropy\": \"QWERTYUIOPASDFGHJKLZ\"}'",
        );
        self.say(
            "SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha256 -hmac \"$KEY\" -binary | base64)",
        );
        self.say(&format!(
            "curl -i {} -H 'content-type: application/json; charset=utf-8' \
             -H \"x-xero-signature: $SIGNATURE\" --data-binary \"$BODY\"",
            self.stack.webhook_url()
        ));
    }

    fn key(&self, invoice: &Invoice) -> String {
        format!("{}/{}", self.organisation, invoice.number)
    }

    /// An event for the mirror: have a look at this invoice.
    fn mirror_event(&self) -> Value {
        let Some(xero_id) = self.invoice.and_then(|invoice| invoice.xero_id.as_deref()) else {
            return json!({ "Records": [] });
        };
        let body = json!({
            "version": 1,
            "kind": "invoices",
            "organisation": self.organisation,
            "cause": "manual",
            "accepted_at": self.stack.clock().now(),
            "invoices": [{ "id": xero_id }],
        });
        json!({ "Records": [{ "messageId": "by-hand", "body": body.to_string() }] })
    }
}
