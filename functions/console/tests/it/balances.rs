//! The page of balances: what customers owe by age, what is overdue, and what was paid too much (ST-05, ST-12, ST-24).

use console::roles::Role;
use jiff::civil::date;
use payments::{
    Allocation, Contact, InvoiceNumber, LocalInvoice, Money, Receipt, record_invoice, record_part,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::samples::{aud, because, read, receipt, xero_payment};
use crate::world::{ORGANISATION, World, ago, organisation};

struct Reported {
    number: &'static str,
    customer: Option<&'static str>,
    company: &'static str,
    total: Money,
    due_on: &'static str,
}

/// An invoice of Ada's in Australian dollars.
fn of_ada(number: &'static str, cents: i64, due_on: &'static str) -> Reported {
    Reported { number, customer: Some("C-1"), company: "Ada Ltd", total: aud(cents), due_on }
}

async fn report(world: &World, invoice: Reported) {
    let number: InvoiceNumber = invoice.number.parse().unwrap();
    let before = world.tables.invoice(organisation(), &number).await.unwrap();
    let local = LocalInvoice {
        number,
        total: invoice.total,
        issued_on: date(2026, 1, 1),
        due_on: invoice.due_on.parse().unwrap(),
        terms: None,
        contact: Contact { company: Some(invoice.company.to_owned()), person: None },
        payment_plan: false,
        revision: 1,
        components: Default::default(),
    };
    let mut change = record_invoice(&before, &local, ago(600)).unwrap().unwrap();
    change.after.customer = invoice.customer.map(|id| id.parse().unwrap());
    world.tables.write_invoice(&before, &change, because(600)).await.unwrap();
}

async fn page(world: &World, event: Value) -> String {
    let mut event = event;
    event["page"] = "balances".into();
    let html = world.page(Role::Viewer, event).await;
    assert_harmless(&html);
    text(&html)
}

/// What a person reads between two headings.
fn part<'a>(said: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = said.split_once(from).unwrap_or_else(|| panic!("{from}: {said}"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to}: {said}")).0
}

