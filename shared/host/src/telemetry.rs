//! Logs: lines on stdout, JSON where Lambda is set to log JSON.
//!
//! Only our own crates can be made to say more than `INFO`. The SDK and the Lambda runtime print
//! whole requests at `TRACE`, and those hold keys and names.

use lambda_runtime::tracing::subscriber::EnvFilter;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use lambda_runtime::tracing::subscriber::fmt;

use crate::env::{EnvError, Environment};

/// Our crates, whose lines are free of secrets at every level.
const OURS: [&str; 14] = [
    "access", "announce", "bus", "console", "host", "intake", "mirror", "payments", "queue",
    "sweep", "table", "upload", "webhook", "xero",
];

/// An error with its causes, in one line. `Display` of an error says only its own step, so this is
/// for the one place where it is handled.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// Starts logging for this process. Level and format are Lambda's own settings
/// (`AWS_LAMBDA_LOG_LEVEL`, `AWS_LAMBDA_LOG_FORMAT`), which the template sets; elsewhere
/// `RUST_LOG` gives the level.
///
/// # Errors
///
/// When a setting is not UTF-8. A level that does not exist counts as `INFO`: logging less than
/// was meant must not stop payments.
///
/// # Panics
///
/// When something else has started logging already.
pub fn init(env: &Environment) -> Result<(), EnvError> {
    let level = match env.optional("AWS_LAMBDA_LOG_LEVEL")? {
        Some(level) => Some(level),
        None => env.optional("RUST_LOG")?,
    };
    let json =
        env.optional("AWS_LAMBDA_LOG_FORMAT")?.is_some_and(|f| f.eq_ignore_ascii_case("json"));
    // CloudWatch gives each line its time.
    let lines = fmt().with_env_filter(filter(level.as_deref())).with_target(false).without_time();
    if json {
        lines.json().flatten_event(true).with_span_list(false).init();
    } else {
        lines.init();
    }
    Ok(())
}

fn filter(level: Option<&str>) -> EnvFilter {
    let ours = level.and_then(|level| level.trim().parse().ok()).unwrap_or(LevelFilter::INFO);
    let others = ours.min(LevelFilter::INFO);
    let directives: Vec<String> = OURS.iter().map(|name| format!("{name}={ours}")).collect();
    EnvFilter::new(format!("{others},{}", directives.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_crates_can_say_more_than_info() {
        let text = filter(Some("TRACE")).to_string();
        assert!(text.contains("webhook=trace") && text.contains("info"), "{text}");
        assert!(!text.split(',').any(|directive| directive == "trace"), "{text}");
        assert_eq!(filter(None).max_level_hint(), Some(LevelFilter::INFO));
        assert_eq!(filter(Some("nonsense")).max_level_hint(), Some(LevelFilter::INFO));
        assert_eq!(filter(Some("error")).max_level_hint(), Some(LevelFilter::ERROR));
    }
}
