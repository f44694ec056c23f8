//! The moment at which a process ends.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// On which side of a call the process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// The call is not carried out any more.
    Before,
    /// It is carried out, and its answer is lost.
    After,
}

/// Moments that are tried with each change, of each way that a process can take.
const SAMPLE: usize = 16;

/// Where a process that makes these calls is ended: of all moments, which are before each call and after each one with an
/// effect, as many as are tried with each change, evenly spread. The scheduled workflow tries all of them
/// (`CRASH_SWEEP=whole` when the tests are built).
pub fn crash_moments(calls: &[bool]) -> Vec<(usize, Moment)> {
    let all: Vec<_> = (1..)
        .zip(calls)
        .flat_map(|(call, has_effect)| {
            [Some((call, Moment::Before)), has_effect.then_some((call, Moment::After))]
        })
        .flatten()
        .collect();
    if option_env!("CRASH_SWEEP") == Some("whole") || all.len() <= SAMPLE {
        return all;
    }
    (0..SAMPLE).map(|n| all[n * (all.len() - 1) / (SAMPLE - 1)]).collect()
}

/// Ends a process at one of its calls to the outside. The process is dropped by the test as soon as
/// [`CrashPoint::crashed`] returns.
#[derive(Debug, Default)]
pub struct CrashPoint {
    calls: Mutex<Vec<bool>>,
    at: Option<(usize, Moment)>,
    /// Whether only calls with an effect count.
    effects_only: bool,
    bell: Notify,
}

impl CrashPoint {
    /// Only counts.
    pub fn counting() -> Arc<Self> {
        Arc::default()
    }

    /// At this call, counted from 1.
    pub fn at(call: usize, moment: Moment) -> Arc<Self> {
        Arc::new(Self { at: Some((call, moment)), ..Self::default() })
    }

    /// At a call that has an effect, counted among those.
    pub fn at_effect(call: usize, moment: Moment) -> Arc<Self> {
        Arc::new(Self { at: Some((call, moment)), effects_only: true, ..Self::default() })
    }

    /// The calls that there were, and whether each of them could have an effect.
    pub fn calls(&self) -> Vec<bool> {
        self.calls.lock().unwrap().clone()
    }

    /// Carries out a call, and ends the process before or after it if it is the one.
    pub async fn pass<T>(&self, has_effect: bool, call: impl Future<Output = T>) -> T {
        let last = self.count(has_effect);
        if last == Some(Moment::Before) {
            self.crash().await;
        }
        let result = call.await;
        if last == Some(Moment::After) {
            self.crash().await;
        }
        result
    }

    fn count(&self, has_effect: bool) -> Option<Moment> {
        let mut calls = self.calls.lock().unwrap();
        if self.effects_only && !has_effect {
            return None;
        }
        calls.push(has_effect);
        self.at.filter(|(at, _)| *at == calls.len()).map(|(_, moment)| moment)
    }

    /// Never returns: the process that waits for this call has ended.
    async fn crash(&self) {
        self.bell.notify_one();
        std::future::pending().await
    }

    /// Waits until the process has ended.
    pub async fn crashed(&self) {
        self.bell.notified().await;
    }

    /// Runs to the end (`Some`), or to the call at which the process ends.
    pub async fn run<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.crashed() => None,
            output = process => Some(output),
        }
    }
}

/// Where a fake finds the crash point of the moment.
#[derive(Clone, Debug, Default)]
pub struct CurrentCrashPoint(Arc<Mutex<Arc<CrashPoint>>>);

impl CurrentCrashPoint {
    /// From now on, calls count for this one.
    pub fn set(&self, crash_point: &Arc<CrashPoint>) {
        *self.0.lock().unwrap() = crash_point.clone();
    }

    pub(crate) fn get(&self) -> Arc<CrashPoint> {
        self.0.lock().unwrap().clone()
    }

    /// [`CrashPoint::pass`] of the crash point of the moment.
    pub async fn pass<T>(&self, has_effect: bool, call: impl Future<Output = T>) -> T {
        self.get().pass(has_effect, call).await
    }
}
