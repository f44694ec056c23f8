//! The SQS side against a server that answers as SQS does, and as it does on bad days
//! (FAULT-06).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use queue::{
    BATCH_BYTES_MAX, Cause, Changes as _, ChangesQueue, InvoiceChange, InvoiceChanges, Message,
    SEND_ATTEMPTS_MAX, SendError, SendProblem, UnreadablePart,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the server does with the entries of one call.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// Confirms all.
    Take,
    /// Confirms the first few, and reports the others as failed: by whose fault?
    Fail { after: usize, sender_fault: bool },
    /// Confirms the first few, and says nothing of the others.
    Silent { after: usize },
    /// Confirms ids that were not sent.
    Strangers,
    /// The call fails as a whole.
    Refuse(u16),
}

#[derive(Default)]
struct Server {
    plans: Mutex<VecDeque<Plan>>,
    calls: Mutex<Vec<Vec<Value>>>,
}

impl Server {
    fn calls(&self) -> Vec<Vec<Value>> {
        self.calls.lock().unwrap().clone()
    }

    fn entries_per_call(&self) -> Vec<usize> {
        self.calls().iter().map(Vec::len).collect()
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    body: String,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let request: Value = serde_json::from_str(&body).unwrap();
    let entries = request["Entries"].as_array().unwrap().clone();
    server.calls.lock().unwrap().push(entries.clone());
    let plan = server.plans.lock().unwrap().pop_front().unwrap_or(Plan::Take);
    let ok = |id: &Value| json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "md5"});
    let ids: Vec<Value> = entries.iter().map(|entry| entry["Id"].clone()).collect();
    let failed = |ids: &[Value], sender_fault| -> Vec<Value> {
        let entry = |id| json!({"Id": id, "Code": "InternalError", "SenderFault": sender_fault});
        ids.iter().map(entry).collect()
    };
    let taken = |ids: &[Value]| -> Vec<Value> { ids.iter().map(ok).collect() };
    let (status, answer) = match plan {
        Plan::Take => (200, json!({"Successful": taken(&ids), "Failed": []})),
        Plan::Fail { after, sender_fault } => (
            200,
            json!({"Successful": taken(&ids[..after]), "Failed": failed(&ids[after..], sender_fault)}),
        ),
        Plan::Silent { after } => (200, json!({"Successful": taken(&ids[..after])})),
        Plan::Strangers => (200, json!({"Successful": [ok(&json!("99")), ok(&json!("x"))]})),
        Plan::Refuse(status) => (
            status,
            json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}),
        ),
    };
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (StatusCode::from_u16(status).unwrap(), kind, answer.to_string())
}

async fn start(plans: impl IntoIterator<Item = Plan>) -> (Arc<Server>, ChangesQueue) {
    let server = Arc::new(Server::default());
    server.plans.lock().unwrap().extend(plans);
    let (listener, url) = harness::http::listener().await;
    let app = Router::new().fallback(answer).with_state(Arc::clone(&server));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (server, queue_at(&url))
}

fn queue_at(url: &str) -> ChangesQueue {
    ChangesQueue::new(harness::sqs::client(url), format!("{url}/000000000000/changes"))
}

fn messages(count: u128) -> Vec<Message> {
    let message = |n| {
        Message::Invoices(InvoiceChanges {
            organisation: OrganisationId::new(Uuid::from_u128(n)),
            cause: Cause::Webhook,
            accepted_at: Timestamp::UNIX_EPOCH,
            not_before: None,
            invoices: vec![InvoiceChange::new(XeroInvoiceId::new(Uuid::from_u128(n)), None)],
        })
    };
    (0..count).map(message).collect()
}

async fn send(queue: &ChangesQueue, count: u128) -> Result<(), SendError> {
    queue.send(&messages(count), Duration::ZERO).await
}

#[tokio::test]
async fn every_message_arrives_in_groups_of_ten_and_reads_back() {
    let (server, queue) = start([]).await;
    send(&queue, 23).await.unwrap();
    assert_eq!(server.entries_per_call(), [10, 10, 3]);
    let read = |entry: &Value| Message::from_json(entry["MessageBody"].as_str().unwrap()).unwrap();
    let arrived: Vec<Message> = server.calls().iter().flatten().map(read).collect();
    assert_eq!(arrived, messages(23));
}

#[tokio::test]
async fn each_message_says_whose_it_is_so_that_the_queue_is_fair() {
    // FAULT-21: SQS serves those first who have little in a queue.
    let (server, queue) = start([]).await;
    send(&queue, 3).await.unwrap();
    let groups: Vec<_> =
        server.calls().iter().flatten().map(|entry| entry["MessageGroupId"].clone()).collect();
    let whose = |n: u128| json!(Uuid::from_u128(n).to_string());
    assert_eq!(groups, [whose(0), whose(1), whose(2)]);
}

