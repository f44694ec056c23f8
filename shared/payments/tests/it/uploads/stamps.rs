//! Stamps (A2.1 step 6, AMB-05): how we know again what we put into Xero.

use std::collections::BTreeSet;

use payments::upload::{REFERENCE_CHARS_MAX, Stamp, Target, reference};
use payments::{OrganisationId, Receipt};
use proptest::prelude::*;
use uuid::Uuid;

use crate::uploads::samples::{config, contact_id, invoice_id, on, payment_id, receipt, reserved};

/// The stamp of the only part of a payment of 10.00, on the invoice whose id ends in `n`.
fn stamp(id: &str, n: u128) -> Stamp {
    stamp_of(&receipt(id, "10.00"), on(n, "1"))
}

fn stamp_of(receipt: &Receipt, target: Target) -> Stamp {
    reserved(receipt, &[(target, "10.00")]).parts[0].stamp.clone()
}

#[test]
fn a_stamp_is_the_same_however_often_it_is_made() {
    // After the tables were restored from a backup, it must be found again: hence a fixed text.
    assert_eq!(stamp("P-1", 1), stamp("P-1", 1));
    assert_eq!(stamp("P-1", 1).to_string(), FIXED);
    assert_eq!(FIXED.parse::<Stamp>().unwrap(), stamp("P-1", 1));
}

#[test]
fn a_stamp_belongs_to_one_target_and_one_part_of_one_payment_of_one_organisation() {
    let ours = stamp("P-1", 1);
    assert!(ours.is_for(invoice_id(1)));
    assert!(!ours.is_for(invoice_id(2)));
    let mut elsewhere = receipt("P-1", "10.00");
    elsewhere.organisation = OrganisationId::new(Uuid::from_u128(2));
    let prepayment = Target::Prepayment { contact: contact_id(1) };
    let two = reserved(&receipt("P-1", "10.00"), &[(on(1, "1"), "4.00"), (on(2, "2"), "6.00")]);
    let all = [
        ours,
        stamp("P-1", 2),
        stamp("P-2", 1),
        stamp_of(&elsewhere, on(1, "1")),
        stamp_of(&receipt("P-1", "10.00"), prepayment.clone()),
        two.parts[1].stamp.clone(),
    ];
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    let prepaid = stamp_of(&receipt("P-1", "10.00"), prepayment);
    assert!(prepaid.is_for(contact_id(1)) && !prepaid.is_for(contact_id(2)));
}

#[test]
fn ten_thousand_stamps_are_ten_thousand_different_ones() {
    let stamps: BTreeSet<_> = (0..10_000).map(|n| stamp(&format!("P-{n}"), 1)).collect();
    assert_eq!(stamps.len(), 10_000);
}

#[test]
fn a_reference_says_how_it_was_paid_and_what_the_payer_wrote() {
    let stamp = stamp("P-1", 1);
    let written = |method, payer| reference(method, payer, &stamp).replace(stamp.as_str(), "*");
    assert_eq!(written("bpay", Some("order 5")), "BPAY order 5 *");
    assert_eq!(written("bpay", Some("  BPAY 5 ")), "BPAY 5 *");
    assert_eq!(written("bpay", Some("Bpay 5")), "Bpay 5 *");
    assert_eq!(written("card", None), "CARD *");
    assert_eq!(written("card", Some("   ")), "CARD *");
}

#[test]
fn a_stamp_that_the_payer_wrote_is_not_taken_for_ours() {
    let (ours, other) = (stamp("P-1", 1), stamp("P-2", 1));
    let text = format!("{other} and {other}");
    assert_eq!(Stamp::find_in(&text), Some(other));
    assert_eq!(Stamp::find_in(&reference("bpay", Some(&text), &ours)), Some(ours));
}

#[test]
fn what_almost_is_a_stamp_is_none() {
    let good = stamp("P-1", 1).to_string();
    for at in 0..good.len() {
        for letter in ['I', 'L', 'O', 'U', 'a', ' ', 'é', '\u{0}'] {
            let mut text: Vec<char> = good.chars().collect();
            if text[at] == letter {
                continue;
            }
            text[at] = letter;
            let text: String = text.into_iter().collect();
            assert!(text.parse::<Stamp>().is_err(), "{text}");
            assert_eq!(Stamp::find_in(&text), None, "{text}");
        }
    }
    for text in ["", "PM-", "PM-7F3K2Q9XW4ZT", "PM-7F3K2Q9XW4ZT-9QK2", "PM-7F3K2Q9XW4ZT-9QK2MM"] {
        assert!(text.parse::<Stamp>().is_err(), "{text}");
    }
    // Xero's users write around it, and it is still found.
    for text in [format!("x{good}"), format!("PM-PM-{good}é"), format!("PM-é {good}, corrected")]
    {
        assert_eq!(Stamp::find_in(&text).map(|found| found.to_string()), Some(good.clone()));
    }
}

/// What a payer may write: anything, long, in any script, with what looks like stamps in it.
fn arb_payer() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => ".{0,40}",
        2 => prop::sample::select(&["PM-", "pm-", "P", "M-", "PM-7F3K2Q9XW4ZT-9QK2M", "PM-PM-"][..])
            .prop_map(str::to_owned),
        1 => Just("ß".repeat(300)),
        1 => Just("🦘".repeat(300)),
        1 => Just(" ".repeat(300)),
        1 => "[A-Z0-9-]{300}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(config())]

    /// For every text of the payer, our stamp is found, and Xero cuts nothing off.
    #[test]
    fn law_our_stamp_is_found_in_our_reference(
        method in prop_oneof![Just("bpay".to_owned()), Just("PM-".to_owned()), "\\PC{1,60}"],
        payer in prop::option::of(arb_payer()),
        id in "\\PC{1,100}",
        n in 1_u128..5,
    ) {
        let ours = stamp(&id, n);
        let text = reference(&method, payer.as_deref(), &ours);
        prop_assert_eq!(Stamp::find_in(&text), Some(ours.clone()));
        prop_assert!(text.ends_with(ours.as_str()));
        prop_assert!(text.chars().count() <= REFERENCE_CHARS_MAX);
        prop_assert!(text.encode_utf16().count() <= REFERENCE_CHARS_MAX);
        for other in 1..5 {
            prop_assert_eq!(ours.is_for(invoice_id(other)), other == n);
        }
        // Xero may cut it off at its end, and then it is nobody's.
        let cut = text.get(..text.len() - 1).unwrap_or_default();
        prop_assert!(Stamp::find_in(cut).is_none());
    }

    /// Hostile text never panics, and what is found in it reads as it is written.
    #[test]
    fn law_any_text_can_be_searched(text in arb_payer()) {
        if let Some(found) = Stamp::find_in(&text) {
            prop_assert!(text.contains(found.as_str()));
            prop_assert_eq!(found.as_str().parse::<Stamp>(), Ok(found.clone()));
            let _ = found.is_for(invoice_id(1));
        }
        let _ = text.parse::<Stamp>();
    }

    /// One stamp for each payment and part, for ids of every form.
    #[test]
    fn law_different_payments_have_different_stamps(one in "[0-9|P-]{1,6}", two in "[0-9|P-]{1,6}") {
        prop_assert_eq!(one == two, stamp(&one, 1) == stamp(&two, 1));
        prop_assert_eq!(payment_id(&one) == payment_id(&two), one == two);
    }
}

/// Not to be changed: payments in Xero bear it.
const FIXED: &str = "PM-BFZ0JBZ3TY4E-0V5AP";
