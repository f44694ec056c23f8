//! Searches of an operator, by keys and indexes: among ten thousand rows of another invoice, with a few
//! reads.

use dynoxide::{AttributeValue, Database, ImportOptions};
use payments::explanations::{Search, State, Subject};
use payments::upload::{Customer, Placed, WriteOutcome};
use payments::{Allocation, NumberPrefix, Receipt, XeroPaymentId};
use table::SearchResult;

use crate::samples::{
    aud, because, invoice_id, now, number, organisation, receipt, settings, snapshot, xero_payment,
};
use crate::upload_samples::{customer, reserved, waiting};
use crate::world::World;

/// Rows of another invoice, in `payments` and in `activity` each.
const OTHERS: usize = 10_000;
/// A question about one payment or one invoice reads no more.
const READ_MAX: usize = 25;

/// Invoice 10234 with a copy of each kind: x1 was deleted, x2 is here, x3 is held.
pub async fn eventful(world: &World) {
    let mut future = xero_payment(3, 300);
    future.date = jiff::civil::date(2027, 1, 1);
    world.apply(&snapshot(1, vec![xero_payment(1, 100), xero_payment(2, 200)])).await.unwrap();
    world.apply(&snapshot(2, vec![xero_payment(2, 200), future])).await.unwrap();
    world.proxy.heal();
}

/// As many rows again, of another invoice, put past DynamoDB's interface: payments of now, and decisions
/// of the day before.
pub fn crowd(database: &Database) {
    for (table, sort) in [("payments", "payment_id"), ("activity", "at")] {
        let request = serde_json::json!({ "TableName": table }).to_string();
        let scan = database.scan(serde_json::from_str(&request).unwrap()).unwrap();
        let sample = scan.items.unwrap().into_iter().find(|row| row.contains_key("amount"));
        let sample = sample.unwrap();
        let text = |text: String| AttributeValue::S(text);
        let items = (0..OTHERS).map(|n| {
            let mut item = sample.clone();
            item.insert("invoice".to_owned(), text(format!("{}/99999", organisation())));
            item.insert("invoice_number".to_owned(), text("99999".to_owned()));
            let key = if sort == "at" {
                format!("2026-10-04T03:00:00.000000Z#99999#{n:06}")
            } else {
                format!("other-{n:06}")
            };
            item.insert("payment_id".to_owned(), text(format!("other-{n:06}")));
            item.insert(sort.to_owned(), text(key));
            item.insert("xero_payment_id".to_owned(), text(xero(1_000_000 + n).to_string()));
            if table == "activity" {
                item.insert("day".to_owned(), text(format!("{}/2026-10-04", organisation())));
            }
            item
        });
        database.import_items(table, items.collect(), ImportOptions::default()).unwrap();
    }
}

pub fn xero(n: usize) -> XeroPaymentId {
    XeroPaymentId::new(uuid::Uuid::from_u128(u128::try_from(n).unwrap()))
}

pub async fn find(world: &World, typed: &str) -> SearchResult {
    let search = Search::read(typed, &NumberPrefix::default());
    world.tables.find(organisation(), &search, now()).await.unwrap()
}

/// The state of what was found, and how many rows that took.
pub async fn state(world: &World, subject: &Subject) -> (String, usize) {
    let known = world.tables.facts_of(&settings(), subject).await.unwrap();
    let state = State::of(&known.facts, &settings());
    let state_text = state.map_or("nothing".to_owned(), |state| state.to_string());
    (state_text, usize::try_from(known.read).unwrap())
}

#[tokio::test]
async fn beside_ten_thousand_rows_of_another_invoice_a_question_reads_a_few() {
    // CM-48, EX-24
    let database = Database::memory().unwrap();
    let world = World::over(database.clone()).await;
    world.record(&number()).await;
    eventful(&world).await;
    crowd(&database);
    for typed in [
        "CM-10234".to_owned(),
        "CM10234".to_owned(),
        invoice_id().to_string(),
        xero(2).to_string(),
        xero(3).to_string(),
        xero(1).to_string(),
    ] {
        world.proxy.heal();
        let found = find(&world, &typed).await;
        assert!(world.proxy.scanned() <= READ_MAX, "{typed}: {}", world.proxy.scanned());
        assert!(usize::try_from(found.read).unwrap() <= READ_MAX, "{typed}: {}", found.read);
        for subject in &found.payments {
            world.proxy.heal();
            let (_, read) = state(&world, subject).await;
            assert!(world.proxy.scanned() <= READ_MAX && read <= READ_MAX, "{typed}: {read}");
        }
    }
    world.proxy.heal();
    let page = world.tables.history(organisation(), &number(), None).await.unwrap();
    assert!(usize::try_from(page.read).unwrap() <= READ_MAX && page.before.is_none());
    assert_eq!(world.proxy.scanned(), usize::try_from(page.read).unwrap());
    let (_, read) = world.tables.context(&world.stored().await).await.unwrap();
    assert!(usize::try_from(read).unwrap() <= READ_MAX);
}

