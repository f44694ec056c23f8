//! Our own uploads as the mirror meets them (V20, V21, AMB-05, AMB-08), and reports of intake about
//! what is in Xero already.

use jiff::Timestamp;
use payments::upload::{Stamp, Target, Upload, UploadState, WriteOutcome, admit, link, reference};
use payments::{
    Action, Allocation, Change, Contact, DiscrepancyKind, Figures, Held, InvoiceKind,
    InvoiceStatus, Kind, LocalInvoice, Money, NOTE_UPLOADED, Payment, PaymentStatus, Receipt,
    Settings, Snapshot, State, StoredInvoice, Verdict, WarningKind, XeroInvoiceId, XeroPayment,
    XeroPaymentKind, mirror, mirror_with_uploads, record_part,
};

use crate::uploads::plans::uploading;
use crate::uploads::samples::{
    admitted, allocation, aud, date, instant, invoice_id, money, on, organisation, pay_now,
    payment_id, placed, receipt, sent, settings, xero_id,
};

fn now() -> Timestamp {
    instant("2026-03-11T00:00:00Z")
}

/// Local invoice `number` over 200.00.
fn invoice(number: &str) -> StoredInvoice {
    let mut stored = StoredInvoice::unknown(organisation(), number.parse().unwrap());
    stored.local = Some(LocalInvoice {
        number: number.parse().unwrap(),
        total: money("200.00"),
        issued_on: date("2026-02-01"),
        due_on: date("2026-12-31"),
        terms: None,
        contact: Contact::default(),
        // Paid in parts, also by card.
        payment_plan: true,
        revision: 1,
        components: Default::default(),
    });
    stored
}

/// What Xero shows of invoice `number`, whose id there ends in `n`.
fn shows(n: u128, number: &str, payments: &[XeroPayment], updated: i64) -> Snapshot {
    let total = money("200.00");
    let paid = Money::sum(aud(), payments.iter().map(|payment| payment.amount)).unwrap();
    let at = now() + jiff::SignedDuration::from_mins(updated);
    Snapshot {
        allocations: Vec::new(),
        organisation: organisation(),
        invoice: invoice_id(n),
        kind: InvoiceKind::Sales,
        number: format!("CM-{number}"),
        status: InvoiceStatus::Authorised,
        contact_name: None,
        issued_on: None,
        due_on: None,
        figures: Figures { total, paid, credited: money("0.00"), due: total.minus(paid).unwrap() },
        payments: payments.to_vec(),
        updated_at: at,
        fetched_at: at,
    }
}

