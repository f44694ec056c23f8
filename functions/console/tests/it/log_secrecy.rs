//! N9: what is written about a page holds ids and counts, and never a name, a reason or an amount.

use console::roles::Role;
use harness::log_capture;
use invoker::InvokeError;
use serde_json::json;

use crate::world::{ORGANISATION, well};

#[tokio::test]
async fn no_line_names_a_person_a_reason_or_what_a_function_said() {
    log_capture::start();
    let world = well().await;
    for name in ["name", "administrator_contact", "bank_feed_name"] {
        world.set(ORGANISATION, name, "Canary Ltd").await;
    }
    for answer in
        [Err(InvokeError::Failed("Canary".to_owned())), Ok(json!({"state": "x", "why": "Canary"}))]
    {
        for role in Role::ALL.iter().copied() {
            world.answers(answer_again(&answer));
            let event = json!({"page": "integrations", "order": "hold", "payment": "P-Canary"});
            world.press_as(role, event, "Canary", "Canary is owed 47110.26").await;
        }
    }
    world.direct.delete_table().table_name("messages").send().await.unwrap();
    world.look("messages").await;
    world
        .press_as(Role::Admin, json!({"page": "activity", "day": "Canary"}), "Canary", "Canary")
        .await;
    for event in [
        json!({"page": "why", "search": "P-Canary 47110.26"}),
        json!({"page": "invoice", "invoice": "Canary"}),
        json!({"page": "tonight", "order": "hold", "payment": "Canary"}),
        json!({"page": "dead_letters", "order": "discard", "queue": "Canary", "message": "Canary"}),
    ] {
        world.press_as(Role::Operator, event, "Canary", "Canary").await;
    }
    let needed = ["console done", "could not be shown", "\"outcome\":\"refused\""];
    log_capture::assert_redacted(&log_capture::take(), &[], &needed);
}

fn answer_again(
    answer: &Result<serde_json::Value, InvokeError>,
) -> Result<serde_json::Value, InvokeError> {
    match answer {
        Ok(value) => Ok(value.clone()),
        Err(error) => Err(InvokeError::Failed(error.to_string())),
    }
}
