//! The README's table of questions, executed: every statement in it works on real rows.

use std::collections::BTreeSet;

use harness::dynamodb::{Row, having, text};
use payments::budget::{CallBudget as _, Purpose, Word};
use payments::close::{
    CloseSubject, DayFacts, Judge, PaymentMovement, PaymentRecord, Register, SubjectFacts, close,
};
use payments::grant::{GrantEnd, Grants as _};
use payments::seal::{Contents, Seal};
use payments::sweep::{Certificate, Latency, SyncKind, SyncRun, SyncState, Trigger};
use payments::upload::{
    Caps, CreditTerms, Customer, DocumentForm, Hold, MergedContact, NightReport, Placed, SendMode,
    Totals, UploadState, WriteOutcome,
};
use payments::{
    Components, Discrepancy, DiscrepancyChange, DiscrepancyKey, DiscrepancyKind, Order,
};

use crate::samples::{aud, now, organisation, settings, snapshot, xero_payment};
use crate::sweeps;
use crate::upload_samples::{self, night};
use crate::world::World;

const README: &str = include_str!("../../README.md");
const CONTACT: &str = "430fa14a-f945-44d3-9f97-5df5e28441b8";

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

/// A refund of a contact's credit was seen.
async fn refunded(world: &World) {
    let key = DiscrepancyKey::about(DiscrepancyKind::RefundInXero, "R-1");
    let because = table::ContactBecause { cause: "manual", rule: "CM-50", now: now() };
    let opened = world.tables.open_contact_discrepancy(
        organisation(),
        CONTACT.parse().unwrap(),
        &key,
        "0.50 AUD of 2026-10-05 went back",
        because,
    );
    assert!(opened.await.unwrap());
}

/// A person accepts what was found about the contact.
async fn accept(world: &World) {
    let accept = payments::DiscrepancyWork::End { ending: payments::Ending::Accepted, seen: None };
    work(world, accept).await;
}

/// A person works on what was found about the contact.
async fn work(world: &World, work: payments::DiscrepancyWork) {
    let place = table::DiscrepancyPlace {
        organisation: organisation(),
        subject: table::DiscrepancySubject::Contact(CONTACT.parse().unwrap()),
        key: DiscrepancyKey::about(DiscrepancyKind::RefundInXero, "R-1"),
    };
    let said = payments::Attributed { by: Some("Ada"), why: "it was agreed" };
    let context = table::WorkContext { cause: "console", said, now: now() };
    let done = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(work.clone())).await;
    done.unwrap();
}

/// The tax of an order is another one in Xero.
async fn charge_wrong_tax(world: &World) {
    let zero = aud(0);
    let order = Order {
        organisation: organisation(),
        id: "O-1".parse().unwrap(),
        revision: 1,
        customer: None,
        placed_at: now(),
        completed_at: None,
        components: Components {
            goods: aud(1_000),
            tax: aud(100),
            shipping: zero,
            discount: zero,
            total: aud(1_100),
        },
        invoices: BTreeSet::new(),
        payments: BTreeSet::new(),
        cancelled: false,
    };
    let key = DiscrepancyKey::about(DiscrepancyKind::ComponentDiffers, "tax");
    let detail = "tax: 1.00 in the order, 2.00 in Xero".to_owned();
    let changes = [DiscrepancyChange { known: None, now: Discrepancy::found(key, detail, now()) }];
    let because = table::ContactBecause { cause: "manual", rule: "SP-10", now: now() };
    let judged = table::Judged::Order(&order);
    world.tables.write_discrepancies_about(judged, &changes, because).await.unwrap();
}

/// An invoice with a bit of everything, among others that no answer may contain.
async fn eventful() -> World {
    let world = World::with_local_invoice().await;
    let mut future = xero_payment(3, 300);
    future.date = jiff::civil::date(2027, 1, 1);
    world.apply(&snapshot(1, vec![xero_payment(1, 100), xero_payment(2, 200)])).await.unwrap();
    world.apply(&snapshot(2, vec![xero_payment(2, 200), future])).await.unwrap();
    refunded(&world).await;

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
    upload(&world).await;
    authorise(&world).await;
    sweep(&world).await;
    certify(&world).await;
    close_a_day(&world).await;
    seal_a_day(&world).await;
    refuse(&world).await;
    world.tables.heard(organisation(), now()).await.unwrap();
    let facts = payments::connection::Facts::default();
    let judged = payments::connection::judge(&facts, now());
    world
        .tables
        .store_connection(organisation(), &judged, &facts, None, false, now())
        .await
        .unwrap();
    let losses = [("30001".parse().unwrap(), 2)].into();
    let since = world.tables.ask_for_changes(organisation(), &losses, 1, now()).await.unwrap();
    assert_eq!(since, Some(now()));
    world
}

