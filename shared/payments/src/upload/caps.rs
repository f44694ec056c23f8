//! How many payments may go: 200 a night, never 400 around noon, 4,000 attempts in 30 days.
//!
//! A reservation is made before anything is sent. A reserved slot counts until it is proven that
//! nothing came of it: an unknown outcome counts as used.

use jiff::{SignedDuration, Timestamp};

use super::night::Night;
use crate::ids::OrganisationId;

/// Most payments in a night (EX-31).
pub const NIGHTLY_MAX: u32 = 200;
/// Two nights may touch at noon, so that no 20 hours may hold more than a night's worth either. Not
/// 24: the night in which clocks go forward has 23, and a run may begin a little earlier than the one before.
pub const GUARD_WINDOW: SignedDuration = SignedDuration::from_hours(20);
/// Most attempts in [`ATTEMPTS_WINDOW`]; one more switches uploading off (EX-32).
pub const ATTEMPTS_MAX: u32 = 4000;
/// Thirty times 24 hours, rolling (AMB-12).
pub const ATTEMPTS_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The pace that never reaches [`ATTEMPTS_MAX`]. 31 nightly runs fit into 30 times 24 hours as soon as one
/// begins a second earlier than the first of them, so that 133 a night, which is 4,000 by 30, can.
pub const NEVER_TRIPS_PER_NIGHT: u32 = ATTEMPTS_MAX / 31;
/// Most reservations that are kept one by one. A night makes about five, a direct post one; if there are
/// more, those of an hour are kept as one, and then those of two hours, and so on.
pub const RESERVATIONS_MAX: usize = 1000;

/// Longer than any window, so that a clock that was wrong for a day loses nothing.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(33 * 24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Percentages of [`ATTEMPTS_MAX`] at which operators get a warning (AMB-09).
const WARNINGS: [u8; 3] = [95, 90, 75];

/// What payments are sent for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendMode {
    /// A night's upload.
    Nightly(Night),
    /// At once: outside of the night's number, but an attempt like any other (AMB-10).
    Direct,
}

/// Payments that were reserved together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// When.
    pub at: Timestamp,
    /// For which night; none for direct posts.
    pub night: Option<Night>,
    /// How many of them may have come into being in Xero.
    pub slots: u32,
    /// How many of them were attempts.
    pub attempts: u32,
}

/// What one payment had reserved and nothing came of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReleasedSlot {
    /// What it was reserved for.
    pub sending: SendMode,
    /// When it was reserved.
    pub reserved_at: Timestamp,
    /// Whether its slot is free: nothing of it came into being in Xero.
    pub slot: bool,
    /// Whether it was no attempt either: nothing of it was ever sent.
    pub attempt: bool,
}

/// Uploading is off for the organisation, until a person switches it on again (EX-32).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// What one organisation has used of its caps. Written only on the condition that its revision is
/// the one that was read, so that two runs never both get the last slot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caps {
    /// Whose.
    pub organisation: OrganisationId,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// In the order of time.
    pub reservations: Vec<Reservation>,
    /// Whether uploading is off.
    pub disabled: Option<Disabled>,
    /// The highest percentage of the attempts of which operators have been warned.
    pub warned: u8,
}

/// How many of the wanted payments may be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// So many.
    pub count: u32,
    /// The caps afterwards; `None` if nothing has to be written.
    pub caps: Option<Caps>,
    /// A percentage of the attempts of which operators are to be warned now.
    pub warn: Option<u8>,
}

impl Caps {
    /// Of an organisation that has sent nothing yet.
    pub fn unused(organisation: OrganisationId) -> Self {
        Self { organisation, revision: 0, reservations: Vec::new(), disabled: None, warned: 0 }
    }

    /// The slots used in a night.
    pub fn used_in(&self, night: Night) -> u32 {
        sum(self
            .reservations
            .iter()
            .filter(|made| made.night == Some(night))
            .map(|made| made.slots))
    }

    /// The slots used in the last 20 hours.
    pub fn used_lately(&self, now: Timestamp) -> u32 {
        sum(self.since(now, GUARD_WINDOW).map(|made| made.slots))
    }

    /// The attempts of the last 30 days.
    pub fn attempts(&self, now: Timestamp) -> u32 {
        sum(self.since(now, ATTEMPTS_WINDOW).map(|made| made.attempts))
    }

    /// What still fits into the night, as far as the night's number and the 20 hours go.
    pub fn left(&self, night: Night, nightly_max: u32, now: Timestamp) -> u32 {
        let of_night = nightly_max.min(NIGHTLY_MAX).saturating_sub(self.used_in(night));
        of_night.min(NIGHTLY_MAX.saturating_sub(self.used_lately(now)))
    }

