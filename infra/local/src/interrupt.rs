//! How a process is asked to end.

use anyhow::Context as _;

/// Ctrl-C, and SIGTERM where there is such a thing. From when it listens, neither ends the process
/// by itself.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        const CONTEXT: &str = "cannot hear Ctrl-C";
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let terminate = signal(SignalKind::terminate()).context(CONTEXT)?;
            let interrupt = signal(SignalKind::interrupt()).context(CONTEXT)?;
            Ok(Self { terminate, interrupt })
        }
        #[cfg(windows)]
        {
            let interrupt = tokio::signal::windows::ctrl_c().context(CONTEXT)?;
            Ok(Self { interrupt })
        }
    }

    /// Returns when the process is asked to end, or was since the last time.
    pub(crate) async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(windows)]
        let _ = self.interrupt.recv().await;
    }
}
