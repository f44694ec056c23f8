//! The seal of one day of one organisation: the log of the day in, its seal out.

use archive::ArchiveFile;
use jiff::civil::Date;
use payments::seal::{Contents, RowDifference, RowFault, Seal, SealPage, SealedRow};
use table::WriteError;

use crate::error::SealError;
use crate::log_reader::{Compared, Log, LogReader};
use crate::tally::Tally;

/// What became of a day.
pub(crate) struct Done {
    pub(crate) seal: Seal,
    /// LogComparison between the day before and its seal, apart from rows that came late.
    pub(crate) differences: u64,
}

impl Log<'_> {
    /// Seals a day behind the day before it, which is compared with its own seal on the way: rows that came after it are
    /// taken up here, and what else differs is named in the log.
    pub(crate) async fn seal(
        &self,
        day: Date,
        before: Option<&Seal>,
        tally: &mut Tally,
    ) -> Result<Done, SealError> {
        let compared = match before {
            Some(before) => self.compare(before, Default::default()).await?,
            None => Compared { is_intact: true, ..Compared::default() },
        };
        tally.rows_read += usize::try_from(compared.rows).unwrap_or(usize::MAX);
        let (late, others): (Vec<_>, Vec<_>) =
            compared.kept.iter().partition(|difference| difference.fault == RowFault::Added);
        if !compared.is_intact {
            tracing::error!(
                xero.tenant_id = %self.organisation,
                seal.day = before.map(|before| before.day.to_string()),
                "the pages of a seal are not what was sealed"
            );
        }
        for difference in others.iter().take(NAMED_MAX) {
            self.name(difference, "a row of the log is not as it was sealed");
        }
        for difference in late.iter().take(NAMED_MAX) {
            self.name(difference, "a row of the log came after its day was sealed");
        }
        let mut contents = Contents::default();
        let mut pages = Pages::new(self, before.map_or(day, |before| before.day));
        for difference in &late {
            let Some(content) = difference.found else { continue };
            pages.push(SealedRow { at: difference.at.clone(), content }).await?;
        }
        (contents.late_pages, contents.late) = pages.finish().await?;
        let mut pages = Pages::new(self, day);
        let mut reader = LogReader::new(*self, day);
        loop {
            reader.fill().await?;
            if reader.rows.is_empty() {
                break;
            }
            for row in std::mem::take(&mut reader.rows) {
                pages.push(row).await?;
            }
        }
        (contents.pages, contents.rows) = pages.finish().await?;
        tally.rows_read += usize::try_from(contents.rows).unwrap_or(usize::MAX);
        tally.late += usize::try_from(contents.late).unwrap_or(usize::MAX);
        let previous = before.map(|before| before.checksum);
        let seal = Seal::new(self.organisation, day, previous, contents);
        self.archive(&seal).await?;
        self.tables.store_seal(&seal, self.clock.now()).await?;
        let late = u64::try_from(late.len()).unwrap_or(u64::MAX);
        let differences = compared.total.saturating_sub(late) + u64::from(!compared.is_intact);
        Ok(Done { seal, differences })
    }

    /// Keeps the seal outside of the tables, before the table has it, under a name that has its checksum: if the
    /// tables are lost or altered, the file says what was sealed.
    async fn archive(&self, seal: &Seal) -> Result<(), SealError> {
        let Some(archive) = self.archive else { return Ok(()) };
        let said = serde_json::json!({
            "organisation": seal.organisation,
            "day": seal.day,
            "checksum": seal.checksum.to_string(),
            "previous": seal.previous.map(|previous| previous.to_string()),
            "rows": seal.contents.rows,
            "late": seal.contents.late,
        });
        let name = format!("{}-{}.json", seal.day, seal.checksum);
        let (media_type, bytes) = ("application/json", said.to_string().into_bytes());
        let file = ArchiveFile { name, media_type, bytes };
        archive.put(&format!("{}/seals", self.organisation), file).await?;
        Ok(())
    }

    fn name(&self, difference: &RowDifference, message: &str) {
        tracing::error!(
            xero.tenant_id = %self.organisation,
            row.day = %difference.day,
            row.at = difference.at,
            row.fault = difference.fault.code(),
            "{message}"
        );
    }
}

/// Rows that a line of the log names; the command `verify_log` names more.
const NAMED_MAX: usize = 10;

/// Rows on their way into the pages of a seal.
struct Pages<'a> {
    log: &'a Log<'a>,
    page: SealPage,
    stored: Vec<payments::seal::Checksum>,
    rows: u64,
}

impl<'a> Pages<'a> {
    fn new(log: &'a Log<'a>, log_day: Date) -> Self {
        Self { log, page: SealPage::new(log_day), stored: Vec::new(), rows: 0 }
    }

    async fn push(&mut self, row: SealedRow) -> Result<(), WriteError> {
        if !self.page.has_room_for(&row) {
            self.store().await?;
        }
        self.page.rows.push(row);
        self.rows += 1;
        Ok(())
    }

    async fn store(&mut self) -> Result<(), WriteError> {
        let next = SealPage::new(self.page.log_day);
        let full = std::mem::replace(&mut self.page, next);
        self.stored.push(self.log.tables.store_seal_page(self.log.organisation, &full).await?);
        Ok(())
    }

    /// Stores the rest: the pages, and how many rows they have.
    async fn finish(mut self) -> Result<(Vec<payments::seal::Checksum>, u64), WriteError> {
        if !self.page.rows.is_empty() {
            self.store().await?;
        }
        Ok((self.stored, self.rows))
    }
}
