//! The EventBridge side of the port.
//!
//! `PutEvents` answers 200 even if it took only some of the entries, so the answer is read entry by entry, in
//! the order in which they were sent. Calls that fail as a whole have been retried by the SDK already.

use std::error::Error;
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata as _;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use payments::events::Announcement;

use crate::port::{Bus, PublishOutcome, PublishProblem};

/// The `source` of every event of ours.
pub const SOURCE: &str = "paymirror";
/// Most entries in one call; EventBridge's limit.
pub const BATCH_ENTRIES_MAX: usize = 10;
/// Most bytes in one call, all entries together: EventBridge's 256 KB, in the smaller of its two meanings.
pub const BATCH_BYTES_MAX: usize = 256_000;
/// How often an entry is sent if EventBridge answers without confirming it.
pub const SEND_ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; before the third it is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// As how many bytes EventBridge counts the time of an event.
const TIME_BYTES: usize = 14;
/// What EventBridge says of an entry that it will never take, however often it is sent.
const REFUSALS: [&str; 3] = ["InvalidArgument", "MalformedDetail", "RedactionFailure"];

/// The event bus.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: Client,
    /// Name or ARN.
    name: String,
}

/// One announcement, written.
struct Entry {
    /// Where it stands among all that are sent.
    position: usize,
    bytes: usize,
    written: PutEventsRequestEntry,
}

/// What EventBridge says of one entry.
enum PutOutcome {
    Accepted,
    Refused(String),
    Again(String),
}

/// As how large EventBridge counts an event whose detail is this text.
pub fn event_bytes(announcement: &Announcement, detail: &str) -> usize {
    TIME_BYTES + SOURCE.len() + announcement.kind.code().len() + detail.len()
}

impl EventBus {
    /// The bus of this name.
    pub const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    fn write(&self, position: usize, announcement: &Announcement) -> Result<Entry, String> {
        let detail =
            serde_json::to_string(&announcement.detail).map_err(|error| error.to_string())?;
        let bytes = event_bytes(announcement, &detail);
        if bytes > BATCH_BYTES_MAX {
            return Err(format!("{bytes} bytes are more than {BATCH_BYTES_MAX}"));
        }
        let at = announcement.at;
        let written = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(announcement.kind.code())
            .detail(detail)
            .time(DateTime::from_millis(at.as_millisecond()))
            .build();
        Ok(Entry { position, bytes, written })
    }

    /// Sends one group until every entry is done, or was tried often enough; then the position of the first
    /// one that is not done.
    async fn send_group(
        &self,
        group: &[Entry],
        refused: &mut Vec<(usize, String)>,
    ) -> Result<(), (usize, PublishProblem)> {
        let mut waiting: Vec<&Entry> = group.iter().collect();
        let mut attempt = 1;
        loop {
            let answers = match self.call(&waiting).await {
                Ok(answers) => answers,
                Err(problem) => {
                    let first = waiting.first().map_or(0, |entry| entry.position);
                    return Err((first, problem));
                }
            };
            let mut again = Vec::new();
            let mut code = None;
            for (entry, answer) in waiting.into_iter().zip(answers) {
                match answer {
                    PutOutcome::Accepted => {}
                    PutOutcome::Refused(why) => refused.push((entry.position, why)),
                    PutOutcome::Again(why) => {
                        code.get_or_insert(why);
                        again.push(entry);
                    }
                }
            }
            let (Some(first), Some(code)) = (again.first(), code) else { return Ok(()) };
            if attempt == SEND_ATTEMPTS_MAX {
                return Err((
                    first.position,
                    PublishProblem::Unconfirmed { attempts: attempt, code },
                ));
            }
            tracing::warn!(
                bus.unconfirmed = again.len(),
                bus.attempt = attempt,
                bus.code = code,
                "the event bus did not confirm every entry; sending the rest again"
            );
            tokio::time::sleep(PAUSE * attempt).await;
            waiting = again;
            attempt += 1;
        }
    }

    async fn call(&self, waiting: &[&Entry]) -> Result<Vec<PutOutcome>, PublishProblem> {
        let entries = waiting.iter().map(|entry| entry.written.clone()).collect();
        let output = self
            .client
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| PublishProblem::Call(words(error.code(), &error)))?;
        // An entry of which the answer says nothing is not confirmed.
        let said = output.entries().iter().map(Some).chain(std::iter::repeat(None));
        Ok(said.take(waiting.len()).map(answer).collect())
    }
}

fn answer(said: Option<&PutEventsResultEntry>) -> PutOutcome {
    let Some(said) = said else {
        return PutOutcome::Again("not mentioned in the answer".to_owned());
    };
    match (said.event_id(), said.error_code()) {
        (_, Some(code)) if REFUSALS.contains(&code) => PutOutcome::Refused(code.to_owned()),
        (_, Some(code)) => PutOutcome::Again(code.to_owned()),
        (Some(_), None) => PutOutcome::Accepted,
        (None, None) => PutOutcome::Again("no event id in the answer".to_owned()),
    }
}

impl Bus for EventBus {
    async fn send(&self, announcements: &[Announcement]) -> PublishOutcome {
        let mut sending = PublishOutcome::default();
        let mut entries = Vec::with_capacity(announcements.len());
        for (position, announcement) in announcements.iter().enumerate() {
            match self.write(position, announcement) {
                Ok(entry) => entries.push(entry),
                Err(why) => sending.refused.push((position, why)),
            }
        }
        let mut rest = entries.as_slice();
        while !rest.is_empty() {
            let (group, others) = rest.split_at(group_len(rest));
            if let Err((first, problem)) = self.send_group(group, &mut sending.refused).await {
                sending.done = first;
                // The entries behind it are sent, and refused, another time.
                sending.refused.retain(|(position, _)| *position < first);
                sending.problem = Some(problem);
                sending.refused.sort();
                return sending;
            }
            rest = others;
        }
        sending.done = announcements.len();
        sending.refused.sort();
        sending
    }
}

/// How many entries go into the next call: at least one, since each one fits.
fn group_len(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += entry.bytes;
        bytes <= BATCH_BYTES_MAX
    };
    entries.iter().take(BATCH_ENTRIES_MAX).take_while(fits).count().max(1)
}

/// EventBridge's error code if it gave one, and every cause. The SDK's own `Display` says only "service error"
/// or "dispatch failure".
fn words(code: Option<&str>, error: &impl Error) -> String {
    let mut words = code.map_or_else(|| error.to_string(), |code| format!("{code}: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}
