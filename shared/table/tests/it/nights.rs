//! What a night did, who is blocked, which messages operators get, and which invoices are on a plan.

use harness::dynamodb::having;
use jiff::SignedDuration;
use payments::upload::{Caps, Customer, Disabled, Night, NightReport, NightState};
use payments::{InvoiceNumber, LocalInvoice, StoredInvoice};
use table::{OpenActions, WriteError};

use crate::samples::{because, local_invoice, now, organisation};
use crate::upload_samples::{customer, night};
use crate::world::{World, change_to};

#[tokio::test]
async fn of_two_runs_of_the_same_night_one_begins_it() {
    // FAULT-27
    let world = World::new().await;
    let begun = NightReport::begun(organisation(), night(), now(), now());
    let (one, other) =
        tokio::join!(world.tables.store_night(&begun), world.tables.store_night(&begun));
    let results = [one, other];
    let lost = results.iter().filter(|result| matches!(result, Err(WriteError::Conflict)));
    assert_eq!(lost.count(), 1, "{results:?}");

    let read = world.tables.night(organisation(), night()).await.unwrap().unwrap();
    let finished = NightReport { state: NightState::Finished, ..read };
    assert_eq!(world.tables.store_night(&finished).await.unwrap().revision, 2);
    let late = world.tables.store_night(&finished).await;
    assert!(matches!(late, Err(WriteError::Conflict)), "{late:?}");
}

#[tokio::test]
async fn the_last_nights_come_newest_first() {
    let world = World::new().await;
    for date in ["2026-10-03", "2026-10-05", "2026-09-30", "2026-10-04"] {
        let night = date.parse::<Night>().unwrap();
        let report = NightReport::begun(organisation(), night, now(), now());
        world.tables.store_night(&report).await.unwrap();
    }
    world.proxy.heal();
    let last = world.tables.nights(organisation(), 3).await.unwrap();
    let last: Vec<_> = last.iter().map(|report| report.night.to_string()).collect();
    assert_eq!(last, ["2026-10-05", "2026-10-04", "2026-10-03"]);
    assert_eq!(world.proxy.scanned(), 3);
    assert_eq!(world.tables.nights(organisation(), 9).await.unwrap().len(), 4);
    assert_eq!(world.tables.nights(organisation(), 0).await.unwrap(), []);
}

#[tokio::test]
async fn a_block_is_set_and_removed_by_somebody_for_a_reason() {
    // EX-28
    let world = World::new().await;
    let known = customer("C-1");
    world.tables.store_customer(None, &known, None, now()).await.unwrap();
    let blocked = Customer {
        blocked: Some("disputes invoice 7".to_owned()),
        blocked_at: Some(now()),
        ..known.clone()
    };
    let said = Some(("Ada", "he called"));
    let store = async |known: &Customer, after: Customer| {
        world.tables.store_customer(Some(known), &after, said, now()).await
    };
    store(&known, blocked.clone()).await.unwrap();

    // A report that has not seen the block does not take it away
    let renamed = Customer { revision: 2, name: Some("Ada Inc".to_owned()), ..known.clone() };
    let lost = store(&known, renamed.clone()).await;
    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    let renamed = Customer { revision: 2, ..blocked.clone() };
    store(&blocked, renamed.clone()).await.unwrap();
    let lost = store(&blocked, Customer { revision: 3, ..known.clone() }).await;
    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    let new_again = world.tables.store_customer(None, &known, None, now()).await;
    assert!(matches!(new_again, Err(WriteError::Conflict)), "{new_again:?}");

    store(&renamed, Customer { blocked: None, blocked_at: None, ..renamed.clone() }).await.unwrap();

    let log = world.rows("activity").await;
    for action in ["customer_blocked", "customer_unblocked"] {
        let wanted = [
            ("action", action),
            ("by", "Ada"),
            ("why", "he called"),
            ("blocked", "disputes invoice 7"),
            ("customer", "C-1"),
            ("rule", "EX-28"),
        ];
        assert_eq!(having(&log, &wanted).len(), 1, "{log:#?}");
    }
    assert_eq!(log.len(), 2, "{log:#?}");
}

#[tokio::test]
async fn open_actions_are_listed_the_oldest_first_and_no_more_of_them_than_asked_for() {
    // EX-27
    let world = World::new().await;
    let none = world.tables.count_open_actions(organisation()).await.unwrap();
    assert_eq!(none, OpenActions::default());
    let blocked = |id: &str, hours: Option<i64>| Customer {
        blocked: Some(format!("about {id}")),
        blocked_at: hours.map(|hours| now() - SignedDuration::from_hours(hours)),
        ..customer(id)
    };
    let oldest = blocked("C-3", Some(48));
    // An action without a beginning is open since it was written.
    let open = [blocked("C-2", Some(1)), oldest.clone(), blocked("C-4", None)];
    for customer in open.iter().chain([&customer("C-1")]) {
        world.tables.store_customer(None, customer, Some(("Ada", "x")), now()).await.unwrap();
    }
    world.proxy.heal();
    let all = world.tables.open_actions(organisation(), 9).await.unwrap();
    let ids: Vec<_> = all.rows.iter().map(|customer| customer.id.as_str()).collect();
    assert_eq!((ids, all.more), (vec!["C-3", "C-2", "C-4"], false));
    assert_eq!(all.rows[0], oldest);
    let some = world.tables.open_actions(organisation(), 2).await.unwrap();
    assert_eq!((some.rows.len(), some.more), (2, true));
    assert_eq!(world.proxy.scanned(), 5, "no other customer is read");
    let expected = OpenActions { count: 3, more: false, oldest: oldest.blocked_at };
    assert_eq!(world.tables.count_open_actions(organisation()).await.unwrap(), expected);

    // A solved action is no longer there.
    let solved = Customer { blocked: None, blocked_at: None, ..oldest.clone() };
    world.tables.store_customer(Some(&oldest), &solved, Some(("Ada", "x")), now()).await.unwrap();
    let left = world.tables.open_actions(organisation(), 9).await.unwrap();
    assert_eq!(left.rows.len(), 2);
}

