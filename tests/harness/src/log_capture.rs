//! The log of a process, captured for the test of one thread.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

use lambda_runtime::tracing::subscriber::{EnvFilter, fmt};

/// As in production at its most talkative: our crates log everything, the others from `INFO` up.
const FILTER: &str = "info,announce=trace,console=trace,intake=trace,mirror=trace,sweep=trace,upload=trace,\
                      webhook=trace,access=trace,bus=trace,host=trace,payments=trace,queue=trace,table=trace,\
                      xero=trace";

/// Words by which tests know a person, a reference, a reason, an amount (47,110.26 and 47,110,915.26), a token and
/// a password. None of them may stand in a log line or in an error (N9).
const SECRETS: [&str; 7] = ["canary", "Canary", "Wilma", "47110", "4711091526", "Bearer", "Basic "];

thread_local! {
    /// The log of this thread, if its test captures it.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| {
            if let Some(log) = log {
                log.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Begins to capture, with an empty log. There is one subscriber for the process: with several, `tracing` forgets
/// call sites. Lines carry no time, whose digits could be taken for an amount.
pub fn start() {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let subscriber = fmt()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_writer(|| Capture)
            .json()
            .without_time()
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LOG.set(Some(Vec::new()));
}

/// The log since [`start`]; captures no more.
pub fn take() -> String {
    String::from_utf8(LOG.take().unwrap()).unwrap()
}

/// Fails if a line of the log or another text names a person, an amount or a secret (N9), or if the log lacks one of
/// the words without which the test has logged nothing.
#[track_caller]
pub fn assert_redacted(log: &str, other_texts: &[String], needed: &[&str]) {
    for word in needed {
        assert!(log.contains(word), "{word} is not in the log: {log}");
    }
    for secret in SECRETS {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
        let text = other_texts.iter().find(|text| text.contains(secret));
        assert_eq!(text, None, "{secret} is in an answer");
    }
}
