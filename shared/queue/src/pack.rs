//! Making messages that are small enough, however much there is to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::OrganisationId;
use sha2::{Digest as _, Sha256};

use crate::message::{InvoiceChange, InvoiceChanges, Message, Noted, NotedReason, UnreadablePart};

/// Most invoices in one message: five calls to Xero with 40 ids each, about what one invocation of
/// the consumer can do. In text that is 28 KiB at most, so ten messages make one call to SQS.
pub const INVOICES_PER_MESSAGE_MAX: usize = 200;
/// Most raw bytes in one part of an unreadable body: 200,000 characters of base64, which with
/// the rest of the message stays below 200 KiB.
pub const PART_BYTES_MAX: usize = 150_000;
/// Longest account of what is wrong with a body, in characters; a character may take 12 bytes.
pub const PROBLEM_CHARS_MAX: usize = 200;
/// Most reasons in one note. There are half a dozen categories; a hundred means nonsense.
pub const NOTED_REASONS_MAX: usize = 50;
/// Longest category or code in a note, in characters.
pub const NOTED_CHARS_MAX: usize = 64;
/// The reason that stands for all those which no longer fit into a note.
pub const REASON_REST: &str = "other_reasons";

impl InvoiceChanges {
    /// Messages of at most [`INVOICES_PER_MESSAGE_MAX`] invoices, each invoice in one of them
    /// and only once; none if there are no invoices.
    pub fn pack(self) -> Vec<Message> {
        let mut positions = BTreeMap::new();
        let mut unique: Vec<InvoiceChange> = Vec::with_capacity(self.invoices.len());
        for change in &self.invoices {
            match positions.get(&change.id) {
                Some(&position) => {
                    let known: &mut InvoiceChange = &mut unique[position];
                    known.absorb(change);
                }
                None => {
                    positions.insert(change.id, unique.len());
                    unique.push(*change);
                }
            }
        }
        let of = |invoices: &[InvoiceChange]| {
            Message::Invoices(Self { invoices: invoices.to_vec(), ..self.clone_head() })
        };
        unique.chunks(INVOICES_PER_MESSAGE_MAX).map(of).collect()
    }

    const fn clone_head(&self) -> Self {
        Self {
            organisation: self.organisation,
            cause: self.cause,
            accepted_at: self.accepted_at,
            not_before: self.not_before,
            invoices: Vec::new(),
        }
    }
}

impl UnreadablePart {
    /// The whole body in parts of at most [`PART_BYTES_MAX`] bytes; at least one, even if the
    /// body is empty.
    pub fn pack(body: &[u8], received_at: Timestamp, problem: &str) -> Vec<Message> {
        let delivery = hex(&Sha256::digest(body));
        let problem: String = problem.chars().take(PROBLEM_CHARS_MAX).collect();
        let chunks: Vec<&[u8]> =
            if body.is_empty() { vec![body] } else { body.chunks(PART_BYTES_MAX).collect() };
        // Four thousand million parts do not fit into memory.
        let parts = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let part_of = |(part, bytes): (u32, &[u8])| {
            Message::Unreadable(Self {
                delivery: delivery.clone(),
                received_at,
                part,
                parts,
                problem: problem.clone(),
                bytes: bytes.to_vec(),
            })
        };
        (1..=parts).zip(chunks).map(part_of).collect()
    }
}

impl Noted {
    /// One message with these reasons: equal ones added up, texts clipped, and what exceeds
    /// [`NOTED_REASONS_MAX`] counted under [`REASON_REST`]. None if there are no reasons.
    pub fn pack(
        organisation: Option<OrganisationId>,
        received_at: Timestamp,
        reasons: impl IntoIterator<Item = NotedReason>,
    ) -> Option<Message> {
        let mut counts: BTreeMap<(String, Option<String>), u32> = BTreeMap::new();
        for NotedReason { code, category, count } in reasons {
            let mut key = (clip(&code), category.as_deref().map(clip));
            // The last place is kept for the rest.
            if counts.len() >= NOTED_REASONS_MAX - 1 && !counts.contains_key(&key) {
                key = (REASON_REST.to_owned(), None);
            }
            let known = counts.entry(key).or_default();
            *known = known.saturating_add(count);
        }
        let reasons: Vec<NotedReason> = counts
            .into_iter()
            .map(|((code, category), count)| NotedReason { code, category, count })
            .collect();
        (!reasons.is_empty()).then_some(Message::Noted(Self { organisation, received_at, reasons }))
    }
}

fn clip(text: &str) -> String {
    text.chars().take(NOTED_CHARS_MAX).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
