//! X-01, X-02, X-05; FAULT-05, FAULT-09 and FAULT-10: what is made of a signed body.

use proptest::prelude::*;
use secrecy::SecretString;
use xero::{Category, Delivery, EnvelopeError, Event, EventKind, Malformed, WebhookKeys};

use crate::signatures::{KEY, TWO_EVENTS, sign};

const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";
const INVOICE: &str = "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10";

fn read(body: impl AsRef<[u8]>) -> Result<Delivery, EnvelopeError> {
    let body = body.as_ref();
    let keys = WebhookKeys::new(vec![SecretString::from(KEY)]);
    keys.verify(body, Some(&sign(KEY.as_bytes(), body))).unwrap().delivery()
}

/// A delivery of one event with these members, each replacing or adding to the usual ones.
fn event(changes: &[(&str, &str)]) -> String {
    let mut members = vec![
        ("resourceUrl", format!("\"https://api.xero.com/api.xro/2.0/Invoices/{INVOICE}\"")),
        ("resourceId", format!("\"{INVOICE}\"")),
        ("tenantId", format!("\"{ORGANISATION}\"")),
        ("tenantType", "\"ORGANISATION\"".to_owned()),
        ("eventCategory", "\"INVOICE\"".to_owned()),
        ("eventType", "\"UPDATE\"".to_owned()),
        ("eventDateUtc", "\"2026-10-05T03:41:22.518\"".to_owned()),
    ];
    for (name, value) in changes {
        members.retain(|(other, _)| other != name);
        if !value.is_empty() {
            members.push((name, (*value).to_owned()));
        }
    }
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn delivery(events: &[String]) -> String {
    format!(
        "{{\"events\":[{}],\"firstEventSequence\": 1,\"lastEventSequence\": 2, \"entropy\": \"A\"}}",
        events.join(",")
    )
}

fn one(changes: &[(&str, &str)]) -> Event {
    let read = read(delivery(&[event(changes)])).unwrap();
    assert_eq!(read.malformed, [], "{changes:?}");
    read.events.into_iter().next().unwrap()
}

fn problem(raw: &str) -> &'static str {
    let read = read(delivery(&[event(&[]), raw.to_owned(), event(&[])])).unwrap();
    assert_eq!(read.events.len(), 2, "the neighbours of {raw} are read");
    let [Malformed { position: 1, problem }] = read.malformed[..] else {
        panic!("{raw}: {:?}", read.malformed)
    };
    problem
}

#[test]
fn a_check_of_the_endpoint_has_no_events_and_sequence_0() {
    // X-05
    let read = read(
        r#"{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "QWERTYUIOPASDFGHJKLZ"}"#,
    );
    let expected =
        Delivery { events: vec![], malformed: vec![], first_sequence: 0, last_sequence: 0 };
    assert_eq!(read, Ok(expected));
}

