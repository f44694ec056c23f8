//! The product's own settings, read from its template: a change of one of them can make the simulation fail.

use jiff::SignedDuration;
use jiff::civil::Time;
use payments::sweep::{DailySchedules, DailyTimes};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A function, and how it takes messages.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Longest an invocation may take.
    pub timeout: SignedDuration,
    /// Its memory, in MB.
    pub memory: u32,
    /// Most copies at once that take messages.
    pub copies: usize,
    /// Most messages of an invocation.
    pub batch: usize,
    /// How long messages wait for others.
    pub window: SignedDuration,
}

/// A function that hears of each row of the log.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Its name.
    pub name: &'static str,
    /// Its memory, in MB.
    pub memory: u32,
    /// Most rows of an invocation.
    pub batch: u64,
}

/// What of the product's settings decides about time.
#[derive(Clone, Debug)]
pub struct Product {
    /// Between two sweeps.
    pub sweep_every: SignedDuration,
    /// Between two looks at a connection.
    pub check_every: SignedDuration,
    /// Between two looks for nights that are due.
    pub nights_every: SignedDuration,
    /// Between two looks for business days that are to be closed.
    pub close_every: SignedDuration,
    /// Between two looks for days of the log that are to be sealed.
    pub seal_every: SignedDuration,
    /// Organisations whose days are sealed at once.
    pub seals_at_once: usize,
    /// Organisations whose days are closed at once.
    pub closes_at_once: usize,
    /// When the work of the day comes, by which clock.
    pub daily: DailySchedules,
    /// When the night comes.
    pub night_at: Time,
    /// Sweep, with the queue of schedules.
    pub sweep: Function,
    /// Upload, with the queue of tasks.
    pub upload: Function,
    /// Mirror, with the queue of changes.
    pub mirror: Function,
    /// Reconcile's memory, in MB, and the longest that an invocation may take.
    pub reconcile_memory: u32,
    /// See `reconcile_memory`.
    pub reconcile_timeout: SignedDuration,
    /// Report's memory, in MB, and the longest that an invocation may take.
    pub report_memory: u32,
    /// See `report_memory`.
    pub report_timeout: SignedDuration,
    /// The functions that hear of each row of the log.
    pub listeners: [Listener; 2],
    /// The webhook's memory, in MB.
    pub webhook_memory: u32,
    /// Most copies of the webhook at once.
    pub webhook_copies: u64,
}

impl Product {
    /// What the template says. `infra/account/deploy.py` gives the webhook 20 copies as soon as an account has them.
    #[must_use]
    pub fn deployed() -> Self {
        let every = |function, schedule| rate(event(resource(function), schedule));
        let time = |name| quoted(resource(name), "Default: ").parse().expect("a time of day");
        let daily = DailySchedules {
            zone: quoted(resource("UploadTimeZone"), "Default: "),
            times: DailyTimes {
                full_sweep: Some(time("FullSweepTime")),
                certificate: Some(time("CertificateTime")),
                digest: Some(time("DigestTime")),
            },
        };
        let minutes = number(resource("SweepMinutes"), "Default: ").expect("minutes");
        Self {
            sweep_every: SignedDuration::from_mins(minutes),
            check_every: every("SweepFunction", "Check"),
            nights_every: every("UploadFunction", "CatchUp"),
            close_every: every("ReconcileFunction", "Close"),
            closes_at_once: 8,
            seal_every: every("ReportFunction", "Seal"),
            seals_at_once: 8,
            daily,
            night_at: time("UploadTime"),
            sweep: function("SweepFunction", "Schedules"),
            upload: function("UploadFunction", "Uploads"),
            mirror: function("MirrorFunction", "Changes"),
            reconcile_memory: small(number(resource("ReconcileFunction"), "MemorySize: ")),
            reconcile_timeout: SignedDuration::from_secs(
                number(resource("ReconcileFunction"), "Timeout: ").expect("a time-out"),
            ),
            report_memory: small(number(resource("ReportFunction"), "MemorySize: ")),
            report_timeout: SignedDuration::from_secs(
                number(resource("ReportFunction"), "Timeout: ").expect("a time-out"),
            ),
            listeners: [
                listener("announce", "AnnounceFunction"),
                listener("reconcile", "ReconcileFunction"),
            ],
            webhook_memory: small(number(resource("WebhookFunction"), "MemorySize: ")),
            webhook_copies: 20,
        }
    }
}

fn listener(name: &'static str, function: &str) -> Listener {
    let of = resource(function);
    let batch = number(event(of, "Activity"), "BatchSize: ");
    Listener { name, memory: small(number(of, "MemorySize: ")), batch: small(batch).into() }
}

fn function(name: &str, trigger: &str) -> Function {
    let (of, trigger) = (resource(name), event(resource(name), trigger));
    Function {
        timeout: SignedDuration::from_secs(number(of, "Timeout: ").expect("a time-out")),
        memory: small(number(of, "MemorySize: ")),
        copies: small(number(trigger, "MaximumConcurrency: ")) as usize,
        batch: small(number(trigger, "BatchSize: ")) as usize,
        window: SignedDuration::from_secs(
            number(trigger, "MaximumBatchingWindowInSeconds: ").unwrap_or(0),
        ),
    }
}

/// The text of a parameter or a resource.
fn resource(name: &str) -> &'static str {
    part(TEMPLATE, &format!("\n  {name}:\n"), "\n  ")
}

/// The text of an event of a function.
fn event(function: &'static str, name: &str) -> &'static str {
    part(function, &format!("\n        {name}:\n"), "\n        ")
}

/// The text from a line on until another line stands as far to the left.
fn part(text: &'static str, begin: &str, indent: &str) -> &'static str {
    let at = text.find(begin).unwrap_or_else(|| panic!("the template has no{begin}"));
    let rest = &text[at + begin.len()..];
    let ends = rest.match_indices(indent).map(|(end, _)| end);
    let mut ends = ends.filter(|end| !rest[end + indent.len()..].starts_with([' ', '#', '\n']));
    &rest[..ends.next().unwrap_or(rest.len())]
}

fn number(text: &str, before: &str) -> Option<i64> {
    let rest = &text[text.find(before)? + before.len()..];
    let end = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn small(number: Option<i64>) -> u32 {
    number.and_then(|number| number.try_into().ok()).expect("the template has this number")
}

fn quoted(text: &str, before: &str) -> String {
    let rest = &text[text.find(before).expect("a default") + before.len()..];
    rest.lines().next().unwrap_or_default().trim_matches('"').to_owned()
}

fn rate(text: &str) -> SignedDuration {
    let every = number(text, "rate(").expect("a rate");
    let hours = [format!("rate({every} hour)"), format!("rate({every} hours)")];
    let unit = if hours.iter().any(|hours| text.contains(hours)) { 60 } else { 1 };
    SignedDuration::from_mins(every * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_all_of_it() {
        let product = Product::deployed();
        assert_eq!(product.sweep_every, SignedDuration::from_mins(30));
        assert_eq!(product.check_every, SignedDuration::from_hours(1));
        assert_eq!(product.nights_every, SignedDuration::from_mins(45));
        assert_eq!(product.close_every, SignedDuration::from_mins(30));
        assert_eq!(product.seal_every, SignedDuration::from_hours(6));
        assert_eq!(product.listeners.map(|listener| listener.batch), [100, 100]);
        assert_eq!((product.sweep.batch, product.sweep.timeout.as_secs()), (1, 300));
        assert_eq!((product.mirror.batch, product.mirror.timeout.as_secs()), (1_000, 120));
        assert_eq!(product.daily.zone, "Australia/Sydney");
    }
}