/// A grant for the organisation, and another one that died and is of an organisation elsewhere.
async fn authorise(world: &World) {
    for (n, dies) in [(1, false), (2, true)] {
        let grant = crate::grants::authorised(n);
        let before = world.tables.grant(grant.id).await.unwrap();
        let stored = world.tables.store_grant(&before, grant, now()).await.unwrap();
        if dies {
            let dead = stored.ended(GrantEnd::InvalidGrant, now());
            world.tables.store_grant(&stored, dead, now()).await.unwrap();
        }
    }
}

/// A viewer has tried what only operators may do.
async fn refuse(world: &World) {
    let ordered = table::Ordered {
        organisation: Some(organisation()),
        order: "sync_now",
        subject: None,
        result: "refused",
        detail: "takes the role operator",
        rule: Some("ST-22"),
        role: "viewer",
        by: "Ada",
        why: "to see",
        request_id: "r-1",
    };
    // Long after all else, so that nothing else happens to be counted.
    world.tables.record_order(&ordered, now()).await.unwrap();
}

/// Three runs, of which the second failed and the third repaired something; and a batch of the mirror.
async fn sweep(world: &World) {
    let tables = &world.tables;
    let first = sweeps::run(0, SyncState::Finished);
    let failed = sweeps::failed_run(1800, "Timeout");
    let last = sweeps::failed_run(3600, "Limit");
    let mut state = sweeps::sweep();
    state.end(SyncState::Finished, Trigger::Schedule, None, true, now());
    let state = tables.store_sweep(&state, &[&first, &failed]).await.unwrap();
    tables.store_sweep(&state, &[&last]).await.unwrap();
    let began = last.started_at + jiff::SignedDuration::from_mins(30);
    let mut mirrored = SyncRun::begun(organisation(), SyncKind::Mirror, Trigger::Queue, 1, began);
    mirrored.latency = Latency::of([2, 4].map(jiff::SignedDuration::from_secs));
    tables.record_run(&mirrored.over(began)).await.unwrap();
    let number: payments::InvoiceNumber = "30001".parse().unwrap();
    world.record(&number).await;
    let mut found = snapshot(1, vec![xero_payment(7, 700)]);
    found.number = "CM-30001".to_owned();
    found.invoice = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(3));
    let because = table::ChangeContext { cause: "sweep", ..crate::samples::because() };
    crate::world::apply_to(tables, &found, &number, &settings(), because).await.unwrap();
}

/// One payment is accounted for, another one is not.
/// A day on which nothing is left to reconcile but one failed payment.
async fn close_a_day(world: &World) {
    let day = "2026-10-05".parse().unwrap();
    let mut facts = DayFacts::default();
    let record = PaymentRecord {
        amount: crate::samples::aud(5_000),
        status: payments::PaymentStatus::Failed,
        in_xero: false,
        gone: false,
        held_until: None,
    };
    let record = Register { key: "first".to_owned(), at: now(), value: record };
    let payment =
        PaymentMovement { record: Some(record), reported: true, ..PaymentMovement::default() };
    let about =
        SubjectFacts { payments: [("P-1".to_owned(), payment)].into(), ..SubjectFacts::default() };
    facts.carry(CloseSubject::Payment("P-1".parse().unwrap()), about);
    let settings = settings();
    let (of_day, items) = close(&facts, &Judge::of(&settings, day, now()));
    let tables = &world.tables;
    let window = (now(), now(), None);
    let stored =
        tables.store_close(organisation(), None, window, (&of_day, items.iter().cloned()), now());
    assert!(stored.await.unwrap());
}

