//! Dead-letter queues, looked at and emptied on the word of a person. The loop is our own, one message after
//! the other: each is recorded, and nothing is lost wherever it ends (infra/decisions/0014).

use std::collections::BTreeMap;
use std::time::Duration;

use host::telemetry;
use jiff::Timestamp;
use payments::Occurrence;
use queue::{
    Changes, DeadLetter, DeadLetterError, DeadLetters, Depth, Letters, MessageSubject, QueueName,
    about,
};
use table::{AuditEntry, DISCARDED, Parked, in_parts};

use crate::answer::{DiscardAnswer, LetterAnswer, RedriveAnswer};
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

/// How long a message is hidden from others while it is looked at: longer than that takes, and short if we
/// die meanwhile.
const HIDDEN_FOR: Duration = Duration::from_secs(60);
/// Most messages that are looked at in one go. What they are is held in memory.
const LOOKED_AT_MAX: usize = 200;
/// Most messages that are sent again in one go.
const REDRIVEN_MAX: usize = 1_000;

/// Messages that were found, each once, by their ids; and whether there may be more.
type Found = BTreeMap<String, DeadLetter>;

impl<C: Changes, Q: Letters + DeadLetters> Sweeper<C, Q> {
    /// Returns the messages in a dead-letter queue. Afterwards others can receive all of them as before.
    pub(crate) async fn look_at(
        &self,
        queue: QueueName,
        deadline: Timestamp,
    ) -> Result<RedriveAnswer, HandleError> {
        let (found, looked) = self.find(queue, deadline, |_| false).await;
        self.put_back(queue, found.values()).await;
        looked?;
        let depth = self.letters.depth(queue).await?;
        let mut letters: Vec<_> = found.values().collect();
        letters.sort_by_key(|letter| letter.sent_at);
        let letters = letters.into_iter().map(|letter| shown(queue, letter, depth)).collect();
        let left = total(depth);
        Ok(RedriveAnswer {
            queue: queue.code(),
            preview: true,
            redriven: 0,
            left,
            letters,
            problem: None,
        })
    }

    /// Sends the messages in a dead-letter queue to its queue again. For each message in this order: it is on
    /// the queue, it is in the log, it is out of the dead-letter queue. A process that ends in between leaves a
    /// message that is sent twice; the functions take each message in once.
    pub(crate) async fn redrive(
        &self,
        queue: QueueName,
        said: &Said,
        deadline: Timestamp,
    ) -> Result<RedriveAnswer, HandleError> {
        let before = self.letters.depth(queue).await?;
        let mut letters = Vec::new();
        let ended = self.redrive_all(queue, said, deadline, before, &mut letters).await;
        // A person reads the answer: what was done, and why that was not all.
        let problem = ended.err().map(|error| telemetry::chain(&error));
        let left = total(self.letters.depth(queue).await?);
        let redriven = letters.len();
        tracing::info!(queue = queue.code(), redriven, left, problem, "dead letters sent again");
        Ok(RedriveAnswer { queue: queue.code(), preview: false, redriven, left, letters, problem })
    }

    async fn redrive_all(
        &self,
        queue: QueueName,
        said: &Said,
        deadline: Timestamp,
        depth: Depth,
        done: &mut Vec<LetterAnswer>,
    ) -> Result<(), HandleError> {
        loop {
            let found = self.letters.look(queue, HIDDEN_FOR).await?;
            if found.is_empty() {
                return Ok(());
            }
            let mut rest = found.iter();
            for letter in rest.by_ref() {
                if done.len() >= REDRIVEN_MAX || self.is_short_of_time(deadline) {
                    self.put_back(queue, std::iter::once(letter).chain(rest)).await;
                    return Ok(());
                }
                if let Err(error) = self.redrive_one(queue, letter, said).await {
                    self.put_back(queue, std::iter::once(letter).chain(rest)).await;
                    return Err(error);
                }
                done.push(shown(queue, letter, depth));
            }
        }
    }

    async fn redrive_one(
        &self,
        queue: QueueName,
        letter: &DeadLetter,
        said: &Said,
    ) -> Result<(), HandleError> {
        self.letters.post(queue, &letter.letter).await.map_err(HandleError::NotSent)?;
        let order = self.order(Occurrence::Redriven, letter, queue, said);
        let whose = about(queue, &letter.letter.body).organisation;
        self.tables.log_order(whose, &order).await.map_err(|error| tables(&error))?;
        Ok(self.letters.take_out(queue, letter).await?)
    }

