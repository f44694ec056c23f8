//! Our answers against Xero's own description of its API.
//!
//! The description is not part of this repository. Where it is not there, the check is skipped.

use std::{fs, io::Write as _, path::Path};

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{CreditKind, Effect, Fault, NewBatchPayment, NewCredit};
use yaml_rust2::{Yaml, YamlLoader};

use crate::bench::{Bench, sample_payment};

/// A path next to the repository, from this crate's folder.
const DESCRIPTION: &str = "../../../shared/reference/xero-openapi/xero_accounting.yaml";
/// Of the envelope, in every example and in no schema.
const ENVELOPE: [&str; 4] = ["Id", "Status", "ProviderName", "DateTimeUTC"];
/// Twins of dates and of ids, and the errors of a line, that examples have and schemas lack.
const ONLY_IN_EXAMPLES: [&str; 4] = ["DateString", "DueDateString", "ID", "ValidationErrors"];

struct Description(Yaml);

impl Description {
    fn load() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DESCRIPTION);
        let Ok(text) = fs::read_to_string(&path) else {
            // Not println!, whose output is hidden for a test that passes.
            let skipped =
                format!("SKIPPED: no {}; answers were not compared with it\n", path.display());
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        };
        Some(Self(YamlLoader::load_from_str(&text).unwrap().remove(0)))
    }

    fn schema(&self, name: &str) -> &Yaml {
        let schema = &self.0["components"]["schemas"][name];
        assert!(!schema.is_badvalue(), "the description has no {name}");
        schema
    }

    fn resolve<'a>(&'a self, schema: &'a Yaml) -> &'a Yaml {
        match schema["$ref"].as_str() {
            Some(reference) => self.schema(reference.rsplit('/').next().unwrap()),
            None => schema,
        }
    }

    /// Complaints about everything in `value` that `schema` does not foresee.
    fn compare(&self, value: &Value, schema: &Yaml, at: &str, complaints: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let has_properties = !schema["properties"].is_badvalue();
        let kind = schema["type"].as_str().unwrap_or(if has_properties { "object" } else { "any" });
        let fits = match kind {
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        // Inside a payment, two members of its batch are strings in the examples.
        let of_batch = [".BatchPayment.TotalAmount", ".BatchPayment.IsReconciled"];
        if of_batch.iter().any(|name| at.ends_with(name)) && value.is_string() {
            return;
        }
        if !fits {
            complaints.push(format!("{at} is no {kind}: {value}"));
            return;
        }
        if let (Some(members), Some(text)) = (schema["enum"].as_vec(), value.as_str()) {
            let is_member = members.iter().any(|member| member.as_str() == Some(text));
            if !is_member {
                complaints.push(format!("{at} must not be {text}"));
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.compare(item, &schema["items"], &format!("{at}[{index}]"), complaints);
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            let known = &schema["properties"][name.as_str()];
            let is_root = !at.contains('.') && !at.contains('[');
            let expected = ONLY_IN_EXAMPLES.contains(&name.as_str())
                || (is_root && ENVELOPE.contains(&name.as_str()));
            match known.is_badvalue() {
                true if expected => {}
                true => complaints.push(format!("{at}.{name} is not in the description")),
                false => self.compare(field, known, &format!("{at}.{name}"), complaints),
            }
        }
    }

    fn check(&self, answer: &Value, schema: &str) {
        let mut complaints = Vec::new();
        self.compare(answer, self.schema(schema), schema, &mut complaints);
        assert!(complaints.is_empty(), "{}\n{answer:#}", complaints.join("\n"));
    }
}

#[tokio::test]
async fn answers_have_the_names_and_types_of_the_description() {
    let Some(description) = Description::load() else {
        return;
    };
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "100.00");
    let payment = bench.pay(invoice, "40.00");
    let deleted = bench.pay(invoice, "1.00");
    bench.simulator.add_credit_note(invoice, "10.00".parse().unwrap()).unwrap();
    bench.simulator.delete_payment(deleted).unwrap();
    let paid = bench.invoice("INV-0002", "10.00");
    bench.pay(paid, "10.00");

    let transaction = bench.prepay("R-1", "5.00").await;
    let prepayment = bench.simulator.bank_transaction(transaction).unwrap().prepayment;
    let contact = bench.simulator.bank_transaction(transaction).unwrap().contact;
    let voided = bench.prepay("R-2", "5.00").await;
    bench.simulator.void_bank_transaction(voided).unwrap();

    let (credits, refund) = credits(&bench, invoice);
    let batched = bench.invoice("INV-0003", "10.00");
    let batch = NewBatchPayment {
        date: "2026-10-05".parse().unwrap(),
        reference: "R".into(),
        payments: vec![(batched, "1.00".parse().unwrap())],
    };
    let batch = bench.simulator.add_batch_payment(bench.organisation, batch).unwrap();

    for (path, schema) in [
        ("/BatchPayments", "BatchPayments"),
        (&format!("/BatchPayments/{batch}"), "BatchPayments"),
        ("/CreditNotes", "CreditNotes"),
        (&format!("/CreditNotes/{}", credits[0]), "CreditNotes"),
        ("/Overpayments", "Overpayments"),
        ("/Overpayments?page=1", "Overpayments"),
        (&format!("/Overpayments/{}", credits[2]), "Overpayments"),
        (&format!("/Prepayments/{}", credits[1]), "Prepayments"),
        (&format!("/Payments/{refund}"), "Payments"),
        ("/Accounts", "Accounts"),
        ("/BankTransactions", "BankTransactions"),
        ("/BankTransactions?page=1", "BankTransactions"),
        (&format!("/BankTransactions/{transaction}"), "BankTransactions"),
        ("/Contacts", "Contacts"),
        ("/Contacts?page=1", "Contacts"),
        (&format!("/Contacts/{contact}"), "Contacts"),
        ("/Prepayments", "Prepayments"),
        ("/Prepayments?page=1", "Prepayments"),
        (&format!("/Prepayments/{prepayment}"), "Prepayments"),
        ("/Organisation", "Organisations"),
        ("/Invoices", "Invoices"),
        ("/Invoices?page=1", "Invoices"),
        ("/Invoices?summaryOnly=true", "Invoices"),
        (&format!("/Invoices/{invoice}"), "Invoices"),
        ("/Payments", "Payments"),
        ("/Payments?page=1", "Payments"),
        (&format!("/Payments/{payment}"), "Payments"),
    ] {
        let answer = bench.get(path).await.json();
        assert!(!answer[schema].as_array().unwrap().is_empty(), "{path} answers with nothing");
        for name in ENVELOPE {
            assert!(answer[name].is_string(), "{path} has no {name}");
        }
        description.check(&answer, schema);
    }
    let body = format!(
        r#"{{"Payments":[{},{}]}}"#,
        bench.payment_json(invoice, "1.00"),
        bench.payment_json(invoice, "1000.00")
    );
    let written = bench.send(Method::PUT, "/Payments?summarizeErrors=false", &body).await;
    description.check(&written.json(), "Payments");
    let removed =
        bench.send(Method::POST, &format!("/Payments/{payment}"), r#"{"Status":"DELETED"}"#).await;
    description.check(&removed.json(), "Payments");
    let created = bench
        .send(
            Method::PUT,
            "/Invoices?summarizeErrors=false",
            r#"{"Invoices":[{"Type":"ACCPAY","Contact":{"Name":"A"},"LineItems":[{"Description":"B","UnitAmount":1}]},{"Type":"ACCPAY"}]}"#,
        )
        .await;
    description.check(&created.json(), "Invoices");
    let note = format!(
        r#"{{"CreditNotes":[{{"Type":"ACCRECCREDIT","Status":"AUTHORISED","Contact":{{"ContactID":"{contact}"}},"LineItems":[{{"Description":"B","UnitAmount":1,"AccountCode":"200"}}]}},{{"Type":"ACCPAYCREDIT"}}]}}"#
    );
    let notes = bench.send(Method::PUT, "/CreditNotes?summarizeErrors=false", &note).await.json();
    description.check(&notes, "CreditNotes");
    let id = notes["CreditNotes"][0]["CreditNoteID"].as_str().unwrap();
    let owed = bench.simulator.invoice(invoice).unwrap();
    assert_ne!(owed.contact, contact, "so that one of the two is refused");
    let part = format!(
        r#"{{"Allocations":[{{"Invoice":{{"InvoiceID":"{invoice}"}},"Amount":1,"Date":"2026-10-06"}}]}}"#
    );
    let path = format!("/CreditNotes/{id}/Allocations?summarizeErrors=false");
    let refused = bench.send(Method::PUT, &path, &part).await.json();
    description.check(&refused, "Allocations");
    let path = format!("/CreditNotes/{}/Allocations?summarizeErrors=false", credits[0]);
    let allocated = bench.send(Method::PUT, &path, &part).await.json();
    description.check(&allocated, "Allocations");
}

/// One of each kind, a part of it applied and a part of it paid back; the last refund.
fn credits(bench: &Bench, invoice: Uuid) -> (Vec<Uuid>, Uuid) {
    let contact = bench.simulator.invoice(invoice).unwrap().contact;
    let (date, amount) = ("2026-10-04".parse().unwrap(), "1.00".parse().unwrap());
    let kinds = [CreditKind::CreditNote, CreditKind::Prepayment, CreditKind::Overpayment];
    let mut refund = Uuid::nil();
    let credits = kinds.map(|kind| {
        let wanted =
            NewCredit { kind, date, amount: "3.00".parse().unwrap(), reference: "R".into() };
        let credit = bench.simulator.add_credit(contact, wanted).unwrap();
        bench.simulator.allocate(credit, invoice, amount, date).unwrap();
        refund = bench.simulator.refund(credit, sample_payment("1.00")).unwrap();
        credit
    });
    (credits.to_vec(), refund)
}

#[tokio::test]
async fn written_bank_transactions_have_the_shape_of_the_description() {
    let Some(description) = Description::load() else {
        return;
    };
    let bench = Bench::start().await;
    let contact = bench.simulator.add_contact(bench.organisation, "Wilma").unwrap();
    let good = bench.prepayment_json(contact, "R-1", "5.00");
    let bad = good.replace("AUD", "NZD");
    let body = format!(r#"{{"BankTransactions":[{good},{bad}]}}"#);
    let only_first = Effect::OnlyFirst { count: 0 };

    let written = bench.send(Method::PUT, "/BankTransactions?summarizeErrors=false", &body).await;
    bench.simulator.inject(Fault::on("PUT", "/BankTransactions", only_first));
    let dropped = bench.send(Method::PUT, "/BankTransactions", &good).await;

    assert_eq!(written.json()["BankTransactions"].as_array().unwrap().len(), 2);
    description.check(&written.json(), "BankTransactions");
    description.check(&dropped.json(), "BankTransactions");
}

#[tokio::test]
async fn errors_have_the_shape_of_the_description() {
    let Some(description) = Description::load() else {
        return;
    };
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "1.00");

    let refused = bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).await;

    let mut json = refused.json();
    // An element also echoes what was sent; the description leaves that open.
    for element in json["Elements"].as_array_mut().unwrap() {
        let errors = element["ValidationErrors"].clone();
        *element = serde_json::json!({ "ValidationErrors": errors });
    }
    description.check(&json, "Error");
}
