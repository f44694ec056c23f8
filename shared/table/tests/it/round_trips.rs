//! A row is read as it was written.

use std::cell::Cell;

use harness::dynamodb::{self, having};
use payments::{OrganisationId, Receipt, StoredInvoice, Tombstone, Version};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::samples::{
    arb_instant, arb_payment, arb_receipt, arb_stored_invoice, at, aud, because, now, number,
    organisation, snapshot, xero_payment,
};
use crate::world::{World, change_to};

/// Runs a law over one world; each case gets an organisation of its own.
pub fn law<S: Strategy>(
    cases: u32,
    strategy: S,
    check: impl AsyncFn(&World, OrganisationId, S::Value),
) {
    let case = Cell::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |value| {
            case.set(case.get() + 1);
            let organisation = OrganisationId::new(uuid::Uuid::from_u128(case.get()));
            runtime.block_on(check(&world, organisation, value));
            Ok(())
        })
        .unwrap();
}

#[test]
fn law_an_invoice_is_read_as_it_was_written() {
    law(128, arb_stored_invoice(), async |world, organisation, invoice| {
        let invoice = StoredInvoice { organisation, ..invoice };
        let before = StoredInvoice::unknown(invoice.organisation, invoice.number.clone());
        let change = change_to(invoice.clone());
        world.tables.write_invoice(&before, &change, because()).await.unwrap();

        let read = world.tables.invoice(invoice.organisation, &invoice.number).await.unwrap();

        assert_eq!(read, StoredInvoice { revision: 1, ..invoice });
    });
}

#[test]
fn law_an_invoice_can_become_any_other_one() {
    let two = (arb_stored_invoice(), arb_stored_invoice());
    law(64, two, async |world, organisation, (first, second)| {
        let first = StoredInvoice { organisation, ..first };
        let unknown = StoredInvoice::unknown(first.organisation, first.number.clone());
        let change = change_to(first.clone());
        world.tables.write_invoice(&unknown, &change, because()).await.unwrap();
        let before = world.tables.invoice(first.organisation, &first.number).await.unwrap();
        let mut local = second.local.clone();
        if let Some(local) = &mut local {
            local.number = first.number.clone();
        }
        // Discrepancies are closed and never taken away.
        let mut discrepancies = before.discrepancies.clone();
        discrepancies.retain(|old| second.discrepancy(&old.key).is_none());
        discrepancies.extend(second.discrepancies.clone());
        discrepancies.sort_by(|a, b| a.key.cmp(&b.key));
        let after = StoredInvoice {
            organisation: before.organisation,
            number: before.number.clone(),
            revision: before.revision,
            local,
            discrepancies,
            ..second
        };

        let change = change_to(after.clone());
        world.tables.write_invoice(&before, &change, because()).await.unwrap();

        let read = world.tables.invoice(first.organisation, &first.number).await.unwrap();
        assert_eq!(read, StoredInvoice { revision: 2, ..after });
    });
}

#[test]
fn law_a_receipt_is_read_as_it_was_reported() {
    law(128, arb_receipt(), async |world, organisation, receipt| {
        let receipt = Receipt { organisation, ..receipt };
        world.tables.store_receipt(None, &receipt, &[], None, now()).await.unwrap();
        let read = world.tables.receipt(receipt.organisation, &receipt.id).await.unwrap();
        assert_eq!(read, Some(receipt));
    });
}

#[test]
fn law_a_tombstone_holds_the_payment_in_full() {
    let removal = (arb_payment(), arb_instant(), arb_instant());
    law(32, removal, async |world, organisation, (payment, removed_at, fetched_at)| {
        // Given a payment that is stored, and one row for it
        let unknown = StoredInvoice::unknown(organisation, number());
        let with = StoredInvoice { payments: vec![payment.clone()], ..unknown.clone() };
        world.tables.write_invoice(&unknown, &change_to(with.clone()), because()).await.unwrap();
        let key = table::invoice_key(organisation, &number());
        let stored = world.rows("payments").await;
        let stored = having(&stored, &[("invoice", &key)])[0].clone();

        // When it is removed
        let mut change = change_to(StoredInvoice { revision: 1, ..unknown });
        change.tombstones.push(Tombstone {
            payment,
            removed_at,
            removed_by: "mirror",
            why: "gone".to_owned(),
            snapshot: Some(Version { updated_at: fetched_at, fetched_at }),
        });
        let before = StoredInvoice { revision: 1, ..with };
        world.tables.write_invoice(&before, &change, because()).await.unwrap();

        // Then the tombstone has every attribute that the row had
        let tombstones = world.rows("tombstones").await;
        let tombstone = having(&tombstones, &[("invoice", &key)])[0];
        for (name, value) in &stored {
            assert_eq!(tombstone.get(name), Some(value), "{name}");
        }
        assert_eq!(tombstone["snapshot_fetched_at"], table::instant(fetched_at));
        let rest = world.rows("payments").await;
        assert_eq!(having(&rest, &[("invoice", &key)]).len(), 0);
    });
}

