//! What a process says in its log, heard by the test of one thread. The tests of `upload` use this, too.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

use lambda_runtime::tracing::subscriber::{EnvFilter, fmt};

thread_local! {
    /// What the test of this thread has heard, if it listens.
    static HEARD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HEARD.with_borrow_mut(|heard| {
            if let Some(heard) = heard {
                heard.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// As in production at its most talkative: our crates say everything, the others `INFO`. One
/// listener for the process: with several, `tracing` forgets call sites.
pub fn listen(function: &str) {
    static LISTENER: Once = Once::new();
    LISTENER.call_once(|| {
        let ours = "payments=trace,table=trace,queue=trace,xero=trace,host=trace";
        let filter = EnvFilter::new(format!("info,{function}=trace,{ours}"));
        let subscriber = fmt().with_env_filter(filter).with_writer(|| Ear).json().finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    HEARD.set(Some(Vec::new()));
}

/// The log since `listen`.
pub fn heard() -> String {
    String::from_utf8(HEARD.take().unwrap()).unwrap()
}
