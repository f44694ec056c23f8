//! The log against its seals, over any range of days.

use commands::reply::{LogFault, LogVerification};
use host::clock::Clock;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::OrganisationId;
use payments::seal::{
    RowDifference, RowFault, Seal, SealFault, fault_of, last_over, name_exchanges,
};
use table::{ReadError, Tables};

use crate::error::SealError;
use crate::log_reader::Log;

/// Faults that an answer names.
const NAMED_MAX: usize = 100;

/// Recomputes the seals of some days from the log: without a first day from the first seal on, without a last one until the
/// last day that should have one. Names every row that differs, is missing, was added or exchanged, up to a hundred.
///
/// # Errors
/// `Read`: a table does not answer.
pub async fn verify(
    tables: &Tables,
    organisation: OrganisationId,
    range: (Option<Date>, Option<Date>),
    clock: &Clock,
    deadline: Timestamp,
) -> Result<LogVerification, SealError> {
    let log = Log { tables, organisation, archive: None, clock, deadline };
    let first = tables.sealed_day(organisation, true).await?;
    let last = tables.sealed_day(organisation, false).await?;
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(LogVerification { is_sealed: false, ..LogVerification::default() });
    };
    let from = range.0.map_or(first, |from| from.max(first));
    // The last two days may be on their way: the schedule comes every six hours.
    let due = last_over(clock.now()).yesterday().unwrap_or(last);
    let to = range.1.map_or(last.max(due), |to| to.min(last.max(due)));
    let mut verifier =
        Verifier { log, first, last, found: Vec::new(), reply: LogVerification::default() };
    verifier.reply.is_sealed = true;
    verifier.days(from, to).await?;
    Ok(verifier.finish())
}

struct Verifier<'a> {
    log: Log<'a>,
    /// The first and the last day with a seal.
    first: Date,
    last: Date,
    found: Vec<RowDifference>,
    reply: LogVerification,
}

impl Verifier<'_> {
    async fn days(&mut self, from: Date, to: Date) -> Result<(), SealError> {
        self.reply.from = Some(from);
        let mut before = match from.yesterday() {
            Ok(day) if day >= self.first => self.seal(day).await?,
            _ => None,
        };
        let mut day = from;
        while day <= to {
            match Box::pin(self.one_day(day, before.as_ref())).await {
                Ok(seal) => before = seal,
                Err(SealError::OutOfTime) => {
                    self.reply.next = Some(day);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            self.reply.to = Some(day);
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(())
    }

    /// A day against its seal, and the seal against the one before; the answer is the seal.
    async fn one_day(
        &mut self,
        day: Date,
        before: Option<&Seal>,
    ) -> Result<Option<Seal>, SealError> {
        let Some(seal) = self.seal(day).await? else { return Ok(None) };
        // If the one before is missing, that is said of its own day.
        let is_alone = before.is_none() && day > self.first;
        if let Some(fault) = fault_of(&seal, before).filter(|_| !is_alone) {
            self.fault(day, fault);
        }
        let late = match day.tomorrow() {
            Ok(next) if next <= self.last => match self.read(next).await? {
                Ok(Some(next)) => self.log.late_rows(&next).await?.unwrap_or_default(),
                _ => Default::default(),
            },
            _ => Default::default(),
        };
        self.reply.late += seal.contents.late;
        let compared = self.log.compare(&seal, late).await?;
        if !compared.is_intact || self.log.late_rows(&seal).await?.is_none() {
            self.fault(day, SealFault::Altered);
        }
        if compared.is_intact {
            self.reply.days += 1;
        }
        self.reply.rows += compared.rows;
        self.reply.faults += compared.total;
        self.found.extend(compared.kept);
        Ok(Some(seal))
    }

    /// The seal of a day; one that is missing or cannot be read is a fault of that day.
    async fn seal(&mut self, day: Date) -> Result<Option<Seal>, SealError> {
        let read = self.read(day).await?;
        if !matches!(read, Ok(Some(_))) {
            self.fault(day, if read.is_ok() { SealFault::Missing } else { SealFault::Altered });
        }
        Ok(read.ok().flatten())
    }

    async fn read(&self, day: Date) -> Result<Result<Option<Seal>, ReadError>, SealError> {
        match self.log.tables.seal(self.log.organisation, day).await {
            Err(error @ ReadError::Unavailable { .. }) => Err(error.into()),
            read => Ok(read),
        }
    }

    fn fault(&mut self, day: Date, fault: SealFault) {
        let known = |named: &LogFault| named.day == day && named.row.is_none();
        if !self.reply.named.iter().any(known) {
            self.reply.faults += 1;
            self.name(LogFault { day, row: None, fault: fault.code().to_owned(), with: None });
        }
    }

    fn name(&mut self, fault: LogFault) {
        if self.reply.named.len() < NAMED_MAX {
            self.reply.named.push(fault);
        }
    }

    fn finish(mut self) -> LogVerification {
        let mut found = std::mem::take(&mut self.found);
        name_exchanges(&mut found);
        for difference in found {
            let fault = difference.fault;
            self.name(LogFault {
                day: difference.day,
                row: Some(difference.at),
                fault: RowFault::code(fault).to_owned(),
                with: difference.with.map(|(day, at)| format!("{day}#{at}")),
            });
        }
        self.reply.named.sort_by(|one, other| (one.day, &one.row).cmp(&(other.day, &other.row)));
        self.reply
    }
}
