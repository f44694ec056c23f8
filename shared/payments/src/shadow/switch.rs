//! When it is safe to leave the shadow (CM-02).

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::Shadow;
use super::report::ShadowReport;
use crate::settings::Settings;

/// So many days in a row have to show no difference.
pub const QUIET_DAYS: u32 = 3;
/// How old the last read of everything may be.
const READ_WITHIN: SignedDuration = SignedDuration::from_hours(36);

/// A point of the readiness list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SwitchPoint {
    /// Its code.
    pub code: &'static str,
    /// Its question.
    pub asks: &'static str,
    /// The problem; `None` if it is passed.
    pub problem: Option<String>,
}

/// What the points are judged by.
#[derive(Clone, Debug, Default)]
pub struct SwitchFacts {
    /// Why the connection or the settings are not ready, if they are not.
    pub not_ready: Option<String>,
    /// When all open invoices were last read.
    pub all_read_at: Option<Timestamp>,
    /// How many messages were rejected and wait.
    pub parked: u32,
    /// The reports of the last days, the newest first.
    pub reports: Vec<ShadowReport>,
    /// A report of this moment.
    pub latest: Option<ShadowReport>,
}

/// The readiness list, each point with what is wrong with it.
pub fn points(
    settings: &Settings,
    shadow: Shadow,
    facts: &SwitchFacts,
    now: Timestamp,
) -> Vec<SwitchPoint> {
    let point = |code, asks, problem| SwitchPoint { code, asks, problem };
    let read_at = facts.all_read_at.filter(|at| *at >= shadow.since);
    let unread = match read_at {
        None => Some("all open invoices have not been read since the shadow began".to_owned()),
        Some(at) if now.duration_since(at) > READ_WITHIN => {
            Some(format!("all open invoices were last read at {at:.0}"))
        }
        Some(_) => None,
    };
    let parked = match facts.parked {
        0 => None,
        1 => Some("1 message is rejected and waits".to_owned()),
        many => Some(format!("{many} messages are rejected and wait")),
    };
    let differing = facts.latest.as_ref().map(ShadowReport::differences_in_all);
    let differs = match differing {
        None => Some("the two systems could not be compared".to_owned()),
        Some(0) => None,
        Some(1) => Some("1 payment differs".to_owned()),
        Some(many) => Some(format!("{many} payments differ")),
    };
    vec![
        point(
            "connection",
            "Xero lets us read and write all that the settings need",
            facts.not_ready.clone(),
        ),
        point("all_read", "All open invoices were read", unread),
        point("messages", "No message of the business's own system is rejected", parked),
        point("same_now", "Nothing differs between the two systems", differs),
        point(
            "same_for_days",
            "Nothing has differed for three days",
            not_quiet(settings, facts, now),
        ),
    ]
}

/// Why the last days were not quiet, if they were not: each needs a report without a difference.
fn not_quiet(settings: &Settings, facts: &SwitchFacts, now: Timestamp) -> Option<String> {
    let today = settings.today(now);
    let of = |day| facts.reports.iter().find(|report| report.day == day);
    // The report of today is made in the evening; until then the days before it count.
    let last = if of(today).is_some() { 0 } else { 1 };
    (last..last + i64::from(QUIET_DAYS)).find_map(|back| {
        let day = today.checked_sub(back.days()).ok()?;
        match of(day).map(ShadowReport::differences_in_all) {
            None => Some(format!("there is no report of {day}")),
            Some(0) => None,
            Some(differing) => Some(format!("{differing} differed on {day}")),
        }
    })
}
