//! X-04; FAULT-01 to FAULT-03. The vectors are those of the reference (facts.md 1.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use secrecy::SecretString;
use sha2::Sha256;
use xero::{SIGNATURE_HEADER, SignatureError, WebhookKeys};

pub const KEY: &str = "ExampleWebhookKeyForTestsOnly0123456789abcdefghijklmnopqrstuvwxyz+/==";
const CHECK: &str = r#"{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "QWERTYUIOPASDFGHJKLZ"}"#;
const CHECK_SIGNATURE: &str = "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBA=";
pub const TWO_EVENTS: &str = r#"{"events":[{"resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","resourceId": "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "INVOICE","eventType": "UPDATE","eventDateUtc": "2026-10-05T03:41:22.518"},{"resourceUrl": "https://api.xero.com/api.xro/2.0/CreditNotes/c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","resourceId": "c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "CREDITNOTE","eventType": "CREATE","eventDateUtc": "2026-10-05T03:41:23.004","data": {"Type": "ACCRECCREDIT","Status": "AUTHORISED"}}],"firstEventSequence": 4101,"lastEventSequence": 4102, "entropy": "MNBVCXZLKJHGFDSAPOIU"}"#;
const TWO_EVENTS_SIGNATURE: &str = "dMH47L0TMGHjrJM9VuEzkl5Yd9NeCWEd1ebH2rTmozU=";

fn keys(keys: &[&str]) -> WebhookKeys {
    WebhookKeys::new(keys.iter().map(|key| SecretString::from(*key)).collect())
}

