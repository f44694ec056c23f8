//! Whether the business days are closed, seen from outside of the function that closes them: its own counts are silent when
//! its schedule does not come (SP-13, SP-20).

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::Settings;
use payments::close::{Calendar, OVERDUE_AFTER};
use queue::Changes;
use table::LastCertificate;

use crate::failures::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

/// Messages about a close that is overdue, and about settings that make no sense. There is one of each for an organisation.
const OVERDUE: &str = "CLOSE_OVERDUE";
const MISTAKES: &str = "CLOSE_SETTINGS";

/// How old the first certificate of an organisation is when its first close is expected: an organisation that was signed up a
/// moment ago has neither.
const FIRST_WITHIN: SignedDuration = SignedDuration::from_hours(2);

impl<C: Changes> Sweeper<C> {
    /// Counts a close that is overdue, and raises a message about it; ends the message once the day is closed. Returns the day
    /// and when it ended.
    pub(crate) async fn check_closes(
        &self,
        settings: &Settings,
        certificate: Option<&LastCertificate>,
        tally: &mut Tally,
    ) -> Result<Option<(Date, Timestamp)>, HandleError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        let last = self.tables.last_close(organisation, None).await;
        let last = last.map_err(|error| tables(&error))?.map(|last| last.day);
        let is_old = |known: &LastCertificate| now.duration_since(known.checked_at) > FIRST_WITHIN;
        let is_expected = last.is_some() || certificate.is_some_and(is_old);
        let due = Calendar::of(settings).due(last, now).filter(|_| is_expected);
        let overdue = due.filter(|(_, ended)| now.duration_since(*ended) > OVERDUE_AFTER);
        let mistakes = &settings.close.mistakes;
        let wrong = (!mistakes.is_empty()).then(|| {
            format!(
                "{}. What to do: correct it in the row of the organisation; the page Configure says what is meant",
                mistakes.join("; ")
            )
        });
        self.say(settings, MISTAKES, wrong).await?;
        let words = overdue.map(|(day, ended)| {
            tally.add_overdue_close();
            format!(
                "the business day {day} ended at {ended:.0} and is not closed. What to do: see whether the schedule of the \
                 function reconcile is on, and its log; then press Close on the page Closes"
            )
        });
        self.say(settings, OVERDUE, words).await?;
        Ok(overdue)
    }

    /// Raises a message, or ends it if there is nothing to say any more.
    async fn say(
        &self,
        settings: &Settings,
        kind: &str,
        why: Option<String>,
    ) -> Result<(), HandleError> {
        let (organisation, subject) = (settings.organisation, "close");
        let done = match why {
            Some(why) => {
                let now = self.clock.now();
                self.tables.raise_message(organisation, kind, subject, &why, now).await
            }
            None => self.tables.end_message(organisation, kind, subject).await,
        };
        done.map_err(|error| tables(&error))
    }
}
