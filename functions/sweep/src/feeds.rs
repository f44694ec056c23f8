//! Whether the feeds have reported what was due, by their own reports and never by guess (CC-22, CC-24, CC-27).

use payments::Settings;
use payments::feed::{FeedSchedule, FeedState, judge_feed};
use queue::Changes;

use crate::failures::tables;
use crate::{HandleError, Sweeper};

/// Messages about a feed that has not reported, that has reported errors, and whose source has not published yet.
const LATE: &str = "FEED_LATE";
const FAILING: &str = "FEED_FAILING";
const NOT_READY: &str = "SOURCE_NOT_READY";
/// What of the feeds in the settings makes no sense.
const MISTAKES: &str = "FEED_SETTINGS";

impl<C: Changes> Sweeper<C> {
    /// Raises a message about each feed of which something is to be said, and ends those whose cause is over.
    pub(crate) async fn watch_feeds(&self, settings: &Settings) -> Result<(), HandleError> {
        let (organisation, feeds) = (settings.organisation, &settings.feeds);
        if feeds.feeds.is_empty() && feeds.mistakes.is_empty() {
            return Ok(());
        }
        let mistakes = (!feeds.mistakes.is_empty()).then(|| {
            format!(
                "{}. What to do: correct `feeds` in the row of the organisation",
                feeds.mistakes.join("; ")
            )
        });
        self.say_of_feed(settings, MISTAKES, "feeds", mistakes).await?;
        let reports = self.tables.feed_reports(organisation).await;
        let reports = reports.map_err(|error| tables(&error))?;
        for feed in &feeds.feeds {
            let last = reports.iter().find(|report| report.source == feed.source);
            let judged = judge_feed(feed, last, &settings.zone, self.clock.now());
            let (state, expected) = (judged.state, judged.expected);
            let name = feed.title();
            let late = match state {
                FeedState::NeverReported => Some(format!("{name} has never reported an import")),
                FeedState::Late => {
                    Some(format!("{name} has not reported {expected}, due at {:.0}", judged.due))
                }
                _ => None,
            };
            let cure = "What to do: see whether the import of the feed runs, and its log";
            let late = late.map(|late| format!("{late}. {cure}"));
            let failing = last.filter(|_| state == FeedState::Failing).map(|last| {
                let problem = last.problem.as_deref().unwrap_or("no reason is given");
                format!("{name}: {} receipts could not be imported: {problem}. {cure}", last.errors)
            });
            let not_ready = (state == FeedState::NotReady).then(|| {
                format!("{name}: {expected} is not published yet. This is no error: the next import brings it")
            });
            for (kind, why) in [(LATE, late), (FAILING, failing), (NOT_READY, not_ready)] {
                self.say_of_feed(settings, kind, source(feed), why).await?;
            }
        }
        Ok(())
    }

    async fn say_of_feed(
        &self,
        settings: &Settings,
        kind: &str,
        subject: &str,
        why: Option<String>,
    ) -> Result<(), HandleError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        let done = match why {
            Some(why) => self.tables.raise_message(organisation, kind, subject, &why, now).await,
            None => self.tables.end_message(organisation, kind, subject).await,
        };
        done.map_err(|error| tables(&error))
    }
}

fn source(feed: &FeedSchedule) -> &str {
    &feed.source
}
