//! The close of one business day of one organisation: the log of the day in, its rows out.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use host::clock::Clock;
use host::telemetry;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::close::{
    Calendar, Close, CloseSubject, DayFacts, Finding, GRACE, Judge, happened_at, items, raise,
};
use payments::events::Entry;
use payments::{
    Discrepancy, DiscrepancyChange, DiscrepancyKey, DiscrepancyKind, PaymentId, Receipt, Settings,
    discrepancy_changes,
};
use table::stream::Image;
use table::{
    ChangeContext, ClosedDay, ContactBecause, Judged, LateFact, ReadError, Tables, WriteError,
};

use crate::tally::CloseTally;

/// Rows of the log in one read: about a megabyte, more than which DynamoDB does not answer with.
const PAGE: i32 = 2_000;
/// Rows of the log that one close reads at most: about 250 MB, which the function's memory holds folded.
const ROWS_MAX: usize = 1_500_000;
/// Findings that are written at once.
const WRITES_AT_ONCE: usize = 8;
/// How often a lost race for an invoice is tried again.
const RACES_MAX: u32 = 8;
/// What of the invocation is left for storing a close: 100,000 rows take about two minutes.
const STORING: SignedDuration = SignedDuration::from_secs(120);

/// Why a day could not be closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error("the close of this day is still to come")]
    TooEarly,
    #[error("it is no business day: the next close covers it")]
    NoBusinessDay,
    #[error("the log of the day has more than {ROWS_MAX} rows")]
    TooLong,
    #[error("the time was over")]
    OutOfTime,
}

/// What became of a close.
#[derive(Debug)]
pub(crate) struct Done {
    /// `closed`, `reopened` or `unchanged`.
    pub(crate) outcome: &'static str,
    pub(crate) revision: u64,
}

/// What the closes of one organisation are made with.
pub(crate) struct DayClose<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) settings: &'a Settings,
    pub(crate) clock: &'a Clock,
    pub(crate) deadline: Timestamp,
}

/// Facts known before the log of a day is read.
struct Known {
    closed: Option<ClosedDay>,
    previous: Option<ClosedDay>,
    from: Timestamp,
    until: Timestamp,
}

/// What the log of a day says.
#[derive(Default)]
struct Read {
    facts: DayFacts,
    /// Rows about what happened before the day began, by the days that they belong to.
    late: BTreeMap<Date, BTreeSet<LateFact>>,
}

