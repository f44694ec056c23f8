//! The tiles of the feeds that the settings name: each by what it has reported, never by the payments' methods (CC-07, CC-08,
//! CC-24, CC-27).

use payments::feed::{FeedKind, FeedReport, FeedSchedule, FeedState, judge_feed};
use serde_json::json;

use super::tile::{Badge, Tile};
use super::{Page, PageError, Stage};

/// A tile for each feed that the settings name; none if they name none.
pub(super) async fn tiles(stage: &Stage<'_>) -> Result<Vec<Tile>, PageError> {
    if stage.settings.feeds.feeds.is_empty() {
        return Ok(Vec::new());
    }
    let organisation = stage.organisation();
    let reports = stage.tables.feed_reports(organisation).await?;
    let received = stage.tables.feed_receipts(organisation).await?;
    stage.count(reports.len().saturating_add(received.len()));
    let tile = |feed: &FeedSchedule| {
        let last = reports.iter().find(|report| report.source == feed.source);
        let receipt = stage.moment_or(received.get(&feed.source).copied(), "none yet");
        tile(stage, feed, last, receipt)
    };
    Ok(stage.settings.feeds.feeds.iter().map(tile).collect())
}

fn tile(
    stage: &Stage<'_>,
    feed: &FeedSchedule,
    last: Option<&FeedReport>,
    receipt: String,
) -> Tile {
    let judged = judge_feed(feed, last, &stage.settings.zone, stage.now);
    let (badge, note) = match judged.state {
        FeedState::Active => (Badge { text: "Active", class: "pm-badge-good", symbol: "✔" }, None),
        FeedState::NotReady => (
            Badge { text: "Not published", class: "pm-badge-none", symbol: "●" },
            Some(format!(
                "The source has not published {} yet. This is no error: the next import brings it.",
                judged.expected
            )),
        ),
        FeedState::Failing => (
            Badge { text: "Error", class: "pm-badge-bad", symbol: "▲" },
            last.and_then(|last| last.problem.clone()),
        ),
        FeedState::Late => (
            Badge { text: "Late", class: "pm-badge-bad", symbol: "▲" },
            Some(format!(
                "The import of {} was due {} and has not been reported.",
                judged.expected,
                stage.moment(judged.due)
            )),
        ),
        FeedState::NeverReported => (
            Badge { text: "Never reported", class: "pm-badge-bad", symbol: "▲" },
            Some("The feed has not reported any import.".to_owned()),
        ),
    };
    let of_last = |says: &dyn Fn(&FeedReport) -> String| last.map_or("none".to_owned(), says);
    let facts = vec![
        ("Last import", stage.moment_or(last.map(|last| last.reported_at), "never")),
        ("Days covered", of_last(&|last| format!("{} to {}", last.from, last.to))),
        ("Receipts imported", of_last(&|last| last.imported.to_string())),
        ("Errors", of_last(&|last| last.errors.to_string())),
        ("Last receipt taken in", receipt),
        ("Reports the day before at", feed.due_at.strftime("%H:%M").to_string()),
    ];
    let activity = stage.buttons.page("Activity", Page::Activity, json!({"word": "intake"}));
    Tile {
        kind: match feed.kind {
            FeedKind::BankFeed => "Bank feed",
            FeedKind::PaymentGateway => "Payment gateway",
            FeedKind::Accounting => "Accounting",
            FeedKind::BusinessSystem => "Business system",
        },
        third_party: feed.title().to_owned(),
        badge,
        reasons: Vec::new(),
        note,
        countdown: None,
        facts,
        errors: Vec::new(),
        contact: None,
        actions: vec![activity.about(feed.title())],
    }
}
