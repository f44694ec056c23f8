//! The README's table of questions, executed: every statement in it works on real rows.

use harness::dynamodb::{Row, having, text};

use crate::eventful_world::{CONTACT, accept, charge_wrong_tax, eventful, work};
use crate::samples::{now, organisation};
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

#[tokio::test]
async fn every_question_of_the_readme_has_the_answer_that_it_promises() {
    let world = eventful().await;
    let questions = questions();
    assert!(questions.len() >= 10, "the table was not found: {questions:?}");
    for (question, statement) in questions {
        let statement = statement
            .replace("ORG", &organisation().to_string())
            .replace("CONTACT", CONTACT)
            .replace("'ID'", "'00000000-0000-0000-0000-000000000002'")
            .replace("2026-11-23", "2026-10-05");
        let rows = ask(&world, &statement).await;
        let column = |name: &str| column(&rows, name);
        let first = "00000000-0000-0000-0000-000000000001";
        let (second, third) =
            ("00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003");
        match question.as_str() {
            "Which payments are on invoice 10234?" => {
                assert_eq!(column("xero_payment_id"), [second]);
            }
            "Where is Xero payment ID?" => assert_eq!(column("invoice_number"), ["10234"]),
            "On which invoice is Xero payment ID held?"
            | "From which invoice was Xero payment ID removed?" => {
                // ID is a payment that is here; those that are not are asked for below.
                assert!(rows.is_empty());
                let other = if question.starts_with("On") { third } else { first };
                let rows = ask(&world, &statement.replace(second, other)).await;
                assert_eq!(rows.len(), 1, "{question}");
                assert!(rows[0]["invoice"].ends_with("/10234"));
            }
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
            "Which discrepancies are Ada's?" => {
                assert!(rows.is_empty());
                work(&world, payments::DiscrepancyWork::Assign { owner: "Ada".to_owned() }).await;
                let rows = ask(&world, &statement).await;
                assert_eq!(self::column(&rows, "discrepancy"), ["REFUND_IN_XERO#R-1"]);
            }
            "What became of the notices to customers?" => assert!(rows.is_empty()),
            "What was accepted on invoice 10234, by whom and why?" => {
                assert!(rows.is_empty());
                accept(&world).await;
                let statement = statement.replace("/10234", &format!("/contact:{CONTACT}"));
                let rows = ask(&world, &statement).await;
                let said = [("accepted_by", "Ada"), ("accepted_why", "it was agreed")];
                assert_eq!(having(&rows, &said).len(), 1, "{rows:?}");
                assert_eq!(rows[0]["discrepancy"], "REFUND_IN_XERO#R-1");
            }
            "What does not agree about order O-1?" => {
                assert!(rows.is_empty());
                charge_wrong_tax(&world).await;
                let rows = ask(&world, &statement).await;
                let found = [
                    ("kind", "COMPONENT_DIFFERS"),
                    ("detail", "tax: 1.00 in the order, 2.00 in Xero"),
                ];
                assert_eq!(having(&rows, &found).len(), 1, "{rows:#?}");
            }
            "What does not agree about contact CONTACT in Xero?" => {
                assert_eq!(column("kind"), ["REFUND_IN_XERO"]);
                assert_eq!(column("xero_contact_id"), [CONTACT]);
            }
            "What happened today?" => {
                let of = |number| having(&rows, &[("invoice_number", number)]).len();
                assert_eq!((of("10234"), of("20001")), (5, 2), "{rows:#?}");
                let times: Vec<_> = rows.iter().map(|row| &row["at"]).collect();
                assert!(times.is_sorted());
            }
            "What happened to invoice 10234?" => {
                let actions = ["deleted", "held", "imported", "imported"];
                assert_eq!(column("action"), [&actions[..], &["recorded"]].concat());
            }
            "What could not be processed?" => assert_eq!(column("reason"), ["stale_read"]),
            "What should I know?" => assert_eq!(column("kind"), ["UNLINKED"]),
            "When was the last sync, and when was it last tried?" => {
                assert_eq!(column("last_attempt"), ["finished"]);
                assert_eq!(column("last_success_at"), column("last_attempt_at"));
            }
            // CC-09: the history, with what went wrong.
            "What did the last runs do, newest first?" => {
                let states: Vec<_> = rows.iter().map(|row| row["state"].as_str()).collect();
                assert_eq!(states, ["finished", "failed", "failed", "finished"]);
            }
            // SP-09
            "How long did changes take today?" => {
                assert_eq!((column("latency_p50_ms"), column("late")), (vec!["#2000"], vec!["#0"]));
            }
            // CC-26: the newest error first.
            "Which run went wrong last, and why?" => {
                let problems: Vec<_> = rows.iter().map(|row| row["problem"].as_str()).collect();
                assert_eq!(problems, ["Limit at Xero", "Timeout at Xero"]);
            }
            "Is everything here that is in Xero?" => {
                assert_eq!((column("state"), column("applied")), (vec!["incomplete"], vec!["#1"]));
                assert_eq!((column("missing"), column("repaired")), (vec!["#1"], vec!["#1"]));
                assert!(column("missing_payments")[0].contains("CM-30001"));
            }
            "What was ordered from the console today, and what refused?" => {
                assert_eq!(
                    (column("order"), column("result")),
                    (vec!["sync_now"], vec!["refused"])
                );
            }
            "What did the sweep repair today?" => {
                assert_eq!(column("action"), ["imported"]);
                assert_eq!(column("invoice_number"), ["30001"]);
            }
            other => about_uploads(other, &rows),
        }
        let wrong = rows.iter().find(|row| {
            question.contains("10234") && row.get("invoice_number").is_some_and(|n| n != "10234")
        });
        assert_eq!(wrong, None, "{question}");
    }
}