fn xero(n: u128, amount: &str, text: Option<String>) -> XeroPayment {
    XeroPayment {
        id: xero_id(n),
        date: date("2026-03-10"),
        amount: money(amount),
        reference: text,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

fn change(stored: &StoredInvoice, snapshot: &Snapshot) -> Change {
    match mirror(stored, snapshot, &settings(), now()) {
        Verdict::Changed(change) => *change,
        other => panic!("{other:?}"),
    }
}

/// What the mirror makes of it; judging once more must change nothing.
fn mirrored(stored: &StoredInvoice, snapshot: &Snapshot) -> StoredInvoice {
    let after = change(stored, snapshot).after;
    let again = mirror(&after, snapshot, &settings(), now());
    assert_eq!(again, Verdict::Unchanged);
    after
}

/// A hundred by Pay Now on invoice 10234, which is `x9` in Xero.
struct Uploaded {
    row: Upload,
    /// As Xero shows it.
    xero: XeroPayment,
    stamp: Stamp,
}

fn uploaded_as(receipt: &Receipt) -> Uploaded {
    let mut row = sent(receipt, &[(on(1, "10234"), "100.00")]);
    row.answer(1, WriteOutcome::Placed(placed(9)), false, now()).unwrap();
    let stamp = row.parts[0].stamp.clone();
    let text = reference(&receipt.method, receipt.reference.as_deref(), &stamp);
    Uploaded { row, xero: xero(9, "100.00", Some(text)), stamp }
}

fn uploaded() -> Uploaded {
    uploaded_as(&pay_now("P-1", "10234", "100.00"))
}

fn linked(stored: &StoredInvoice, uploaded: &Uploaded) -> StoredInvoice {
    let change = link(stored, &uploaded.row, &uploaded.row.parts[0], now()).unwrap();
    change.after
}

fn kinds(stored: &StoredInvoice) -> Vec<DiscrepancyKind> {
    stored.open_discrepancies().map(|open| open.key.kind).collect()
}

fn only(stored: &StoredInvoice) -> &Payment {
    let [only] = &stored.payments[..] else { panic!("{:#?}", stored.payments) };
    only
}

#[test]
fn our_upload_is_known_again_after_it_was_linked() {
    // V20, AMB-05
    let uploaded = uploaded();
    let stored = linked(&invoice("10234"), &uploaded);
    let payment = only(&stored);
    assert_eq!(
        (payment.kind, payment.state, payment.link),
        (Kind::Uploaded, State::Uploaded, Some(xero_id(9)))
    );
    assert_eq!(
        (payment.stamp.as_ref(), payment.note.as_deref()),
        (Some(&uploaded.stamp), Some(NOTE_UPLOADED))
    );
    assert_eq!(
        payment.reference.as_deref(),
        Some("for March"),
        "what the payer wrote, not what Xero has"
    );
    let after = mirrored(&stored, &shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1));
    assert_eq!((only(&after).id.as_str(), kinds(&after), after.held.len()), ("P-1", vec![], 0));
    assert_eq!(only(&after).balance_after, Some(money("100.00")));
    // To link it again changes nothing.
    assert_eq!(link(&after, &uploaded.row, &uploaded.row.parts[0], now()), None);
}

#[test]
fn our_upload_is_held_until_it_is_linked_and_never_copied() {
    // V20: the webhook may be faster than we are.
    let uploaded = uploaded();
    let snapshot = shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1);
    let held = change(&invoice("10234"), &snapshot);
    assert!(held.decisions.iter().any(|d| d.action == Action::Held && d.rule == "AMB-05"));
    let held = mirrored(&invoice("10234"), &snapshot);
    assert_eq!((held.payments.len(), held.held.len()), (0, 1));
    assert_eq!((held.held[0].reason, held.held[0].until), (Held::UploadUnderWay, None));

    let change = link(&held, &uploaded.row, &uploaded.row.parts[0], now()).unwrap();
    assert_eq!(change.after.held, []);
    for action in [Action::Released, Action::Uploaded] {
        assert!(change.decisions.iter().any(|d| d.action == action && d.xero == Some(xero_id(9))));
    }
    assert_eq!(change.after.settled, None, "the mirror looks once more");
    let after = mirrored(&change.after, &snapshot);
    assert_eq!((only(&after).id.as_str(), after.held.len()), ("P-1", 0));
}

#[test]
fn the_payment_that_intake_has_put_on_the_invoice_is_not_adopted_by_its_own_upload() {
    // The reported payment equals ours in Xero in date and amount: it must not count as imported (CM-33).
    let paid = pay_now("P-1", "10234", "100.00");
    let stored = record_part(&invoice("10234"), &paid, now()).unwrap().unwrap().after;
    assert_eq!(only(&stored).kind, Kind::Manual);
    let uploaded = uploaded_as(&paid);
    let snapshot = shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1);
    let held = mirrored(&stored, &snapshot);
    assert_eq!((only(&held).kind, only(&held).link, held.held.len()), (Kind::Manual, None, 1));
    let after = mirrored(&linked(&held, &uploaded), &snapshot);
    assert_eq!((only(&after).kind, only(&after).link), (Kind::Uploaded, Some(xero_id(9))));
}