/// A day without rows; its own row of the log is of a later day than the questions.
async fn seal_a_day(world: &World) {
    let day = "2026-10-05".parse().unwrap();
    let seal = Seal::new(organisation(), day, None, Contents::default());
    let later = now() + jiff::SignedDuration::from_hours(72);
    world.tables.store_seal(&seal, later).await.unwrap();
}

async fn certify(world: &World) {
    let change = |id, amount: i64| payments::sweep::PaymentChange {
        id: payments::XeroPaymentId::new(uuid::Uuid::from_u128(id)),
        invoice: None,
        number: Some("CM-30001".to_owned()),
        kind: payments::XeroPaymentKind::Received,
        refund: None,
        deleted: false,
        amount: rust_decimal::Decimal::new(amount, 2),
        date: xero_payment(7, 700).date,
        updated_at: now(),
    };
    let later = now() + jiff::SignedDuration::from_hours(1);
    let mut certificate = Certificate::begun(&settings(), now(), later);
    let stored = world.tables.invoice(organisation(), &"30001".parse().unwrap()).await.unwrap();
    for change in [change(7, 700), change(8, 800)] {
        certificate.take(&change, Some(&stored), &settings());
    }
    certificate.repaired =
        world.tables.repaired_between(organisation(), now(), later).await.unwrap();
    world.tables.store_certificate(&certificate).await.unwrap();
}

/// A night that put one payment into Xero, does not know of another one, and has two left; one of
/// them has a blocked customer. An invoice of the provider waits for an account.
async fn upload(world: &World) {
    let tables = &world.tables;
    let because = crate::samples::because();
    let waiting = ["P-3", "P-2"].map(upload_samples::waiting);
    let mut held = upload_samples::waiting("P-1");
    held.put_on_hold(Hold::BlockedByAction, "an action is open: call", Some(night()), now());
    let sent = ["P-4", "P-5"].map(|id| {
        let mut upload = upload_samples::reserved(&upload_samples::waiting(id));
        upload.send(&[1], "key", now()).unwrap();
        upload
    });
    let [mut done, mut unknown] = sent;
    let id = uuid::Uuid::from_u128(8);
    let placed = Placed::Prepayment { transaction: id, prepayment: None };
    done.answer(1, WriteOutcome::Placed(placed), false, now()).unwrap();
    unknown.answer(1, WriteOutcome::Unclear, false, now()).unwrap();
    let mut unmapped = upload_samples::provider_invoice("F-1");
    unmapped.put_on_hold(Hold::AccountUnmapped, "no account is set", None, now());
    let mut credit = upload_samples::provider_invoice("C-1");
    credit.state = UploadState::Uploaded;
    let terms = CreditTerms { applied: Vec::new(), allocations: 0, used_up: false };
    credit.bill.as_mut().unwrap().form = DocumentForm::CreditNote(terms);
    let all = [&waiting[0], &waiting[1], &held, &done, &unknown, &unmapped, &credit];
    let caps = Caps::unused(organisation());
    let after = caps.reserve(2, SendMode::Nightly(night()), 200, now()).caps.unwrap();
    let new = all.map(|upload| (None, upload));
    tables.write_uploads(&new, Some((&caps, &after)), because).await.unwrap();
    let pass = tables.budgets().enter(organisation(), Purpose::Live, now()).await.unwrap();
    tables.budgets().leave(pass, Word { bytes: 909, ..Word::default() }, now()).await;
    let begun = NightReport::begun(organisation(), night(), now(), now());
    let totals = Totals::of([&held, &done, &unknown]);
    tables.store_night(&NightReport { totals, carried: 2, ..begun }).await.unwrap();
    let from = payments::XeroContactId::new(uuid::Uuid::from_u128(17));
    let merged = Some(MergedContact { from, between: BTreeSet::new(), at: now() });
    let free = Customer { merged, ..upload_samples::customer("C-2") };
    let blocked = Some("call".to_owned());
    let blocked = Customer { blocked, blocked_at: Some(now()), ..upload_samples::customer("C-1") };
    for customer in [free, blocked] {
        let said = Some(("Ada", "call"));
        tables.store_customer(None, &customer, said, now()).await.unwrap();
    }
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
    let receipt = crate::samples::receipt("R-1");
    let warnings = [crate::samples::unlinked(&receipt)];
    world.tables.store_receipt(None, &receipt, &warnings, None, now()).await.unwrap();
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
