//! Both sides of a day of the log, each page by page: what is there, and what was sealed.

use std::collections::{BTreeMap, VecDeque};

use archive::Archive;
use host::clock::Clock;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::seal::{Checksum, LogComparison, RowDifference, Seal, SealPage, SealedRow};
use table::{ReadError, Tables};

use crate::error::SealError;

/// What of the invocation is left when reading ends: for storing, or for the answer.
pub(crate) const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(20);

/// Whose log is read, and until when.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) organisation: OrganisationId,
    /// Where seals are kept as files, if there is a bucket.
    pub(crate) archive: Option<&'a Archive>,
    pub(crate) clock: &'a Clock,
    pub(crate) deadline: Timestamp,
}

impl Log<'_> {
    /// Whether there is time for another page.
    fn in_time(&self) -> Result<(), SealError> {
        let end = self.clock.now().saturating_add(CLOSING_TIME);
        if end.is_ok_and(|end| end <= self.deadline) { Ok(()) } else { Err(SealError::OutOfTime) }
    }

    /// A page of a seal; `None` if it is gone or not what was sealed.
    async fn page(&self, checksum: Checksum) -> Result<Option<SealPage>, SealError> {
        self.in_time()?;
        match self.tables.seal_page(self.organisation, checksum).await {
            Ok(page) => Ok(page.filter(|page| page.checksum() == checksum)),
            Err(ReadError::Unreadable { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The rows of the day before that the seal of a day has taken up; `None` if a page of it is not what was sealed.
    pub(crate) async fn late_rows(
        &self,
        seal: &Seal,
    ) -> Result<Option<BTreeMap<String, Checksum>>, SealError> {
        let mut late = BTreeMap::new();
        for checksum in &seal.contents.late_pages {
            let Some(page) = self.page(*checksum).await? else { return Ok(None) };
            late.extend(page.rows.into_iter().map(|row| (row.at, row.content)));
        }
        Ok(Some(late))
    }

    /// Compares a day with its seal, and with the rows of it that were sealed late.
    pub(crate) async fn compare(
        &self,
        seal: &Seal,
        late: BTreeMap<String, Checksum>,
    ) -> Result<Compared, SealError> {
        let mut differences = LogComparison::new(seal.day, late);
        let mut found = LogReader::new(*self, seal.day);
        let mut sealed = SealReader::new(*self, &seal.contents.pages);
        loop {
            if !sealed.fill().await? {
                return Ok(Compared { is_intact: false, ..Compared::default() });
            }
            found.fill().await?;
            let advance = differences.compare(sealed.rows.front(), found.rows.front());
            if !advance.sealed && !advance.found {
                break;
            }
            if advance.sealed {
                sealed.rows.pop_front();
            }
            if advance.found {
                found.rows.pop_front();
            }
        }
        let (kept, total) = differences.finish();
        Ok(Compared { is_intact: true, rows: found.read, kept, total })
    }
}

/// What came of comparing a day with its seal.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Whether the pages of the seal are what was sealed; if not, nothing was compared.
    pub(crate) is_intact: bool,
    /// How many rows of the log were read.
    pub(crate) rows: u64,
    /// The first differences.
    pub(crate) kept: Vec<RowDifference>,
    /// How many there are.
    pub(crate) total: u64,
}

/// The rows of a day of the log, as checksums.
pub(crate) struct LogReader<'a> {
    log: Log<'a>,
    day: Date,
    pub(crate) rows: VecDeque<SealedRow>,
    after: Option<String>,
    has_ended: bool,
    read: u64,
}

impl<'a> LogReader<'a> {
    pub(crate) fn new(log: Log<'a>, day: Date) -> Self {
        Self { log, day, rows: VecDeque::new(), after: None, has_ended: false, read: 0 }
    }

    /// Reads on until there is a row, or the day has ended.
    pub(crate) async fn fill(&mut self) -> Result<(), SealError> {
        while self.rows.is_empty() && !self.has_ended {
            self.log.in_time()?;
            let Log { tables, organisation, .. } = self.log;
            let page = tables.log_checksums(organisation, self.day, self.after.as_deref()).await?;
            self.read = self.read.saturating_add(u64::try_from(page.rows.len()).unwrap_or(0));
            self.rows.extend(page.rows);
            self.has_ended = page.next.is_none();
            self.after = page.next;
        }
        Ok(())
    }
}

/// The rows of a day as they were sealed.
struct SealReader<'a> {
    log: Log<'a>,
    pages: std::slice::Iter<'a, Checksum>,
    rows: VecDeque<SealedRow>,
}

impl<'a> SealReader<'a> {
    fn new(log: Log<'a>, pages: &'a [Checksum]) -> Self {
        Self { log, pages: pages.iter(), rows: VecDeque::new() }
    }

    /// Reads on until there is a row, or the day has ended; false if a page is not what was sealed.
    async fn fill(&mut self) -> Result<bool, SealError> {
        while self.rows.is_empty() {
            let Some(checksum) = self.pages.next() else { return Ok(true) };
            let Some(page) = self.log.page(*checksum).await? else { return Ok(false) };
            self.rows.extend(page.rows);
        }
        Ok(true)
    }
}
