//! A part of the system with a runtime of its own, which can be ended as a whole.
//!
//! Ending the runtime drops every task at its next pause, wherever it is: the nearest thing to
//! `kill -9` inside one process, and the reason why the parts do not share a runtime.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::runtime::{Builder, Runtime};

/// Threads of one part; every part waits for sockets nearly all the time.
const THREADS: usize = 2;
/// How long a task that computes may take to reach its next pause.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A runtime that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Half {
    name: &'static str,
    runtime: Option<Runtime>,
}

impl Half {
    /// A new, empty part.
    pub(crate) fn new(name: &'static str) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name(name)
            .enable_all()
            .build()
            .with_context(|| format!("cannot start the {name}"))?;
        Ok(Self { name, runtime: Some(runtime) })
    }

    /// Runs `work` on this part's runtime; what it spawns stays there.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let runtime = self.runtime.as_ref().ok_or_else(|| anyhow!("{} ended", self.name))?;
        runtime.spawn(work).await.with_context(|| format!("the {} failed", self.name))?
    }

    /// Ends every task, and returns when their sockets and files are closed.
    pub(crate) async fn end(mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(END_WITHIN)).await;
        if let Err(error) = ended {
            tracing::error!(part = self.name, %error, "a part could not be ended");
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // A runtime must not be dropped inside another one's task, except like this.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
