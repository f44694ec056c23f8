//! One organisation's payments in one invocation: the tools for them, and the steps that every
//! other step uses.

use access::Xero;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::upload::{
    Caps, ChartOfAccounts, Line, Night, ReleasedSlot, Route, Upload, UploadSettings, UploadState,
};
use payments::{CustomerId, OrganisationId, PaymentId, Settings};
use queue::{DELAY_SECONDS_MAX, Uploads};
use table::{ChangeContext, Cursor, Races, Tables, UPLOADS_WITH_CAPS_MAX, WriteError};
use xero::Spent;

use crate::error::RunError;
use crate::known_money::KnownMoney;

/// Rows of one line that are read at a time.
pub(crate) const PAGE: usize = 200;
/// Most rows of one line that one run reads: far more than a business has on hold. The rest waits for
/// the next round.
const LINE_MAX: usize = 10_000;
/// How much time a step that must not be interrupted may take: a call to Xero, and storing its answer.
pub(crate) const STEP: SignedDuration = SignedDuration::from_secs(40);

/// Why a run ended before everything was sent that fits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// The invocation is nearly over.
    OutOfTime,
    /// Xero wants no more calls until then, if it says when.
    Limited(Option<Timestamp>),
    /// Xero refuses us.
    NotAuthorised,
    /// Uploading is off.
    Disabled,
}

impl Stop {
    /// In words, for the night's report.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::OutOfTime => "the run's time was over; it goes on".into(),
            Self::Limited(None) => "Xero's call limit; it goes on".into(),
            Self::Limited(Some(until)) => format!("Xero's call limit until {until:.0}; it goes on"),
            Self::NotAuthorised => {
                "Xero refuses our credentials or permissions; tried again every hour".into()
            }
            Self::Disabled => "uploading is switched off; a person has to switch it on".into(),
        }
    }
}

/// What one organisation's payments are worked on with.
pub(crate) struct Run<'a, Q> {
    pub(crate) xero: &'a Xero,
    pub(crate) tables: &'a Tables,
    pub(crate) uploads: &'a Q,
    pub(crate) clock: &'a host::clock::Clock,
    pub(crate) pauses: &'a [std::time::Duration],
    pub(crate) settings: &'a Settings,
    pub(crate) uploading: &'a UploadSettings,
    /// The chart of accounts, once it was read.
    pub(crate) chart: OnceCell<ChartOfAccounts>,
    /// The night that it is about.
    pub(crate) night: Night,
    /// Whether it only posts what is to be posted at once. The other rows are the night's, whose run has
    /// a lease, and may be at them at this moment.
    pub(crate) direct_only: bool,
    /// When the invocation has to be over.
    pub(crate) deadline: Timestamp,
    /// Calls and bytes at Xero so far; see [`Run::spent`].
    pub(crate) spent: Cell<Spent>,
    /// What became of the payments that it wrote.
    pub(crate) became: RefCell<BTreeMap<PaymentId, UploadState>>,
    /// Whether Xero has refused our credentials.
    pub(crate) refused: Cell<bool>,
    /// The money in Xero that may be its payments'.
    pub(crate) known_money: RefCell<KnownMoney>,
    /// The customers whose actions it has found to be solved.
    pub(crate) solved: RefCell<Vec<CustomerId>>,
}

/// A row as it is stored, and as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) before: Upload,
    pub(crate) after: Upload,
    /// What it gives back to the caps.
    pub(crate) freed: Option<ReleasedSlot>,
}

impl Move {
    /// A row to which nothing has happened yet.
    pub(crate) fn of(row: Upload) -> Self {
        Self { after: row.clone(), before: row, freed: None }
    }

    /// Whether there is anything to write.
    pub(crate) fn is_news(&self) -> bool {
        self.before != self.after
    }
}

