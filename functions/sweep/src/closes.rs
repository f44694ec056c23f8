//! Whether the business days are closed, seen from outside of the function that closes them: its own counts are silent when
//! its schedule does not come (SP-13, SP-20).

use jiff::SignedDuration;
use payments::Settings;
use payments::close::{Calendar, OVERDUE_AFTER};
use queue::Changes;
use table::LastCertificate;

use crate::failures::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

/// The message about a close that is overdue: its kind, and its subject. There is one for each organisation.
const CLOSE_OVERDUE: (&str, &str) = ("CLOSE_OVERDUE", "close");

/// How old the first certificate of an organisation is when its first close is expected: an organisation that was signed up a
/// moment ago has neither.
const FIRST_WITHIN: SignedDuration = SignedDuration::from_hours(2);

impl<C: Changes> Sweeper<C> {
    /// Counts a close that is overdue, and raises a message about it; ends the message once the day is closed.
    pub(crate) async fn check_closes(
        &self,
        settings: &Settings,
        certificate: Option<&LastCertificate>,
        tally: &mut Tally,
    ) -> Result<(), HandleError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        let last = self.tables.last_close(organisation, None).await;
        let last = last.map_err(|error| tables(&error))?.map(|last| last.day);
        let is_old = |known: &LastCertificate| now.duration_since(known.checked_at) > FIRST_WITHIN;
        let is_expected = last.is_some() || certificate.is_some_and(is_old);
        let due = Calendar::of(settings).due(last, now).filter(|_| is_expected);
        let overdue = due.filter(|(_, ended)| now.duration_since(*ended) > OVERDUE_AFTER);
        let (kind, subject) = CLOSE_OVERDUE;
        let Some((day, ended)) = overdue else {
            let ended = self.tables.end_message(organisation, kind, subject).await;
            return ended.map_err(|error| tables(&error));
        };
        tally.add_overdue_close();
        let why = format!(
            "the business day {day} ended at {ended:.0} and is not closed. What to do: see whether the schedule of the \
             function reconcile is on, and its log; then press Close on the page Closes"
        );
        let raised = self.tables.raise_message(organisation, kind, subject, &why, now).await;
        raised.map_err(|error| tables(&error))
    }
}
