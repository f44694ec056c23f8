//! What to try next: commands that can be pasted as they are.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    Stack,
    clients::ACCESS_KEY,
    engines::queues::{ACCOUNT, CHANGES, INTAKE, REGION, dead_letters_of},
    look::{Invoice, Look},
};

/// Time for a change to get through on a slow machine, besides the window.
const MARGIN: Duration = Duration::from_secs(1);

/// The invoice that a person makes who starts with nothing.
const FIRST_NUMBER: &str = "20001";

/// What the hints are made from.
struct Hints<'a> {
    stack: &'a Stack,
    organisation: &'a str,
    /// An invoice that is known on both sides, if there is one.
    invoice: Option<&'a Invoice>,
}

/// Prints what a person can do now.
///
/// # Errors
///
/// The tables cannot be read.
pub(crate) async fn print(stack: &Stack, log: &Path) -> anyhow::Result<()> {
    let organisation = stack.xero().tenant_id.as_str();
    let invoices = Look { dynamodb: stack.dynamodb(), organisation }.invoices().await?;
    let invoice = invoices.iter().rfind(|invoice| invoice.xero_id.is_some());
    let hints = Hints { stack, organisation, invoice };

    println!("\nEverything stays up until Ctrl-C. What to try next, in another terminal:");
    println!("\n# The AWS CLI works as with AWS");
    println!(
        "export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={ACCESS_KEY} \
         AWS_DEFAULT_REGION={REGION}"
    );
    match (stack.simulator(), invoice) {
        (Ok(_), Some(invoice)) => hints.in_xero(invoice),
        (Ok(_), None) => hints.with_nothing_there(),
        (Err(_), _) => {}
    }
    hints.tables();
    hints.queues();
    hints.functions();
    if let Some(key) = stack.xero().webhook_keys.first() {
        hints.signed_by_hand(key);
    }
    println!("\n# What the functions say");
    println!("tail -f {}", log.display());
    println!(
        "\n# To kill the functions and start them again: end this, and run each in its own terminal"
    );
    println!("cargo run -- engines");
    println!("cargo run -- functions");
    Ok(())
}

impl Hints<'_> {
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
        println!("\n# The business's own system reports an invoice, and it is entered in Xero");
        println!(
            "aws sqs send-message --endpoint-url {sqs} --queue-url {sqs}/{ACCOUNT}/{INTAKE} \
             --message-body '{reported}'"
        );
        println!(
            "curl -s -X POST {controls}/invoices -H 'content-type: application/json' \
             -d '{in_xero}'"
        );
        println!("\n# Record a payment in Xero, and find it in the table after the window");
        println!(
            "curl -s -X POST {controls}/invoices/CM-{FIRST_NUMBER}/payments \
             -H 'content-type: application/json' -d '{{\"date\":\"2026-10-05\",\"amount\":\"5.00\"}}'"
        );
        let key = format!("{organisation}/{FIRST_NUMBER}");
        self.select(&format!("sleep {wait_s}; "), "payments", "invoice", &key);
        println!("\n# What else can be done in Xero, and how");
        println!("curl -s {controls}");
    }

    fn in_xero(&self, invoice: &Invoice) {
        let controls = format!("{}/_control", self.stack.xero().api_url);
        let number = invoice.number;
        let wait_s = self.stack.window().saturating_add(MARGIN).as_secs();
        println!("\n# Record a payment in Xero, and find it in the table after the window");
        println!(
            "PAYMENT=$(curl -s -X POST {controls}/invoices/CM-{number}/payments \
             -H 'content-type: application/json' \
             -d '{{\"date\":\"2026-10-05\",\"amount\":\"5.00\"}}' | cut -d'\"' -f4)"
        );
        self.select(&format!("sleep {wait_s}; "), "payments", "invoice", &self.key(invoice));
        println!("\n# Delete it in Xero: it leaves the table, and is kept among the tombstones");
        println!("curl -s -X DELETE {controls}/payments/$PAYMENT");
        self.select(&format!("sleep {wait_s}; "), "tombstones", "invoice", &self.key(invoice));
        println!("\n# What else can be done in Xero, and how");
        println!("curl -s {controls}");
    }

    fn tables(&self) {
        println!("\n# The tables; more questions and their answers are in shared/table/README.md");
        self.select("", "invoices", "organisation", self.organisation);
        if let Some(invoice) = self.invoice {
            self.select("", "activity\".\"by_invoice", "invoice", &self.key(invoice));
        }
    }

    /// A SELECT in words that a shell hands over unchanged.
    fn select(&self, first: &str, table: &str, key: &str, value: &str) {
        println!(
            "{first}aws dynamodb execute-statement --endpoint-url {} --statement \
             \"SELECT * FROM \\\"{}\\\" WHERE \\\"{key}\\\" = '{value}'\"",
            self.stack.dynamodb_url(),
            table.replace('"', "\\\"")
        );
    }

    fn queues(&self) {
        let url = self.stack.sqs_url();
        println!("\n# The queues: what waits, and what failed too often");
        println!(
            "aws sqs get-queue-attributes --endpoint-url {url} --queue-url \
             {url}/{ACCOUNT}/{CHANGES} --attribute-names All"
        );
        println!(
            "aws sqs receive-message --endpoint-url {url} --queue-url {url}/{ACCOUNT}/{}",
            dead_letters_of(CHANGES)
        );
    }

    fn functions(&self) {
        let url = self.stack.invoke_url();
        println!("\n# Call a function with an event of your own: this one reads an invoice again");
        println!("aws lambda list-functions --endpoint-url {url}");
        println!("cat > event.json <<'END'\n{}\nEND", self.mirror_event());
        // Versions 1 and 2 of the AWS CLI read `--payload` differently, but not from a file.
        println!(
            "aws lambda invoke --endpoint-url {url} --function-name mirror \
             --payload fileb://event.json answer.json && cat answer.json"
        );
    }

    fn signed_by_hand(&self, key: &str) {
        println!(
            "\n# Post to the webhook as Xero does: sign the very bytes. Change one, and it is 401"
        );
        println!("KEY='{key}'");
        println!(
            "BODY='{{\"events\":[],\"firstEventSequence\": 0,\"lastEventSequence\": 0, \
             \"entropy\": \"QWERTYUIOPASDFGHJKLZ\"}}'"
        );
        println!(
            "SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha256 -hmac \"$KEY\" -binary | base64)"
        );
        println!(
            "curl -i {} -H 'content-type: application/json; charset=utf-8' \
             -H \"x-xero-signature: $SIGNATURE\" --data-binary \"$BODY\"",
            self.stack.webhook_url()
        );
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
            "accepted_at": host::clock::now(),
            "invoices": [{ "id": xero_id }],
        });
        json!({ "Records": [{ "messageId": "by-hand", "body": body.to_string() }] })
    }
}
