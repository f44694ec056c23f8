//! The bytes that are written: facts.md 4.3 and 4.5, FAULT-25.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use payments::upload::{BUNDLE_MAX, reference};
use payments::{Currency, Money};
use proptest::prelude::*;
use xero::{
    BillLine, BillToSend, Bundle, BundleError, PaymentToSend, PrepaymentToSend, StampedKind,
};

use crate::samples::{CANARIES, aud, bill, bundle, payment, payments, prepayment};

fn text(bundle: &Bundle) -> &str {
    std::str::from_utf8(bundle.bytes()).unwrap()
}

#[test]
fn payments_are_written_with_ids_only_and_exact_digits() {
    let bundle = Bundle::of_payments(&payments(2)).unwrap();
    assert_snapshot!(text(&bundle));
    assert_eq!(bundle.kind(), StampedKind::Payments);
    assert_eq!(bundle.stamps().count(), 2);
}

#[test]
fn a_prepayment_is_a_bank_transaction_with_one_line() {
    // EX-07. The stamp stands in the line as well, since Xero may not keep the reference.
    let with_tax = PrepaymentToSend { tax_type: Some("EXEMPTOUTPUT".into()), ..prepayment(2) };
    let bundle = Bundle::of_prepayments(&[prepayment(1), with_tax]).unwrap();
    assert_snapshot!(text(&bundle));
    assert_eq!(bundle.kind(), StampedKind::Prepayments);
}

#[test]
fn the_same_payments_always_make_the_same_bytes() {
    // FAULT-25: one byte more would be another request under the same key.
    let (one, two) = (bundle(50), bundle(50));
    assert_eq!(one.bytes(), two.bytes());
    assert_eq!(one.digest(), two.digest());
    assert_eq!(one.digest().len(), 64);
    assert_ne!(one.digest(), bundle(49).digest());
    assert_snapshot!(bundle(1).digest(), @"f04d60d5a7520e7115dbd9ceaa8ee29141de674cb5cae21653afa6875ae44759");
}

#[test]
fn amounts_are_json_numbers_with_the_digits_of_the_decimal() {
    // CM-13
    for (amount, written) in
        [("0.10", "0.10"), ("0.1", "0.10"), ("999999999.99", "999999999.99"), ("7", "7.00")]
    {
        let payment = PaymentToSend { amount: aud(amount), ..payment(1) };
        let bundle = Bundle::of_payments(&[payment]).unwrap();
        assert!(text(&bundle).contains(&format!("\"Amount\":{written},")), "{}", text(&bundle));
    }
}

#[test]
fn what_cannot_be_sent_safely_is_refused() {
    let of = |payments: &[PaymentToSend]| Bundle::of_payments(payments).unwrap_err();
    let stamp = payment(1).stamp;
    assert_eq!(of(&[]), BundleError::Empty);
    assert_eq!(Bundle::of_prepayments(&[]).unwrap_err(), BundleError::Empty);
    assert_eq!(of(&payments(BUNDLE_MAX + 1)), BundleError::TooMany);
    assert_eq!(of(&[payment(1), payment(2), payment(1)]), BundleError::Twice(stamp.clone()));
    let changed = |reference: String| of(&[PaymentToSend { reference, ..payment(1) }]);
    assert_eq!(changed("BPAY".into()), BundleError::NoStamp(stamp.clone()));
    assert_eq!(changed(payment(2).reference), BundleError::NoStamp(stamp.clone()));
    // Another stamp in front of the true one would be found instead of it.
    let two = format!("{} {}", payment(2).stamp, payment(1).stamp);
    assert_eq!(changed(two), BundleError::NoStamp(stamp.clone()));
    let long = format!("{} {}", "é".repeat(233), stamp);
    assert_eq!(long.chars().count(), 255);
    let fits = PaymentToSend { reference: long.clone(), ..payment(1) };
    assert!(Bundle::of_payments(&[fits]).is_ok());
    assert_eq!(changed(format!("{long}.")), BundleError::ReferenceTooLong(stamp.clone()));
    for amount in ["0", "-1"] {
        let payment = PaymentToSend { amount: aud(amount), ..payment(1) };
        assert_eq!(of(&[payment]), BundleError::Amount(stamp.clone()), "{amount}");
    }
    // Xero keeps two decimals and would round a third one away.
    let dinar: Currency = "BHD".parse().unwrap();
    let exact = PaymentToSend { amount: Money::parse("1.005", dinar).unwrap(), ..payment(1) };
    assert_eq!(of(&[exact]), BundleError::Amount(stamp));
}