#[tokio::test]
async fn a_payment_of_xero_is_found_whether_it_is_here_held_or_removed() {
    // A7.4, CM-23, CM-40
    let world = World::with_local_invoice().await;
    eventful(&world).await;
    for (n, expected) in [(1, "removed"), (2, "applied"), (3, "held (FUTURE_DATED)")] {
        let found = find(&world, &xero(n).to_string()).await;
        let [subject] = found.payments.as_slice() else { panic!("{n}: {found:?}") };
        assert_eq!(state(&world, subject).await.0, expected);
    }
    // The id of a copy leads there, too, and so does an address of Xero's.
    let copy = format!("xero-{}", xero(1));
    assert_eq!(find(&world, &copy).await.payments, [Subject::Xero(xero(1))]);
    let by_copy = Subject::Ours(copy.parse().unwrap());
    assert_eq!(state(&world, &by_copy).await.0, "removed");
    let found = find(&world, &format!("https://go.xero.com/x?InvoiceID={}", invoice_id())).await;
    assert_eq!(found.invoices, [number()]);
}

#[tokio::test]
async fn an_invoice_is_found_with_and_without_its_prefix() {
    // CM-06, CM-16
    let world = World::with_local_invoice().await;
    for typed in ["10234", "CM-10234", "cm-10234"] {
        assert_eq!(find(&world, typed).await.invoices, [number()], "{typed}");
    }
    for typed in ["10235", "INV-9", "", "no such thing"] {
        let found = find(&world, typed).await;
        assert!(found.is_empty(), "{typed}: {found:?}");
    }
}

#[tokio::test]
async fn nothing_of_another_organisation_is_found() {
    // CM-47
    let world = World::with_local_invoice().await;
    eventful(&world).await;
    let other = "00000000-0000-0000-0000-0000000000aa".parse().unwrap();
    for typed in [xero(1).to_string(), xero(2).to_string(), xero(3).to_string(), "10234".to_owned()]
    {
        let search = Search::read(&typed, &NumberPrefix::default());
        let found = world.tables.find(other, &search, now()).await.unwrap();
        assert!(found.is_empty(), "{typed}: {found:?}");
    }
    let elsewhere = payments::Settings { organisation: other, ..settings() };
    let known = world.tables.facts_of(&elsewhere, &Subject::Xero(xero(2))).await.unwrap();
    assert_eq!(State::of(&known.facts, &elsewhere), None);
}

#[tokio::test]
async fn a_payment_of_the_business_is_found_by_its_own_id_and_by_that_of_xero() {
    // EX-23: uploaded by us onto invoice 10234.
    let world = World::with_local_invoice().await;
    eventful(&world).await;
    let upload = sent_to_the_invoice();
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    let stored = world.tables.upload(organisation(), &upload.receipt.id).await.unwrap().unwrap();
    let mut proven = stored.clone();
    proven.answer(1, WriteOutcome::Placed(Placed::Payment(xero(9))), false, now()).unwrap();
    let invoice = world.stored().await;
    let change = payments::upload::link(&invoice, &proven, &proven.parts[0], now()).unwrap();
    world.tables.link_upload(&invoice, &change, (&stored, &proven), because()).await.unwrap();

    for typed in ["P-1".to_owned(), xero(9).to_string()] {
        let found = find(&world, &typed).await;
        assert_eq!(found.payments, [Subject::Ours("P-1".parse().unwrap())], "{typed}");
    }
    let known = world.tables.facts_of(&settings(), &Subject::Xero(xero(9))).await.unwrap();
    assert_eq!(known.facts.subject, Subject::Ours("P-1".parse().unwrap()));
    assert_eq!(known.facts.rows().count(), 1);
    assert_eq!(State::of(&known.facts, &settings()), Some(State::Uploaded));
    let (context, _) = world.tables.context(&world.stored().await).await.unwrap();
    assert_eq!(context.uploads.len(), 1);
}