#[test]
fn an_upload_that_xero_no_longer_has_is_kept_and_flagged_and_not_sent_again() {
    // V21, AMB-08
    let uploaded = uploaded();
    let snapshot = shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1);
    let before = mirrored(&linked(&invoice("10234"), &uploaded), &snapshot);
    let change = change(&before, &shows(1, "10234", &[], 2));
    assert_eq!(change.tombstones, []);
    let gone = mirrored(&before, &shows(1, "10234", &[], 2));
    assert_eq!(
        (only(&gone).state, kinds(&gone)),
        (State::Uploaded, vec![DiscrepancyKind::UploadedDeletedInXero])
    );

    // Not by a new report, nor by intake: the row stays uploaded.
    let newer = Receipt { revision: 2, ..uploaded.row.receipt.clone() };
    let row = admit(Some(&uploaded.row), &newer, now()).upload.unwrap();
    assert_eq!((row.state, row.line()), (UploadState::Uploaded, None));
    assert_eq!(link(&gone, &row, &row.parts[0], now()), None, "nor is it linked again");
    // It comes back in Xero: the flag goes.
    let back = mirrored(&gone, &shows(1, "10234", &[uploaded.xero], 3));
    assert_eq!(kinds(&back), []);
}

#[test]
fn our_payment_entered_by_a_person_on_another_invoice_is_theirs() {
    // The stamp is bound to its invoice: the same reference elsewhere is no sign of ours.
    let uploaded = uploaded();
    let moved = xero(10, "100.00", uploaded.xero.reference);
    let after = mirrored(&invoice("10235"), &shows(2, "10235", &[moved], 1));
    assert_eq!((only(&after).kind, after.held.len()), (Kind::Imported, 0));
    assert_eq!(only(&after).link, Some(xero_id(10)));
}

#[test]
fn our_payment_edited_by_a_person_on_its_invoice_is_theirs_too() {
    // an edit is a deletion and a new PaymentID, with our reference still on it.
    let uploaded = uploaded();
    let before = mirrored(
        &linked(&invoice("10234"), &uploaded),
        &shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1),
    );
    let edited = xero(10, "80.00", uploaded.xero.reference.clone());
    let after = mirrored(&before, &shows(1, "10234", &[edited], 2));
    let copy = after.linked(xero_id(10)).unwrap();
    assert_eq!((copy.kind, copy.amount), (Kind::Imported, money("80.00")));
    let ours = after.payment(&payment_id("P-1")).unwrap();
    assert_eq!((ours.amount, ours.state), (money("100.00"), State::Uploaded));
    assert!(kinds(&after).contains(&DiscrepancyKind::UploadedDeletedInXero));

    // Entered again as it was: it is the same payment under another PaymentID.
    let again = xero(11, "100.00", uploaded.xero.reference.clone());
    let after = mirrored(&before, &shows(1, "10234", &[again], 2));
    assert_eq!((only(&after).link, kinds(&after)), (Some(xero_id(11)), vec![]));
    assert_eq!(link(&after, &uploaded.row, &uploaded.row.parts[0], now()), None);
}

#[test]
fn a_second_payment_with_our_reference_is_a_payment_of_its_own() {
    // Ours is linked; what else bears its stamp is not ours to hold.
    let uploaded = uploaded();
    let twice = xero(10, "100.00", uploaded.xero.reference.clone());
    let both = [uploaded.xero.clone(), twice];
    let before_link = mirrored(&invoice("10234"), &shows(1, "10234", &both, 1));
    assert_eq!((before_link.held.len(), before_link.payments.len()), (2, 0));
    let after = mirrored(&linked(&before_link, &uploaded), &shows(1, "10234", &both, 1));
    assert_eq!(after.held, []);
    assert_eq!(after.linked(xero_id(9)).unwrap().id, payment_id("P-1"));
    assert_eq!(after.linked(xero_id(10)).unwrap().kind, Kind::Imported);
    // It is of the same amount and day, so that a person is asked whether it is one payment (A8.3).
    assert_eq!(kinds(&after), [DiscrepancyKind::PossibleDuplicate]);
    assert_eq!(after.payments.len(), 2, "200.00 of 200.00 paid");
}

