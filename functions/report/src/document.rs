//! A report as the one text that its checksum covers: JSON, with every amount as a text, so that no digit is lost.

use figures::{Basis, Cell, ReportPeriod, Sheet, Statement};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::OrganisationId;
use payments::seal::Checksum;
use serde::{Deserialize, Serialize};

/// The version of the format. Another version may count in another way, so that a recount compares within one.
pub(crate) const FORMAT: u32 = 1;

/// What a report rests on: the part of the log, and the settings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogBasis {
    /// The first and the last day of the log, in UTC.
    pub(crate) first_day: Date,
    pub(crate) last_day: Date,
    /// The checksum of the last day's seal, which covers all days before.
    pub(crate) seal: String,
    /// The checksum of the seal of each day of the period.
    pub(crate) seals: Vec<(Date, String)>,
    /// Rows that were counted.
    pub(crate) rows: u64,
    /// Rows that cannot be read, and are in no figure.
    pub(crate) unreadable: u64,
}

/// The settings of a report, as they are stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StoredBasis {
    time_zone: String,
    close_at: jiff::civil::Time,
    holidays: Vec<Date>,
    upload_due_at: jiff::civil::Time,
}

impl From<&Basis> for StoredBasis {
    fn from(basis: &Basis) -> Self {
        Self {
            time_zone: basis.zone.iana_name().unwrap_or("UTC").to_owned(),
            close_at: basis.close_at,
            holidays: basis.holidays.iter().copied().collect(),
            upload_due_at: basis.due_at,
        }
    }
}

impl StoredBasis {
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn time_zone(&self) -> &str {
        &self.time_zone
    }

    pub(crate) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same, to count with; `None` if the time zone is not known here.
    pub(crate) fn basis(&self) -> Option<Basis> {
        Some(Basis {
            zone: TimeZone::get(&self.time_zone).ok()?,
            close_at: self.close_at,
            holidays: self.holidays.iter().copied().collect(),
            due_at: self.upload_due_at,
        })
    }
}

/// A report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    format: u32,
    organisation: OrganisationId,
    period: PeriodMember,
    basis: StoredBasis,
    log: LogBasis,
    sheets: Vec<SheetMember>,
}

#[derive(Clone, Debug, Serialize)]
struct PeriodMember {
    name: String,
    kind: &'static str,
    first: Date,
    last: Date,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
struct SheetMember {
    name: &'static str,
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<serde_json::Value>>,
}

impl Document {
    /// The report of a period.
    pub(crate) fn of(
        organisation: OrganisationId,
        period: ReportPeriod,
        basis: &Basis,
        log: LogBasis,
        statement: &Statement,
    ) -> Self {
        let (from, until) = period.bounds(&basis.zone);
        let period = PeriodMember {
            name: period.to_string(),
            kind: period.kind.code(),
            first: period.first,
            last: period.last,
            from,
            until,
        };
        let sheets = statement.sheets.iter().map(member).collect();
        Self { format: FORMAT, organisation, period, basis: basis.into(), log, sheets }
    }

    /// The bytes, and their checksum.
    pub(crate) fn bytes(&self) -> Result<(Vec<u8>, Checksum), serde_json::Error> {
        let bytes = serde_json::to_vec(self)?;
        let checksum = Checksum::of_bytes(&bytes);
        Ok((bytes, checksum))
    }
}

fn member(sheet: &Sheet) -> SheetMember {
    let rows = sheet.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    SheetMember { name: sheet.name, title: sheet.title, columns: sheet.columns, rows }
}

/// Counts are numbers, what is empty is null, and all else is text.
fn value(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Empty => serde_json::Value::Null,
        Cell::Count(count) => (*count).into(),
        cell => cell.to_string().into(),
    }
}
