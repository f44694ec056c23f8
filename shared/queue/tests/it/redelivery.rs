//! Messages that failed come again after the pause that is asked for, and no other one is touched.

use std::time::Duration;

use harness::sqs::{self, client};
use queue::Redelivery;

/// Far longer than this test takes.
const HIDDEN_SECONDS: &str = "5400";

#[tokio::test]
async fn a_message_that_failed_comes_again_at_once_and_the_others_stay_hidden() {
    // FAULT-33
    let client = client(&sqs::start().await);
    let made = client
        .create_queue()
        .queue_name("uploads")
        .attributes(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, HIDDEN_SECONDS);
    let url = made.send().await.unwrap().queue_url.unwrap();
    for number in 0..12 {
        client
            .send_message()
            .queue_url(&url)
            .message_body(number.to_string())
            .send()
            .await
            .unwrap();
    }
    let mut received = Vec::new();
    while received.len() < 12 {
        let some = client.receive_message().queue_url(&url).max_number_of_messages(10);
        received.extend(some.send().await.unwrap().messages.unwrap());
    }
    let handle = |at: usize| received[at].receipt_handle.as_deref().unwrap();

    // More than one call takes: eleven of the twelve.
    let failed: Vec<_> = (1..12).map(|at| (handle(at), Duration::ZERO)).collect();
    Redelivery::new(client.clone(), url.clone()).after(&failed).await;

    let mut again = Vec::new();
    loop {
        let some = client.receive_message().queue_url(&url).max_number_of_messages(10);
        let some = some.send().await.unwrap().messages.unwrap_or_default();
        if some.is_empty() {
            break;
        }
        again.extend(some.into_iter().map(|message| message.message_id.unwrap()));
    }
    assert_eq!(again.len(), 11);
    assert!(!again.contains(received[0].message_id.as_ref().unwrap()));
}

#[tokio::test]
async fn a_queue_that_does_not_answer_fails_nothing() {
    // FAULT-33: the messages come when their time is over.
    let gone = Redelivery::new(client("http://127.0.0.1:1"), "http://127.0.0.1:1/q".to_owned());
    gone.after(&[("handle", Duration::from_secs(15))]).await;
    gone.after(&[]).await;
}