/// Today is 25 November 2026. Sums by age, by customer and of the lists are the same money, to the cent, each currency for
/// itself (ST-24); what is overdue stands there unless something else is asked for (ST-12).
#[tokio::test]
async fn st_12_st_24_what_is_owed_is_shown_by_age_and_customer_and_ties_out() {
    let world = World::new().await;
    assert!(page(&world, json!({})).await.contains("Nothing is owed."));
    report(&world, of_ada("10001", 10_001, "2026-11-25")).await;
    report(&world, of_ada("10002", 10_002, "2026-11-24")).await;
    report(&world, of_ada("10003", 10_003, "2026-10-26")).await;
    report(&world, of_ada("10004", 10_004, "2026-10-25")).await;
    report(&world, of_ada("10005", 10_005, "2026-08-27")).await;
    report(&world, of_ada("10006", 10_006, "2026-08-26")).await;
    let yen = Money::new(Decimal::new(7_000, 0), "JPY".parse().unwrap()).unwrap();
    let bob = Reported {
        customer: None,
        company: "Bob & Sons",
        total: yen,
        ..of_ada("10007", 0, "2026-11-01")
    };
    report(&world, bob).await;

    let said = page(&world, json!({})).await;
    for words in [
        "AUD 100.01 AUD (1) 200.05 AUD (2) 100.04 AUD (1) 100.05 AUD (1) 100.06 AUD (1) 600.21 AUD",
        "JPY 7000 JPY (1) 7000 JPY",
        "C-1 Ada Ltd 100.01 AUD (1) 200.05 AUD (2) 100.04 AUD (1) 100.05 AUD (1) 100.06 AUD (1) 600.21 AUD",
        "Bob & Sons 7000 JPY (1) 7000 JPY",
        "6 in all: days 1 to 30 200.05 AUD (2); days 31 to 60 100.04 AUD (1); days 61 to 90 100.05 AUD (1); over 90 days \
         100.06 AUD (1); days 1 to 30 7000 JPY (1).",
        "10006 C-1 Ada Ltd 2026-08-26 91 ▲ over 90 days 100.06 AUD not yet",
        "10006,C-1,Ada Ltd,2026-08-26,91,over_90_days,AUD,100.06,false",
        "C-1 Ada Ltd,AUD,days_1_to_30,2,200.05",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let listed = part(&said, "Look 10006", "as CSV");
    assert!(!listed.contains("10001 "), "what is due today is not late: {listed}");
    let places = ["10006,", "10005,", "10004,", "10003,", "10002,"].map(|n| said.find(n).unwrap());
    assert!(places.is_sorted(), "due for longest first: {said}");

    let not_due = page(&world, json!({"kind": "not_due"})).await;
    assert!(not_due.contains("1 in all: not due 100.01 AUD (1)."), "{not_due}");
    let of_bob = page(&world, json!({"kind": "every", "word": "bob"})).await;
    assert!(of_bob.contains("1 in all: days 1 to 30 7000 JPY (1)."), "{of_bob}");
    let none = page(&world, json!({"kind": "overpaid"})).await;
    assert!(none.contains("No invoice is like this."), "{none}");
}

/// A page reads 1,400 of the unsettled invoices, and the sums go on from one page to the next: on the last one they are of
/// all (ST-24).
#[tokio::test]
async fn st_24_sums_of_more_invoices_than_a_page_reads_go_on_from_page_to_page() {
    let world = World::new().await;
    for n in 0..2_900 {
        let number = format!("{}", 20_000 + n);
        let row = [
            ("organisation", ORGANISATION),
            ("number", number.as_str()),
            ("unsettled_in", ORGANISATION),
            ("balance", "#10.01"),
            ("balance_currency", if n % 2 == 0 { "AUD" } else { "NZD" }),
            ("balance_due_on", if n < 1_500 { "2026-11-01" } else { "2026-12-24" }),
            ("company", "Ada Ltd"),
        ];
        world.put("invoices", &row).await;
    }
    let of = |html: &str| {
        let at =
            html.find("&#34;carried&#34;:&#34;").map(|at| at + "&#34;carried&#34;:&#34;".len());
        at.map(|at| html[at..].split("&#34;").next().unwrap().to_owned())
    };
    let mut event = json!({"page": "balances", "kind": "every"});
    let mut pages = Vec::new();
    loop {
        let html = world.page(Role::Viewer, event.clone()).await;
        assert!(crate::rows_read::rows_of(&html) <= 1_500);
        pages.push(text(&html));
        let Some(carried) = of(&html) else { break };
        event["carried"] = carried.into();
        event["before"] = format!("{}", 20_000 + 1_400 * pages.len() - 1).into();
        assert!(pages.len() < 4);
    }
    assert_eq!(pages.len(), 3);
    assert!(pages[0].contains("sums of the first 1400 unsettled invoices"), "{}", pages[0]);
    assert!(pages[0].contains("AUD 7007.00 AUD (700) 7007.00 AUD"), "{}", pages[0]);
    assert!(pages[1].contains("sums of the first 2800 unsettled invoices"), "{}", pages[1]);
    let last = &pages[2];
    assert!(last.contains("sums of all 2900 unsettled invoices"), "{last}");
    // 750 of each currency are late, and 700 are not due.
    for words in [
        "AUD 7007.00 AUD (700) 7507.50 AUD (750) 14514.50 AUD",
        "NZD 7007.00 NZD (700) 7507.50 NZD (750) 14514.50 NZD",
        "This page has 100 unsettled invoices behind 22799, in the order of their numbers.",
    ] {
        assert!(last.contains(words), "{words}: {last}");
    }
    // Without what came before, the sums are said to be of the page alone.
    event["carried"] = "nonsense".into();
    let said = text(&world.page(Role::Viewer, event).await);
    assert!(said.contains("sums of this page alone"), "{said}");
}

/// Money that comes takes an invoice out of the balances; what is too much is shown for itself, and credit from Xero counts
/// (ST-05, AMB-19).
#[tokio::test]
async fn st_05_payments_and_credit_lower_what_is_owed_and_too_much_is_shown() {
    let world = World::new().await;
    for number in ["10011", "10012", "10013", "10014"] {
        report(&world, of_ada(number, 10_000, "2026-11-20")).await;
    }
    read(&world, "10011", 400, vec![xero_payment(1, 2_500)], 0).await;
    read(&world, "10012", 400, vec![xero_payment(2, 4_000)], 6_000).await;
    read(&world, "10013", 400, vec![xero_payment(3, 10_000)], 0).await;
    overpay(&world, "10013", "P-1", 1_050).await;
    // 75.00 in Xero, 20.00 of credit, and 10.00 that Xero has not seen yet.
    read(&world, "10014", 400, vec![xero_payment(4, 7_500)], 2_000).await;
    overpay(&world, "10014", "P-2", 1_000).await;

    let said = page(&world, json!({"kind": "every"})).await;
    for words in [
        "AUD 75.00 AUD (1) -15.50 AUD (2) 75.00 AUD",
        "10011 C-1 Ada Ltd 2026-11-20 5 ▲ days 1 to 30 75.00 AUD ✔",
        "10013 C-1 Ada Ltd 2026-11-20 5 overpaid -10.50 AUD ✔",
        "10014 C-1 Ada Ltd 2026-11-20 5 overpaid -5.00 AUD ✔",
        "10013,C-1,Ada Ltd,2026-11-20,5,overpaid,AUD,-10.50,true",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("10012"), "paid, with credit: {said}");
}

/// The business's own system reports one more payment of an invoice.
async fn overpay(world: &World, number: &str, id: &str, cents: i64) {
    let number: InvoiceNumber = number.parse().unwrap();
    let before = world.tables.invoice(organisation(), &number).await.unwrap();
    let paid = Receipt {
        amount: aud(cents),
        allocations: vec![Allocation { invoice: number, amount: aud(cents) }],
        ..receipt(id)
    };
    let change = record_part(&before, &paid, ago(300)).unwrap().unwrap();
    world.tables.write_invoice(&before, &change, because(300)).await.unwrap();
}

#[tokio::test]
async fn a_hostile_customer_is_text_and_many_invoices_are_counted() {
    let world = World::new().await;
    let hostile = "</td><script>alert(1)</script>";
    let row = |n: usize, due_on: &str| {
        [
            ("organisation", organisation().to_string()),
            ("number", format!("{}", 20_000 + n)),
            ("company", hostile.to_owned()),
            ("balance", "#1.05".to_owned()),
            ("balance_currency", "AUD".to_owned()),
            ("unsettled_in", organisation().to_string()),
            ("balance_due_on", due_on.to_owned()),
        ]
    };
    for n in 0..205 {
        let row = row(n, "2026-11-20");
        let row = row.each_ref().map(|(name, value)| (*name, value.as_str()));
        world.put("invoices", &row).await;
    }
    let wrong = row(900, "soon");
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    world.put("invoices", &wrong).await;
    let said = page(&world, json!({})).await;
    for words in [
        "205 in all: days 1 to 30 215.25 AUD (205). 5 of them are not shown",
        "An invoice cannot be read, and is in no sum: 20900",
        hostile,
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
