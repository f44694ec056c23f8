//! The connections that reach us through intake: bank feeds and the payment gateway. They have no schedule of
//! ours; what is known of them is what they have brought.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use table::ActivityRow;

/// How long without anything a feed is still called active (CC-23).
pub(super) const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A kind of feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Feed {
    /// What arrives on the bank account (CC-07).
    Bank,
    /// Cards online and by phone, and the provider's own invoices (CC-08).
    Gateway,
}

/// How a feed is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FeedStatus {
    /// Something came within a day.
    Active,
    /// Something came once, and nothing within a day. Not an error: there may be no payment, or the bank may not
    /// have published yet (CC-24).
    Quiet,
    /// Something that it sent could not be taken in.
    Error,
    /// Nothing has ever come.
    NotConfigured,
}

impl Feed {
    /// How its payments are called in the contract of intake.
    const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Bank => &["bpay", "direct_debit", "batch_debit", "bank_transfer"],
            Self::Gateway => &["card", "paypal", "virtual_terminal", "provider_invoice"],
        }
    }

    fn brings(self, method: &str) -> bool {
        self.methods().contains(&method)
    }

    /// When it last brought something, and how many rows of the log say so, among the newest rows.
    pub(super) fn lately(self, rows: &[ActivityRow]) -> (Option<Timestamp>, usize) {
        let of_feed = |row: &&ActivityRow| {
            row.cause.as_deref() == Some("intake")
                && row.method.as_deref().is_some_and(|method| self.brings(method))
        };
        let last = rows.iter().filter(of_feed).filter_map(|row| row.at.parse().ok()).max();
        (last, rows.iter().filter(of_feed).count())
    }

    /// Whether a report that could not be taken in is its own, by the method that the report names; `None` if
    /// it names none that is known.
    pub(super) fn is_blamed_for(self, body: Option<&str>) -> Option<bool> {
        let report: serde_json::Value = serde_json::from_str(body?).ok()?;
        let method = report.get("method")?.as_str()?;
        let known = Self::Bank.brings(method) || Self::Gateway.brings(method);
        known.then(|| self.brings(method))
    }

    /// Whether it has ever brought anything, by the methods of receipts that were looked at.
    pub(super) fn ever(self, methods: &BTreeSet<String>) -> bool {
        methods.iter().any(|method| self.brings(method))
    }
}

/// How a feed is, by when it last brought something.
pub(super) fn judge(
    last: Option<Timestamp>,
    ever: bool,
    parked: bool,
    now: Timestamp,
) -> FeedStatus {
    match last {
        _ if parked => FeedStatus::Error,
        Some(at) if now.duration_since(at) <= FRESH_FOR => FeedStatus::Active,
        Some(_) => FeedStatus::Quiet,
        None if ever => FeedStatus::Quiet,
        None => FeedStatus::NotConfigured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: &str, cause: &str, method: &str) -> ActivityRow {
        ActivityRow {
            at: at.to_owned(),
            cause: Some(cause.to_owned()),
            method: Some(method.to_owned()),
            ..ActivityRow::default()
        }
    }

    #[test]
    fn a_feed_is_known_by_what_it_has_brought() {
        // CC-07, CC-08
        let rows = [
            row("2026-11-25T10:00:00.000000Z", "intake", "bpay"),
            row("2026-11-25T11:00:00.000000Z", "webhook", "bpay"),
            row("2026-11-25T09:00:00.000000Z", "intake", "card"),
            row("2026-11-25T08:00:00.000000Z", "intake", "bpay"),
        ];
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(Feed::Bank.lately(&rows), (at("2026-11-25T10:00:00Z"), 2));
        assert_eq!(Feed::Gateway.lately(&rows), (at("2026-11-25T09:00:00Z"), 1));
        assert!(Feed::Bank.ever(&["bpay".to_owned()].into()));
        assert!(!Feed::Gateway.ever(&["bpay".to_owned()].into()));
    }

    #[test]
    fn nothing_is_active_that_brought_nothing_for_a_day() {
        // CC-23, CC-24
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let ago = |hours| Some(now - SignedDuration::from_hours(hours));
        assert_eq!(judge(ago(24), false, false, now), FeedStatus::Active);
        assert_eq!(judge(ago(25), false, false, now), FeedStatus::Quiet);
        assert_eq!(judge(None, true, false, now), FeedStatus::Quiet);
        assert_eq!(judge(None, false, false, now), FeedStatus::NotConfigured);
        assert_eq!(judge(ago(1), true, true, now), FeedStatus::Error);
    }
}
