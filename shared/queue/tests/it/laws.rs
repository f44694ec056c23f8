//! What holds for every message: it survives the round trip, it fits, and no text breaks the reader.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use queue::{
    Cause, INVOICES_PER_MESSAGE_MAX, InvoiceChange, InvoiceChanges, Message, NOTED_REASONS_MAX,
    Noted, NotedReason, PART_BYTES_MAX, UnreadablePart,
};
use uuid::Uuid;

const MESSAGE_BYTES_MAX: usize = 200 * 1024;

fn timestamps() -> impl Strategy<Value = Timestamp> {
    let range = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
    range.prop_map(|nanosecond| Timestamp::from_nanosecond(nanosecond).unwrap())
}

fn organisations() -> impl Strategy<Value = OrganisationId> {
    any::<u128>().prop_map(|id| OrganisationId::new(Uuid::from_u128(id)))
}

fn invoice_changes() -> impl Strategy<Value = InvoiceChange> {
    // Few enough ids that the same one turns up again.
    let id = prop_oneof![0..20_u128, any::<u128>()];
    (id, option::of(timestamps()), any::<u32>(), any::<u32>()).prop_map(
        |(id, event_at, stale_reads, failures)| InvoiceChange {
            id: XeroInvoiceId::new(Uuid::from_u128(id)),
            event_at,
            stale_reads,
            failures,
        },
    )
}

fn changes(most: usize) -> impl Strategy<Value = InvoiceChanges> {
    let causes =
        prop::sample::select(vec![Cause::Webhook, Cause::Intake, Cause::Sweep, Cause::Manual]);
    let invoices = vec(invoice_changes(), 0..most);
    (organisations(), causes, timestamps(), option::of(timestamps()), invoices).prop_map(
        |(organisation, cause, accepted_at, not_before, invoices)| InvoiceChanges {
            organisation,
            cause,
            accepted_at,
            not_before,
            invoices,
        },
    )
}

fn reasons() -> impl Strategy<Value = Vec<NotedReason>> {
    let reason = (any::<String>(), option::of(any::<String>()), any::<u32>())
        .prop_map(|(code, category, count)| NotedReason { code, category, count });
    vec(reason, 0..120)
}

/// Short ones of any bytes, and long ones around the size of a part.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let count_up = |(first, length): (u8, usize)| {
        std::iter::successors(Some(first), |byte| Some(byte.wrapping_add(1))).take(length).collect()
    };
    prop_oneof![
        vec(any::<u8>(), 0..2_000),
        (any::<u8>(), 149_990..310_000_usize).prop_map(count_up)
    ]
}

fn round_trip(message: &Message) -> Result<(), TestCaseError> {
    let text = message.to_json().unwrap();
    prop_assert!(text.is_ascii());
    prop_assert!(text.len() < MESSAGE_BYTES_MAX, "{} bytes", text.len());
    prop_assert_eq!(&Message::from_json(&text).unwrap(), message);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn invoices_survive_and_are_packed_once_each(changes in changes(700)) {
        let mut latest: BTreeMap<XeroInvoiceId, Option<Timestamp>> = BTreeMap::new();
        for change in &changes.invoices {
            let known = latest.entry(change.id).or_insert(change.event_at);
            *known = (*known).max(change.event_at);
        }
        let mut seen = BTreeSet::new();
        for message in changes.clone().pack() {
            round_trip(&message)?;
            let Message::Invoices(packed) = message else { panic!("not invoices") };
            prop_assert!(!packed.invoices.is_empty());
            prop_assert!(packed.invoices.len() <= INVOICES_PER_MESSAGE_MAX);
            prop_assert_eq!(packed.organisation, changes.organisation);
            prop_assert_eq!(packed.accepted_at, changes.accepted_at);
            prop_assert_eq!(packed.not_before, changes.not_before);
            for change in packed.invoices {
                prop_assert!(seen.insert(change.id), "twice: {}", change.id);
                prop_assert_eq!(latest[&change.id], change.event_at);
            }
        }
        prop_assert_eq!(seen.len(), latest.len());
    }

    #[test]
    fn unreadable_bodies_survive_in_parts(
        body in bodies(),
        received_at in timestamps(),
        problem in any::<String>(),
    ) {
        let mut whole = Vec::new();
        let messages = UnreadablePart::pack(&body, received_at, &problem);
        for (message, position) in messages.iter().zip(1..) {
            round_trip(message)?;
            let Message::Unreadable(part) = message else { panic!("not a part") };
            prop_assert_eq!(part.part, position);
            prop_assert_eq!(usize::try_from(part.parts).unwrap(), messages.len());
            prop_assert!(part.bytes.len() <= PART_BYTES_MAX);
            whole.extend_from_slice(&part.bytes);
        }
        prop_assert!(!messages.is_empty());
        prop_assert_eq!(whole, body);
    }

    #[test]
    fn notes_survive_and_lose_no_count(
        organisation in option::of(organisations()),
        received_at in timestamps(),
        reasons in reasons(),
    ) {
        let total: u64 = reasons.iter().map(|reason| u64::from(reason.count)).sum();
        let Some(message) = Noted::pack(organisation, received_at, reasons.clone()) else {
            prop_assert!(reasons.is_empty());
            return Ok(());
        };
        round_trip(&message)?;
        let Message::Noted(noted) = message else { panic!("not a note") };
        prop_assert!(noted.reasons.len() <= NOTED_REASONS_MAX);
        let kept: u64 = noted.reasons.iter().map(|reason| u64::from(reason.count)).sum();
        // Counts stop at u32::MAX instead of starting again.
        prop_assert!(kept == total || noted.reasons.iter().any(|r| r.count == u32::MAX));
    }

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = Message::from_json(&text);
    }

    #[test]
    fn no_change_to_a_message_breaks_the_reader(
        changes in changes(5),
        position in any::<prop::sample::Index>(),
        replacement in any::<char>(),
    ) {
        let text = Message::Invoices(changes).to_json().unwrap();
        let mut chars: Vec<char> = text.chars().collect();
        let position = position.index(chars.len());
        chars[position] = replacement;
        let _ = Message::from_json(&chars.iter().collect::<String>());
        let _ = Message::from_json(&chars[..position].iter().collect::<String>());
    }
}

