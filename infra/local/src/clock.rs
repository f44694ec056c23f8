//! The clock of everything on this machine: the machine's own, put forward when a night is played
//! that has not come yet.
//!
//! It only ever goes forward, and how far it is ahead is kept with the data: what is in the tables
//! must not lie in the future after a restart.

use std::{
    fmt::{self, Display},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xero_simulator::AdvancingClock;

/// File of the clock inside the data directory.
const FILE: &str = "clock.json";

/// A clock that can be put forward. Clones are one clock, and so is the simulator's in the same
/// process.
#[derive(Clone, Debug)]
pub struct LocalClock {
    advancing: AdvancingClock,
    file: Option<PathBuf>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    ahead_seconds: i64,
}

impl LocalClock {
    /// `advancing` as a clock that is kept under `data`: as far ahead as it was.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn open(advancing: AdvancingClock, data: Option<&Path>) -> anyhow::Result<Self> {
        let file = data.map(|data| data.join(FILE));
        let clock = Self { advancing, file };
        let missing = clock.kept()?.saturating_sub(clock.ahead());
        if missing.is_positive() {
            clock.advancing.advance(missing);
        }
        Ok(clock)
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.advancing.now()
    }

    /// How far it is ahead of the machine's own.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        self.advancing.ahead()
    }

    /// This clock in the shape that the functions take.
    #[must_use]
    pub fn for_functions(&self) -> host::clock::Clock {
        let clock = self.advancing.clone();
        host::clock::Clock::new(move || clock.now())
    }

    /// This clock in the shape that the simulator takes.
    pub(crate) fn for_simulator(&self) -> AdvancingClock {
        self.advancing.clone()
    }

    /// Puts it forward, and keeps that first: rather a file that is ahead of us than tables.
    ///
    /// # Errors
    ///
    /// `by` is negative, or the file cannot be written; then the clock is where it was.
    pub(crate) fn advance(&self, by: SignedDuration) -> anyhow::Result<()> {
        ensure!(!by.is_negative(), "the clock cannot be put back");
        self.keep(self.ahead().saturating_add(by))?;
        self.advancing.advance(by);
        Ok(())
    }

    /// Keeps how far it is ahead, in case another process has put it forward.
    pub(crate) fn save(&self) {
        if let Err(error) = self.keep(self.ahead()) {
            tracing::warn!(error = format!("{error:#}"), "the clock was not kept");
        }
    }

    fn keep(&self, ahead: SignedDuration) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        // Another process may share the directory, and be further.
        let known = self.kept()?;
        if ahead <= known {
            return Ok(());
        }
        if let Some(data) = file.parent() {
            fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
        }
        let draft = file.with_extension("new");
        let text = serde_json::to_vec(&Kept { ahead_seconds: ahead.as_secs() })?;
        fs::write(&draft, text).with_context(|| format!("cannot write {}", draft.display()))?;
        fs::rename(&draft, file).with_context(|| format!("cannot replace {}", file.display()))
    }

    fn kept(&self) -> anyhow::Result<SignedDuration> {
        let Some(file) = &self.file else { return Ok(SignedDuration::ZERO) };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(SignedDuration::ZERO),
            Err(error) => return Err(error).context(format!("cannot read {}", file.display())),
        };
        let kept: Kept = serde_json::from_str(&text)
            .with_context(|| format!("cannot understand {}", file.display()))?;
        Ok(SignedDuration::from_secs(kept.ahead_seconds))
    }
}

/// How far a clock is ahead, in words; nothing if it is not.
impl Display for LocalClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.ahead().as_hours();
        if hours == 0 {
            return formatter.write_str("as this machine's");
        }
        write!(formatter, "{} d {} h ahead of this machine's", hours / 24, hours % 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::directory;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn clock(data: &Path) -> LocalClock {
        LocalClock::open(AdvancingClock::default(), Some(data)).expect("the file can be read")
    }

    #[test]
    fn it_goes_forward_only_and_a_restart_does_not_put_it_back() {
        let directory = directory("clock");
        let first = clock(directory.path());
        let before = first.now();

        first.advance(DAY).expect("the file can be written");
        assert!(first.advance(-DAY).is_err());

        let again = clock(directory.path());
        assert_eq!((first.ahead(), again.ahead()), (DAY, DAY));
        assert!(again.now().duration_since(before) >= DAY);
    }

    #[test]
    fn what_another_process_has_kept_is_not_put_back() {
        let directory = directory("clocks");
        let (one, other) = (clock(directory.path()), clock(directory.path()));

        one.advance(DAY * 3).expect("the file can be written");
        other.advance(DAY).expect("the file can be written");
        other.save();

        assert_eq!(clock(directory.path()).ahead(), DAY * 3);
    }

    #[test]
    fn what_is_no_clock_is_refused_by_name() {
        let directory = directory("no-clock");
        fs::write(directory.path().join(FILE), "tomorrow").expect("it can be written");

        let error = LocalClock::open(AdvancingClock::default(), Some(directory.path()));

        let text = format!("{:#}", error.expect_err("it makes no sense"));
        assert!(text.contains(FILE), "{text}");
    }
}
