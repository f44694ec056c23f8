//! Messages as texts, against an SQS in memory: what is looked at can be had again, what is sent again is
//! the same to the byte.

use std::time::Duration;

use harness::sqs::Queues;
use queue::{AllQueues, Attribute, DeadLetters as _, Letter, Letters as _, QueueName, QueueUrls};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_text_arrives_byte_for_byte_with_what_is_beside_it() {
    let queues = Queues::new().await;
    let body = "{ \"version\":1,\r\n\t\"name\" : \"Zoë & <Söhne> 👍\"}  ";
    let letter = Letter::new(body.to_owned()).with("Mark", "1 2026#m".to_owned());
    queues.all.post(QueueName::Intake, &letter).await.unwrap();
    let seen = queues.seen("intake").await;
    assert_eq!(seen[0].body, body);
    assert_eq!(seen[0].beside["Mark"], "1 2026#m");
    assert!(!format!("{letter:?}").contains("Zo"), "N9");
}

#[tokio::test]
async fn what_is_looked_at_is_hidden_from_others_until_it_is_put_back() {
    let queues = Queues::new().await;
    let of = QueueName::Changes;
    for n in 0..12 {
        queues.put("changes-dlq", &format!("message {n:02}")).await;
    }
    let mut found = queues.all.look(of, MINUTE).await.unwrap();
    found.extend(queues.all.look(of, MINUTE).await.unwrap());
    assert_eq!(found.len(), 12);
    assert!(queues.bodies("changes-dlq").await.is_empty(), "hidden");
    let depth = queues.all.depth(of).await.unwrap();
    assert_eq!((depth.visible, depth.hidden), (0, 12));
    assert_eq!(depth.kept_for, Duration::from_secs(14 * 24 * 60 * 60));
    for letter in &found {
        assert_eq!(letter.receives, 1);
        assert!(letter.sent_at.is_some());
        queues.all.put_back(of, letter).await.unwrap();
    }
    assert_eq!(queues.bodies("changes-dlq").await.len(), 12);
}

#[tokio::test]
async fn what_is_taken_out_is_gone_and_nothing_else() {
    let queues = Queues::new().await;
    let of = QueueName::Uploads;
    for body in ["one", "two"] {
        queues.put("uploads-dlq", body).await;
    }
    let found = queues.all.look(of, MINUTE).await.unwrap();
    let one = found.iter().find(|letter| letter.letter.body == "one").unwrap();
    queues.all.take_out(of, one).await.unwrap();
    let two = found.iter().find(|letter| letter.letter.body == "two").unwrap();
    queues.all.put_back(of, two).await.unwrap();
    assert_eq!(queues.bodies("uploads-dlq").await, ["two"]);
}

#[tokio::test]
async fn what_lies_beside_a_dead_letter_goes_with_it() {
    let queues = Queues::new().await;
    let url = Some(queues.urls["intake-dlq"].clone());
    let in_a_circle = QueueUrls { queue: url.clone(), dead_letters: url };
    let circle = AllQueues::new(queues.client.clone(), [(QueueName::Intake, in_a_circle)]);
    let mut letter = Letter::new("body".to_owned()).with("Mark", "x".to_owned());
    let bytes = Attribute { kind: "Binary".to_owned(), text: None, bytes: Some(vec![0, 255]) };
    letter.attributes.insert("Bytes".to_owned(), bytes);

    circle.post(QueueName::Intake, &letter).await.unwrap();
    let once = circle.look(QueueName::Intake, MINUTE).await.unwrap().remove(0);
    circle.post(QueueName::Intake, &once.letter).await.unwrap();

    assert_eq!(circle.look(QueueName::Intake, MINUTE).await.unwrap()[0].letter, letter);
}

#[tokio::test]
async fn nothing_can_be_sent_to_what_is_a_dead_letter_queue_alone() {
    let queues = Queues::new().await;
    let error = queues.all.post(QueueName::Schedules, &Letter::new("x".to_owned())).await;
    assert_eq!(error.unwrap_err().confirmed, 0);
    assert!(!QueueName::Schedules.takes_messages());
    assert!(queues.all.look(QueueName::Schedules, MINUTE).await.unwrap().is_empty());
}