impl<Q: Uploads> Run<'_, Q> {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn organisation(&self) -> OrganisationId {
        self.settings.organisation
    }

    /// The chart of accounts: one call in a run, and one for tax rates if any is set.
    pub(crate) async fn chart(&self) -> Result<&ChartOfAccounts, RunError> {
        if let Some(chart) = self.chart.get() {
            return Ok(chart);
        }
        let mut read = self.xero.accounts(self.organisation()).await?;
        let fees = self.uploading.fee_accounts.values();
        let has_tax =
            self.uploading.prepayment_tax.is_some() || fees.into_iter().any(|of| of.tax.is_some());
        if has_tax {
            read = read.with_taxes(self.xero.tax_rates(self.organisation()).await?);
        }
        Ok(self.chart.get_or_init(|| read))
    }

    /// The settings by which lines are written: with the codes that their accounts have now (XC-14).
    pub(crate) fn booking(&self) -> Cow<'_, UploadSettings> {
        match self.chart.get() {
            Some(chart) => Cow::Owned(chart.followed(self.uploading)),
            None => Cow::Borrowed(self.uploading),
        }
    }

    /// What this run has spent at Xero until now.
    pub(crate) fn spent(&self) -> Spent {
        let (before, more) = (self.spent.get(), self.xero.take_spent(self.organisation()));
        let sum = Spent {
            calls: before.calls.saturating_add(more.calls),
            bytes: before.bytes.saturating_add(more.bytes),
        };
        self.spent.set(sum);
        sum
    }

    /// Notes what became of a payment.
    pub(crate) fn became(&self, row: &Upload) {
        self.became.borrow_mut().insert(row.receipt.id.clone(), row.state);
    }

    /// Writes rows in one step, with the caps if they change, and notes what became of them.
    pub(crate) async fn store(
        &self,
        rows: &[(Option<&Upload>, &Upload)],
        caps: Option<(&Caps, &Caps)>,
    ) -> Result<(), WriteError> {
        self.tables.write_uploads(rows, caps, self.because()).await?;
        for (_, row) in rows {
            self.became(row);
        }
        Ok(())
    }

    /// Whether there is no time left for another step.
    pub(crate) fn is_over(&self) -> bool {
        self.now().saturating_add(STEP).is_ok_and(|end| end > self.deadline)
    }

    pub(crate) fn because(&self) -> ChangeContext {
        ChangeContext { cause: "upload", event_at: None, now: self.now() }
    }

    /// Whether this run may touch what has begun to go up.
    pub(crate) fn is_ours(&self, row: &Upload) -> bool {
        !self.direct_only || !row.route().is_ok_and(Route::is_nightly)
    }

    /// The next rows of a line. An unreadable row raises a message, and keeps no other back (AMB-30).
    pub(crate) async fn line(
        &self,
        line: Line,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<(Vec<Upload>, Option<Cursor>), RunError> {
        let page = self.tables.line_page(self.organisation(), line, after, max).await?;
        for row in page.unreadable {
            let why = format!("payment {} stands still: {}", row.key, row.problem);
            self.message("UNREADABLE_ROW", &row.key, &why).await?;
        }
        Ok((page.uploads, page.next))
    }

    /// All rows of a line.
    pub(crate) async fn whole_line(&self, line: Line) -> Result<Vec<Upload>, RunError> {
        let mut rows = Vec::new();
        let mut cursor = None;
        while rows.len() < LINE_MAX {
            let (page, next) = self.line(line, cursor, PAGE).await?;
            rows.extend(page);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(rows)
    }

    /// Writes rows; freed slots go back to the caps in the same step. A row that another writer has
    /// changed meanwhile is left out: the next read of its line shows it as it is then. Returns the
    /// rows as they are stored now.
    pub(crate) async fn write(&self, moves: Vec<Move>) -> Result<Vec<Upload>, RunError> {
        let mut written = Vec::new();
        let news = moves.into_iter().filter(|moved| {
            let news = moved.is_news();
            if !news {
                written.push(moved.before.clone());
            }
            news
        });
        let news: Vec<_> = news.collect();
        // One size for all: what frees a slot writes the caps as well.
        for chunk in news.chunks(UPLOADS_WITH_CAPS_MAX) {
            written.extend(self.write_chunk(chunk.to_vec()).await?);
        }
        Ok(written)
    }

    async fn write_chunk(&self, mut chunk: Vec<Move>) -> Result<Vec<Upload>, RunError> {
        let mut races = Races::default();
        loop {
            if chunk.is_empty() {
                return Ok(Vec::new());
            }
            let freed: Vec<_> = chunk.iter().filter_map(|moved| moved.freed).collect();
            let rows: Vec<_> = chunk.iter().map(|m| (Some(&m.before), &m.after)).collect();
            let result = if freed.is_empty() {
                self.store(&rows, None).await
            } else {
                let caps = self.tables.caps(self.organisation()).await?;
                let after = freed.iter().fold(caps.clone(), |caps, freed| caps.give_back(*freed));
                self.store(&rows, Some((&caps, &after))).await
            };
            if races.won(result)?.is_some() {
                return Ok(chunk.into_iter().map(|moved| stored(moved.after)).collect());
            }
            chunk = self.unchanged(chunk).await?;
        }
    }

    /// Those of the moves whose rows are still what they were.
    pub(crate) async fn unchanged(&self, moves: Vec<Move>) -> Result<Vec<Move>, RunError> {
        let ids: Vec<PaymentId> =
            moves.iter().map(|moved| moved.before.receipt.id.clone()).collect();
        let known = self.tables.uploads(self.organisation(), &ids).await?;
        let same = |moved: &Move| {
            known.iter().any(|row| {
                row.receipt.id == moved.before.receipt.id && row.revision == moved.before.revision
            })
        };
        Ok(moves.into_iter().filter(same).collect())
    }

    /// A read that met a call limit: the run stops there, and goes on when it may.
    pub(crate) fn limited(&self, error: RunError) -> Result<Stop, RunError> {
        let RunError::Xero(xero::ReadError::Limited { after, .. }) = error else {
            return Err(error);
        };
        let after = after.and_then(|after| SignedDuration::try_from(after).ok());
        Ok(Stop::Limited(after.and_then(|after| self.now().checked_add(after).ok())))
    }

    pub(crate) async fn caps(&self) -> Result<Caps, RunError> {
        Ok(self.tables.caps(self.organisation()).await?)
    }
}

/// A row as it is after it has been written.
pub(crate) fn stored(row: Upload) -> Upload {
    Upload { revision: row.revision.saturating_add(1), ..row }
}

/// How long a task waits in the queue, in whole seconds, so that it is not early; the queue keeps it no
/// longer than it can, and the task then finds that it has to wait again.
pub(crate) fn delay(at: Timestamp, now: Timestamp) -> u16 {
    let wait = at.duration_since(now).max(SignedDuration::ZERO);
    let seconds = wait.as_secs().saturating_add(i64::from(wait.subsec_nanos() > 0));
    u16::try_from(seconds).unwrap_or(DELAY_SECONDS_MAX).min(DELAY_SECONDS_MAX)
}
