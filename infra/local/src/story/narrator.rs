//! Reports a step: what happens, what is expected, what was found, and how long it took.

use std::{
    io::{Write as _, stdout},
    time::{Duration, Instant},
};

use crate::terminal;

/// A step that is not true so long after its window is not going to be.
const WITHIN: Duration = Duration::from_secs(10);
/// How often a step looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a look found.
pub(super) enum Seen {
    /// The expected state, in words.
    Expected(String),
    /// Something else, in words; perhaps it is only too early.
    Other(String),
}

impl Seen {
    /// `found` is what was expected if `expected`.
    pub(super) fn when(expected: bool, found: String) -> Self {
        if expected { Self::Expected(found) } else { Self::Other(found) }
    }
}

/// Narrates the story, and counts.
#[derive(Debug)]
pub(super) struct Teller {
    within: Duration,
    played: u32,
    untrue: u32,
}

impl Teller {
    /// A teller of steps that take at least `window`.
    pub(super) fn new(window: Duration) -> Self {
        Self { within: WITHIN.saturating_add(window), played: 0, untrue: 0 }
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: &str, expected: &str) {
        self.played += 1;
        println!("\n{}", terminal::bold(format!("{}. {title}", self.played)));
        println!("{}", terminal::dim(format!("     expected  {expected}")));
        // A step takes seconds, and a person should see what it is about meanwhile.
        let _ = stdout().flush();
    }

    /// Looks until the expected is there, or too much time has passed since `event`.
    ///
    /// # Errors
    ///
    /// A look fails.
    pub(super) async fn look(
        &mut self,
        event: Instant,
        look: impl AsyncFnMut() -> anyhow::Result<Seen>,
    ) -> anyhow::Result<()> {
        self.look_within(self.within, event, look).await
    }

    /// Looks until the expected is there, or `within` has passed since `event`.
    ///
    /// # Errors
    ///
    /// A look fails.
    pub(super) async fn look_within(
        &mut self,
        within: Duration,
        event: Instant,
        mut look: impl AsyncFnMut() -> anyhow::Result<Seen>,
    ) -> anyhow::Result<()> {
        loop {
            let seen = look().await?;
            let passed = event.elapsed();
            match seen {
                Seen::Expected(found) => {
                    let took = format!("({} after it happened)", terminal::duration(passed));
                    println!("   {} found     {found}  {}", terminal::tick(), terminal::dim(took));
                    return Ok(());
                }
                Seen::Other(found) if passed > within => {
                    self.untrue += 1;
                    let late = format!("NOT TRUE within {}", terminal::duration(within));
                    println!("   {} found     {found}  {late}", terminal::cross());
                    return Ok(());
                }
                Seen::Other(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Reports what is known at once.
    pub(super) fn judge(&mut self, event: Instant, seen: Seen) {
        let took = terminal::duration(event.elapsed());
        match seen {
            Seen::Expected(found) => {
                let took = terminal::dim(format!("(it took {took})"));
                println!("   {} found     {found}  {took}", terminal::tick());
            }
            Seen::Other(found) => {
                self.untrue += 1;
                println!("   {} found     {found}  NOT TRUE; it took {took}", terminal::cross());
            }
        }
    }

    /// Ends the story. The answer is whether all of it came true.
    pub(super) fn end(self, began: Instant) -> bool {
        let Self { played, untrue, .. } = self;
        let took = terminal::duration(began.elapsed());
        if untrue == 0 {
            println!("\n{} All {played} steps came true, in {took}.", terminal::tick());
        } else {
            print!("\n{} ", terminal::cross());
            println!("{untrue} of {played} steps did not come true. The log lines may say why.");
        }
        untrue == 0
    }
}
