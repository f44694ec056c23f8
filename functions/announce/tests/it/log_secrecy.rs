//! N9: what is written about a batch holds ids and counts, and never a name, a reason or an amount.

use harness::log_capture;
use serde_json::json;

use crate::world::{World, record};

#[tokio::test]
async fn no_line_names_a_person_a_reason_or_an_amount() {
    log_capture::start();
    let world = World::new().await;
    let canaries = json!({
        "why": {"S": "Canary Ltd owes 47110.26"}, "by": {"S": "Wilma"},
        "amount": {"N": "47110.26"}, "currency": {"S": "AUD"},
    });
    let with = |name: &str, value: &str| {
        let mut row = canaries.clone();
        row[name] = json!({"S": value});
        row
    };
    let batch = [
        record(1, &canaries),
        record(2, &with("action", "Canary")),
        record(3, &with("currency", "Canary")),
        record(4, &with("amount", "47110.26")),
        record(5, &with("action", "imported")),
        record(6, &canaries),
    ];
    world.bus.refuse_next(0);
    world.hand_over(&batch).await.unwrap();
    world.bus.accept_next(1);
    world.hand_over(&batch).await.unwrap();
    let needed = ["announced a batch", "passed over", "comes again from there", "#10234#3-0"];
    log_capture::assert_redacted(&log_capture::take(), &[], &needed);
}

/// An alarm rings if none goes out: what the bus has not taken, or never takes, has not gone out.
#[tokio::test]
async fn a_digest_that_has_gone_out_is_counted_cc_20() {
    let digest = json!({"action": {"S": "morning_digest"}, "reason": {"S": "well"}});
    let batch = [record(1, &json!({})), record(2, &digest), record(3, &json!({}))];
    let count = async |fails: &dyn Fn(&World)| {
        let world = World::new().await;
        fails(&world);
        log_capture::start();
        world.hand_over(&batch).await.unwrap();
        log_capture::take()
    };
    assert!(count(&|_| ()).await.contains("\"events.digests\":1"));
    assert!(count(&|world| world.bus.accept_next(1)).await.contains("\"events.digests\":0"));
    assert!(count(&|world| world.bus.refuse_next(1)).await.contains("\"events.digests\":0"));
}