impl DayClose<'_> {
    /// Closes a day, for the first time or again.
    pub(crate) async fn run(&self, day: Date, tally: &mut CloseTally) -> Result<Done, CloseError> {
        let known = self.known(day).await?;
        let mut read = self.read(&known, tally).await?;
        self.read_late(day, &known, &mut read, tally).await?;
        let late = std::mem::take(&mut read.late);
        let judge = Judge::of(self.settings, day, known.until);
        let rows = items(&read.facts, &judge);
        let (mut closed, mut findings, mut count) = (Close::of(day), Vec::new(), 0);
        for row in rows.clone() {
            closed.take(&row);
            findings.extend(row.findings(day));
            count += 1;
        }
        if known.closed.is_none() {
            // Before the day's own row: without that, all of it is done again.
            self.reopen_earlier(&known, late, tally).await?;
            self.raise(findings, tally).await?;
        }
        let organisation = self.settings.organisation;
        let previous = known.previous.as_ref().map(|previous| previous.day);
        let (before, now) = (known.closed.as_ref(), self.clock.now());
        let window = (known.from, known.until, previous);
        let stored = self.tables.store_close(organisation, before, window, (&closed, rows), now);
        let stored = stored.await;
        tally.rows_written += count;
        let revision = before.map_or(0, |before| before.revision);
        match (stored?, before) {
            (false, _) => Ok(Done { outcome: "unchanged", revision }),
            (true, None) => {
                tally.completed += 1;
                Ok(Done { outcome: "closed", revision: 1 })
            }
            (true, Some(_)) => {
                tally.reopened += 1;
                Ok(Done { outcome: "reopened", revision: revision.saturating_add(1) })
            }
        }
    }

    async fn known(&self, day: Date) -> Result<Known, CloseError> {
        let organisation = self.settings.organisation;
        let calendar = Calendar::of(self.settings);
        let closed = self.tables.closed_day(organisation, day).await?;
        if let Some(closed) = closed {
            let previous = match closed.previous {
                Some(previous) => self.tables.closed_day(organisation, previous).await?,
                None => None,
            };
            let (from, until) = (closed.from, closed.until);
            return Ok(Known { closed: Some(closed), previous, from, until });
        }
        if !calendar.is_business_day(day) {
            return Err(CloseError::NoBusinessDay);
        }
        let until = calendar.closes_at(day);
        if until.saturating_add(GRACE).unwrap_or(until) > self.clock.now() {
            return Err(CloseError::TooEarly);
        }
        let previous = self.tables.last_close(organisation, Some(day)).await?;
        // Where the time of the close was changed, a day begins where the one before has ended.
        let from = match &previous {
            Some(previous) => previous.until,
            None => calendar.closes_at(calendar.previous(day)),
        };
        Ok(Known { closed, previous, from, until })
    }

    /// Folds the log of a day. A row that cannot be read is passed over, and stays for a person.
    async fn read(&self, known: &Known, tally: &mut CloseTally) -> Result<Read, CloseError> {
        let organisation = self.settings.organisation;
        let mut read = Read::default();
        if let Some(previous) = &known.previous {
            for (subject, facts) in self.tables.unfinished(organisation, previous).await? {
                tally.rows_read += 1;
                read.facts.carry(subject, facts);
            }
        }
        let last = known.until.saturating_add(GRACE).unwrap_or(known.until);
        let in_utc = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let mut on = in_utc(known.from);
        while on <= in_utc(last) {
            let mut after: Option<String> = None;
            loop {
                let window = (known.from, last);
                let page = self.tables.decided(organisation, on, window, after.as_deref(), PAGE);
                let page = page.await?;
                tally.rows_read += page.rows.len();
                for image in &page.rows {
                    self.take(image, known, &mut read, tally);
                }
                after = page.rows.last().and_then(Image::at).map(str::to_owned);
                if tally.rows_read > ROWS_MAX {
                    return Err(CloseError::TooLong);
                }
                if self.deadline.duration_since(self.clock.now()) < STORING {
                    return Err(CloseError::OutOfTime);
                }
                if !page.more || after.is_none() {
                    break;
                }
            }
            let Ok(next) = on.tomorrow() else { break };
            on = next;
        }
        Ok(read)
    }

    fn take(&self, image: &Image, known: &Known, read: &mut Read, tally: &mut CloseTally) {
        let Some(entry) = readable(image, tally) else { return };
        let happened = happened_at(&entry);
        if happened > known.until {
            return;
        }
        if happened <= known.from {
            let in_time = known.from.saturating_add(GRACE).is_ok_and(|grace| entry.at <= grace);
            if in_time && known.previous.is_some() {
                // The close before has read it.
                return;
            }
            let (day, at) = (entry.id.split_once('#').map(|(day, _)| day), image.at());
            if let (Some(day), Some(at)) = (day, at) {
                let fact = LateFact { log_day: day.to_owned(), at: at.to_owned() };
                let belongs_to = Calendar::of(self.settings).day_of(happened);
                read.late.entry(belongs_to).or_default().insert(fact);
            }
        }
        read.facts.take(&entry);
    }

    /// Takes the facts of a closed day that have come late.
    async fn read_late(
        &self,
        day: Date,
        known: &Known,
        read: &mut Read,
        tally: &mut CloseTally,
    ) -> Result<(), CloseError> {
        if known.closed.is_some() {
            for image in self.tables.late_facts(self.settings.organisation, day).await? {
                tally.rows_read += 1;
                if let Some(entry) = readable(&image, tally) {
                    read.facts.take(&entry);
                }
            }
        }
        Ok(())
    }

    /// Notes what has come late for days that are closed, and closes these again.
    async fn reopen_earlier(
        &self,
        known: &Known,
        late: BTreeMap<Date, BTreeSet<LateFact>>,
        tally: &mut CloseTally,
    ) -> Result<(), CloseError> {
        let organisation = self.settings.organisation;
        for (day, facts) in late {
            // What happened before the first close belongs to none.
            let is_closed = known.previous.is_some()
                && self.tables.closed_day(organisation, day).await?.is_some();
            if !is_closed {
                continue;
            }
            let facts: Vec<_> = facts.into_iter().collect();
            self.tables.note_late(organisation, day, &facts).await?;
            let again = Box::pin(self.run(day, tally)).await?;
            tracing::info!(
                xero.tenant_id = %organisation,
                close.day = %day,
                close.outcome = again.outcome,
                facts = facts.len(),
                "facts about a closed day have come late"
            );
        }
        Ok(())
    }

    /// Opens the discrepancies that only the close has found.
    async fn raise(
        &self,
        findings: Vec<Finding>,
        tally: &mut CloseTally,
    ) -> Result<(), CloseError> {
        let raised: Vec<bool> = futures_util::stream::iter(findings)
            .map(async |finding| self.raise_one(&finding).await)
            .buffer_unordered(WRITES_AT_ONCE)
            .try_collect()
            .await?;
        tally.raised += raised.into_iter().filter(|is_raised| *is_raised).count();
        Ok(())
    }

    async fn raise_one(&self, finding: &Finding) -> Result<bool, CloseError> {
        if let Some((payment, key, detail)) = finding.about_payment() {
            return self.raise_about(payment, &key, detail).await;
        }
        let Some(CloseSubject::Invoice(number)) = finding.subject() else { return Ok(false) };
        for _ in 0..RACES_MAX {
            let stored = self.tables.invoice(self.settings.organisation, number).await?;
            let now = self.clock.now();
            let Some(change) = raise(&stored, finding, self.settings, now) else {
                return Ok(false);
            };
            let because = ChangeContext { cause: "close", event_at: None, now };
            match self.tables.write_invoice(&stored, &change, because).await {
                Ok(()) => return Ok(true),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Conflict.into())
    }
}