#[test]
fn a_prepayment_needs_an_account_and_a_description() {
    let stamp = prepayment(1).stamp;
    let of = |prepayment: PrepaymentToSend| Bundle::of_prepayments(&[prepayment]).unwrap_err();
    let blank = |field| BundleError::Blank { stamp: stamp.clone(), field };
    let no_account = PrepaymentToSend { line_account: " ".into(), ..prepayment(1) };
    assert_eq!(of(no_account), blank("AccountCode"));
    let no_words = PrepaymentToSend { description: String::new(), ..prepayment(1) };
    assert_eq!(of(no_words), blank("Description"));
    let no_tax = PrepaymentToSend { tax_type: Some(String::new()), ..prepayment(1) };
    assert_eq!(of(no_tax), blank("TaxType"));
    let endless = PrepaymentToSend { description: "x".repeat(3_500_000), ..prepayment(1) };
    assert_eq!(of(endless), BundleError::TooLong);
}

#[test]
fn a_bill_is_an_approved_invoice_with_a_line_for_each_fee() {
    // EX-12, EX-13. Xero keeps no reference of a bill: the stamp stands behind its number.
    let mut with_tax = bill(2);
    with_tax.lines[1].tax_type = Some("INPUT".into());
    let bundle = Bundle::of_bills(&[bill(1), with_tax]).unwrap();
    assert_snapshot!(text(&bundle));
    assert_eq!((bundle.kind(), bundle.stamps().count()), (StampedKind::Bills, 2));
}

#[test]
fn a_bill_that_xero_would_make_another_one_of_is_refused() {
    let stamp = bill(1).stamp;
    let of = |bill: BillToSend| Bundle::of_bills(&[bill]).unwrap_err();
    let changed = |change: fn(&mut BillLine)| {
        let mut bill = bill(1);
        change(&mut bill.lines[0]);
        of(bill)
    };
    let lines = BundleError::Lines(stamp.clone());
    assert_eq!(changed(|line| line.amount = aud("99.99")), lines);
    assert_eq!(of(BillToSend { lines: Vec::new(), ..bill(1) }), lines);
    assert_eq!(changed(|line| line.amount = aud("0")), BundleError::Amount(stamp.clone()));
    assert_eq!(
        changed(|line| line.amount = aud("-1")),
        lines,
        "a credit is a line, and counts (EX-15c)"
    );
    let blank = |field| BundleError::Blank { stamp: stamp.clone(), field };
    assert_eq!(changed(|line| line.account = " ".into()), blank("AccountCode"));
    assert_eq!(changed(|line| line.description = String::new()), blank("Description"));
    assert_eq!(changed(|line| line.tax_type = Some(String::new())), blank("TaxType"));
    let number = "PI-1".to_owned();
    assert_eq!(of(BillToSend { number, ..bill(1) }), BundleError::NoStamp(stamp.clone()));
    let number = format!("{} {stamp}", "x".repeat(234));
    assert_eq!(of(BillToSend { number, ..bill(1) }), BundleError::ReferenceTooLong(stamp.clone()));
    assert_eq!(Bundle::of_bills(&[bill(1), bill(1)]).unwrap_err(), BundleError::Twice(stamp));
    assert_eq!(Bundle::of_bills(&[]).unwrap_err(), BundleError::Empty);
}

#[test]
fn no_debug_output_or_error_shows_what_is_sent() {
    // N9
    let mut shown = vec![
        format!("{:?}", bundle(3)),
        format!("{:?}", payment(1)),
        format!("{:?}", prepayment(1)),
        format!("{:?}", Bundle::of_prepayments(&[prepayment(1)])),
        format!("{:?}", bill(1)),
        format!("{:?}", Bundle::of_bills(&[bill(1)])),
    ];
    for error in [
        BundleError::Twice(payment(1).stamp),
        BundleError::NoStamp(payment(1).stamp),
        BundleError::ReferenceTooLong(payment(1).stamp),
        BundleError::Amount(payment(1).stamp),
        BundleError::TooMany,
    ] {
        shown.extend([error.to_string(), format!("{error:?}")]);
    }
    for shown in shown {
        assert!(!CANARIES.iter().any(|canary| shown.contains(canary)), "{shown}");
    }
}

proptest! {
    #[test]
    fn law_what_payers_write_is_carried_unchanged(payer in "\\PC{0,300}") {
        let reference = reference("bpay", Some(&payer), &payment(1).stamp);
        let payment = PaymentToSend { reference: reference.clone(), ..payment(1) };
        let bundle = Bundle::of_payments(&[payment]).unwrap();
        let read: serde_json::Value = serde_json::from_slice(bundle.bytes()).unwrap();
        let sent = read["Payments"][0]["Reference"].as_str().unwrap();
        prop_assert_eq!(sent, reference);
        let stamps: BTreeSet<_> = bundle.stamps().collect();
        prop_assert_eq!(stamps.len(), 1);
    }
}
