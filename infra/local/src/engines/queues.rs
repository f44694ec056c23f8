//! The queues there are, and how each is set up.

use std::{collections::HashMap, time::Duration};

use anyhow::Context as _;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

/// Deliveries from Xero, on their way to the mirror.
pub const CHANGES: &str = "changes";
/// What the business's own system sends, on its way to the intake.
pub const INTAKE: &str = "intake";
/// Wakes the upload outside of its schedule.
pub const UPLOADS: &str = "uploads";

/// The work of a schedule, one message for each organisation.
pub const SCHEDULES: &str = "schedules";
/// What could not be announced: a dead-letter queue alone. Empty here, where nothing announces.
pub const EVENTS: &str = "events";

/// Every queue that a function is called for.
pub const ALL: [&str; 4] = [CHANGES, INTAKE, UPLOADS, SCHEDULES];

/// After this many receives a message moves to the dead-letter queue, as in the template.
pub const RECEIVES_MAX: u32 = 10;
/// How long a received message stays hidden unless it is deleted. The template says 722 s for
/// `changes`, 361 s for `intake` and more than 900 s for `uploads`; here a killed function's work comes back sooner.
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);
/// Fourteen days, the longest there is, as in the template.
const RETENTION_S: u32 = 1_209_600;

/// Region and account of everything local; both are part of every ARN.
pub const REGION: &str = "us-east-1";
/// The account of everything local.
pub const ACCOUNT: &str = "000000000000";

/// The dead-letter queue of `queue`.
#[must_use]
pub fn dead_letters_of(queue: &str) -> String {
    format!("{queue}-dlq")
}

/// Every queue with its attributes, dead-letter queues before the queues that name them.
#[must_use]
pub(crate) fn definitions(visibility: Duration) -> Vec<(String, HashMap<String, String>)> {
    let mut queues = Vec::new();
    for queue in ALL {
        let dead_letters = dead_letters_of(queue);
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{dead_letters}"),
            "maxReceiveCount": RECEIVES_MAX,
        });
        let retention = ("MessageRetentionPeriod".to_owned(), RETENTION_S.to_string());
        queues.push((dead_letters, HashMap::from([retention.clone()])));
        queues.push((
            queue.to_owned(),
            HashMap::from([
                retention,
                ("VisibilityTimeout".to_owned(), visibility.as_secs().to_string()),
                ("RedrivePolicy".to_owned(), redrive.to_string()),
            ]),
        ));
    }
    let retention = ("MessageRetentionPeriod".to_owned(), RETENTION_S.to_string());
    queues.push((dead_letters_of(EVENTS), HashMap::from([retention])));
    queues
}

/// Makes the queues in an engine that is not ours, where they are missing. One that is there keeps
/// the attributes that it has.
///
/// # Errors
///
/// The engine refuses.
pub(crate) async fn create(sqs: &aws_sdk_sqs::Client, visibility: Duration) -> anyhow::Result<()> {
    for (queue, attributes) in definitions(visibility) {
        if url(sqs, &queue).await.is_ok() {
            continue;
        }
        let attributes = attributes
            .into_iter()
            .map(|(name, value)| (QueueAttributeName::from(name.as_str()), value))
            .collect();
        sqs.create_queue()
            .queue_name(&queue)
            .set_attributes(Some(attributes))
            .send()
            .await
            .with_context(|| format!("cannot make the queue `{queue}`"))?;
    }
    Ok(())
}

/// The URL of `queue`.
///
/// # Errors
///
/// There is no such queue, or the engine does not answer.
pub async fn url(sqs: &aws_sdk_sqs::Client, queue: &str) -> anyhow::Result<String> {
    let answer = sqs
        .get_queue_url()
        .queue_name(queue)
        .send()
        .await
        .with_context(|| format!("cannot find the queue `{queue}`"))?;
    answer.queue_url.with_context(|| format!("the queue `{queue}` has no URL"))
}

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: u32,
    /// Received and neither deleted nor returned.
    pub in_flight: u32,
    /// Sent with a delay that has not passed.
    pub delayed: u32,
}

impl Depth {
    /// All messages, in any state.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.visible.saturating_add(self.in_flight).saturating_add(self.delayed)
    }

    /// There is no message at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.total() == 0
    }
}

/// How many messages the queue at `url` holds now.
///
/// # Errors
///
/// There is no such queue, or the engine does not answer.
pub async fn depth(sqs: &aws_sdk_sqs::Client, url: &str) -> anyhow::Result<Depth> {
    let answer = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .with_context(|| format!("cannot count the messages of {url}"))?;
    let count = |name: QueueAttributeName| {
        let text = answer.attributes.as_ref().and_then(|attributes| attributes.get(&name));
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Ok(Depth {
        visible: count(QueueAttributeName::ApproximateNumberOfMessages),
        in_flight: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        delayed: count(QueueAttributeName::ApproximateNumberOfMessagesDelayed),
    })
}