    /// Takes one message out of a dead-letter queue. It is parked in full first, with who and why.
    pub(crate) async fn discard(
        &self,
        queue: QueueName,
        message: &str,
        said: &Said,
        deadline: Timestamp,
    ) -> Result<DiscardAnswer, HandleError> {
        let (mut found, looked) = self.find(queue, deadline, |letter| letter.id == message).await;
        let wanted = found.remove(message);
        self.put_back(queue, found.values()).await;
        looked?;
        let Some(letter) = wanted else {
            return Err(HandleError::NoSuchLetter { message: message.to_owned(), queue });
        };
        let told = match self.discard_one(queue, &letter, said).await {
            Ok(told) => told,
            Err(error) => {
                self.put_back(queue, std::iter::once(&letter)).await;
                return Err(error);
            }
        };
        let depth = self.letters.depth(queue).await?;
        tracing::info!(queue = queue.code(), message.id = message, "a dead letter discarded");
        let whose = told.organisation.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        Ok(DiscardAnswer {
            discarded: shown(queue, &letter, depth),
            parked_under: whose,
            left: total(depth),
        })
    }

    async fn discard_one(
        &self,
        queue: QueueName,
        letter: &DeadLetter,
        said: &Said,
    ) -> Result<MessageSubject, HandleError> {
        let told = about(queue, &letter.letter.body);
        let order = self.order(Occurrence::Discarded, letter, queue, said);
        let detail =
            format!("received {} times in vain, and discarded by a person", letter.receives);
        let parts = in_parts(&letter.letter.body);
        for (position, body) in parts.iter().enumerate() {
            let id = match parts.len() {
                1 => letter.id.clone(),
                _ => format!("{}#{:03}", letter.id, position + 1),
            };
            let parked = Parked {
                organisation: told.organisation,
                id: &id,
                by: "sweep",
                reason: DISCARDED,
                detail: &detail,
                body: body.as_bytes(),
                received_at: letter.sent_at.unwrap_or(order.at),
            };
            let kept = self.tables.park_discarded(&parked, queue.code(), &order).await;
            kept.map_err(|error| tables(&error))?;
        }
        self.letters.take_out(queue, letter).await?;
        Ok(told)
    }

    /// Looks for messages until the last of them is found, or all are, or as many as there may be. Messages
    /// found before something went wrong are returned, too: they have to be put back.
    async fn find(
        &self,
        queue: QueueName,
        deadline: Timestamp,
        is_last: impl Fn(&DeadLetter) -> bool,
    ) -> (Found, Result<(), DeadLetterError>) {
        let mut found = Found::new();
        while found.len() < LOOKED_AT_MAX && !self.is_short_of_time(deadline) {
            let letters = match self.letters.look(queue, HIDDEN_FOR).await {
                Ok(letters) => letters,
                Err(error) => return (found, Err(error)),
            };
            let before = found.len();
            let mut is_over = letters.is_empty();
            for letter in letters {
                is_over |= is_last(&letter);
                found.insert(letter.id.clone(), letter);
            }
            // Those that were hidden first can be had again: we have been around.
            if is_over || found.len() == before {
                break;
            }
        }
        (found, Ok(()))
    }

    /// One that cannot be put back can be had again in a minute.
    async fn put_back(&self, queue: QueueName, letters: impl Iterator<Item = &DeadLetter>) {
        for letter in letters {
            if let Err(error) = self.letters.put_back(queue, letter).await {
                tracing::warn!(error = %error, "a dead letter is hidden for a minute");
            }
        }
    }

    fn order<'a>(
        &self,
        action: Occurrence,
        letter: &'a DeadLetter,
        queue: QueueName,
        said: &'a Said,
    ) -> AuditEntry<'a> {
        let Said { by, why } = said;
        AuditEntry {
            action,
            subject: &letter.id,
            reason: queue.code(),
            by,
            why,
            at: self.clock.now(),
        }
    }
}

fn shown(queue: QueueName, letter: &DeadLetter, depth: Depth) -> LetterAnswer {
    let told = about(queue, &letter.letter.body);
    LetterAnswer {
        message: letter.id.clone(),
        organisation: told.organisation,
        kind: told.kind,
        subject: told.subject,
        invoices: told.invoices,
        rows_from: told.written.map(|(from, _)| from),
        rows_to: told.written.map(|(_, to)| to),
        sent_at: letter.sent_at,
        kept_until: letter.sent_at.and_then(|sent_at| sent_at.checked_add(depth.kept_for).ok()),
        receives: letter.receives,
    }
}

fn total(depth: Depth) -> u32 {
    depth.visible.saturating_add(depth.hidden)
}