pub fn sign(key: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn is_wrong(keys: &WebhookKeys, body: &str, signature: &str) -> bool {
    keys.verify(body.as_bytes(), Some(signature)).err() == Some(SignatureError::Wrong)
}

/// A body without the spaces that Xero puts behind some colons and commas.
fn compact(body: &str) -> String {
    body.replace("\": ", "\":").replace(", \"", ",\"")
}

#[test]
fn genuine_bodies_are_accepted() {
    let keys = keys(&[KEY]);
    assert_eq!((CHECK.len(), TWO_EVENTS.len()), (95, 806));
    for (body, signature) in [(CHECK, CHECK_SIGNATURE), (TWO_EVENTS, TWO_EVENTS_SIGNATURE)] {
        let verified = keys.verify(body.as_bytes(), Some(signature)).unwrap();
        assert_eq!(verified.body(), body.as_bytes());
        assert!(verified.delivery().is_ok());
    }
    assert_eq!(SIGNATURE_HEADER, "x-xero-signature");
}

#[test]
fn a_body_that_was_parsed_and_written_again_is_refused() {
    let keys = keys(&[KEY]);
    let (check, two) = (compact(CHECK), compact(TWO_EVENTS));
    assert_eq!((check.len(), two.len()), (91, 785));
    // The published signatures of the compact forms prove that the forms are the intended ones.
    let check_signature = "YuqVrmf9fJVFeetNmxijX4NHtODGIB/QJ1B6345KwXQ=";
    let two_signature = "k662ugP8bZ51SbG3+/uvEFg9DjtG2vPYCh2L5yuPriM=";
    assert_eq!(sign(KEY.as_bytes(), check.as_bytes()), check_signature);
    assert_eq!(sign(KEY.as_bytes(), two.as_bytes()), two_signature);
    assert!(is_wrong(&keys, &check, CHECK_SIGNATURE));
    assert!(is_wrong(&keys, CHECK, check_signature));
    assert!(is_wrong(&keys, &two, TWO_EVENTS_SIGNATURE));
    assert!(is_wrong(&keys, TWO_EVENTS, two_signature));
}

#[test]
fn the_key_is_text_and_is_not_decoded() {
    assert!(is_wrong(&keys(&[KEY]), CHECK, "j0fHW7xagnAKLYWjEWzrDNblLGciiBzpzxOiGogqa3g="));
}

#[test]
fn xeros_own_probes_are_refused() {
    let keys = keys(&[KEY]);
    assert!(is_wrong(&keys, CHECK, "lz3n6VrAwOiFpeRUrI6WYrDh9OJRmCgEQytwqfxzGBA="));
    // Only bits that a lenient decoder throws away differ.
    assert!(is_wrong(&keys, CHECK, "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBB="));
}

#[test]
fn every_change_of_a_single_character_of_the_signature_is_refused() {
    let keys = keys(&[KEY]);
    for position in 0..CHECK_SIGNATURE.len() {
        for other in (0..128_u8).filter(|other| CHECK_SIGNATURE.as_bytes()[position] != *other) {
            let mut near = CHECK_SIGNATURE.as_bytes().to_vec();
            near[position] = other;
            let near = String::from_utf8(near).unwrap();
            assert!(is_wrong(&keys, CHECK, &near), "{near}");
        }
    }
}

#[test]
fn every_change_of_a_single_bit_of_the_body_or_the_key_is_refused() {
    for bit in 0..CHECK.len() * 8 {
        let mut body = CHECK.as_bytes().to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let outcome = keys(&[KEY]).verify(&body, Some(CHECK_SIGNATURE));
        assert_eq!(outcome.err(), Some(SignatureError::Wrong), "bit {bit}");
    }
    for bit in (0..KEY.len() * 8).filter(|bit| bit % 8 < 7) {
        let mut key = KEY.as_bytes().to_vec();
        key[bit / 8] ^= 1 << (bit % 8);
        let key = String::from_utf8(key).unwrap();
        assert!(is_wrong(&keys(&[&key]), CHECK, CHECK_SIGNATURE), "bit {bit}");
    }
}

#[test]
fn what_merely_resembles_the_signature_is_refused() {
    let keys = keys(&[KEY]);
    for near in [
        "".to_owned(),
        CHECK_SIGNATURE[..1].to_owned(),
        CHECK_SIGNATURE[..43].to_owned(),
        CHECK_SIGNATURE.trim_end_matches('=').to_owned(),
        format!("{CHECK_SIGNATURE}="),
        format!("{CHECK_SIGNATURE}\n"),
        format!(" {CHECK_SIGNATURE}"),
        format!("v1,{CHECK_SIGNATURE}"),
        format!("{CHECK_SIGNATURE},{CHECK_SIGNATURE}"),
        format!("{CHECK_SIGNATURE} {CHECK_SIGNATURE}"),
        CHECK_SIGNATURE.to_lowercase(),
        CHECK_SIGNATURE.replace('+', "-").replace('/', "_") + " ",
        "A".repeat(44),
        "A".repeat(1_000_000),
    ] {
        assert!(is_wrong(&keys, CHECK, &near), "{}", &near[..near.len().min(60)]);
    }
}

#[test]
fn no_signature_is_no_signature_even_for_an_empty_body() {
    for body in [CHECK.as_bytes(), b""] {
        let outcome = keys(&[KEY]).verify(body, None);
        assert_eq!(outcome.err(), Some(SignatureError::Missing));
    }
}

#[test]
fn bytes_that_are_no_text_and_trailing_newlines_are_signed_as_they_are() {
    // FAULT-02
    for body in [&b"\xff\xfe\x00"[..], b"", "{\"name\": \"Zo\u{eb}\"}".as_bytes(), b"{}\n"] {
        let signature = sign(KEY.as_bytes(), body);
        assert!(keys(&[KEY]).verify(body, Some(&signature)).is_ok());
    }
    let signature = sign(KEY.as_bytes(), b"{}\n");
    assert!(is_wrong(&keys(&[KEY]), "{}", &signature));
}

#[test]
fn while_a_key_is_replaced_both_are_accepted_and_a_retired_one_is_not() {
    // FAULT-03
    let with_new = sign(b"the new key", CHECK.as_bytes());
    for accepted in [CHECK_SIGNATURE, &with_new] {
        for order in [[KEY, "the new key"], ["the new key", KEY]] {
            assert!(keys(&order).verify(CHECK.as_bytes(), Some(accepted)).is_ok());
        }
    }
    assert!(is_wrong(&keys(&["the new key"]), CHECK, CHECK_SIGNATURE));
    assert!(is_wrong(&keys(&[KEY]), CHECK, &with_new));
}

#[test]
fn an_empty_key_opens_nothing() {
    // FAULT-03
    let with_nothing = sign(b"", CHECK.as_bytes());
    let with_blank = sign(b" ", CHECK.as_bytes());
    for none in [&[][..], &[""], &["", " ", "\n"]] {
        let keys = keys(none);
        assert!(keys.is_empty());
        assert!(is_wrong(&keys, CHECK, &with_nothing));
        assert!(is_wrong(&keys, CHECK, &with_blank));
        assert!(is_wrong(&keys, CHECK, CHECK_SIGNATURE));
    }
    let second_is_empty = keys(&[KEY, ""]);
    assert!(!second_is_empty.is_empty());
    assert!(is_wrong(&second_is_empty, CHECK, &with_nothing));
    assert!(second_is_empty.verify(CHECK.as_bytes(), Some(CHECK_SIGNATURE)).is_ok());
}

#[test]
fn neither_keys_nor_bodies_are_ever_shown() {
    // N9
    let keys = keys(&[KEY, "the new key"]);
    assert_eq!(format!("{keys:?}"), "WebhookKeys(2 redacted)");
    let verified = keys.verify(CHECK.as_bytes(), Some(CHECK_SIGNATURE)).unwrap();
    assert_eq!(format!("{verified:?}"), "Verified(95 bytes)");
    for error in [SignatureError::Missing, SignatureError::Wrong] {
        assert!(!error.to_string().contains("lz3n"));
    }
}

proptest! {
    #[test]
    fn law_only_what_the_key_signed_is_accepted(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        key in "[ -~]{1,90}",
        signature in "\\PC{0,60}",
    ) {
        let keys = keys(&[&key]);
        let genuine = sign(key.as_bytes(), &body);
        prop_assert_eq!(keys.verify(&body, Some(&genuine)).is_ok(), !key.trim().is_empty());
        if signature != genuine {
            prop_assert!(keys.verify(&body, Some(&signature)).is_err());
        }
    }
}
