//! The evidence about what was sent: answers to calls, and reads of Xero that do or do not show it.

use jiff::{SignedDuration, Timestamp};

use super::ledger::Upload;
use super::part::{Absence, LedgerError, PartState, SURE_AFTER, WriteOutcome};

/// How many reads must not show a part before it is sent again.
const ABSENCES_NEEDED: u32 = 2;
/// How far apart those reads are: one that is served from a stale copy shall not be followed by another
/// from the same copy.
const LOOKS_APART: SignedDuration = SignedDuration::from_secs(60);

/// How long a look waits after one that was in doubt, in addition to [`LOOKS_APART`].
const DOUBTS_APART: SignedDuration = SignedDuration::from_mins(59);

/// With how many keys a part is sent before a person has to look at it.
const TRIES_MAX: u32 = 5;

impl Upload {
    /// Records the outcome of a part's call. `again` says that the call was one of several with the
    /// same bytes and key: a refusal is then no proof any more, because it may be the echo of an
    /// earlier one that went through. The same holds for a part that has been sent before.
    ///
    /// # Errors
    /// There is no such part, or it has not been sent.
    pub fn answer(
        &mut self,
        number: u32,
        answer: WriteOutcome,
        again: bool,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let from = self.state;
        let part = self.part_mut(number)?;
        if !matches!(part.state, PartState::Sent | PartState::Unknown) {
            return Err(LedgerError::State { from, what: "answered" });
        }
        // Once it is unknown what came of a call, another answer is about another call.
        let only_call = part.tries == 1 && !again && part.state == PartState::Sent;
        match answer {
            WriteOutcome::Placed(placed) => {
                part.state = PartState::Done;
                part.placed = Some(placed);
                part.refusal = None;
            }
            WriteOutcome::Refused(why) => {
                part.state = if only_call { PartState::Refused } else { PartState::Unknown };
                part.refusal = Some(why);
            }
            WriteOutcome::TurnedAway if only_call => {
                part.state = PartState::Planned;
                part.tries = 0;
            }
            WriteOutcome::TurnedAway | WriteOutcome::Unclear => part.state = PartState::Unknown,
        }
        self.follow_parts(now);
        Ok(())
    }

    /// The same bytes were sent once more, with the same key: what a read has to miss counts from then.
    ///
    /// # Errors
    /// There is no such part, or it has not been sent.
    pub fn sent_again(&mut self, number: u32, at: Timestamp) -> Result<(), LedgerError> {
        let from = self.state;
        let part = self.part_mut(number)?;
        if part.state != PartState::Sent {
            return Err(LedgerError::State { from, what: "sent again" });
        }
        part.sent_at = Some(at);
        Ok(())
    }

    /// A read of Xero that was started at `looked_at` did not show a part whose fate is not known.
    ///
    /// # Errors
    /// There is no such part, or its fate is known.
    pub fn absent(
        &mut self,
        number: u32,
        looked_at: Timestamp,
        now: Timestamp,
    ) -> Result<Absence, LedgerError> {
        let from = self.state;
        let part = self.part_mut(number)?;
        if !matches!(part.state, PartState::Sent | PartState::Unknown) {
            return Err(LedgerError::State { from, what: "looked for" });
        }
        let after = |start: Option<Timestamp>, wait| {
            start.is_none_or(|start| looked_at.duration_since(start) >= wait)
        };
        let absence = if !after(part.sent_at, SURE_AFTER) || !after(part.looked_at, LOOKS_APART) {
            part.state = PartState::Unknown;
            Absence::TooEarly
        } else {
            part.absences = part.absences.saturating_add(1);
            part.looked_at = Some(looked_at);
            if part.absences < ABSENCES_NEEDED {
                part.state = PartState::Unknown;
                Absence::LookAgain
            } else {
                if part.tries >= TRIES_MAX && part.refusal.is_none() {
                    part.refusal = Some(format!("sent {TRIES_MAX} times, and never found there"));
                }
                part.state = match part.refusal {
                    Some(_) => PartState::Refused,
                    None => PartState::Planned,
                };
                Absence::NotThere
            }
        };
        self.follow_parts(now);
        Ok(absence)
    }

    /// A read of Xero showed something that cannot be read and may be the part: it proves nothing, and the next
    /// read is made an hour later, since only a person can mend that (AMB-30).
    ///
    /// # Errors
    /// There is no such part, or its fate is known.
    pub fn in_doubt(&mut self, number: u32, now: Timestamp) -> Result<(), LedgerError> {
        let from = self.state;
        let part = self.part_mut(number)?;
        if !matches!(part.state, PartState::Sent | PartState::Unknown) {
            return Err(LedgerError::State { from, what: "looked for" });
        }
        part.state = PartState::Unknown;
        part.looked_at = now.saturating_add(DOUBTS_APART).ok();
        self.follow_parts(now);
        Ok(())
    }

    /// When a read of Xero will be the next piece of evidence; `None` if nothing is unknown.
    pub fn look_at(&self) -> Option<Timestamp> {
        let unknown = self
            .parts
            .iter()
            .filter(|part| matches!(part.state, PartState::Sent | PartState::Unknown));
        unknown
            .filter_map(|part| {
                let sure = part.sent_at?.saturating_add(SURE_AFTER).ok()?;
                let apart = part.looked_at.and_then(|at| at.saturating_add(LOOKS_APART).ok());
                Some(apart.map_or(sure, |apart| apart.max(sure)))
            })
            .min()
    }
}
