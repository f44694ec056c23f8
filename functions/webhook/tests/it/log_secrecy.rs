//! No secret, signature or name in any log line, at any level (N9; FAULT-30).

use harness::log_capture;

use crate::world::{CHECK, FixedKeys, World, delivery, event, request, sign, signed};

#[tokio::test]
async fn n9_an_accepted_delivery_is_one_line_with_counts_and_organisations() {
    let world = World::default();
    log_capture::start();
    let events = [
        event(1, "INVOICE", 10, "2026-10-05T03:41:22"),
        event(2, "INVOICE", 10, "2026-10-05T03:41:22"),
        event(1, "CONTACT", 11, "2026-10-05T03:41:22"),
    ];
    world.accept(&signed(&delivery(&events))).await;
    let text = log_capture::take();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in [
        "delivery accepted",
        "\"answer.status\":200",
        "\"delivery.events\":3",
        "\"delivery.invoices\":2",
        "\"delivery.contact_events\":1",
        "\"delivery.not_mirrored\":0",
        "\"delivery.messages\":2",
        "\"delivery.first_sequence\":7",
        "\"delivery.last_sequence\":9",
        "00000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000002",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn n9_nothing_that_must_stay_secret_is_logged_whatever_happens() {
    // given: canaries wherever a stranger, Xero or we ourselves can put one
    let key = "canary-key-4711";
    let canary = r#"canary-4711\nforged line\u001b[31m"#;
    let genuine = event(1, "INVOICE", 10, "2026-10-05T03:41:22");
    let poisoned = [
        genuine.replace("https://api.xero.com", "https://canary-4711.example"),
        event(1, canary, 11, canary),
        genuine.replace(r#""resourceId": ""#, &format!(r#""resourceId": "{canary}"#)),
        genuine.replace("{", &format!(r#"{{"{canary}":"{canary}","#)),
    ];
    let bodies = [
        delivery(&poisoned),
        delivery(&[]).replace("ABCDEFGHIJKLMNOPQRST", canary),
        canary.to_owned(),
        format!(r#"{{"events":"{canary}"}}"#),
    ];
    log_capture::start();
    let world = World::default();
    let mut signatures = Vec::new();

    // when: they are accepted, refused, and fail
    for body in &bodies {
        let signature = sign(key, body.as_bytes());
        let good = request(body, Some(&signature));
        for fails in [false, true] {
            if fails {
                world.changes.fail_next();
            }
            let status = world.post_with(FixedKeys(vec![key]), &good).await.status_code;
            assert!(status == 200 || status == 503);
            world.changes.recover();
        }
        let wrong = request(body, Some("canary-4711-signature"));
        assert_eq!(world.post_with(FixedKeys(vec![key]), &wrong).await.status_code, 401);
        assert_eq!(world.post_with(FixedKeys(vec![]), &good).await.status_code, 503);
        signatures.push(signature);
    }
    let mut get = request(CHECK, Some("canary-4711"));
    get.request_context.http.method = Some("canary-4711".to_owned());
    get.request_context.http.path = Some("/canary-4711".to_owned());
    assert_eq!(world.post(&get).await.status_code, 405);

    // then
    let text = log_capture::take();
    assert_eq!(text.lines().count(), 4 * bodies.len() + 1, "one line for each request: {text}");
    assert!(!text.contains("4711") && !text.contains("forged"), "{text}");
    for signature in signatures {
        assert!(!text.contains(&signature));
    }
}
