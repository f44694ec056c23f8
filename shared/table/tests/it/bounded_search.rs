//! Bounded searches: lines, amounts, and the history of an invoice. And where Xero is.

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use payments::connection::{ConnectionStatus, Facts, HealthIssue};
use payments::explanations::{QueuePosition, Subject, XeroLinks};
use rust_decimal::Decimal;

use crate::samples::{aud, because, now, number, organisation, snapshot, xero_payment};
use crate::search::{crowd, eventful, find, xero};
use crate::upload_samples::{contact, reserved, waiting};
use crate::world::World;

#[tokio::test]
async fn a_payment_that_waits_knows_its_place_in_line() {
    // EX-31, U11
    let world = World::new().await;
    let uploads: Vec<_> = (0..30).map(|n| waiting(&format!("P-{n:02}"))).collect();
    let new: Vec<_> = uploads.iter().map(|upload| (None, upload)).collect();
    world.tables.write_uploads(&new, None, because()).await.unwrap();
    for (position, upload) in uploads.iter().enumerate().step_by(10) {
        let place = QueuePosition::At(u32::try_from(position).unwrap() + 1);
        let (found, read) = world.tables.place_in_line(upload).await.unwrap();
        assert_eq!((found, usize::try_from(read).unwrap()), (Some(place), position));
    }
    let sent = reserved(&uploads[0]);
    assert_eq!(world.tables.place_in_line(&sent).await.unwrap(), (None, 0));
}

#[tokio::test]
async fn an_amount_is_looked_for_where_it_can_be_missed_and_the_answer_says_how_far() {
    // CM-48: 2.00 is on the invoice, 1.00 was deleted there and waits as P-1.
    let world = World::with_local_invoice().await;
    eventful(&world).await;
    let upload = waiting("P-1");
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();

    let found = find(&world, "1.00").await;
    assert!(found.invoices.is_empty() && found.payments.is_empty());
    let amounts = found.amounts.unwrap();
    let seen: Vec<_> =
        amounts.candidates.iter().map(|one| (one.subject.to_string(), one.seen.as_str())).collect();
    let copy = format!("xero-{}", xero(1));
    assert_eq!(seen, [("P-1".to_owned(), "upload, waiting"), (copy, "deleted")]);
    assert!(amounts.candidates.iter().all(|one| one.amount == aud(100)));
    assert_eq!(amounts.searched.from, jiff::civil::date(2026, 9, 6));
    assert!(amounts.searched.cut_lines.is_empty() && amounts.searched.whole_days);
    assert!(amounts.searched.to_string().contains("what happened since 2026-09-06"));

    let held = find(&world, "3 AUD").await.amounts.unwrap();
    assert_eq!(held.candidates[0].subject, Subject::Xero(xero(3)));
    assert!(find(&world, "3 EUR").await.is_empty());
    assert!(find(&world, "3.01").await.is_empty());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_hides_no_payment_of_its_amount() {
    let world = World::with_local_invoice().await;
    eventful(&world).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let spoilt = [
        ("day", text(&format!("{}/2026-10-05", organisation()))),
        ("at", text("2026-10-05T00:00:00.000000Z#spoilt")),
        ("action", text("imported")),
        ("payment_id", text("")),
        ("amount", AttributeValue::N("1".to_owned())),
        ("currency", text("AUD")),
    ];
    let spoilt = spoilt.map(|(name, value)| (name.to_owned(), value)).into();
    world.direct.put_item().table_name("activity").set_item(Some(spoilt)).send().await.unwrap();
    let amounts = find(&world, "1.00").await.amounts.unwrap();
    assert_eq!(amounts.candidates.len(), 1, "{amounts:?}");
    let said = amounts.searched.to_string();
    assert!(said.contains("Not read: the row 2026-10-05T00:00:00.000000Z#spoilt"), "{said}");
}

#[tokio::test]
async fn an_amount_is_looked_for_in_so_many_rows_and_no_more() {
    let database = Database::memory().unwrap();
    let world = World::over(database.clone()).await;
    world.record(&number()).await;
    eventful(&world).await;
    crowd(&database);
    world.proxy.heal();
    let amount = Decimal::new(100, 2);
    let found =
        world.tables.find_amount(organisation(), amount, None, (now(), None)).await.unwrap();
    let read = usize::try_from(found.searched.read).unwrap();
    assert_eq!(read, usize::try_from(table::ACTIVITY_ROWS_MAX).unwrap());
    assert_eq!(world.proxy.scanned(), read);
    assert!(found.candidates.len() <= table::CANDIDATES_MAX);
    assert!(!found.searched.whole_days);
    assert!(found.searched.to_string().contains("of that day only a part"));
    // The search goes on where it has ended, and reads no row of it again.
    let next = found.searched.next.unwrap();
    let place = (now(), Some(next.as_str()));
    let further = world.tables.find_amount(organisation(), amount, None, place).await.unwrap();
    assert!(further.searched.read <= table::ACTIVITY_ROWS_MAX, "{further:?}");
    assert!(further.searched.next.is_none_or(|older| older < next));
}

#[tokio::test]
async fn the_history_of_an_invoice_comes_newest_first_a_page_at_a_time() {
    // EX-24, ST-14, CC-26
    let world = World::with_local_invoice().await;
    for round in 0..6_u32 {
        let ids = round * 20 + 1..=round * 20 + 20;
        let payments = ids.map(|id| xero_payment(id, i64::from(id) + 100)).collect();
        world.apply(&snapshot(i64::from(round) + 1, payments)).await.unwrap();
    }
    let (mut entries, mut before, mut pages) = (Vec::new(), None, Vec::new());
    loop {
        let page =
            world.tables.history(organisation(), &number(), before.as_deref()).await.unwrap();
        assert!(page.read <= table::HISTORY_PAGE_MAX);
        pages.push(page.entries.len());
        entries.extend(page.entries);
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let rows = world.rows("activity").await.len();
    assert_eq!((entries.len(), pages[0]), (rows, 50));
    assert!(pages.len() >= 3);
    let keys: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    assert!(keys.windows(2).all(|two| two[0] > two[1]), "newest first, each once");
    let imported = entries.iter().find(|entry| entry.action == "imported").unwrap();
    assert_eq!(imported.rule.as_deref(), Some("CM-34"));
    assert!(imported.amount.is_some() && imported.payment_id.is_some() && imported.why.is_some());
    assert_eq!(imported.at, table::instant(now()));
    assert!(entries.iter().all(|entry| entry.unreadable.is_empty()), "all that we write is read");
}

#[tokio::test]
async fn links_carry_the_short_code_and_lead_to_contacts_only_while_connected() {
    // EX-22, EX-25, X-15
    let world = World::new().await;
    assert_eq!(world.tables.xero_links(organisation()).await.unwrap(), XeroLinks::default());
    // Before the first check only webhooks are known of.
    world.tables.heard(organisation(), now()).await.unwrap();
    assert_eq!(world.tables.xero_links(organisation()).await.unwrap(), XeroLinks::default());
    for (status, connected) in
        [(ConnectionStatus::Active, true), (ConnectionStatus::Disconnected, false)]
    {
        let (judged, facts) = ((status, Vec::<HealthIssue>::new()), Facts::default());
        let code = Some("!mBdtL");
        world
            .tables
            .store_connection(organisation(), &judged, &facts, code, false, now())
            .await
            .unwrap();
        let links = world.tables.xero_links(organisation()).await.unwrap();
        assert_eq!(links, XeroLinks::new(code, connected));
        assert_eq!(links.contact(contact()).is_some(), connected);
    }
}