#[test]
fn the_two_events_of_the_reference_are_read() {
    insta::assert_debug_snapshot!(read(TWO_EVENTS).unwrap(), @"
    Delivery {
        events: [
            Event {
                organisation: OrganisationId(
                    8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046,
                ),
                category: Invoice,
                kind: Update,
                resource: 3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10,
                at: Some(
                    2026-10-05T03:41:22.518Z,
                ),
                foreign_url: false,
            },
            Event {
                organisation: OrganisationId(
                    8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046,
                ),
                category: CreditNote,
                kind: Create,
                resource: c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2,
                at: Some(
                    2026-10-05T03:41:23.004Z,
                ),
                foreign_url: false,
            },
        ],
        malformed: [],
        first_sequence: 4101,
        last_sequence: 4102,
    }
    ");
}

#[test]
fn the_order_of_members_and_new_ones_do_not_matter() {
    // FAULT-09
    let plain = one(&[]);
    assert_eq!(one(&[("resourceId", &format!("\"{INVOICE}\"")), ("data", "{\"a\": [1]}")]), plain);
    let wrapped =
        format!("{{\"new\": {{}}, \"lastEventSequence\": 2, \"events\": [{}]}}", event(&[]));
    assert_eq!(read(wrapped).unwrap().events, [plain]);
}

#[test]
fn every_known_category_is_read_and_unknown_ones_are_kept_by_name() {
    // X-01, X-02
    for (code, expected) in [
        ("INVOICE", Category::Invoice),
        ("CREDITNOTE", Category::CreditNote),
        ("PREPAYMENT", Category::Prepayment),
        ("OVERPAYMENT", Category::Overpayment),
        ("CONTACT", Category::Contact),
        ("SUBSCRIPTION", Category::Subscription),
        ("PAYMENT", Category::Other("PAYMENT".to_owned())),
        ("", Category::Other(String::new())),
    ] {
        let read = one(&[("eventCategory", &format!("\"{code}\""))]);
        assert_eq!(read.category, expected);
        assert_eq!(read.category.code(), code);
    }
}

#[test]
fn a_hostile_category_is_cut_and_cannot_start_a_new_line() {
    // N9
    let hostile = format!("\"A\\nB\\u0000\u{2028}é{}\"", "C".repeat(1_000));
    let read = one(&[("eventCategory", &hostile)]);
    assert_eq!(read.category.code(), format!("AB{}", "C".repeat(38)));
}

#[test]
fn kinds_that_we_do_not_know_are_still_changes() {
    for (text, expected) in [
        ("\"CREATE\"", EventKind::Create),
        ("\"UPDATE\"", EventKind::Update),
        ("\"DELETE\"", EventKind::Other),
        ("7", EventKind::Other),
        ("null", EventKind::Other),
        ("", EventKind::Other),
    ] {
        assert_eq!(one(&[("eventType", text)]).kind, expected, "{text}");
    }
}

#[test]
fn dates_are_read_with_and_without_z_and_an_unreadable_one_loses_nothing() {
    let at = |text: &str| one(&[("eventDateUtc", text)]).at.map(|at| at.to_string());
    for (text, expected) in [
        ("\"2026-10-05T03:41:22.518\"", Some("2026-10-05T03:41:22.518Z")),
        ("\"2017-06-21T01:15:39.902Z\"", Some("2017-06-21T01:15:39.902Z")),
        ("\"2026-10-05T03:41:22\"", Some("2026-10-05T03:41:22Z")),
        ("\"2026-10-05T03:41:22.5181234\"", Some("2026-10-05T03:41:22.5181234Z")),
        ("\"yesterday\"", None),
        ("\"\"", None),
        ("17", None),
        ("null", None),
        ("", None),
    ] {
        assert_eq!(at(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn an_address_that_is_not_xeros_is_noticed() {
    // FAULT-10; nothing ever follows it.
    for (url, foreign) in [
        ("\"https://api.xero.com/api.xro/2.0/Invoices/x\"", false),
        ("\"https://API.XERO.COM/\"", false),
        ("\"https://api.xero.com:443/\"", false),
        ("\"http://api.xero.com/\"", true),
        ("\"https://api.xero.com.example.org/\"", true),
        ("\"https://api.xero.com@example.org/\"", true),
        ("\"https://user@api.xero.com/\"", true),
        ("\"https://api.xero.com:8443/\"", true),
        ("\"https://169.254.169.254/latest/meta-data\"", true),
        ("\"file:///etc/passwd\"", true),
        ("\"/Invoices\"", true),
        ("\"\"", true),
        ("5", true),
        ("null", true),
        ("", true),
    ] {
        let read = one(&[("resourceUrl", url)]);
        assert_eq!(read.foreign_url, foreign, "{url}");
        assert_eq!(read.resource.to_string(), INVOICE);
    }
}

#[test]
fn an_event_that_cannot_be_used_does_not_hold_up_the_others() {
    // FAULT-09 and FAULT-10
    let changed = |name, value: &str| problem(&event(&[(name, value)]));
    for id in [
        "",
        "null",
        "\"\"",
        "5",
        "[]",
        "\"../Contacts\"",
        "\"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10,3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f11\"",
        "\"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10/Attachments\"",
        "\"3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f1g\"",
        "\" 3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10\"",
    ] {
        assert_eq!(changed("resourceId", id), "resourceId is missing or no UUID", "{id}");
        assert_eq!(changed("tenantId", id), "tenantId is missing or no UUID", "{id}");
    }
    for category in ["", "null", "5", "{}"] {
        let expected = "eventCategory is missing or no text";
        assert_eq!(changed("eventCategory", category), expected, "{category}");
    }
    let twice = event(&[]).replacen('{', &format!("{{\"resourceId\": \"{ORGANISATION}\", "), 1);
    for raw in ["null", "5", "\"event\"", "[]", "[\"u\", \"r\", \"t\"]", &twice] {
        assert_eq!(problem(raw), "not an object, or a member stands in it twice", "{raw}");
    }
    assert_eq!(problem("{}"), "tenantId is missing or no UUID");
}

#[test]
fn a_body_that_is_no_delivery_is_an_error_and_no_panic() {
    let events = format!("{{\"events\":[{}]}}", event(&[]));
    let cut = &events[..events.len() - 1];
    let twice = format!("{{\"events\":[],{}", &events[1..]);
    for (body, expected) in [
        ("", EnvelopeError::NotJson),
        ("hello", EnvelopeError::NotJson),
        ("<xml/>", EnvelopeError::NotJson),
        (cut, EnvelopeError::NotJson),
        ("{\"events\":[]} {}", EnvelopeError::NotJson),
        ("{\"events\":[NaN]}", EnvelopeError::NotJson),
        ("null", EnvelopeError::NotAnEnvelope),
        ("[]", EnvelopeError::NotAnEnvelope),
        ("[[], 1, 2]", EnvelopeError::NotAnEnvelope),
        ("{}", EnvelopeError::NotAnEnvelope),
        ("{\"events\": null}", EnvelopeError::NotAnEnvelope),
        ("{\"events\": {}}", EnvelopeError::NotAnEnvelope),
        ("{\"events\": \"none\"}", EnvelopeError::NotAnEnvelope),
        (&twice, EnvelopeError::NotAnEnvelope),
    ] {
        assert_eq!(read(body), Err(expected), "{body}");
    }
    assert_eq!(read(b"{\"events\":[],\"a\":\"\xff\"}"), Err(EnvelopeError::NotJson));
}

#[test]
fn sequences_that_are_no_numbers_cost_no_event() {
    for sequence in ["null", "\"4101\"", "1.5", "-", "99999999999999999999", "[]"] {
        let body = delivery(&[event(&[])]).replace("Sequence\": 1", "Sequence\": SEQUENCE");
        let body = body.replace("SEQUENCE", if sequence == "-" { "-7" } else { sequence });
        let read = read(&body).unwrap();
        assert_eq!(read.events.len(), 1, "{sequence}");
        assert_eq!(read.first_sequence, if sequence == "-" { -7 } else { 0 });
        assert_eq!(read.last_sequence, 2);
    }
}

#[test]
fn events_of_several_organisations_stand_in_one_delivery() {
    let other = "\"00000000-0000-4000-8000-000000000001\"";
    let read = read(delivery(&[event(&[]), event(&[("tenantId", other)])])).unwrap();
    assert_ne!(read.events[0].organisation, read.events[1].organisation);
}

#[test]
fn deep_nesting_is_refused_or_passed_over_without_a_stack() {
    // FAULT-05
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    assert_eq!(read(&deep), Err(EnvelopeError::NotAnEnvelope));
    assert_eq!(read("[".repeat(900_000)), Err(EnvelopeError::NotJson));
    assert_eq!(one(&[("data", &deep)]), one(&[]));
    assert_eq!(problem(&deep), "not an object, or a member stands in it twice");
    assert_eq!(problem(&event(&[("resourceId", &deep)])), "resourceId is missing or no UUID");
}

#[test]
fn a_hundred_thousand_events_are_each_accounted_for() {
    // FAULT-05: what fits into the largest body that the receiver accepts.
    let read = read(format!("{{\"events\":[{}1]}}", "{},".repeat(100_000))).unwrap();
    assert_eq!((read.events.len(), read.malformed.len()), (0, 100_001));
    let many = vec![event(&[]); 3_000];
    assert_eq!(self::read(delivery(&many)).unwrap().events.len(), 3_000);
}

proptest! {
    #[test]
    fn law_no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(body);
    }

    #[test]
    fn law_no_damage_to_a_delivery_panics(position in 0..TWO_EVENTS.len(), byte in any::<u8>(), keep in any::<bool>()) {
        let mut body = TWO_EVENTS.as_bytes().to_vec();
        if keep { body[position] = byte } else { body.truncate(position) }
        let _ = read(body);
    }

    #[test]
    fn law_every_event_is_in_exactly_one_list(usable in proptest::collection::vec(any::<bool>(), 0..40)) {
        let events: Vec<String> = usable
            .iter()
            .map(|usable| if *usable { event(&[]) } else { "{}".to_owned() })
            .collect();
        let read = read(delivery(&events)).unwrap();
        let expected: Vec<usize> =
            usable.iter().enumerate().filter(|(_, usable)| !**usable).map(|(at, _)| at).collect();
        let positions: Vec<usize> = read.malformed.iter().map(|event| event.position).collect();
        prop_assert_eq!(read.events.len() + positions.len(), usable.len());
        prop_assert_eq!(positions, expected);
    }
}