#[test]
fn the_largest_messages_fit() {
    let at = Timestamp::from_nanosecond(Timestamp::MAX.as_nanosecond()).unwrap();
    let change = |n: u128| InvoiceChange {
        id: XeroInvoiceId::new(Uuid::from_u128(n)),
        event_at: Some(at),
        stale_reads: u32::MAX,
        failures: u32::MAX,
    };
    let organisation = OrganisationId::new(Uuid::nil());
    let (cause, not_before) = (Cause::Webhook, Some(at));
    let invoices = (0..2_000).map(change).collect();
    let changes = InvoiceChanges { organisation, cause, accepted_at: at, not_before, invoices };
    let rare = "\u{10ffff}".repeat(1_000);
    let reason = |n: usize| NotedReason {
        code: format!("{n}{rare}"),
        category: Some(format!("{n}{rare}")),
        count: 1,
    };
    let mut messages = changes.pack();
    assert_eq!(messages.len(), 10);
    messages.extend(UnreadablePart::pack(&vec![0xff; 1024 * 1024], at, &rare));
    assert_eq!(messages.len(), 17);
    messages.extend(Noted::pack(Some(organisation), at, (0..1_000).map(reason)));
    assert_eq!(messages.len(), 18);
    for message in messages {
        let bytes = message.to_json().unwrap().len();
        assert!(bytes < MESSAGE_BYTES_MAX, "{} has {bytes} bytes", message.kind());
    }
}

#[test]
fn nothing_to_say_is_no_message_but_an_empty_body_is_kept() {
    let organisation = OrganisationId::new(Uuid::nil());
    let changes = InvoiceChanges {
        organisation,
        cause: Cause::Sweep,
        accepted_at: Timestamp::UNIX_EPOCH,
        not_before: None,
        invoices: Vec::new(),
    };
    assert_eq!(changes.pack(), []);
    assert_eq!(Noted::pack(None, Timestamp::UNIX_EPOCH, []), None);
    let parts = UnreadablePart::pack(b"", Timestamp::UNIX_EPOCH, "empty");
    let [Message::Unreadable(part)] = parts.as_slice() else { panic!("one part") };
    assert_eq!((part.part, part.parts, part.bytes.len()), (1, 1, 0));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(part.delivery, empty);
}

#[test]
fn a_later_event_starts_the_count_of_stale_reads_afresh() {
    let id = XeroInvoiceId::new(Uuid::nil());
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    let old = InvoiceChange { id, event_at: at(1), stale_reads: 4, failures: 2 };
    let new = InvoiceChange::new(id, at(2));
    let merged = InvoiceChange { id, event_at: at(2), stale_reads: 0, failures: 2 };
    let absorb = |mut one: InvoiceChange, other| {
        one.absorb(&other);
        one
    };
    assert_eq!(absorb(old, new), merged);
    assert_eq!(absorb(new, old), merged);
    let again = InvoiceChange { stale_reads: 5, failures: 0, ..old };
    assert_eq!(absorb(old, again), InvoiceChange { stale_reads: 5, ..old });
    // An event without a time says less than one with a time.
    assert_eq!(absorb(InvoiceChange::new(id, None), old), old);
}
