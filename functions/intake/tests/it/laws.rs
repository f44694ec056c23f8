//! Laws of reading messages.

use std::sync::LazyLock;

use intake::contract::{Invalid, Report, read};
use payments::upload::{Channel, ContactSync, Customer};
use payments::{
    Allocation, Contact, Currency, LocalInvoice, Money, PaymentStatus, Receipt, Terms,
    XeroContactId,
};
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Value, json};

use crate::messages::{self, ORGANISATION, with};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(crate::contract::schema);

fn arb_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("110.00")),
        Just(json!("2026-02-29")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z_~/]{0,12}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn arb_text(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern).unwrap()
}

fn arb_id() -> impl Strategy<Value = String> {
    arb_text("[A-Za-wyz0-9€]([ -~]{0,98}[!-~])?")
}

fn arb_date() -> impl Strategy<Value = jiff::civil::Date> {
    (1970_i16..2200, 1_i8..13, 1_i8..29).prop_map(|(y, m, d)| jiff::civil::date(y, m, d))
}

fn arb_money(min: i64) -> impl Strategy<Value = Money> {
    let currency = prop_oneof![Just("AUD"), Just("JPY"), Just("BHD")];
    (min..1_000_000_000_i64, currency)
        .prop_map(|(units, code)| of_units(units, code.parse().unwrap()))
}