#[test]
fn a_payment_over_several_invoices_is_linked_on_each() {
    // CM-28 is about payments that we did not upload: of these we know which part is where.
    let mut row =
        sent(&receipt("P-1", "100.00"), &[(on(1, "10234"), "60.00"), (on(2, "10235"), "40.00")]);
    row.answer(1, WriteOutcome::Placed(placed(9)), false, now()).unwrap();
    let first = link(&invoice("10234"), &row, &row.parts[0], now()).unwrap().after;
    assert_eq!(link(&invoice("10235"), &row, &row.parts[1], now()), None, "not proven yet");
    row.answer(2, WriteOutcome::Placed(placed(10)), false, now()).unwrap();
    let second = link(&invoice("10235"), &row, &row.parts[1], now()).unwrap().after;
    for (stored, n, number, amount, id) in
        [(&first, 1, "10234", "60.00", 9), (&second, 2, "10235", "40.00", 10)]
    {
        let payment = only(stored);
        assert_eq!((payment.amount, payment.link), (money(amount), Some(xero_id(id))));
        assert_eq!(
            (payment.multi_invoice, payment.state, payment.protection),
            (true, State::Uploaded, None)
        );
        let seen = xero(id, amount, Some(row.parts[usize::from(n == 2)].stamp.to_string()));
        let after = mirrored(stored, &shows(n, number, &[seen], 1));
        assert_eq!((kinds(&after), after.held.len()), (vec![], 0));
        // Entered again as it was, it is still the same part.
        let again = xero(20 + id, amount, None);
        let after = mirrored(&after, &shows(n, number, &[again], 2));
        assert_eq!(only(&after).link, Some(xero_id(20 + id)));
    }
}

#[test]
fn a_prepayment_is_on_no_invoice() {
    let prepayment = Target::Prepayment { contact: crate::uploads::samples::contact_id(1) };
    let mut row = sent(&receipt("P-1", "100.00"), &[(prepayment, "100.00")]);
    row.answer(1, WriteOutcome::Placed(placed(9)), false, now()).unwrap();
    assert_eq!(link(&invoice("10234"), &row, &row.parts[0], now()), None);
}

#[test]
fn a_pending_payment_is_confirmed_once_xero_has_it() {
    // SP-03, AMB-18
    let paid = Receipt { status: PaymentStatus::Pending, ..pay_now("P-1", "10234", "100.00") };
    let stored = record_part(&invoice("10234"), &paid, now()).unwrap().unwrap().after;
    let stored = linked(&stored, &uploaded_as(&paid));
    assert_eq!(only(&stored).status, PaymentStatus::Confirmed);
}

#[test]
fn what_the_sender_says_later_does_not_change_what_is_in_xero() {
    let uploaded = uploaded();
    let stored = linked(&invoice("10234"), &uploaded);
    let later = |allocations: Vec<Allocation>| Receipt {
        revision: 2,
        amount: money("90.00"),
        date: date("2026-03-12"),
        reference: Some("corrected".to_owned()),
        allocations,
        ..uploaded.row.receipt.clone()
    };
    // Another amount and day: the row keeps what Xero has, and takes in the rest.
    let change = record_part(&stored, &later(vec![allocation("10234", "90.00")]), now());
    let after = change.unwrap().unwrap().after;
    let payment = only(&after);
    assert_eq!((payment.amount, payment.date), (money("100.00"), date("2026-03-10")));
    assert_eq!((payment.kind, payment.link), (Kind::Uploaded, Some(xero_id(9))));
    assert_eq!((payment.stamp.as_ref(), payment.revision), (Some(&uploaded.stamp), 2));
    assert_eq!(payment.reference.as_deref(), Some("corrected"));
    let seen = mirrored(&after, &shows(1, "10234", std::slice::from_ref(&uploaded.xero), 1));
    assert_eq!((only(&seen).id.as_str(), kinds(&seen)), ("P-1", vec![]));

    // No longer on this invoice, says the sender; in Xero it is.
    for elsewhere in [vec![allocation("10235", "90.00")], vec![]] {
        let after = record_part(&stored, &later(elsewhere), now()).unwrap().unwrap().after;
        let (was, is) = (only(&stored), only(&after));
        assert_eq!(*is, Payment { revision: 2, ..was.clone() });
    }

    // The operators get a warning.
    let warning = admit(Some(&uploaded.row), &later(vec![]), now()).warning.unwrap();
    assert_eq!(warning.kind, WarningKind::ChangedAfterUpload);

    // Money that was given back is recorded, and flagged where Xero still counts it.
    let refunded =
        Receipt { revision: 2, status: PaymentStatus::Refunded, ..uploaded.row.receipt.clone() };
    let after = record_part(&stored, &refunded, now()).unwrap().unwrap().after;
    assert_eq!((only(&after).status, only(&after).kind), (PaymentStatus::Refunded, Kind::Uploaded));
}

