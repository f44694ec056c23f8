//! The contract: its examples, and what it refuses.

use std::collections::BTreeMap;
use std::path::Path;

use intake::contract::{Invalid, Report, read};
use payments::upload::{Certainty, Route, Skip, route, taken};
use payments::{PaymentStatus, Receipt};
use serde_json::Value;

use crate::messages;

/// Refused messages in which JSON Schema sees nothing wrong.
const BEYOND_THE_SCHEMA: [&str; 16] = [
    "allocations-exceed-the-payment",
    "allocations-name-an-invoice-twice",
    "amount-too-large",
    "amount-with-three-decimals",
    "currency-unknown",
    "feed-report-ends-before-it-begins",
    "invoice-components-exceed-the-total",
    "member-of-total-twice",
    "member-twice",
    "order-components-do-not-add-up",
    "payment-document-exceeds-its-total",
    "provider-credit-applied-to-more-than-it-is",
    "provider-credit-fees-do-not-add-up",
    "provider-credit-names-an-invoice-twice",
    "provider-invoice-adjustments-do-not-add-up",
    "provider-invoice-fees-do-not-add-up",
];

fn files(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

pub(crate) fn schema() -> jsonschema::Validator {
    let schema = include_str!("../../contract/intake-v1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn problems(name: &str, body: &str) -> Vec<String> {
    let Invalid { problems, .. } = read(body).expect_err(name);
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_example_is_valid_by_the_schema_and_is_taken_in() {
    let schema = schema();
    let examples = files("examples");
    assert!(examples.len() >= 10);
    for (name, body) in examples {
        let json: Value = serde_json::from_str(&body).unwrap();
        assert!(schema.is_valid(&json), "{name}: {:?}", schema.validate(&json).err());
        let report = read(&body).unwrap_or_else(|invalid| panic!("{name}: {invalid:?}"));
        let kind = match report {
            Report::Invoice(_) => "invoice",
            Report::Payment(_) => "payment",
            Report::Journaling(_) => "journaling",
            Report::Customer(_) => "customer",
            Report::ProviderInvoice(_) => "provider_invoice",
            Report::ProviderCredit(_) => "provider_credit",
            Report::Order(_) => "order",
            Report::Notice(_) => "notice",
            Report::Feed(_) => "feed_report",
        };
        assert_eq!(json["type"], kind, "{name}");
    }
}

#[test]
fn every_refused_message_is_refused_by_us_and_by_the_schema_as_far_as_it_can() {
    let schema = schema();
    for (name, body) in files("refused") {
        assert!(!problems(&name, &body).is_empty(), "{name}");
        let valid = serde_json::from_str(&body).is_ok_and(|json: Value| schema.is_valid(&json));
        assert_eq!(valid, BEYOND_THE_SCHEMA.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn every_refusal_says_where_and_why() {
    let expected = [
        ("amount-is-a-number", r#"/total/amount: must be a string such as "110.00", not a number"#),
        ("amount-is-a-float", r#"/total/amount: must be a string such as "110.00", not a number"#),
        ("amount-too-large", "/total/amount: an amount, decimals included, has at most 28 digits"),
        ("amount-with-three-decimals", "/total/amount: an amount in AUD has at most 2 decimals"),
        ("amount-of-payment-is-nothing", "/amount/amount: must be more than nothing"),
        ("currency-unknown", "/total/currency: `ABC` is not a currency that payments are made in"),
        ("date-30-february", "/issued_on: 30 February 2026 does not exist"),
        ("date-with-time", r#"/issued_on: must be a date such as "2026-03-02""#),
        ("date-in-year-26", "/issued_on: 26 is no year from 1970 to 2199"),
        ("due-date-and-terms", "the message: must have either due_on or terms, and not both"),
        ("contact-without-a-name", "/contact: must have a company or a person with a name"),
        ("member-unknown", "/vat_number: is no member that we know"),
        ("member-missing", "/revision: is missing"),
        ("member-null", "/reference: must be a string, not null"),
        ("member-twice", "/revision: occurs more than once"),
        ("member-of-total-twice", "/total/amount: occurs more than once"),
        ("version-2", "/version: must be the number 1"),
        ("payment-id-of-a-copy", "/id: must not begin with `xero-`: such ids are given by us"),
        ("payment-without-transaction-id", "/transaction_id: is missing"),
        (
            "allocations-exceed-the-payment",
            "/allocations: add up to 60.01 AUD, and the payment is only 60.00 AUD",
        ),
        (
            "allocations-name-an-invoice-twice",
            "/allocations/1/invoice: names an invoice that is in the list already",
        ),
        ("list", "the message: must be an object, not a list"),
        (
            "type-unknown",
            "/type: must be invoice, payment, journaling, customer, provider_invoice, provider_credit, order, notice or feed_report",
        ),
        ("payment-channel-unknown", "/channel: must be pay_now or virtual_terminal"),
        (
            "payment-customer-blank",
            "/customer: must have 1 to 100 characters, none of them a control character, and no \
             space at either end",
        ),
        ("payment-approved-is-a-string", "/approved: must be true or false, not a string"),
        ("payment-failed-and-approved", "/approved: must not be true for a payment that is failed"),
        ("payment-failed-and-settled", "/settled: must not be true for a payment that is failed"),
        ("payment-pending-and-settled", "/settled: must not be true for a payment that is pending"),
        ("payment-plan-is-a-string", "/payment_plan: must be true or false, not a string"),
        (
            "customer-contact-is-no-uuid",
            "/xero_contact_id: must be the id of a Xero contact, a UUID with hyphens",
        ),
        ("customer-without-id", "/customer: is missing"),
        (
            "order-components-do-not-add-up",
            "/components: add up to 111.00 AUD (goods, tax and shipping, less the discount), and the total is \
             121.00 AUD",
        ),
        ("order-names-an-invoice-twice", "/invoices/1: is in the list already"),
        (
            "order-names-a-copy",
            "/payments/0: must not begin with `xero-`: such ids are given by us",
        ),
        // CC-24, CC-27
        ("feed-report-without-a-count", "/imported: is missing"),
        (
            "feed-report-of-a-source-in-capitals",
            "/source: must be 1 to 60 lower-case letters, digits or -",
        ),
        (
            "feed-report-not-published-and-imported",
            "/not_published: must not be true where something was imported",
        ),
        ("feed-report-ends-before-it-begins", "/to: must not be before from"),
        // SP-26
        ("notice-without-its-id", "/notice: is missing"),
        (
            "notice-satisfied-without-an-answer",
            "the message: must have answered_at: there is an answer",
        ),
        ("order-with-a-status", "/status: is no member that we know"),
        ("customer-name-too-long", "/name: must have at most 255 characters"),
        ("customer-name-is-null", "/name: must be a string, not null"),
        (
            "payment-id-of-a-provider-invoice",
            "/id: must not begin with `provider-invoice-`: such ids are given by us",
        ),
        // EX-12, EX-19
        (
            "provider-invoice-fees-do-not-add-up",
            "/fees: add up to 113.25 AUD, and the total is 113.26 AUD",
        ),
        ("provider-invoice-without-fees", "/fees: must have 1 to 200 elements"),
        ("provider-invoice-with-too-many-fees", "/fees: must have 1 to 200 elements"),
        (
            "provider-invoice-fee-kind-in-capitals",
            "/fees/2/kind: must be a lower-case name such as chargeback, with at most 40 letters",
        ),
        ("provider-invoice-fee-of-nothing", "/fees/1/amount: must be more than nothing"),
        (
            "provider-invoice-fee-negative",
            "/fees/1/amount: must be a string such as \"110.00\", in plain digits and without a sign",
        ),
        ("provider-invoice-fee-misspelt", "/fees/0/descripton: is no member that we know"),
        ("provider-invoice-without-number", "/number: is missing"),
        (
            "provider-invoice-id-too-long",
            "/id: must have 1 to 83 characters, none of them a control character, and no space at \
             either end",
        ),
        // EX-28: only a person blocks a customer.
        ("customer-is-blocked-from-outside", "/blocked: is no member that we know"),
    ];
    let files = files("refused");
    for (name, problem) in expected {
        assert_eq!(problems(name, &files[name]), [problem], "{name}");
    }
}

#[test]
fn all_problems_are_named_at_once() {
    let body = &files("refused")["everything-at-once"];
    assert_eq!(
        problems("everything-at-once", body),
        [
            "/id: must not begin with `xero-`: such ids are given by us",
            "/revision: must be a whole number from 1 to 9007199254740991",
            "/amount/currency: `ABC` is not a currency that payments are made in",
            r#"/amount/amount: must be a string such as "110.00", not a number"#,
            "/date: 30 February 2026 does not exist",
            "/method: must be a lower-case name such as bank_transfer, with at most 40 letters",
            "/transaction_id: is missing",
            "/status: must be pending, confirmed, failed or refunded",
            "/entered_at: must be a time with its offset, such as \"2026-03-02T09:30:00+11:00\"",
            r#"/allocations/0/amount: must be a string such as "110.00", not a number"#,
            "/allocations/1/invoice: names an invoice that is in the list already",
            "/allocations/1/amount: is missing",
            "/allocations/1/amout: is no member that we know",
            "/note: is no member that we know",
        ]
    );
    let owner = read(body).unwrap_err().organisation;
    assert_eq!(owner.unwrap().to_string(), messages::ORGANISATION);
}

#[test]
fn the_due_date_follows_from_the_terms() {
    // CM-17
    let examples = files("examples");
    for (name, due_on) in [
        ("invoice-with-due-date", "2026-04-01"),
        ("invoice-due-30-days-after-issue", "2026-04-01"),
        ("invoice-due-7-days-after-month-end", "2026-04-07"),
        ("invoice-due-on-day-of-following-month", "2026-04-20"),
    ] {
        let Ok(Report::Invoice(report)) = read(&examples[name]) else { panic!("{name}") };
        assert_eq!(report.invoice.due_on.to_string(), due_on, "{name}");
    }
}

fn payment(name: &str) -> Receipt {
    let Ok(Report::Payment(receipt)) = read(&files("examples")[name]) else { panic!("{name}") };
    receipt
}

#[test]
fn what_decides_how_a_payment_is_uploaded_is_read() {
    // EX-01, EX-02, EX-03, EX-10, EX-11, EX-35
    let approved = payment("payment-approved-by-pay-now");
    assert_eq!(
        (route(&approved), taken(&approved)),
        (Ok(Route::PayNow), Some(Certainty::Approved))
    );
    assert_eq!(approved.customer.unwrap().as_str(), "C-104");
    let settled = payment("payment-settled-by-pay-now");
    assert_eq!((route(&settled), taken(&settled)), (Ok(Route::PayNow), Some(Certainty::Settled)));
    let by_phone = payment("payment-by-virtual-terminal");
    assert_eq!(
        (route(&by_phone), taken(&by_phone)),
        (Ok(Route::Direct), Some(Certainty::Confirmed))
    );
    let bpay = payment("payment-by-bpay-of-a-customer");
    assert_eq!((route(&bpay), bpay.customer.is_some()), (Ok(Route::Bpay), true));
    assert_eq!(route(&payment("payment-batch-debit")), Err(Skip::NoCustomer));
}

#[test]
fn what_was_not_said_before_means_what_it_meant_then() {
    let old = payment("payment-pending-by-card");
    assert_eq!((old.channel, old.customer.as_ref()), (None, None));
    assert_eq!((old.approved, old.settled, taken(&old)), (false, false, None));
    let invoice = |name: &str| match read(&files("examples")[name]) {
        Ok(Report::Invoice(report)) => report.invoice,
        other => panic!("{other:?}"),
    };
    assert!(!invoice("invoice-with-due-date").payment_plan);
    // EX-08
    assert!(invoice("invoice-on-a-payment-plan").payment_plan);
}

#[test]
fn flags_may_say_less_than_the_status_but_never_contradict_it() {
    // EX-02, EX-35
    let schema = schema();
    let mut allowed = Vec::new();
    for status in PaymentStatus::ALL {
        for flag in ["approved", "settled"] {
            let message = messages::payment("P-1", 1, "60.00", &[]);
            let message = messages::with(message, "/status", status.code());
            let message = messages::with(message, &format!("/{flag}"), true);
            let taken_in = read(&message.to_string()).is_ok();
            assert_eq!(schema.is_valid(&message), taken_in, "{message}");
            if taken_in {
                allowed.push(format!("{flag} {status}"));
            }
        }
    }
    allowed.sort();
    assert_eq!(
        allowed,
        [
            "approved confirmed",
            "approved pending",
            "approved refunded",
            "settled confirmed",
            "settled refunded",
        ]
    );
}