#[tokio::test]
async fn no_messages_are_no_call() {
    let (server, queue) = start([]).await;
    send(&queue, 0).await.unwrap();
    assert_eq!(server.calls().len(), 0);
}

#[tokio::test]
async fn a_call_stays_below_its_size() {
    let (server, queue) = start([]).await;
    let parts = UnreadablePart::pack(&vec![0xff; 1024 * 1024], Timestamp::UNIX_EPOCH, "test");
    queue.send(&parts, Duration::ZERO).await.unwrap();
    let sizes: Vec<usize> = server
        .calls()
        .iter()
        .map(|entries| entries.iter().map(|e| e["MessageBody"].as_str().unwrap().len()).sum())
        .collect();
    assert_eq!(sizes.len(), 7);
    assert!(sizes.iter().all(|&bytes| bytes <= BATCH_BYTES_MAX), "{sizes:?}");
}

#[tokio::test]
async fn a_message_that_can_never_fit_is_an_error_before_anything_is_sent() {
    let (server, queue) = start([]).await;
    let mut all = messages(1);
    all.push(Message::Unreadable(UnreadablePart {
        delivery: "0".repeat(64),
        received_at: Timestamp::UNIX_EPOCH,
        part: 1,
        parts: 1,
        problem: String::new(),
        bytes: vec![0; BATCH_BYTES_MAX],
    }));
    let error = queue.send(&all, Duration::ZERO).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (0, 2));
    assert!(matches!(error.problem, SendProblem::TooLarge { kind: "unreadable", .. }));
    assert_eq!(server.calls().len(), 0);
}

#[tokio::test]
async fn delays_are_whole_seconds_and_fifteen_minutes_at_most() {
    let (server, queue) = start([]).await;
    for delay in [0, 1, 1_500, 900_000, 86_400_000] {
        queue.send(&messages(1), Duration::from_millis(delay)).await.unwrap();
    }
    let delays: Vec<i64> =
        server.calls().iter().map(|entries| entries[0]["DelaySeconds"].as_i64().unwrap()).collect();
    assert_eq!(delays, [0, 1, 2, 900, 900]);
}

#[tokio::test]
async fn entries_that_failed_inside_a_200_are_sent_again_and_only_they() {
    let (server, queue) = start([Plan::Fail { after: 7, sender_fault: false }]).await;
    send(&queue, 10).await.unwrap();
    assert_eq!(server.entries_per_call(), [10, 3]);
    let (first, second) = (&server.calls()[0], &server.calls()[1]);
    assert_eq!(first[7..], second[..], "the same entries, under the same ids");
}

#[tokio::test]
async fn an_entry_that_is_not_mentioned_is_not_confirmed() {
    let (server, queue) = start([Plan::Silent { after: 2 }]).await;
    send(&queue, 3).await.unwrap();
    assert_eq!(server.entries_per_call(), [3, 1]);
}

#[tokio::test]
async fn ids_that_nobody_sent_confirm_nothing() {
    let (server, queue) = start([Plan::Strangers; 3]).await;
    let error = send(&queue, 2).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (0, 2));
    assert_eq!(server.entries_per_call(), [2, 2, 2]);
}

#[tokio::test]
async fn trying_again_has_an_end_and_the_error_counts() {
    // The first group is confirmed; of the second, five and then one more.
    let fail = |after| Plan::Fail { after, sender_fault: false };
    let (server, queue) = start([Plan::Take, fail(5), fail(1), fail(0)]).await;
    let error = send(&queue, 30).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (16, 30));
    assert_eq!(error.to_string(), "the queue confirmed 16 of 30 messages");
    assert!(matches!(
        error.problem,
        SendProblem::Unconfirmed { attempts: SEND_ATTEMPTS_MAX, ref code } if code == "InternalError"
    ));
    assert_eq!(server.entries_per_call(), [10, 10, 5, 4]);
}

#[tokio::test]
async fn our_own_mistakes_are_not_repeated() {
    let (server, queue) = start([Plan::Fail { after: 1, sender_fault: true }]).await;
    let error = send(&queue, 2).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (1, 2));
    assert!(matches!(error.problem, SendProblem::Refused(_)));
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_call_that_fails_says_why() {
    let (_, queue) = start([Plan::Take, Plan::Refuse(400)]).await;
    let error = send(&queue, 11).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (10, 11));
    let problem = error.problem.to_string();
    assert!(problem.contains("QueueDoesNotExist"), "{problem}");
    assert!(problem.contains("no such queue"), "{problem}");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error() {
    let (listener, url) = harness::http::listener().await;
    drop(listener);
    let error = send(&queue_at(&url), 1).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (0, 1));
    assert!(matches!(error.problem, SendProblem::Call(_)));
}
