//! The formats of a report: the exact one, and those for people and their programs.

mod csv;
mod page;
mod workbook;

use archive::ArchiveFile;
use figures::{ReportPeriod, Statement};
use payments::seal::Checksum;

use crate::error::ReportError;

/// Whose report it is, for the formats that people read.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    pub(crate) organisation: String,
    pub(crate) period: ReportPeriod,
    pub(crate) time_zone: String,
    pub(crate) checksum: Checksum,
    /// On which seal it rests, in a sentence.
    pub(crate) rests_on: String,
}

/// The files for people: a workbook, a page to print, and a table in each file of CSV.
pub(crate) fn files(
    heading: &Heading,
    statement: &Statement,
) -> Result<Vec<ArchiveFile>, ReportError> {
    let mut files = vec![
        ArchiveFile {
            name: "report.html".to_owned(),
            media_type: "text/html; charset=utf-8",
            bytes: page::html(heading, &statement.sheets).into_bytes(),
        },
        ArchiveFile {
            name: "report.xlsx".to_owned(),
            media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            bytes: workbook::xlsx(heading, &statement.sheets)?,
        },
    ];
    files.extend(statement.sheets.iter().map(|sheet| ArchiveFile {
        name: format!("{}.csv", sheet.name),
        media_type: "text/csv; charset=utf-8",
        bytes: csv::text(sheet).into_bytes(),
    }));
    Ok(files)
}