/// So many of the smallest units of a currency.
fn of_units(units: i64, currency: Currency) -> Money {
    let decimals = usize::try_from(currency.decimals()).unwrap();
    let digits = format!("{units:0>width$}", width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let text = if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") };
    Money::parse(&text, currency).unwrap()
}

fn money(money: Money) -> Value {
    json!({"amount": money.amount().to_string(), "currency": money.currency().code()})
}

fn arb_terms() -> impl Strategy<Value = Option<Terms>> {
    prop_oneof![
        Just(None),
        (0_u16..=3660).prop_map(|days| Some(Terms::DaysAfterIssue(days))),
        (0_u16..=3660).prop_map(|days| Some(Terms::DaysAfterMonthEnd(days))),
        (1_u8..=31).prop_map(|day| Some(Terms::DayOfFollowingMonth(day))),
    ]
}

fn arb_invoice() -> impl Strategy<Value = LocalInvoice> {
    let name = || prop::option::of(arb_text("[ ]{0,2}[^ \t\r\n\u{85}][ -~]{0,100}"));
    let counted = (1_u64..1 << 53, any::<bool>());
    (arb_id(), arb_money(0), arb_date(), arb_date(), arb_terms(), name(), name(), counted)
        .prop_filter_map("a name that is not blank", |values| {
            let (number, total, issued_on, due_on, terms, company, person, counted) = values;
            let (revision, payment_plan) = counted;
            let blank = |name: &Option<String>| name.as_ref().is_some_and(|n| n.trim().is_empty());
            if blank(&company) || blank(&person) || (company.is_none() && person.is_none()) {
                return None;
            }
            Some(LocalInvoice {
                number: number.parse().unwrap(),
                total,
                issued_on,
                due_on: terms.map_or(due_on, |terms| terms.due_on(issued_on).unwrap()),
                terms,
                contact: Contact { company, person },
                payment_plan,
                revision,
                components: Default::default(),
            })
        })
}

fn invoice_json(invoice: &LocalInvoice) -> Value {
    let mut message = json!({
        "version": 1, "type": "invoice", "organisation": ORGANISATION,
        "number": invoice.number.as_str(), "revision": invoice.revision,
        "total": money(invoice.total), "issued_on": invoice.issued_on.to_string(), "contact": {},
    });
    match invoice.terms {
        None => message["due_on"] = json!(invoice.due_on.to_string()),
        Some(Terms::DaysAfterIssue(days)) => message["terms"] = json!({"days_after_issue": days}),
        Some(Terms::DaysAfterMonthEnd(days)) => {
            message["terms"] = json!({"days_after_month_end": days});
        }
        Some(Terms::DayOfFollowingMonth(day)) => {
            message["terms"] = json!({"day_of_following_month": day});
        }
    }
    for (name, value) in
        [("company", &invoice.contact.company), ("person", &invoice.contact.person)]
    {
        if let Some(value) = value {
            message["contact"][name] = json!(value);
        }
    }
    if invoice.payment_plan {
        message["payment_plan"] = json!(true);
    }
    message
}

fn arb_payment() -> impl Strategy<Value = Receipt> {
    let parts = prop::collection::btree_map(arb_id(), 1_u32..1000, 0..8);
    let status = prop::sample::select(PaymentStatus::ALL);
    let rest = (
        any::<[bool; 3]>(),
        prop::option::of(arb_text("[a-z][ -~]{0,200}")),
        prop::option::of(prop::sample::select(Channel::ALL)),
        prop::option::of(arb_id()),
    );
    (arb_id(), 1_u64..1 << 53, arb_money(10_000), arb_date(), status, rest, parts, 0_i64..1 << 52)
        .prop_map(|(id, revision, amount, date, status, rest, parts, micros)| Receipt {
            organisation: ORGANISATION.parse().unwrap(),
            id: id.parse().unwrap(),
            revision,
            amount,
            date,
            reference: rest.1,
            method: "direct_debit".to_owned(),
            channel: rest.2,
            customer: rest.3.map(|id| id.parse().unwrap()),
            transaction_id: format!("T-{revision}"),
            status,
            approved: rest.0[1] && status != PaymentStatus::Failed,
            settled: rest.0[2]
                && matches!(status, PaymentStatus::Confirmed | PaymentStatus::Refunded),
            journaled: rest.0[0],
            allocations: parts
                .into_iter()
                .map(|(invoice, units)| Allocation {
                    invoice: invoice.parse().unwrap(),
                    amount: of_units(i64::from(units), amount.currency()),
                })
                .collect(),
            entered_at: jiff::Timestamp::from_microsecond(micros).unwrap(),
            document: None,
        })
}

fn payment_json(receipt: &Receipt) -> Value {
    let parts: Vec<_> = receipt
        .allocations
        .iter()
        .rev()
        .map(|part| json!({"invoice": part.invoice.as_str(), "amount": part.amount.amount().to_string()}))
        .collect();
    let mut message = json!({
        "version": 1, "type": "payment", "organisation": ORGANISATION,
        "id": receipt.id.as_str(), "revision": receipt.revision, "amount": money(receipt.amount),
        "date": receipt.date.to_string(), "method": receipt.method,
        "transaction_id": receipt.transaction_id, "status": receipt.status.code(),
        "entered_at": receipt.entered_at.to_string(), "allocations": parts,
    });
    for (name, flag) in [
        ("journaled", receipt.journaled),
        ("approved", receipt.approved),
        ("settled", receipt.settled),
    ] {
        if flag {
            message[name] = json!(true);
        }
    }
    if let Some(channel) = receipt.channel {
        message["channel"] = json!(channel.code());
    }
    if let Some(customer) = &receipt.customer {
        message["customer"] = json!(customer.as_str());
    }
    if let Some(reference) = &receipt.reference {
        message["reference"] = json!(reference);
    }
    message
}

fn arb_customer() -> impl Strategy<Value = Customer> {
    let name = prop::option::of(arb_text("[a-z][ -~]{0,200}"));
    (arb_id(), 1_u64..1 << 53, name, any::<Option<u128>>()).prop_map(
        |(id, revision, name, contact)| Customer {
            organisation: ORGANISATION.parse().unwrap(),
            id: id.parse().unwrap(),
            revision,
            name,
            contact: contact.map(|id| XeroContactId::new(uuid::Uuid::from_u128(id))),
            blocked: None,
            blocked_at: None,
            merged: None,
            unusable_contact: None,
            email: None,
            sync: ContactSync { is_due: true, ..ContactSync::default() },
        },
    )
}

/// A report that is not taken in says why.
fn explained(body: &str) {
    if let Err(Invalid { problems, .. }) = read(body) {
        assert!(!problems.is_empty());
    }
}

proptest! {
    #[test]
    fn law_no_text_makes_the_reader_panic(body in any::<String>()) {
        explained(&body);
    }

    #[test]
    fn law_no_json_makes_the_reader_panic(json in arb_json()) {
        explained(&json.to_string());
    }

    #[test]
    fn law_no_single_wrong_value_makes_the_reader_panic(
        json in arb_json(),
        member in prop::sample::select(vec![
            "/version", "/type", "/organisation", "/revision", "/id", "/amount", "/amount/amount",
            "/amount/currency", "/date", "/method", "/transaction_id", "/status", "/reference",
            "/entered_at", "/allocations", "/allocations/0", "/allocations/0/amount", "/journaled",
            "/channel", "/customer", "/approved", "/settled",
        ]),
    ) {
        let message = messages::payment("P-1", 1, "60.00", &[("10234", "60.00")]);
        let message = match member {
            "/allocations/0" => with(message, "/allocations", vec![json]),
            "/allocations/0/amount" => with(message, "/allocations/0/amount", json),
            member => with(message, member, json),
        };
        let body = message.to_string();
        explained(&body);
        if read(&body).is_ok() {
            // The schema that senders check against is never stricter than we are.
            prop_assert!(SCHEMA.is_valid(&message), "{}", body);
        }
    }

    #[test]
    fn law_no_single_wrong_value_of_a_customer_makes_the_reader_panic(
        json in arb_json(),
        member in prop::sample::select(vec![
            "/organisation", "/customer", "/revision", "/name", "/xero_contact_id", "/blocked",
        ]),
    ) {
        let contact = "c71e2d5a-9f04-4b6a-9a41-0c7e5b8d2f10";
        let message = messages::customer("C-1", 1, "Harbour Ferries Pty Ltd", Some(contact));
        let message = with(message, member, json);
        let body = message.to_string();
        explained(&body);
        if read(&body).is_ok() {
            prop_assert!(SCHEMA.is_valid(&message), "{}", body);
        }
    }

    #[test]
    fn law_a_customer_is_read_as_it_was_written(customer in arb_customer()) {
        let mut message = json!({
            "version": 1, "type": "customer", "organisation": ORGANISATION,
            "customer": customer.id.as_str(), "revision": customer.revision,
        });
        if let Some(name) = &customer.name {
            message["name"] = json!(name);
        }
        if let Some(contact) = customer.contact {
            message["xero_contact_id"] = json!(contact.to_string());
        }
        let body = message.to_string();
        let read = read(&body).map_err(|invalid| TestCaseError::fail(format!("{body} {invalid:?}")))?;
        prop_assert_eq!(read, Report::Customer(customer));
    }

    #[test]
    fn law_an_invoice_is_read_as_it_was_written(invoice in arb_invoice()) {
        let body = invoice_json(&invoice).to_string();
        let read = read(&body).map_err(|invalid| TestCaseError::fail(format!("{body} {invalid:?}")))?;
        let Report::Invoice(report) = read else { panic!("{read:?}") };
        prop_assert_eq!(report.invoice, invoice);
    }

    #[test]
    fn law_a_payment_is_read_as_it_was_written(receipt in arb_payment()) {
        let body = payment_json(&receipt).to_string();
        let read = read(&body).map_err(|invalid| TestCaseError::fail(format!("{body} {invalid:?}")))?;
        prop_assert_eq!(read, Report::Payment(receipt));
    }
}
