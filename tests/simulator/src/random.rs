//! Identifiers and noise, the same on every run when a seed is given.

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// SplitMix64: enough for names and salts, nothing here protects anything.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// A source that repeats itself for equal seeds, or never when there is none.
    pub(crate) fn new(seed: Option<u64>, stream: u64) -> Self {
        let state = seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        // Two streams of one seed, so that noise (entropy, tokens) cannot shift the identifiers.
        Self { state: state ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        let (first, second) = bytes.split_at_mut(8);
        first.copy_from_slice(&self.next().to_be_bytes());
        second.copy_from_slice(&self.next().to_be_bytes());
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let index = self.below(choices.len());
        &choices[index]
    }

    /// A number from 0 up to but not including `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// `count` capital letters.
    pub(crate) fn capitals(&mut self, count: usize) -> String {
        const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        (0..count).map(|_| char::from(*self.pick(LETTERS))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_ids_and_different_streams_do_not() {
        let mut first = Random::new(Some(7), 1);
        let mut again = Random::new(Some(7), 1);
        let mut other = Random::new(Some(7), 2);

        let id = first.uuid();

        assert_eq!(id, again.uuid());
        assert_ne!(id, other.uuid());
        assert_eq!(id.get_version_num(), 4);
    }

    #[test]
    fn entropy_is_capital_letters_only() {
        let letters = Random::new(None, 0).capitals(20);

        assert_eq!(letters.len(), 20);
        assert!(letters.bytes().all(|letter| letter.is_ascii_uppercase()));
    }
}
