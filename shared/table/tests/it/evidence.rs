//! A proof, or a report, of an upload is written in one step with what else it changes.

use std::collections::BTreeSet;

use harness::dynamodb::{self, having};
use harness::{CrashPoint, Moment};
use payments::upload::{Placed, Target, Upload, UploadState, WriteOutcome, admit, link};
use payments::{Receipt, StoredInvoice, XeroPaymentId};
use table::WriteError;

use crate::ledger::backlog;
use crate::samples::{
    because, invoice_id, now, number, organisation, receipt, snapshot, unlinked, xero_payment,
};
use crate::upload_samples::{admitted, night, reserved, stored};
use crate::world::World;

/// A payment that names the invoice, and of which Xero says that it is in there.
fn proven(upload: &Upload) -> Upload {
    let parts = vec![(
        Target::Invoice { id: invoice_id(), number: "CM-10234".to_owned() },
        upload.receipt.amount,
    )];
    let mut upload = upload.clone();
    upload.reserve(night(), parts, now()).unwrap();
    upload.send(&[1], "key", now()).unwrap();
    let placed = Placed::Payment(XeroPaymentId::new(uuid::Uuid::from_u128(42)));
    upload.answer(1, WriteOutcome::Placed(placed), false, now()).unwrap();
    upload
}

#[tokio::test]
async fn a_proven_part_and_its_link_are_one_step() {
    // AMB-05
    let world = World::with_local_invoice().await;
    let before = &backlog(&world, 1).await[0];
    let after = proven(before);
    let invoice = world.stored().await;
    let change = link(&invoice, &after, &after.parts[0], now()).unwrap();
    let tables_before = dynamodb::everything(&world.direct, &[]).await;
    let write = async |invoice: &StoredInvoice, before: &Upload| {
        world.tables.link_upload(invoice, &change, (before, &after), because()).await
    };

    // When either of the two has changed, nothing is written
    let newer = Upload { revision: 9, ..before.clone() };
    let moved = StoredInvoice { revision: 9, ..invoice.clone() };
    for lost in [write(&invoice, &newer).await, write(&moved, before).await] {
        assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    }
    assert_eq!(dynamodb::everything(&world.direct, &[]).await, tables_before);

    // Else both
    write(&invoice, before).await.unwrap();
    let id = before.receipt.id.clone();
    let read = world.tables.upload(organisation(), &id).await.unwrap().unwrap();
    assert_eq!((read.state, read.revision), (UploadState::Uploaded, 2));
    assert_eq!(world.stored().await.payments, change.after.payments);
    assert!(world.stored().await.payments[0].stamp.is_some());
    // and the invoice's history has both, though no report says for which invoice it is.
    let history = world.tables.history(organisation(), &invoice.number, None).await.unwrap();
    let about: Vec<_> = history.entries.iter().filter(|row| row.payment_id.is_some()).collect();
    let actions: BTreeSet<_> = about.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["upload_uploaded", "uploaded"].into());
    // and what is all in Xero stands in no line any more, but in its night.
    let rows = world.rows("uploads").await;
    assert!(!rows[0].contains_key("line"), "{rows:#?}");
    let of_night = world.tables.uploads_of_night(organisation(), night()).await.unwrap();
    assert_eq!(of_night, [read]);
    let parts = [(number(), id.clone()), (number(), "P-2".parse().unwrap())];
    let named = world.tables.named_parts(organisation(), &parts).await.unwrap();
    let linked: Vec<_> = named.linked.into_keys().collect();
    assert_eq!(linked, [(number(), id)]);
    assert_eq!(named.gone.into_iter().collect::<Vec<_>>(), ["P-2".parse().unwrap()]);
}

#[tokio::test]
async fn an_invoice_of_several_transactions_takes_the_upload_into_the_last_one() {
    // Given a change of the invoice that brings 150 held payments with it
    let world = World::with_local_invoice().await;
    let before = &backlog(&world, 1).await[0];
    let after = proven(before);
    let invoice = world.stored().await;
    let mut change = link(&invoice, &after, &after.parts[0], now()).unwrap();
    let payments = snapshot(1, (100..250).map(|id| xero_payment(id, 100)).collect()).payments;
    change.after.held = payments
        .into_iter()
        .map(|payment| payments::HeldPayment {
            payment,
            reason: payments::Held::FutureDated,
            until: None,
            held_at: now(),
        })
        .collect();
    let expected = change.after.clone();

    // When the process ends before the last transaction
    let crash_point = CrashPoint::at_effect(2, Moment::Before);
    world.proxy.end_with(&crash_point);
    let write = world.tables.link_upload(&invoice, &change, (before, &after), because());
    assert!(crash_point.run(write).await.is_none());
    world.proxy.heal();

    // Then the upload is not known to be there; and after the next run it is
    let id = &before.receipt.id;
    let read = world.tables.upload(organisation(), id).await.unwrap().unwrap();
    assert_eq!(read, *before);
    let invoice = world.stored().await;
    change.after.revision = invoice.revision;
    world.tables.link_upload(&invoice, &change, (before, &after), because()).await.unwrap();
    assert_eq!(world.proxy.writes(), 1);
    let read = world.tables.upload(organisation(), id).await.unwrap().unwrap();
    assert_eq!(read, stored(&after));
    assert_eq!(world.stored().await.held, expected.held);
}

#[tokio::test]
async fn a_receipt_and_its_upload_are_stored_together() {
    let world = World::new().await;
    let known = receipt("P-1");
    let upload = admitted(&known);
    let warnings = [unlinked(&known)];
    let new = Some((None, &upload));
    world.tables.store_receipt(None, &known, &warnings, new, now()).await.unwrap();
    let upload = stored(&upload);
    let read = world.tables.upload(organisation(), &known.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&upload));

    // When the next report comes, and the upload has moved on in the meantime
    let newer = Receipt { revision: 2, ..known.clone() };
    let admission = admit(Some(&upload), &newer, now()).upload.unwrap();
    let moved = reserved(&upload);
    world.tables.write_uploads(&[(Some(&upload), &moved)], None, because()).await.unwrap();
    let both = Some((Some(&upload), &*admission));
    let lost = world.tables.store_receipt(Some(&known), &newer, &[], both, now()).await;

    // Then the report is not stored either
    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    let read = world.tables.receipt(organisation(), &known.id).await.unwrap();
    assert_eq!(read, Some(known));
    let log = world.rows("activity").await;
    let wanted = [("cause", "intake"), ("action", "upload_waiting"), ("payment_id", "P-1")];
    assert_eq!(having(&log, &wanted).len(), 1, "{log:#?}");
}
