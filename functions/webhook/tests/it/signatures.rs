//! Who may speak, and which bytes are judged: X-03, X-04, X-05, N2; FAULT-01, FAULT-02, FAULT-05.

use webhook::BODY_BYTES_MAX;

use crate::world::{
    CHECK, CHECK_SIGNATURE, KEY, TWO_EVENTS, TWO_EVENTS_SIGNATURE, World, delivery, encoded,
    request, sign, signed, signed_bytes,
};

#[tokio::test]
async fn x04_vectors_of_the_check_of_the_endpoint() {
    let world = World::default();
    assert_eq!(CHECK.len(), 95);
    let compact = CHECK.replace(": ", ":").replace(", ", ",");
    assert_eq!(compact.len(), 91);
    // given / when / then: the table of facts.md 1.4.
    assert_eq!(world.accept(&request(CHECK, Some(CHECK_SIGNATURE))).await, []);
    for (case, body, signature) in [
        ("compacted", compact.as_str(), CHECK_SIGNATURE),
        ("signature of the compacted", CHECK, "YuqVrmf9fJVFeetNmxijX4NHtODGIB/QJ1B6345KwXQ="),
        ("key decoded first", CHECK, "j0fHW7xagnAKLYWjEWzrDNblLGciiBzpzxOiGogqa3g="),
        ("middle altered", CHECK, "lz3n6VrAwOiFpeRUrI6WYrDh9OJRmCgEQytwqfxzGBA="),
        ("unused bits altered", CHECK, "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBB="),
    ] {
        assert_eq!(world.status(&request(body, Some(signature))).await, 401, "{case}");
    }
    assert_eq!(world.changes.sent(), []);
}

#[tokio::test]
async fn x04_vectors_of_two_events() {
    let world = World::default();
    assert_eq!(TWO_EVENTS.len(), 806);
    assert_eq!(world.accept(&request(TWO_EVENTS, Some(TWO_EVENTS_SIGNATURE))).await.len(), 1);
    let wrong = "k662ugP8bZ51SbG3+/uvEFg9DjtG2vPYCh2L5yuPriM=";
    world.assert_refused(&request(TWO_EVENTS, Some(wrong)), 401).await;
    let compact = TWO_EVENTS.replace(": ", ":").replace(", ", ",");
    world.assert_refused(&request(&compact, Some(TWO_EVENTS_SIGNATURE)), 401).await;
}

#[tokio::test]
async fn row1_every_near_miss_is_refused() {
    let world = World::default();
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ ";
    for position in 0..TWO_EVENTS_SIGNATURE.len() {
        for digit in digits.chars() {
            let mut altered = TWO_EVENTS_SIGNATURE.to_owned();
            altered.replace_range(position..=position, &digit.to_string());
            if altered != TWO_EVENTS_SIGNATURE {
                world.assert_refused(&request(TWO_EVENTS, Some(&altered)), 401).await;
            }
        }
        let shorter = &TWO_EVENTS_SIGNATURE[..position];
        world.assert_refused(&request(TWO_EVENTS, Some(shorter)), 401).await;
    }
    for altered in [
        format!("{TWO_EVENTS_SIGNATURE}="),
        format!(" {TWO_EVENTS_SIGNATURE}"),
        format!("{TWO_EVENTS_SIGNATURE} "),
        format!("{TWO_EVENTS_SIGNATURE},{TWO_EVENTS_SIGNATURE}"),
        format!("{TWO_EVENTS_SIGNATURE}, {TWO_EVENTS_SIGNATURE}"),
        format!("sha256={TWO_EVENTS_SIGNATURE}"),
        TWO_EVENTS_SIGNATURE.to_lowercase(),
        sign("", TWO_EVENTS.as_bytes()),
        sign(&KEY.to_lowercase(), TWO_EVENTS.as_bytes()),
        sign(KEY, b""),
        "A".repeat(100_000),
    ] {
        world.assert_refused(&request(TWO_EVENTS, Some(&altered)), 401).await;
    }
}

#[tokio::test]
async fn row1_every_altered_bit_of_the_body_is_refused() {
    let world = World::default();
    for position in 0..CHECK.len() {
        for bit in 0..8 {
            let mut altered = CHECK.as_bytes().to_vec();
            altered[position] ^= 1 << bit;
            world.assert_refused(&encoded(&altered, CHECK_SIGNATURE), 401).await;
        }
    }
}

