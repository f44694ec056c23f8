//! N9: what is written about a batch holds ids and counts, and never a name, a reason or an amount.

use serde_json::json;

use crate::ear::{heard, listen};
use crate::world::{World, record};

/// Stand for a customer and an amount of 47,110.26.
const CANARIES: [&str; 3] = ["Canary", "47110", "Wilma"];

#[tokio::test]
async fn no_line_names_a_person_a_reason_or_an_amount() {
    listen("announce");
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
    let heard = heard();
    for expected in ["announced a batch", "passed over", "comes again from there", "#10234#3-0"] {
        assert!(heard.contains(expected), "{expected} is missing: {heard}");
    }
    for canary in CANARIES {
        assert!(!heard.contains(canary), "{canary} was said: {heard}");
    }
}