#[tokio::test]
async fn our_own_upload_seen_early_in_xero_has_one_state_by_either_id() {
    // V20, A7.4: it was sent, and the mirror has seen it before the answer was written down.
    let world = World::with_local_invoice().await;
    let upload = sent_to_the_invoice();
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    let mut seen = xero_payment(9, 100);
    seen.reference = Some(upload.parts[0].stamp.to_string());
    world.apply(&snapshot(1, vec![seen])).await.unwrap();
    assert_eq!(world.stored().await.held.len(), 1);
    for subject in [Subject::Xero(xero(9)), Subject::Ours(upload.receipt.id.clone())] {
        assert_eq!(state(&world, &subject).await.0, "planned (sent)", "{subject}");
    }
    // Of a foreign stamp nothing is known but that it is held.
    let mut other = xero_payment(8, 100);
    let stamp = reserved(&waiting("P-2")).parts[0].stamp.clone();
    other.reference = Some(stamp.to_string());
    world.apply(&snapshot(2, vec![other])).await.unwrap();
    assert!(state(&world, &Subject::Xero(xero(8))).await.0 != "planned (sent)");
}

/// The payment P-1, sent to invoice 10234.
fn sent_to_the_invoice() -> payments::upload::Upload {
    let id = invoice_id();
    let target = payments::upload::Target::Invoice { id, number: "CM-10234".to_owned() };
    let mut upload = waiting("P-1");
    let parts = vec![(target, upload.receipt.amount)];
    upload.reserve(crate::upload_samples::night(), parts, now()).unwrap();
    upload.send(&[1], "key", now()).unwrap();
    upload
}

#[tokio::test]
async fn a_payment_over_many_invoices_is_read_without_reading_them_all() {
    // CM-28: only the first of its invoices are read whole, and of the others its own rows.
    let world = World::new().await;
    let numbers: Vec<payments::InvoiceNumber> =
        (0..30).map(|n| format!("{}", 20_000 + n).parse().unwrap()).collect();
    let allocations = numbers
        .iter()
        .map(|invoice| Allocation { invoice: invoice.clone(), amount: aud(10) })
        .collect();
    let receipt = Receipt { allocations, amount: aud(300), ..receipt("P-1") };
    world.tables.store_receipt(None, &receipt, &[], None, now()).await.unwrap();
    for number in &numbers {
        world.record(number).await;
        let before = world.tables.invoice(organisation(), number).await.unwrap();
        let change = payments::record_part(&before, &receipt, now()).unwrap().unwrap();
        world.tables.write_invoice(&before, &change, because()).await.unwrap();
    }
    let subject = Subject::Ours("P-1".parse().unwrap());
    let known = world.tables.facts_of(&settings(), &subject).await.unwrap();
    assert_eq!(known.not_whole.len(), 30 - table::WHOLE_INVOICES_MAX);
    assert_eq!(known.facts.rows().count(), 30);
    let state = State::of(&known.facts, &settings()).unwrap();
    assert_eq!(state.to_string(), "protected (multi_invoice)");
}

#[tokio::test]
async fn what_is_stored_about_the_customer_and_the_caps_is_found_with_a_payment() {
    // EX-28
    let world = World::new().await;
    let upload = waiting("P-1");
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    let blocked = Some("two contacts".to_owned());
    let blocked = Customer { blocked, blocked_at: Some(now()), ..customer("C-1") };
    world.tables.store_customer(None, &blocked, Some(("Ada", "x")), now()).await.unwrap();
    let subject = Subject::Ours("P-1".parse().unwrap());
    assert_eq!(state(&world, &subject).await.0, "blocked (BLOCKED_BY_ACTION)");
}

#[tokio::test]
async fn a_report_that_is_parked_is_found_by_the_exact_id_in_it() {
    // CM-43
    let world = World::new().await;
    let parked = table::Parked {
        organisation: Some(organisation()),
        id: "m-1",
        by: "intake",
        reason: "refused",
        detail: "revision 2 was already used for other content",
        body: br#"{"type":"payment","payment":{"id":"P-10"}}"#,
        received_at: now(),
    };
    world.tables.park(&parked).await.unwrap();
    let of = |id: &str| Subject::Ours(id.parse().unwrap());
    assert_eq!(state(&world, &of("P-10")).await.0, "failed (parked)");
    assert_eq!(state(&world, &of("P-1")).await.0, "nothing");
}