#[tokio::test]
async fn row1_no_header_or_two_of_them_are_refused_and_case_does_not_matter() {
    let world = World::default();
    world.assert_refused(&request(TWO_EVENTS, None), 401).await;
    let mut twice = signed(TWO_EVENTS);
    twice.headers.append("x-xero-signature", TWO_EVENTS_SIGNATURE.parse().unwrap());
    world.assert_refused(&twice, 401).await;
    // As Lambda writes a request, with this name and value of the header.
    let unsigned = serde_json::to_string(&request(TWO_EVENTS, None)).unwrap();
    let with_header = |name: &str, value: &str| {
        let header = format!(r#""headers":{{"{name}":"{value}","#);
        serde_json::from_str(&unsigned.replacen(r#""headers":{"#, &header, 1)).unwrap()
    };
    world.assert_refused(&with_header("x-xero-signature", "\u{e9}"), 401).await;
    for name in ["X-Xero-Signature", "X-XERO-SIGNATURE", "x-Xero-signature"] {
        let other_case = with_header(name, TWO_EVENTS_SIGNATURE);
        assert_eq!(world.accept(&other_case).await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn row2_the_exact_bytes_are_judged_however_they_arrive() {
    let world = World::default();
    // In base64, as the front door hands over what it does not take for text.
    let plain = world.accept(&signed(TWO_EVENTS)).await;
    assert_eq!(world.accept(&signed_bytes(TWO_EVENTS.as_bytes())).await, plain);
    assert_eq!(world.accept(&signed_bytes(CHECK.as_bytes())).await, []);
    // The signature is over the bytes, not over their base64.
    let mut over_base64 = signed_bytes(TWO_EVENTS.as_bytes());
    let text = over_base64.body.clone().unwrap();
    let wrong = sign(KEY, text.as_bytes());
    over_base64.headers.insert("x-xero-signature", wrong.parse().unwrap());
    world.assert_refused(&over_base64, 401).await;
    // Every byte counts.
    for (before, after) in [("", "\n"), ("", " "), ("\u{feff}", "")] {
        let body = format!("{before}{TWO_EVENTS}{after}");
        world.assert_refused(&request(&body, Some(TWO_EVENTS_SIGNATURE)), 401).await;
    }
    let with_line_end = format!("{TWO_EVENTS}\r\n");
    assert_eq!(world.accept(&signed(&with_line_end)).await, plain);
    let names = TWO_EVENTS.replace("MNBVCXZLKJHGFDSAPOIU", "Zoë Müller & 株式会社 🧾");
    assert_eq!(world.accept(&signed(&names)).await, plain);
    assert_eq!(world.accept(&signed_bytes(names.as_bytes())).await, plain);
}

#[tokio::test]
async fn row2_the_unsigned_twin_of_the_check_is_refused() {
    let world = World::default();
    assert_eq!(world.accept(&signed(CHECK)).await, []);
    world.assert_refused(&request(CHECK, None), 401).await;
    world.assert_refused(&request(CHECK, Some("")), 401).await;
}

#[tokio::test]
async fn row5_a_body_that_is_too_large_is_refused_before_its_signature_is_judged() {
    let world = World::default();
    let largest = delivery(&[]);
    let largest = largest + &" ".repeat(BODY_BYTES_MAX - delivery(&[]).len());
    assert_eq!(world.accept(&signed(&largest)).await, []);
    assert_eq!(world.accept(&signed_bytes(largest.as_bytes())).await, []);
    let larger = format!("{largest} ");
    for request in [
        signed(&larger),
        request(&larger, None),
        signed_bytes(larger.as_bytes()),
        signed_bytes(&[b' '; BODY_BYTES_MAX + 2]),
        encoded(&vec![b' '; 6 * 1024 * 1024], "wrong"),
    ] {
        world.assert_refused(&request, 413).await;
    }
    // The encoded text is measured before it is decoded: this one is not even base64.
    let mut endless = request(&"!".repeat(10 * 1024 * 1024), Some(CHECK_SIGNATURE));
    endless.is_base64_encoded = true;
    world.assert_refused(&endless, 413).await;
}

#[tokio::test]
async fn row5_what_is_not_signed_is_never_read() {
    let world = World::default();
    for body in hostile_bodies() {
        world.assert_refused(&encoded(&body, CHECK_SIGNATURE), 401).await;
    }
}

#[tokio::test]
async fn x03_only_post_is_for_xero() {
    let world = World::default();
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post", ""] {
        let mut other = signed(TWO_EVENTS);
        other.request_context.http.method = Some(method.to_owned());
        let response = world.post(&other).await;
        assert_eq!(response.status_code, 405, "{method}");
        assert_eq!(response.headers["allow"], "POST");
    }
    let mut none = signed(TWO_EVENTS);
    none.request_context.http.method = None;
    world.assert_refused(&none, 405).await;
}

#[tokio::test]
async fn a_post_without_a_body_is_judged_like_any_other() {
    let world = World::default();
    let mut none = request("", None);
    none.body = None;
    world.assert_refused(&none, 401).await;
}

/// Bodies that no reader should have to see.
pub fn hostile_bodies() -> Vec<Vec<u8>> {
    let deep = |open: &str| open.repeat(80_000).into_bytes();
    let mut bodies = vec![
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"<html>".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec(),
        br#"{"events":{}}"#.to_vec(),
        br#"{"events":null}"#.to_vec(),
        br#"{"events":[],"events":[]}"#.to_vec(),
        br#"{"events":[]} trailing"#.to_vec(),
        b"{\"events\":[],\"entropy\":\"\xc3\x28\"}".to_vec(),
        deep("["),
        deep(r#"{"events":["#),
        deep(r#"{"a":"#),
    ];
    for length in [1, 10, 400, 805] {
        bodies.push(TWO_EVENTS.as_bytes()[..length].to_vec());
    }
    bodies
}
