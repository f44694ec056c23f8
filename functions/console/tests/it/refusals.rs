//! ST-22, CC-11: a refusal names the role that may, and is stored.

use console::order::Order;
use console::pages::Page;
use console::roles::Role;
use invoker::{InvokeError, Invoker as _, LambdaInvoker};
use serde_json::json;

use crate::html::text;
use crate::world::{ORGANISATION, well};

#[tokio::test]
async fn an_order_that_the_role_may_not_give_is_refused_and_written_down() {
    // ST-22
    let world = well().await;
    for order in Order::ALL.iter().filter(|order| order.spec().label.is_some()) {
        for role in Role::ALL.iter().copied().filter(|role| !role.may(order.least_role())) {
            let before = world.rows("activity").await.len();
            let event = json!({"page": "integrations", "order": order.code(), "payment": "P-1"});
            let html = world.press(role, event).await;

            let said = text(&html);
            let least = order.least_role();
            assert!(said.contains("Not allowed") && said.contains("Nothing was done"), "{said}");
            assert!(said.contains(&format!("takes the role {least}")), "{said}");
            assert!(said.contains(least.policy()) && said.contains(least.function()), "{said}");
            assert!(world.asked().is_empty(), "{order} as {role}");
            // A row has the request's id in its key: those of one request are one.
            let rows = world.rows("activity").await;
            assert!(rows.len() <= before + 1);
            let row = rows.iter().find(|row| row["request_id"] == "5e1c-request").unwrap();
            assert_eq!(row["order"], order.code());
            assert_eq!((row["result"].as_str(), row["rule"].as_str()), ("refused", "ST-22"));
            assert_eq!((row["by"].as_str(), row["role"].as_str()), ("Ada", role.code()));
            assert_eq!(row["organisation"], ORGANISATION);
        }
    }
}

#[tokio::test]
async fn the_settings_are_for_administrators_and_looking_at_them_is_written_down_too() {
    // CC-11
    let world = well().await;
    for role in [Role::Viewer, Role::Operator] {
        let html = world.press(role, json!({"page": "configure"})).await;
        let said = text(&html);
        assert!(said.contains("takes the role admin"), "{said}");
        assert!(!said.contains("Calls to Xero in a day"), "{said}");
    }
    let rows = world.rows("activity").await;
    assert_eq!(rows[0]["order"], format!("open_{}", Page::Configure));

    let said = text(&world.look("configure").await);
    // Keys and schedule: where they are, and never what they are.
    for words in
        ["Calls to Xero in a day", "XeroApiSecretArn", "XeroWebhookSecretArn", "UploadTime"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn buttons_are_there_for_those_who_may_and_call_their_own_function() {
    let world = well().await;
    for role in Role::ALL.iter().copied() {
        let html = world.page(role, json!({"page": "integrations"})).await;
        let function = format!("function:paymirror-{}", role.function());
        assert_eq!(html.matches("endpoint=").count(), html.matches(&function).count(), "{html}");
        assert_eq!(html.contains("sync_now"), role.may(Role::Operator), "{role}");
        assert_eq!(html.contains("Configure"), role == Role::Admin, "{role}");
        // A page without buttons says where they are.
        assert_eq!(text(&html).contains("OperatorPolicy"), role == Role::Viewer, "{role}");
    }
}

#[tokio::test]
async fn a_viewers_function_calls_nobody_even_if_it_were_asked_to() {
    // ST-22: the function has no name to call, and no right to.
    let aws = host::aws_config(console::INVOKED_MAX).await;
    let invoker = LambdaInvoker::new(&aws, None, console::INVOKED_MAX);
    let answer = invoker.invoke(&json!({})).await;
    assert!(matches!(answer, Err(InvokeError::NoFunction)), "{answer:?}");
}
