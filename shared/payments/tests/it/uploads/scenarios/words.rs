//! From the words of a scenario to the values of the domain, and back.

use jiff::ToSpan;
use payments::upload::{
    Bill, Channel, Customer, DocumentForm, Fee, OpenInvoice, Part, ProviderInvoice, Target,
};
use payments::{
    Allocation, InvoiceKind, InvoiceStatus, Money, PaymentId, PaymentStatus, Receipt, XeroContactId,
};

use super::format::{
    CustomerText, InvoiceText, ManyText, PaymentText, PaymentThen, ProviderInvoiceText,
};
use crate::uploads::samples::{contact_id, date, instant, invoice_id, organisation, payment_id};

pub fn wanted(then: &PaymentThen) -> String {
    let words = [
        then.send.as_ref().map(|parts| format!("send {}", parts.join(", "))),
        then.at_once.as_ref().map(|parts| format!("at once {}", parts.join(", "))),
        then.held.as_ref().map(|reason| format!("held {reason}")),
        then.skipped.as_ref().map(|reason| format!("skipped {reason}")),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    assert!(words.len() <= 1, "{}: one thing becomes of a payment", then.id);
    words.into_iter().next().unwrap_or_else(|| "carried".to_owned())
}

pub fn same<T: PartialEq + std::fmt::Debug>(
    list: &mut Vec<String>,
    what: &str,
    expected: Option<T>,
    got: T,
) {
    if let Some(expected) = expected.filter(|expected| *expected != got) {
        list.push(format!("{what}: expected {expected:?}, got {got:?}"));
    }
}

pub fn in_words(part: &Part) -> String {
    let amount = part.amount.amount();
    match &part.target {
        Target::Invoice { number, .. } => format!("{amount:.2} on {number}"),
        Target::Prepayment { .. } => format!("{amount:.2} as prepayment"),
        Target::Bill { .. } => format!("{amount:.2} as bill"),
        Target::CreditNote { .. } => format!("{amount:.2} as credit note"),
        Target::Allocation { .. } => format!("{amount:.2} of a credit note on a bill"),
    }
}

pub fn customer(text: &CustomerText) -> Customer {
    Customer {
        organisation: organisation(),
        id: text.id.parse().unwrap(),
        revision: 1,
        name: None,
        contact: text.contact.as_deref().map(|name| contact_id(numbered(name, "c"))),
        blocked: text.blocked.clone(),
        blocked_at: None,
        merged: None,
        unusable_contact: None,
        email: None,
        sync: Default::default(),
    }
}

pub fn invoice(text: &InvoiceText, n: u128) -> OpenInvoice {
    let contact = text.contact.as_deref().unwrap_or("c1");
    OpenInvoice {
        id: invoice_id(n),
        number: text.number.clone(),
        kind: match text.kind.as_deref().unwrap_or("sales") {
            "sales" => InvoiceKind::Sales,
            "bill" => InvoiceKind::Bill,
            other => panic!("no kind {other}"),
        },
        status: InvoiceStatus::from_code(text.status.as_deref().unwrap_or("AUTHORISED")).unwrap(),
        contact: Some(contact_id(numbered(contact, "c"))),
        issued_on: text.issued.as_deref().map(date),
        due_on: text.due_on.as_deref().map(date),
        due: amount(&text.due, text.currency.as_deref()),
        payments: Vec::new(),
    }
}

pub fn receipt(text: &PaymentText) -> Receipt {
    let allocation = |words: &String| {
        let (part, invoice) = words.split_once(" on ").expect("an allocation is `60.00 on 10234`");
        let amount = amount(part, text.currency.as_deref());
        Allocation { invoice: invoice.parse().unwrap(), amount }
    };
    let day = text.date.as_deref().unwrap_or("2026-03-10");
    let entered = text.entered.clone().unwrap_or_else(|| format!("{day}T01:00:00Z"));
    Receipt {
        organisation: organisation(),
        id: payment_id(&text.id),
        revision: 1,
        amount: amount(&text.amount, text.currency.as_deref()),
        date: date(day),
        reference: None,
        method: text.method.clone(),
        channel: text.channel.as_deref().map(|channel| Channel::from_code(channel).unwrap()),
        customer: text.customer.as_deref().map(|id| id.parse().unwrap()),
        transaction_id: format!("bank {}", text.id),
        status: PaymentStatus::from_code(text.status.as_deref().unwrap_or("confirmed")).unwrap(),
        approved: text.approved,
        settled: text.settled,
        journaled: false,
        allocations: text.allocations.iter().map(allocation).collect(),
        entered_at: instant(&entered),
        document: None,
    }
}

pub fn provider_invoice(text: &ProviderInvoiceText, revision: u64) -> ProviderInvoice {
    let currency = text.currency.as_deref();
    let fees = text.fees.iter().map(|words| {
        let (figure, kind) = words.split_once(' ').expect("a fee is `80.00 processing`");
        Fee { kind: kind.parse().unwrap(), description: None, amount: amount(figure, currency) }
    });
    let fees: Vec<Fee> = fees.collect();
    let currency = fees[0].amount.currency();
    ProviderInvoice {
        organisation: organisation(),
        id: PaymentId::of_provider_invoice(&text.id).unwrap(),
        revision,
        total: Money::sum(currency, fees.iter().map(|fee| fee.amount)).unwrap(),
        date: date(text.date.as_deref().unwrap_or("2026-03-10")),
        bill: Bill { number: text.id.clone(), due_on: None, fees, form: DocumentForm::Bill },
    }
}

/// The contact of these words; none if they say so.
pub fn contact(text: &str) -> Option<XeroContactId> {
    (text != "none").then(|| contact_id(numbered(text, "c")))
}

pub fn each_of(many: &ManyText) -> Vec<PaymentText> {
    let last = date(&many.date);
    let one = |n: u32| PaymentText {
        id: format!("p-{n:03}"),
        amount: many.amount.clone(),
        currency: None,
        date: Some(last.checked_sub(i64::from(n - 1).days()).unwrap().to_string()),
        method: "bpay".to_owned(),
        channel: None,
        customer: Some(many.customer.clone()),
        status: None,
        approved: false,
        settled: false,
        allocations: Vec::new(),
        entered: None,
        found_in_xero: false,
    };
    (1..=many.count).map(one).collect()
}

fn amount(text: &str, currency: Option<&str>) -> Money {
    Money::parse(text, currency.unwrap_or("AUD").parse().unwrap()).unwrap()
}

fn numbered(name: &str, letter: &str) -> u128 {
    let number = name.strip_prefix(letter).and_then(|digits| digits.parse().ok());
    number.unwrap_or_else(|| panic!("{name} is no id here"))
}
