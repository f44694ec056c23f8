//! Deliveries that are not what they should be, and organisations that are not ours.

use anyhow::Result;
use local::engines::queues;
use local::simulator::{SAMPLE_ORGANISATION, SAMPLE_WEBHOOK_KEY};
use uuid::Uuid;

use crate::world::{World, delivery, signature};

fn somebody() -> Uuid {
    Uuid::from_u128(0x3f1c_2a77_5d0e_4b6a_9a41_0c7e_5b8d_2f10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_delivery_is_refused_and_leaves_no_trace() -> Result<()> {
    // N2, FAULT-01
    let world = World::quick().await?;
    let invoice = world.invoice("1001").await?;
    world.settled().await?;
    let before = world.everything().await?;
    let body = delivery(&[(invoice, jiff::Timestamp::UNIX_EPOCH)]);
    let right = signature(&body, SAMPLE_WEBHOOK_KEY)?;
    for position in 0..right.len() {
        let mut wrong = right.clone().into_bytes();
        wrong[position] = if wrong[position] == b'A' { b'B' } else { b'A' };
        let answer = world.deliver_signed(&body, &String::from_utf8(wrong)?).await?;
        assert_eq!(answer.status(), 401, "character {position} changed");
        assert_eq!(answer.headers().get("set-cookie"), None);
        assert!(answer.bytes().await?.is_empty());
    }
    world.xero()?.reset_meters();
    world.settled().await?;
    assert_eq!(world.everything().await?, before);
    assert_eq!(world.meter()?.calls, 0);

    let answer = world.deliver_signed(&body, &right).await?;
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await?.is_empty());
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn xero_finds_the_endpoint_willing() -> Result<()> {
    // intent to receive.
    let world = World::quick().await?;
    let result = world.xero()?.intent_to_receive().await;
    assert!(result.passed, "{:?}", result.problems);
    world.settled().await?;
    assert_eq!(world.stack.depth(queues::CHANGES).await?.total(), 0);
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_strange_is_answered_200_recorded_and_never_followed() -> Result<()> {
    // X-02, CM-47, FAULT-09 and FAULT-10
    let world = World::quick().await?;
    world.xero()?.reset_meters();
    let at = jiff::Timestamp::UNIX_EPOCH;
    let ours = SAMPLE_ORGANISATION.to_string();
    let unknown_organisation =
        delivery(&[(somebody(), at)]).replace(&ours, &somebody().to_string());
    let unknown_category = delivery(&[(somebody(), at)]).replace("INVOICE", "EXPENSE");
    let bad_id = delivery(&[(somebody(), at)])
        .replace(&format!("\"resourceId\": \"{}\"", somebody()), "\"resourceId\": \"1,2\"");
    let not_json = "{\"events\":[{".to_owned();
    for body in [&unknown_organisation, &unknown_category, &bad_id, &not_json] {
        let answer = world.deliver(body).await?;
        assert_eq!(answer.status(), 200, "{body}");
        assert!(answer.bytes().await?.is_empty());
    }
    world.settled().await?;

    assert_eq!(world.meter()?.calls, 0, "nothing was asked of Xero");
    let reasons: Vec<_> = world
        .rows("activity")
        .await?
        .into_iter()
        .filter_map(|row| row.get("reason").cloned())
        .collect();
    assert!(reasons.contains(&"other_tenant".to_owned()), "{reasons:?}");
    assert!(reasons.contains(&"unknown_category".to_owned()), "{reasons:?}");
    let parked: Vec<_> =
        world.rows("parked").await?.into_iter().map(|row| row["body"].clone()).collect();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert!(parked.contains(&bad_id) && parked.contains(&not_json));
    world.stack.stop().await;
    Ok(())
}
