//! Messages that are not mirrored are kept, with the reason.

use harness::Do;
use harness::dynamodb::having;
use queue::{Message, Noted, NotedReason, UnreadablePart};

use crate::world::{World, another_organisation, at, events, events_of, organisation, record};

#[tokio::test]
async fn with_the_mirror_off_nothing_is_read_and_what_came_is_noted() {
    // CM-01
    let world = World::new().await;
    world.set_up(organisation(), |settings| settings.mirror_enabled = false).await;
    let records = [
        record("m-1", events(&[1, 2], Some(at(-3)))),
        record("m-2", events(&[2, 3, 4], Some(at(-3)))),
    ];

    assert!(world.deliver(&records).await.is_empty());

    assert!(world.xero.calls().is_empty());
    let rows = world.rows("activity").await;
    let noted = |count| {
        let wanted = [("action", "ignored"), ("reason", "disabled"), ("count", count)];
        having(&rows, &wanted).len()
    };
    assert_eq!((noted("#2"), noted("#3"), rows.len()), (1, 1, 2), "{rows:#?}");
}

#[tokio::test]
async fn events_of_an_organisation_that_is_not_set_up_are_noted_and_not_read() {
    // CM-47
    let world = World::new().await;
    let records = [record("m-1", events_of(another_organisation(), &[1], Some(at(-3))))];
    assert!(world.deliver(&records).await.is_empty());
    assert!(world.xero.calls().is_empty());
    let rows = world.rows("activity").await;
    let tenant = another_organisation().to_string();
    let wanted = [("reason", "other_tenant"), ("organisation", tenant.as_str()), ("count", "#1")];
    assert_eq!(having(&rows, &wanted).len(), 1, "{rows:#?}");
}

#[tokio::test]
async fn what_is_noted_is_noted_once_however_it_is_delivered_again() {
    // FAULT-11: the second delivery brings the records in another company.
    let world = World::new().await;
    let stranger = |id: &str, accepted_at| {
        let Message::Invoices(mut changes) = events_of(another_organisation(), &[1], None) else {
            panic!()
        };
        changes.accepted_at = accepted_at;
        record(id, Message::Invoices(changes))
    };
    let (one, other) = (stranger("m-1", at(-10)), stranger("m-2", at(-5)));
    world.deliver(&[one.clone(), other.clone()]).await;
    let before = world.rows("activity").await;
    assert_eq!(before.len(), 2, "{before:#?}");

    world.deliver(std::slice::from_ref(&other)).await;
    world.deliver(&[other, one]).await;

    assert_eq!(world.rows("activity").await, before);
}

#[tokio::test]
async fn unreadable_deliveries_are_kept_byte_for_byte_in_their_parts() {
    // FAULT-09
    let world = World::new().await;
    let body: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let parts = UnreadablePart::pack(&body, at(-1), "not JSON");
    assert_eq!(parts.len(), 2);
    let records: Vec<_> =
        parts.iter().enumerate().map(|(n, part)| record(&format!("m-{n}"), part.clone())).collect();
    for _ in 0..2 {
        assert!(world.deliver(&records).await.is_empty());
    }

    let mut kept = Vec::new();
    let items = world.direct.scan().table_name("parked").send().await.unwrap();
    let mut items: Vec<_> = items.items().to_vec();
    items.sort_by_key(|item| item["parked_at"].as_s().unwrap().clone());
    assert_eq!(items.len(), 2);
    for item in &items {
        assert_eq!(item["organisation"].as_s().unwrap(), "unknown");
        assert_eq!(item["reason"].as_s().unwrap(), "unreadable_delivery");
        kept.extend_from_slice(item["body"].as_b().unwrap().as_ref());
    }
    assert_eq!(kept, body);
}

#[tokio::test]
async fn noted_events_are_in_the_activity_log_with_their_reasons() {
    //
    let world = World::new().await;
    let reason = |code: &str, category: Option<&str>, count| NotedReason {
        code: code.to_owned(),
        category: category.map(str::to_owned),
        count,
    };
    let message = |organisation| {
        Message::Noted(Noted {
            organisation,
            received_at: at(-1),
            reasons: vec![
                reason("unknown_category", Some("JOURNAL"), 3),
                reason("foreign_resource_url", None, 1),
            ],
        })
    };
    let records = [record("m-1", message(Some(organisation()))), record("m-2", message(None))];
    for _ in 0..2 {
        assert!(world.deliver(&records).await.is_empty());
    }
    let rows = world.rows("activity").await;
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let wanted = [("reason", "unknown_category"), ("what", "JOURNAL"), ("count", "#3")];
    assert_eq!(having(&rows, &wanted).len(), 2);
    assert_eq!(having(&rows, &[("organisation", "unknown")]).len(), 2);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_waited_for_and_nothing_is_read() {
    // A person has to mend them; nothing is lost meanwhile.
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::new().await;
    world
        .direct
        .update_item()
        .table_name("organisations")
        .key("organisation", AttributeValue::S(organisation().to_string()))
        .update_expression("SET forward_days = :days")
        .expression_attribute_values(":days", AttributeValue::N("99999".to_owned()))
        .send()
        .await
        .unwrap();
    assert!(world.deliver(&[record("m-1", events(&[1], Some(at(-3))))]).await.is_empty());
    assert!(world.xero.calls().is_empty());
    let back = crate::world::sent_back(&world.line);
    assert_eq!((back[0].0.failures, back[0].1), (0, Some(at(900))));
}

#[tokio::test]
async fn what_cannot_be_kept_comes_again() {
    // FAULT-19, N1
    let world = World::new().await;
    world.proxy.plan(|call| match call.operation.as_str() {
        "PutItem" => Do::Refuse("ProvisionedThroughputExceededException"),
        _ => Do::Pass,
    });
    let unreadable = UnreadablePart::pack(b"?", at(-1), "not JSON").remove(0);
    let noted = Noted::pack(
        None,
        at(-1),
        [NotedReason { code: "unknown_category".to_owned(), category: None, count: 1 }],
    );
    let records = [
        crate::world::raw_record("m-1", "<xml/>"),
        record("m-2", unreadable),
        record("m-3", noted.unwrap()),
        record("m-4", events_of(another_organisation(), &[1], None)),
    ];
    assert_eq!(world.deliver(&records).await, ["m-1", "m-2", "m-3", "m-4"]);
    world.proxy.heal();
    assert!(world.deliver(&records).await.is_empty());
    assert_eq!(world.rows("parked").await.len(), 2);
}
