//! The README's table of questions, executed: every statement in it works on real rows.

use payments::XeroPayment;

use crate::engine::{Row, having, text};
use crate::samples::{now, organisation, settings, snapshot, xero_payment};
use crate::world::World;

const README: &str = include_str!("../../README.md");

/// Question and statement of each row.
fn questions() -> Vec<(String, String)> {
    let section = README.split("## Questions an operator asks").nth(1).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains("`SELECT"));
    rows.map(|row| {
        let question = row.trim_start_matches("| ").split(" |").next().unwrap();
        let statement = row.split('`').find(|part| part.starts_with("SELECT")).unwrap();
        (question.to_owned(), statement.to_owned())
    })
    .collect()
}

async fn ask(world: &World, statement: &str) -> Vec<Row> {
    let answer = world.direct.execute_statement().statement(statement).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    let row = |item: &std::collections::HashMap<_, _>| {
        item.iter().map(|(name, value): (&String, _)| (name.clone(), text(value))).collect()
    };
    answer.items().iter().map(row).collect()
}

/// An invoice with a bit of everything, beside others that no answer may contain.
async fn eventful() -> World {
    let world = World::with_local_invoice().await;
    let mut future = xero_payment(3, 300);
    future.date = jiff::civil::date(2027, 1, 1);
    let refund =
        XeroPayment { kind: payments::XeroPaymentKind::CreditRefund, ..xero_payment(4, 50) };
    world.apply(&snapshot(1, vec![xero_payment(1, 100), xero_payment(2, 200)])).await.unwrap();
    let mut later = snapshot(2, vec![xero_payment(2, 200), future]);
    later.payments.push(refund);
    world.apply(&later).await.unwrap();

    let other: payments::InvoiceNumber = "20001".parse().unwrap();
    world.record(&other).await;
    let mut elsewhere = snapshot(1, vec![xero_payment(9, 900)]);
    elsewhere.number = "CM-20001".to_owned();
    elsewhere.invoice = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(2));
    crate::world::apply_to(
        &world.tables,
        &elsewhere,
        &other,
        &settings(),
        crate::samples::because(),
    )
    .await
    .unwrap();
    keep(&world).await;
    world
}

async fn keep(world: &World) {
    for (organisation, id) in [(Some(organisation()), "m-1"), (None, "m-2")] {
        let parked = table::Parked {
            organisation,
            id,
            by: "mirror",
            reason: "stale_read",
            detail: "read older than its event",
            body: b"{}",
            received_at: now(),
        };
        world.tables.park(&parked).await.unwrap();
    }
    let receipt = payments::Receipt {
        organisation: organisation(),
        id: "R-1".parse().unwrap(),
        revision: 1,
        amount: crate::samples::aud(100),
        date: jiff::civil::date(2026, 3, 2),
        reference: None,
        method: "bpay".to_owned(),
        transaction_id: "T-1".to_owned(),
        status: payments::PaymentStatus::Confirmed,
        journaled: false,
        allocations: Vec::new(),
        entered_at: now(),
    };
    let warnings = [crate::samples::unlinked(&receipt)];
    world.tables.store_receipt(None, &receipt, &warnings, now()).await.unwrap();
}

#[tokio::test]
async fn every_question_of_the_readme_has_the_answer_that_it_promises() {
    let world = eventful().await;
    let questions = questions();
    assert!(questions.len() >= 10, "the table was not found: {questions:?}");
    for (question, statement) in questions {
        let statement = statement
            .replace("ORG", &organisation().to_string())
            .replace("'ID'", "'00000000-0000-0000-0000-000000000002'")
            .replace("2026-11-23", "2026-10-05");
        let rows = ask(&world, &statement).await;
        let column = |name: &str| -> Vec<&str> {
            let mut column: Vec<&str> = Vec::new();
            for row in &rows {
                column.push(row.get(name).unwrap_or_else(|| panic!("{question}: {row:#?}")));
            }
            column.sort_unstable();
            column
        };
        let (second, third) =
            ("00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003");
        match question.as_str() {
            "Which payments are on invoice 10234?" => {
                assert_eq!(column("xero_payment_id"), [second]);
            }
            "Where is Xero payment ID?" => assert_eq!(column("invoice_number"), ["10234"]),
            "Why is a payment of invoice 10234 not here?" => {
                assert_eq!(column("xero_payment_id"), [third]);
                assert_eq!(column("reason"), ["FUTURE_DATED"]);
            }
            "What was deleted on invoice 10234, and why?" => {
                assert_eq!(column("amount"), ["#1"]);
                assert_eq!(column("why"), ["no longer among the invoice's payments in Xero"]);
            }
            "What does invoice 10234 owe?" => {
                assert_eq!(column("amount_due"), ["#999995"]);
                assert_eq!(column("due_on"), ["2026-12-01"]);
            }
            "What does not agree, oldest first?" => {
                assert_eq!(column("kind"), ["REFUND_IN_XERO"]);
            }
            "What happened today?" => {
                let of = |number| having(&rows, &[("invoice_number", number)]).len();
                assert_eq!((of("10234"), of("20001")), (6, 2), "{rows:#?}");
                let times: Vec<_> = rows.iter().map(|row| &row["at"]).collect();
                assert!(times.is_sorted());
            }
            "What happened to invoice 10234?" => {
                let actions = ["deleted", "discrepancy_raised", "held", "imported", "imported"];
                assert_eq!(column("action"), [&actions[..], &["recorded"]].concat());
            }
            "What could not be processed?" => assert_eq!(column("reason"), ["stale_read"]),
            "What should I know?" => assert_eq!(column("kind"), ["UNLINKED"]),
            other => panic!("this question has no expectation yet: {other}"),
        }
        let wrong = rows.iter().find(|row| {
            question.contains("10234") && row.get("invoice_number").is_some_and(|n| n != "10234")
        });
        assert_eq!(wrong, None, "{question}");
    }
}

#[test]
fn the_readme_names_every_table_with_its_keys_and_its_index() {
    for table in table::schema::TABLES {
        let row = README
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", table.name)))
            .unwrap_or_else(|| panic!("{} is not in the README", table.name));
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[2], format!("`{}`", table.partition));
        assert_eq!(cells[3], table.sort.map(|sort| format!("`{sort}`")).unwrap_or_default());
        match table.index {
            Some(index) => assert!(cells[4].starts_with(&format!("`{}`", index.name)), "{row}"),
            None => assert_eq!(cells[4], ""),
        }
    }
}
