//! The contents of the queues, on disk.
//!
//! The queue engine keeps its messages in memory. So that an accepted message outlives the process
//! (real SQS never loses one), every send, receive and delete is a line in a file before it is
//! answered, and at the next start what was sent and not deleted is sent again.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::queues::{RECEIVES_MAX, dead_letters_of};

/// One thing that happened to a message.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// It was accepted.
    Sent(Sent),
    /// It was handed to a consumer.
    Received {
        /// Identifier of the message.
        id: String,
    },
    /// It was deleted.
    Deleted {
        /// Identifier of the message.
        id: String,
    },
    /// Its whole queue was emptied.
    Purged {
        /// Name of the queue.
        queue: String,
    },
}

/// A message as it was sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Sent {
    /// Name of the queue.
    pub(super) queue: String,
    /// The identifier that the engine gave it.
    pub(super) id: String,
    /// When its delay is over, in milliseconds since 1970.
    pub(super) due_ms: i64,
    /// Its text.
    pub(super) body: String,
    /// Its own attributes, in the words of the SQS API.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) attributes: Value,
}

/// The file being written.
#[derive(Debug)]
pub(super) struct Journal {
    file: Mutex<File>,
    path: PathBuf,
    /// The name that it gets once everything of the previous file is in it.
    goal: PathBuf,
}

impl Journal {
    /// Begins a new file next to `path`; [`Self::replace`] puts it in its place.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Self> {
        let fresh = path.with_extension("new");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&fresh)
            .with_context(|| format!("cannot write {}", fresh.display()))?;
        Ok(Self { file: Mutex::new(file), path: fresh, goal: path.to_owned() })
    }

    /// Takes the place of the previous file, in one step.
    pub(super) fn replace(&self) -> anyhow::Result<()> {
        fs::rename(&self.path, &self.goal)
            .with_context(|| format!("cannot write {}", self.goal.display()))
    }

    /// Writes `entries` down. They outlive this process, not a power cut: that costs a disk flush
    /// per message and is not what a development machine needs.
    pub(super) fn write(&self, entries: &[Entry]) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&lines).context("cannot write down what is in the queues")
    }
}

/// The messages sent and not deleted according to the file at `path`, oldest first; none when
/// there is no such file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Sent>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut alive = Alive::default();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        match serde_json::from_str(&line) {
            Ok(entry) => alive.follow(index, entry),
            // Only the last line of a killed process can be cut short, and it was never answered.
            Err(error) => tracing::warn!(line = index, %error, "unreadable line of the queues"),
        }
    }
    Ok(alive.into_messages())
}

#[derive(Default)]
struct Alive {
    /// By identifier: place in the file, receives, message.
    messages: BTreeMap<String, (usize, u32, Sent)>,
}

impl Alive {
    fn follow(&mut self, index: usize, entry: Entry) {
        match entry {
            Entry::Sent(sent) => {
                self.messages.insert(sent.id.clone(), (index, 0, sent));
            }
            Entry::Received { id } => {
                if let Some((_, receives, sent)) = self.messages.get_mut(&id) {
                    *receives = receives.saturating_add(1);
                    // The engine moves it without telling; this is the rule it moves it by.
                    if *receives == RECEIVES_MAX && !sent.queue.ends_with("-dlq") {
                        sent.queue = dead_letters_of(&sent.queue);
                    }
                }
            }
            Entry::Deleted { id } => {
                self.messages.remove(&id);
            }
            Entry::Purged { queue } => self.messages.retain(|_, (_, _, sent)| sent.queue != queue),
        }
    }

    fn into_messages(self) -> Vec<Sent> {
        let mut messages: Vec<_> = self.messages.into_values().collect();
        messages.sort_by_key(|(index, _, _)| *index);
        messages.into_iter().map(|(_, _, sent)| sent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_sent(queue: &str, id: &str) -> Entry {
        Entry::Sent(Sent {
            queue: queue.to_owned(),
            id: id.to_owned(),
            due_ms: 0,
            body: format!("body of {id}"),
            attributes: Value::Null,
        })
    }

    fn left(entries: Vec<Entry>) -> Vec<(String, String)> {
        let mut alive = Alive::default();
        for (index, entry) in entries.into_iter().enumerate() {
            alive.follow(index, entry);
        }
        alive.into_messages().into_iter().map(|sent| (sent.queue, sent.id)).collect()
    }

    #[test]
    fn what_was_deleted_or_purged_is_gone_and_the_rest_keeps_its_order() {
        let entries = vec![
            sample_sent("changes", "z"),
            sample_sent("intake", "i"),
            sample_sent("changes", "a"),
            sample_sent("changes", "b"),
            Entry::Deleted { id: "a".to_owned() },
            Entry::Purged { queue: "intake".to_owned() },
        ];

        let expected = [("changes", "z"), ("changes", "b")];
        assert_eq!(left(entries), expected.map(|(q, id)| (q.to_owned(), id.to_owned())));
    }

    #[test]
    fn a_message_received_too_often_comes_back_in_the_dead_letter_queue() {
        let mut entries = vec![sample_sent("changes", "poison"), sample_sent("changes", "tired")];
        entries.extend((0..RECEIVES_MAX).map(|_| Entry::Received { id: "poison".to_owned() }));
        entries.extend((1..RECEIVES_MAX).map(|_| Entry::Received { id: "tired".to_owned() }));

        let expected = [("changes-dlq", "poison"), ("changes", "tired")];
        assert_eq!(left(entries), expected.map(|(q, id)| (q.to_owned(), id.to_owned())));
    }
}
