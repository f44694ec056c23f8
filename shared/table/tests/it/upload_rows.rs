//! What uploading writes is what it reads, and what people can read.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::dynamodb::having;
use payments::upload::{Caps, Customer, NightReport, Placed, Target, Upload, WriteOutcome};
use payments::{LocalInvoice, Receipt, StoredInvoice};

use crate::round_trips::law;
use crate::samples::{because, local_invoice, now, number, organisation, receipt};
use crate::upload_samples::{
    arb_caps, arb_customer, arb_night_report, arb_upload, contact, night, provider_invoice,
    reserved, stored, waiting,
};
use crate::world::{World, change_to};

#[test]
fn law_an_upload_is_read_as_it_was_written() {
    law(128, (arb_upload(), arb_upload()), async |world, organisation, (first, second)| {
        let of = |upload: Upload| {
            let id = first.receipt.id.clone();
            let reported_since = upload
                .reported_since
                .map(|newest| Box::new((Receipt { organisation, ..newest.0 }, newest.1)));
            let receipt = Receipt { organisation, id, ..upload.receipt };
            Upload { receipt, reported_since, ..upload }
        };
        let (first, second) = (of(first.clone()), of(second));
        let (tables, id) = (&world.tables, &first.receipt.id);
        tables.write_uploads(&[(None, &first)], None, because()).await.unwrap();
        let read = tables.upload(organisation, id).await.unwrap();
        assert_eq!(read, Some(stored(&first)));

        let before = read.unwrap();
        tables.write_uploads(&[(Some(&before), &second)], None, because()).await.unwrap();

        let read = tables.uploads(organisation, std::slice::from_ref(id)).await.unwrap();
        assert_eq!(read, [Upload { revision: 2, ..second }]);
    });
}

#[test]
fn law_caps_are_read_as_they_were_written() {
    law(64, arb_caps(), async |world, organisation, caps| {
        let caps = Caps { organisation, ..caps };
        let unused = world.tables.caps(organisation).await.unwrap();
        assert_eq!(unused, Caps::unused(organisation));
        world.tables.write_caps(&unused, &caps, "Ada", "", because()).await.unwrap();
        let read = world.tables.caps(organisation).await.unwrap();
        assert_eq!(read, Caps { revision: 1, ..caps });
    });
}

#[test]
fn law_a_night_is_read_as_it_was_written() {
    law(64, arb_night_report(), async |world, organisation, report| {
        let report = NightReport { organisation, ..report };
        let stored = world.tables.store_night(&report).await.unwrap();
        let read = world.tables.night(organisation, report.night).await.unwrap();
        assert_eq!(read.as_ref(), Some(&stored));
        assert_eq!(stored, NightReport { revision: 1, ..report });
    });
}

#[test]
fn law_a_customer_is_read_as_it_was_written_and_can_become_any_other() {
    law(64, (arb_customer(), arb_customer()), async |world, organisation, (first, second)| {
        let first = Customer { organisation, ..first };
        let second = Customer { organisation, id: first.id.clone(), ..second };
        let said = Some(("Ada", "called"));
        world.tables.store_customer(None, &first, said, now()).await.unwrap();
        let read = world.tables.customer(organisation, &first.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&first));
        world.tables.store_customer(Some(&first), &second, said, now()).await.unwrap();
        let read = world.tables.customers(organisation, &[first.id]).await.unwrap();
        assert_eq!(read.into_values().collect::<Vec<_>>(), [second]);
    });
}

#[tokio::test]
async fn an_upload_row_says_in_plain_words_what_became_of_the_payment() {
    let world = World::new().await;
    let mut upload = reserved(&waiting("P-1"));
    upload.receipt.revision = 4;
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    let rows = world.rows("uploads").await;
    let organisation = organisation();
    let expected = [
        ("organisation", organisation.to_string()),
        ("payment_id", "P-1".to_owned()),
        ("amount", "#1".to_owned()),
        ("currency", "AUD".to_owned()),
        ("receipt_revision", "#4".to_owned()),
        ("revision", "#1".to_owned()),
        ("state", "reserved".to_owned()),
        ("reason", "slot_reserved".to_owned()),
        ("night", "2026-10-05".to_owned()),
        ("night_of", format!("{organisation}/2026-10-05")),
        ("line", format!("{organisation}/reserved")),
        ("due_order", "2026-03-02#P-1".to_owned()),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(having(&rows, &expected).len(), 1, "{rows:#?}");
}

#[tokio::test]
async fn the_row_of_a_provider_invoice_names_its_fees_and_its_bill() {
    // EX-12, EX-19
    let world = World::new().await;
    let mut upload = provider_invoice("F-1");
    let total = upload.receipt.amount;
    let contact = contact();
    upload.reserve(night(), vec![(Target::Bill { contact }, total)], now()).unwrap();
    upload.send(&[1], "key", now()).unwrap();
    let bill = "40000000-0000-4000-8000-000000000001";
    let placed = Placed::Bill(bill.parse().unwrap());
    upload.answer(1, WriteOutcome::Placed(placed), false, now()).unwrap();
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();

    let rows = world.rows("uploads").await;
    let expected = [
        ("payment_id", "provider-invoice-F-1"),
        ("method", "provider_invoice"),
        ("bill_number", "PI 2026-03"),
        ("bill_due_on", "2026-03-24"),
        ("state", "uploaded"),
    ];
    assert_eq!(having(&rows, &expected).len(), 1, "{rows:#?}");
    for words in ["processing", bill, &contact.to_string()] {
        assert!(format!("{rows:?}").contains(words), "{words}: {rows:#?}");
    }
    let read = world.tables.upload(organisation(), &upload.receipt.id).await.unwrap();
    assert_eq!(read, Some(stored(&upload)));
    assert!(world.rows("receipts").await.is_empty(), "it is no payment of anybody");
}

#[tokio::test]
async fn rows_from_before_uploading_still_read() {
    // Given a receipt, an invoice and a payment without the attributes that uploading has added
    let world = World::new().await;
    let mut known = receipt("P-1");
    known.customer = None;
    world.tables.store_receipt(None, &known, &[], None, now()).await.unwrap();
    let unknown = StoredInvoice::unknown(organisation(), number());
    let local = LocalInvoice { payment_plan: true, ..local_invoice(number()) };
    let invoice = StoredInvoice { local: Some(local), ..unknown.clone() };
    world.tables.write_invoice(&unknown, &change_to(invoice), because()).await.unwrap();
    let key = |sort: &str, id: &str| [(sort.to_owned(), AttributeValue::S(id.to_owned()))];
    for (table, key, names) in [
        ("receipts", key("payment_id", "P-1"), "approved, settled"),
        ("invoices", key("number", "10234"), "payment_plan"),
    ] {
        let [(sort, id)] = key;
        let request = world.direct.update_item().table_name(table).key(sort, id);
        request
            .key("organisation", AttributeValue::S(organisation().to_string()))
            .update_expression(format!("REMOVE {names}"))
            .send()
            .await
            .unwrap();
    }

    // Then they are what was meant then
    let read = world.tables.receipt(organisation(), &known.id).await.unwrap().unwrap();
    assert_eq!(read, known);
    assert!(!world.stored().await.local.unwrap().payment_plan);
}