#[test]
fn instants_are_text_of_one_width_that_sorts_as_time_does() {
    let instants = ["2026-10-05T03:41:25Z", "2026-10-05T03:41:25.1Z", "2026-10-05T03:41:25.123Z"];
    let texts: Vec<_> = instants.iter().map(|text| table::instant(at(text))).collect();
    assert_eq!(texts[0], "2026-10-05T03:41:25.000000Z");
    assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 27), "{texts:?}");
    let nanos = at("2026-10-05T03:41:25.123456789Z");
    assert_eq!(table::instant(nanos), "2026-10-05T03:41:25.123456Z");
}

#[tokio::test]
async fn rows_are_made_for_people_to_read() {
    // Given an invoice with a copy of a payment of 1,250.40
    let world = World::with_local_invoice().await;
    world.apply(&snapshot(1, vec![xero_payment(1, 125_040)])).await.unwrap();

    // Then amounts are Numbers next to their currency, dates are dates, ids are text
    let payments = world.rows("payments").await;
    let copy = "xero-00000000-0000-0000-0000-000000000001";
    let expected = [
        ("invoice", "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046/10234"),
        ("payment_id", copy),
        ("amount", "#1250.4"),
        ("currency", "AUD"),
        ("date", "2026-03-02"),
        ("reference", "DD 1"),
        ("origin", "xero"),
        ("kind", "imported"),
        ("state", "applied"),
        ("method", "xero"),
        ("xero_payment_id", "00000000-0000-0000-0000-000000000001"),
        ("created_at", "2026-10-05T03:41:25.123456Z"),
    ];
    assert_eq!(having(&payments, &expected).len(), 1, "{payments:#?}");
    let invoices = world.rows("invoices").await;
    let expected = [
        ("organisation", "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046"),
        ("number", "10234"),
        ("state", "settled"),
        ("amount_paid", "#1250.4"),
        ("due_on", "2026-12-01"),
        ("xero_updated_at", "2026-10-05T03:01:00.000000Z"),
    ];
    assert_eq!(having(&invoices, &expected).len(), 1, "{invoices:#?}");
}

#[tokio::test]
async fn an_amount_without_a_limit_of_digits_keeps_all_of_them() {
    let world = World::with_local_invoice().await;
    let cents = [1, 99, 100, 12_345_678_901];
    let payments = (1..).zip(cents).map(|(id, cents)| xero_payment(id, cents)).collect();
    world.apply(&snapshot(1, payments)).await.unwrap();
    let read: Vec<_> = world.stored().await.payments.iter().map(|p| p.amount).collect();
    assert_eq!(read, cents.map(aud));
}

#[tokio::test]
async fn what_is_parked_or_noted_twice_is_there_once_and_what_is_not_text_stays_bytes() {
    let world = World::new().await;
    let parked = |body| table::Parked {
        organisation: None,
        id: "message-1",
        by: "mirror",
        reason: "not_a_message",
        detail: "no JSON",
        body,
        received_at: now(),
    };
    let noted = table::IgnoredEvent {
        organisation: Some(organisation()),
        id: "message-2",
        reason: "disabled",
        what: "invoice events",
        count: 3,
        received_at: now(),
    };
    for _ in 0..2 {
        world.tables.park(&parked(b"\xff\x00")).await.unwrap();
        world.tables.note(&noted).await.unwrap();
    }
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0]["organisation"].as_str(), rows[0]["body"].as_str()),
        ("unknown", "[255, 0]")
    );
    world.tables.park(&parked("Größe".as_bytes())).await.unwrap();
    assert_eq!(world.rows("parked").await[0]["body"], "Größe");
    let rows = dynamodb::rows(&world.direct, "activity").await;
    assert_eq!(having(&rows, &[("reason", "disabled"), ("count", "#3")]).len(), 1);
    assert_eq!(rows.len(), 1);
}