impl DayClose<'_> {
    /// Opens or closes a discrepancy of a payment that is on no invoice.
    async fn raise_about(
        &self,
        payment: &PaymentId,
        key: &DiscrepancyKey,
        detail: Option<String>,
    ) -> Result<bool, CloseError> {
        let organisation = self.settings.organisation;
        for _ in 0..RACES_MAX {
            let Some(receipt) = self.tables.receipt(organisation, payment).await? else {
                return Ok(false);
            };
            // One that failed is followed on the contact of its customer, if that is known.
            if key.kind == DiscrepancyKind::FailedPayment && self.has_contact(&receipt).await? {
                return Ok(false);
            }
            let (about, now) = (Judged::Payment(&receipt), self.clock.now());
            let known = self.tables.discrepancies_about(about).await?;
            let changes: Vec<DiscrepancyChange> = match &detail {
                Some(detail) => {
                    discrepancy_changes(&known, &[(key.clone(), detail.clone())].into(), now)
                        .into_iter()
                        .filter(|change| change.now.key == *key)
                        .collect()
                }
                None => {
                    let is_over = |one: &&Discrepancy| one.stands() && one.key == *key;
                    let over = known.iter().filter(is_over).cloned();
                    over.map(|over| DiscrepancyChange {
                        now: Discrepancy { resolved_at: Some(now), ..over.clone() },
                        known: Some(over),
                    })
                    .collect()
                }
            };
            let because = ContactBecause { cause: "close", rule: "SP-15", now };
            match self.tables.write_discrepancies_about(about, &changes, because).await {
                Ok(()) => return Ok(!changes.is_empty()),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Conflict.into())
    }

    async fn has_contact(&self, receipt: &Receipt) -> Result<bool, CloseError> {
        let Some(customer) = &receipt.customer else { return Ok(false) };
        let known = self.tables.customer(receipt.organisation, customer).await?;
        Ok(known.is_some_and(|known| known.contact.is_some()))
    }
}

fn readable(image: &Image, tally: &mut CloseTally) -> Option<Entry> {
    match image.entry() {
        Ok(entry) => entry,
        Err(error) => {
            tally.passed_over += 1;
            tracing::error!(
                activity.key = image.key(),
                error = telemetry::chain(&error),
                "a row of the activity log cannot be read; it is in no close"
            );
            None
        }
    }
}