    /// Reserves for that many payments, or for as many of them as fit. The payment that would be one
    /// attempt too many switches uploading off; direct posts go on even then (AMB-13).
    pub fn reserve(
        &self,
        wanted: u32,
        sending: SendMode,
        nightly_max: u32,
        now: Timestamp,
    ) -> Granted {
        let none = Granted { count: 0, caps: None, warn: None };
        let attempts_left = ATTEMPTS_MAX.saturating_sub(self.attempts(now));
        let (count, night) = match sending {
            SendMode::Direct => (wanted, None),
            SendMode::Nightly(_) if self.disabled.is_some() => return none,
            SendMode::Nightly(night) => {
                let fits = wanted.min(self.left(night, nightly_max, now));
                if fits > 0 && attempts_left == 0 {
                    return Granted { caps: Some(self.off(now)), ..none };
                }
                (fits.min(attempts_left), Some(night))
            }
        };
        if count == 0 {
            return none;
        }
        let slots = if night.is_some() { count } else { 0 };
        let mut caps = self.clone();
        caps.add(Reservation { at: now, night, slots, attempts: count }, now);
        if caps.disabled.is_none() && count > attempts_left {
            caps = caps.off(now);
        }
        let warn = caps.warn(now);
        Granted { count, caps: Some(caps), warn }
    }

    /// Gives back what nothing came of.
    #[must_use]
    pub fn give_back(&self, freed: ReleasedSlot) -> Self {
        let night = match freed.sending {
            SendMode::Nightly(night) => Some(night),
            SendMode::Direct => None,
        };
        let mut caps = self.clone();
        let (mut slots, mut attempts) = (u32::from(freed.slot), u32::from(freed.attempt));
        let made = caps.reservations.iter_mut();
        // Reservations are only ever merged into later ones.
        for made in made.filter(|made| made.night == night && made.at >= freed.reserved_at) {
            take_back(&mut made.slots, &mut slots);
            take_back(&mut made.attempts, &mut attempts);
        }
        caps
    }

    /// Switches uploading on again; the attempts still count (AMB-12).
    #[must_use]
    pub fn on(&self) -> Self {
        Self { disabled: None, ..self.clone() }
    }

    fn off(&self, now: Timestamp) -> Self {
        let why = format!("more than {ATTEMPTS_MAX} attempts in 30 days");
        Self { disabled: Some(Disabled { at: now, why }), ..self.clone() }
    }

    /// A reservation from the future, which a clock that stepped back has left, counts as well.
    fn since(&self, now: Timestamp, window: SignedDuration) -> impl Iterator<Item = &Reservation> {
        let from = now.saturating_sub(window).unwrap_or(Timestamp::MIN);
        self.reservations.iter().filter(move |made| made.at > from)
    }

    fn add(&mut self, new: Reservation, now: Timestamp) {
        let from = now.saturating_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
        self.reservations.retain(|made| made.at > from);
        self.reservations.push(new);
        self.reservations.sort_by_key(|made| made.at);
        let mut span = HOUR;
        while self.reservations.len() > RESERVATIONS_MAX && span < KEPT_FOR {
            self.merge_within(span);
            span = span.saturating_mul(2);
        }
    }

    /// Makes one of those that were made for the same night within the same span of time, at the latest
    /// moment of them: they count as many, and no longer than a span longer than they would have to.
    /// (Merging into the next one, whenever that is, would carry the oldest along for ever.)
    fn merge_within(&mut self, span: SignedDuration) {
        let span_of = |at: Timestamp| at.as_second().div_euclid(span.as_secs());
        let mut kept: Vec<Reservation> = Vec::new();
        for older in self.reservations.drain(..).rev() {
            let mut same_span =
                kept.iter_mut().rev().take_while(|kept| span_of(kept.at) == span_of(older.at));
            match same_span.find(|kept| kept.night == older.night) {
                Some(newer) => {
                    newer.slots = newer.slots.saturating_add(older.slots);
                    newer.attempts = newer.attempts.saturating_add(older.attempts);
                }
                None => kept.push(older),
            }
        }
        kept.reverse();
        self.reservations = kept;
    }

    /// The percentage to warn of, once; it warns again after the attempts have gone down.
    fn warn(&mut self, now: Timestamp) -> Option<u8> {
        let attempts = u64::from(self.attempts(now)) * 100;
        let reached = WARNINGS
            .into_iter()
            .find(|percent| attempts >= u64::from(*percent) * u64::from(ATTEMPTS_MAX));
        let reached = reached.unwrap_or(0);
        let news = (reached > self.warned).then_some(reached);
        self.warned = reached;
        news
    }
}

fn take_back(made: &mut u32, wanted: &mut u32) {
    let back = (*made).min(*wanted);
    *made = made.saturating_sub(back);
    *wanted = wanted.saturating_sub(back);
}

fn sum(counts: impl Iterator<Item = u32>) -> u32 {
    counts.fold(0, u32::saturating_add)
}