/// The values of an attribute that every row has, in their order.
fn column<'a>(rows: &'a [Row], name: &str) -> Vec<&'a str> {
    let value = |row: &'a Row| row.get(name).unwrap_or_else(|| panic!("no {name}: {row:#?}"));
    let mut column: Vec<&str> = rows.iter().map(|row| value(row).as_str()).collect();
    column.sort_unstable();
    column
}

fn about_uploads(question: &str, rows: &[Row]) {
    let column = |name: &str| column(rows, name);
    match question {
        "What went up last night?" => {
            assert_eq!(column("payment_id"), ["P-4"]);
            assert_eq!(column("why"), ["in Xero"]);
        }
        "What waits, oldest first?" => {
            assert_eq!(
                rows.iter().map(|row| &row["payment_id"]).collect::<Vec<_>>(),
                ["P-2", "P-3"]
            );
        }
        "What is unknown?" => assert_eq!(column("payment_id"), ["P-5"]),
        "Why was payment P-1 not sent?" => {
            assert_eq!(column("reason"), ["BLOCKED_BY_ACTION"]);
            assert_eq!(column("why"), ["an action is open: call"]);
        }
        "Which provider invoices wait for a setting?" => {
            assert_eq!(column("payment_id"), ["provider-invoice-F-1"]);
            assert_eq!(column("reason"), ["ACCOUNT_UNMAPPED"]);
        }
        "How many attempts are left in the 30 days?" => {
            assert_eq!(column("attempts_left"), ["#3998"]);
        }
        "How was the last business day closed?" => {
            assert_eq!((column("day"), column("revision")), (vec!["2026-10-05"], vec!["#1"]));
            assert_eq!(column("not_reconciled"), ["#1"]);
        }
        "Which days of the log are sealed?" => {
            assert_eq!((column("sealed_day"), column("rows")), (vec!["2026-10-05"], vec!["#0"]));
        }
        "Which reports are there, and which do not agree with the log?" => {
            assert_eq!(column("report"), ["weekly-2026-11-16-2026-11-22"]);
            assert_eq!(column("difference"), ["the log gives other: payments"]);
        }
        "What differed on the days in shadow?" => {
            assert_eq!((column("day"), column("differences")), (vec!["2026-10-05"], vec!["#1"]));
        }
        "What does not reconcile at the close of a day?" => {
            assert_eq!(column("subject"), ["payment/P-1"]);
        }
        "What is left of which credits of the provider?" => {
            assert_eq!(column("payment_id"), ["provider-invoice-C-1"]);
        }
        "What did the night do?" => {
            assert_eq!((column("uploaded"), column("unknown")), (vec!["#1"], vec!["#1"]));
            assert_eq!((column("held"), column("carried")), (vec!["#1"], vec!["#2"]));
            assert!(column("reasons")[0].contains("BLOCKED_BY_ACTION"));
        }
        "Which invoices wait because of a mass change?" => {
            assert_eq!(column("state"), ["on"]);
            assert!(column("waiting")[0].contains("30001"));
        }
        "How is the connection, and what is to be done?" => {
            assert_eq!(column("status"), ["Error"]);
            assert!(column("troubles")[0].contains("STALE"));
            assert_eq!(column("last_webhook_at"), [table::instant(now())]);
        }
        "How many calls to Xero are left?" => {
            assert_eq!(
                (column("calls_left_today"), column("calls_in_last_day")),
                (vec!["#4999"], vec!["#1"])
            );
        }
        "How much was fetched from Xero this month?" => {
            assert_eq!(
                (column("month"), column("bytes_in_month")),
                (vec!["2026-10-01"], vec!["#909"])
            );
        }
        "On which grant does an organisation hang?" => {
            assert_eq!(column("hangs_on"), [crate::grants::id(1).to_string()]);
        }
        "Which connections to Xero are lost, or will be if nothing uses them?" => {
            assert_eq!(column("state"), ["active", "dead"]);
            assert_eq!(rows.iter().filter(|row| row.contains_key("dead_why")).count(), 1);
            assert_eq!(column("dies_unused_at"), ["2026-12-04T03:41:25.123456Z"; 2]);
        }
        "Which customers' contacts were merged in Xero?" => {
            assert_eq!(column("customer"), ["C-2"]);
            let from = "00000000-0000-0000-0000-000000000011";
            assert_eq!(column("merged_from_contact_id"), [from]);
        }
        "Which actions are open, oldest first?" => assert_eq!(column("customer"), ["C-1"]),
        other => panic!("this question has no expectation yet: {other}"),
    }
}

#[test]
fn the_readme_names_every_table_with_its_keys_and_its_indexes() {
    for table in table::schema::TABLES {
        let row = README
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", table.name)))
            .unwrap_or_else(|| panic!("{} is not in the README", table.name));
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[2], format!("`{}`", table.partition));
        assert_eq!(cells[3], table.sort.map(|sort| format!("`{sort}`")).unwrap_or_default());
        let names: Vec<_> = cells[4]
            .split('`')
            .filter(|name| table.indexes.iter().any(|i| i.name == *name))
            .collect();
        let expected: Vec<_> = table.indexes.iter().map(|index| index.name).collect();
        assert_eq!(names, expected, "{row}");
        assert_eq!(cells[4].is_empty(), expected.is_empty(), "{row}");
    }
}
