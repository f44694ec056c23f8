//! Changes of rows that another process changes at the same time.

use crate::error::WriteError;

/// How often such a change is tried at once. Each time another writer has won, so that there is progress; after so
/// many, the caller's queue or schedule calms things down.
pub const RACES_MAX: u32 = 8;

/// The tries of a change that reads, decides and writes, and does so again while another writer wins.
///
/// ```text
/// let mut races = Races::default();
/// loop {
///     let known = …;
///     if races.won(tables.store(…).await)?.is_some() {
///         return Ok(…);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Races {
    most: u32,
    lost: u32,
}

impl Races {
    /// At most so many tries.
    pub const fn up_to(most: u32) -> Self {
        Self { most, lost: 0 }
    }

    /// What was written; `None` if another writer has won: what was read is to be read again, and decided again.
    ///
    /// # Errors
    /// `LostRaces` after the last try, and any other error of the write.
    pub fn won<T>(&mut self, written: Result<T, WriteError>) -> Result<Option<T>, WriteError> {
        match written {
            Ok(written) => Ok(Some(written)),
            Err(error) => self.lost(error).map(|()| None),
        }
    }

    /// The same for a write that did not succeed.
    ///
    /// # Errors
    /// As [`Races::won`].
    pub fn lost(&mut self, error: WriteError) -> Result<(), WriteError> {
        if !matches!(error, WriteError::Conflict) {
            return Err(error);
        }
        self.lost = self.lost.saturating_add(1);
        if self.lost < self.most { Ok(()) } else { Err(WriteError::LostRaces(self.lost)) }
    }
}

impl Default for Races {
    fn default() -> Self {
        Self::up_to(RACES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_made_again_while_another_writer_wins() {
        let mut races = Races::default();
        for _ in 1..RACES_MAX {
            assert_eq!(races.won::<u8>(Err(WriteError::Conflict)).unwrap(), None);
        }
        assert_eq!(races.won(Ok(7)).unwrap(), Some(7));
    }

    #[test]
    fn after_the_last_try_the_error_says_how_often_it_lost() {
        let mut races = Races::up_to(3);
        let mut lose = || races.won::<()>(Err(WriteError::Conflict));
        assert!(lose().is_ok() && lose().is_ok());
        let lost = lose().unwrap_err();
        assert_eq!(lost.to_string(), "lost the race for the same rows 3 times in a row");
    }

    #[test]
    fn another_error_is_none_of_a_race() {
        let error = WriteError::Malformed("wrong".into());
        assert!(matches!(Races::default().won::<()>(Err(error)), Err(WriteError::Malformed(_))));
    }
}