#[test]
fn a_stamp_for_an_invoice_is_for_its_id_and_not_for_its_number() {
    // The number of an invoice may change in Xero, and then it is still ours: held until what is known of it
    // under the former number goes along (AMB-33), which takes both numbers.
    let uploaded = uploaded();
    assert!(uploaded.stamp.is_for(invoice_id(1)));
    let other: XeroInvoiceId = invoice_id(3);
    assert!(!uploaded.stamp.is_for(other));
    let renumbered =
        mirrored(&invoice("999"), &shows(1, "999", std::slice::from_ref(&uploaded.xero), 1));
    assert_eq!(renumbered.held[0].reason, Held::UploadUnderWay);
    let former = mirrored(&linked(&invoice("10234"), &uploaded), &shows(1, "10234", &[], 0));
    let snapshot = shows(1, "999", std::slice::from_ref(&uploaded.xero), 1);
    let along = payments::going_along(&renumbered, std::slice::from_ref(&former), &snapshot, now());
    let along = along.unwrap();
    let there = along.arrival.unwrap().after;
    assert_eq!((only(&there).id.as_str(), there.held.len()), ("P-1", 0));
    let gone = payments::depart(&former, &snapshot, &along.leaving, now()).unwrap();
    assert_eq!((gone.after.payments.len(), kinds(&gone.after)), (0, vec![]));
    assert_eq!(gone.tombstones.len(), 1);
}

#[test]
fn a_payment_whose_original_goes_takes_the_place_of_an_equal_copy_in_the_same_read() {
    // AMB-27, A8.3: whether the deletion and the edit are read at once or one after the other.
    let mut paid = receipt("P-1", "100.00");
    paid.date = date("2026-03-10");
    paid.allocations = vec![allocation("10234", "100.00")];
    let uploads = [admitted(&paid)];
    let stored = record_part(&invoice("10234"), &paid, now()).unwrap().unwrap().after;
    let (same, other) = (xero(1, "100.00", None), xero(2, "50.00", None));
    let stored = mirrored(&stored, &shows(1, "10234", &[same, other], 1));
    assert_eq!(stored.payments.len(), 2);
    assert_eq!(stored.linked(xero_id(1)).unwrap().id.as_str(), "P-1");

    let settings = Settings { upload: Some(uploading("2026-01-01")), ..settings() };
    let edited = shows(1, "10234", &[xero(2, "100.00", None)], 2);
    let judged = mirror_with_uploads(&stored, &edited, &settings, &uploads, now());
    let Verdict::Changed(change) = judged else { panic!("{judged:?}") };
    let after = change.after;
    assert_eq!((only(&after).id.as_str(), only(&after).link), ("P-1", Some(xero_id(2))));
    assert_eq!(change.tombstones[0].why, "replaced by the report P-1");
    let again = mirror_with_uploads(&after, &edited, &settings, &uploads, now());
    assert_eq!(again, Verdict::Unchanged);
}

#[test]
fn a_payment_held_for_a_part_stays_theirs_when_a_person_dates_it_ahead_with_our_reference() {
    // CM-28, CM-40: it was judged before it bore a stamp, so that it is no upload on its way.
    let mut part = receipt("P-1", "50.00");
    part.date = date("2026-03-10");
    part.allocations = vec![allocation("10234", "50.00"), allocation("10235", "50.00")];
    part.amount = money("100.00");
    let stored = record_part(&invoice("10234"), &part, now()).unwrap().unwrap().after;
    let stored = mirrored(&stored, &shows(1, "10234", &[xero(1, "50.00", None)], 1));
    assert_eq!(stored.held[0].reason, Held::MultiInvoice);

    let stamp = uploaded().stamp;
    let ahead = XeroPayment {
        date: date("2026-03-25"),
        ..xero(1, "50.00", Some(reference("bpay", None, &stamp)))
    };
    let stored = mirrored(&stored, &shows(1, "10234", &[ahead], 2));
    assert_eq!(stored.held[0].reason, Held::FutureDated);
}
