//! The operators' pages on the whole stack: an order travels from a button through the real functions.

use std::time::Duration;

use local::{Stack, lambda::Function, simulator::SAMPLE_ORGANISATION};
use reqwest::Client;
use serde_json::{Value, json};

async fn stack() -> anyhow::Result<Stack> {
    Stack::builder().windows(Duration::ZERO, Duration::ZERO).start().await
}

/// Presses a button in a widget of this function, as our own page does.
async fn press(stack: &Stack, function: Function, event: &Value) -> anyhow::Result<String> {
    let url = stack.console_url();
    let origin = url.trim_end_matches("/console");
    let request = Client::new().post(format!("{url}/call/{}", function.arn()));
    let request = request.header("origin", origin).header("content-type", "application/json");
    let text = request.body(event.to_string()).send().await?.error_for_status()?.text().await?;
    Ok(serde_json::from_str(&text)?)
}

fn sync_now() -> Value {
    json!({
        "page": "integrations", "order": "sync_now", "organisation": SAMPLE_ORGANISATION,
        "widgetContext": {"forms": {"all": {"pm_by": "Ada", "pm_why": "a payment is missing"}}},
    })
}

#[tokio::test]
async fn sync_now_on_a_page_sweeps_and_moves_last_sync() -> anyhow::Result<()> {
    // CC-12, CC-14, ST-18
    let stack = stack().await?;
    let before = press(&stack, Function::Operate, &json!({"page": "integrations"})).await?;
    assert!(before.contains("<dt>Last sync</dt><dd>never</dd>"), "{before}");

    let after = press(&stack, Function::Operate, &sync_now()).await?;
    assert!(after.contains("Done. The sync is finished"), "{after}");
    assert!(!after.contains("<dt>Last sync</dt><dd>never</dd>"), "{after}");
    // CC-15: the second press gets the first one's run.
    let again = press(&stack, Function::Operate, &sync_now()).await?;
    assert!(again.contains("less than a minute ago"), "{again}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_viewer_is_refused_and_that_is_to_be_read_in_the_activity() -> anyhow::Result<()> {
    // ST-22
    let stack = stack().await?;
    let refused = press(&stack, Function::Console, &sync_now()).await?;
    assert!(refused.contains("takes the role operator"), "{refused}");
    let activity = json!({"page": "activity", "word": "refused"});
    let activity = press(&stack, Function::Console, &activity).await?;
    assert!(activity.contains("sync_now: refused (ST-22)"), "{activity}");
    let log = press(&stack, Function::Console, &json!({"page": "sync_log"})).await?;
    assert!(log.contains("No run of that kind"), "{log}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn another_site_presses_no_buttons() -> anyhow::Result<()> {
    let stack = stack().await?;
    let url = format!("{}/call/{}", stack.console_url(), Function::Administer.arn());
    let request = || Client::new().post(&url).header("content-type", "application/json");
    for request in [request(), request().header("origin", "https://evil.example")] {
        assert_eq!(request.body("{}").send().await?.status(), 403);
    }
    let rebound = Client::new().get(stack.console_url()).header("host", "evil.example");
    assert_eq!(rebound.send().await?.status(), 403);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_the_functions_answer_to_a_look_is_what_the_pages_can_read() -> anyhow::Result<()> {
    // EX-31
    let stack = stack().await?;
    let page = |page: &str, order: &str| json!({"page": page, "order": order, "organisation": SAMPLE_ORGANISATION});
    let letters = page("dead_letters", "look_at_dead_letters");
    let letters = press(&stack, Function::Operate, &letters).await?;
    assert!(letters.contains("This is a look; nothing was changed."), "{letters}");
    assert_eq!(letters.matches("0 in it").count(), 5, "{letters}");

    let plan = press(&stack, Function::Operate, &page("tonight", "preview_plan")).await?;
    assert!(plan.contains("would do at this moment: 0 would go, 0 would wait"), "{plan}");
    stack.stop().await;
    Ok(())
}
