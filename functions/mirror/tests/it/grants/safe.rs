//! A store of secrets that all processes share, and that fails, or ends a process, when a test says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use harness::{CrashPoint, CurrentCrashPoint};
use payments::GrantId;
use payments::grant::{GrantError, Pair, Pairs};
use tokio::sync::Notify;

#[derive(Clone, Default)]
pub struct Safe(Arc<State>);

#[derive(Default)]
struct State {
    pairs: Mutex<BTreeMap<GrantId, Pair>>,
    crash_point: CurrentCrashPoint,
    refuses: Mutex<bool>,
    /// Holds up the next write until `goes_on` is notified; notifies `came` when it has come.
    holdup: Mutex<Option<Arc<Holdup>>>,
}

#[derive(Default)]
pub struct Holdup {
    pub came: Notify,
    pub goes_on: Notify,
}

impl Safe {
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.0.crash_point.set(crash_point);
    }

    /// From now on it takes nothing, or takes everything.
    pub fn refuse(&self, refuses: bool) {
        *self.0.refuses.lock().unwrap() = refuses;
    }

    /// The next write waits.
    pub fn hold_up(&self) -> Arc<Holdup> {
        let holdup = Arc::new(Holdup::default());
        *self.0.holdup.lock().unwrap() = Some(holdup.clone());
        holdup
    }

    pub fn generation(&self, grant: GrantId) -> u64 {
        self.0.pairs.lock().unwrap()[&grant].generation
    }

    pub fn forget(&self) {
        self.0.pairs.lock().unwrap().clear();
    }

    async fn calls<T>(&self, has_effect: bool, act: impl FnOnce() -> T) -> T {
        let outcome = self.0.crash_point.pass(has_effect, async { act() }).await;
        // Gives way, so that others can come between two calls.
        tokio::task::yield_now().await;
        outcome
    }
}

impl Pairs for Safe {
    async fn pair(&self, grant: GrantId) -> Result<Option<Pair>, GrantError> {
        self.calls(false, || Ok(self.0.pairs.lock().unwrap().get(&grant).cloned())).await
    }

    async fn generation(&self, grant: GrantId) -> Result<u64, GrantError> {
        Ok(self.pair(grant).await?.map_or(0, |pair| pair.generation))
    }

    async fn store_pair(&self, grant: GrantId, pair: &Pair) -> Result<(), GrantError> {
        let holdup = self.0.holdup.lock().unwrap().take();
        if let Some(holdup) = holdup {
            holdup.came.notify_one();
            holdup.goes_on.notified().await;
        }
        self.calls(true, || {
            if *self.0.refuses.lock().unwrap() {
                return Err(GrantError::Unavailable("the test said so".into()));
            }
            self.0.pairs.lock().unwrap().insert(grant, pair.clone());
            Ok(())
        })
        .await
    }
}
