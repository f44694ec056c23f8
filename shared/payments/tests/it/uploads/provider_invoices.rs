//! Invoices of the payment provider in the ledger (EX-12 to EX-14, EX-19). The scenarios show what becomes of
//! them in a night.

use payments::upload::{
    Admission, Bill, DocumentForm, Fee, FeeKind, Line, Placed, ProviderInvoice,
    REFERENCE_CHARS_MAX, Route, Stamp, Target, Upload, UploadState, WriteOutcome, admit_bill,
};
use payments::{PROVIDER_INVOICE_ID_CHARS_MAX, PaymentId, Refusal, WarningKind};

use crate::uploads::samples::{
    admitted, contact_id, date, instant, invoice_id, money, night, organisation, receipt,
};

fn fee(kind: &str, amount: &str) -> Fee {
    Fee { kind: kind.parse().unwrap(), description: None, amount: money(amount) }
}

/// F-1 over 88.00, in its first revision.
fn invoice() -> ProviderInvoice {
    ProviderInvoice {
        organisation: organisation(),
        id: PaymentId::of_provider_invoice("F-1").unwrap(),
        revision: 1,
        total: money("88.00"),
        date: date("2026-03-10"),
        bill: Bill {
            number: "PI 2026-03".to_owned(),
            due_on: Some(date("2026-03-24")),
            fees: vec![fee("processing", "80.00"), fee("terminal_rent", "8.00")],
            form: DocumentForm::Bill,
        },
    }
}

fn now() -> jiff::Timestamp {
    instant("2026-03-10T01:00:00Z")
}

fn taken_in(known: Option<&Upload>, invoice: &ProviderInvoice) -> Admission {
    admit_bill(known, invoice, now()).unwrap()
}

fn waiting() -> Upload {
    *taken_in(None, &invoice()).upload.unwrap()
}

fn reserved() -> Upload {
    let mut row = waiting();
    let parts = vec![(Target::Bill { contact: contact_id(9) }, money("88.00"))];
    row.reserve(night("2026-03-10"), parts, now()).unwrap();
    row
}

fn in_xero() -> Upload {
    let mut row = reserved();
    row.send(&[1], "key", now()).unwrap();
    row.answer(1, WriteOutcome::Placed(Placed::Bill(invoice_id(5))), false, now()).unwrap();
    row
}

#[test]
fn a_provider_invoice_waits_to_be_posted_at_once_and_is_no_payment_of_anybody() {
    // EX-12
    let row = waiting();
    assert_eq!((row.state, row.line()), (UploadState::Waiting, Some(Line::Direct)));
    assert_eq!(row.route(), Ok(Route::ProviderInvoice));
    assert!(!Route::ProviderInvoice.is_nightly() && !Route::ProviderInvoice.is_counted());
    assert!(row.receipt.allocations.is_empty() && row.receipt.customer.is_none());
    assert_eq!(in_xero().state, UploadState::Uploaded);
}

#[test]
fn what_it_never_took_of_the_caps_it_does_not_give_back() {
    // AMB-10: a run that ended before it was sent, and one that Xero refused.
    let mut row = reserved();
    assert_eq!(row.resume(now()), None);
    assert_eq!((row.state, row.reserved_at), (UploadState::Waiting, None));

    let mut row = reserved();
    row.send(&[1], "key", now()).unwrap();
    row.answer(1, WriteOutcome::Refused("no".to_owned()), false, now()).unwrap();
    assert_eq!(row.free_slot(), None);
    assert_eq!((row.state, row.reserved_at), (UploadState::Refused, None));
}

#[test]
fn reports_of_it_may_come_twice_and_in_any_order() {
    let row = waiting();
    assert_eq!(taken_in(Some(&row), &invoice()), Admission { upload: None, warning: None });

    let mut newer = ProviderInvoice { revision: 3, total: money("90.00"), ..invoice() };
    newer.bill.fees[0].amount = money("82.00");
    let row = *taken_in(Some(&row), &newer).upload.unwrap();
    assert_eq!((row.receipt.revision, row.receipt.amount), (3, money("90.00")));
    assert_eq!(row.bill.as_ref(), Some(&newer.bill));
    assert_eq!(row.line(), Some(Line::Direct));
    assert_eq!(taken_in(Some(&row), &invoice()).upload, None);

    let mut other = newer.clone();
    other.bill.fees.swap(0, 1);
    let refused = admit_bill(Some(&row), &other, now());
    assert_eq!(refused, Err(Refusal::RevisionReused { revision: 3 }));
    // A payment of that name is never taken for an older version of it.
    let payment = admitted(&receipt("provider-invoice-F-1", "88.00"));
    let refused = admit_bill(Some(&payment), &newer, now());
    assert_eq!(refused, Err(Refusal::RevisionReused { revision: 3 }));
}

#[test]
fn what_is_in_xero_stays_as_it_was_sent_and_a_report_that_differs_warns_once() {
    let row = in_xero();
    let mut newer = ProviderInvoice { revision: 2, ..invoice() };
    newer.bill.number = "PI 2026-03b".to_owned();

    let Admission { upload, warning } = taken_in(Some(&row), &newer);

    let warning = warning.unwrap();
    assert_eq!(warning.kind, WarningKind::ChangedAfterUpload);
    assert!(warning.why.contains("its number"), "{}", warning.why);
    let row = *upload.unwrap();
    assert_eq!((row.state, row.bill.as_ref()), (UploadState::Uploaded, Some(&invoice().bill)));
    assert_eq!(taken_in(Some(&row), &newer), Admission { upload: None, warning: None });
}

#[test]
fn the_stamp_stands_behind_the_number_whatever_that_is() {
    let row = reserved();
    let stamp = &row.parts[0].stamp;
    assert!(stamp.is_for(contact_id(9)));
    let mut bill = invoice().bill;
    assert_eq!(bill.number_in_xero(stamp), format!("PI 2026-03 {stamp}"));
    for number in ["x".repeat(400), "é".repeat(250), format!("{} 1", in_vain())] {
        bill.number = number;
        let written = bill.number_in_xero(stamp);
        assert_eq!(Stamp::find_in(&written).as_ref(), Some(stamp), "{written}");
        assert!(written.encode_utf16().count() <= REFERENCE_CHARS_MAX);
    }
}

/// A stamp of something else.
fn in_vain() -> Stamp {
    "PM-7F3K2Q9XW4ZT-9QK2M".parse().unwrap()
}

#[test]
fn a_name_in_the_ledger_is_one_that_no_payment_has() {
    let name = PaymentId::of_provider_invoice("F-1").unwrap();
    assert_eq!(name.as_str(), "provider-invoice-F-1");
    assert!(name.is_provider_invoice() && !name.is_copy());
    let longest = "x".repeat(PROVIDER_INVOICE_ID_CHARS_MAX);
    assert!(PaymentId::of_provider_invoice(&longest).is_ok());
    for bad in ["", &format!("{longest}x"), "a\nb"] {
        assert!(PaymentId::of_provider_invoice(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_fee_kind_is_a_lower_case_name() {
    // EX-19
    for good in ["chargeback", "card_not_present_2", "a"] {
        assert_eq!(good.parse::<FeeKind>().unwrap().to_string(), good);
    }
    for bad in ["", "Chargeback", "2nd", "_a", "a b", "é", "a-b", &"a".repeat(41)] {
        assert!(bad.parse::<FeeKind>().is_err(), "{bad}");
    }
}