#[tokio::test]
async fn an_action_that_cannot_be_read_does_not_hide_the_others() {
    // EX-27
    let world = World::new().await;
    for id in ["C-1", "C-2"] {
        let open =
            Customer { blocked: Some("x".to_owned()), blocked_at: Some(now()), ..customer(id) };
        world.tables.store_customer(None, &open, Some(("Ada", "x")), now()).await.unwrap();
    }
    let whose = organisation().to_string();
    let key = [("organisation", whose.as_str()), ("customer", "C-1")];
    world.set("customers", &key, "xero_contact_id", "canary").await;

    let found = world.tables.open_actions(organisation(), 9).await.unwrap();
    assert_eq!(found.rows.len(), 1);
    let [unreadable] = &found.unreadable[..] else { panic!("{found:?}") };
    assert_eq!(unreadable.key, "C-1");
    assert!(unreadable.problem.contains("xero_contact_id"), "{unreadable:?}");
    assert!(!unreadable.problem.contains("canary"), "{unreadable:?}");
    assert_eq!(world.tables.count_open_actions(organisation()).await.unwrap().count, 2);
}

#[tokio::test]
async fn uploading_is_switched_off_and_on_by_somebody_for_a_reason() {
    // EX-32, AMB-12
    let world = World::new().await;
    let unused = world.tables.caps(organisation()).await.unwrap();
    let disabled = Some(Disabled { at: now(), why: "moving banks".to_owned() });
    let off = Caps { disabled, ..unused.clone() };
    world.tables.write_caps(&unused, &off, "Ada", "moving banks", because()).await.unwrap();
    let read = world.tables.caps(organisation()).await.unwrap();
    assert_eq!(read, Caps { revision: 1, ..off });
    world.tables.write_caps(&read, &read.on(), "Bob", "moved", because()).await.unwrap();
    let lost = world.tables.write_caps(&read, &read.on(), "Bob", "moved", because()).await;

    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    assert_eq!(world.tables.caps(organisation()).await.unwrap().disabled, None);
    let log = world.rows("activity").await;
    for (action, by, why) in
        [("uploading_disabled", "Ada", "moving banks"), ("uploading_enabled", "Bob", "moved")]
    {
        let wanted = [("action", action), ("by", by), ("why", why), ("rule", "EX-32")];
        assert_eq!(having(&log, &wanted).len(), 1, "{log:#?}");
    }
    assert_eq!(log.len(), 2);
}

#[tokio::test]
async fn a_message_is_there_once_for_each_kind_and_subject() {
    let world = World::new().await;
    for (kind, subject, why) in
        [("CAP_NEAR", "75", "3000"), ("CAP_NEAR", "75", "3001"), ("CAP_NEAR", "90", "3600")]
    {
        let raised = world.tables.raise_message(organisation(), kind, subject, why, now()).await;
        raised.unwrap();
    }
    let rows = world.rows("messages").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let wanted = [("message", "CAP_NEAR#75"), ("why", "3001"), ("subject", "75")];
    assert_eq!(having(&rows, &wanted).len(), 1, "{rows:#?}");
}

#[tokio::test]
async fn the_invoices_on_a_payment_plan_are_found_among_many() {
    // EX-08
    let world = World::new().await;
    let numbers: Vec<InvoiceNumber> = (1..=103).map(|n| format!("{n}").parse().unwrap()).collect();
    for (payment_plan, number) in [(true, &numbers[0]), (false, &numbers[1]), (true, &numbers[102])]
    {
        let unknown = StoredInvoice::unknown(organisation(), number.clone());
        let local = LocalInvoice { payment_plan, ..local_invoice(number.clone()) };
        let invoice = StoredInvoice { local: Some(local), ..unknown.clone() };
        world.tables.write_invoice(&unknown, &change_to(invoice), because()).await.unwrap();
    }
    world.proxy.heal();
    let found = world.tables.on_payment_plan(organisation(), &numbers).await.unwrap();
    assert_eq!(found, [numbers[0].clone(), numbers[102].clone()].into());
    assert_eq!(world.proxy.calls().len(), 2);
    assert!(world.tables.on_payment_plan(organisation(), &[]).await.unwrap().is_empty());
}
